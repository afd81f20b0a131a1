"""The one place that sends requests: to the API, and to the storage addresses the API hands out."""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from tessera_client.decoding import decode
from tessera_client.errors import (
    ApiError,
    ConnectionFailed,
    NotFound,
    Refused,
    TesseraClientError,
    Unavailable,
    UnexpectedResponse,
)
from tessera_client.models import Problem
from tessera_client.retry import TRANSIENT_STATUSES, RetryPolicy, TransientFailure, retry_after, with_retries

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
START_HINT = "Is it running there? Start it with `make up`, or set TESSERA_API_URL to its address."
EXPIRED_HINT = "The permission to write may have run out: start again."
KEY_HINT = "Set TESSERA_API_KEY to a key of this API."


class Transport:
    """Requests with retries and errors in words.

    Parameters
    ----------
    api_url : str
        ``http://`` or ``https://`` address of the API, without ``/api/v1``.
    api_key : str or None
        Sent to the API only, never to storage.
    timeout : float
        Seconds without a byte before a request is given up.
    policy : RetryPolicy
    base : httpx.BaseTransport, optional
        Replaces the network.

    Raises
    ------
    ConnectionFailed
        When ``api_url`` is no such address.
    """

    def __init__(
        self,
        api_url: str,
        api_key: str | None,
        *,
        timeout: float,
        policy: RetryPolicy,
        base: httpx.BaseTransport | None = None,
    ) -> None:
        self.api_url = _checked(api_url)
        self.policy = policy
        self._api_headers = {"x-functions-key": api_key} if api_key else {}
        self._http = httpx.Client(
            transport=base,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0), pool=None),
            # A proxy of the environment is for other machines than this one.
            mounts={f"all://{host}": None for host in LOOPBACK},
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def api(
        self, method: str, path: str, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Send a request to the API, again where it fails for the moment.

        Parameters
        ----------
        method : str
        path : str
            Below ``/api/v1/``.
        body : object, optional
            Sent as JSON.
        headers : mapping, optional

        Returns
        -------
        object
            The decoded JSON; None for an answer without a body.

        Raises
        ------
        ConnectionFailed, UnexpectedResponse, NotFound, Refused, Unavailable
        """
        url = f"{self.api_url}/api/v1/{path}"

        def attempt() -> httpx.Response:
            try:
                response = self._http.request(
                    method, url, json=body, headers={**self._api_headers, **(headers or {})}
                )
            except httpx.TransportError as broken:
                raise TransientFailure(self._connection_failed(broken)) from broken
            if response.status_code in TRANSIENT_STATUSES:
                raise TransientFailure(_api_error(response), retry_after(response.headers))
            return response

        response = with_retries(self.policy, attempt)
        if not response.is_success:
            raise _api_error(response)
        return _json(response) if response.content else None

    def put(
        self,
        url: str,
        content: bytes | Iterable[bytes],
        headers: Mapping[str, str],
        *,
        failure: type[TesseraClientError],
        cancelled: threading.Event | None = None,
    ) -> None:
        """Send bytes to storage, again where that fails for the moment.

        Parameters
        ----------
        url : str
            Never appears in an error.
        content : bytes or iterable of bytes
            An iterable has to start over each time it is iterated.
        headers : mapping
        failure : type
            The error to raise.
        cancelled : threading.Event, optional
            Ends the waiting between two tries.
        """

        def attempt() -> None:
            try:
                response = self._http.put(url, content=content, headers=headers)
            except httpx.TransportError as broken:
                raise TransientFailure(
                    failure(f"the connection to storage broke: {reason(broken)}")
                ) from broken
            if response.status_code in TRANSIENT_STATUSES:
                raise TransientFailure(failure(refusal(response)), retry_after(response.headers))
            if not response.is_success:
                raise failure(refusal(response), EXPIRED_HINT if response.status_code == 403 else None)

        with_retries(self.policy, attempt, cancelled)

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Open a response of storage whose body is read by the caller; raises what httpx raises."""
        with self._http.stream("GET", url, headers=headers) as response:
            yield response

    def _connection_failed(self, broken: httpx.TransportError) -> ConnectionFailed:
        return ConnectionFailed(f"cannot reach the API at {self.api_url}: {reason(broken)}", START_HINT)


def reason(broken: Exception) -> str:
    """Say in words why a connection failed; httpx leaves the text empty for some."""
    return str(broken) or type(broken).__name__


def refusal(response: httpx.Response) -> str:
    """Say what storage answered, without its address."""
    code = response.headers.get("x-ms-error-code") or response.reason_phrase
    return f"storage answered {response.status_code} {code}".rstrip()


def _checked(api_url: str) -> str:
    try:
        url = httpx.URL(api_url.strip())
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ConnectionFailed(
            f"'{api_url}' is not the address of an API", "Write it in full, such as http://127.0.0.1:7071."
        )
    return str(url).rstrip("/")


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
