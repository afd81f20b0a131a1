"""``tessera run --local`` as a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import psutil
import pytest

from tessera import reference
from tessera.pipeline import bind
from tessera.plan import Step
from tests.support.images import Image, decode, encode, textured

DEADLINE = 60.0
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the current folder of the command, with a photo of a few tiles in it."""
    (tmp_path / "temporary").mkdir()
    (tmp_path / "photo.png").write_bytes(encode(textured(3500, 2000)))
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    with ExitStack() as stack:

        def start_one(*arguments: str, stdin: int | None = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
            folders = {f"XDG_{name}_HOME": str(folder / name) for name in ("CONFIG", "CACHE")}
            environment = {
                **os.environ,
                **folders,
                "PYTHONPATH": str(ROOT),
                "TMPDIR": str(folder / "temporary"),
                "TESSERA_API_URL": "http://127.0.0.1:9",
            }
            process = subprocess.Popen(
                [sys.executable, "-m", "tessera_client", *arguments],
                cwd=folder,
                env=environment,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start_one


def expected(folder: Path, operation: str) -> Image:
    steps = [bound.step for bound in bind([Step(operation=operation)])]
    return reference.run(decode((folder / "photo.png").read_bytes()), steps)


def test_a_file_becomes_a_file(folder: Path, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = start("run", "photo.png", "--op", "canny", "--local", "--processes", "2", "--json")
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, err
    document = json.loads(out)
    assert document["path"] == str(folder / "photo-canny.png")
    assert document["job"]["tiles"] > 1
    assert b"canny 100%" in err
    assert err.splitlines()[-1].startswith(b"succeeded 100% ")
    made = decode((folder / "photo-canny.png").read_bytes())
    np.testing.assert_array_equal(made, expected(folder, "canny"), strict=True)
    assert list((folder / "temporary").iterdir()) == []


def test_a_pipe_becomes_a_pipe(folder: Path, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = start("run", "-", "--op", "invert", "--local", "--quiet", stdin=subprocess.PIPE)
    out, err = process.communicate((folder / "photo.png").read_bytes(), timeout=DEADLINE)
    assert (process.returncode, err) == (0, b"")
    np.testing.assert_array_equal(decode(out), expected(folder, "invert"), strict=True)
    assert list((folder / "temporary").iterdir()) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("inputs", [["photo.png"], ["photo.png", "other.png"]], ids=["one", "several"])
def test_a_signal_ends_workers_and_removes_everything(
    folder: Path,
    start: Callable[..., subprocess.Popen[bytes]],
    number: signal.Signals,
    code: int,
    inputs: list[str],
) -> None:
    (folder / "other.png").write_bytes((folder / "photo.png").read_bytes())
    process = start("run", *inputs, "--op", "denoise", "--op", "denoise", "--local")
    workers = running_workers(process, len(inputs))
    process.send_signal(number)
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == code, err
    assert b"Traceback" not in err
    assert psutil.wait_procs(workers, timeout=DEADLINE)[1] == []
    assert list((folder / "temporary").iterdir()) == []
    assert {path.name for path in folder.glob("*")} <= {"photo.png", "other.png", "temporary", "CACHE"}


def running_workers(process: subprocess.Popen[bytes], files: int = 1) -> list[psutil.Process]:
    """Wait until the job has begun with its tiles, and return the workers."""
    assert process.stderr is not None
    # Several files show no progress of each: then a worker that runs is the sign.
    if files > 1:
        while not (found := psutil.Process(process.pid).children()):
            assert process.poll() is None
        return found
    for line in process.stderr:
        if line.startswith(b"denoise"):
            break
    return psutil.Process(process.pid).children()


def test_a_damaged_image_is_one_sentence_and_leaves_nothing(
    folder: Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    (folder / "photo.png").write_bytes((folder / "photo.png").read_bytes()[:100_000])
    process = start("run", "photo.png", "--op", "canny", "--local", "--quiet")
    out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out) == (1, b"")
    assert err.startswith(b"tessera: The image is damaged: ")
    assert {path.name for path in folder.iterdir()} == {"photo.png", "temporary"}


def test_a_wrong_operation_is_a_usage_error(
    folder: Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    process = start("run", "photo.png", "--op", "cany", "--local", "--quiet")
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2
    assert b"there is no operation 'cany' (at /pipeline/0/operation)\n  did you mean canny?" in err


def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    folder: Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    (folder / "photo-invert.png").write_bytes(b"mine")
    process = start("run", "photo.png", "--op", "invert", "--local")
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2
    assert b"photo-invert.png already exists" in err
    assert (folder / "photo-invert.png").read_bytes() == b"mine"
