"""The durable management API: status, history, lists."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.emulator.hosting import DURABLE, Host, until


def _key() -> str:
    return uuid.uuid4().hex


def _waiting(host: Host) -> str:
    """Start an orchestration that waits for an event, and let it get there."""
    instance = host.start("statuses")
    until(lambda: host.status(instance)["customStatus"], 20, "the orchestration to wait")
    return instance


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
