"""The same work by Tessera and by others, in one run, one after another, on this machine.

    python -m benchmarks.peers [--megapixels 12 144] [--rounds 5] [--operations canny] [--write]

JPEG to PNG. Tessera is the whole stack with 1 and 2 workers, from submitting the job to the result's URL,
with and without the upload. Others are processes of their own, timed without their start: OpenCV on the whole
image with 1 and 2 threads, libvips, Pillow where it applies, and the MPI program that Tessera replaces.
Rounds are interleaved, figures are medians. "cpu" are the seconds of processor of all processes, which bear a
busy machine. "differing" are the pixels that differ from OpenCV on the whole image.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from benchmarks.large_inputs import SEED, large_image
from benchmarks.processes import watched
from benchmarks.report_program import DIGITS, LENGTH_BYTES
from benchmarks.results import Table, machine, write_section
from emulator.stack import Stack, running
from tessera_client.client import Client
from tessera_client.models import Output, Step

ROOT = Path(__file__).resolve().parents[1]
REFERENCE, BEST = "opencv-1", ("opencv-2", "libvips")
SIZES = {12: (4000, 3000), 144: (12_000, 12_000)}
STEPS = {
    "invert": Step("invert"),
    "binarize": Step("threshold", {"value": 128}),
    "canny": Step("canny", {"low": 100, "high": 200}),
    "median 11": Step("median_blur", {"ksize": 11}),
}
PEERS = ("opencv-1", "opencv-2", "libvips", "pillow", "mpi")
_WITHOUT = {("pillow", "canny"), ("pillow", "median 11")}
"""Pillow has no Canny, and its median filter sorts: minutes."""


class Run(NamedTuple):
    """Seconds, seconds of processor, peak bytes of the largest process; seconds with the upload, if any."""

    seconds: float
    cpu: float
    peak: int
    uploaded: float | None = None


@dataclass
class Runs:
    """The rounds of one contender at one operation and size."""

    runs: list[Run] = field(default_factory=list)
    size: int = 0
    differing: int = 0

    @property
    def seconds(self) -> float:
        """Return the median."""
        return statistics.median(run.seconds for run in self.runs)


def by_peer(program: str, operation: str, source: Path, target: Path) -> Run:
    """Run another library's program."""
    command = [sys.executable, "-m", "benchmarks.peer_programs", program, operation, str(source), str(target)]
    environment = {**os.environ, "VIPS_CONCURRENCY": "2"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    return Run(found["seconds"], found["cpu"], int(found["peak"]))


def by_mpi(operation: str, source: Path, target: Path) -> Run:
    """Send one request to the MPI program, which is up already."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = ["mpirun", "--oversubscribe", "-n", "3", sys.executable, "-m", "benchmarks.report_program"]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        # Three ranks on two cores: one that waits must not spin.
        "OMPI_MCA_mpi_yield_when_idle": "1",
    }
    with subprocess.Popen(
        [*command, str(port), "png"], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    ) as ranks:
        assert ranks.stdout is not None
        while ranks.stdout.readline().strip() != b"ready":
            if ranks.poll() is not None:
                raise SystemExit("the MPI program doesn't start")
        began = time.perf_counter()
        request = source.read_bytes() + DIGITS[operation]
        with (
            socket.create_connection(("127.0.0.1", port)) as connection,
            connection.makefile("rwb") as stream,
        ):
            stream.write(len(request).to_bytes(LENGTH_BYTES) + request)
            stream.flush()
            target.write_bytes(stream.read(int.from_bytes(stream.read(LENGTH_BYTES))))
        seconds = time.perf_counter() - began
        found = json.loads(ranks.stdout.readline())
    return Run(seconds, found["cpu"], int(found["peak"]))


def by_tessera(stack: Stack, client: Client, operation: str, source: Path, target: Path) -> Run:
    """Upload, run one job, and fetch its result, which isn't timed."""
    target.unlink(missing_ok=True)
    began = time.perf_counter()
    upload = client.upload(source)
    with watched(stack, target.parent) as footprint:
        sent = time.perf_counter()
        submitted = client.submit(upload.id, [STEPS[operation]], Output("png"))
        job = client.wait(submitted.id, timeout=3600)
        ended = time.perf_counter()
    client.download(job, target)
    return Run(ended - sent, footprint.cpu, footprint.largest, ended - began)


@contextmanager
def contenders(folder: Path) -> Iterator[dict[str, Callable[[str, Path, Path], Run]]]:
    """Give what runs an operation by name; both stacks are up, and idle while others run."""
    found: dict[str, Callable[[str, Path, Path], Run]] = {}
    for program in PEERS:
        if program != "mpi":
            found[program] = lambda *job, name=program: by_peer(name, *job)
    found["mpi"] = by_mpi
    for count in (1, 2):
        (folder / str(count)).mkdir()
    with (
        running(ROOT, folder / "1", workers=1) as one,
        running(ROOT, folder / "2", workers=2) as two,
        Client(one.url) as client_one,
        Client(two.url) as client_two,
    ):
        found["tessera, 1 worker"] = lambda *job: by_tessera(one, client_one, *job)
        found["tessera, 2 workers"] = lambda *job: by_tessera(two, client_two, *job)
        yield found


def compare(
    source: Path, operation: str, rounds: int, every: dict[str, Any], folder: Path
) -> dict[str, Runs]:
    """Return the rounds of all contenders at one operation."""
    found = {name: Runs() for name in every if (name, operation) not in _WITHOUT}
    for _ in range(rounds):
        for name, runs in found.items():
            target = folder / f"{name}.png"
            runs.runs.append(every[name](operation, source, target))
    expected = _pixels(folder / f"{REFERENCE}.png")
    for name, runs in found.items():
        target = folder / f"{name}.png"
        runs.size, runs.differing = target.stat().st_size, _differing(expected, _pixels(target))
        if name != REFERENCE:
            target.unlink()
    return found


def _pixels(path: Path) -> Any:
    return np.atleast_3d(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))


