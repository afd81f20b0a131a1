"""Measures how long the `tessera` command takes to answer, and a local job.

    python benchmarks/command_line.py

Prints the least seconds of ``tessera --help``, of ``tessera run --help`` and of the photograph of the demo
through Canny on this machine. Exits with 1 when the help takes longer than 0.3 s.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PHOTOGRAPH = REPOSITORY / "examples" / "dandelion.jpg"
MOST_HELP = 0.3
RUNS = 11
LOCAL_RUNS = 3


def seconds(*arguments: str, runs: int = RUNS) -> float:
    """Return the shortest time of the command: other work on the machine only adds."""
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        command = [sys.executable, "-m", "tessera_client", *arguments]
        subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
        taken.append(time.perf_counter() - started)
    return min(taken)


def main() -> int:
    helps = [seconds("--help"), seconds("run", "--help")]
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder) / "edges.png")
        job = ["run", str(PHOTOGRAPH), "--op", "canny", "--local", "--quiet", "--force", "-o", target]
        local = seconds(*job, runs=LOCAL_RUNS)
    print(f"tessera --help       {helps[0]:.2f} s\ntessera run --help   {helps[1]:.2f} s")
    print(f"16 MP, Canny, local  {local:.2f} s")
    return int(max(helps) > MOST_HELP)


if __name__ == "__main__":
    sys.exit(main())
