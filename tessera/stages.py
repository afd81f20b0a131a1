"""Cutting a pipeline into stages.

A stage is a maximal run of operations done in one pass over the tiles; a global operation ends it, and the
next stage begins by resolving what that operation measured.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from tessera.decoding import measured_early
from tessera.draft import Draft
from tessera.geometry import ceil_div
from tessera.limits import Limits
from tessera.operations import GlobalOperation
from tessera.pipeline import Bound
from tessera.plan import ImageInfo, Ingest, Measurement, Pixels, Raster, Stage, StageStep, Upload
from tessera.rasters import label_raster, source_raster
from tessera.sources import (
    Reading,
    can_skip,
    is_quick,
    is_worth_skipping,
    skipping_bytes,
    source_of,
    task_starts,
)
from tessera.tiling import MOVING, Tiling, most_memory, seconds_of, tiling

_TASKS_OF_AN_INSTANCE = 4
_SHORT_TASK_SECONDS = 1.0
"""Up to how many a task does several tiles."""
_MOST_PIXELS_OF_SEVERAL = 4 << 20
"""Of a tile, where a task does several: they cost little then, and less memory."""


class _Tiled(NamedTuple):
    """A stage with its tiles."""

    draft: Draft
    tiling: Tiling
    memory: int

    @classmethod
    def of(cls, draft: Draft, limits: Limits, *, direct: bool) -> "_Tiled":
        made = draft.shapes[-1]
        chosen = Tiling(made.width, made.height) if direct else tiling(draft, limits)
        return cls(draft, chosen, most_memory(draft, chosen))


class Cut(NamedTuple):
    """Stages, and how each of them is tiled."""

    stages: tuple[Stage, ...]
    tiled: tuple[_Tiled, ...]

    @classmethod
    def of(cls, image: ImageInfo, whole: Draft, limits: Limits, *, first: int, direct: bool) -> "Cut":
        """Return the stages that do *whole* to the pixels of a raster, or of the upload.

        Parameters
        ----------
        first
            Place in *whole* of the first operation that the user wrote.
        """
        tiled = tuple(_Tiled.of(draft, limits, direct=direct) for draft in _drafts(whole))
        stages = _stages(image, whole.shapes[0].pixels, tiled, limits)
        return cls(_reporting(stages, whole.pipeline, first), tiled)._grouped(limits)

    @classmethod
    def skipping(
        cls, image: ImageInfo, whole: Draft, limits: Limits, *, first: int, stored: int
    ) -> "Cut | None":
        """Return stages whose tasks each decode the upload from its top, or None if a raster does better.

        Parameters
        ----------
        first
            Place in *whole* of the first operation that the user wrote.
        stored
            Bytes of a pixel in that raster, times the stages that would read it.
        """
        if limits.band_rows is not None or not can_skip(image):
            return None
        small = limits.model_copy(
            update={"max_tile_pixels": min(limits.max_tile_pixels, _MOST_PIXELS_OF_SEVERAL)}
        )
        upload, drafts = Upload(frame=image.shape.frame, skipping=True), _drafts(whole)
        readers = next((index for index, each in enumerate(drafts, 1) if each.is_labelled), len(drafts))
        tiled = tuple(
            _Tiled.of(draft, small if index < readers else limits, direct=False)
            for index, draft in enumerate(drafts)
        )
        stages = _reporting(_planned(tiled, upload), whole.pipeline, first)
        readings = _readings(stages, tiled, upload)
        more = {each.stage.index: skipping_bytes(image, each) for each in readings}
        tiled = tuple(
            each._replace(memory=each.memory + more.get(index, 0)) for index, each in enumerate(tiled)
        )
        if max(each.memory for each in tiled) > limits.task_memory:
            return None
        for tasks in _few_tasks(limits.instances):
            shared = _shared(image, stages, readings, tasks)
            reading = _readings(shared, tiled, upload)
            if is_worth_skipping(image, reading, stored) and all(is_quick(image, each) for each in reading):
                return cls(shared, tiled)._grouped(limits)
        return None

    def _grouped(self, limits: Limits) -> "Cut":
        """Return it with several tiles to a task where these are short, as long as there are enough tasks."""
        if limits.band_rows is not None:
            return self
        grouped = [_several(stage, each, limits) for stage, each in zip(*self, strict=True)]
        return Cut(tuple(stage for stage, _ in grouped), tuple(each for _, each in grouped))

    @property
    def has_raster(self) -> bool:
        """Tell whether the input is decoded into a raster, if this is not done at once."""
        return isinstance(self.stages[0].source, Raster)

    @property
    def stored(self) -> int:
        """Return the bytes of a pixel in that raster, times the stages that read it."""
        source = self.stages[0].source
        if not isinstance(source, Raster):
            return 0
        return source.pixel_bytes * sum(stage.source == source for stage in self.stages)


def _several(stage: Stage, each: _Tiled, limits: Limits) -> tuple[Stage, _Tiled]:
    """Return a stage with as many tiles to a task as take a second, if each instance gets four tasks."""
    made, pixels = each.draft.shapes[-1].pixels, each.tiling.width * each.tiling.height
    quick = int(_SHORT_TASK_SECONDS / (seconds_of(each.draft, each.tiling) + MOVING * pixels))
    several = min(quick, stage.grid.count // (_TASKS_OF_AN_INSTANCE * limits.instances))
    # The blocks of a tile are sent while the next is made.
    memory = each.memory + made.bytes * pixels
    if stage.task_starts or several < 2 or memory > limits.task_memory:
        return stage, each
    return stage.model_copy(update={"tiles_per_task": several}), each._replace(memory=memory)


def _few_tasks(instances: int) -> tuple[int, ...]:
    """Return in how many tasks an upload may be decoded by these themselves, in the order of trying.

    One for an instance decodes least. The more there are, the shorter each is, and the oftener they decode
    what is above them: more come next, for what takes long.
    """
    return instances, ceil_div(3 * instances, 2), 2 * instances, 3 * instances, 4 * instances


def _shared(
    image: ImageInfo, stages: Sequence[Stage], readings: Sequence[Reading], tasks: int
) -> tuple[Stage, ...]:
    """Return the stages, those that read the upload in at most so many *tasks*."""
    starts = {each.stage.index: task_starts(image, each, tasks) for each in readings}
    return tuple(stage.model_copy(update={"task_starts": starts.get(stage.index, ())}) for stage in stages)


def measuring(steps: Sequence[Bound], cut: Cut) -> tuple[Ingest, Cut]:
    """Return what is done while decoding, *steps* and what measures their result, and the stages left."""
    count = measured_early(cut.stages)
    early, left = cut.stages[:count], cut.stages[count:]
    numbers = {stage.index: number for number, stage in enumerate((*left, *early))}
    measures = [
        Measurement(step=stage.measure, table=numbers[stage.index], report=stage.report)
        for stage in early
        if stage.measure is not None
    ]
    ingest = Ingest(steps=tuple(bound.step for bound in steps), measures=tuple(measures))
    return ingest, Cut(tuple(_renumbered(stage, numbers) for stage in left), cut.tiled[count:])


def _renumbered(stage: Stage, numbers: dict[int, int]) -> Stage:
    steps = tuple(
        step if step.table is None else step.model_copy(update={"table": numbers[step.table]})
        for step in stage.steps
    )
    return stage.model_copy(update={"index": numbers[stage.index], "steps": steps})


def _drafts(whole: Draft) -> list[Draft]:
    """Cut the pipeline after its global operations.

    After one with labels, the next stage begins with these; after any other, it begins where the stage before
    began and runs its operations again. What only reports leaves no trace in later stages.
    """
    drafts: list[Draft] = []
    pipeline, shapes = list[Bound](), [whole.shapes[0]]
    for bound, made in zip(whole.pipeline, whole.shapes[1:], strict=True):
        if isinstance(bound.operation, GlobalOperation):
            drafts.append(Draft(tuple(pipeline), tuple(shapes), bound, whole.unit))
            if bound.operation.labelled:
                pipeline, shapes = [], shapes[-1:]
            if bound.operation.report:
                continue
        pipeline.append(bound)
        shapes.append(made)
    drafts.append(Draft(tuple(pipeline), tuple(shapes), None, whole.unit))
    return [
        draft._replace(squares=draft.is_labelled and after.turns) for draft, after in pairwise(drafts)
    ] + drafts[-1:]


def _stages(image: ImageInfo, kind: Pixels, tiled: Sequence[_Tiled], limits: Limits) -> tuple[Stage, ...]:
    """Return the stages; those that look at the input have the source that suits them all."""
    provisional = source_raster(image, kind, image.shape.frame, by_bands=True)
    stages = _planned(tiled, provisional)
    source = source_of(image, kind, _readings(stages, tiled, provisional), limits.task_memory)
    return tuple(
        stage.model_copy(update={"source": source}) if stage.source == provisional else stage
        for stage in stages
    )


def _planned(tiled: Sequence[_Tiled], source: Raster | Upload) -> tuple[Stage, ...]:
    """Return the stages, of which the first and those that begin where it does read *source*."""
    stages: list[Stage] = []
    for index, (draft, chosen, _) in enumerate(tiled):
        made = draft.shapes[-1]
        target = None
        if draft.is_labelled:
            target = label_raster(index, made.frame, chosen.width, chosen.height)
        stages.append(
            Stage(
                index=index,
                source=source,
                steps=_steps(draft.pipeline, tiled),
                measure=draft.measure.step if draft.measure else None,
                width=made.width,
                height=made.height,
                tile_width=chosen.width,
                tile_height=chosen.height,
                chunk_width=chosen.chunk_width,
                target=target,
            )
        )
        source = target or source
    return tuple(stages)


def _readings(stages: Sequence[Stage], tiled: Sequence[_Tiled], source: Raster | Upload) -> list[Reading]:
    """Return the stages that read *source*."""
    return [
        Reading(stage, each.draft, each.tiling)
        for stage, each in zip(stages, tiled, strict=True)
        if stage.source == source
    ]


def _reporting(stages: Sequence[Stage], pipeline: Sequence[Bound], first: int) -> tuple[Stage, ...]:
    """Tell the stages whose operation makes a document its place in the user's pipeline."""
    measuring = [
        (place - first, bound.operation.report)
        for place, bound in enumerate(pipeline)
        if isinstance(bound.operation, GlobalOperation)
    ]
    places = [place if reports else None for place, reports in measuring]
    return tuple(
        stage.model_copy(update={"report": place})
        for stage, place in zip(stages, [*places, None], strict=True)
    )


def _steps(pipeline: Sequence[Bound], tiled: Sequence[_Tiled]) -> tuple[StageStep, ...]:
    """Return the steps of a stage; those of a global operation name the stage that measured it."""
    measured = {id(each.draft.measure): index for index, each in enumerate(tiled)}
    return tuple(StageStep(**bound.step.model_dump(), table=measured.get(id(bound))) for bound in pipeline)
