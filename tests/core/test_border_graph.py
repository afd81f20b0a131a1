"""Connectivity over tiles is that of the whole map, whatever the tiles."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from tessera import border_graph
from tessera.geometry import Grid


def summaries(grid: Grid, weak: np.ndarray, strong: np.ndarray) -> Iterator[tuple[bytes, np.ndarray]]:
    for tile in grid.tiles():
        part = np.ascontiguousarray(weak[tile.slices])
        places = np.flatnonzero(part)
        labels = border_graph.label(part, places, strong[tile.slices].ravel()[places])
        yield border_graph.summarize(labels), labels


@pytest.mark.parametrize("seed", range(40))
def test_what_is_connected_to_a_strong_pixel_stays(seed: int) -> None:
    chance = np.random.default_rng(seed)
    width, height, tile_width, tile_height = (int(n) for n in chance.integers(1, (60, 60, 20, 20)))
    weak = (chance.random((height, width)) < chance.choice([0.2, 0.4])).astype(np.uint8)
    strong = (weak > 0) & (chance.random(weak.shape) < 0.03)
    grid = Grid(width, height, tile_width, tile_height)
    made = list(summaries(grid, weak, strong))
    tables = border_graph.merge(grid, (summary for summary, _ in made))
    found = np.zeros_like(weak)
    for tile, table, (_, labels) in zip(grid.tiles(), tables, made, strict=True):
        found[tile.slices] = table[labels]
    _, components = cv2.connectedComponents(weak, connectivity=8)
    kept = np.isin(components, np.unique(components[strong])) & (weak > 0)
    assert np.array_equal(found > 0, kept)
