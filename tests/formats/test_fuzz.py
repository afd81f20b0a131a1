"""Damaged files end in our errors or in pixels of the right shape: no crash, no hang, no memory.

``TESSERA_FUZZ=20000`` runs that many, ``TESSERA_FUZZ_SEED`` with another seed.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.formats.fuzz_worker import SECONDS

ROOT = Path(__file__).parents[2]
PROCESSES = 2
SEED = int(os.environ.get("TESSERA_FUZZ_SEED", "20261"))
COUNT = int(os.environ.get("TESSERA_FUZZ", "1000"))


def test_damaged_files_end_in_our_errors_or_in_pixels() -> None:
    print(f"seed {SEED}, {COUNT} files")
    with ThreadPoolExecutor(PROCESSES) as pool:
        found = [line for lines in pool.map(_share, range(PROCESSES)) for line in lines]
    outcomes = [line.rsplit(" ", 1)[-1] for line in found]
    print({word: outcomes.count(word) for word in ("pixels", "refused")})
    assert len(found) == COUNT
    assert [line for line in found if not line.endswith((" pixels", " refused"))] == []
    # Damage that nearly always passes, or never, would test nothing.
    assert COUNT / 20 < outcomes.count("pixels") < COUNT / 2


def _share(first: int) -> list[str]:
    """Return the outcomes of every n-th damage, starting a new process after one that died."""
    lines: list[str] = []
    while first < COUNT:
        numbers = map(str, (SEED, first, COUNT, PROCESSES))
        command = [sys.executable, "-m", "tests.formats.fuzz_worker", *numbers]
        limit = SECONDS * COUNT
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit, check=False)
        lines += done.stdout.splitlines()
        if done.returncode == 0:
            break
        assert done.stdout, done.stderr
        lines[-1] += f" ended its process with {done.returncode}: {done.stderr[-300:]}"
        first = int(lines[-1].split()[0]) + PROCESSES
    return lines
