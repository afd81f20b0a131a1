"""Connectivity across tiles: which components of a tiled weak map hold a strong pixel anywhere.

A label map gives each pixel 0 (nothing), 1 (in a component with a strong pixel: certain) or a number from 2
on (in a component that touches the tile's border and has no strong pixel of its own: undecided). Components
that neither hold a strong pixel nor touch the border are dropped at once. What is undecided is settled by a
union-find over the borders of all tiles (Tarjan 1975).
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from tessera.geometry import Grid

type Labels = NDArray[Any]

CERTAIN = 1


def label(weak: NDArray[np.uint8], places: NDArray[np.intp], strong: NDArray[np.bool_]) -> Labels:
    """Return the label map of a tile.

    Parameters
    ----------
    weak
        uint8 (rows, columns), not 0 where set.
    places
        Where it is set, in the flattened tile. Few pixels are, so that they are done alone.
    strong
        Which of these are strong.

    Returns
    -------
    numpy.ndarray
        (rows, columns), uint16 or uint32 as the labels need: 0, 1, or 2 and up without gaps.
    """
    count, components = cv2.connectedComponents(weak, connectivity=8, ltype=cv2.CV_32S)
    numbers = components.ravel()[places]
    is_certain = np.zeros(count, bool)
    is_certain[numbers[strong]] = True
    is_border = np.zeros(count, bool)
    for side in _sides(components):
        is_border[side] = True
    is_border[0] = False
    undecided = np.flatnonzero(is_border & ~is_certain)
    largest = CERTAIN + undecided.size
    renumber = np.where(is_certain, CERTAIN, 0).astype(np.uint16 if largest < 1 << 16 else np.uint32)
    renumber[undecided] = np.arange(CERTAIN + 1, largest + 1)
    labels: Labels = np.zeros(weak.size, renumber.dtype)
    labels[places] = renumber[numbers]
    return labels.reshape(weak.shape)


def max_label(width: int, height: int) -> int:
    """Return the largest label a tile of *width* x *height* pixels can need.

    Components are 8-connected, so that at most every second border pixel begins another one.
    """
    return CERTAIN + width + height + 2


def summarize(labels: Labels) -> bytes:
    """Return the border of a label map, deflated: shape, the largest label, and the four sides."""
    rows, columns = labels.shape
    top, bottom, left, right = _sides(labels)
    head = np.array([rows, columns, labels.max(initial=CERTAIN)])
    values = np.concatenate([head, top, bottom, left, right]).astype("<u4")
    return isal_zlib.compress(values, 1)


def merge(grid: Grid, summaries: Iterator[bytes]) -> list[NDArray[np.uint8]]:
    """Return for each tile the table that turns its labels into 0 or 255.

    Parameters
    ----------
    grid
        The tiles.
    summaries
        What `summarize` gave for each tile, in the order of the grid.
    """
    counts, pairs = _pairs(grid, summaries)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    connected = _reachable(int(offsets[-1]), pairs)
    tables = []
    for start, end in pairwise(offsets.tolist()):
        table = np.zeros(CERTAIN + 1 + end - start, np.uint8)
        table[CERTAIN] = 255
        table[CERTAIN + 1 :][connected[start:end]] = 255
        tables.append(table)
    return tables


class _Border:
    """The four sides of one tile's label map."""

    def __init__(self, summary: bytes) -> None:
        values = np.frombuffer(isal_zlib.decompress(summary), "<u4").astype(np.int64)
        rows, columns, self.largest = (int(value) for value in values[:3])
        ends = 3 + np.cumsum([columns, columns, rows])
        self.top, self.bottom, self.left, self.right = np.split(values[3:], ends - 3)

    def numbered(self, offset: int) -> "_Border":
        """Number the labels over all tiles: -1 nothing, 0 certain, 1 and up undecided."""
        for name in ("top", "bottom", "left", "right"):
            side = getattr(self, name)
            setattr(self, name, np.where(side > CERTAIN, side - CERTAIN + offset, side - 1))
        return self


def _sides(labels: Labels) -> tuple[Labels, Labels, Labels, Labels]:
    return labels[0], labels[-1], labels[:, 0], labels[:, -1]


def _pairs(grid: Grid, summaries: Iterator[bytes]) -> tuple[list[int], NDArray[np.int64]]:
    """Return how many labels of each tile are undecided, and the pairs of nodes that touch across borders.

    Of what was read before, the tile on the left and the row of tiles above are held.
    """
    counts: list[int] = []
    found = [np.empty((0, 2), np.int64)]
    above: list[_Border] = []
    beside: list[_Border] = []
    offset = 0
    for index, summary in enumerate(summaries):
        border, column = _Border(summary).numbered(offset), index % grid.columns
        counts.append(border.largest - CERTAIN)
        offset += counts[-1]
        if index and column == 0:
            above, beside = beside, []
        if column:
            found.append(_facing(beside[-1].right, border.left))
        if above:
            found.append(_facing(above[column].bottom, border.top))
        if above and column:
            found.append(_facing(above[column - 1].bottom[-1:], border.top[:1]))
        if above and column + 1 < grid.columns:
            found.append(_facing(above[column + 1].bottom[:1], border.top[-1:]))
        beside.append(border)
    return counts, np.unique(np.concatenate(found), axis=0)


def _facing(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pair each pixel of one side with the three it touches on the other."""
    pairs = np.concatenate(
        [
            np.stack([one, other], axis=1),
            np.stack([one[1:], other[:-1]], axis=1),
            np.stack([one[:-1], other[1:]], axis=1),
        ]
    )
    return np.unique(pairs[(pairs >= 0).all(axis=1)], axis=0)


def _reachable(undecided: int, pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell for each undecided node whether a path leads to node 0, the certain one."""
    parent = list(range(undecided + 1))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for one, other in pairs.tolist():
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return np.array([root(node) == 0 for node in range(1, undecided + 1)], bool)
