"""What travels between the API, the orchestrators and the activities: names and boxes, never pixels."""

from typing import Annotated, Literal

from pydantic import Field

from tessera.checksum import Adler
from tessera.plan import ImageInfo, Message, Output, OutputFormat, Pixels, Plan, Raster, Stage, Step

type JobId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Fault(Message):
    """A permanent error as a result; the members are those of `tessera.errors.TesseraError`."""

    code: str
    title: str
    detail: str
    hint: str | None = None
    limit: int | str | None = None
    actual: int | str | None = None
    pointer: str | None = None


class JobOrder(Message):
    """What the orchestrator of a job is started with."""

    job: JobId
    upload: JobId
    pipeline: tuple[Step, ...]
    output: Output


class IngestOrder(Message):
    """Decode the upload once and write it as the block raster *target*."""

    job: JobId
    upload: JobId
    image: ImageInfo
    target: Raster


class DirectOrder(Message):
    """Do a whole job that is one tile."""

    job: JobId
    upload: JobId
    plan: Plan


class TilesOrder(Message):
    """Run the tiles ``first <= index < last`` of a stage."""

    job: JobId
    stage: Stage
    output: Output
    first: int
    last: int


class TileOrder(Message):
    """Run one tile of a stage."""

    job: JobId
    stage: Stage
    output: Output
    tile: int


class ReduceOrder(Message):
    """Merge what the tiles of a stage measured, and commit the label map they wrote."""

    job: JobId
    stage: Stage


class StitchOrder(Message):
    """Commit the tiles of the last stage as one file."""

    job: JobId
    plan: Plan
    checksum: Adler


class Tally(Message):
    """What tiles did, folded: constant in size however many there were.

    *checksum* is the Adler-32 of the tiles' bytes before compression, in order (PNG). *retried* counts the
    starts of tasks beyond the first. *platforms* are the kinds of machines that computed.
    """

    tiles: int = 0
    retried: int = 0
    written: int = 0
    seconds: float = 0.0
    checksum: Adler = Adler()
    platforms: tuple[str, ...] = ()

    def followed_by(self, later: "Tally") -> "Tally":
        """Return the tally of these tiles and of the *later* ones."""
        return Tally(
            tiles=self.tiles + later.tiles,
            retried=self.retried + later.retried,
            written=self.written + later.written,
            seconds=round(self.seconds + later.seconds, 4),
            checksum=self.checksum.followed_by(later.checksum),
            platforms=tuple(sorted({*self.platforms, *later.platforms})),
        )


class Result(Message):
    """The finished file."""

    format: OutputFormat
    width: int
    height: int
    pixels: Pixels
    size: int


class Outcome(Message):
    """How a job ended; written once, when nothing else is left to do.

    *platforms* are the kinds of machines whose bits the result may depend on; *warnings* are for people.
    """

    state: Literal["succeeded", "failed", "cancelled"]
    finished_at: str
    fault: Fault | None = None
    result: Result | None = None
    tiles: int = 0
    retried: int = 0
    seconds: dict[str, float] = Field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class CleanupOrder(Message):
    """Remove what a finished job no longer needs, then record its outcome."""

    job: JobId
    upload: JobId
    outcome: Outcome
