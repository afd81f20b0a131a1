"""What travels between the API, the orchestrators and the activities: names and boxes, never pixels."""

from typing import Annotated, Final, Literal

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


class JobOrder(Message):
    """What the orchestrator of a job is started with.

    *plan* is there if the upload was inspected before. *run* counts how often the job was taken up: from the
    second on, what is done isn't done again. *marks* are blobs that say something of the job outside its own
    folder. *notify* means that somebody wants word of the end.
    """

    job: JobId
    upload: JobId
    pipeline: tuple[Step, ...]
    output: Output
    page: int = 0
    plan: Plan | None = None
    run: int = 1
    marks: tuple[str, ...] = ()
    notify: bool = False


class IngestOrder(Message):
    """Make *target* of the upload: a block raster, or what its tiles read; keep *exif* if that is wanted.

    What *ingest* says is done between decoding and the raster.
    """

    job: JobId
    upload: JobId
    image: ImageInfo
    target: Raster | Upload
    ingest: Ingest = Ingest()
    exif: bool = False


class DirectOrder(Message):
    """Do a whole job that is one tile."""

    job: JobId
    upload: JobId
    plan: Plan


class TilesOrder(Message):
    """Run the tiles ``first <= index < last`` of a stage, in the *run*-th run of the job."""

    job: JobId
    run: int = 1
    upload: JobId
    image: ImageInfo
    stage: Stage
    output: Output
    first: int
    last: int


class TileOrder(Message):
    """Run *count* tiles of a stage from *tile* on, one after another, in the *run*-th run of the job."""

    job: JobId
    run: int = 1
    upload: JobId
    image: ImageInfo
    stage: Stage
    output: Output
    tile: int
    count: int = 1


class ReduceOrder(Message):
    """Merge what the tiles of a stage measured, and commit the label map they wrote."""

    job: JobId
    stage: Stage


class SurveyOrder(Message):
    """Look what is there of a stage that an earlier run of the job began."""

    job: JobId
    stage: Stage
    output: Output


class PreviewOrder(Message):
    """Put the small pictures of input and result together."""

    job: JobId
    plan: Plan


class OverviewsOrder(Message):
    """Make the overviews that span tiles."""

    job: JobId
    plan: Plan


class StitchOrder(Message):
    """Commit the tiles of the last stage as one file."""

    job: JobId
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


class CleanupOrder(Message):
    """Remove what a finished job no longer needs, then record its outcome. *marks* are the order's."""

    job: JobId
    upload: JobId
    outcome: Outcome
    marks: tuple[str, ...] = ()


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
