"""What the API answers. Sizes are in bytes and pixels, times in seconds, dates ISO 8601 in UTC."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel

from tessera.plan import InputFormat, Output, Step
from tessera.receipts import CostRange, Receipt

type JobState = Literal[
    "queued", "inspecting", "running", "stitching", "succeeded", "failed", "cancelling", "cancelled"
]
type TileState = Literal["waiting", "begun", "done"]
FINAL_STATES = ("succeeded", "failed", "cancelled")


class Response(BaseModel):
    """Base of all answers: frozen, without unknown members."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AnyDocument(RootModel[dict[str, JsonValue]]):
    """Any JSON object."""


class Problem(BaseModel):
    """What is wrong, as a problem document (RFC 9457); *code* is for programs, *hint* says what to do."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=False)

    type: str
    title: str
    status: int
    detail: str
    code: str
    limit: int | str | None = Field(None, description="the bound that was crossed")
    actual: int | str | None = Field(None, description="the value that crossed it")
    hint: str | None = None
    pointer: str | None = Field(None, description="JSON pointer to the member of the request")


class UploadView(Response):
    """A place for one file: PUT it to *url*, in one piece or in blocks, until *expires_at*."""

    id: str
    name: str | None
    url: str
    expires_at: str
    max_bytes: int


class CopiedUploadView(Response):
    """An upload that is there already: a copy of what a job has. There is nothing to send, and no URL."""

    id: str
    name: str | None
    size: int


class UploadAnswer(RootModel[UploadView | CopiedUploadView]):
    """A place for a file, or a copy that is there already: it has a *size*, and no *url*."""


class AcceptedView(Response):
    """A job that was taken, stopped or taken up again; *created_at* is when it was submitted."""

    id: str
    state: JobState
    created_at: str


class InputView(Response):
    """What the upload is: one *page*, from 0, of the *pages* that the file has."""

    name: str | None
    size: int
    format: InputFormat
    width: int
    height: int
    channels: int
    depth: int
    page: int
    pages: int


class StageView(Response):
    """The pass over the image that is running: *index* of *count*, from 1."""

    index: int
    count: int
    name: str


class TilesView(Response):
    """Tiles of the whole job: in all, done, and begun again after a failure."""

    total: int = 0
    done: int = 0
    retried: int = 0


class ResultView(Response):
    """The finished file, and a URL that reads it until *expires_at*."""

    url: str
    expires_at: str
    size: int
    media_type: str
    width: int
    height: int
    channels: int
    depth: int
    name: str


class BlockView(Response):
    """A block of the result: its bytes, and their MD5 in hexadecimal digits."""

    size: int
    md5: str


class ResultDetailView(ResultView):
    """The finished file with the digests of its *blocks*, which follow one another without a gap."""

    blocks: tuple[BlockView, ...]


class JobSummary(Response):
    """A job in a list; *code* says why it failed."""

    id: str
    state: JobState
    created_at: str
    finished_at: str | None = None
    name: str | None = None
    operations: tuple[str, ...]
    format: str
    width: int | None = None
    height: int | None = None
    code: str | None = None


class JobView(Response):
    """The answer to ``GET /jobs/{id}``; *error* is a problem document (RFC 9457).

    *eta* is the seconds that are probably left. *run* counts how often the job was taken up. *reports* are
    the documents that operations made, such as statistics, by their place in the pipeline.
    """

    id: str
    state: JobState
    created_at: str
    finished_at: str | None = None
    pipeline: tuple[Step, ...]
    output: Output
    input: InputView | None = None
    stage: StageView | None = None
    tiles: TilesView = TilesView()
    progress: float = 0.0
    eta: float | None = None
    result: ResultView | None = None
    error: dict[str, Any] | None = None
    seconds: dict[str, float] = {}
    receipt: Receipt
    warnings: tuple[str, ...] = ()
    reports: dict[str, dict[str, Any]] = {}
    run: int = 1
    batch: str | None = None


class JobsPage(Response):
    """Jobs, the newest first. A page may hold fewer than asked for; the last has no *next*."""

    jobs: tuple[JobSummary, ...]
    next: str | None = None


class TileView(Response):
    """One tile: *index* over all stages, *stage* from 1. *seconds* are those of the attempt that ended."""

    index: int
    stage: int
    rect: tuple[int, int, int, int] = Field(description="x0, y0, x1, y1 of the output; half-open")
    state: TileState
    attempts: int
    seconds: float | None = None


class TilesPage(Response):
    """Tiles in order; *next* is the index to go on with, or nothing at the end."""

    tiles: tuple[TileView, ...]
    total: int
    next: int | None = None


class PreviewView(Response):
    """A small picture, its longer side at most 2048 pixels."""

    url: str
    expires_at: str
    media_type: str


class PreviewsView(Response):
    """Previews of a job; one that is not made (yet) is left out. That of a small result is its file."""

    input: PreviewView | None = None
    result: PreviewView | None = None


class PlanStageView(Response):
    """A pass over the image, and its tiles: how many, and how large."""

    index: int
    name: str
    tiles: int
    tile_width: int
    tile_height: int


class EstimateView(Response):
    """Seconds until the result: on as many instances as may run, and on one."""

    low: float
    high: float


class PlanView(Response):
    """What a job would take: *memory* in bytes of arrays per task, *work* in seconds of one core."""

    input: InputView
    output: Output
    width: int
    height: int
    channels: int
    depth: int
    direct: bool
    stages: tuple[PlanStageView, ...]
    tiles: int
    memory: int
    work: float
    seconds: EstimateView
    cost: CostRange
    warnings: tuple[str, ...] = ()
