"""Ask for a job until it is finished."""

import time
from collections.abc import Callable, Iterator

from tessera_client.errors import ConnectionFailed, Unavailable, WaitTimedOut
from tessera_client.models import Job

SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 1.0


def poll(ask: Callable[[], Job], *, outage: float, timeout: float | None) -> Iterator[Job]:
    """Ask again and again until the state is final, ever more slowly up to once a second.

    Parameters
    ----------
    ask : callable
    outage : float
        Seconds for which the API may be away.
    timeout : float or None
        Seconds for the job to finish.

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
    started = heard = time.monotonic()
    while True:
        try:
            job = ask()
        except (ConnectionFailed, Unavailable):
            if time.monotonic() - heard > outage:
                raise
        else:
            yield job
            if job.finished:
                return
            heard = time.monotonic()
        elapsed = time.monotonic() - started
        if timeout is not None and elapsed >= timeout:
            raise WaitTimedOut(f"the job did not finish within {timeout:g} s", "It goes on.")
        time.sleep(min(max(SHORTEST_PAUSE, elapsed / 10), LONGEST_PAUSE))
