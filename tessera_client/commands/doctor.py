"""``tessera doctor``: is everything set up, and what to do where it isn't."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import typer

from tessera_client.client import Client
from tessera_client.commands.report import print_json
from tessera_client.commands.settings import Settings
from tessera_client.config import default_path, is_private
from tessera_client.errors import NotFound, TesseraClientError, UnexpectedResponse
from tessera_client.exit_codes import ExitCode
from tessera_client.settings import DEFAULT_API_URL, LOOPBACK

GOOD, WARNING, BAD = "ok", "warning", "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, what was found, and what to do."""

    name: str
    state: str
    found: str
    advice: str | None = None


def check(settings: Settings, *, local_only: bool, temp_dir: Path | None) -> None:
    """Print the findings as they come.

    Parameters
    ----------
    settings : Settings
    local_only : bool
        Leave the service out.
    temp_dir : Path or None
        For local jobs.

    Raises
    ------
    typer.Exit
        With 1 when something needs to be done.
    """
    findings = []
    for finding in _findings(settings, local_only, temp_dir):
        findings.append(finding)
        if not settings.json and not (settings.quiet and finding.state == GOOD):
            _print(finding)
    if settings.json:
        print_json([asdict(finding) for finding in findings])
    if any(finding.state == BAD for finding in findings):
        raise typer.Exit(ExitCode.FAILED)


def _findings(settings: Settings, local_only: bool, temp_dir: Path | None) -> Iterator[Finding]:
    yield Finding("version", GOOD, f"tessera {version('tessera')}, Python {sys.version.split()[0]}")
    yield _configuration(settings)
    if not local_only:
        yield from _service(settings)
    from tessera_client.commands.local import checks

    for found in checks(temp_dir):
        state = GOOD if found.good else BAD
        yield Finding(found.name, state, found.found, None if found.good else found.advice)


def _configuration(settings: Settings) -> Finding:
    path = settings.config or default_path()
    if not path.exists():
        return Finding("configuration", GOOD, f"none ({path} would be it)")
    if settings.api_key and not is_private(path):
        advice = f"It holds a key: chmod 600 {path}"
        return Finding("configuration", WARNING, f"{path} can be read by others", advice)
    return Finding("configuration", GOOD, str(path))


def _service(settings: Settings) -> Iterator[Finding]:
    key = os.environ.get("TESSERA_API_KEY") or settings.api_key
    try:
        client = Client(settings.api, key)
    except TesseraClientError as error:
        yield Finding("address", BAD, str(error), error.hint)
        return
    with client:
        yield _address(client.api_url, key)
        for name, ask in _questions(client):
            finding = _asked(name, ask)
            yield finding
            if finding.state == BAD:
                return


def _address(url: str, key: str | None) -> Finding:
    where = "the default" if url == DEFAULT_API_URL else "as set"
    if key and url.startswith("http://") and urlsplit(url).hostname not in LOOPBACK:
        advice = "Use its https address: anybody on the way can read the key."
        return Finding("address", WARNING, f"{url} is not encrypted", advice)
    return Finding("address", GOOD, f"{url} ({where})")


def _questions(client: Client) -> list[tuple[str, Callable[[], str]]]:
    def health() -> str:
        return f"it answers, version {client.health().version}"

    def key() -> str:
        return f"it is accepted, {len(client.operations())} operations"

    def ready() -> str:
        try:
            return f"storage and task hub: {client.ready().status}"
        except (NotFound, UnexpectedResponse):
            return "this service doesn't tell"

    return [("service", health), ("key", key), ("readiness", ready)]


def _asked(name: str, ask: Callable[[], str]) -> Finding:
    try:
        return Finding(name, GOOD, ask())
    except TesseraClientError as error:
        return Finding(name, BAD, str(error), error.hint)


def _print(finding: Finding) -> None:
    colours = {GOOD: "green", WARNING: "yellow", BAD: "red"}
    state = typer.style(f"{finding.state:<7}", fg=colours[finding.state] if sys.stdout.isatty() else None)
    typer.echo(f"{state} {finding.name}: {finding.found}")
    if finding.advice:
        typer.echo(f"        {finding.advice}")
