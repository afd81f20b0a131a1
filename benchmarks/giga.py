"""Images of a gigapixel through the whole stack: peak memory of every process, and seconds.

    python -m benchmarks.giga [--megapixels 100] [--only canny] [--keep] [--write]

Each job gets a stack of its own: emulator, Azurite and two workers. The peaks are the processes' own (VmHWM).
Squares of the result are compared with plain OpenCV on the same part of the input, where the output is
lossless. Without ``--megapixels`` the jobs run on 100 MP and on a gigapixel, and their seconds per megapixel
are compared. Exits with 1 where a figure isn't met. Inputs are made in bounded memory and kept with --keep.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pyvips
from numpy.typing import NDArray

from benchmarks.large_inputs import SEED, large_image
from benchmarks.processes import Footprint, watched
from benchmarks.results import Table, machine, write_section
from emulator.stack import running
from tessera import reference
from tessera.geometry import Rect
from tessera.pipeline import bind
from tessera.plan import Step
from tessera_client.client import Client
from tessera_client.models import Job, Output
from tessera_client.models import Step as Asked

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "out" / "giga"
MOST_MEMORY = 512 << 20
MOST_STITCH = 0.5
MOST_RATIO = 1.1
MOST_TEMPORARY = 64 << 20
"""What an instance may hold, seconds, seconds per megapixel over those at 100 MP, and the bytes of a tile."""

_RATIOS = "The gigapixel over 100 MP, per megapixel:"
_SQUARE = 384
_MARGIN = 512
"""Pixels around a square that its reference is computed with: chains of weak edges end within."""

type Array = NDArray[Any]

OPERATIONS: dict[str, Step] = {
    "canny": Step(operation="canny"),
    "median 11": Step(operation="median_blur", parameters={"ksize": 11}),
    "half": Step(operation="scale", parameters={"factor": 0.5}),
    "rotate 90": Step(operation="rotate", parameters={"degrees": 90}),
}


class Case(NamedTuple):
    """A job: kind and size of its input, operation, output; the *small* size is a tenth of the pixels."""

    kind: str
    operation: str
    output: str
    pyramid: bool = False
    large: tuple[int, int] = (32_000, 32_000)
    small: tuple[int, int] = (10_000, 10_000)

    @property
    def name(self) -> str:
        """Return what the job is called in the table."""
        return f"{self.kind} {self.operation} {self.output}{' pyramid' if self.pyramid else ''}"


_WIDE = ((100_000, 20_000), (25_000, 4_000))
_TALL = ((3_000, 600_000), (1_000, 100_000))
CASES = (
    Case("jpeg-restarts", "median 11", "png"),
    Case("jpeg-restarts", "rotate 90", "jpeg"),
    Case("png", "half", "jpeg"),
    Case("png", "canny", "tiff"),
    Case("tiff", "rotate 90", "tiff", pyramid=True),
    Case("tiff", "half", "png"),
    Case("jpeg", "canny", "png"),
    Case("jpeg", "median 11", "tiff", pyramid=True),
    Case("jpeg", "rotate 90", "png"),
    Case("png-gray", "canny", "png", False, *_WIDE),
    Case("png-gray", "rotate 90", "tiff", False, *_WIDE),
    Case("tiff-gray", "median 11", "png", False, *_TALL),
    Case("tiff-gray", "rotate 90", "png", False, *_TALL),
    Case("tiff-gray", "half", "tiff", True, *_TALL),
)


@dataclass
class Measured:
    """What a job took. *wall* is from submission to the result, without the upload."""

    case: Case
    megapixels: float
    wall: float
    phases: dict[str, float]
    footprint: Footprint
    written: int
    differing: int | None

    @property
    def rate(self) -> float:
        """Return seconds per megapixel."""
        return self.wall / self.megapixels

    @property
    def effort(self) -> float:
        """Return seconds of processor per megapixel, of all processes, which bear a busy machine."""
        return self.footprint.cpu / self.megapixels

    def missed(self) -> list[str]:
        """Return what of the figures isn't met."""
        found = []
        if self.footprint.largest > MOST_MEMORY:
            found.append("memory")
        if self.phases.get("stitch", 0.0) > MOST_STITCH:
            found.append("stitch")
        if self.footprint.temporary > MOST_TEMPORARY:
            found.append("temporary file")
        if self.differing:
            found.append("exactness")
        return found


