"""The commands about jobs against the real service."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.stack import Stack
from tests.e2e.conftest import ROOT
from tests.support.images import encode, textured

SLOW = ["--op", "median_blur:ksize=101", *["--op", "denoise:search=35"] * 4]


@pytest.fixture
def tessera(stack: Stack, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return what runs the command in a folder with a photo."""
    (tmp_path / "photo.jpg").write_bytes(encode(textured(700, 500), ".jpg"))
    folders = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("CONFIG", "CACHE")}
    environment = {**os.environ, **folders, "TESSERA_API_URL": stack.url, "PYTHONPATH": str(ROOT)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tessera_client", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    return run


def test_a_job_is_cancelled_taken_up_again_fetched_and_deleted(
    tessera: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    job = tessera("submit", "photo.jpg", *SLOW, "--quiet").stdout.strip()
    assert tessera("cancel", job).stdout == f"Job {job} is being cancelled.\n"
    stopped = tessera("wait", job, "--quiet")
    assert (stopped.returncode, stopped.stdout) == (1, "")
    assert "was cancelled" in stopped.stderr
    assert tessera("retry", job).stdout == f"Job {job} goes on.\n"
    watched = tessera("watch", job, "--json")
    assert watched.returncode == 0, watched.stderr
    states = [json.loads(line)["state"] for line in watched.stdout.splitlines()]
    assert states[-1] == "succeeded"
    assert "sig=" not in watched.stdout
    status = json.loads(tessera("status", job, "--tiles", "--json").stdout)
    assert len(status["tiles"]) == status["job"]["tiles"]["total"] > 1
    assert {tile["state"] for tile in status["tiles"]} == {"done"}
    assert tessera("result", job, "-o", "made.png").returncode == 0
    assert (tmp_path / "made.png").stat().st_size == status["job"]["result"]["size"]
    assert job in tessera("list", "--state", "succeeded", "--quiet").stdout.split()
    assert tessera("cancel", job).returncode == 1
    assert tessera("delete", job).returncode == 0
    assert tessera("status", job).returncode == 4


def test_a_plan_and_the_stored_pipelines_are_as_on_this_machine(
    tessera: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    assert tessera("presets", "--json").stdout == tessera("presets", "--json", "--local").stdout
    planned = json.loads(tessera("plan", "photo.jpg", "--preset", "clean_edges", "--json").stdout)
    assert planned["tiles"] == sum(stage["tiles"] for stage in planned["stages"]) > 1
    assert (planned["width"], planned["height"], planned["channels"]) == (500, 700, 1)
    assert (
        tessera("plan", "photo.jpg", "--preset", "clean_edges", "--quiet").stdout == f"{planned['tiles']}\n"
    )
