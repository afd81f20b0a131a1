"""The caller's jobs, the newest first, page by page."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

from function_app import instances, status
from function_app.cursors import bad_cursor, cursor_of, token_of
from function_app.instances import Life
from function_app.problems import JobNotFound
from function_app.queries import JobsQuery
from function_app.responses import JobsPage, JobSummary
from function_app.services import Services
from tessera import naming

_MOST_LOOKED_AT = 300
_KIND = "jobs"


async def page(query: JobsQuery, owner: str, client: Any, own: Services) -> JobsPage:
    """Return a page of *owner*'s jobs; with some wanted only, of at most ``_MOST_LOOKED_AT`` looked at.

    Raises
    ------
    InvalidCursor
        If the cursor is none that was given.
    """
    token, found, looked_at = token_of(_KIND, query.cursor), list[JobSummary](), 0
    prefix = naming.index_entry(owner, 0, "").rpartition("/")[0] + "/"
    while True:
        most = query.limit - len(found)
        try:
            names, token = await asyncio.to_thread(own.store.page, naming.JOBS, prefix, most, token)
        except ValueError as error:
            raise bad_cursor() from error
        days = [_day(name) for name in names]
        if query.since and any(day < query.since for day in days):
            # The newest come first: all that follows is older still.
            token = None
        of_days = [name for name, day in zip(names, days, strict=True) if _within(day, query)]
        summaries = await asyncio.gather(*[_summary(name, owner, client, own) for name in of_days])
        found += [job for job in summaries if job and _is_wanted(job, query)]
        looked_at += len(names)
        if token is None or len(found) >= query.limit or looked_at >= _MOST_LOOKED_AT:
            return JobsPage(jobs=tuple(found), next=cursor_of(_KIND, token))


def _day(name: str) -> date:
    return datetime.fromtimestamp(naming.index_time(name) / 1000, UTC).date()


def _within(day: date, query: JobsQuery) -> bool:
    return (query.since or date.min) <= day <= (query.until or date.max)


def _is_wanted(job: JobSummary, query: JobsQuery) -> bool:
    if query.state not in (None, job.state):
        return False
    text = (query.text or "").casefold()
    return any(text in each.casefold() for each in (job.name or "", *job.operations))


async def _summary(name: str, owner: str, client: Any, own: Services) -> JobSummary | None:
    job = naming.marked_job(name)
    try:
        snapshot = await asyncio.to_thread(status.take, job, own.store, owner)
        life = Life.ENDED if snapshot.outcome else await instances.life(client, job)
        if snapshot.outcome is None and life in (Life.ENDED, Life.ABSENT):
            # It may have ended between the two looks.
            snapshot = await asyncio.to_thread(status.take, job, own.store, owner)
    except JobNotFound:
        return None
    return status.summary(snapshot, life)
