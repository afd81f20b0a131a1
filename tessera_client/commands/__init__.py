"""What the commands do, and how they end."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import typer

from tessera_client.client import Client
from tessera_client.errors import (
    ConnectionFailed,
    InvalidPipeline,
    TesseraClientError,
    Unavailable,
    UnexpectedResponse,
)

FAILED, USAGE, NO_CONNECTION, INTERRUPTED = 1, 2, 3, 130

_EXIT_CODES = {
    InvalidPipeline: USAGE,
    ConnectionFailed: NO_CONNECTION,
    UnexpectedResponse: NO_CONNECTION,
    Unavailable: NO_CONNECTION,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Options that every command has.

    Attributes
    ----------
    api : str or None
        Address of the service; default: the environment's.
    json : bool
        Print JSON to stdout.
    quiet : bool
        No progress on stderr, and only the bare result on stdout.
    """

    api: str | None = None
    json: bool = False
    quiet: bool = False


class Interrupted(Exception):
    """Raised on Ctrl-C; says what became of the job and what to do."""

    def __init__(self, message: str = "interrupted", hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@contextmanager
def connected(settings: Settings) -> Iterator[Client]:
    """Open a client; within the context errors become words on stderr and an exit code.

    Raises
    ------
    typer.Exit
        With 1 when a job failed or was refused, 2 when the pipeline is written wrongly, 3 when the service
        cannot be reached, 130 on Ctrl-C.
    """
    try:
        with Client(settings.api) as client:
            yield client
    except TesseraClientError as error:
        complain(str(error), error.hint)
        raise typer.Exit(_EXIT_CODES.get(type(error), FAILED)) from None
    except Interrupted as interrupted:
        complain(str(interrupted), interrupted.hint)
        raise typer.Exit(INTERRUPTED) from None
    except KeyboardInterrupt:
        complain("interrupted")
        raise typer.Exit(INTERRUPTED) from None


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
