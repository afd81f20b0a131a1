"""Timer: histories of orchestrations that are long over are removed."""

import logging
from datetime import timedelta

import azure.durable_functions as df
import azure.functions as func

from function_app import instances
from function_app.services import services

blueprint = df.Blueprint()
_log = logging.getLogger(__name__)


@blueprint.timer_trigger(arg_name="timer", schedule="0 15 3 * * *")
@blueprint.durable_client_input(client_name="client")
async def purge_histories(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    """Remove what Durable Functions keeps of old jobs; blobs have their own lifecycle rules."""
    count = await instances.forget_older_than(client, timedelta(days=services().settings.history_days))
    _log.info("removed the histories of %d orchestrations", count)
