"""Running operations on arrays."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tessera.geometry import Placement, Rect, window
from tessera.operations import GlobalOperation, LocalOperation
from tessera.operations.base import Measured
from tessera.passes import Pass, frames_of, passes
from tessera.pipeline import Bound, bind_global, bind_planned
from tessera.plan import Raster, Stage

type Array = NDArray[Any]
type Read = Callable[[Rect], Array]
"""Return the pixels of a box of a stage's source: (rows, columns, channels)."""
type Tables = Callable[[int, int, int], list[bytes]]
"""Return tables ``first <= index < last`` of a stage: called with stage, first, last."""


@dataclass(frozen=True)
class StageRun:
    """The steps of a stage, ready to make any box of its output.

    *read* gives pixels of the source, *tables* what earlier stages measured.
    """

    stage: Stage
    pipeline: tuple[Bound, ...]
    measure: tuple[GlobalOperation[Any], Any] | None
    frames: tuple[Rect, ...]
    read: Read
    tables: Tables

    @classmethod
    def of(cls, stage: Stage, read: Read, tables: Tables) -> Self:
        """Return the run of *stage*."""
        pipeline = bind_planned(stage.steps)
        measure = bind_global(stage.measure) if stage.measure else None
        return cls(stage, pipeline, measure, frames_of(pipeline, stage.source.frame), read, tables)

    def tile(self, core: Rect) -> Array:
        """Return the pixels of *core*, computed a chunk of columns at a time where the stage says so."""
        width = self.stage.chunk_width
        if width is None or width >= core.width:
            return self._make(core)
        starts = range(core.x0, core.x1, width)
        chunks = [core._replace(x0=x0, x1=min(x0 + width, core.x1)) for x0 in starts]
        first = self._make(chunks[0])
        out = np.empty((core.height, core.width, first.shape[2]), first.dtype)
        out[:, : chunks[0].width] = first
        for chunk in chunks[1:]:
            out[:, chunk.x0 - core.x0 : chunk.x1 - core.x0] = self._make(chunk)
        return out

    def measured(self, core: Rect) -> Measured:
        """Return what the stage's global operation measures of *core*.

        Raises
        ------
        ValueError
            If the stage measures nothing.
        """
        if self.measure is None:
            raise ValueError(f"stage {self.stage.index} measures nothing")
        operation, parameters = self.measure
        frame = self.stage.grid.frame
        region = window(core, operation.halo(parameters), frame)
        pixels = np.ascontiguousarray(self._make(region))
        return operation.measure(pixels, Placement(region, core, frame), parameters)

    def _make(self, wanted: Rect) -> Array:
        planned = passes(self.pipeline, self.frames, wanted)
        pixels = self.read(planned[0].region)
        for each in planned:
            pixels = self._pass(each, pixels)
        return pixels

    def _pass(self, each: Pass, pixels: Array) -> Array:
        if each.move is not None:
            operation, parameters = each.move
            pixels = operation.apply(pixels, each.needed, each.before, each.region, parameters)
        placement = Placement(each.region, each.wanted, each.frame)
        for index in range(each.first, each.last):
            pixels = self._local(index, np.ascontiguousarray(pixels), placement)
        return pixels[placement.inner.slices] if each.first < each.last else pixels

    def _local(self, index: int, pixels: Array, placement: Placement) -> Array:
        operation, parameters = self.pipeline[index]
        if isinstance(operation, LocalOperation):
            return operation.apply(pixels, parameters)
        assert isinstance(operation, GlobalOperation)
        stage = self.stage.steps[index].table
        if stage is None:
            raise ValueError(f"{operation.name} has no table")
        if operation.labelled:
            return self._resolved(self.pipeline[index], stage, pixels, placement.region)
        (table,) = self.tables(stage, 0, 1)
        return operation.resolve(pixels, placement, parameters, table)

    def _resolved(self, bound: Bound, stage: int, labels: Array, region: Rect) -> Array:
        """Resolve labels tile by tile of the stage that made them, each with its own table."""
        operation, parameters = bound
        source = self.stage.source
        assert isinstance(operation, GlobalOperation)
        assert isinstance(source, Raster)
        out: Array | None = None
        for tile, table in _touched(source, region, lambda *span: self.tables(stage, *span)):
            part = tile.intersection(region)
            rows, columns = part.relative_to(region).slices
            placement = Placement(part, part, source.frame)
            made = operation.resolve(labels[rows, columns], placement, parameters, table)
            if out is None:
                out = np.empty((*labels.shape[:2], made.shape[2]), made.dtype)
            out[rows, columns] = made
        assert out is not None
        return out


def _touched(
    source: Raster, region: Rect, tables: Callable[[int, int], list[bytes]]
) -> Iterator[tuple[Rect, bytes]]:
    """Yield the tiles of a label map that share pixels with *region*, and their tables."""
    for run in source.grid.runs(region):
        yield from zip(map(source.grid.tile, run), tables(run[0], run[-1] + 1), strict=True)
