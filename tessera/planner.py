"""The planner: which stages and tiles a job takes, decided before any pixel is read."""

from collections.abc import Sequence

from tessera import naming
from tessera.codecs import Unit, codec_for, resolve
from tessera.decoding import early
from tessera.draft import Draft
from tessera.errors import LimitExceeded
from tessera.limits import Limits
from tessera.orientation import upright
from tessera.pipeline import Bound, bind, bind_planned, check
from tessera.plan import ImageInfo, Ingest, Output, Plan, Raster, Shape, Stage, Step
from tessera.rasters import decoding_memory, put_count
from tessera.stages import Cut, measuring
from tessera.tiling import least_pixels

__all__ = ["Limits", "make_plan"]

_PYRAMID_SIDE = 2048
_TILES_OF_ONE_TASK = 3
"""Of the least size: one task does an image of so many, because sharing them out takes longer."""


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
    _check_image(image, limits)
    for index, shape in enumerate(shapes[len(turned) + 1 :]):
        _check_made(asked[index], index, shape, limits)
    made, output = shapes[-1], resolve(output, image.format)
    codec_for(output).check(made.width, made.height, made.pixels)
    whole = Draft((*turned, *asked), shapes, None, _unit(output))
    direct = _is_one_tile(whole, image.held, limits)
    ingest, cut = Ingest(), Cut.of(image, whole, limits, first=len(turned), direct=direct)
    if cut.has_raster and not direct:
        ingest, with_raster = _early(image, turned, asked, cut, limits)
        skipping = Cut.skipping(image, whole, limits, first=len(turned), stored=with_raster.stored)
        ingest, cut = (Ingest(), skipping) if skipping else (ingest, with_raster)
    for stage in cut.stages:
        _check_blocks(stage, output, limits)
    return Plan(
        image=image,
        output=output,
        pipeline=tuple(bound.step for bound in whole.pipeline),
        result=made,
        ingest=ingest,
        stages=cut.stages,
        direct=direct,
        memory=image.held + whole.memory_at_once()
        if direct
        else max(_decoding(image, cut.stages[0]), *(each.memory for each in cut.tiled)),
        delicate=tuple(sorted({each.operation.name for each in whole.pipeline if each.operation.delicate})),
    )


def _early(
    image: ImageInfo, turned: Sequence[Bound], asked: Sequence[Bound], cut: Cut, limits: Limits
) -> tuple[Ingest, Cut]:
    """Return what is done while the image is decoded, and the stages that are left."""
    steps, left, shorter = early(asked, image.shape, measured=not turned)
    if steps:
        rest = (*turned, *left)
        whole = Draft(rest, check(rest, check(steps, image.shape)[-1]), None, cut.tiled[0].draft.unit)
        # Without blocks, the image can't be read at random any more.
        image, first = image.model_copy(update={"block": None}), len(turned) - shorter
        cut = Cut.of(image, whole, limits, first=first, direct=False)
    return measuring(steps, cut)


def _is_one_tile(whole: Draft, held: int, limits: Limits) -> bool:
    """Tell whether one activity does it all: an image that is hardly larger than a tile."""
    if limits.band_rows is not None:
        return limits.band_rows >= max(shape.height for shape in whole.shapes) and limits.tile_columns is None
    small = whole.most_pixels <= _TILES_OF_ONE_TASK * least_pixels(whole, limits)
    return small and held + whole.memory_at_once() <= limits.task_memory


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
    puts = put_count(stage.source) if isinstance(stage.source, Raster) else 0
    blocks = max(tiles, puts) + 2
    if blocks > naming.MAX_BLOCKS:
        raise LimitExceeded(
            f"the job would take {blocks:,} blocks in one blob",
            limit=naming.MAX_BLOCKS,
            actual=blocks,
            hint="leave the choice of band_rows to the planner" if limits.band_rows else "cut the image up",
        )
