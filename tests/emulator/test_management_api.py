"""The durable management API over HTTP: codes, headers, bodies, filters, pages."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
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


# -- start --------------------------------------------------------------------------------------------------


def test_start_answers_with_the_management_urls(host: Host) -> None:
    instance = _key()
    response = host.http.post(f"{DURABLE}/orchestrators/fan_out/{instance}", json="2")
    assert response.status_code == 202
    assert response.headers["retry-after"] == "10"
    urls = response.json()
    assert response.headers["location"] == urls["statusQueryGetUri"]
    assert urls.pop("id") == instance
    assert set(urls) == {
        "statusQueryGetUri",
        "sendEventPostUri",
        "terminatePostUri",
        "purgeHistoryDeleteUri",
        "restartPostUri",
        "suspendPostUri",
        "resumePostUri",
    }
    assert all(url.startswith(f"{host.url}{DURABLE}/instances/{instance}") for url in urls.values())
    assert all("taskHub=SampleHub" in url for url in urls.values())
    assert host.wait(instance)["output"] == 2


def test_the_sdk_s_client_starts_and_its_urls_work(host: Host) -> None:
    response = host.http.post("/api/start/fan_out", json=4)
    assert response.status_code == 202
    urls = response.json()
    assert "rewindPostUri" in urls
    assert urls["statusQueryGetUri"].startswith(host.url)
    until(lambda: httpx.get(urls["statusQueryGetUri"]).status_code == 200, 20, "the end")
    assert httpx.get(urls["statusQueryGetUri"]).json()["output"] == 12


def test_start_can_wait_for_the_result(host: Host) -> None:
    query = {"timeout": "20", "pollingInterval": "0.05"}
    response = host.http.post(f"{DURABLE}/orchestrators/fan_out", params=query, json="3")
    assert (response.status_code, response.json()) == (200, 6)


def test_start_that_waits_in_vain_answers_as_without_waiting(host: Host) -> None:
    query = {"timeout": "0.2", "pollingInterval": "0.1"}
    response = host.http.post(f"{DURABLE}/orchestrators/statuses", params=query)
    assert response.status_code == 202
    host.post(response.json()["id"], "terminate")


def test_an_input_that_is_an_object_reaches_the_orchestrator(host: Host) -> None:
    response = host.http.post(f"{DURABLE}/orchestrators/eternal", json={"n": 0, "sum": 5})
    status = host.wait(response.json()["id"])
    assert status["output"] == 5
    assert status["input"] == {"n": 0, "sum": 5}


def test_an_unknown_orchestrator_is_refused_and_the_known_ones_are_named(host: Host) -> None:
    response = host.http.post(f"{DURABLE}/orchestrators/nonsense")
    assert response.status_code == 400
    message = response.json()["ExceptionMessage"]
    assert "The function 'nonsense' doesn't exist, is disabled, or is not an orchestrator function" in message
    assert "'fan_out'" in message


def test_input_that_is_not_json_is_refused(host: Host) -> None:
    response = host.http.post(f"{DURABLE}/orchestrators/fan_out", content=b"{")
    assert response.status_code == 400
    assert response.json()["Message"] == "Invalid JSON content"


@pytest.mark.parametrize("instance", ["@x", "a%23b", "a%3Fb", "x" * 257])
def test_an_invalid_instance_id_is_refused(host: Host, instance: str) -> None:
    response = host.http.post(f"{DURABLE}/orchestrators/fan_out/{instance}", json="1")
    assert response.status_code == 400, response.text


def test_a_running_instance_cannot_be_started_again(host: Host) -> None:
    instance = _waiting(host)
    response = host.http.post(f"{DURABLE}/orchestrators/statuses/{instance}")
    assert response.status_code == 500
    assert response.json()["ExceptionMessage"].endswith("already exists.")
    host.post(instance, "terminate")


def test_an_ended_instance_can_be_started_again(host: Host) -> None:
    instance = host.start("fan_out", 2, _key())
    host.wait(instance)
    assert host.start("fan_out", 5, instance) == instance
    assert host.wait(instance)["output"] == 20


# -- status -------------------------------------------------------------------------------------------------


def test_a_running_instance_answers_202_with_where_and_when_to_look_again(host: Host) -> None:
    instance = _waiting(host)
    response = host.http.get(f"{DURABLE}/instances/{instance}")
    assert response.status_code == 202
    assert response.headers["retry-after"] == "5"
    assert response.headers["location"] == str(response.url)
    status = response.json()
    assert status["name"] == "statuses"
    assert status["runtimeStatus"] == "Running"
    assert status["output"] is None
    assert datetime.fromisoformat(status["createdTime"]).tzinfo == UTC
    assert "historyEvents" not in status
    host.post(instance, "terminate")


def test_a_failed_instance_answers_200_or_on_demand_500(host: Host) -> None:
    instance = host.start("fails", "x")
    host.wait(instance)
    path = f"{DURABLE}/instances/{instance}"
    assert host.http.get(path).status_code == 200
    assert host.http.get(path, params={"returnInternalServerErrorOnFailure": "true"}).status_code == 500


def test_an_unknown_instance_is_not_found(host: Host) -> None:
    assert host.http.get(f"{DURABLE}/instances/{_key()}").status_code == 404
    for operation in ("terminate", "suspend", "resume", "rewind", "raiseEvent/x"):
        assert host.post(_key(), operation, json=1).status_code == 404, operation
    assert host.http.delete(f"{DURABLE}/instances/{_key()}").status_code == 404
    assert host.post(_key(), "restart").status_code == 400


def test_the_input_can_be_left_out(host: Host) -> None:
    instance = host.start("fan_out", 2)
    host.wait(instance)
    assert host.status(instance)["input"] == "2"
    assert host.status(instance, showInput="false")["input"] is None


def test_the_history_joins_scheduling_and_completion_and_shows_outputs_on_demand(host: Host) -> None:
    instance = host.start("chain")
    host.wait(instance)
    history = host.status(instance, showHistory="true")["historyEvents"]
    assert [event["EventType"] for event in history] == [
        "ExecutionStarted",
        "TaskCompleted",
        "TaskCompleted",
        "TaskCompleted",
        "ExecutionCompleted",
    ]
    assert history[0]["FunctionName"] == "chain"
    assert {event["FunctionName"] for event in history[1:4]} == {"double_async"}
    assert all(event["ScheduledTime"] <= event["Timestamp"] for event in history[1:4])
    assert all("Result" not in event for event in history)
    assert history[4]["OrchestrationStatus"] == "Completed"
    history = host.status(instance, showHistory="true", showHistoryOutput="true")["historyEvents"]
    assert [event.get("Result") for event in history] == [None, 2, 4, 8, 8]


def test_a_retried_activity_leaves_a_timer_after_every_failure_the_last_one_too(host: Host) -> None:
    instance = host.start("retries", {"key": _key(), "failures": 9, "attempts": 3})
    host.wait(instance)
    history = host.status(instance, showHistory="true")["historyEvents"]
    kinds = [event["EventType"] for event in history]
    assert kinds == [
        "ExecutionStarted",
        *(["TaskFailed", "TimerCreated", "TimerFired"] * 3),
        "ExecutionCompleted",
    ]


# -- lists --------------------------------------------------------------------------------------------------


def _pages(host: Host, **query: str) -> list[list[dict[str, Any]]]:
    pages, token = [], ""
    while True:
        headers = {"x-ms-continuation-token": token} if token else {}
        response = host.http.get(f"{DURABLE}/instances", params=query, headers=headers)
        assert response.status_code == 200
        pages.append(response.json())
        token = response.headers.get("x-ms-continuation-token", "")
        if not token:
            return pages


def test_instances_are_listed_in_pages(host: Host) -> None:
    prefix = f"page-{_key()}"
    for i in range(7):
        host.start("fan_out", 1, f"{prefix}-{i}")
    for i in range(7):
        host.wait(f"{prefix}-{i}")
    pages = _pages(host, instanceIdPrefix=prefix, top="3")
    assert [len(page) for page in pages] == [3, 3, 1]
    assert {status["instanceId"] for page in pages for status in page} == {f"{prefix}-{i}" for i in range(7)}


def test_instances_are_filtered_by_status_and_time(host: Host) -> None:
    prefix = f"filter-{_key()}"
    before = datetime.now(UTC) - timedelta(seconds=1)
    host.wait(host.start("fan_out", 1, f"{prefix}-good"))
    host.wait(host.start("fails", "x", f"{prefix}-bad"))
    after = datetime.now(UTC) + timedelta(seconds=1)

    def listed(**query: str) -> set[str]:
        pages = _pages(host, instanceIdPrefix=prefix, **query)
        return {status["instanceId"].removeprefix(f"{prefix}-") for page in pages for status in page}

    assert listed(runtimeStatus="Failed") == {"bad"}
    assert listed(runtimeStatus="Failed,Completed") == {"good", "bad"}
    assert listed(runtimeStatus="Running") == set()
    assert listed(createdTimeFrom=before.isoformat(), createdTimeTo=after.isoformat()) == {"good", "bad"}
    assert listed(createdTimeFrom=after.isoformat()) == set()
    assert listed(createdTimeTo=before.isoformat()) == set()


# -- steering -----------------------------------------------------------------------------------------------


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


# -- purge --------------------------------------------------------------------------------------------------


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


# -- the SDK's client ---------------------------------------------------------------------------------------


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
