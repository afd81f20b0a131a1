"""Looking levels up in the tables of the cells around each pixel, and mixing what is found.

The last step of CLAHE (K. Zuiderveld, Graphics Gems IV, 1994), with the roundings of OpenCV's: single
precision, half to even at the end.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tessera import compiled

type Array = NDArray[Any]

_BLOCK = 512


class Neighbours(NamedTuple):
    """The cells before and after each coordinate along an axis, and the share of the latter."""

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    share: NDArray[np.float32]

    @classmethod
    def of(cls, size: int, count: int, start: int, stop: int) -> "Neighbours":
        """Return those of coordinates ``start:stop``, of *count* cells of *size* pixels."""
        place = np.arange(start, stop).astype(np.float32) * (np.float32(1) / np.float32(size))
        place -= np.float32(0.5)
        before = np.floor(place)
        first = before.astype(np.int64)
        return cls(np.maximum(first, 0), np.minimum(first + 1, count - 1), place - before)


def blend(pixels: Array, tables: Array, x: Neighbours, y: Neighbours) -> None:
    """Replace the first channel of *pixels*, (rows, columns, channels), uint8, each row in one piece.

    *tables* is (rows of cells, columns of cells, 256), uint8.
    """
    if not compiled.takes(pixels):
        pixels[:, :, 0] = _blended_by_numpy(pixels[:, :, 0], tables, x, y)
        return
    assert compiled.with_whole_rows(pixels) is pixels
    columns = [(each * tables.shape[2]).astype(np.int32) for each in (x.before, x.after)]
    rows = [(each * tables[0].size).astype(np.int32) for each in (y.before, y.after)]
    compiled.call("tessera_blend", pixels, tables, *columns, x.share, *rows, y.share)


def _blended_by_numpy(values: Array, tables: Array, x: Neighbours, y: Neighbours) -> Array:
    out = np.empty(values.shape, np.uint8)
    for rows in _runs(y.before, y.after):
        for columns in _runs(x.before, x.after):
            corners = (
                tables[row[rows.start], column[columns.start]]
                for row in (y.before, y.after)
                for column in (x.before, x.after)
            )
            part = np.ascontiguousarray(values[rows, columns])
            out[rows, columns] = _blended(part, corners, x.share[columns], y.share[rows])
    return out


def _runs(first: NDArray[np.int64], second: NDArray[np.int64]) -> list[slice]:
    """Return the stretches of coordinates that lie between the same two cells, none of them long."""
    changes = np.flatnonzero((np.diff(first) != 0) | (np.diff(second) != 0)) + 1
    ends = sorted({*changes.tolist(), *range(0, len(first), _BLOCK), len(first)})
    return [slice(start, stop) for start, stop in pairwise(ends)]


def _blended(
    values: Array, corners: Iterable[Array], x_share: NDArray[np.float32], y_share: NDArray[np.float32]
) -> Array:
    """Look the values up in four tables and mix these by the shares of the right and the lower ones."""
    one, down = np.float32(1), y_share[:, np.newaxis]
    looked_up: list[NDArray[np.float32]] = [
        np.asarray(cv2.LUT(values, corner.astype(np.float32)), np.float32) for corner in corners
    ]
    above_left, above_right, below_left, below_right = looked_up
    x_rest = one - x_share
    above_left *= x_rest
    above_right *= x_share
    above_left += above_right
    below_left *= x_rest
    below_right *= x_share
    below_left += below_right
    above_left *= one - down
    below_left *= down
    above_left += below_left
    return np.asarray(cv2.convertScaleAbs(above_left), np.uint8)
