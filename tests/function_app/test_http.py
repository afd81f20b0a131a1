"""The routes over HTTP: the real worker runtime, the emulated host, a real Azurite."""

import dataclasses
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from emulator.stack import Stack
from function_app.blob_store import BlobStore
from tessera.operations import CATALOGUE
from tests.function_app.api import (
    HUB,
    LARGE,
    PATIENCE,
    SMALL,
    has_tiles,
    is_gone,
    is_over,
    left,
    order,
    send,
    start,
    until,
)
from tests.support.azurite import KEY
from tests.support.secrets import secrets_in


def test_a_job_from_upload_to_result(http: httpx.Client) -> None:
    upload = send(http, SMALL)
    accepted = http.post("/api/v1/jobs", json=order(upload, name="holiday/beach.png"))
    assert accepted.status_code == 202
    assert accepted.json()["state"] == "queued"
    assert accepted.headers["Retry-After"] == "1"
    assert accepted.headers["Location"] == f"/api/v1/jobs/{accepted.json()['id']}"
    finished = until(http, accepted.json()["id"], is_over)
    assert "Retry-After" not in finished.headers
    assert finished.headers["Cache-Control"] == "no-store"
    job = finished.json()
    assert (job["state"], job["error"], job["progress"]) == ("succeeded", None, 1.0)
    assert job["input"]["name"] == "beach.png"
    assert job["result"]["name"] == "beach-median_blur-canny.png"
    result = httpx.get(job["result"]["url"])
    assert len(result.content) == job["result"]["size"]
    assert result.content.startswith(b"\x89PNG")


def test_states_come_in_their_order_and_progress_never_falls(http: httpx.Client) -> None:
    job, seen = start(http, LARGE), list[tuple[str, float]]()

    def note(answer: httpx.Response) -> bool:
        seen.append((answer.json()["state"], answer.json()["progress"]))
        return is_over(answer)

    finished = until(http, job, note).json()
    assert finished["state"] == "succeeded"
    assert finished["tiles"]["done"] == finished["tiles"]["total"] == 40
    every = ["queued", "inspecting", "running", "stitching", "succeeded"]
    order_seen = [every.index(state) for state, _ in seen]
    assert order_seen == sorted(order_seen)
    progress = [fraction for _, fraction in seen]
    assert progress == sorted(progress)


def test_one_idempotency_key_is_one_job_however_often_it_is_sent(http: httpx.Client) -> None:
    key, body = uuid.uuid4().hex, order(send(http, SMALL))

    def submit(_: int) -> httpx.Response:
        return http.post("/api/v1/jobs", json=body, headers={"Idempotency-Key": key})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(submit, range(8)))
    assert {answer.status_code for answer in answers} == {202}
    (job,) = {answer.json()["id"] for answer in answers}
    until(http, job, is_over)
    instance = http.get(f"{HUB}/{job}?showHistory=true").json()
    started = [event for event in instance["historyEvents"] if event["EventType"] == "ExecutionStarted"]
    assert len(started) == 1
    other = http.post("/api/v1/jobs", json={**body, "name": "x"}, headers={"Idempotency-Key": key})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-conflict")


def test_a_key_starts_a_new_job_once_its_old_one_is_deleted(http: httpx.Client) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    for _ in range(2):
        accepted = http.post("/api/v1/jobs", json=order(send(http, SMALL)), headers=headers)
        job = accepted.raise_for_status().json()["id"]
        assert until(http, job, is_over).json()["state"] == "succeeded"
        assert http.delete(f"/api/v1/jobs/{job}").status_code == 204


def test_deleting_a_finished_job_leaves_no_trace(http: httpx.Client, stored: BlobStore) -> None:
    upload = send(http, SMALL)
    job = http.post("/api/v1/jobs", json=order(upload)).json()["id"]
    until(http, job, is_over)
    assert http.delete(f"/api/v1/jobs/{job}").status_code == 204
    assert left(stored, job) == []
    assert left(stored, upload) == []
    assert http.get(f"{HUB}/{job}").status_code == 404
    assert http.get(f"/api/v1/jobs/{job}").status_code == 404
    assert http.delete(f"/api/v1/jobs/{job}").status_code == 404


