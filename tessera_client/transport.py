"""The one place that sends requests and waits for the answer: to the API, and to the storage it names."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from tessera_client.answers import connection_failed, read_answer, reason, refusal
from tessera_client.calls import Call
from tessera_client.errors import UploadFailed, UploadRefused
from tessera_client.retry import TRANSIENT_STATUSES, RetryPolicy, TransientFailure, retry_after, with_retries
from tessera_client.settings import LOOPBACK, connection, http_options

EXPIRED_HINT = "The permission to write may have run out: start again."


class Transport:
    """Requests with retries and errors in words.

    Parameters
    ----------
    api_url : str or None
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
        api_url: str | None,
        api_key: str | None,
        *,
        timeout: float,
        policy: RetryPolicy | None,
        base: httpx.BaseTransport | None = None,
    ) -> None:
        self.connection = connection(api_url, api_key, timeout, policy)
        # A proxy of the environment is for other machines than this one.
        self._http = httpx.Client(
            transport=base, mounts={f"all://{host}": None for host in LOOPBACK}, **http_options(timeout)
        )

    @property
    def policy(self) -> RetryPolicy:
        """Return how patient it is."""
        return self.connection.policy

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def run[T](self, call: Call[T]) -> T:
        """Send a call to the API, again where it fails for the moment, and read its answer.

        Raises
        ------
        ConnectionFailed, UnexpectedResponse, NotFound, Refused, Unavailable
        """
        return call.read(with_retries(self.policy, lambda: read_answer(self._send(call))))

    def put(
        self,
        url: str,
        content: bytes | Iterable[bytes],
        headers: Mapping[str, str],
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
        cancelled : threading.Event, optional
            Ends the waiting between two tries.

        Raises
        ------
        UploadRefused
            When storage will not take them later either.
        UploadFailed
            When no try is left.
        """

        def attempt() -> None:
            try:
                response = self._http.put(url, content=content, headers=headers)
            except httpx.TransportError as broken:
                failure = UploadFailed(f"the connection to storage broke: {reason(broken)}")
                raise TransientFailure(failure) from broken
            if response.status_code in TRANSIENT_STATUSES or _was_damaged(response):
                raise TransientFailure(UploadFailed(refusal(response)), retry_after(response.headers))
            if not response.is_success:
                raise UploadRefused(refusal(response), EXPIRED_HINT if response.status_code == 403 else None)

        with_retries(self.policy, attempt, cancelled)

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Open a response of storage whose body is read by the caller; raises what httpx raises."""
        with self._http.stream("GET", url, headers=headers) as response:
            yield response

    def _send(self, call: Call[Any]) -> httpx.Response:
        try:
            return self._http.request(
                call.method,
                self.connection.address(call.path),
                json=call.body,
                params=call.query,
                headers={**self.connection.headers, **call.headers},
            )
        except httpx.TransportError as broken:
            raise connection_failed(self.connection.api_url, broken) from broken


def _was_damaged(response: httpx.Response) -> bool:
    """Say whether storage got other bytes than were sent, by their digest."""
    return bool(response.headers.get("x-ms-error-code") == "Md5Mismatch")
