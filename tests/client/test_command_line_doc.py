"""The page of the command line: its commands run, and its reference is what they say of themselves."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tessera_client.cli import app
from tests.client.fake_api import FakeApi
from tests.support.images import encode, textured

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "command-line.md"
DEADLINE = 120.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the photograph, and the command in ``bin``."""
    (tmp_path / "photo.jpg").write_bytes(encode(textured(120, 160), ".jpg"))
    command = tmp_path / "bin" / "tessera"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tessera_client "$@"\n')
    command.chmod(0o755)
    return tmp_path


def commands() -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


def test_every_command_of_the_page_runs(api: FakeApi, folder: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TESSERA_API_URL": api.url,
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    every = commands()
    assert len(every) > 25
    for command in every:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
    for made in ("photo-canny.png", "clean.jpg", "edges.png", "piped.png", "service.png", "waited.png"):
        assert (folder / made).stat().st_size > 0
    assert len(list((folder / "out").iterdir())) == 2


def test_the_reference_is_up_to_date() -> None:
    check = [sys.executable, "-m", "scripts.command_line_doc", "--check"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_reference_has_the_options_of_the_real_help() -> None:
    sections = re.findall(
        r"^## tessera ([a-z]+)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    assert len(sections) == 16
    for name, text in sections:
        shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).stdout
        in_help = set(re.findall(r"(?<=│ )--[a-z-]+|(?<= )--[a-z-]+(?= +-[a-z] )", shown)) - {"--help"}
        table = text.partition("| option |")[2].partition("\n\n")[0]
        assert in_help <= set(re.findall(r"`(--[a-z-]+)`", table)), name
