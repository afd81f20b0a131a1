"""Where everything is: containers, blob names and block ids. The one place that knows."""

from typing import Final

UPLOADS: Final = "uploads"
WORK: Final = "work"
RESULTS: Final = "results"
JOBS: Final = "jobs"
CONTAINERS: Final = (UPLOADS, WORK, RESULTS, JOBS)

HEAD_BLOCK: Final = "h0000000"
TAIL_BLOCK: Final = "z0000000"
MAX_BLOCKS: Final = 50_000
"""Blocks of one blob, a limit of the Blob service."""


def tile_block(index: int) -> str:
    """Return the id of the block of tile *index*; all ids have the same length.

    >>> tile_block(12)
    't0000012'
    """
    return f"t{index:07d}"


def source_raster() -> str:
    """Return the name of the decoded input inside the work area of a job."""
    return "source"


def label_raster(stage: int) -> str:
    """Return the name of the label map that stage *stage* writes."""
    return f"labels-{stage:02d}"


def summaries(stage: int) -> str:
    """Return the name of what the tiles of stage *stage* measured."""
    return f"{SUMMARIES}{stage:02d}"


SUMMARIES: Final = "summaries-"


def table(stage: int) -> str:
    """Return the name of the table that resolves the label map of stage *stage*."""
    return f"table-{stage:02d}"


def attempt(task: str, number: int) -> str:
    """Return the name of the mark that attempt *number* (from 1) of *task* has begun.

    Second and later attempts have a folder of their own, so that one listing shows the retries.
    """
    folder = "attempts" if number == 1 else RETRIES
    return f"{folder}/{task}/{number}"


RETRIES: Final = "retries"


def indexes() -> str:
    """Return the name of what the head of a result must know of its parts, by the ids of their blocks."""
    return "indexes"


def rest_raster() -> str:
    """Return the name of the overview that is kept to make the ones above it."""
    return "rest"


def work(job: str, name: str = "") -> str:
    """Return the blob of *name* in the work area of *job*; without a name, the area's prefix."""
    return f"{job}/{name}"


def result(job: str, extension: str) -> str:
    """Return the blob of the finished file."""
    return f"{job}.{extension}"


def record(job: str) -> str:
    """Return the blob that says what was asked for."""
    return f"{job}/record.json"


def plan(job: str) -> str:
    """Return the blob that holds the plan, once there is one."""
    return f"{job}/plan.json"


def report(job: str, place: int) -> str:
    """Return the blob of the document that operation *place* of the pipeline made."""
    return f"{job}/report-{place:02d}.json"


def stop_flag(job: str) -> str:
    """Return the blob whose existence keeps any further task of the job from starting.

    Its content is one of `STOP_CANCEL`, `STOP_DELETE` and `STOP_DONE`: who asked, and for what.
    """
    return f"{job}/stop"


STOP_CANCEL: Final = b"cancel"
STOP_DELETE: Final = b"delete"
STOP_DONE: Final = b"done"


def profile() -> str:
    """Return the name of the input's colour profile inside the work area of a job."""
    return "profile.icc"


def exif() -> str:
    """Return the name of the input's EXIF block inside the work area of a job."""
    return "exif"


def restarts() -> str:
    """Return the name of the index of a JPEG's restart markers inside the work area of a job."""
    return "restarts"


def tile_task(stage: int, tile: int) -> str:
    """Return the name under which the attempts at a task are counted, which begins with *tile*."""
    return f"stage-{stage:02d}-tile-{tile:07d}"


INDEX: Final = "index"
"""Folder of the marks by which jobs are listed."""

RUNNING: Final = "running"
"""Folder of the marks of jobs that are not over."""


def index_entry(owner: str, at: int, job: str) -> str:
    """Return the mark that lists a job; *at* is in milliseconds since 1970, and the newest sorts first."""
    return f"{INDEX}/{owner}/{_LATEST - at:013d}-{job}"


def batch_index_entry(owner: str, at: int, batch: str) -> str:
    """Return the mark that lists a batch, as `index_entry` lists a job."""
    return f"batch-index/{owner}/{_LATEST - at:013d}-{batch}"


def index_time(entry: str) -> int:
    """Return the milliseconds since 1970 that a mark of a list holds.

    >>> index_time(index_entry("owner", 1234, "0" * 32))
    1234
    """
    return _LATEST - int(entry.rpartition("/")[2].partition("-")[0])


def running_mark(owner: str, job: str) -> str:
    """Return the mark that a job of *owner* isn't over, in a folder of its own: folders are listed sooner."""
    return f"{running_marks(owner)}{job}/mark"


def running_marks(owner: str) -> str:
    """Return what the marks of all jobs of *owner* that aren't over begin with."""
    return f"{RUNNING}/{owner}/"


def marked_job(mark: str) -> str:
    """Return the job (or the batch) that an entry of a list or a mark of a running job is of.

    >>> marked_job(running_mark("owner", "0123456789abcdef0123456789abcdef"))
    '0123456789abcdef0123456789abcdef'
    >>> marked_job(index_entry("owner", 1234, "0123456789abcdef0123456789abcdef"))
    '0123456789abcdef0123456789abcdef'
    """
    return mark.split("/")[2][-ID_LENGTH:]


def key_lock(owner: str, digest: str) -> str:
    """Return the blob that ties an Idempotency-Key, given by its digest, to what it started."""
    return f"keys/{owner}-{digest}"


def usage(owner: str, day: str) -> str:
    """Return the blob that counts what *owner* sent on a day."""
    return f"usage/{day}/{owner}"


def batch(batch: str, name: str = "record.json") -> str:
    """Return the blob that says something of a batch."""
    return f"batches/{batch}/{name}"


def tiles(job: str, stage: str) -> str:
    """Return the blob that says, once the work is removed, what its tiles of *stage* took."""
    return f"{job}/tiles-{stage}.json"


LAST_STAGE: Final = "last"
"""Stands for the last stage in `tiles`, whose parts are those of the result."""


def preview(job: str, of: str) -> str:
    """Return the blob of a small picture of a job's ``input`` or ``result``, beside the result."""
    return f"{job}.{of}-preview.jpg"


def patches(of: str) -> str:
    """Return the name of what tiles keep of the ``input`` or the ``result`` for its small picture."""
    return f"patches-{of}"


_LATEST: Final = 10**13 - 1
ID_LENGTH: Final = 32
"""Digits of the id of a job."""

INSPECT_TASK: Final = "inspect"
INGEST_TASK: Final = "ingest"
DIRECT_TASK: Final = "direct"


def outcome(job: str) -> str:
    """Return the blob that says how the job ended."""
    return f"{job}/outcome.json"
