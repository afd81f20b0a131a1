"""Taking a job in: everything that can be known is checked before it is accepted."""

import uuid

from activities.store import BlobExists
from function_app import idempotency, inspection, parallel, quotas, records, webhooks
from function_app.file_names import base_name
from function_app.idempotency import Claim
from function_app.problems import JobNotFound, NotRetryable, QuotaExceeded
from function_app.records import JobRecord, WebhookTarget
from function_app.requests import JobRequest, Webhook
from function_app.services import Services
from tessera import naming
from tessera.pipeline import bind
from tessera.plan import Plan


def register(request: JobRequest, key: str | None, owner: str, own: Services) -> tuple[JobRecord, bool]:
    """Check a request for a job and record it; say whether the record is new.

    A key that was used within a day with the same request gives the job of that time.

    Raises
    ------
    InvalidPipeline
        If an operation or a parameter is refused.
    InvalidRequest
        If the key isn't 1 to 255 visible ASCII characters.
    IdempotencyConflict
        If the key was used before with another request.
    QuotaExceeded
        If the caller has too much under way.
    InvalidWebhook
        If the webhook's address is not one that is called from here.
    tessera.errors.TesseraError
        If the upload is missing, empty, too large or no image, or doesn't suit the pipeline or the output.
    """
    steps = tuple(bound.step for bound in bind(request.pipeline))
    lock = idempotency.lock_of(key, owner)
    digest = idempotency.digest_of(request.model_copy(update={"pipeline": steps}).model_dump(mode="json"))
    if lock and (claim := idempotency.find(lock, digest, own.store)):
        try:
            return records.load(claim.id, own.store, owner), False
        except JobNotFound:
            pass  # whoever took the key didn't get as far as the record
    under_way = parallel.begin(lambda: quotas.under_way(owner, own.store, own.settings))
    target = webhook_target(request.webhook)
    plan = inspection.plan_of(
        request.upload_id, request.page, steps, request.output, own.store, own.settings.limits
    )
    quotas.check(owner, pixels_of(plan), under_way.result(), own.store, own.settings)
    wanted = Claim(id=uuid.uuid4().hex, digest=digest, at=records.now())
    claim = idempotency.take(lock, wanted, own.store) if lock else wanted
    record = JobRecord(
        job=claim.id,
        upload=request.upload_id,
        page=request.page,
        pipeline=steps,
        output=request.output,
        name=base_name(request.name or ""),
        created_at=claim.at,
        owner=owner,
        plan=plan,
        lock=lock,
        webhook=target,
    )
    # The marks come first: one without a record does no harm, a job that nobody can list would.
    records.write_marks(record, own.store)
    try:
        quotas.confirm(owner, own.store, own.settings)
    except QuotaExceeded:
        # Another request of the same key was let in: the marks are that one's.
        if lock and own.store.exists(naming.JOBS, naming.record(record.job)):
            return records.load(record.job, own.store, owner), False
        records.remove_marks(record, own.store)
        raise
    try:
        records.write_new(record, own.store)
    except BlobExists:
        return records.load(record.job, own.store, owner), False
    return record, True


def count(record: JobRecord, own: Services) -> None:
    """Count a job that was taken against its owner's quota."""
    if record.plan is not None:
        quotas.count(record.owner, pixels_of(record.plan), own.store)


def reopen(record: JobRecord, own: Services) -> JobRecord:
    """Let a job that is over begin its next run, with what is done of it, and return its new record.

    Raises
    ------
    NotRetryable
        If its upload is gone, or somebody else has just taken it up.
    QuotaExceeded
        If the caller has too many jobs running.
    """
    if not own.store.exists(naming.UPLOADS, record.upload):
        raise NotRetryable("the upload is no longer there", hint="upload the image again and start a new job")
    under_way = quotas.under_way(record.owner, own.store, own.settings)
    quotas.check(record.owner, 0, under_way, own.store, own.settings)
    own.store.write(naming.JOBS, record.running_mark, b"")
    try:
        quotas.confirm(record.owner, own.store, own.settings)
    except QuotaExceeded:
        own.store.delete(naming.JOBS, record.running_mark)
        raise
    next_run = record.model_copy(update={"run": record.run + 1, "reopened_at": records.now()})
    records.replace(record, next_run, own.store)
    # Attempts count again from the first retry on.
    for name in list(own.store.names(naming.WORK, naming.work(record.job, f"{naming.RETRIES}/"))):
        own.store.delete(naming.WORK, name)
    own.store.delete(naming.JOBS, naming.stop_flag(record.job))
    own.store.delete(naming.JOBS, naming.outcome(record.job))
    return next_run


def webhook_target(webhook: Webhook | None) -> WebhookTarget | None:
    """Return where word is sent; raise `InvalidWebhook` if that can't be called from here."""
    if webhook is None:
        return None
    webhooks.check(webhook.url)
    return WebhookTarget(url=webhook.url, secret=webhook.secret.get_secret_value())


def pixels_of(plan: Plan) -> int:
    """Return the pixels that count against the caller's quota."""
    return plan.image.width * plan.image.height
