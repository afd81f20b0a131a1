"""Receivers of spans, on a free port of this machine: what would be a collector, or Application Insights."""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

type Body = tuple[str, bytes]
"""Path and content of a request."""


class Received(NamedTuple):
    """A span as a receiver sees it; times in seconds since 1970. *instance* is the process it is of."""

    name: str
    trace: str
    id: str
    parent: str
    start: float
    end: float
    attributes: dict[str, Any]
    error: str
    instance: str = ""


@contextmanager
def receiver(answer: bytes = b"") -> Iterator[tuple[str, list[Body]]]:
    """Take every POST, answer it with *answer*, and yield the address and what has come so far."""
    bodies: list[Body] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(bodies.append, answer))
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(keep: Callable[[Body], None], answer: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            keep((self.path, gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body))
            self.send_response(200)
            self.send_header("Content-Type", "application/json" if answer else "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


def otlp_spans(bodies: list[Body]) -> list[Received]:
    """Return the spans of OTLP requests."""
    requests = [ExportTraceServiceRequest.FromString(body) for _, body in list(bodies)]
    return [
        Received(
            name=span.name,
            trace=span.trace_id.hex(),
            id=span.span_id.hex(),
            parent=span.parent_span_id.hex(),
            start=span.start_time_unix_nano / 1e9,
            end=span.end_time_unix_nano / 1e9,
            attributes={
                each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes
            },
            error=span.status.message if span.status.code == Status.STATUS_CODE_ERROR else "",
            instance=next(
                (
                    each.value.string_value
                    for each in resource.resource.attributes
                    if each.key == "service.instance.id"
                ),
                "",
            ),
        )
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def insights_items(bodies: list[Body]) -> list[dict[str, Any]]:
    """Return the items of requests to Application Insights."""
    return [item for _, body in list(bodies) for item in json.loads(body)]
