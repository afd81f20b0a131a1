"""What the shell offers to complete: names that a command saw the last time it asked for them."""

import json
from collections.abc import Iterable, Iterator

from tessera_client.config import cache_folder


def complete_operation(incomplete: str) -> Iterator[str]:
    """Offer operations."""
    return _matching("operations", incomplete)


def complete_preset(incomplete: str) -> Iterator[str]:
    """Offer stored pipelines."""
    return _matching("presets", incomplete)


def remember(kind: str, names: Iterable[str]) -> None:
    """Keep names for the completion; where they can't be kept, there is none."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{kind}.json").write_text(json.dumps(sorted(names)))
    except OSError:
        return


def _matching(kind: str, incomplete: str) -> Iterator[str]:
    try:
        names = json.loads((cache_folder() / f"{kind}.json").read_text())
    except (OSError, ValueError):
        return
    yield from (name for name in names if name.startswith(incomplete))
