"""Look at the header of an upload, and plan the job."""

from activities.attempts import begin, refuse_if_stopped
from activities.store import Store
from activities.uploads import inspected
from tessera import naming
from tessera.messages import JobOrder
from tessera.plan import Plan
from tessera.planner import Limits, make_plan


def inspect_upload(order: JobOrder, store: Store, limits: Limits) -> Plan:
    """Return the plan of the job, and keep it where the status is read from.

    Raises
    ------
    tessera.errors.TesseraError
        If the upload can't be read, or the pipeline or the output don't suit it.
    tessera.errors.GaveUp
        If looking at the header ended its process too often.
    BlobMissing
        If there is no such upload.
    """
    refuse_if_stopped(order.job, store)
    begin(order.job, naming.INSPECT_TASK, store, decodes=True)
    image = inspected(order.upload, order.page, limits.max_pixels, store)
    plan = make_plan(image, order.pipeline, order.output, limits)
    store.write(
        naming.JOBS, naming.plan(order.job), plan.model_dump_json().encode(), media_type="application/json"
    )
    return plan
