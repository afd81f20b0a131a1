"""The planner: which stages and tiles a job takes, decided before any pixel is read.

A stage is a maximal run of operations done in one pass over the tiles; a global operation ends it, and the
next stage begins by resolving what that operation measured.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from tessera import naming
from tessera.codecs import Unit, codec_for, resolve
from tessera.errors import LimitExceeded
from tessera.limits import Limits
from tessera.operations import GlobalOperation
from tessera.orientation import upright
from tessera.pipeline import Bound, bind, bind_planned, check
from tessera.plan import ImageInfo, Output, Plan, Raster, Shape, Stage, StageStep, Step
from tessera.rasters import decoding_memory, label_raster, source_raster
from tessera.sources import Reading, source_of
from tessera.tiling import Draft, Tiling, most_memory, tiling, wanted_pixels

__all__ = ["Limits", "make_plan"]

_PYRAMID_SIDE = 2048


def make_plan(image: ImageInfo, steps: Sequence[Step], output: Output, limits: Limits) -> Plan:
    """Return the plan of a job.

    Raises
    ------
    InvalidPipeline
        If an operation is unknown, a parameter is refused, or an operation can't take its input.
    InvalidOutput
        If the output format can't hold the result.
    LimitExceeded
        If an image on the way is too large, or the smallest tile needs more memory than a task may hold.
    """
    asked, turned = bind(steps), bind_planned(upright(image.orientation))
    stored = check(turned, image.shape)
    shapes = (*stored[:-1], *check(asked, stored[-1]))
    pipeline = (*turned, *asked)
    _check_image(image, limits)
    for index, shape in enumerate(shapes[len(turned) + 1 :]):
        _check_made(asked[index], index, shape, limits)
    made, output = shapes[-1], resolve(output, image.format)
    codec_for(output).check(made.width, made.height, made.pixels)
    whole = Draft(pipeline, shapes, None, _unit(output))
    direct = _is_one_tile(whole, image.held, limits)
    drafts = [_Tiled.of(draft, limits, direct=direct) for draft in _drafts(whole)]
    stages = _reporting(_stages(image, drafts, limits), pipeline, len(turned))
    for stage in stages:
        _check_blocks(stage, output, limits)
    return Plan(
        image=image,
        output=output,
        pipeline=tuple(bound.step for bound in pipeline),
        result=made,
        stages=stages,
        direct=direct,
        memory=max(
            image.held + whole.memory(made.frame) if direct else _decoding(image, stages[0]),
            *(each.memory for each in drafts),
        ),
        delicate=tuple(sorted({each.operation.name for each in pipeline if each.operation.delicate})),
    )


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


def _is_one_tile(whole: Draft, held: int, limits: Limits) -> bool:
    """Tell whether one activity does it all: an image that is hardly larger than a tile."""
    if limits.band_rows is not None:
        return limits.band_rows >= max(shape.height for shape in whole.shapes) and limits.tile_columns is None
    small = whole.most_pixels <= 2 * wanted_pixels(whole, limits)
    return small and held + whole.memory(whole.shapes[-1].frame) <= limits.task_memory


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


def _stages(image: ImageInfo, tiled: Sequence[_Tiled], limits: Limits) -> tuple[Stage, ...]:
    stages: list[Stage] = []
    source: Raster = source_raster(image, image.shape.frame, by_bands=True)
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
    return _with_source(image, stages, tiled, limits)


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
    image: ImageInfo, stages: Sequence[Stage], tiled: Sequence[_Tiled], limits: Limits
) -> tuple[Stage, ...]:
    """Give the stages that look at the input the source that suits them all."""
    name = naming.source_raster()
    reading = [
        Reading(stage, each.draft, each.tiling)
        for stage, each in zip(stages, tiled, strict=True)
        if stage.source.name == name
    ]
    source = source_of(image, reading, limits.task_memory)
    return tuple(
        stage.model_copy(update={"source": source}) if stage.source.name == name else stage
        for stage in stages
    )


def _decoding(image: ImageInfo, stage: Stage) -> int:
    """Return the bytes that decoding the image for its first stage takes, if that is a step of its own."""
    return decoding_memory(image, stage.source) if isinstance(stage.source, Raster) else 0


def _unit(output: Output) -> Unit:
    """Return what tiles are multiples of; with a pyramid, so that they make two of its levels alone."""
    unit = codec_for(output).unit
    return Unit(_PYRAMID_SIDE, _PYRAMID_SIDE) if output.pyramid and unit.width else unit


def _check_image(image: ImageInfo, limits: Limits) -> None:
    pixels = image.width * image.height
    size = f"{image.width} x {image.height}"
    if pixels > limits.max_pixels:
        raise LimitExceeded(
            f"the image has {pixels:,} pixels ({size})",
            limit=limits.max_pixels,
            actual=pixels,
            hint="cut it up",
        )
    if image.held > limits.task_memory:
        raise LimitExceeded(
            f"the decoder holds {image.held >> 20} MiB for this image, because it is {_kind(image)}",
            limit=limits.task_memory,
            actual=image.held,
            hint="save it as a file that can be decoded bit by bit, such as a baseline JPEG or a tiled TIFF,"
            " or raise the setting task_memory, and give the instances more memory",
        )


def _kind(image: ImageInfo) -> str:
    """Return what about the file keeps it from being decoded bit by bit."""
    if image.format == "jpeg":
        return "a progressive JPEG"
    return "an interlaced PNG" if image.format == "png" else f"a {image.format.upper()} that is decoded whole"


def _check_made(bound: Bound, index: int, shape: Shape, limits: Limits) -> None:
    pixels = shape.width * shape.height
    if pixels > limits.max_pixels:
        raise LimitExceeded(
            f"{bound.operation.name} would make {pixels:,} pixels ({shape.width} x {shape.height})",
            limit=limits.max_pixels,
            actual=pixels,
            hint="make it smaller, or cut the image up",
            pointer=f"/pipeline/{index}",
        )


def _check_blocks(stage: Stage, output: Output, limits: Limits) -> None:
    tiles = stage.grid.count
    if stage.measure is None:
        tiles = sum(level.count for level in codec_for(output).levels(stage.grid))
    rows = stage.source.bands.count if isinstance(stage.source, Raster) else 0
    blocks = max(tiles, rows) + 2
    if blocks > naming.MAX_BLOCKS:
        raise LimitExceeded(
            f"the job would take {blocks:,} blocks in one blob",
            limit=naming.MAX_BLOCKS,
            actual=blocks,
            hint="leave the choice of band_rows to the planner" if limits.band_rows else "cut the image up",
        )
