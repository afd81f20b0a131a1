"""Write the reference part of docs/command-line.md from the commands themselves.

With --check, say whether the page has what they give, and write nothing.
"""

import argparse
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from typer.main import get_command

from tessera_client.cli import app
from tessera_client.exit_codes import ExitCode

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "command-line.md"
BEGIN = "<!-- Written by scripts/command_line_doc.py from the commands: change it there. -->\n"
NOT_SHOWN = ("help", "install_completion", "show_completion")


def reference() -> str:
    root: Any = get_command(app)
    codes = "\n".join(f"| {code.value} | {code.meaning} |" for code in ExitCode)
    parts = [
        f"## Exit codes\n\n| code | meaning |\n|---|---|\n{codes}\n",
        f"## Options before the command\n\n{parameters(root)}",
        *(section(name, command) for name, command in root.commands.items()),
    ]
    return "\n".join(parts)


def section(name: str, command: Any) -> str:
    summary = " ".join(line.strip() for line in command.help.splitlines())
    title, *examples = command.epilog.replace("\\[", "[").split("\n\n")
    shown = "\n".join(examples)
    usage = f"tessera {name} [OPTIONS] {' '.join(arguments(command))}".rstrip()
    return (
        f"## tessera {name}\n\n{summary}\n\n```text\n{usage}\n```\n\n{parameters(command)}\n"
        f"{title}\n\n```text\n{shown}\n```\n"
    )


def arguments(command: Any) -> Iterator[str]:
    for each in command.params:
        if each.param_type_name == "argument":
            yield each.metavar if each.required else f"[{each.metavar}]"


def parameters(command: Any) -> str:
    rows = [row(each) for each in command.params if each.name not in NOT_SHOWN]
    return "\n".join(["| option | default | meaning |", "|---|---|---|", *rows, ""])


def row(each: Any) -> str:
    if each.param_type_name == "argument":
        return f"| `{each.metavar}` | | {each.help} |"
    name = ", ".join(f"`{option}`" for option in each.opts)
    shown = name if each.is_flag else f"{name} {value(each)}".rstrip()
    default = f"`{getattr(each.default, 'value', each.default)}`" if each.default else ""
    variable = f" Variable: `{each.envvar}`." if each.envvar else ""
    return f"| {shown} | {default} | {each.help}{variable} |"


def value(each: Any) -> str:
    kind = each.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{choice.value}`" for choice in kind)
    if each.max is not None:
        return f"{each.min} to {each.max}"
    return f"*{each.metavar}*".replace("|", " or ") if each.metavar else ""


def page() -> str:
    guide, marker, _ = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    if not marker:
        raise SystemExit(f"{PAGE.relative_to(ROOT)} has no line {BEGIN.strip()}")
    return f"{guide}{BEGIN}\n{reference()}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") != page():
        print(f"{PAGE.relative_to(ROOT)} is out of date: run scripts/command_line_doc.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
