"""Every call of the API: what is sent, and how its answer is read. How it is sent is not known here."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import quote

from tessera_client.answers import Answer
from tessera_client.decoding import decode
from tessera_client.errors import UnexpectedResponse
from tessera_client.models import CopiedUpload, Health, Job, Operation, Output, Preset, Result, Step, Upload
from tessera_client.retry import retry_after
from tessera_client.views import Batch, BatchPage, JobFilter, JobPage, Plan, Previews, Ready, TilePage


@dataclass(frozen=True, slots=True, kw_only=True)
class Call[T]:
    """A request below ``/api/v1/``; *read* makes the result of its answer, or raises `UnexpectedResponse`."""

    method: str
    path: str
    read: Callable[[Answer], T]
    body: Any = None
    query: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def health() -> Call[Health]:
    """Ask whether the API is alive."""
    return Call(method="GET", path="health", read=_decoded(Health))


def ready() -> Call[Ready]:
    """Ask whether the API reaches what it needs."""
    return Call(method="GET", path="ready", read=_decoded(Ready))


def operations() -> Call[tuple[Operation, ...]]:
    """List the operations."""
    return Call(method="GET", path="operations", read=_listed(Operation, "operations"))


def presets() -> Call[tuple[Preset, ...]]:
    """List the stored pipelines."""
    return Call(method="GET", path="presets", read=_listed(Preset, "presets"))


def upload(name: str, size: int, content_type: str) -> Call[Upload]:
    """Ask for a place for a file."""
    body = {"name": name, "size": size, "content_type": content_type}
    return Call(method="POST", path="uploads", body=body, read=_decoded(Upload))


def copy_upload(job_id: str, of: str) -> Call[CopiedUpload]:
    """Make an upload of what a job has."""
    body = {"job": job_id, "of": of}
    return Call(method="POST", path="uploads", body=body, read=_decoded(CopiedUpload))


def plan(upload_id: str, pipeline: Sequence[Step], output: Output | None, page: int) -> Call[Plan]:
    """Ask what a job would take."""
    return Call(method="POST", path="plans", body=_job_body(upload_id, pipeline, output, page), read=_plan)


def submit(
    upload_id: str,
    pipeline: Sequence[Step],
    output: Output | None,
    name: str | None,
    page: int,
    idempotency_key: str | None,
) -> Call[Job]:
    """Start a job."""
    body = _job_body(upload_id, pipeline, output, page)
    if name is not None:
        body["name"] = name
    headers = {"idempotency-key": idempotency_key or str(uuid.uuid4())}
    return Call(method="POST", path="jobs", body=body, headers=headers, read=_job)


def job(job_id: str, known: Job | None = None) -> Call[Job]:
    """Ask how a job is doing; when nothing changed since *known*, that comes back."""
    headers = {"if-none-match": known.etag} if known and known.etag else {}

    def read(answer: Answer) -> Job:
        if answer.status == 304 and known:
            return replace(known, retry_after=retry_after(answer.headers))
        return _job(answer)

    return Call(method="GET", path=_of(job_id), headers=headers, read=read)


def jobs(wanted: JobFilter, limit: int | None, cursor: str | None) -> Call[JobPage]:
    """List jobs."""
    query = {name: None if value is None else str(value) for name, value in asdict(wanted).items()}
    query |= {"limit": None if limit is None else str(limit), "cursor": cursor}
    return Call(method="GET", path="jobs", query=_given(query), read=_decoded(JobPage))


def tiles(job_id: str, first: int | None, limit: int | None) -> Call[TilePage]:
    """List the tiles of a job."""
    query = {"first": None if first is None else str(first), "limit": None if limit is None else str(limit)}
    return Call(method="GET", path=_of(job_id, "tiles"), query=_given(query), read=_decoded(TilePage))


def result(job_id: str) -> Call[Result]:
    """Ask for a fresh link to the result."""
    return Call(method="GET", path=_of(job_id, "result"), read=_decoded(Result))


def previews(job_id: str) -> Call[Previews]:
    """Ask for links to small pictures of the input and the result."""
    return Call(method="GET", path=_of(job_id, "preview"), read=_decoded(Previews))


def cancel(job_id: str) -> Call[Job]:
    """Stop a job."""
    return Call(method="POST", path=_of(job_id, "cancel"), read=_job)


def retry(job_id: str) -> Call[Job]:
    """Take a job up again."""
    return Call(method="POST", path=_of(job_id, "retry"), read=_job)


def delete(job_id: str) -> Call[None]:
    """Remove every trace of a job."""
    return Call(method="DELETE", path=_of(job_id), read=lambda answer: None)


def submit_batch(
    inputs: Mapping[str, str | None],
    pipeline: Sequence[Step],
    output: Output | None,
    tolerated_failures: int,
    idempotency_key: str | None,
) -> Call[Batch]:
    """Start a batch."""
    body = {
        "inputs": [{"upload_id": upload_id, "name": name} for upload_id, name in inputs.items()],
        **_work(pipeline, output),
        "tolerated_failures": tolerated_failures,
    }
    headers = {"idempotency-key": idempotency_key or str(uuid.uuid4())}
    return Call(method="POST", path="batches", body=body, headers=headers, read=_decoded(Batch))


def batches(limit: int | None, cursor: str | None) -> Call[BatchPage]:
    """List batches."""
    query = {"limit": None if limit is None else str(limit), "cursor": cursor}
    return Call(method="GET", path="batches", query=_given(query), read=_decoded(BatchPage))


def batch(batch_id: str) -> Call[Batch]:
    """Ask how a batch is doing."""
    return Call(method="GET", path=f"batches/{quote(batch_id, safe='')}", read=_decoded(Batch))


def cancel_batch(batch_id: str) -> Call[Batch]:
    """Stop a batch."""
    return Call(method="POST", path=f"batches/{quote(batch_id, safe='')}/cancel", read=_decoded(Batch))


def _of(job_id: str, part: str | None = None) -> str:
    name = quote(job_id, safe="")
    return f"jobs/{name}/{part}" if part else f"jobs/{name}"


def _given(query: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in query.items() if value is not None}


def _job_body(upload_id: str, pipeline: Sequence[Step], output: Output | None, page: int) -> dict[str, Any]:
    chosen = {"page": page} if page else {}
    return {"upload_id": upload_id, **chosen, **_work(pipeline, output)}


def _work(pipeline: Sequence[Step], output: Output | None) -> dict[str, Any]:
    return {
        "pipeline": [asdict(step) for step in pipeline],
        "output": (output or Output()).document(),
    }


def _job(answer: Answer) -> Job:
    found = decode(Job, answer.document)
    etag, wait = answer.headers.get("etag"), retry_after(answer.headers)
    return replace(found, document=answer.document, etag=etag, retry_after=wait)


def _plan(answer: Answer) -> Plan:
    return replace(decode(Plan, answer.document), document=answer.document)


def _decoded[T](kind: type[T]) -> Callable[[Answer], T]:
    return lambda answer: decode(kind, answer.document)


def _listed[T](kind: type[T], member: str) -> Callable[[Answer], tuple[T, ...]]:
    def read(answer: Answer) -> tuple[T, ...]:
        document = answer.document
        if not isinstance(document, dict) or not isinstance(document.get(member), list):
            raise UnexpectedResponse(f"the API's answer has no list of {member}", "Check the API's address.")
        return tuple(decode(kind, item) for item in document[member])

    return read
