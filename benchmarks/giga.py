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
from typing import NamedTuple

from benchmarks.large_inputs import SEED, large_image
from benchmarks.processes import Footprint, watched
from benchmarks.results import Table, machine, write_section
from benchmarks.sampling import differing
from emulator.stack import running
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

_STITCH = (
    "The phase of the stitch waits for the small pictures as well; the last but one column is the task alone."
)
_RATIOS = "The gigapixel over 100 MP, per megapixel:"
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
        if self.footprint.functions["stitch"] > MOST_STITCH:
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
        environment = {
            "TMPDIR": str(temporary),
            "TESSERA_MAX_BYTES": str(16 << 30),
            "TESSERA_INSTANCES": "2",
        }
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
    return differing(target, source, OPERATIONS[case.operation])


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
    "stitch",
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
        f"{footprint.functions['stitch']:.2f}",
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
    about = f"{machine()}\n\nSeed {SEED}; peaks in MiB, sizes in MB, of each phase the seconds. {_STITCH}"
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
