"""What a job is made of: image, pipeline, stages and tiles. Pure data, decided before anything runs.

Every type is frozen and goes to and from plain JSON. Sizes are in bytes, times in seconds.
"""

from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from tessera.geometry import Grid, Rect

type InputFormat = Literal["jpeg", "png", "tiff", "webp", "gif", "bmp"]
type OutputFormat = Literal["png", "jpeg", "tiff", "same"]
type Subsampling = Literal["4:2:0", "4:2:2", "4:4:4", "4:1:1"]
type Depth = Literal[8, 16]


class Message(BaseModel):
    """Base of all messages: frozen, closed, and plain JSON at both ends."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Return the message that *data* (parsed JSON) holds.

        Raises
        ------
        pydantic.ValidationError
            If a member is missing, unknown or out of range.
        """
        return cls.model_validate(data)

    def to_json(self) -> dict[str, Any]:
        """Return the message as parsed JSON, without members that have their default."""
        return self.model_dump(mode="json", exclude_defaults=True)


class Step(Message):
    """One operation of a pipeline with its parameters, already validated."""

    operation: str
    parameters: dict[str, JsonValue] = Field(default_factory=dict)


class StageStep(Step):
    """A step of a stage; that of a global operation is resolved with the *table* of an earlier stage."""

    table: int | None = None


class Output(Message):
    """The file to make; ``same`` has the options of all formats."""

    format: Literal["png", "jpeg", "tiff", "same"] = Field(
        default="png",
        description="format of the file; same is that of the input, or png if that isn't written",
    )
    quality: int = Field(default=90, ge=1, le=100, description="JPEG quality")
    subsampling: Literal["4:2:0", "4:2:2", "4:4:4", "4:1:1"] = Field(
        default="4:2:0", description="JPEG chroma subsampling"
    )
    compression: Literal["fast", "small"] = Field(
        default="fast", description="PNG and TIFF compression: small takes many times as long as fast"
    )
    pyramid: bool = Field(
        default=False,
        description="TIFF overviews down to one tile, in the order of a cloud-optimized GeoTIFF",
    )
    keep_metadata: bool = Field(
        default=False, description="keep the EXIF data, the place where a photograph was taken included"
    )

    @classmethod
    def options(cls, output_format: str) -> frozenset[str]:
        """Return the names of the options that a format has."""
        own: dict[str, set[str]] = {
            "png": {"compression"},
            "jpeg": {"quality", "subsampling"},
            "tiff": {"compression", "pyramid"},
        }
        return frozenset(own.get(output_format, set().union(*own.values())) | {"keep_metadata"})

    @property
    def foreign(self) -> tuple[str, ...]:
        """Return the names of options that were chosen, and that the format doesn't have."""
        others = self.options("same") - self.options(self.format)
        fields = type(self).model_fields
        return tuple(sorted(name for name in others if getattr(self, name) != fields[name].default))


class Pixels(Message):
    """The kind of a raster's pixels. Colour order is BGR(A); 1 is gray and 2 gray with alpha."""

    channels: int = Field(ge=1, le=4)
    depth: Depth = 8

    @property
    def bytes(self) -> int:
        """Return the bytes of one pixel."""
        return self.channels * self.depth // 8

    @property
    def has_alpha(self) -> bool:
        """Tell whether the last channel is alpha."""
        return self.channels in (2, 4)


class Shape(Message):
    """Size and kind of an image between two operations."""

    width: int = Field(ge=1)
    height: int = Field(ge=1)
    pixels: Pixels

    @property
    def frame(self) -> Rect:
        """Return the box of the whole image."""
        return Rect(0, 0, self.width, self.height)


class ImageInfo(Message):
    """What the header of an upload says of one of its *pages*. *etag* pins the bytes that were inspected.

    *held* are the bytes that the decoder holds whatever the tiles. An image that is *random* can be read by
    boxes, as *block* (width and height) cuts it; with *restarts*, a JPEG can once its markers are indexed.
    What *skips* gives boxes from top to bottom, and decodes what is above them in bounded memory.
    """

    format: InputFormat
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    pixels: Pixels
    size: int = Field(ge=1)
    etag: str
    orientation: int = Field(default=1, ge=1, le=8)
    icc: bool = False
    progressive: bool = False
    page: int = 0
    pages: int = 1
    dpi: tuple[float, float] | None = None
    exif: bool = False
    held: int = 0
    random: bool = False
    skips: bool = False
    restarts: bool = False
    block: tuple[int, int] | None = None

    @property
    def shape(self) -> Shape:
        """Return size and kind of the pixels, as they are stored."""
        return Shape(width=self.width, height=self.height, pixels=self.pixels)


