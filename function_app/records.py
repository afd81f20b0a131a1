"""The record of a job: what was asked for, written once and before anything is started."""

import re

from activities.store import BlobMissing, Store
from function_app.problems import JobNotFound
from tessera import naming
from tessera.messages import JobId, JobOrder
from tessera.plan import Message, Output, Step

_JOB_ID = re.compile(r"[0-9a-f]{32}")


class JobRecord(Message):
    """A job as it was asked for, with the parameters of its operations spelled out.

    *created_at* is ISO 8601, UTC.
    """

    job: JobId
    upload: JobId
    pipeline: tuple[Step, ...]
    output: Output
    name: str | None = None
    created_at: str

    @property
    def order(self) -> JobOrder:
        """Return what the orchestrator is started with."""
        return JobOrder(job=self.job, upload=self.upload, pipeline=self.pipeline, output=self.output)

    def asks_the_same(self, other: "JobRecord") -> bool:
        """Tell whether both ask for the same work."""
        return self.order == other.order and self.name == other.name


def write_new(record: JobRecord, store: Store) -> None:
    """Keep *record*; raise `activities.store.BlobExists` if the job has one."""
    store.write(
        naming.JOBS,
        naming.record(record.job),
        record.model_dump_json().encode(),
        media_type="application/json",
        new=True,
    )


def load(job: str, store: Store) -> JobRecord:
    """Return the record of a job.

    Raises
    ------
    JobNotFound
        If *job* is no id, or there is no such job.
    """
    if _JOB_ID.fullmatch(job):
        try:
            return JobRecord.model_validate_json(store.read(naming.JOBS, naming.record(job)))
        except BlobMissing:
            pass
    raise JobNotFound(
        f"there is no job {job[:64]}",
        hint="it was never started, or it was deleted; POST /api/v1/jobs starts one",
    )