def measure(case: Case, size: tuple[int, int]) -> Measured:
    """Run one job on a stack of its own."""
    source = large_image(FOLDER, case.kind, *size)
    with tempfile.TemporaryDirectory(prefix="stack-", dir=FOLDER) as made:
        folder, temporary = Path(made), Path(made) / "tmp"
        temporary.mkdir()
        environment = {"TMPDIR": str(temporary), "TESSERA_MAX_BYTES": str(16 << 30)}
        with running(ROOT, folder, workers=2, environment=environment) as stack, Client(stack.url) as client:
            upload = client.upload(source)
            with watched(stack, temporary) as footprint:
                began = time.perf_counter()
                job = _finished(client, upload.id, case)
                wall = time.perf_counter() - began
            assert job.result is not None
            result = folder / "result"
            differing = _differing(client, job, result, source, case)
    return Measured(
        case=case,
        megapixels=size[0] * size[1] / 1e6,
        wall=wall,
        phases=dict(job.seconds),
        footprint=footprint,
        written=job.result.size,
        differing=differing,
    )


def _finished(client: Client, upload: str, case: Case) -> Job:
    step = OPERATIONS[case.operation]
    output = Output(case.output, pyramid=True if case.pyramid else None)
    return client.wait(
        client.submit(upload, [Asked(step.operation, dict(step.parameters))], output).id, timeout=3600
    )


def _differing(client: Client, job: Job, target: Path, source: Path, case: Case) -> int | None:
    """Return the pixels of sampled squares that differ from the reference; None for a lossy output."""
    if case.output == "jpeg":
        return None
    client.download(job, target)
    made = pyvips.Image.new_from_file(str(target), access="sequential", fail_on="warning")
    given = pyvips.Image.new_from_file(str(source), access="sequential")
    (bound,) = bind([OPERATIONS[case.operation]])
    squares = _squares(made.width, made.height)
    sources = [_source(square, bound.step, given) for square in squares]
    results = _cut(made, squares)
    wanted = {}
    for index, pixels in _cut(given, [around for around, _ in sources]).items():
        whole, inner = reference.run(pixels, [bound.step]), sources[index][1]
        wanted[index] = whole[inner.slices]
    return sum(
        int(np.count_nonzero((results[index] != wanted[index]).any(axis=2))) for index in range(len(squares))
    )


