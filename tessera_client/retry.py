"""Try again after failures that pass by themselves."""

import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import tenacity

from tessera_client.errors import TesseraClientError

TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
LONGEST_RETRY_AFTER = 30.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a request is tried.

    Attributes
    ----------
    attempts : int
        Tries in all, at least 1.
    first_wait, longest_wait : float
        Seconds. The n-th wait is random between 0 and ``first_wait * 2**(n-1)``, at most ``longest_wait``.
    outage : float
        Seconds for which ``watch`` and ``wait`` bear an API that is away, beyond the tries of one request.
    """

    attempts: int = 5
    first_wait: float = 0.3
    longest_wait: float = 8.0
    outage: float = 60.0


class TransientFailure(Exception):
    """Raised by an attempt that is worth repeating.

    Parameters
    ----------
    failure : TesseraClientError
        What the caller gets when no attempt is left.
    retry_after : float
        Seconds the server asks to wait.
    """

    def __init__(self, failure: TesseraClientError, retry_after: float = 0.0) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.retry_after = retry_after


def with_retries[T](
    policy: RetryPolicy, attempt: Callable[[], T], cancelled: threading.Event | None = None
) -> T:
    """Call ``attempt`` until it does not raise `TransientFailure`.

    Parameters
    ----------
    policy : RetryPolicy
    attempt : callable
        Has to be safe to repeat.
    cancelled : threading.Event, optional
        When set, waiting ends at once and nothing is tried again.

    Returns
    -------
    object
        What ``attempt`` returned.

    Raises
    ------
    TesseraClientError
        The failure of the last attempt.
    """
    event = cancelled or threading.Event()
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientFailure),
        stop=tenacity.stop_after_attempt(policy.attempts) | tenacity.stop_when_event_set(event),
        wait=_wait(policy),
        sleep=tenacity.sleep_using_event(event),
        reraise=True,
    )
    try:
        return retrying(attempt)
    except TransientFailure as transient:
        raise transient.failure from transient.__cause__


async def with_retries_async[T](policy: RetryPolicy, attempt: Callable[[], Awaitable[T]]) -> T:
    """Do the same as `with_retries` with a coroutine function.

    Parameters
    ----------
    policy : RetryPolicy
    attempt : callable

    Returns
    -------
    object

    Raises
    ------
    TesseraClientError
    """
    retrying = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type(TransientFailure),
        stop=tenacity.stop_after_attempt(policy.attempts),
        wait=_wait(policy),
        reraise=True,
    )
    try:
        return await retrying(attempt)
    except TransientFailure as transient:
        raise transient.failure from transient.__cause__


def _wait(policy: RetryPolicy) -> Callable[[tenacity.RetryCallState], float]:
    backoff = tenacity.wait_random_exponential(multiplier=policy.first_wait, max=policy.longest_wait)

    def wait(state: tenacity.RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        asked = failure.retry_after if isinstance(failure, TransientFailure) else 0.0
        # Beyond what was asked for: all who were sent away at once would come back at once.
        return backoff(state) + min(asked, LONGEST_RETRY_AFTER)

    return wait


def retry_after(headers: Mapping[str, str]) -> float:
    """Read the header Retry-After; only its form in seconds, which is what Azure sends.

    Parameters
    ----------
    headers : mapping
        With names in any case.

    Returns
    -------
    float
        Seconds, 0 where the header is missing or a date.
    """
    value = headers.get("retry-after", "").strip()
    return float(value) if value.isdecimal() else 0.0
