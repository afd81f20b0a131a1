"""What runs inside a worker process: Microsoft's Python worker runtime behind a socket to the host."""

import asyncio
import json
import logging
import os
import socket
import sys
from typing import Any

import azure_functions_runtime as runtime

from emulator import protos, wire
from emulator.processes import dies_with
from emulator.worker_logging import forward_logs


def _request(**fields: Any) -> Any:
    """Wrap a message the way the runtime's entry points expect it."""
    return protos.Message(
        request=protos.Message(**fields), properties={"protos": protos, "host": "127.0.0.1"}
    )


def _input_binding(item: dict[str, Any], body: bytes) -> protos.ParameterBinding:
    """Build a parameter from its description; ``"body"`` as value stands for the frame's body."""
    kind = item["kind"]
    if kind == "http":
        http = protos.Message(**item["value"], body=protos.TypedData(bytes=body))
        return protos.ParameterBinding(item["name"], protos.TypedData(http=http))
    value = body.decode() if item.get("in_body") else item["value"]
    return protos.ParameterBinding(item["name"], protos.TypedData(**{kind: value}))


def _cookie(cookie: Any) -> dict[str, Any]:
    """Flatten a cookie; an unset attribute becomes None."""

    def plain(field: Any) -> Any:
        return field if field is None or isinstance(field, str) else field.value

    expires = plain(cookie.expires)
    return {
        "name": cookie.name,
        "value": cookie.value,
        "domain": plain(cookie.domain),
        "path": plain(cookie.path),
        "expires": expires.seconds if expires is not None else None,
        "secure": plain(cookie.secure),
        "http_only": plain(cookie.http_only),
        "same_site": cookie.same_site,
        "max_age": plain(cookie.max_age),
    }


def _outgoing(data: protos.TypedData | None) -> tuple[dict[str, Any], bytes]:
    """Turn a returned value into a header part and a body."""
    kind = data.kind if data is not None else None
    if kind is None:
        return {"kind": None}, b""
    value = getattr(data, kind)
    if kind == "http":
        _, body = _outgoing(value.body)
        cookies = [_cookie(c) for c in value.cookies or ()]
        return {"kind": kind, "status": value.status_code, "headers": value.headers, "cookies": cookies}, body
    if isinstance(value, bytes):
        return {"kind": kind}, value
    text = value if isinstance(value, str) else json.dumps(value)
    return {"kind": kind}, text.encode("utf-8", "replace")


class WorkerProcess:
    """Serves the host's requests until the connection closes.

    Args:
        connection: Connected stream socket to the host.
        app_folder: Absolute path of the function app, which becomes the working directory.
    """

    def __init__(self, connection: socket.socket, app_folder: str) -> None:
        self._connection = connection
        self._app_folder = app_folder
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Index the app, tell the host, and serve invocations until the host closes the connection."""
        reader, self._writer = await asyncio.open_connection(sock=self._connection)
        forward_logs(self._send_log)
        if await self._index():
            while True:
                try:
                    header, body = await wire.read(reader)
                except asyncio.IncompleteReadError:
                    break
                task = asyncio.create_task(self._invoke(header, body))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        # A thread may be deep in user code: nothing may keep a process alive whose host is gone.
        os._exit(0)

    async def _index(self) -> bool:
        init = protos.Message(capabilities={}, function_app_directory=self._app_folder)
        runtime.start_threadpool_executor()
        response = await runtime.worker_init_request(_request(worker_init_request=init))
        if response.result.status != protos.StatusResult.Success:
            error = response.result.exception
            await self._send({"type": "failed", "message": error.message, "stack": error.stack_trace})
            return False
        metadata = await runtime.functions_metadata_request(_request())
        functions = [
            {
                "id": f.function_id,
                "name": f.name,
                "bindings": f.raw_bindings,
                "retry": f.retry_options is not None,
            }
            for f in metadata.function_metadata_results or ()
        ]
        await self._send(
            {"type": "ready", "functions": functions, "capabilities": sorted(response.capabilities)}
        )
        return True

    async def _invoke(self, header: dict[str, Any], body: bytes) -> None:
        runtime.invocation_id_cv.set(header["id"])
        invocation = protos.Message(
            invocation_id=header["id"],
            function_id=header["function"],
            input_data=[_input_binding(item, body) for item in header["inputs"]],
            trigger_metadata={},
            trace_context=protos.Message(trace_parent="", trace_state="", attributes={}),
            retry_context=protos.Message(retry_count=0, max_retry_count=0, exception=None),
        )
        response = await runtime.invocation_request(_request(invocation_request=invocation))
        if response.result.status != protos.StatusResult.Success:
            error = response.result.exception
            stack = error.stack_trace.encode("utf-8", "replace")
            await self._send({"type": "result", "id": header["id"], "error": error.message}, stack)
            return
        returned = response.return_value
        if returned is None and response.output_data:
            returned = response.output_data[0].data
        part, payload = _outgoing(returned)
        await self._send({"type": "result", "id": header["id"], **part}, payload)

    def _send_log(self, record: dict[str, Any]) -> None:
        self._writer.write(wire.pack({"type": "log", **record}))

    async def _send(self, header: dict[str, Any], body: bytes = b"") -> None:
        self._writer.write(wire.pack(header, body))
        await self._writer.drain()


def main() -> None:
    """Start a worker; arguments: the socket's file descriptor, the app folder, the host's process id."""
    descriptor, app_folder, host_pid = sys.argv[1:4]
    dies_with(int(host_pid))()
    serve(int(descriptor), app_folder)


def serve(descriptor: int, app_folder: str) -> None:
    """Be a worker, until the host closes the connection.

    Args:
        descriptor: The connection's file descriptor.
        app_folder: Absolute path of the function app, the working directory.
    """
    # As on Azure: debug records cost something even where host.json drops them.
    debugging = os.environ.get("PYTHON_ENABLE_DEBUG_LOGGING", "").lower() in ("1", "true", "yes", "t", "y")
    logging.getLogger().setLevel(logging.DEBUG if debugging else logging.INFO)
    logging.getLogger("asyncio").setLevel(logging.INFO)
    packages = os.path.join(app_folder, ".python_packages", "lib", "site-packages")
    sys.path.extend([packages, app_folder] if os.path.isdir(packages) else [app_folder])
    connection = socket.socket(fileno=descriptor)
    asyncio.run(WorkerProcess(connection, app_folder).run())
