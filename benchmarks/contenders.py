"""Who is compared: Tessera's stack, other libraries' programs, the MPI program; each does a job if asked."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import watched
from benchmarks.report_program import DIGITS, LENGTH_BYTES
from benchmarks.work import WORK, Conversion
from emulator.stack import Stack, running
from tessera_client.client import Client

ROOT = Path(__file__).resolve().parents[1]
REFERENCE, BEST, MPI = "opencv-1", ("opencv-2", "libvips"), "mpi"
PROGRAMS = ("opencv-1", "opencv-2", "libvips", "pillow", "dask")
ONE, TWO = "tessera, 1 worker", "tessera, 2 workers"


class Run(NamedTuple):
    """Seconds, seconds of processor, peak bytes of the largest process; seconds with the upload, if any."""

    seconds: float
    cpu: float
    peak: int
    uploaded: float | None = None


type Contender = Callable[[str, Conversion, Path, Path], Run]


def does(contender: str, pipeline: str) -> bool:
    """Tell whether a contender can do a pipeline."""
    work = WORK[pipeline]
    needs = {"libvips": work.libvips, "pillow": work.pillow, "dask": work.reach}
    return needs.get(contender, True) is not None


def by_program(program: str, pipeline: str, _: Conversion, source: Path, target: Path) -> Run:
    """Run another library's program."""
    command = [sys.executable, "-m", "benchmarks.peer_programs", program, pipeline, str(source), str(target)]
    environment = {**os.environ, "VIPS_CONCURRENCY": "2"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    return Run(found["seconds"], found["cpu"], int(found["peak"]))


def by_mpi(pipeline: str, conversion: Conversion, source: Path, target: Path) -> Run:
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
        [*command, str(port), conversion.suffix], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    ) as ranks:
        assert ranks.stdout is not None
        while ranks.stdout.readline().strip() != b"ready":
            if ranks.poll() is not None:
                raise SystemExit("the MPI program doesn't start")
        began = time.perf_counter()
        request = source.read_bytes() + DIGITS[pipeline]
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


def by_tessera(
    stack: Stack, client: Client, pipeline: str, conversion: Conversion, source: Path, target: Path
) -> Run:
    """Upload, run one job, and fetch its result, which isn't timed."""
    target.unlink(missing_ok=True)
    began = time.perf_counter()
    upload = client.upload(source)
    with watched(stack, target.parent) as footprint:
        sent = time.perf_counter()
        submitted = client.submit(upload.id, WORK[pipeline].steps, conversion.output)
        job = client.wait(submitted.id, timeout=3600)
        ended = time.perf_counter()
    client.download(job, target)
    client.delete(job.id)
    return Run(ended - sent, footprint.cpu, footprint.largest, ended - began)


@contextmanager
def contenders(folder: Path) -> Iterator[dict[str, Contender]]:
    """Give everyone by name; both stacks are up, and idle while others run."""
    found: dict[str, Contender] = {program: partial(by_program, program) for program in PROGRAMS}
    found[MPI] = by_mpi
    for count in (1, 2):
        (folder / str(count)).mkdir()
    with (
        running(ROOT, folder / "1", workers=1, environment={"TESSERA_INSTANCES": "1"}) as one,
        running(ROOT, folder / "2", workers=2, environment={"TESSERA_INSTANCES": "2"}) as two,
        Client(one.url) as client_one,
        Client(two.url) as client_two,
    ):
        found[ONE] = partial(by_tessera, one, client_one)
        found[TWO] = partial(by_tessera, two, client_two)
        yield found
