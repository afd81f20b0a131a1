"""Registration of the orchestrators and activities under the names by which they call one another."""

import logging
from collections.abc import Callable
from typing import Any

import azure.durable_functions as df
import cv2

from activities.cleanup import cleanup
from activities.ingest import ingest
from activities.inspect_upload import inspect_upload
from activities.overviews import make_overviews
from activities.previews import make_previews
from activities.process_direct import process_direct
from activities.process_tile import process_tile
from activities.reduce import reduce
from activities.replies import reply
from activities.stitch import stitch
from activities.store import Store
from activities.survey import survey
from function_app.batches import end_batch, record_jobs
from function_app.memory import images_freed
from function_app.services import services
from function_app.settings import Settings
from function_app.tracing import export_job, traced
from function_app.word import notify
from orchestrations.process_batch import process_batch, process_jobs
from orchestrations.process_image import process_image
from orchestrations.process_tiles import process_tiles
from orchestrations.send_word import send_word
from tessera.messages import (
    BatchEnd,
    BatchPart,
    CleanupOrder,
    DirectOrder,
    IngestOrder,
    JobOrder,
    NotifyOrder,
    OverviewsOrder,
    PreviewOrder,
    ReduceOrder,
    StitchOrder,
    SurveyOrder,
    TileOrder,
)
from tessera.plan import Message, Plan

# One activity per core is what the host is told to run; OpenCV's own threads would compete with it.
cv2.setNumThreads(1)

blueprint = df.Blueprint()
_log = logging.getLogger(__name__)


# infra/bicep's alerts and workbook read the two lines that these log; a redelivered order repeats them.
def _inspect_upload(order: JobOrder, store: Store) -> Plan:
    _log.info("job begun: id=%s", order.job)
    return inspect_upload(order, store, services().settings.limits)


def _cleanup(order: CleanupOrder, store: Store) -> None:
    cleanup(order, store)
    code = order.outcome.fault.code if order.outcome.fault else "none"
    _log.info("job ended: id=%s state=%s code=%s", order.job, order.outcome.state, code)
    if export := services().export:
        export_job(order, export)


def _register_activity[Order: Message](
    name: str, order_type: type[Order], work: Callable[[Order, Store], Message | None]
) -> None:
    def activity(order: dict) -> dict:  # type: ignore[type-arg]  # the worker takes plain classes only
        with images_freed():
            return reply(lambda message: _run(name, message, work), order_type, order)

    blueprint.function_name(name)(blueprint.activity_trigger(input_name="order", activity=name)(activity))


def _run[Order: Message](
    name: str, order: Order, work: Callable[[Order, Store], Message | None]
) -> Message | None:
    store, export = services().store, services().export
    return traced(name, order, work, store, export) if export else work(order, store)


def _task_retry(settings: Settings) -> df.RetryOptions:
    return df.RetryOptions(settings.retry_interval_ms, settings.retry_attempts)


def _word_retry(settings: Settings) -> df.RetryOptions:
    return df.RetryOptions(settings.webhook_interval_ms, settings.webhook_attempts)


def _register_orchestrator(
    name: str,
    steps: Callable[[Any, Any], Any],
    retry_of: Callable[[Settings], df.RetryOptions] = _task_retry,
) -> None:
    def orchestrator(context: df.DurableOrchestrationContext) -> Any:
        return (yield from steps(context, retry_of(services().settings)))

    trigger = blueprint.orchestration_trigger(context_name="context", orchestration=name)
    blueprint.function_name(name)(trigger(orchestrator))


_register_orchestrator("process_image", process_image)
_register_orchestrator("process_tiles", process_tiles)
_register_orchestrator("process_batch", process_batch)
_register_orchestrator("process_jobs", process_jobs)
_register_orchestrator("send_word", send_word, _word_retry)
_register_activity("inspect_upload", JobOrder, _inspect_upload)
_register_activity("ingest", IngestOrder, ingest)
_register_activity("process_direct", DirectOrder, process_direct)
_register_activity("process_tile", TileOrder, process_tile)
_register_activity("reduce", ReduceOrder, reduce)
_register_activity("make_overviews", OverviewsOrder, make_overviews)
_register_activity("make_previews", PreviewOrder, make_previews)
_register_activity("stitch", StitchOrder, stitch)
_register_activity("cleanup", CleanupOrder, _cleanup)
_register_activity("survey", SurveyOrder, survey)
_register_activity("record_jobs", BatchPart, record_jobs)
_register_activity("end_batch", BatchEnd, end_batch)
_register_activity("notify", NotifyOrder, notify)
