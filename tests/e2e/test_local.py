"""Without a server the same bytes come out as through the whole stack, and the command works on both."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emulator.stack import Stack
from tests.e2e.conftest import ROOT, SMALL_TILES
from tests.support.images import decode, encode, textured


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photo.png").write_bytes(encode(textured(700, 500)))
    (tmp_path / "small.jpg").write_bytes(encode(textured(60, 50), ".jpg"))
    return tmp_path


def tessera(folder: Path, stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on the stack; with ``--local``, within the same limits and with no service near."""
    limits = json.dumps({"min_tile_pixels": int(SMALL_TILES["TESSERA_MIN_TILE_PIXELS"])})
    script = (
        "import tessera_local.machine as machine; from tessera_client.cli import main\n"
        "start = machine.Pool.__init__\n"
        f"machine.Pool.__init__ = lambda self, size, folder, limits: start(self, size, folder, {limits!r})\n"
        "main()"
    )
    environment = {
        **os.environ,
        "TESSERA_API_URL": "http://127.0.0.1:9" if "--local" in arguments else stack.url,
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(
    ("image", "arguments"),
    [
        ("photo.png", ["--op", "median_blur:ksize=5", "--op", "canny:low=40,high=120"]),
        ("photo.png", ["--op", "curves:points=[[0,0],[0.5,0.7],[1,1]]", "--format", "jpeg"]),
        ("small.jpg", ["--op", "grayscale", "--op", "clahe"]),
    ],
    ids=["canny", "curves to JPEG", "direct"],
)
def test_the_bytes_are_those_of_the_stack(
    stack: Stack, folder: Path, image: str, arguments: list[str]
) -> None:
    documents: list[dict[str, Any]] = []
    for name, where in (("stack", []), ("local", ["--local"])):
        done = tessera(folder, stack, "run", image, *arguments, "-o", f"{name}/", "--json", *where)
        assert done.returncode == 0, done.stderr
        documents.append(json.loads(done.stdout))
    through_stack, local = documents
    here, there = (Path(each["path"]).read_bytes() for each in (local, through_stack))
    np.testing.assert_array_equal(decode(here), decode(there), strict=True)
    if "jpeg" in arguments:  # fast deflate, in PNG, was seen to give other bytes of the same pixels
        assert here == there
    assert through_stack["job"]["tiles"]["done"] == local["job"]["tiles"]
    assert (local["job"]["tiles"] > 1) == (image == "photo.png")
    assert local["job"]["result"]["size"] == len(here)


def test_several_files_go_through_the_stack_and_one_that_is_damaged_is_told(
    stack: Stack, folder: Path
) -> None:
    (folder / "broken.png").write_bytes((folder / "photo.png").read_bytes()[:5000])
    done = tessera(folder, stack, "run", "*.png", "small.jpg", "--op", "invert", "-o", "out")
    assert done.returncode == 1
    assert done.stdout.startswith("3 files: ")
    assert "broken.png: failed: job" in done.stderr
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "photo-invert.png",
        "small-invert.png",
    ]


def test_doctor_finds_the_stack_in_order(stack: Stack, folder: Path) -> None:
    done = tessera(folder, stack, "doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0, findings
    assert {finding["state"] for finding in findings.values()} == {"ok"}
    assert {"service", "key", "opencv", "local job"} <= set(findings)
