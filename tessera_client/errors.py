"""What can go wrong, one class per thing a caller can do about it."""

from tessera_client.models import Job, Problem


class TesseraClientError(Exception):
    """Root of all errors of this package.

    Attributes
    ----------
    hint : str or None
        What to do about it, in one sentence.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class InvalidPipeline(TesseraClientError):
    """Raised before anything is sent, when an operation is written wrongly or is not in the catalogue."""


class ConnectionFailed(TesseraClientError):
    """Raised when the API cannot be reached, after the retries."""


class UnexpectedResponse(TesseraClientError):
    """Raised when what answers at the address does not speak the Tessera API."""


class ApiError(TesseraClientError):
    """Raised when the API answers with an error.

    Attributes
    ----------
    problem : Problem
        The error as the API describes it.
    """

    def __init__(self, problem: Problem, hint: str | None = None) -> None:
        super().__init__(describe(problem), problem.hint or hint)
        self.problem = problem


class NotFound(ApiError):
    """Raised when there is no such job or upload, or no longer (status 404)."""


class Refused(ApiError):
    """Raised when the request has to be changed before it can be accepted (any other status 4xx)."""


class Unavailable(ApiError):
    """Raised when the API is overloaded or broken, after the retries (status 429 or 5xx): try later."""


class JobFailed(TesseraClientError):
    """Raised by ``wait`` and ``download`` when the job failed or was cancelled.

    Attributes
    ----------
    job : Job
        The job in its final state.
    """

    def __init__(self, job: Job) -> None:
        reason = f": {describe(job.error)}" if job.error else ""
        verb = "was cancelled" if job.state == "cancelled" else "failed"
        super().__init__(f"job {job.id} {verb}{reason}", job.error.hint if job.error else None)
        self.job = job


class UploadFailed(TesseraClientError):
    """Raised when the input cannot be read, is too large, or storage does not take it."""


class UploadRefused(UploadFailed):
    """Raised when storage will not take the bytes at this place again: upload anew, not where it stopped."""


class DownloadFailed(TesseraClientError):
    """Raised when the result cannot be fetched or written; the target is left as it was."""


class WaitTimedOut(TesseraClientError):
    """Raised by ``wait`` when the job did not finish in the given time; the job goes on."""


def describe(problem: Problem) -> str:
    """Put a problem into one line: title, detail, limit against actual value, and where.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    str
    """
    text = problem.title
    if problem.detail and problem.detail != problem.title:
        text = f"{problem.title.rstrip('.')}: {problem.detail}"
    named = {"limit": problem.limit, "actual": problem.actual, "at": problem.pointer}
    facts = [f"{name} {value}" for name, value in named.items() if value is not None]
    return f"{text.rstrip('.')} ({', '.join(facts)})" if facts else text
