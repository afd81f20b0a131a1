"""Tables of a global operation in one blob, so that a task reads only those it needs."""

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from struct import pack as pack_struct
from struct import unpack

type ReadRange = Callable[[int, int], bytes]

_OFFSET_BYTES = 8


def pack(tables: Sequence[bytes]) -> bytes:
    """Return *tables* as one: where each begins and the last one ends, then all of them.

    >>> data = pack([b"one", b"", b"three"])
    >>> read(lambda offset, length: data[offset : offset + length], 1, 3)
    [b'', b'three']
    """
    start = _OFFSET_BYTES * (len(tables) + 1)
    offsets = accumulate((len(table) for table in tables), initial=start)
    return pack_struct(f"<{len(tables) + 1}Q", *offsets) + b"".join(tables)


def read(fetch: ReadRange, first: int, last: int) -> list[bytes]:
    """Return tables ``first <= index < last`` by two range reads.

    Parameters
    ----------
    fetch
        Gives *length* bytes from *offset* of what `pack` returned.
    """
    count = last - first + 1
    offsets = unpack(f"<{count}Q", fetch(_OFFSET_BYTES * first, _OFFSET_BYTES * count))
    data, start = fetch(offsets[0], offsets[-1] - offsets[0]), offsets[0]
    return [data[begin - start : end - start] for begin, end in pairwise(offsets)]
