"""What an answer of the API or of storage means: a document, or one of our errors."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tessera_client.decoding import decode
from tessera_client.errors import (
    ApiError,
    ConnectionFailed,
    NotFound,
    Refused,
    Unavailable,
    UnexpectedResponse,
)
from tessera_client.models import Problem
from tessera_client.retry import TRANSIENT_STATUSES, TransientFailure, retry_after

START_HINT = "Is it running there? Start it with `make up`, or set TESSERA_API_URL to its address."
KEY_HINT = "Set TESSERA_API_KEY to a key of this API."


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: its status, its JSON (None without a body) and its headers, by names in lower case."""

    status: int
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def read_answer(response: httpx.Response) -> Answer:
    """Turn a response of the API into its answer; 304 is one too.

    Raises
    ------
    TransientFailure
        When it is worth asking again.
    UnexpectedResponse, NotFound, Refused, Unavailable
    """
    if response.status_code in TRANSIENT_STATUSES:
        raise TransientFailure(_api_error(response), retry_after(response.headers))
    if not response.is_success and response.status_code != 304:
        raise _api_error(response)
    document = _json(response) if response.content else None
    return Answer(response.status_code, document, {k.lower(): v for k, v in response.headers.items()})


def connection_failed(api_url: str, broken: httpx.TransportError) -> TransientFailure:
    """Return what a broken connection to the API is: worth trying again, in the end `ConnectionFailed`."""
    return TransientFailure(
        ConnectionFailed(f"cannot reach the API at {api_url}: {reason(broken)}", START_HINT)
    )


def reason(broken: Exception) -> str:
    """Say in words why a connection failed; httpx leaves the text empty for some."""
    return str(broken) or type(broken).__name__


def refusal(response: httpx.Response) -> str:
    """Say what storage answered, without its address."""
    code = response.headers.get("x-ms-error-code") or response.reason_phrase
    return f"storage answered {response.status_code} {code}".rstrip()


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        raise _not_ours(response) from None


def _not_ours(response: httpx.Response) -> UnexpectedResponse:
    what = f"{response.status_code} {response.headers.get('content-type') or 'without a body'}"
    return UnexpectedResponse(
        f"what answers at {response.url.copy_with(query=None)} is not the Tessera API ({what})",
        "Check --api or TESSERA_API_URL.",
    )


def _api_error(response: httpx.Response) -> ApiError | UnexpectedResponse:
    status = response.status_code
    described = "json" in response.headers.get("content-type", "")
    if not described and (300 <= status < 400 or status == 404):
        return _not_ours(response)
    problem = _problem(response)
    hint = KEY_HINT if status in (401, 403) else None
    if status == 404:
        return NotFound(problem, hint)
    if status == 429 or status >= 500:
        return Unavailable(problem, hint)
    return Refused(problem, hint)


def _problem(response: httpx.Response) -> Problem:
    status = response.status_code
    bare = {"status": status, "title": f"the API answered {status} {response.reason_phrase}".rstrip()}
    try:
        return decode(Problem, bare | response.json() | {"status": status})
    except (ValueError, TypeError, UnexpectedResponse):
        return decode(Problem, bare)


class _WithoutQuery(logging.Filter):
    """Takes the query, and with it the permission, out of the addresses that httpx logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg for arg in record.args
            )
        return True


logging.getLogger("httpx").addFilter(_WithoutQuery())
