"""What the API answers about a job. Sizes are in bytes and pixels, times in seconds."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tessera.plan import InputFormat, Output, Step

type JobState = Literal[
    "queued", "inspecting", "running", "stitching", "succeeded", "failed", "cancelling", "cancelled"
]
FINAL_STATES = ("succeeded", "failed", "cancelled")


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputView(_Response):
    """What the upload is."""

    name: str | None
    size: int
    format: InputFormat
    width: int
    height: int
    channels: int
    depth: int


class StageView(_Response):
    """The pass over the image that is running: *index* of *count*, from 1."""

    index: int
    count: int
    name: str


class TilesView(_Response):
    """Tiles of the whole job: in all, done, and begun again after a failure."""

    total: int = 0
    done: int = 0
    retried: int = 0


class ResultView(_Response):
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


class JobView(_Response):
    """The answer to ``GET /jobs/{id}``; *error* is a problem document (RFC 9457)."""

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
    result: ResultView | None = None
    error: dict[str, Any] | None = None
    seconds: dict[str, float] = {}
