"""PNG filters over whole bands. The first row is filtered without the row above it, which is another band's.

(W3C Portable Network Graphics Specification, third edition, section 9.)
"""

import numpy as np
from isal import isal_zlib

from tessera.codecs.base import Array
from tessera.codecs.deflate import sample

NONE, SUB, UP, AVERAGE, PAETH = range(5)
_ROWS_AT_ONCE = 16
"""Paeth needs several integers for each byte, so it takes few rows at a time."""


def filtered(rows: Array, pixel_bytes: int, kind: int) -> Array:
    """Return (rows, 1 + bytes of a row): each row with the number of its filter before it.

    Parameters
    ----------
    rows
        (rows, bytes of a row), uint8.
    kind
        The filter of all rows but the first one, which gets Sub unless *kind* is None's.
    """
    out = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    out[:, 0], body = kind, out[:, 1:]
    if kind == NONE:
        body[:] = rows
        return out
    out[0, 0] = SUB
    _sub(rows[:1], pixel_bytes, body[:1])
    if kind == SUB:
        _sub(rows[1:], pixel_bytes, body[1:])
    elif kind == UP:
        np.subtract(rows[1:], rows[:-1], out=body[1:])
    elif kind == AVERAGE:
        _average(rows, pixel_bytes, body[1:])
    else:
        for start in range(1, len(rows), _ROWS_AT_ONCE):
            end = start + _ROWS_AT_ONCE
            _paeth(rows[start - 1 : end], pixel_bytes, body[start:end])
    return out


def best_filter(rows: Array, pixel_bytes: int) -> int:
    """Return the filter that makes some rows from the middle of the band smallest, by trial."""
    trial = sample(rows)
    sizes = [len(isal_zlib.compress(filtered(trial, pixel_bytes, kind), 1)) for kind in range(5)]
    return sizes.index(min(sizes))


def _sub(rows: Array, pixel_bytes: int, out: Array) -> None:
    out[:, :pixel_bytes] = rows[:, :pixel_bytes]
    np.subtract(rows[:, pixel_bytes:], rows[:, :-pixel_bytes], out=out[:, pixel_bytes:])


def _average(rows: Array, pixel_bytes: int, out: Array) -> None:
    above = rows[:-1]
    # (a + b) >> 1 within a byte
    np.subtract(rows[1:, :pixel_bytes], above[:, :pixel_bytes] >> 1, out=out[:, :pixel_bytes])
    left, up = rows[1:, :-pixel_bytes], above[:, pixel_bytes:]
    mean = (left & up) + ((left ^ up) >> 1)
    np.subtract(rows[1:, pixel_bytes:], mean, out=out[:, pixel_bytes:])


def _paeth(rows: Array, pixel_bytes: int, out: Array) -> None:
    """Filter all of *rows* but the first, which is only looked at."""
    padded = np.pad(rows, ((0, 0), (pixel_bytes, 0)))
    left, up, corner = padded[1:, :-pixel_bytes], rows[:-1], padded[:-1, :-pixel_bytes]
    to_left = np.abs(np.subtract(up, corner, dtype=np.int16))
    to_up = np.abs(np.subtract(left, corner, dtype=np.int16))
    to_corner = np.abs(np.add(left, up, dtype=np.int16) - 2 * corner.astype(np.int16))
    nearest = np.where(to_up <= to_corner, up, corner)
    nearest = np.where((to_left <= to_up) & (to_left <= to_corner), left, nearest)
    np.subtract(rows[1:], nearest, out=out)
