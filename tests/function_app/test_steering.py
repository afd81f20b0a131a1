"""Cancel, retry, delete and the views of a job, over HTTP with the real worker runtime and Azurite."""

import hashlib
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from function_app.blob_store import BlobStore
from function_app.owners import owner_of
from function_app.settings import Settings
from tessera import naming
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
from tests.support.images import decode

JOBS = "/api/v1/jobs"


def work_left(stored: BlobStore, job: str) -> list[str]:
    return [name for container in (naming.WORK, naming.RESULTS) for name in stored.names(container, job)]


def at_stage(name: str) -> Any:
    return lambda answer: (answer.json()["stage"] or {}).get("name") == name or is_over(answer)


STAGES = ["decode", "median_blur + canny", "canny + bilateral"]
# Slow enough in its last stage to be met there.
SLOW = [
    {"operation": "median_blur", "parameters": {"ksize": 15}},
    {"operation": "canny"},
    {"operation": "bilateral", "parameters": {"diameter": 15}},
]


def start_slow(http: httpx.Client, upload: str) -> str:
    answer = http.post(JOBS, json=order(upload, pipeline=SLOW))
    return str(answer.raise_for_status().json()["id"])


@pytest.mark.parametrize("stage", STAGES)
def test_a_cancelled_job_ends_soon_and_leaves_its_record_only(
    http: httpx.Client, stored: BlobStore, stage: str
) -> None:
    job = start_slow(http, send(http, LARGE))
    until(http, job, at_stage(stage))
    answer = http.post(f"{JOBS}/{job}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (202, "cancelling")
    assert answer.headers["Location"] == f"{JOBS}/{job}"
    ended = until(http, job, is_over).json()
    assert (ended["state"], ended["error"]["code"], ended["result"]) == ("cancelled", "cancelled", None)
    assert work_left(stored, job) == []
    again = http.post(f"{JOBS}/{job}/cancel")
    assert (again.status_code, again.json()["state"]) == (202, "cancelled")


@pytest.mark.parametrize("stage", STAGES)
def test_a_job_deleted_at_any_stage_leaves_no_trace(
    http: httpx.Client, stored: BlobStore, stage: str
) -> None:
    upload = send(http, LARGE)
    job = start_slow(http, upload)
    until(http, job, at_stage(stage))
    assert http.delete(f"{JOBS}/{job}").status_code in (202, 204)
    until(http, job, is_gone)
    assert left(stored, job) == []
    assert left(stored, upload) == []
    assert not [name for name in stored.names(naming.JOBS, "") if job in name]


@pytest.mark.parametrize("stage", STAGES)
def test_a_job_whose_orchestration_died_goes_on_where_it_was(
    http: httpx.Client, stored: BlobStore, stage: str
) -> None:
    upload = send(http, LARGE)
    undisturbed = until(http, start_slow(http, upload), is_over).json()
    job = start_slow(http, upload)
    until(http, job, at_stage(stage))
    assert http.post(f"{HUB}/{job}/terminate").status_code == 202
    lost = until(http, job, is_over).json()
    assert lost["error"]["code"] == "job-lost"
    done = put_parts(stored, job)
    answer = http.post(f"{JOBS}/{job}/retry")
    assert (answer.status_code, answer.json()["id"], answer.json()["state"]) == (202, job, "queued")
    ended = until(http, job, is_over).json()
    assert (ended["state"], ended["run"]) == ("succeeded", 2)
    # Pixels, for fast deflate was seen to give other bytes of the same pixels in another run.
    made, expected = (decode(httpx.get(each["result"]["url"]).content) for each in (ended, undisturbed))
    np.testing.assert_array_equal(made, expected, strict=True)
    assert done <= put_parts(stored, job), "what was there was used"


def put_parts(stored: BlobStore, job: str) -> set[str]:
    """Return the ids of the result's blocks that tiles have put."""
    return {block for block in stored.blocks(naming.RESULTS, f"{job}.png") if block.startswith("t")}


def test_a_cancelled_job_can_be_taken_up_again(http: httpx.Client) -> None:
    job = start(http, LARGE)
    until(http, job, has_tiles)
    http.post(f"{JOBS}/{job}/cancel").raise_for_status()
    until(http, job, is_over)
    assert http.post(f"{JOBS}/{job}/retry").status_code == 202
    ended = until(http, job, is_over).json()
    assert (ended["state"], ended["run"]) == ("succeeded", 2)


def test_what_is_over_can_be_neither_cancelled_nor_taken_up(http: httpx.Client) -> None:
    job = start(http, SMALL)
    before = until(http, job, is_over).json()
    for verb, code in (("cancel", "job-is-over"), ("retry", "not-retryable")):
        answer = http.post(f"{JOBS}/{job}/{verb}")
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    after = http.get(f"{JOBS}/{job}").json()
    assert after["state"] == before["state"] == "succeeded"
    assert after["finished_at"] == before["finished_at"]


def test_a_running_job_can_not_be_taken_up_again(http: httpx.Client) -> None:
    job = start(http, LARGE)
    until(http, job, has_tiles)
    assert http.post(f"{JOBS}/{job}/retry").json()["code"] == "not-retryable"
    http.delete(f"{JOBS}/{job}")
    until(http, job, is_gone)


def test_tiles_are_listed_while_they_run_and_after(http: httpx.Client) -> None:
    job = start(http, LARGE)
    until(http, job, has_tiles)
    running = http.get(f"{JOBS}/{job}/tiles").json()
    assert running["total"] == len(running["tiles"]) == 40
    assert {tile["state"] for tile in running["tiles"]} <= {"waiting", "begun", "done"}
    assert "done" in {tile["state"] for tile in running["tiles"]}
    until(http, job, is_over)
    tiles = http.get(f"{JOBS}/{job}/tiles").json()["tiles"]
    assert [tile["index"] for tile in tiles] == list(range(40))
    assert [tile["stage"] for tile in tiles] == [1] * 20 + [2] * 20
    assert {tile["state"] for tile in tiles} == {"done"}
    assert all(tile["attempts"] >= 1 and tile["seconds"] > 0 for tile in tiles)
    assert tiles[20]["rect"] == [0, 0, 600, 128]
    first = http.get(f"{JOBS}/{job}/tiles?limit=15&first=10").json()
    assert [tile["index"] for tile in first["tiles"]] == list(range(10, 25))
    assert first["next"] == 25
    assert http.get(f"{JOBS}/{job}/tiles?first=25").json()["next"] is None


def test_the_result_has_a_fresh_url_and_digests_of_its_blocks(http: httpx.Client) -> None:
    job = start(http, LARGE)
    early = http.get(f"{JOBS}/{job}/result")
    assert (early.status_code, early.json()["code"]) == (409, "no-result")
    until(http, job, is_over)
    result = http.get(f"{JOBS}/{job}/result").json()
    data = httpx.get(result["url"]).content
    assert len(data) == result["size"] == sum(block["size"] for block in result["blocks"])
    assert result["media_type"] == "image/png"
    offset = 0
    for block in result["blocks"]:
        piece = data[offset : offset + block["size"]]
        assert md5(piece) == block["md5"]
        offset += block["size"]


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def test_an_answer_that_would_be_the_same_is_not_sent_again(http: httpx.Client) -> None:
    job = start(http, SMALL)
    answer = until(http, job, is_over)
    again = http.get(f"{JOBS}/{job}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = http.get(f"{JOBS}/{job}", headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


def test_the_receipt_counts_what_the_job_took(http: httpx.Client) -> None:
    job = start(http, LARGE)
    running = until(http, job, has_tiles).json()
    assert running["eta"] > 0
    assert running["receipt"]["amount"] > 0
    ended = until(http, job, is_over).json()
    receipt = ended["receipt"]
    assert receipt["gigabyte_seconds"] > 0
    assert receipt["bytes_written"] > ended["result"]["size"]
    assert receipt["executions"] >= 40
    assert 0 < receipt["amount"] < 0.01


def test_jobs_are_listed_newest_first_page_by_page(http: httpx.Client) -> None:
    mine = {"x-ms-client-principal-id": uuid.uuid4().hex}
    body = order(send(http, SMALL))
    jobs = [http.post(JOBS, json=body, headers=mine).json()["id"] for _ in range(5)]
    for job in jobs:
        wait(http, job, mine)
    seen: list[str] = []
    query = "limit=2"
    while query:
        page = http.get(f"{JOBS}?{query}", headers=mine).raise_for_status().json()
        assert len(page["jobs"]) <= 2
        seen += [job["id"] for job in page["jobs"]]
        query = f"limit=2&cursor={page['next']}" if page["next"] else ""
    assert seen == jobs[::-1]
    done = http.get(f"{JOBS}?state=succeeded", headers=mine).json()["jobs"]
    assert [job["id"] for job in done] == jobs[::-1]
    assert done[0]["operations"] == ["median_blur", "canny"]
    assert http.get(f"{JOBS}?state=failed", headers=mine).json() == {"jobs": [], "next": None}
    day = datetime.fromisoformat(done[0]["created_at"]).date()
    before, after = day - timedelta(1), day + timedelta(1)
    for query, count in {
        "text=MEDIAN": 5, "text=sepia": 0, f"since={before}&until={after}": 5,
        f"until={before}": 0, f"since={after + timedelta(1)}": 0,
    }.items():  # fmt: skip
        assert len(http.get(f"{JOBS}?{query}", headers=mine).json()["jobs"]) == count, query
    for query in ("since=yesterday", "until=1700000000", "since=2026-02-30", "text="):
        assert http.get(f"{JOBS}?{query}", headers=mine).status_code == 400, query


def wait(http: httpx.Client, job: str, headers: dict[str, str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_over(answer := http.get(f"{JOBS}/{job}", headers=headers)):
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.05)


def test_a_job_is_visible_to_its_owner_only(http: httpx.Client) -> None:
    mine, others = ({"x-ms-client-principal-id": uuid.uuid4().hex} for _ in range(2))
    body = order(send(http, SMALL))
    job = http.post(JOBS, json=body, headers=mine).json()["id"]
    wait(http, job, mine)
    for headers in (others, {}):
        for method, path in (
            ("GET", ""),
            ("GET", "/tiles"),
            ("GET", "/result"),
            ("GET", "/preview"),
            ("POST", "/cancel"),
            ("POST", "/retry"),
            ("DELETE", ""),
        ):
            answer = http.request(method, f"{JOBS}/{job}{path}", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (404, "job-not-found")
        listed = http.get(JOBS, headers=headers).json()["jobs"]
        assert job not in [item["id"] for item in listed]
    assert http.get(f"{JOBS}/{job}", headers=mine).json()["state"] == "succeeded"


def test_one_key_of_two_owners_is_two_jobs(http: httpx.Client) -> None:
    body, key = order(send(http, SMALL)), uuid.uuid4().hex
    jobs = {
        http.post(
            JOBS, json=body, headers={"Idempotency-Key": key, "x-ms-client-principal-id": owner}
        ).json()["id"]
        for owner in ("a", "b")
    }
    assert len(jobs) == 2


def test_fifty_identical_requests_at_once_are_one_job(http: httpx.Client) -> None:
    mine, body = {"x-ms-client-principal-id": uuid.uuid4().hex}, order(send(http, SMALL))
    headers = {"Idempotency-Key": uuid.uuid4().hex, **mine}

    def submit(_: int) -> httpx.Response:
        return http.post(JOBS, json=body, headers=headers)

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(submit, range(50)))
    assert {answer.status_code for answer in answers} == {202}
    (job,) = {answer.json()["id"] for answer in answers}
    wait(http, job, mine)
    assert [item["id"] for item in http.get(JOBS, headers=mine).json()["jobs"]] == [job]
    history = http.get(f"{HUB}/{job}?showHistory=true").json()["historyEvents"]
    assert [event["EventType"] for event in history].count("ExecutionStarted") == 1


def test_a_caller_who_sent_too_much_today_is_told_when_to_come_back(
    http: httpx.Client, stored: BlobStore
) -> None:
    mine = {"x-ms-client-principal-id": uuid.uuid4().hex}
    today = datetime.now(UTC).date().isoformat()
    used = json.dumps({"pixels": Settings.model_fields["max_pixels_per_day"].default}).encode()
    stored.write(naming.JOBS, naming.usage(owner_of(mine), today), used)
    answer = http.post(JOBS, json=order(send(http, SMALL)), headers=mine)
    assert (answer.status_code, answer.json()["code"]) == (429, "quota-exceeded")
    assert 0 < int(answer.headers["Retry-After"]) <= 24 * 3600 + 1
    assert answer.json()["limit"] < answer.json()["actual"]
    assert http.get(JOBS, headers=mine).json()["jobs"] == []
