"""The same as `tessera_client.transport`, for calls of the API, without blocking."""

from typing import Any

import httpx

from tessera_client.answers import connection_failed, read_answer
from tessera_client.calls import Call
from tessera_client.retry import with_retries_async
from tessera_client.settings import LOOPBACK, Connection, http_options


class AsyncTransport:
    """Requests to the API with retries and errors in words; *base* replaces the network."""

    def __init__(self, connection: Connection, base: httpx.AsyncBaseTransport | None = None) -> None:
        self._connection = connection
        self._http = httpx.AsyncClient(
            transport=base,
            mounts={f"all://{host}": None for host in LOOPBACK},
            **http_options(connection.timeout),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def run[T](self, call: Call[T]) -> T:
        """Send a call to the API, again where it fails for the moment, and read its answer.

        Raises
        ------
        ConnectionFailed, UnexpectedResponse, NotFound, Refused, Unavailable
        """

        async def attempt() -> Any:
            return read_answer(await self._send(call))

        return call.read(await with_retries_async(self._connection.policy, attempt))

    async def _send(self, call: Call[Any]) -> httpx.Response:
        try:
            return await self._http.request(
                call.method,
                self._connection.address(call.path),
                json=call.body,
                params=call.query,
                headers={**self._connection.headers, **call.headers},
            )
        except httpx.TransportError as broken:
            raise connection_failed(self._connection.api_url, broken) from broken
