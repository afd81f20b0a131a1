"""How a run over several files ended."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from tessera_client.commands.orders import Order
from tessera_client.commands.report import duration, print_json
from tessera_client.commands.settings import Settings
from tessera_client.downloads import check_target
from tessera_client.errors import DownloadFailed
from tessera_client.exit_codes import ExitCode

DONE, FAILED, SKIPPED, STOPPED = "done", "failed", "skipped", "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one file ended: ``done``, ``failed``, ``skipped`` or ``stopped`` by Ctrl-C."""

    input: str
    output: str
    state: str
    seconds: float = 0.0
    job: str | None = None
    error: str | None = None
    hint: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Put it into one line."""
        if self.state == DONE:
            return f"{self.input} -> {self.output} ({duration(self.seconds)})"
        return f"{self.input}: {self.state}{f': {self.error}' if self.error else ''}"


def of(order: Order, state: str, **facts: object) -> Ended:
    """Make the entry of an order."""
    return Ended(input=str(order.source.path), output=order.shown, state=state, **facts)  # type: ignore[arg-type]


def refused_before(order: Order, *, force: bool, skip_existing: bool) -> Ended | None:
    """Return how a file ends that needs no work: its result is there, or couldn't be written."""
    target = order.target or Path()
    if skip_existing and target.exists():
        return of(order, SKIPPED, error="the result exists")
    try:
        check_target(target, overwrite=force)
    except DownloadFailed as refused:
        return of(order, FAILED, error=str(refused), hint=refused.hint)
    return None


def conclude(settings: Settings, ended: Sequence[Ended], seconds: float, note: str | None = None) -> None:
    """Print the summary; *note* says what became of jobs that Ctrl-C stopped.

    Raises
    ------
    typer.Exit
        With 1 when a file failed, with 130 after Ctrl-C.
    """
    counts = Counter(each.state for each in ended)
    if settings.json:
        files = [asdict(each) for each in ended]
        states = (DONE, FAILED, SKIPPED, STOPPED)
        print_json(
            {"files": files, **{state: counts[state] for state in states}, "seconds": round(seconds, 3)}
        )
    elif settings.quiet:
        for each in ended:
            if each.state == DONE:
                typer.echo(each.output)
    else:
        told = ", ".join(f"{count} {state}" for state, count in counts.items())
        typer.echo(f"{len(ended)} files: {told} ({duration(seconds)})")
        for each in ended:
            for warning in each.warnings:
                typer.echo(f"tessera: warning: {each.input}: {warning}", err=True)
    for each in ended:
        if each.state == FAILED:
            typer.echo(f"tessera: {each.line}", err=True)
            if each.hint:
                typer.echo(f"  {each.hint}", err=True)
    if note:
        typer.echo(f"tessera: {note}", err=True)
    if counts[STOPPED]:
        raise typer.Exit(ExitCode.INTERRUPTED)
    if counts[FAILED]:
        raise typer.Exit(ExitCode.FAILED)
