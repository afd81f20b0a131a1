"""The page on drills names commands that there are, and every kind of fault."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drill.__main__ import parser
from drill.stack import ROOT
from tessera_client.cli import app

PAGE = (ROOT / "docs" / "drill.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]

DRILLS = {"drill": "faults", "load": "load"}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_written_rightly(command: str) -> None:
    program, *arguments = shlex.split(command)
    if program == "make":
        target, flags = arguments[0], arguments[1].partition("=")[2] if arguments[1:] else ""
        assert f"python -m drill {DRILLS[target]}" in (ROOT / "Makefile").read_text()
        assert parser().parse_args([DRILLS[target], *flags.split()]).drill == DRILLS[target]
    elif program == "tessera":
        checked = CliRunner().invoke(app, [*arguments, "--help"])
        assert checked.exit_code == 0, checked.output
    else:
        assert command == ".venv/bin/python -m drill faults --help"


def test_the_makefile_lists_them() -> None:
    listed = re.findall(r"^([a-z]+): setup  ## ", Path(ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(DRILLS) <= set(listed)
