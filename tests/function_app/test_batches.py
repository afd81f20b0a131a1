"""Batches over HTTP."""

import time
import uuid
from typing import Any

import httpx
import pytest

from tests.function_app.api import LARGE, PATIENCE, SMALL, order, send

BATCHES = "/api/v1/batches"


def batch_of(uploads: list[str], **more: Any) -> dict[str, Any]:
    body = order("0" * 32, inputs=[{"upload_id": upload} for upload in uploads], **more)
    del body["upload_id"]
    return body


def wait(http: httpx.Client, batch: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while (view := _asked(http, batch, headers))["manifest"] is None:
        assert time.monotonic() < deadline, view
        time.sleep(0.1)
    return view


def _asked(http: httpx.Client, batch: str, headers: dict[str, str] | None) -> dict[str, Any]:
    return dict(http.get(f"{BATCHES}/{batch}", headers=headers).raise_for_status().json())


def test_every_input_is_a_job_and_the_manifest_says_what_became_of_it(http: httpx.Client) -> None:
    uploads = [send(http, SMALL) for _ in range(3)]
    body = batch_of(uploads)
    body["inputs"][0]["name"] = "first.png"
    accepted = http.post(BATCHES, json=body)
    assert accepted.status_code == 202, accepted.text
    assert accepted.headers["Location"] == f"{BATCHES}/{accepted.json()['id']}"
    view = wait(http, accepted.json()["id"])
    assert (view["state"], view["total"], view["done"], view["failed"]) == ("succeeded", 3, 3, 0)
    assert [entry["upload_id"] for entry in view["manifest"]] == uploads
    assert view["manifest"][0]["name"] == "first.png"
    for entry in view["manifest"]:
        job = http.get(f"/api/v1/jobs/{entry['job']}").json()
        assert (job["state"], job["batch"]) == ("succeeded", view["id"])
        assert job["result"]["size"] == entry["size"]


@pytest.mark.parametrize(("tolerated", "state"), [(0, "failed"), (1, "succeeded")])
def test_a_batch_succeeds_with_as_many_failures_as_are_tolerated(
    http: httpx.Client, tolerated: int, state: str
) -> None:
    uploads = [send(http, SMALL), send(http, SMALL[: len(SMALL) // 2]), send(http, SMALL)]
    body = batch_of(uploads, tolerated_failures=tolerated)
    view = wait(http, http.post(BATCHES, json=body).raise_for_status().json()["id"])
    assert (view["state"], view["failed"]) == (state, 1)
    assert [entry["state"] for entry in view["manifest"]] == ["succeeded", "failed", "succeeded"]
    assert view["manifest"][1]["code"] == "corrupt-image"


def test_an_upload_that_is_not_there_is_a_failure_of_its_job_only(http: httpx.Client) -> None:
    body = batch_of([uuid.uuid4().hex, send(http, SMALL)], tolerated_failures=1)
    view = wait(http, http.post(BATCHES, json=body).raise_for_status().json()["id"])
    assert [entry["code"] for entry in view["manifest"]] == ["input-gone", None]


def test_a_cancelled_batch_stops_its_jobs(http: httpx.Client) -> None:
    upload = send(http, LARGE)
    batch = http.post(BATCHES, json=batch_of([upload] * 4)).raise_for_status().json()["id"]
    assert http.get(f"{BATCHES}/{batch}").json()["state"] == "running"
    answer = http.post(f"{BATCHES}/{batch}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (202, "cancelling")
    view = wait(http, batch)
    assert view["state"] == "cancelled"
    assert "cancelled" in {entry["state"] for entry in view["manifest"]}
    assert http.post(f"{BATCHES}/{batch}/cancel").status_code == 409


def test_one_key_is_one_batch(http: httpx.Client) -> None:
    body, headers = batch_of([send(http, SMALL)]), {"Idempotency-Key": uuid.uuid4().hex}
    batches = {http.post(BATCHES, json=body, headers=headers).json()["id"] for _ in range(3)}
    assert len(batches) == 1
    other = http.post(BATCHES, json={**body, "tolerated_failures": 1}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-conflict")
    wait(http, batches.pop())


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"inputs": []}, 400, "/inputs"),
        ({"inputs": [{"upload_id": "../x"}]}, 400, "/inputs/0/upload_id"),
        ({"pipeline": [{"operation": "cany"}]}, 422, "/pipeline/0/operation"),
        ({"webhook": {"url": "https://127.0.0.1/", "secret": "s" * 16}}, 422, "/webhook/url"),
        ({"webhook": {"url": "https://example.com/", "secret": "short"}}, 400, "/webhook/secret"),
    ],
)
def test_a_batch_that_can_not_be_is_refused(
    http: httpx.Client, change: dict[str, Any], status: int, pointer: str
) -> None:
    answer = http.post(BATCHES, json={**batch_of(["0" * 32]), **change})
    assert (answer.status_code, answer.json()["pointer"]) == (status, pointer)


def test_batches_are_listed_newest_first_page_by_page_to_their_owner(http: httpx.Client) -> None:
    mine = {"x-ms-client-principal-id": uuid.uuid4().hex}
    body = batch_of([send(http, SMALL)])
    made = [http.post(BATCHES, json=body, headers=mine).raise_for_status().json()["id"] for _ in range(3)]
    seen: list[dict[str, Any]] = []
    query = "limit=2"
    while query:
        page = http.get(f"{BATCHES}?{query}", headers=mine).raise_for_status().json()
        assert len(page["batches"]) <= 2
        seen += page["batches"]
        query = f"limit=2&cursor={page['next']}" if page["next"] else ""
    assert [batch["id"] for batch in seen] == made[::-1]
    assert [(batch["total"], batch["operations"]) for batch in seen] == [(1, ["median_blur", "canny"])] * 3
    other = {"x-ms-client-principal-id": uuid.uuid4().hex}
    assert http.get(BATCHES, headers=other).json() == {"batches": [], "next": None}
    answer = http.get(f"{BATCHES}?cursor=am9icyBhZnRlciB4", headers=mine)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-cursor"), "that of another list"
    for batch in made:
        wait(http, batch, mine)


def test_a_batch_is_visible_to_its_owner_only(http: httpx.Client) -> None:
    batch = http.post(BATCHES, json=batch_of([send(http, SMALL)])).json()["id"]
    other = {"x-ms-client-principal-id": "somebody-else"}
    assert http.get(f"{BATCHES}/{batch}", headers=other).json()["code"] == "batch-not-found"
    wait(http, batch)
