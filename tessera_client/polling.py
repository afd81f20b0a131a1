"""Ask for a job until it is finished: how long to wait between two questions, and when to give up."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from tessera_client.errors import ConnectionFailed, Unavailable, WaitTimedOut
from tessera_client.models import Job

SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 1.0
LONGEST_ASKED = 30.0


class Patience:
    """Times the questions about one job.

    Parameters
    ----------
    outage : float
        Seconds for which the API may be away.
    timeout : float or None
        Seconds for the job to finish.
    """

    def __init__(self, outage: float, timeout: float | None) -> None:
        self._outage = outage
        self._timeout = timeout
        self._started = self._heard = time.monotonic()

    def heard(self) -> None:
        """Note an answer."""
        self._heard = time.monotonic()

    def bears(self) -> bool:
        """Say whether the API may be away a little longer."""
        return time.monotonic() - self._heard <= self._outage

    def pause(self, job: Job | None) -> float:
        """Return the seconds until the next question, up to one, or what the API asks if more.

        A quarter of what is probably left, so that the end isn't missed by long; ever more where that isn't
        known. An expectation that stays short is trusted less as time goes by.

        Raises
        ------
        WaitTimedOut
            When no time is left.
        """
        elapsed = time.monotonic() - self._started
        if self._timeout is not None and elapsed >= self._timeout:
            raise WaitTimedOut(f"the job did not finish within {self._timeout:g} s", "It goes on.")
        shortest = max(SHORTEST_PAUSE, elapsed / 100)
        wanted = job.eta / 4 if job and job.eta is not None else elapsed / 20
        own = min(max(shortest, wanted), LONGEST_PAUSE)
        asked = min(job.retry_after, LONGEST_ASKED) if job else 0.0
        chosen = asked if asked > LONGEST_PAUSE else own
        return chosen if self._timeout is None else min(chosen, max(self._timeout - elapsed, 0.0))


def poll(ask: Callable[[Job | None], Job], *, outage: float, timeout: float | None) -> Iterator[Job]:
    """Ask again and again until the state is final.

    Parameters
    ----------
    ask : callable
        Takes the last answer.
    outage, timeout : float
        See `Patience`.

    Yields
    ------
    Job
        Every answer; the last one is final.

    Raises
    ------
    WaitTimedOut
        When it has not finished in time.
    ConnectionFailed, Unavailable
        When the API is away for longer than ``outage``.
    """
    patience, job = Patience(outage, timeout), None
    while True:
        try:
            job = ask(job)
        except (ConnectionFailed, Unavailable):
            if not patience.bears():
                raise
        else:
            yield job
            if job.finished:
                return
            patience.heard()
        time.sleep(patience.pause(job))


async def poll_async(
    ask: Callable[[Job | None], Awaitable[Job]], *, outage: float, timeout: float | None
) -> AsyncIterator[Job]:
    """Do the same as `poll` without blocking."""
    patience, job = Patience(outage, timeout), None
    while True:
        try:
            job = await ask(job)
        except (ConnectionFailed, Unavailable):
            if not patience.bears():
                raise
        else:
            yield job
            if job.finished:
                return
            patience.heard()
        await asyncio.sleep(patience.pause(job))