def _squares(width: int, height: int) -> list[Rect]:
    """Return squares at the corners, and at random."""
    chance = np.random.default_rng(SEED)
    right, below = max(width - _SQUARE, 0), max(height - _SQUARE, 0)
    places = [(0, 0), (right, below)]
    places += [(int(chance.integers(right + 1)), int(chance.integers(below + 1))) for _ in range(3)]
    evens = [(x // 2 * 2, y // 2 * 2) for x, y in places]
    return [Rect(x, y, min(x + _SQUARE, width), min(y + _SQUARE, height)) for x, y in evens]


def _source(square: Rect, step: Step, given: pyvips.Image) -> tuple[Rect, Rect]:
    """Return the box of the input around a square of the result, and where the square is in its result."""
    frame = Rect(0, 0, given.width, given.height)
    if step.operation == "rotate":
        box = Rect(square.y0, frame.y1 - square.x1, square.y1, frame.y1 - square.x0)
        return box, Rect(0, 0, square.width, square.height)
    times = 2 if step.operation == "scale" else 1
    core = Rect(*(times * side for side in square)).intersection(frame)
    box = core.grown(_MARGIN, frame)
    inner = square.relative_to(Rect(*(side // times for side in box)))
    return box, inner


def _cut(image: pyvips.Image, boxes: Sequence[Rect]) -> dict[int, Array]:
    """Return boxes of an image by their index, in one pass from top to bottom."""
    region = pyvips.Region.new(image)
    found: dict[int, Array] = {}
    for index in sorted(range(len(boxes)), key=lambda each: boxes[each].y0):
        box = boxes[index]
        data: Array = np.frombuffer(region.fetch(box.x0, box.y0, box.width, box.height), np.uint8)
        pixels = data.reshape(box.height, box.width, image.bands)
        found[index] = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if image.bands == 3 else pixels
    return found


COLUMNS = (
    "job",
    "MP",
    "s",
    "cpu s",
    "MP/s",
    "workers",
    "host",
    "azurite",
    "temp",
    "result",
    "differing",
    "phases",
    "missed",
)


def row_of(found: Measured) -> list[str]:
    """Return one row of the table."""
    peaks = sorted(found.footprint.workers.values(), reverse=True)
    workers = "/".join(str(value >> 20) for value in peaks)
    differing = "-" if found.differing is None else str(found.differing)
    phases = " ".join(f"{name} {seconds:.2f}" for name, seconds in found.phases.items())
    footprint = found.footprint
    return [
        found.case.name,
        f"{found.megapixels:.0f}",
        f"{found.wall:.1f}",
        f"{footprint.cpu:.1f}",
        f"{1 / found.rate:.1f}",
        workers,
        f"{footprint.host >> 20}",
        f"{footprint.storage >> 20}",
        f"{footprint.temporary / 1e6:.1f}",
        f"{found.written / 1e6:.0f}",
        differing,
        phases,
        ", ".join(found.missed()),
    ]


def ratios(found: Sequence[Measured]) -> tuple[list[list[str]], bool]:
    """Return rows of the seconds per megapixel of a gigapixel over those of 100 MP, and if all are met."""
    met, rows = True, []
    by_case: dict[Case, list[Measured]] = {}
    for each in found:
        by_case.setdefault(each.case, []).append(each)
    for case, runs in by_case.items():
        if len(runs) == 2:
            ratio, effort = runs[1].rate / runs[0].rate, runs[1].effort / runs[0].effort
            met &= ratio <= MOST_RATIO
            verdict = "" if ratio <= MOST_RATIO else "missed"
            rows.append([case.name, f"{ratio:.2f}", f"{effort:.2f}", verdict])
    return rows, met


def sizes_of(case: Case, megapixels: float | None) -> list[tuple[int, int]]:
    """Return the sizes that a case runs with."""
    if megapixels is None:
        return [case.small, case.large]
    shrink = (megapixels * 1e6 / (case.small[0] * case.small[1])) ** 0.5
    if abs(shrink - 1) < 0.01:
        return [case.small]
    if megapixels >= 1000:
        return [case.large]
    return [(round(case.small[0] * shrink), round(case.small[1] * shrink))]


def main() -> int:
    # Whoever ends this ends its stacks.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--megapixels", type=float, help="only this size; 1000 for the large ones")
    parser.add_argument("--only", default="", help="jobs whose name contains this")
    parser.add_argument("--keep", action="store_true", help="keep the inputs in out/giga")
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/RESULTS.md")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    about = f"{machine()}\n\nSeed {SEED}; peaks in MiB, sizes in MB, of each phase the seconds."
    print(f"{about}\n{'  '.join(COLUMNS)}", flush=True)
    found, table = [], Table(COLUMNS)
    try:
        for case in CASES:
            if options.only in case.name:
                for size in sizes_of(case, options.megapixels):
                    found.append(measure(case, size))
                    table.rows.append(row_of(found[-1]))
                    print("  ".join(table.rows[-1]), flush=True)
    finally:
        if not options.keep:
            shutil.rmtree(FOLDER)
    rows, met = ratios(found)
    compared = Table(("job", "seconds per MP", "cpu seconds per MP", ""), rows)
    print(compared.markdown())
    if options.write:
        text = "\n\n".join([about, table.markdown(), _RATIOS, compared.markdown()])
        write_section("giga", "A gigapixel", text)
    return int(any(each.missed() for each in found) or not met)


if __name__ == "__main__":
    sys.exit(main())
