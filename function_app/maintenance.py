"""Timer: what nobody needs any more is removed."""

import logging
from datetime import timedelta

import azure.durable_functions as df
import azure.functions as func

from function_app import instances, parallel, purge
from function_app.services import services

blueprint = df.Blueprint()
_log = logging.getLogger(__name__)


@blueprint.timer_trigger(arg_name="timer", schedule="0 15 3 * * *")
@blueprint.durable_client_input(client_name="client")
async def purge_old(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    """Remove histories of orchestrations, expired jobs and batches, abandoned uploads and work."""
    own = services()
    count = await instances.forget_older_than(client, timedelta(days=own.settings.history_days))
    _log.info("removed the histories of %d orchestrations", count)
    removed = await parallel.changing_for_long(purge.run, own)
    _log.info("removed what had expired: %s", ", ".join(f"{what} {count}" for what, count in removed.items()))
