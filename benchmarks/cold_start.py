"""How large the deployed package is, and how long a new process takes to import the app from it.

    python -m benchmarks.cold_start

Builds dist/functions unless it is there, lists the largest packages, and times `import main` in new processes
that have nothing but the package. Exits with 1 when the processor seconds, which other work on the machine
hardly changes, miss their target.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "dist" / "functions"
SITE = Path(".python_packages/lib/site-packages")
RUNS = 7
MOST_SECONDS = 2.0


def sizes() -> Counter[str]:
    """Return the bytes of each package; the app itself is one of them."""
    found: Counter[str] = Counter()
    for path in PACKAGE.rglob("*"):
        if path.is_file():
            relative = path.relative_to(PACKAGE)
            inside = relative.is_relative_to(SITE)
            found[relative.relative_to(SITE).parts[0] if inside else "the app"] += path.stat().st_size
    return found


def import_seconds() -> tuple[float, float]:
    """Return the seconds that one new process takes, by the clock and of the processor."""
    settings = json.loads((ROOT / "local.settings.json").read_text())["Values"]
    environment = {**settings, "PATH": os.defpath, "PYTHONPATH": f"{PACKAGE / SITE}{os.pathsep}{PACKAGE}"}
    interpreter = getattr(sys, "_base_executable", sys.executable)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    subprocess.run([interpreter, "-S", "-s", "-c", "import main"], cwd=PACKAGE, env=environment, check=True)
    clock = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    if not PACKAGE.is_dir():
        subprocess.run([sys.executable, "scripts/build_package.py"], cwd=ROOT, check=True)
    found = sizes()
    packed = PACKAGE.with_suffix(".zip").stat().st_size
    print(f"unpacked {found.total() / 1e6:.1f} MB, packed {packed / 1e6:.1f} MB")
    for name, size in found.most_common(8):
        print(f"  {name:<32}{size / 1e6:8.1f} MB")
    clock, processor = zip(*(import_seconds() for _ in range(RUNS)), strict=True)
    print(f"import main, median of {RUNS}: {statistics.median(clock):.2f} s by the clock")
    print(f"  of the processor {statistics.median(processor):.2f} s; at most {MOST_SECONDS} s")
    return int(statistics.median(processor) > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
