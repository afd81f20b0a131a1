"""What the API answers about plans, lists and details, as frozen dataclasses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from tessera_client.models import ImageInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStage:
    """One pass over the image: its tiles of *columns* x *rows*, and the pixels read around each (*halo*)."""

    index: int | None = None
    name: str = ""
    tiles: int = 0
    columns: int | None = None
    rows: int | None = None
    halo: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Seconds until the result, at best and at worst."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a job would take.

    Attributes
    ----------
    width, height, channels, depth : int or None
        Of the result; pixels, channels and bits.
    direct : bool
        Whether one task does it all.
    memory : int or None
        Bytes of arrays that one task holds.
    work : float or None
        Seconds of one core.
    cost : object
        US dollars, as the API tells them.
    warnings : tuple of str
    document : dict
        The API's whole answer.
    """

    input: ImageInfo | None = None
    width: int | None = None
    height: int | None = None
    channels: int | None = None
    depth: int | str | None = None
    direct: bool = False
    stages: tuple[PlanStage, ...] = ()
    tiles: int = 0
    memory: int | None = None
    work: float | None = None
    seconds: Estimate | None = None
    cost: Any = None
    warnings: tuple[str, ...] = ()
    document: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """A job in a list; *code* names why it failed."""

    id: str
    state: str
    created_at: datetime | None = None
    finished_at: datetime | None = None
    name: str | None = None
    operations: tuple[str, ...] = ()
    format: str | None = None
    width: int | None = None
    height: int | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """Some jobs, the newest first; *next* is the cursor of the page after, None on the last."""

    jobs: tuple[JobSummary, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A tile of a job: *index* over all stages, *rect* its box (x0, y0, x1, y1), seconds once it is done."""

    index: int
    state: str
    stage: int | None = None
    rect: tuple[int, ...] = ()
    attempts: int = 0
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TilePage:
    """Some tiles of a job, in order; *next* is the index to go on with, None at the end."""

    tiles: tuple[Tile, ...]
    total: int = 0
    next: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A small picture; its address carries its own permission, so it is left out of ``repr``."""

    url: str = field(repr=False)
    expires_at: datetime | None = None
    media_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Previews:
    """Small pictures of a job; None where one is not made (yet)."""

    input: Preview | None = None
    result: Preview | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEntry:
    """One input of a batch in its manifest: the job it became and how that ended; *size* of the result."""

    upload_id: str
    job: str
    state: str
    name: str | None = None
    code: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One pipeline over many images: its jobs in all and over; *manifest* once all are.

    Attributes
    ----------
    state : str
        ``running``, ``cancelling``, or one of the final states ``succeeded``, ``failed``, ``cancelled``.
    """

    id: str
    state: str
    created_at: datetime | None = None
    finished_at: datetime | None = None
    total: int = 0
    done: int = 0
    failed: int | None = None
    tolerated_failures: int = 0
    manifest: tuple[BatchEntry, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSummary:
    """A batch in a list."""

    id: str
    state: str
    created_at: datetime | None = None
    finished_at: datetime | None = None
    total: int = 0
    done: int = 0
    failed: int | None = None
    operations: tuple[str, ...] = ()
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPage:
    """Some batches, the newest first; *next* is the cursor of the page after, None on the last."""

    batches: tuple[BatchSummary, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs of a list are wanted; what is None doesn't matter.

    Attributes
    ----------
    state : str or None
    text : str or None
        A part of the file name or of an operation's name; upper and lower case are the same.
    since, until : date or None
        First and last day (UTC) on which they began.
    """

    state: str | None = None
    text: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Whether the API reaches its storage and its task hub; *checks* tells each where the API does."""

    status: str
    checks: Mapping[str, Any] = field(default_factory=dict)
