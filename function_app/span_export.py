"""Sending spans: by OTLP to any receiver, or to Application Insights.

The libraries are imported with the first span: who has no traces, and the start of an instance, go without.
"""

import atexit
import logging
import os
import socket
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from function_app.settings import APPLICATION_INSIGHTS, Settings
from function_app.tracing import Span

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
    from opentelemetry.sdk.trace.export import SpanExporter

_DELAY_MS: Final = 1000
"""Spans of this long go together; an instance that is killed loses no more of them."""

_SEND_SECONDS: Final = 5
"""That sending a batch may take, retries too."""

_UNWANTED: Final = (
    "STATSBEAT_DISABLED_ALL",
    "SDKSTATS_DISABLED",
    "CONTROLPLANE_DISABLED",
    "OPENTELEMETRY_RESOURCE_METRIC_DISABLED",
)

_log = logging.getLogger(__name__)


class SpanSender:
    """Sends spans to where ``TESSERA_TRACES`` says, from a thread of its own; call it with each."""

    def __init__(self, destination: str, settings: Settings) -> None:
        self._destination, self._settings = destination, settings
        self._lock = Lock()
        self._tried = False
        self._processor: SpanProcessor | None = None

    def __call__(self, span: Span) -> None:
        """Queue *span*; nothing that goes wrong here reaches the work that it tells of."""
        try:
            with self._lock:
                if not self._tried:
                    self._tried = True
                    self._processor = self._opened()
            if self._processor is not None:
                self._processor.on_end(_readable(span))
        except Exception:
            _log.exception("no spans are sent: look at TESSERA_TRACES")

    def _opened(self) -> "SpanProcessor":
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        if self._destination.startswith(APPLICATION_INSIGHTS):
            exporter = _application_insights(self._destination, self._settings)
        else:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter(self._destination, timeout=_SEND_SECONDS)
        processor = BatchSpanProcessor(exporter, schedule_delay_millis=_DELAY_MS)
        atexit.register(processor.shutdown)
        return processor


def _application_insights(connection_string: str, settings: Settings) -> "SpanExporter":
    # It would report its own use to Microsoft, ask there for settings, and send a metric with each batch.
    for what in _UNWANTED:
        os.environ.setdefault(f"APPLICATIONINSIGHTS_{what}", "true")
    from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter

    options: dict[str, Any] = {"connection_string": connection_string, "disable_offline_storage": True}
    if settings.account_url:
        from azure.identity import ManagedIdentityCredential

        options["credential"] = ManagedIdentityCredential(client_id=settings.client_id)
    return AzureMonitorTraceExporter(**options)


def _readable(span: Span) -> "ReadableSpan":
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

    def context(span_id: int, *, remote: bool) -> SpanContext:
        return SpanContext(span.trace_id, span_id, remote, TraceFlags(TraceFlags.SAMPLED))

    root = span.parent_id is None
    return ReadableSpan(
        span.name,
        context(span.span_id, remote=False),
        None if span.parent_id is None else context(span.parent_id, remote=True),
        # Application Insights shows one of this kind as the request that the others belong to.
        kind=SpanKind.SERVER if root else SpanKind.INTERNAL,
        resource=Resource({"service.name": "tessera", "service.instance.id": _instance()}),
        attributes=span.attributes,
        status=Status(StatusCode.ERROR, span.error) if span.error else Status(StatusCode.OK),
        start_time=span.start,
        end_time=span.end,
        instrumentation_scope=InstrumentationScope("tessera"),
    )


def _instance() -> str:
    return f"{os.environ.get('WEBSITE_INSTANCE_ID') or socket.gethostname()}-{os.getpid()}"