def test_deleting_a_running_job_stops_it_and_leaves_no_trace(http: httpx.Client, stored: BlobStore) -> None:
    upload = send(http, LARGE)
    job = http.post("/api/v1/jobs", json=order(upload)).json()["id"]
    until(http, job, has_tiles)
    answer = http.delete(f"/api/v1/jobs/{job}")
    assert (answer.status_code, answer.json()["state"]) == (202, "cancelling")
    until(http, job, is_gone)
    assert left(stored, job) == []
    assert left(stored, upload) == []


def test_a_job_whose_orchestration_died_has_failed_and_can_be_deleted(http: httpx.Client) -> None:
    job = start(http, LARGE)
    until(http, job, has_tiles)
    assert http.post(f"{HUB}/{job}/terminate").status_code == 202
    lost = until(http, job, is_over).json()
    assert (lost["state"], lost["error"]["code"], lost["error"]["status"]) == ("failed", "job-lost", 500)
    assert http.delete(f"/api/v1/jobs/{job}").status_code == 204
    assert http.get(f"/api/v1/jobs/{job}").status_code == 404
    assert http.get(f"{HUB}/{job}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/api/v1/jobs", b"{", 400, "invalid-request"),
        ("POST", "/api/v1/jobs", b'{"a": 1}', 400, "invalid-request"),
        ("POST", "/api/v1/jobs", b" " * 70_000, 413, "limit-exceeded"),
        ("POST", "/api/v1/uploads", b'{"size": 1099511627776}', 413, "limit-exceeded"),
        ("GET", "/api/v1/jobs/unheard-of", b"", 404, "job-not-found"),
        ("DELETE", f"/api/v1/jobs/{'0' * 32}", b"", 404, "job-not-found"),
    ],
)
def test_every_refusal_is_a_problem_document(
    http: httpx.Client, method: str, path: str, body: bytes, status: int, code: str
) -> None:
    answer = http.request(method, path, content=body)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (status, status, code)
    assert {"type", "title", "detail"} <= answer.json().keys()


def test_no_answer_gives_away_the_hosts_own_urls(http: httpx.Client) -> None:
    job = start(http, SMALL)
    answers = [until(http, job, is_over), http.delete(f"/api/v1/jobs/{job}"), http.get("/api/v1/operations")]
    assert not [
        answer for answer in answers if "webhooks" in answer.text or "webhooks" in str(answer.headers)
    ]


def test_the_catalogue_can_be_read_by_programs(http: httpx.Client) -> None:
    operations = http.get("/api/v1/operations").json()["operations"]
    assert [operation["name"] for operation in operations] == list(CATALOGUE)
    canny = next(operation for operation in operations if operation["name"] == "canny")
    assert canny["class"] == "global"
    assert canny["accepts"] == {"channels": [1, 2, 3, 4], "depths": [8]}
    assert canny["parameters"]["properties"]["low"]["default"] == 100
    assert canny["parameters"]["properties"]["low"]["maximum"] == 32767


def test_health_says_that_the_app_is_there(http: httpx.Client) -> None:
    assert http.get("/api/v1/health").json()["status"] == "ok"


def test_the_nightly_timer_runs(stack: Stack, http: httpx.Client) -> None:
    assert http.post("/admin/functions/purge_old", json={}).status_code == 202
    deadline = time.monotonic() + PATIENCE
    while "removed the histories of 0 orchestrations" not in (log := stack.log.read_text()):
        assert time.monotonic() < deadline, log[-2000:]
        time.sleep(0.05)


def test_the_search_for_secrets_in_the_log_finds_them(stack: Stack, tmp_path: Path) -> None:
    keys = stack.log.with_name("keys.json").read_text()
    (tmp_path / "keys.json").write_text(keys)
    copy = dataclasses.replace(stack, log=tmp_path / "log")
    leaks = ["GET http://x/y?sv=1&sig=abc", f"AccountKey={KEY}", json.loads(keys)["master"]]
    copy.log.write_text("\n".join(["nothing here", *leaks]))
    assert secrets_in(copy) == leaks
    assert stack.log.read_text()