def _differing(expected: Any, found: Any) -> int:
    """Return the pixels that differ, those counted that are missing."""
    rows = min(len(expected), len(found))
    same = (expected[:rows] == found[:rows]).all(axis=2)
    return int(expected.shape[0] * expected.shape[1] - np.count_nonzero(same))


def rows_of(operation: str, found: dict[str, Runs]) -> list[list[str]]:
    """Return the rows of the table; the ratio is to the better of `BEST`."""
    best = min(found[name].seconds for name in BEST)
    rows = []
    for name, each in found.items():
        uploaded = [run.uploaded for run in each.runs if run.uploaded is not None]
        rows.append(
            [
                operation,
                name,
                f"{each.seconds:.2f}",
                f"{statistics.median(uploaded):.2f}" if uploaded else "",
                f"{each.seconds / best:.2f}",
                f"{statistics.median(run.cpu for run in each.runs):.2f}",
                f"{max(run.peak for run in each.runs) >> 20}",
                f"{each.size:,}",
                f"{each.differing:,}",
            ]
        )
    return rows


COLUMNS = ("operation", "by", "s", "s with upload", "ratio", "cpu s", "peak MiB", "bytes", "differing")


def totals(found: dict[str, dict[str, Runs]]) -> str:
    """Return the sums over the operations, and what Tessera's is of the others'."""
    ours = sum(runs["tessera, 2 workers"].seconds for runs in found.values())
    best = sum(min(runs[name].seconds for name in BEST) for runs in found.values())
    report = sum(runs["mpi"].seconds for runs in found.values())
    return (
        f"Sum over the operations: Tessera with 2 workers {ours:.2f} s; the better of OpenCV with 2 threads"
        f" and libvips {best:.2f} s, ratio {ours / best:.2f}; the MPI program {report:.2f} s, ratio"
        f" {ours / report:.2f}."
    )


def main() -> int:
    # Whoever ends this ends its stacks.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--megapixels", type=int, nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--operations", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/RESULTS.md")
    options = parser.parse_args()
    parts = [machine(), f"Seed {SEED}, {options.rounds} rounds, JPEG to PNG."]
    charts: dict[str, dict[str, dict[str, float]]] = {}
    print("\n\n".join(parts))
    (ROOT / "out").mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="peers-", dir=ROOT / "out") as made,
        contenders(Path(made)) as every,
    ):
        for megapixels in options.megapixels:
            source = large_image(Path(made), "jpeg", *SIZES[megapixels])
            found = {}
            table = Table(COLUMNS)
            for operation in options.operations:
                found[operation] = compare(source, operation, options.rounds, every, Path(made))
                for row in rows_of(operation, found[operation]):
                    table.rows.append(row)
                    print("  ".join(row), flush=True)
            title = f"{megapixels} MP"
            parts += [f"### {title}", table.markdown(), totals(found)]
            print(totals(found), flush=True)
            charts[title] = {
                operation: {name: each.seconds for name, each in runs.items()}
                for operation, runs in found.items()
            }
    if options.write:
        write_section("peers", "Against others", "\n\n".join(parts), charts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
