"""The drills from the command line: ``python -m drill faults`` and ``python -m drill load``."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from drill import faults, load, report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a drill; the exit code is 1 if something was found that must not be."""
    chosen = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tessera-drill-", delete=not chosen.keep) as made:
        folder = Path(made)
        print(f"data, logs and ledger: {folder}{'' if chosen.keep else ' (--keep keeps them)'}", flush=True)
        if chosen.drill == "faults":
            plan = faults.Plan(
                jobs=chosen.jobs, seed=chosen.seed, largest=chosen.largest, strike_every=chosen.strike_every
            )
            found = asyncio.run(faults.drill(plan, folder))
            text, wrong = report.page(found), found.wrong
        else:
            busy = load.Plan(
                customers=chosen.customers,
                jobs=chosen.jobs,
                pollers=chosen.pollers,
                minutes=chosen.minutes,
                behind=True,
                workers=chosen.workers,
            )
            loaded = asyncio.run(load.run(busy, folder))
            text, wrong = load.page(loaded), loaded.wrong
    print(text)
    if chosen.write is not None:
        chosen.write.write_text(text)
    return 1 if wrong else 0


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    commands = argparse.ArgumentParser(prog="python -m drill", description=__doc__)
    drills = commands.add_subparsers(dest="drill", required=True)
    storm = drills.add_parser("faults", help="jobs while everything fails that can")
    storm.add_argument("--jobs", type=int, default=500)
    storm.add_argument("--seed", type=int, default=1)
    storm.add_argument("--largest", type=float, default=8.0, metavar="MP")
    storm.add_argument("--strike-every", type=int, default=6, metavar="JOBS")
    heavy = drills.add_parser("load", help="many small jobs and many who ask how they are doing")
    heavy.add_argument("--jobs", type=int, default=200, help="let in at a time")
    heavy.add_argument("--customers", type=int, default=210, help="who run one job after the other")
    heavy.add_argument("--pollers", type=int, default=20)
    heavy.add_argument("--minutes", type=float, default=3.0)
    heavy.add_argument("--workers", type=int, default=1, help="processes for images; others serve requests")
    for each in (storm, heavy):
        each.add_argument("--keep", action="store_true", help="keep the folder with data, logs and ledger")
        each.add_argument("--write", type=Path, metavar="FILE", help="write the report there too")
    return commands


if __name__ == "__main__":
    sys.exit(main())
