"""Upload an image for a command; what was sent before a break isn't sent again by the next command."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from tessera_client.client import Client
from tessera_client.config import cache_folder
from tessera_client.decoding import decode
from tessera_client.errors import TesseraClientError, UploadFailed
from tessera_client.models import Upload
from tessera_client.upload_state import UploadState


def upload(
    client: Client, source: Path, name: str, progress: Callable[[int, int], None] | None = None
) -> Upload:
    """Send a file, and go on where an interrupted command stopped with the same file and service.

    Raises
    ------
    UploadFailed
        The hint says so when part of it has arrived.
    """
    with _remembered(client, source) as state:
        try:
            return client.upload(source, name=name, progress=progress, state=state)
        except UploadFailed as failed:
            if state.done:
                advice = f"{len(state.done)} blocks have arrived: the same command again goes on from there."
                failed.hint = f"{failed.hint}\n  {advice}" if failed.hint else advice
            raise


@contextmanager
def _remembered(client: Client, source: Path) -> Iterator[UploadState]:
    """Read the state that an earlier command left, and leave one if this one doesn't come to its end."""
    record = _record(client, source)
    state = _load(record)
    try:
        yield state
    except BaseException:
        _save(record, state)
        raise
    record.unlink(missing_ok=True)


def _record(client: Client, source: Path) -> Path:
    facts = source.stat()
    identity = [client.api_url, str(source.absolute()), facts.st_size, facts.st_mtime_ns]
    return cache_folder() / "uploads" / f"{sha256(json.dumps(identity).encode()).hexdigest()[:32]}.json"


def _load(record: Path) -> UploadState:
    try:
        document = json.loads(record.read_bytes())
        place = decode(Upload, document["place"])
        return UploadState(place, int(document["size"]), {int(index) for index in document["done"]})
    except (OSError, ValueError, KeyError, TypeError, TesseraClientError):
        return UploadState()


def _save(record: Path, state: UploadState) -> None:
    record.unlink(missing_ok=True)
    if state.place is None or not state.done:
        return
    place = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(state.place).items()
    }
    document = {"place": place, "size": state.size, "done": sorted(state.done)}
    try:
        record.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # It holds a permission to write.
        record.touch(mode=0o600)
        record.write_text(json.dumps(document))
    except OSError:
        return
