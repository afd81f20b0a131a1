"""Deflate, fast or small. (RFC 1950; RFC 1951.)"""

import zlib

from isal import isal_zlib

from tessera.codecs.base import Array, Compression

RAW, ZLIB = -15, 15
"""Without and with the header and the checksum of zlib."""
SYNC, FINISH = zlib.Z_SYNC_FLUSH, zlib.Z_FINISH
"""End at a byte, for more to follow; end the stream."""
_STRATEGIES = (zlib.Z_RLE, zlib.Z_FILTERED)
"""Without matches, which suits noise and is several times as fast; and with them."""


def deflated(rows: Array, compression: Compression, *, form: int, end: int) -> bytes:
    """Return the deflated bytes of filtered rows: (rows, bytes or samples of a row).

    Parameters
    ----------
    form
        `RAW` or `ZLIB`.
    end
        `SYNC` or `FINISH`.
    """
    fast = _fast(rows, form, end)
    if compression == "fast":
        return fast
    trial = sample(rows)
    strategy = min(_STRATEGIES, key=lambda one: len(_small(trial, one, RAW, FINISH)))
    return min(fast, _small(rows, strategy, form, end), key=len)


def sample(rows: Array) -> Array:
    """Return an eighth of the rows, at least 16, from their middle."""
    count = max(16, len(rows) // 8)
    start = max(0, (len(rows) - count) // 2)
    return rows[start : start + count]


def _fast(rows: Array, form: int, end: int) -> bytes:
    if end == FINISH:
        # At one go: streams were seen to give other bytes of the same data once in a hundred processes.
        return isal_zlib.compress(rows, 1, form)
    stream = isal_zlib.compressobj(level=1, wbits=form)
    return stream.compress(rows) + stream.flush(end)


def _small(rows: Array, strategy: int, form: int, end: int) -> bytes:
    small = zlib.compressobj(level=6, wbits=form, memLevel=9, strategy=strategy)
    return small.compress(rows) + small.flush(end)
