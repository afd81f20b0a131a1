"""The caller's jobs, the newest first, page by page."""

import asyncio
import base64
from typing import Any

from function_app import instances, status
from function_app.instances import Life
from function_app.problems import InvalidCursor, JobNotFound
from function_app.queries import JobsQuery
from function_app.responses import JobsPage, JobSummary
from function_app.services import Services
from tessera import naming

_MOST_LOOKED_AT = 300
_MARK = "jobs after "


async def page(query: JobsQuery, owner: str, client: Any, own: Services) -> JobsPage:
    """Return a page of *owner*'s jobs; with a state wanted, of at most ``_MOST_LOOKED_AT`` looked at.

    Raises
    ------
    InvalidCursor
        If the cursor is none that was given.
    """
    token, found, looked_at = _token(query.cursor), list[JobSummary](), 0
    prefix = naming.index_entry(owner, 0, "").rpartition("/")[0] + "/"
    while True:
        most = query.limit - len(found)
        try:
            names, token = await asyncio.to_thread(own.store.page, naming.JOBS, prefix, most, token)
        except ValueError as error:
            raise _bad_cursor() from error
        summaries = await asyncio.gather(*[_summary(name, owner, client, own) for name in names])
        found += [job for job in summaries if job and query.state in (None, job.state)]
        looked_at += len(names)
        if token is None or len(found) >= query.limit or looked_at >= _MOST_LOOKED_AT:
            return JobsPage(jobs=tuple(found), next=_cursor(token))


async def _summary(name: str, owner: str, client: Any, own: Services) -> JobSummary | None:
    job = name.rpartition("-")[2]
    try:
        snapshot = await asyncio.to_thread(status.take, job, own.store, owner)
        life = Life.ENDED if snapshot.outcome else await instances.life(client, job)
        if snapshot.outcome is None and life in (Life.ENDED, Life.ABSENT):
            # It may have ended between the two looks.
            snapshot = await asyncio.to_thread(status.take, job, own.store, owner)
    except JobNotFound:
        return None
    return status.summary(snapshot, life)


def _cursor(token: str | None) -> str | None:
    return base64.urlsafe_b64encode(f"{_MARK}{token}".encode()).decode() if token else None


def _token(cursor: str | None) -> str | None:
    if not cursor:
        return None
    try:
        text = base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise _bad_cursor() from error
    token = text.removeprefix(_MARK)
    if token in (text, "") or not token.isprintable():
        raise _bad_cursor()
    return token


def _bad_cursor() -> InvalidCursor:
    return InvalidCursor(
        "the cursor is none that was given", pointer="/cursor", hint="begin again without a cursor"
    )
