"""Sending word of the end of a job or a batch (activity)."""

import json
from typing import Any

from activities.store import BlobMissing, Store
from function_app import batches, webhooks
from function_app.records import JobRecord, WebhookTarget
from tessera import naming
from tessera.messages import NotifyOrder, Outcome


def notify(order: NotifyOrder, store: Store) -> None:
    """Send the outcome to where the record says; nothing if that was removed meanwhile.

    Raises
    ------
    function_app.problems.InvalidWebhook
        If the address is refused by now.
    function_app.webhooks.NotDelivered
        If the receiver didn't take it.
    """
    try:
        target, document = _job(order.job, store) if order.job else _batch(str(order.batch), store)
    except BlobMissing:
        return
    if target is not None:
        webhooks.deliver(target.url, target.secret, json.dumps(document).encode())


def _job(job: str, store: Store) -> tuple[WebhookTarget | None, dict[str, Any]]:
    record = JobRecord.model_validate_json(store.read(naming.JOBS, naming.record(job)))
    outcome = Outcome.model_validate_json(store.read(naming.JOBS, naming.outcome(job)))
    return record.webhook, {
        "type": "job",
        "id": job,
        "state": outcome.state,
        "finished_at": outcome.finished_at,
        "code": outcome.fault.code if outcome.fault else None,
        "run": record.run,
    }


def _batch(batch: str, store: Store) -> tuple[WebhookTarget | None, dict[str, Any]]:
    record = batches.read_record(batch, store)
    manifest = batches.read_manifest(batch, store)
    return record.webhook, {
        "type": "batch",
        "id": batch,
        "state": manifest.state if manifest else "running",
        "finished_at": manifest.finished_at if manifest else None,
        "code": None,
    }
