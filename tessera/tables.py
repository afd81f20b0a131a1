"""One table per tile in one blob, so that a task reads only those it needs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Table = NDArray[Any]
type ReadRange = Callable[[int, int], bytes]

_OFFSET_BYTES = 8


def pack(tables: Sequence[Table]) -> bytes:
    """Return the bytes of uint8 *tables*: where each begins and the last ends, then all of them."""
    start = _OFFSET_BYTES * (len(tables) + 1)
    offsets = start + np.concatenate([[0], np.cumsum([table.size for table in tables])])
    return offsets.astype("<u8").tobytes() + b"".join(table.astype(np.uint8).tobytes() for table in tables)


def read(fetch: ReadRange, first: int, last: int) -> list[Table]:
    """Return tables ``first <= index < last`` by two range reads.

    Parameters
    ----------
    fetch
        Gives *length* bytes from *offset* of what `pack` returned.
    """
    offsets = np.frombuffer(fetch(_OFFSET_BYTES * first, _OFFSET_BYTES * (last - first + 1)), "<u8").astype(
        int
    )
    data = np.frombuffer(fetch(int(offsets[0]), int(offsets[-1] - offsets[0])), np.uint8)
    return np.split(data, offsets[1:-1] - offsets[0])