class Raster(Message):
    """A block raster: the pixels of *box*, a part of an image of size *frame*, as blocks in one blob.

    *dtype* is that of NumPy: ``u1`` and ``u2`` for images, ``u2`` and ``u4`` for label maps, whose blocks are
    *deflated*, because they are mostly empty.
    """

    name: str
    frame: Rect
    box: Rect
    channels: int
    dtype: Literal["u1", "u2", "u4"]
    block_width: int
    block_height: int
    deflated: bool = False

    @property
    def pixel_bytes(self) -> int:
        """Return the bytes of one pixel."""
        return self.channels * int(self.dtype[1])

    @property
    def row_bytes(self) -> int:
        """Return the bytes of one row of pixels of all blocks side by side."""
        return self.box.width * self.pixel_bytes

    @property
    def grid(self) -> Grid:
        """Return the blocks, in coordinates that start at the corner of the box."""
        return Grid(self.box.width, self.box.height, self.block_width, self.block_height)

    @property
    def bands(self) -> Grid:
        """Return the rows of blocks, each of which is written at once."""
        return Grid.bands(self.box.width, self.box.height, self.block_height)


class Upload(Message):
    """The upload as the source of a stage: any box is read from it at once, after *indexing* its restarts.

    With *skipping*, each task decodes it from the top, and skips what lies above its tiles.
    """

    frame: Rect
    indexing: bool = False
    skipping: bool = False
    name: str = "restarts"


class Stage(Message):
    """One pass over the tiles of an image of *width* x *height* pixels.

    Read *source* and run *steps*; then either *measure* a global operation, whose labels, if it has any, go
    to *target*, or encode the tile for the result (*measure* is None). Of a wide tile, *chunk_width*
    columns are computed at a time. A task does *tiles_per_task* tiles, one after another, or from one of
    *task_starts* to the next. *report* is the place in the user's pipeline of an operation that makes a
    document.
    """

    index: int
    source: Raster | Upload
    steps: tuple[StageStep, ...] = ()
    measure: Step | None = None
    width: int
    height: int
    tile_width: int
    tile_height: int
    chunk_width: int | None = None
    tiles_per_task: int = 1
    task_starts: tuple[int, ...] = ()
    target: Raster | None = None
    report: int | None = None

    @property
    def name(self) -> str:
        """Return the names of the stage's operations as one; halves of a split one bear its name."""
        steps = (*self.steps, *((self.measure,) if self.measure else ()))
        return " + ".join(step.operation.split("/")[0] for step in steps) or "encode"

    @property
    def tasks(self) -> int:
        """Return the number of tasks."""
        return len(self.starts())

    def starts(self, first: int = 0, last: int | None = None) -> Sequence[int]:
        """Return the tiles that tasks begin with, if all, or *first* to before *last*, are to be done."""
        last = self.grid.count if last is None else last
        if not self.task_starts:
            return range(first, last, self.tiles_per_task)
        return first, *(start for start in self.task_starts if first < start < last)

    def task(self, tile: int) -> range:
        """Return the tiles of the task that begins with *tile*."""
        following = (start for start in self.task_starts if start > tile)
        end = next(following, self.grid.count) if self.task_starts else tile + self.tiles_per_task
        return range(tile, min(end, self.grid.count))

    @property
    def grid(self) -> Grid:
        """Return the tiles."""
        return Grid(self.width, self.height, self.tile_width, self.tile_height)


class Measurement(Message):
    """A global operation that is measured while the input is decoded; *report* is that of a stage."""

    step: Step
    table: int
    report: int | None = None


class Ingest(Message):
    """What decoding does on the way: run *steps*, each on one pixel at a time, and measure what they make."""

    steps: tuple[Step, ...] = ()
    measures: tuple[Measurement, ...] = ()


class Plan(Message):
    """All that is decided before any pixel is read.

    *pipeline* is what was asked for, after what turns the image upright; *ingest* and *stages* do it.
    *direct* means one activity does the whole job. *memory* bounds the bytes of arrays one task holds.
    *delicate* names the operations whose bits may depend on the processor.
    """

    image: ImageInfo
    output: Output
    pipeline: tuple[Step, ...]
    result: Shape
    ingest: Ingest = Ingest()
    stages: tuple[Stage, ...]
    direct: bool
    memory: int
    delicate: tuple[str, ...] = ()

    @property
    def tiles(self) -> int:
        """Return the number of tiles of all stages; a direct job is one."""
        return 1 if self.direct else sum(stage.grid.count for stage in self.stages)
