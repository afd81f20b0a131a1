"""`make demo`: the whole way on one image, and nothing left running whatever happens."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.images import encode, textured

ROOT = Path(__file__).parents[2]
OUT = ROOT / "out"
PATIENCE_SECONDS = 120.0


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "demo-test.jpg"
    file.write_bytes(encode(textured(1801, 2000), ".jpg"))
    return file


def start_demo(tmp_path: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start the demo as a terminal does, in a process group of its own, with its temporary files here."""
    (tmp_path / "temporary").mkdir()
    return subprocess.Popen(
        [sys.executable, "scripts/demo.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def assert_nothing_left(tmp_path: Path) -> None:
    left = [
        (process.info["status"], process.info["ppid"], " ".join(process.info["cmdline"]))
        for process in psutil.process_iter(["cmdline", "status", "ppid"])
        if any(str(tmp_path) in part for part in process.info["cmdline"] or [])
    ]
    assert left == []
    assert list((tmp_path / "temporary").glob("tessera-demo-*")) == []


@pytest.mark.parametrize(("file_format", "suffix"), [("png", ".png"), ("jpeg", ".jpg")])
def test_the_demo_checks_its_result_against_opencv_and_says_where_it_is(
    tmp_path: Path, photo: Path, file_format: str, suffix: str
) -> None:
    demo = start_demo(
        tmp_path, "--image", str(photo), "--ops", "median_blur:ksize=11 invert", "--format", file_format
    )
    said, _ = demo.communicate(timeout=PATIENCE_SECONDS)
    assert demo.returncode == 0, said
    assert "bit-identical to OpenCV on the whole image" in said
    for name in (f"demo-test-median_blur-invert{suffix}", "demo-test-median_blur-invert-side-by-side.jpg"):
        assert str(OUT / name) in said
        assert (OUT / name).stat().st_size > 0
    assert "ingest" in said
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("moment", ["Starting storage", "$ tessera run", "running"])
def test_an_interrupted_demo_leaves_nothing(
    tmp_path: Path, photo: Path, number: signal.Signals, moment: str
) -> None:
    demo = start_demo(tmp_path, "--image", str(photo), "--ops", "median_blur:ksize=31 canny")
    assert demo.stdout is not None
    said = ""
    while moment not in said:
        line = demo.stdout.readline()
        assert line, f"the demo ended before it said {moment!r}: {said}"
        said += line
    os.killpg(demo.pid, number)
    rest, _ = demo.communicate(timeout=PATIENCE_SECONDS)
    assert demo.returncode in (130, 143), said + rest
    assert "Traceback" not in said + rest
    assert_nothing_left(tmp_path)


def test_a_demo_that_fails_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    letter = tmp_path / "letter.jpg"
    letter.write_text("Dear Sir or Madam")
    demo = start_demo(tmp_path, "--image", str(letter))
    said, _ = demo.communicate(timeout=PATIENCE_SECONDS)
    assert demo.returncode == 1
    assert "is not an image" in said
    assert_nothing_left(tmp_path)
