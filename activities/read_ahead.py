"""Reading small pieces of a blob that lie close together, by fewer calls to storage."""

from collections.abc import Callable

_AHEAD = 64 << 10

type ReadRange = Callable[[int, int], bytes]
"""Return *length* bytes from *offset* of a blob, fewer only at its end."""


class ReadAhead:
    """Reads a blob; after a short piece it reads on, and has what is asked for next.

    Parameters
    ----------
    fetch
        Reads the blob itself, which doesn't change.
    """

    def __init__(self, fetch: ReadRange) -> None:
        self._fetch = fetch
        self._held = 0, b""

    def __call__(self, offset: int, length: int) -> bytes:
        """Return *length* bytes from *offset*, fewer only at the blob's end."""
        if length >= _AHEAD:
            return self._fetch(offset, length)
        start, data = self._held
        if offset < start or offset + length > start + len(data):
            start, data = self._held = offset, self._fetch(offset, _AHEAD)
        return data[offset - start : offset - start + length]
