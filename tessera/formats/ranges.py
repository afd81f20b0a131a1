"""Byte ranges of an upload: read whole or not at all, merged, and fed to a decoder as a stream."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tessera.formats.base import ReadRange, damaged

_CHUNK = 4 << 20
_FIRST_CHUNK = 64 << 10
_GAP = 64 << 10
"""Bytes between two ranges that are cheaper to read along than to make a second request for."""


class Ranges:
    """The bytes of an upload. Small reads near each other are one request.

    Parameters
    ----------
    read
        Gives byte ranges of the upload.
    size
        Its bytes.
    """

    def __init__(self, read: ReadRange, size: int) -> None:
        self._read = read
        self.size = size
        self._start, self._window = 0, b""

    def at(self, offset: int, length: int, what: str = "its header") -> bytes:
        """Return exactly *length* bytes from *offset*.

        Raises
        ------
        CorruptImage
            If the upload ends before; *what* says what was to be read.
        """
        if offset < 0 or offset + length > self.size:
            raise damaged(f"{what} ends at byte {offset + length:,} of {self.size:,}")
        inside = self._start <= offset and offset + length <= self._start + len(self._window)
        if not inside:
            wanted = max(length, min(_FIRST_CHUNK, self.size - offset))
            self._start, self._window = offset, self._read(offset, wanted)
        start = offset - self._start
        data = self._window[start : start + length]
        if len(data) < length:
            raise damaged(f"{what} ends at byte {offset + len(data):,} of {self.size:,}")
        return data

    def stream(self, start: int, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from *start* to *stop* (or the end) in large pieces, the first a small one.

        From the third on, each is read while the one before is used: who looks at a header reads no more.
        """
        stop = self.size if stop is None else min(stop, self.size)
        for piece in (_FIRST_CHUNK, _CHUNK):
            data = self._read(start, min(piece, stop - start)) if start < stop else b""
            if not data:
                return
            yield data
            start += len(data)
        if start < stop:
            yield from self._ahead(start, stop)

    def _ahead(self, start: int, stop: int) -> Iterator[bytes]:
        with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
            coming = pool.submit(self._read, start, min(_CHUNK, stop - start))
            while data := coming.result():
                start += len(data)
                if start >= stop:
                    yield data
                    return
                coming = pool.submit(self._read, start, min(_CHUNK, stop - start))
                yield data

    def part(self, offset: int, length: int) -> "Ranges":
        """Return *length* bytes from *offset* as if they were an upload."""
        read = self._read
        return Ranges(lambda start, count: read(offset + start, min(count, length - start)), length)

    def many(self, spans: list[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each (offset, length); neighbours come with one request.

        Raises
        ------
        CorruptImage
            If the upload ends before one of them does.
        """
        found: list[bytes] = [b""] * len(spans)
        for group in _merged(spans):
            start = spans[group[0]][0]
            stop = max(sum(spans[index]) for index in group)
            data = self._read(start, stop - start)
            for index in group:
                offset, length = spans[index]
                found[index] = data[offset - start : offset - start + length]
                if len(found[index]) < length:
                    raise damaged(f"its pixels end at byte {start + len(data):,} of {stop:,}")
        return found


def in_memory(data: bytes) -> Ranges:
    """Return *data* as if it were an upload."""
    return Ranges(lambda offset, length: data[offset : offset + length], len(data))


def _merged(spans: list[tuple[int, int]]) -> Iterator[list[int]]:
    """Yield groups of indices whose spans are read together, in order of offset."""
    group: list[int] = []
    start = stop = 0
    for index in sorted(range(len(spans)), key=spans.__getitem__):
        offset, length = spans[index]
        if group and (offset > stop + _GAP or offset + length - start > _CHUNK):
            yield group
            group = []
        if not group:
            start = stop = offset
        group.append(index)
        stop = max(stop, offset + length)
    if group:
        yield group


def overlap(offsets: np.ndarray, lengths: np.ndarray) -> int | None:
    """Return the number of a span that begins inside another, or None."""
    order = np.argsort(offsets, kind="stable")
    ends = (offsets + lengths)[order]
    inside = np.flatnonzero(offsets[order][1:] < ends[:-1])
    return int(order[inside[0] + 1]) if inside.size else None


class Feed:
    """Pieces of bytes as the stream that a decoder reads.

    It knows nothing of the source that it feeds: a cycle of the two would outlive the job.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = memoryview(b"")
        self.fault: Exception | None = None

    def read(self, length: int) -> bytes:
        """Return up to *length* bytes; none at the end, or at a fault, which is kept."""
        try:
            while not self._piece:
                piece = next(self._pieces, None)
                if piece is None:
                    return b""
                self._piece = memoryview(piece)
        except Exception as error:
            self.fault = error
            return b""
        data, self._piece = bytes(self._piece[:length]), self._piece[length:]
        return data

    def drain(self) -> None:
        """Read what is left and drop it; raise the fault that this or an earlier read met."""
        while self.fault is None and self.read(_CHUNK):
            pass
        if self.fault is not None:
            raise self.fault


class SeekableFeed(Feed):
    """A file that begins with *head* and goes on with the upload, for a decoder that seeks."""

    def __init__(self, head: bytes, ranges: Ranges) -> None:
        super().__init__(iter(()))
        self._head, self._ranges = head, ranges
        self._position = 0

    def read(self, length: int) -> bytes:
        """Return up to *length* bytes from where it stands; none at the end, or at a fault."""
        if self._position < len(self._head):
            data = self._head[self._position : self._position + length]
        else:
            data = super().read(length)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int) -> int:
        """Go to *offset* from the start (0), from here (1) or from the end (2), and return where that is."""
        start = (0, self._position, len(self._head) + self._ranges.size)[whence]
        if start + offset != self._position or self._position == 0:
            self._position = start + offset
            self._pieces = self._ranges.stream(max(0, self._position - len(self._head)))
            self._piece = memoryview(b"")
        return self._position
