"""The command line: ``python -m emulator start --app FOLDER``."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from emulator.errors import ConfigurationError, EmulatorError
from emulator.host import Host, Options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        Arguments without the program's name; those of the process by default.

    Returns
    -------
    int
        Exit status: 0 after a wanted stop, 1 after an error (which was printed), 2 for a wrong command line.
    """
    options = _options(_parser().parse_args(arguments))
    try:
        _check(options)
        asyncio.run(_run(options))
    except EmulatorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


async def _run(options: Options) -> None:
    await Host(options, os.environ).run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m emulator", description="A small Azure Functions host for local work."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    start = commands.add_parser("start", help="run a function app")
    add = start.add_argument
    add(
        "--app",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder of the function app (default: this one)",
    )
    add("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    add("--port", type=int, default=7071, help="port to listen on, 0 for any free one (default: 7071)")
    add("--min-workers", type=int, default=1, help="worker processes to keep (default: 1)")
    add("--max-workers", type=int, default=2, help="worker processes to run at most (default: 2)")
    add(
        "--http-workers",
        type=int,
        default=0,
        metavar="N",
        help="so many more for requests alone, as Flex Consumption has; 0: every worker does everything"
        " (default: 0)",
    )
    add("--idle-seconds", type=float, default=30.0, help="retire spare workers idle so long (default: 30)")
    add(
        "--state",
        type=Path,
        metavar="FILE",
        help="state of the task hub (default: .emulator/state.sqlite in the app)",
    )
    add("--enforce-keys", action="store_true", help="ask for function and system keys, as Azure does")
    add("--azurite", type=Path, metavar="DIR", help="also run Azurite's blob service, with its data in DIR")
    add(
        "--azurite-port", type=int, default=10000, help="port of Azurite, 0 for any free one (default: 10000)"
    )
    add("--ready-file", type=Path, metavar="FILE", help="write url, storage and process ids here once ready")
    add("--verbose", action="store_true", help="show every execution and the worker runtime's own log")
    return parser


def _options(parsed: argparse.Namespace) -> Options:
    values = vars(parsed)
    values["app"] = values["app"].resolve()
    state = values["state"] or values["app"] / ".emulator" / "state.sqlite"
    values["state"] = state.absolute()
    for name in ("azurite", "ready_file"):
        if values[name] is not None:
            values[name] = values[name].absolute()
    return Options(**values)


def _check(options: Options) -> None:
    if not options.app.is_dir():
        raise ConfigurationError(f"the app folder {options.app} doesn't exist")
    if not 1 <= options.min_workers <= options.max_workers:
        raise ConfigurationError("--min-workers must be at least 1 and at most --max-workers")
    if options.http_workers < 0:
        raise ConfigurationError("--http-workers can't be negative")
    for name in ("port", "azurite_port"):
        if not 0 <= getattr(options, name) <= 65535:
            raise ConfigurationError(f"--{name.replace('_', '-')} must be from 0 to 65535")
