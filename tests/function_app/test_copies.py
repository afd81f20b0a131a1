"""Uploads that are copies of what a job has: over HTTP on the whole stack, and on an Azurite alone."""

import dataclasses
import uuid
from typing import Any

import httpx
import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobClient, BlobProperties

from activities.store import BlobMissing
from function_app import blob_copying, copies, removal
from function_app.blob_copying import CopyFailed
from function_app.blob_store import BlobStore
from function_app.problems import JobNotFound, NoResult, Unavailable
from function_app.sas import DOWNLOAD
from function_app.services import Services
from tessera import naming
from tessera.codecs import codec_for
from tessera.errors import InputGone, LimitExceeded
from tessera.messages import Outcome, Result
from tessera.plan import Output, Pixels
from tests.function_app import stored as put
from tests.function_app.api import LARGE, SMALL, is_over, left, order, send, until

UPLOADS = "/api/v1/uploads"
RESULT = b"\x89PNG the result"


def finished(http: httpx.Client, data: bytes, **more: Any) -> dict[str, Any]:
    accepted = http.post("/api/v1/jobs", json=order(send(http, data), **more)).raise_for_status().json()
    answer = until(http, accepted["id"], is_over).json()
    assert answer["state"] == "succeeded"
    return dict(answer)


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["in one piece", "of many blocks"])
def test_copies_of_input_and_result_are_theirs_byte_for_byte_and_outlive_the_job(
    http: httpx.Client, stored: BlobStore, data: bytes
) -> None:
    job = finished(http, data, name="holiday/beach.png")
    result = httpx.get(job["result"]["url"]).content
    found = {}
    for of, expected, name in (("input", data, "beach.png"), ("result", result, job["result"]["name"])):
        answer = http.post(UPLOADS, json={"job": job["id"], "of": of})
        assert answer.status_code == 201
        found[answer.json()["id"]] = expected
        assert answer.json() == {"id": answer.json()["id"], "name": name, "size": len(expected)}
    assert http.delete(f"/api/v1/jobs/{job['id']}").status_code == 204
    for upload, expected in found.items():
        assert stored.read(naming.UPLOADS, upload) == expected


def test_a_job_runs_with_the_copy_of_a_result(http: httpx.Client) -> None:
    first = finished(http, SMALL)
    copy = http.post(UPLOADS, json={"job": first["id"], "of": "result"}).json()
    body = {"upload_id": copy["id"], "pipeline": [{"operation": "invert"}], "name": copy["name"]}
    second = until(http, http.post("/api/v1/jobs", json=body).json()["id"], is_over).json()
    assert second["state"] == "succeeded"
    assert (second["input"]["width"], second["input"]["channels"]) == (first["result"]["width"], 1)


def test_the_input_is_copied_where_nothing_else_is_said(http: httpx.Client) -> None:
    job = finished(http, SMALL)
    assert http.post(UPLOADS, json={"job": job["id"]}).json()["size"] == len(SMALL)


