"""A proxy in front of Azurite that passes calls on as they were signed, or makes them fail."""

import asyncio
import io
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web
from yarl import URL

from drill import kinds
from drill.ledger import Ledger
from drill.storage_faults import Call, StorageFaults

_HOST = "127.0.0.1"
_LARGEST_BODY = 256 << 20
_SLOW_SECONDS = 2.0
_LOOK_EVERY = 0.02
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
_ADDED_BY_AIOHTTP = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_ERROR = '<?xml version="1.0" encoding="utf-8"?><Error><Code>{0}</Code><Message>injected</Message></Error>'


class Dropped(Exception):
    """The connection was reset; there is nobody to answer."""


class StorageProxy:
    """Reverse proxy to a blob service on this machine.

    Path, query, Host and all signed headers go on unchanged, so shared keys and SAS stay valid.

    Parameters
    ----------
    port : int
        Of the service.
    faults : StorageFaults
    ledger : Ledger
        Gets an entry for each fault.
    """

    def __init__(self, port: int, faults: StorageFaults, ledger: Ledger) -> None:
        self._service = f"http://{_HOST}:{port}"
        self._faults = faults
        self._ledger = ledger
        self._held: asyncio.Future[None] | None = None
        self._writing = 0
        self.calls = self.held = 0

    @property
    def port(self) -> int:
        """Where it listens, once started."""
        return self._port

    async def start(self) -> None:
        """Begin to serve on a free port."""
        self._session = ClientSession(
            connector=TCPConnector(limit=0), timeout=ClientTimeout(total=None), auto_decompress=False
        )
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        listener = socket.create_server((_HOST, 0), backlog=512)
        self._port = int(listener.getsockname()[1])
        await web.SockSite(self._runner, listener).start()

    async def close(self) -> None:
        """End it."""
        self.drop_held()
        await self._session.close()
        await self._runner.cleanup()

    async def hold_writes(self) -> None:
        """Let calls that change something wait until `drop_held`, and return when none is under way."""
        self._held = asyncio.get_running_loop().create_future()
        while self._writing:
            await asyncio.sleep(_LOOK_EVERY)

    def drop_held(self) -> None:
        """Break held calls off, and hold no more."""
        held, self._held = self._held, None
        if held is not None:
            held.set_result(None)

    def stop_faults(self) -> None:
        """From now on, let every call through."""
        self._faults.share = 0.0

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.calls += 1
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(request.method, request.raw_path, headers, body)
        kind = self._faults.choose(call)
        if kind is not None:
            self._ledger.note(kind, call.shown)
        try:
            return await self._answer(request, call, kind)
        except (Dropped, ClientError, OSError):
            # Azurite itself may be away: its clients see a broken connection, as they would without a proxy.
            _reset(request)
            return web.Response()

    async def _answer(self, request: web.Request, call: Call, kind: str | None) -> web.StreamResponse:
        if kind is not None and kind in kinds.STATUSES:
            status, code = kinds.STATUSES[kind]
            return web.Response(
                status=status,
                body=b"" if call.method == "HEAD" else _ERROR.format(code).encode(),
                headers={"x-ms-error-code": code, "Content-Type": "application/xml"},
            )
        if kind == kinds.RESET_BEFORE:
            raise Dropped
        if kind == kinds.SLOW:
            await asyncio.sleep(_SLOW_SECONDS)
        body = _flipped(call.body) if kind == kinds.CORRUPT_REQUEST else call.body
        status, headers, data = await self._pass_on_or_hold(call, body)
        if kind == kinds.RESET_AFTER:
            raise Dropped
        if kind == kinds.CORRUPT_ANSWER and status < 300 and data:
            data = _flipped(data)
        if kind == kinds.TRUNCATED and status < 300 and len(data) > 1:
            await _send_half(request, status, headers, data)
            raise Dropped
        return await _send(request, status, headers, data)

    async def _pass_on_or_hold(self, call: Call, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if call.method in ("GET", "HEAD"):
            return await self._pass_on(call, body)
        if self._held is not None:
            self.held += 1
            await asyncio.shield(self._held)
            raise Dropped
        self._writing += 1
        try:
            return await self._pass_on(call, body)
        finally:
            self._writing -= 1

    async def _pass_on(self, call: Call, body: bytes) -> tuple[int, dict[str, str], bytes]:
        sent = {name: value for name, value in call.headers.items() if name not in _OF_THE_CONNECTION}
        async with self._session.request(
            call.method,
            URL(self._service + call.target, encoded=True),
            headers=sent,
            data=io.BytesIO(body) if body or "content-length" in call.headers else None,
            skip_auto_headers=_ADDED_BY_AIOHTTP,
            allow_redirects=False,
        ) as answer:
            data = await answer.read()
            return answer.status, _kept(answer.headers, call.method), data


def _kept(headers: Mapping[str, str], method: str) -> dict[str, str]:
    left_out = _OF_THE_CONNECTION - {"content-length"} if method == "HEAD" else _OF_THE_CONNECTION
    return {name: value for name, value in headers.items() if name.lower() not in left_out}


async def _send(
    request: web.Request, status: int, headers: Mapping[str, str], data: bytes
) -> web.StreamResponse:
    response = web.Response(status=status, body=data if request.method != "HEAD" else None, headers=headers)
    await response.prepare(request)
    await response.write_eof()
    return response


async def _send_half(request: web.Request, status: int, headers: Mapping[str, str], data: bytes) -> None:
    response = web.StreamResponse(status=status, headers={**headers, "Content-Length": str(len(data))})
    await response.prepare(request)
    await response.write(data[: len(data) // 2])


def _flipped(data: bytes) -> bytes:
    """Return the bytes with a bit of the middle one turned over."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def _reset(request: web.Request) -> None:
    """Break the connection off as a failing machine does, without the politeness of closing it."""
    if request.transport is None:
        return
    connection = request.transport.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
