"""Every command of the documentation is run, or stands in a table with the reason why it isn't."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from emulator.stack import Stack, running
from tessera_client.cli import app
from tests.docs.known import AZ, AZ_EVERYWHERE, AZD, NOT_RUN, RUN_BY_PAGE, RUN_ELSEWHERE
from tests.docs.pages import OTHERS, ROOT, SHELL, Block, blocks, calls, pages
from tests.support.images import encode, textured

PAGES = pages()
PATIENCE_SECONDS = 240
EVERY_BLOCK = [block for page in PAGES for block in blocks(page)]
COMMANDS = [
    (block.page, command)
    for block in EVERY_BLOCK
    if block.language in SHELL and block.page not in RUN_BY_PAGE
    for command in block.commands
]
RUN_HERE = [(page, command) for page, command in COMMANDS if command not in {*RUN_ELSEWHERE, *NOT_RUN}]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if not (ROOT / "node_modules" / "azurite").is_dir():
        pytest.skip("Azurite is not installed: run `make setup`")
    if shutil.which("bash") is None or shutil.which("curl") is None or shutil.which("make") is None:
        pytest.skip("bash, curl and make are needed to run the commands of the pages")
    with running(ROOT, tmp_path_factory.mktemp("docs"), options=["--enforce-keys"]) as started:
        yield started


@pytest.fixture(scope="module")
def environment(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables of somebody who has a service with keys, as docs/operate.md has them."""
    folder = tmp_path_factory.mktemp("user")
    command = folder / "tessera"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tessera_client "$@"\n')
    command.chmod(0o755)
    key = json.loads((stack.log.parent / "keys.json").read_text())["default"]
    return {
        **os.environ,
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TESSERA_API_URL": stack.url,
        "TESSERA_API_KEY": key,
        "KEY": key,
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a checkout that is set up, with photographs, and nothing else to be changed by a command."""
    (tmp_path / "photo.jpg").write_bytes(encode(textured(400, 300), ".jpg"))
    (tmp_path / "scans").mkdir()
    for name in ("first", "second"):
        shutil.copy(tmp_path / "photo.jpg", tmp_path / "scans" / f"{name}.jpg")
    (tmp_path / "scripts").mkdir()
    for script in (ROOT / "scripts").glob("*.py"):
        (tmp_path / "scripts" / script.name).symlink_to(script)
    set_up = tmp_path / "scripts" / "setup.sh"
    set_up.write_text("#!/bin/sh\n")
    set_up.chmod(0o755)
    for name in ("Makefile", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


@pytest.mark.parametrize(("page", "command"), RUN_HERE)
def test_the_command_runs(page: str, command: str, folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        # The tests are found from the root only.
        cwd=ROOT if " -m pytest " in command else folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{page}: {command}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr


def test_there_are_commands_to_run() -> None:
    assert len(COMMANDS) > 15
    assert len(RUN_HERE) > 4
    assert RUN_BY_PAGE.keys() <= set(PAGES)


def test_the_tables_name_no_command_that_has_gone() -> None:
    there = {command for _, command in COMMANDS}
    assert [command for command in [*RUN_ELSEWHERE, *NOT_RUN] if command not in there] == []
    assert RUN_ELSEWHERE.keys() & NOT_RUN.keys() == set()


@pytest.mark.parametrize("test", sorted({*RUN_BY_PAGE.values(), *RUN_ELSEWHERE.values()}))
def test_what_runs_a_command_is_there(test: str) -> None:
    file, _, function = test.partition("::")
    assert re.search(rf"^def {function}\(", (ROOT / file).read_text(), re.MULTILINE)


@pytest.mark.parametrize("block", EVERY_BLOCK, ids=lambda block: f"{block.page}: {block.text[:20]!r}")
def test_each_block_says_what_it_is(block: Block) -> None:
    assert block.language in (*SHELL, *OTHERS)
    if block.language == "text":
        begins = tuple(
            f"{program} " for program in ("az", "azd", "make", "curl", "python", ".venv/bin/python")
        )
        assert [line for line in block.text.splitlines() if line.startswith(begins)] == []


@pytest.mark.parametrize("command", [command for command in NOT_RUN if "python" in command])
def test_a_program_that_isnt_run_takes_these_options(command: str) -> None:
    words = [word for word in command.split() if "=" not in word or word.startswith("-")][1:]
    if words[:2] == ["-m", "pytest"]:
        assert all((ROOT / word).exists() for word in words[2:])
        return
    program, options = words[: 1 + (words[0] == "-m")], {word for word in words if word.startswith("--")}
    shown = subprocess.run(
        [sys.executable, *program, "--help"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert options <= set(re.findall(r"--[a-z-]+", shown))


# -- programs whose calls are read where they can't be run ---------------------------------------------------


def test_az_and_azd_are_called_as_their_reference_says() -> None:
    found = [words for page in PAGES for words in calls(page) if words[0] in ("az", "azd")]
    assert len(found) > 20
    assert [" ".join(words) for words in found if not is_known(words)] == []


def is_known(words: list[str]) -> bool:
    table, everywhere = (AZ, AZ_EVERYWHERE) if words[0] == "az" else (AZD, set[str]())
    line = " ".join(words[1:])
    command = max((name for name in table if f"{line} ".startswith(f"{name} ")), key=len, default=None)
    options = {word.partition("=")[0] for word in words if word.startswith("-")}
    return command is not None and options <= table[command] | everywhere


@pytest.mark.parametrize("line", ["az functionapp key list", "azd upp", "az functionapp stop --force"])
def test_a_call_that_isnt_in_the_reference_is_found(line: str) -> None:
    assert not is_known(line.split())


def test_make_is_called_with_targets_and_variables_that_it_has() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z_]+) \?=", makefile, re.MULTILINE))
    words = {word for page in PAGES for call in calls(page) if call[0] == "make" for word in call[1:]}
    assert "demo" in words
    assert {word for word in words if "=" not in word} <= targets
    assert {word.partition("=")[0] for word in words if "=" in word} <= variables


def test_tessera_is_called_with_commands_and_options_that_it_has() -> None:
    root: Any = get_command(app)
    for page in PAGES:
        for words in calls(page):
            if words[0] == "tessera" and not words[1].startswith("-"):
                known = {option for each in root.commands[words[1]].params for option in each.opts}
                given = {word.partition("=")[0] for word in words[2:] if re.match(r"--?[a-z]", word)}
                assert given <= known | {"--help"}, (page, words)