def test_nobody_copies_what_is_another_owners(http: httpx.Client, stored: BlobStore) -> None:
    mine, others = ({"x-ms-client-principal-id": uuid.uuid4().hex} for _ in range(2))
    job = http.post("/api/v1/jobs", json=order(send(http, SMALL)), headers=mine).json()["id"]
    before = set(stored.names(naming.UPLOADS, ""))
    for headers in (others, {}):
        for of in ("input", "result"):
            answer = http.post(UPLOADS, json={"job": job, "of": of}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (404, "job-not-found")
    assert set(stored.names(naming.UPLOADS, "")) == before
    assert http.post(UPLOADS, json={"job": job, "of": "input"}, headers=mine).status_code == 201


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"job": "0" * 32, "size": 1}, "give either job, or name, size, content_type"),
        ({"job": "0" * 32, "name": "a.png"}, "give either job, or name, size, content_type"),
        ({"of": "result"}, "give the job, too"),
        ({"job": "0" * 32, "of": "preview"}, "of: Input should be 'input' or 'result'"),
        ({"job": "unheard-of"}, "job: String should match pattern"),
    ],
)
def test_a_request_is_of_one_form_or_the_other(http: httpx.Client, body: dict[str, Any], says: str) -> None:
    answer = http.post(UPLOADS, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")
    assert says in answer.json()["detail"]


def test_a_job_that_is_not_there_or_has_no_result_is_refused_with_what_to_do(http: httpx.Client) -> None:
    answer = http.post(UPLOADS, json={"job": "0" * 32})
    assert (answer.status_code, answer.json()["code"]) == (404, "job-not-found")
    job = finished(http, SMALL)["id"]
    broken = http.post("/api/v1/jobs", json=order(send(http, SMALL[: len(SMALL) // 2]))).json()["id"]
    assert until(http, broken, is_over).json()["state"] == "failed"
    answer = http.post(UPLOADS, json={"job": broken, "of": "result"})
    assert (answer.status_code, answer.json()["code"]) == (409, "no-result")
    assert (answer.json()["detail"], answer.json()["hint"]) == ("the job has failed", "its error says why")
    assert http.post(UPLOADS, json={"job": job, "of": "result"}).status_code == 201


def succeeded(store: BlobStore) -> str:
    """Put a job with a result, and return its id."""
    job = put.record(store).job
    result = Result(size=len(RESULT), format="png", width=4, height=3, pixels=Pixels(channels=1))
    put.outcome(store, job, Outcome(state="succeeded", finished_at="2026-11-24T12:00:00Z", result=result))
    store.write(naming.RESULTS, naming.result(job, codec_for(Output()).extension), RESULT)
    return job


def test_what_is_no_longer_kept_is_said_with_what_to_do(services: Services) -> None:
    store = services.store
    job = succeeded(store)
    record = put.record(store)
    store.delete(naming.RESULTS, f"{job}.png")
    store.delete(naming.UPLOADS, record.upload)
    with pytest.raises(NoResult, match="no longer kept") as no_result:
        copies.take(job, "result", "key", services)
    assert no_result.value.hint == "run the job again"
    with pytest.raises(InputGone, match="no longer kept") as gone:
        copies.take(record.job, "input", "key", services)
    assert gone.value.hint == "upload it again: POST /api/v1/uploads"
    with pytest.raises(NoResult, match="not over"):
        copies.take(record.job, "result", "key", services)


def test_the_limit_of_an_upload_holds_for_a_copy(services: Services) -> None:
    job = succeeded(services.store)
    limits = services.settings.limits.model_copy(update={"max_bytes": len(RESULT) - 1})
    small = dataclasses.replace(services, settings=services.settings.model_copy(update={"limits": limits}))
    before = set(services.store.names(naming.UPLOADS, ""))
    with pytest.raises(LimitExceeded, match="15 bytes"):
        copies.take(job, "result", "key", small)
    assert set(services.store.names(naming.UPLOADS, "")) == before


def test_a_removed_job_is_not_found_and_its_copy_stays(services: Services) -> None:
    store, record = services.store, put.record(services.store)
    copy = copies.take(record.job, "input", record.owner, services)
    removal.remove(record, store)
    assert store.read(naming.UPLOADS, copy.id) == put.PNG
    with pytest.raises(JobNotFound):
        copies.take(record.job, "input", record.owner, services)


def test_a_copy_of_nothing_is_said_to_be_missing_and_leaves_nothing(services: Services) -> None:
    signed = services.signer.sign(naming.UPLOADS, "unheard-of", DOWNLOAD, copies._LINK_LIFETIME)
    name = uuid.uuid4().hex
    with pytest.raises(BlobMissing):
        services.store.copy(signed.url, naming.UPLOADS, name, 1.0)
    assert list(services.store.names(naming.UPLOADS, name)) == []


@pytest.fixture
def aborted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note which copies are stopped; Azurite's have always ended."""
    ids: list[str] = []
    monkeypatch.setattr(BlobClient, "abort_copy", lambda _, copy_id: ids.append(copy_id))
    monkeypatch.setattr(copies, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(blob_copying, "_POLL_SECONDS", 0.0)
    return ids


def say(monkeypatch: pytest.MonkeyPatch, *statuses: str) -> None:
    """Let storage say this of a copy, one after the other; the last stays."""
    left_over, ask = list(statuses), BlobClient.get_blob_properties

    def told(blob: BlobClient, **options: Any) -> BlobProperties:
        properties = ask(blob, **options)
        if properties.copy.id:
            properties.copy.status = left_over.pop(0) if len(left_over) > 1 else left_over[0]
        return properties

    monkeypatch.setattr(BlobClient, "get_blob_properties", told)


@pytest.mark.parametrize(("status", "stopped"), [("pending", 1), ("failed", 0)])
def test_a_copy_that_fails_or_takes_too_long_is_stopped_and_leaves_nothing(
    services: Services, monkeypatch: pytest.MonkeyPatch, aborted: list[str], status: str, stopped: int
) -> None:
    job, before = succeeded(services.store), set(services.store.names(naming.UPLOADS, ""))
    say(monkeypatch, status)
    with pytest.raises(Unavailable, match="not come to the end") as refused:
        copies.take(job, "result", "key", services)
    assert isinstance(refused.value.__cause__, CopyFailed)
    assert refused.value.hint == "try again, or send the file yourself"
    assert len(aborted) == stopped
    assert set(services.store.names(naming.UPLOADS, "")) == before


def test_a_copy_that_has_not_ended_at_once_is_waited_for(
    services: Services, monkeypatch: pytest.MonkeyPatch, aborted: list[str]
) -> None:
    job = succeeded(services.store)
    monkeypatch.setattr(copies, "PATIENCE_SECONDS", 60.0)
    say(monkeypatch, "pending", "pending", "success")
    copy = copies.take(job, "result", "key", services)
    assert services.store.read(naming.UPLOADS, copy.id) == RESULT
    assert aborted == []


def test_nothing_is_left_when_storage_goes_away_in_the_middle(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, before = succeeded(services.store), set(services.store.names(naming.UPLOADS, ""))

    def away(blob: BlobClient, deadline: float) -> None:
        raise HttpResponseError("away")

    monkeypatch.setattr(blob_copying, "_wait", away)
    with pytest.raises(HttpResponseError, match="away"):
        copies.take(job, "result", "key", services)
    assert set(services.store.names(naming.UPLOADS, "")) == before


def test_no_job_has_a_trace_of_its_copies(http: httpx.Client, stored: BlobStore) -> None:
    job = finished(http, SMALL)["id"]
    http.post(UPLOADS, json={"job": job, "of": "result"}).raise_for_status()
    assert http.delete(f"/api/v1/jobs/{job}").status_code == 204
    assert left(stored, job) == []
