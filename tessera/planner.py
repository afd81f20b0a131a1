"""The planner: which stages and tiles a job takes, decided before any pixel is read.

A stage is a maximal run of local operations done in one pass; a global operation ends it, and the next
stage begins by resolving what that operation measured.
"""

from collections.abc import Sequence

from pydantic import Field

from tessera import border_graph, naming
from tessera.codecs import codec_for
from tessera.errors import LimitExceeded
from tessera.geometry import ceil_div
from tessera.operations import GlobalOperation
from tessera.pipeline import Bound, bind, check
from tessera.plan import ImageInfo, Message, Output, Pixels, Plan, Raster, Stage, StageStep, Step

BAND_UNIT = 128
"""Rows: tiles of PNG and JPEG are bands of a multiple of this, so that JPEG restart markers line up."""

_INGEST_BLOCK_BYTES = 4 << 20
_TILE_SECONDS = 5.0
_TILES_WANTED = 32


class Limits(Message):
    """What one job may take. Bytes and pixels."""

    max_bytes: int = Field(default=2 << 30, description="bytes of an upload")
    max_pixels: int = Field(default=4 << 30, description="pixels of an image")
    max_whole_pixels: int = Field(default=64 << 20, description="pixels of an image decoded whole")
    task_memory: int = Field(default=256 << 20, description="bytes of arrays that one task may hold")
    min_tile_pixels: int = Field(default=1 << 20, description="pixels a tile has at least")
    max_tile_pixels: int = Field(default=8 << 20, description="pixels a tile has at most")
    band_rows: int | None = Field(
        default=None, ge=1, description="rows of a tile; by default the planner's choice"
    )


def make_plan(image: ImageInfo, steps: Sequence[Step], output: Output, limits: Limits) -> Plan:
    """Return the plan of a job.

    Raises
    ------
    InvalidPipeline
        If an operation is unknown, a parameter is refused, or an operation can't take its input.
    InvalidOutput
        If the output format can't hold the result.
    LimitExceeded
        If the image is too large, or the smallest tile needs more memory than a task may hold.
    """
    pipeline = bind(steps)
    result = check(pipeline, image.pixels)
    _check_size(image, limits)
    codec_for(output).check(image.width, image.height, result)
    rows = limits.band_rows or _band_rows(image, pipeline, limits)
    memory = _task_memory(image, pipeline, rows)
    if memory > limits.task_memory:
        raise LimitExceeded(
            f"a band of {rows} rows of this image takes {memory >> 20} MiB of memory",
            limit=limits.task_memory,
            actual=memory,
            hint="raise the setting task_memory, and give the instances more memory",
        )
    _check_blocks(image, rows, limits)
    return Plan(
        image=image,
        output=output,
        result=result,
        stages=_stages(image, pipeline, rows),
        direct=rows >= image.height,
        memory=memory,
    )


def source_raster(image: ImageInfo) -> Raster:
    """Return the block raster that ingest writes."""
    row_bytes = image.width * image.pixels.bytes
    return Raster(
        name=naming.source_raster(),
        width=image.width,
        height=image.height,
        channels=image.pixels.channels,
        dtype="u1" if image.pixels.depth == 8 else "u2",
        block_rows=min(image.height, max(1, _INGEST_BLOCK_BYTES // row_bytes)),
    )


def _stages(image: ImageInfo, pipeline: Sequence[Bound], rows: int) -> tuple[Stage, ...]:
    """Cut the pipeline at its global operations.

    After one with labels, the next stage reads these; after any other, it reads what the stage before read
    and runs its steps again, with the operation among them.
    """
    stages: list[Stage] = []
    source, steps, halo = source_raster(image), list[StageStep](), 0
    for bound in pipeline:
        step = StageStep(**bound.step.model_dump())
        if not isinstance(bound.operation, GlobalOperation):
            steps.append(step)
            halo += bound.halo
            continue
        index, labelled = len(stages), bound.operation.labelled
        target = _label_raster(image, index, rows) if labelled else None
        stages.append(
            Stage(
                index=index,
                source=source,
                steps=tuple(steps),
                measure=bound.step,
                halo=halo + bound.halo,
                band_rows=rows,
                target=target,
            )
        )
        resolved = step.model_copy(update={"table": index})
        if target:
            source, steps, halo = target, [resolved], 0
        else:
            steps.append(resolved)
    last = Stage(index=len(stages), source=source, steps=tuple(steps), halo=halo, band_rows=rows)
    return (*stages, last)


def _label_raster(image: ImageInfo, stage: int, rows: int) -> Raster:
    return Raster(
        name=naming.label_raster(stage),
        width=image.width,
        height=image.height,
        channels=1,
        dtype="u2" if border_graph.max_label(image.width, rows) < 1 << 16 else "u4",
        block_rows=rows,
        deflated=True,
    )


def _band_rows(image: ImageInfo, pipeline: Sequence[Bound], limits: Limits) -> int:
    """Return the rows of a tile: enough tiles to share out, none too small, too slow or too large."""
    pixels = image.width * image.height
    slowest = _TILE_SECONDS / sum(1 / bound.operation.rate(bound.parameters) for bound in pipeline) * 1e6
    most = min(limits.max_tile_pixels, slowest)
    wanted = min(max(pixels / _TILES_WANTED, limits.min_tile_pixels), most)
    if pixels <= 2 * wanted:
        return image.height
    rows = max(1, round(wanted / image.width / BAND_UNIT)) * BAND_UNIT
    while rows > BAND_UNIT and _task_memory(image, pipeline, rows) > limits.task_memory:
        rows -= BAND_UNIT
    return rows


def _task_memory(image: ImageInfo, pipeline: Sequence[Bound], rows: int) -> int:
    """Return the bytes that a tile's task holds at its worst moment: bytes read, input, output, scratch."""
    halo = sum(bound.halo for bound in pipeline)
    pixels = image.width * min(rows + 2 * halo, image.height)
    kind, worst = image.pixels, 0
    for operation, parameters in pipeline:
        made: Pixels = operation.produces(kind, parameters)
        worst = max(worst, kind.bytes + made.bytes + operation.scratch)
        kind = made
    return pixels * (image.pixels.bytes + max(worst, 3 * kind.bytes))


def _check_size(image: ImageInfo, limits: Limits) -> None:
    pixels = image.width * image.height
    size = f"{image.width} x {image.height}"
    if pixels > limits.max_pixels:
        raise LimitExceeded(
            f"the image has {pixels:,} pixels ({size})",
            limit=limits.max_pixels,
            actual=pixels,
            hint="cut it up",
        )
    if image.progressive and pixels > limits.max_whole_pixels:
        raise LimitExceeded(
            f"progressive and interlaced images are decoded whole, and this has {pixels:,} pixels",
            limit=limits.max_whole_pixels,
            actual=pixels,
            hint="save it as baseline JPEG or without interlacing",
        )


def _check_blocks(image: ImageInfo, rows: int, limits: Limits) -> None:
    blocks = max(ceil_div(image.height, rows), source_raster(image).grid.count) + 2
    if blocks > naming.MAX_BLOCKS:
        raise LimitExceeded(
            f"the job would take {blocks:,} blocks in one blob",
            limit=naming.MAX_BLOCKS,
            actual=blocks,
            hint="leave the choice of band_rows to the planner" if limits.band_rows else "cut the image up",
        )
