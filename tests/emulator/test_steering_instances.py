"""The durable management API: events, terminate, suspend, rewind, restart, purge, and the SDK's client."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.emulator.hosting import DURABLE, Host, until


def _key() -> str:
    return uuid.uuid4().hex


def _waiting(host: Host) -> str:
    """Start an orchestration that waits for an event, and let it get there."""
    instance = host.start("statuses")
    until(lambda: host.status(instance)["customStatus"], 20, "the orchestration to wait")
    return instance


def _status(host: Host, instance: str) -> Any:
    return host.status(instance)["runtimeStatus"]


def test_terminate_ends_an_instance_with_its_reason(host: Host) -> None:
    instance = _waiting(host)
    assert host.post(instance, "terminate", params={"reason": "enough of it"}).status_code == 202
    status = host.wait(instance)
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", "enough of it")
    for operation in ("terminate", "suspend", "resume", "rewind", "raiseEvent/go"):
        assert host.post(instance, operation, json=1).status_code == 410, operation


def test_a_terminated_sub_orchestration_fails_in_its_parent(host: Host) -> None:
    order = {"key": _key(), "n": 1, "seconds": 20, "children": 1}
    parent = host.start("effects_tree", order)
    child = f"{order['key']}-0"
    until(lambda: host.http.get(f"{DURABLE}/instances/{child}").status_code == 202, 20, "the child")
    assert host.post(child, "terminate", params={"reason": "by hand"}).status_code == 202
    status = host.wait(parent)
    assert status["runtimeStatus"] == "Failed"
    assert "by hand" in status["output"]


def test_a_suspended_instance_takes_its_events_when_it_is_resumed(host: Host) -> None:
    instance = _waiting(host)
    assert host.post(instance, "suspend", params={"reason": "lunch"}).status_code == 202
    until(lambda: _status(host, instance) == "Suspended", 20, "the suspension")
    for _ in range(2):
        assert host.post(instance, "raiseEvent/go", json=1).status_code == 202
    assert _status(host, instance) == "Suspended"
    assert host.post(instance, "resume", params={"reason": "back"}).status_code == 202
    status = host.wait(instance)
    assert (status["runtimeStatus"], status["output"]) == ("Completed", "done")


def test_a_suspended_instance_can_be_terminated(host: Host) -> None:
    instance = _waiting(host)
    host.post(instance, "suspend")
    until(lambda: _status(host, instance) == "Suspended", 20, "the suspension")
    assert host.post(instance, "terminate").status_code == 202
    assert host.wait(instance)["runtimeStatus"] == "Terminated"


@pytest.mark.parametrize("orchestrator", ["rewindable", "rewindable_parent"])
def test_rewind_runs_only_what_failed_again(host: Host, orchestrator: str) -> None:
    key = _key()
    instance = host.start(orchestrator, {"key": key, "failures": 1})
    assert host.wait(instance)["runtimeStatus"] == "Failed"
    assert host.post(instance, "rewind", params={"reason": "mended"}).status_code == 202
    status = host.wait(instance)
    assert (status["runtimeStatus"], status["output"]) == ("Completed", [f"{key}.first", 2])


def test_a_running_instance_cannot_be_rewound(host: Host) -> None:
    instance = _waiting(host)
    response = host.post(instance, "rewind")
    assert response.status_code == 500
    assert "only supported on failed" in response.json()["ExceptionMessage"]
    host.post(instance, "terminate")


@pytest.mark.parametrize("renamed", [True, False])
def test_restart_runs_the_same_input_again(host: Host, renamed: bool) -> None:
    instance = host.start("fan_out", 3)
    host.wait(instance)
    response = host.post(instance, "restart", params={"restartWithNewInstanceId": str(renamed).lower()})
    assert response.status_code == 202
    assert (response.json()["id"] != instance) == renamed
    assert host.wait(response.json()["id"])["output"] == 6


def test_events_must_be_json(host: Host) -> None:
    instance = _waiting(host)
    assert host.post(instance, "raiseEvent/go", content=b"x").status_code == 400
    broken = host.post(instance, "raiseEvent/go", content=b"{", headers={"content-type": "application/json"})
    assert broken.status_code == 400
    host.post(instance, "terminate")


def test_purge_removes_an_ended_instance(host: Host) -> None:
    instance = host.start("fan_out", 2)
    host.wait(instance)
    response = host.http.delete(f"{DURABLE}/instances/{instance}")
    assert (response.status_code, response.json()) == (200, {"instancesDeleted": 1})
    assert host.http.get(f"{DURABLE}/instances/{instance}").status_code == 404


def test_purge_by_time_and_status_removes_those_and_no_others(host: Host) -> None:
    path = f"{DURABLE}/instances"
    begin = datetime.now(UTC).isoformat()
    bad, good = host.start("fails", "x"), host.start("fan_out", 1)
    host.wait(bad)
    host.wait(good)
    assert host.http.delete(path).status_code == 400
    query = {"createdTimeFrom": begin, "runtimeStatus": "Failed"}
    response = host.http.delete(path, params=query)
    assert (response.status_code, response.json()) == (200, {"instancesDeleted": 1})
    assert host.http.delete(path, params=query).status_code == 404
    assert host.http.get(f"{path}/{bad}").status_code == 404
    assert host.http.get(f"{path}/{good}").status_code == 200


@pytest.mark.parametrize("operation", ["terminate", "suspend", "resume"])
def test_the_sdk_s_client_steers(host: Host, operation: str) -> None:
    instance = _waiting(host)
    assert host.http.post(f"/api/client/{operation}/{instance}").text == "ok"
    missing = host.http.post(f"/api/client/{operation}/{_key()}")
    assert missing.status_code == 409
    assert "No instance with ID" in missing.text
    host.post(instance, "terminate")


def test_the_sdk_s_client_raises_events_waits_reads_and_purges(host: Host) -> None:
    instance = host.start("approval", 30_000)
    assert host.http.post(f"/api/client/raise/{instance}", params={"name": "approve"}, json=True).text == "ok"
    waited = host.http.post(f"/api/client/wait/{instance}")
    assert waited.text == "approved by true"
    assert "'runtimeStatus': 'Completed'" in host.http.post(f"/api/client/status/{instance}").text
    assert "gone" in host.http.post(f"/api/client/raise/{instance}", params={"name": "x"}, json=1).text
    assert host.http.post(f"/api/client/purge/{instance}").text == "1"
    assert host.http.post(f"/api/client/purge/{instance}").text == "0"


def test_the_sdk_s_client_learns_why_a_start_was_refused(host: Host) -> None:
    response = host.http.post("/api/start/nonsense")
    assert response.status_code == 500
