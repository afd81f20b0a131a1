"""Medians of squares of 8-bit samples, by comparing whole rows where compiled code is there, or by OpenCV."""

import ctypes
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tessera import compiled
from tessera.median_network import Exchange, Network, Row, medians

type Array = NDArray[Any]

LARGEST_SIDE = 15
"""Beyond it OpenCV's counting, which takes as long for any side, takes less; up to 5 it compares as well."""
_ROWS_AT_ONCE = 4
_STEP = 32
"""Bytes, as in `compiled/median.c`, of which a row's length is a multiple."""
_BYTES = 448
"""Of a row that is compared at once: more of them would drive each other out of the nearest caches."""


class _Network(ctypes.Structure):
    _fields_ = [
        ("exchanges", ctypes.c_void_p),
        ("results", ctypes.c_void_p),
        ("memory", ctypes.c_void_p),
        ("count", ctypes.c_int32),
        ("plane", ctypes.c_int32),
        ("rows", ctypes.c_int32),
        ("columns", ctypes.c_int32),
        ("side", ctypes.c_int32),
    ]


class _Program(NamedTuple):
    """A network with a place in memory for each of its rows; lengths in bytes, *columns* in pixels."""

    exchanges: NDArray[np.int32]
    results: NDArray[np.int32]
    planes: int
    plane: int
    columns: int


def median(pixels: Array, side: int) -> Array:
    """Return the medians of squares of *side* pixels, odd, with OpenCV's bits.

    *pixels* is (rows, columns, channels) of 1, 3 or 4 channels, uint8, or uint16 with a *side* of 3 or 5.
    Samples beyond an edge are the edge's.
    """
    if not (5 < side <= LARGEST_SIDE and pixels.itemsize == 1 and compiled.takes(pixels)):
        return np.asarray(cv2.medianBlur(pixels, side)).reshape(pixels.shape)
    pixels = compiled.with_whole_rows(pixels)
    program, made = _program(side, pixels.shape[2]), np.empty(pixels.shape, np.uint8)
    memory = np.zeros(program.planes * program.plane + _STEP, np.uint8)
    # Rows that begin elsewhere take half as long again.
    memory = memory[-memory.ctypes.data % _STEP :]
    addresses = (each.ctypes.data for each in (program.exchanges, program.results, memory))
    numbers = len(program.exchanges), program.plane, _ROWS_AT_ONCE, program.columns, side
    compiled.call("tessera_median", pixels, ctypes.byref(_Network(*addresses, *numbers)), made)
    return made


@lru_cache(maxsize=32)
def _program(side: int, channels: int) -> _Program:
    network, results = medians(side, _ROWS_AT_ONCE)
    exchanges = _needed(network.exchanges, results)
    places = _places(network, exchanges, results)
    plane = _BYTES + -(-side * channels // _STEP) * _STEP
    columns = (_BYTES - (side - 1) * channels) // channels

    def offset(row: Row) -> int:
        return places[row.number] * plane + row.column * channels

    def length(exchange: Exchange) -> int:
        return -(-(columns + exchange.beyond) * channels // _STEP)

    steps = [
        (offset(e.first), offset(e.second), offset(Row(e.lower)), offset(Row(e.higher)), length(e))
        for e in exchanges
    ]
    return _Program(
        np.array(steps, np.int32),
        np.array([offset(row) for row in results], np.int32),
        max(places.values()) + 1,
        plane,
        columns,
    )


def _needed(exchanges: list[Exchange], results: list[Row]) -> list[Exchange]:
    """Return the exchanges that some result depends on."""
    wanted, needed = {row.number for row in results}, list[Exchange]()
    for exchange in reversed(exchanges):
        if wanted & {exchange.lower, exchange.higher}:
            wanted |= {exchange.first.number, exchange.second.number}
            needed.append(exchange)
    return needed[::-1]


def _places(network: Network, exchanges: list[Exchange], results: list[Row]) -> dict[int, int]:
    """Return a plane of memory for each row; rows that aren't in use at the same time may share one."""
    last = {row: index for index, exchange in enumerate(exchanges) for row in _rows_of(exchange)}
    last |= {row.number: len(exchanges) for row in results}
    places, free, size = {row: row for row in range(network.inputs)}, list[int](), network.inputs
    for index, exchange in enumerate(exchanges):
        for row in (exchange.lower, exchange.higher):
            if not free:
                free.append(size)
                size += 1
            places[row] = free.pop()
        free += [places[row] for row in _rows_of(exchange) if last[row] == index]
    return places


def _rows_of(exchange: Exchange) -> set[int]:
    return {exchange.first.number, exchange.second.number, exchange.lower, exchange.higher}
