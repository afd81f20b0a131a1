"""Cutting a pipeline into stages.

A stage is a maximal run of operations done in one pass over the tiles; a global operation ends it, and the
next stage begins by resolving what that operation measured.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from tessera import naming
from tessera.decoding import measured_early
from tessera.limits import Limits
from tessera.operations import GlobalOperation
from tessera.pipeline import Bound
from tessera.plan import ImageInfo, Ingest, Measurement, Pixels, Raster, Stage, StageStep
from tessera.rasters import label_raster, source_raster
from tessera.sources import Reading, source_of
from tessera.tiling import Draft, Tiling, most_memory, tiling


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
        return cls(_reporting(stages, whole.pipeline, first), tiled)

    @property
    def has_raster(self) -> bool:
        """Tell whether the input is decoded into a raster, if this is not done at once."""
        return isinstance(self.stages[0].source, Raster)


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
    stages: list[Stage] = []
    source: Raster = source_raster(image, kind, image.shape.frame, by_bands=True)
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
    return _with_source(image, kind, stages, tiled, limits)


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


def _with_source(
    image: ImageInfo, kind: Pixels, stages: Sequence[Stage], tiled: Sequence[_Tiled], limits: Limits
) -> tuple[Stage, ...]:
    """Give the stages that look at the input the source that suits them all."""
    name = naming.source_raster()
    reading = [
        Reading(stage, each.draft, each.tiling)
        for stage, each in zip(stages, tiled, strict=True)
        if stage.source.name == name
    ]
    source = source_of(image, kind, reading, limits.task_memory)
    return tuple(
        stage.model_copy(update={"source": source}) if stage.source.name == name else stage
        for stage in stages
    )
