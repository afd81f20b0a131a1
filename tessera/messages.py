"""What travels between the API, the orchestrators and the activities: names and boxes, never pixels."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field

from tessera.plan import (
    ImageInfo,
    Ingest,
    Message,
    Output,
    OutputFormat,
    Pixels,
    Plan,
    Raster,
    Stage,
    Step,
    Upload,
)

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


RESUMABLE: Final = ("gave-up", "internal")
"""Codes of faults that are not the input's: what is done by then is used when the job is taken up again."""


class TaskOrder(Message):
    """What every task of a job is told.

    *run* counts how often the job was taken up. *queued_at* is when the task was scheduled, by the clock of
    its orchestrator (ISO 8601).
    """

    job: JobId
    run: int = 1
    queued_at: str | None = None


class JobOrder(TaskOrder):
    """What the orchestrator of a job is started with.

    *plan* is there if the upload was inspected before. From the second *run* on, what is done isn't done
    again. *marks* are blobs that say something of the job outside its own folder. *notify* means that
    somebody wants word of the end. *outcome* and *begun_at* are there if nothing is left but the end.
    """

    upload: JobId
    pipeline: tuple[Step, ...]
    output: Output
    page: int = 0
    plan: Plan | None = None
    marks: tuple[str, ...] = ()
    notify: bool = False
    outcome: "Outcome | None" = None
    begun_at: str | None = None


class IngestOrder(TaskOrder):
    """Make *target* of the upload: a block raster, or what its tiles read; keep *exif* if that is wanted.

    What *ingest* says is done between decoding and the raster.
    """

    upload: JobId
    image: ImageInfo
    target: Raster | Upload
    ingest: Ingest = Ingest()
    exif: bool = False


class DirectOrder(TaskOrder):
    """Do a whole job that is one tile."""

    upload: JobId
    plan: Plan


class TilesOrder(TaskOrder):
    """Run the tiles ``first <= index < last`` of a stage."""

    upload: JobId
    image: ImageInfo
    stage: Stage
    output: Output
    first: int
    last: int


class TileOrder(TaskOrder):
    """Run *count* tiles of a stage from *tile* on, one after another."""

    upload: JobId
    image: ImageInfo
    stage: Stage
    output: Output
    tile: int
    count: int = 1


class ReduceOrder(TaskOrder):
    """Merge what the tiles of a stage measured, and commit the label map they wrote."""

    stage: Stage


class SurveyOrder(TaskOrder):
    """Look what is there of a stage that an earlier run of the job began."""

    stage: Stage
    output: Output


class PreviewOrder(TaskOrder):
    """Put the small pictures of input and result together."""

    plan: Plan


class OverviewsOrder(TaskOrder):
    """Make the overviews that span tiles."""

    plan: Plan


class StitchOrder(TaskOrder):
    """Commit the tiles of the last stage as one file."""

    plan: Plan


class Tally(Message):
    """What tiles did, folded: constant in size however many there were.

    *retried* counts the starts of tasks beyond the first. *platforms* are the kinds of machines that
    computed.
    """

    tiles: int = 0
    retried: int = 0
    written: int = 0
    seconds: float = 0.0
    platforms: tuple[str, ...] = ()

    def followed_by(self, later: "Tally") -> "Tally":
        """Return the tally of these tiles and of the *later* ones."""
        return Tally(
            tiles=self.tiles + later.tiles,
            retried=self.retried + later.retried,
            written=self.written + later.written,
            seconds=round(self.seconds + later.seconds, 4),
            platforms=tuple(sorted({*self.platforms, *later.platforms})),
        )


class Survey(Message):
    """What an earlier run left of a stage: its *source*, tiles (*done*), gaps ``first <= tile < last``."""

    source: bool
    done: Tally = Tally()
    missing: tuple[tuple[int, int], ...] = ()


class Result(Message):
    """The finished file."""

    format: OutputFormat
    width: int
    height: int
    pixels: Pixels
    size: int

    @classmethod
    def of(cls, plan: Plan, size: int) -> Self:
        """Return the result of *plan*, a file of *size* bytes."""
        made = plan.result
        return cls(
            format=plan.output.format, width=made.width, height=made.height, pixels=made.pixels, size=size
        )


class DirectDone(Message):
    """What a job of one tile did; *result* is None if its overviews are still to be made and stitched."""

    tally: Tally
    result: Result | None = None


class Outcome(Message):
    """How a job ended; written once, when nothing else is left to do.

    *seconds* are those of each phase, *busy* those of all tasks together; *written* is in bytes. *platforms*
    are the kinds of machines whose bits the result may depend on; *warnings* are for people.
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
    busy: float = 0.0
    written: int = 0


class CleanupOrder(TaskOrder):
    """Remove what a finished job no longer needs, then record its outcome.

    *marks* are the order's; *begun_at* is when the orchestrator began (ISO 8601).
    """

    upload: JobId
    outcome: Outcome
    marks: tuple[str, ...] = ()
    begun_at: str | None = None


class NotifyOrder(Message):
    """Send word that a job or a batch is over to where its record says."""

    job: JobId | None = None
    batch: JobId | None = None


class BatchOrder(Message):
    """What the orchestrator of a batch is started with: the jobs ``first <= index < last`` of *count*."""

    batch: JobId
    count: int
    tolerated: int = 0
    notify: bool = False


class BatchPart(Message):
    """Jobs ``first <= index < last`` of a batch."""

    batch: JobId
    first: int
    last: int


class BatchEnd(Message):
    """How the jobs of a batch ended: by index those that were started, the rest never was."""

    batch: JobId
    finished_at: str
    states: tuple[str, ...]
