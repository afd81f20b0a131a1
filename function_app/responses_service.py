"""What the API answers about batches, the catalogue and the service itself."""

from typing import Any, Literal

from pydantic import Field

from function_app.responses import JobState, Response
from tessera.plan import Step

type BatchState = Literal["running", "cancelling", "succeeded", "failed", "cancelled"]


class BatchAccepted(Response):
    """A batch that was taken or stopped."""

    id: str
    state: BatchState
    created_at: str


class BatchEntry(Response):
    """One input of a batch in its manifest: the job it became, and how that ended."""

    upload_id: str
    name: str | None
    job: str
    state: JobState
    code: str | None = None
    size: int | None = None


class BatchView(Response):
    """A batch: its jobs in all, over, and, once all are, the manifest."""

    id: str
    state: BatchState
    created_at: str
    finished_at: str | None = None
    total: int
    done: int
    failed: int | None = None
    tolerated_failures: int
    manifest: tuple[BatchEntry, ...] | None = None


class BatchSummary(Response):
    """A batch in a list."""

    id: str
    state: BatchState
    created_at: str
    finished_at: str | None
    total: int
    done: int
    failed: int | None
    operations: tuple[str, ...]
    format: str


class BatchesPage(Response):
    """Batches, the newest first; the last page has no *next*."""

    batches: tuple[BatchSummary, ...]
    next: str | None = None


class KindsView(Response):
    """Kinds of pixels."""

    channels: tuple[int, ...]
    depths: tuple[int, ...]


class OperationView(Response):
    """An entry of the catalogue; *produces* is what its default parameters make of what it accepts.

    *delicate* says why the bits may depend on the kind of processor, if they may.
    """

    name: str
    summary: str
    kind: str = Field(alias="class")
    exact: bool
    delicate: str | None
    parameters: dict[str, Any]
    accepts: KindsView
    produces: KindsView


class OperationsView(Response):
    """The catalogue."""

    operations: tuple[OperationView, ...]


class PresetView(Response):
    """A stored pipeline, to be sent as the pipeline of a job."""

    name: str
    summary: str
    pipeline: tuple[Step, ...]


class PresetsView(Response):
    """The stored pipelines."""

    presets: tuple[PresetView, ...]


class HealthView(Response):
    """The app answers."""

    status: Literal["ok"] = "ok"
    version: str


class ReadyView(Response):
    """What the app needs can be reached."""

    status: Literal["ready"] = "ready"
