"""A command's connection, and how errors become words on stderr and an exit code."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from tessera_client.client import Client
from tessera_client.commands.settings import Settings
from tessera_client.errors import (
    ConnectionFailed,
    InvalidPipeline,
    JobFailed,
    NotFound,
    TesseraClientError,
    Unavailable,
    UnexpectedResponse,
    WaitTimedOut,
)
from tessera_client.exit_codes import ExitCode

_EXIT_CODES: dict[type[TesseraClientError], ExitCode] = {
    InvalidPipeline: ExitCode.USAGE,
    ConnectionFailed: ExitCode.NO_CONNECTION,
    UnexpectedResponse: ExitCode.NO_CONNECTION,
    Unavailable: ExitCode.NO_CONNECTION,
    NotFound: ExitCode.NOT_FOUND,
    WaitTimedOut: ExitCode.TIMED_OUT,
}


class Interrupted(Exception):
    """Raised on Ctrl-C; says what became of the job and what to do."""

    def __init__(self, message: str = "interrupted", hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@contextmanager
def reporting(settings: Settings) -> Iterator[None]:
    """Within the context errors become words on stderr, JSON on stdout if asked for, and an exit code.

    Raises
    ------
    typer.Exit
        With one of `tessera_client.exit_codes.ExitCode`.
    """
    try:
        yield
    except TesseraClientError as error:
        code = exit_code(error)
        # A job that failed has been printed whole.
        raise failure(settings, str(error), error.hint, code, told=isinstance(error, JobFailed)) from None
    except Interrupted as interrupted:
        raise failure(settings, str(interrupted), interrupted.hint, ExitCode.INTERRUPTED) from None
    except KeyboardInterrupt:
        raise failure(settings, "interrupted", None, ExitCode.INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever read the output has gone: there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(ExitCode.FAILED) from None


@contextmanager
def connected(settings: Settings) -> Iterator[Client]:
    """Open a client, with errors reported as by `reporting`."""
    key = os.environ.get("TESSERA_API_KEY") or settings.api_key
    with reporting(settings), Client(settings.api, key) as client:
        yield client


def exit_code(error: TesseraClientError) -> ExitCode:
    """Return how a command ends with this error."""
    return next((_EXIT_CODES[kind] for kind in type(error).__mro__ if kind in _EXIT_CODES), ExitCode.FAILED)


def failure(
    settings: Settings, message: str, hint: str | None, code: ExitCode, *, told: bool = False
) -> typer.Exit:
    """Complain, also as JSON where that is asked for and was not *told* yet, and return what to raise."""
    complain(message, hint)
    if settings.json and not told:
        error = {"message": message, "hint": hint, "exit_code": int(code)}
        typer.echo(json.dumps({"error": error}, indent=2, ensure_ascii=False))
    return typer.Exit(code)


def complain(message: str, hint: str | None = None) -> None:
    """Print an error to stderr, and below it what to do.

    Parameters
    ----------
    message : str
    hint : str, optional
    """
    typer.secho(f"tessera: {message}", err=True, fg="red" if sys.stderr.isatty() else None)
    if hint:
        typer.echo(f"  {hint}", err=True)
