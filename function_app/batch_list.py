"""The caller's batches, the newest first, page by page."""

from concurrent.futures import ThreadPoolExecutor

from activities.store import BlobMissing
from function_app import batches
from function_app.cursors import bad_cursor, cursor_of, token_of
from function_app.queries import BatchesQuery
from function_app.responses_service import BatchesPage, BatchSummary
from function_app.services import Services
from tessera import naming

_AT_ONCE = 8
_KIND = "batches"


def page(query: BatchesQuery, owner: str, own: Services) -> BatchesPage:
    """Return a page of *owner*'s batches.

    Raises
    ------
    InvalidCursor
        If the cursor is none that was given.
    """
    prefix = naming.batch_index_entry(owner, 0, "").rpartition("/")[0] + "/"
    token = token_of(_KIND, query.cursor)
    try:
        names, token = own.store.page(naming.JOBS, prefix, query.limit, token)
    except ValueError as error:
        raise bad_cursor() from error
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda name: _summary(naming.marked_job(name), owner, own), names)
        return BatchesPage(batches=tuple(filter(None, found)), next=cursor_of(_KIND, token))


def _summary(batch: str, owner: str, own: Services) -> BatchSummary | None:
    try:
        record = batches.read_record(batch, own.store)
    except BlobMissing:
        return None
    if record.owner != owner:
        return None
    seen = batches.view(record, own.store)
    return BatchSummary(
        id=seen.id,
        state=seen.state,
        created_at=seen.created_at,
        finished_at=seen.finished_at,
        total=seen.total,
        done=seen.done,
        failed=seen.failed,
        operations=tuple(step.operation for step in record.pipeline),
        format=record.output.format,
    )
