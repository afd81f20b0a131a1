"""The same work by Tessera and by others, in one run, one after another, on this machine.

    python -m benchmarks.peers [--megapixels 12 144] [--rounds 5] [--pipelines canny] [--write]
    python -m benchmarks.peers --conversions "TIFF to TIFF" --rounds 1 --by opencv-2 libvips

Tessera is the whole stack with 1 and 2 workers, from submitting the job to the result's URL, without and
with the upload. Others are processes of their own, timed without their start: OpenCV on the whole image with
1 and 2 threads, libvips, Pillow and Dask where they apply, and the MPI program that Tessera replaces. Rounds
are interleaved, figures are medians. "cpu" are the seconds of processor of all processes, which bear a busy
machine. "differing" are the pixels that differ from OpenCV on the whole image.
"""

import argparse
import signal
import statistics
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.contenders import BEST, MPI, REFERENCE, ROOT, TWO, Contender, Run, contenders, does
from benchmarks.large_inputs import SEED, large_image
from benchmarks.results import Table, machine, write_section
from benchmarks.work import CONVERSIONS, WORK, Conversion

SIZES = {12: (4000, 3000), 144: (12_000, 12_000)}
SUMMED = ("invert", "binarize", "canny", "median 11")
"""What the program that Tessera replaces offers."""


@dataclass
class Runs:
    """The rounds of one contender at one pipeline, conversion and size."""

    runs: list[Run] = field(default_factory=list)
    size: int = 0
    differing: int = 0

    @property
    def seconds(self) -> float:
        """Return the median."""
        return statistics.median(run.seconds for run in self.runs)


def compare(
    source: Path,
    pipeline: str,
    conversion: Conversion,
    rounds: int,
    every: Mapping[str, Contender],
    folder: Path,
) -> dict[str, Runs]:
    """Return the rounds of all contenders at one pipeline."""
    found = {name: Runs() for name in every if does(name, pipeline)}
    targets = {name: folder / f"{name}{conversion.suffix}" for name in found}
    for _ in range(rounds):
        for name, runs in found.items():
            runs.runs.append(every[name](pipeline, conversion, source, targets[name]))
    expected = _pixels(targets[REFERENCE])
    for name, runs in found.items():
        runs.size = targets[name].stat().st_size
        runs.differing = _differing(expected, _pixels(targets[name]))
    for target in targets.values():
        target.unlink()
    return found


def _pixels(path: Path) -> Any:
    return np.atleast_3d(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))


def _differing(expected: Any, found: Any) -> int:
    """Return the pixels that differ, those counted that are missing."""
    rows = min(len(expected), len(found))
    same = (expected[:rows] == found[:rows]).all(axis=2)
    return int(expected.shape[0] * expected.shape[1] - np.count_nonzero(same))


def best_of(found: dict[str, Runs]) -> float:
    """Return the seconds of the better of `BEST`, of those that were run; without them, of `REFERENCE`."""
    best = [name for name in BEST if name in found] or [REFERENCE]
    return min(found[name].seconds for name in best)


def rows_of(pipeline: str, found: dict[str, Runs]) -> list[list[str]]:
    """Return the rows of the table; the ratio is to the better of `BEST`."""
    rows = []
    for name, each in found.items():
        uploaded = [run.uploaded for run in each.runs if run.uploaded is not None]
        rows.append(
            [
                pipeline,
                name,
                f"{each.seconds:.2f}",
                f"{statistics.median(uploaded):.2f}" if uploaded else "",
                f"{each.seconds / best_of(found):.2f}",
                f"{statistics.median(run.cpu for run in each.runs):.2f}",
                f"{max(run.peak for run in each.runs) >> 20}",
                f"{each.size:,}",
                f"{each.differing:,}",
            ]
        )
    return rows


COLUMNS = ("pipeline", "by", "s", "s with upload", "ratio", "cpu s", "peak MiB", "bytes", "differing")


def totals(found: dict[str, dict[str, Runs]]) -> str:
    """Return the sums over what everybody does, and what Tessera's is of the others'."""
    summed = [runs for pipeline, runs in found.items() if pipeline in SUMMED]
    ours = sum(runs[TWO].seconds for runs in summed)
    best, report = sum(map(best_of, summed)), sum(runs[MPI].seconds for runs in summed)
    if not summed:
        return ""
    return (
        f"Sum over {', '.join(name for name in found if name in SUMMED)}: Tessera, 2 workers, {ours:.2f} s;"
        f" the better of OpenCV with 2 threads and libvips {best:.2f} s, ratio {ours / best:.2f}; the MPI"
        f" program {report:.2f} s, ratio {ours / report:.2f}."
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--megapixels", type=int, nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pipelines", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--conversions", nargs="+", choices=CONVERSIONS, default=list(CONVERSIONS))
    parser.add_argument(
        "--by", nargs="+", metavar="WHO", help="only these, opencv-1 and Tessera on 2 workers"
    )
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/RESULTS.md")
    return parser.parse_args()


def main() -> int:
    # Whoever ends this ends its stacks.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = parse_arguments()
    (ROOT / "out").mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="peers-", dir=ROOT / "out") as made,
        contenders(Path(made)) as every,
    ):
        if options.by:
            every = {who: every[who] for who in every if who in (REFERENCE, TWO, *options.by)}
        for megapixels in options.megapixels:
            for name in options.conversions:
                measure(f"{megapixels} MP, {name}", megapixels, CONVERSIONS[name], options, every, Path(made))
    return 0


def measure(
    title: str,
    megapixels: int,
    conversion: Conversion,
    options: argparse.Namespace,
    every: Mapping[str, Contender],
    folder: Path,
) -> None:
    """Print, and write if asked to, one table: a size and a conversion."""
    about = [machine(), f"Seed {SEED}, {options.rounds} rounds."]
    print("\n\n".join([title, *about]))
    source = large_image(folder, conversion.kind, *SIZES[megapixels])
    found, table = dict[str, dict[str, Runs]](), Table(COLUMNS)
    for pipeline in options.pipelines:
        found[pipeline] = compare(source, pipeline, conversion, options.rounds, every, folder)
        for row in rows_of(pipeline, found[pipeline]):
            table.rows.append(row)
            print("  ".join(row), flush=True)
        if options.write:
            # Now, and not at the end: it may be an hour, and who stops it keeps what was measured.
            write(title, [*about, table.markdown(), totals(found)], found)
    print(totals(found), flush=True)


def write(title: str, parts: list[str], found: Mapping[str, Mapping[str, Runs]]) -> None:
    """Put a table and its plot into the results in place of those of the same size and conversion."""
    chart = {
        pipeline: {name: each.seconds for name, each in runs.items()} for pipeline, runs in found.items()
    }
    section = "peers-" + title.lower().replace(" mp, ", "-").replace(" ", "-")
    write_section(section, f"Against others: {title}", "\n\n".join(parts), {title: chart})


if __name__ == "__main__":
    sys.exit(main())
