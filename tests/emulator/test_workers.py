"""Worker processes: scaling, concurrency, responsiveness, what the emulator refuses at run time."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.emulator.hosting import Host, emulate, until


def _pids(host: Host) -> list[int]:
    return [worker["pid"] for worker in host.workers() if worker["state"] == "running"]


def test_a_backlog_adds_workers_and_idleness_retires_them(tmp_path: Path) -> None:
    with emulate(tmp_path, "--min-workers", "1", "--max-workers", "3", "--idle-seconds", "1") as host:
        assert len(_pids(host)) == 1
        instance = host.start("effects", {"key": "k", "n": 120, "seconds": 0.3})
        until(lambda: len(_pids(host)) == 3, 20, "three workers")
        assert host.wait(instance)["runtimeStatus"] == "Completed"
        until(lambda: len(host.workers()) == 1, 20, "two workers to be retired")
        pids = {line.split()[1] for line in (tmp_path / "ledger").read_text().splitlines()}
        assert len(pids) == 3
        assert "ended with exit code" not in host.log.read_text()


def test_a_worker_runs_as_many_activities_at_once_as_host_json_says(tmp_path: Path) -> None:
    with emulate(tmp_path, "--max-workers", "1") as host:
        instance = host.start("effects", {"key": "k", "n": 12, "seconds": 0.2})
        most = 0
        while host.status(instance)["runtimeStatus"] not in ("Completed", "Failed"):
            most = max(most, sum(worker["running"].count("effect") for worker in host.workers()))
        assert most == 4


def test_the_host_answers_while_activities_keep_every_processor_busy(tmp_path: Path) -> None:
    with emulate(tmp_path, "--max-workers", "1") as host:
        instance = host.start("computes", {"n": 4, "seconds": 3})
        until(lambda: host.workers()[0]["running"].count("compute") == 4, 20, "four activities")
        answers = [host.http.get("/api/hello").text for _ in range(10)]
        still_computing = host.workers()[0]["running"].count("compute")
        assert answers == ["hello world"] * 10
        assert still_computing == 4
        assert host.wait(instance)["output"] == 4


def test_requests_have_a_worker_of_their_own_if_asked_for(tmp_path: Path) -> None:
    with emulate(tmp_path, "--max-workers", "1", "--http-workers", "1") as host:
        assert [host.http.get("/api/hello").text for _ in range(10)] == ["hello world"] * 10
        assert (
            host.wait(host.start("effects", {"key": "k", "n": 8, "seconds": 0}))["runtimeStatus"]
            == "Completed"
        )
        by_group = {worker["group"]: worker for worker in host.workers()}
        assert by_group["httpTrigger"]["executions"] >= 10
        assert by_group["others"]["executions"] >= 8
        os.kill(by_group["httpTrigger"]["pid"], signal.SIGKILL)
        until(lambda: by_group["httpTrigger"]["pid"] not in _pids(host), 20, "the host to notice")
        assert host.http.get("/api/hello").text == "hello world"
        assert {worker["group"] for worker in host.workers()} == {"httpTrigger", "others"}


def test_the_thread_count_setting_is_respected(tmp_path: Path) -> None:
    environment = {"PYTHON_THREADPOOL_THREAD_COUNT": "1"}
    with (
        emulate(tmp_path, "--max-workers", "1", environment=environment) as host,
        ThreadPoolExecutor(8) as pool,
    ):
        urls = [f"{host.url}/api/threads"] * 16
        names = set(pool.map(lambda url: httpx.get(url, timeout=20).text, urls))
    assert len(names) == 1


def test_the_status_pages_show_the_workers(emulator: Host) -> None:
    assert emulator.run("chain") == 8
    (worker,) = emulator.workers()[:1]
    assert set(worker) == {"pid", "state", "group", "running", "executions", "seconds", "startedAt"}
    assert worker["executions"] >= 7
    assert worker["seconds"]["chain"] > 0 < worker["seconds"]["double_async"]
    status = emulator.http.get("/admin/host/status").json()
    assert status["state"] == "Running"
    assert [shown["pid"] for shown in status["workers"]] == [shown["pid"] for shown in emulator.workers()]
    assert emulator.http.get("/admin/host/ping").status_code == 200
    assert "up and running" in emulator.http.get("/").text
    names = {function["name"] for function in emulator.http.get("/admin/functions").json()}
    assert {"hello", "fan_out", "double", "tick"} <= names


@pytest.mark.parametrize(
    ("orchestrator", "words"),
    [
        ("calls_http", ["'calls_http' failed", "call_http isn't emulated", "in an activity"]),
        ("calls_entity", ["'calls_entity' failed", "call_entity isn't emulated", "in a blob"]),
        ("unknown", ["The function 'no_such_activity' doesn't exist", "'double_async'"]),
    ],
)
def test_an_action_that_is_not_emulated_fails_its_orchestration(
    emulator: Host, orchestrator: str, words: list[str]
) -> None:
    status = emulator.wait(emulator.start(orchestrator))
    assert status["runtimeStatus"] == "Failed"
    assert [word for word in words if word not in status["output"]] == [], status["output"]


def test_entities_are_refused_by_the_management_api(emulator: Host) -> None:
    response = emulator.http.get("/runtime/webhooks/durabletask/entities/counter/a")
    assert response.status_code == 501
    assert "entities aren't emulated" in response.json()["Message"]


def test_a_custom_status_over_16_kb_fails_the_orchestration(emulator: Host) -> None:
    status = emulator.wait(emulator.start("boasts", 20_000))
    assert status["runtimeStatus"] == "Failed"
    assert "must not exceed 16 KB" in status["output"]


def test_a_timer_function_can_be_run_by_hand(emulator: Host) -> None:
    began = time.time_ns()
    assert emulator.http.post("/admin/functions/Tick", json={}).status_code == 202
    until(lambda: _ticks(emulator, began), 20, "the orchestration that the timer starts")
    assert emulator.http.post("/admin/functions/hello", json={}).status_code == 404


def _ticks(host: Host, since: int) -> list[int]:
    found = host.http.get(
        "/runtime/webhooks/durabletask/instances", params={"instanceIdPrefix": "tick-"}
    ).json()
    return [tick for status in found if (tick := int(status["instanceId"].split("-")[1])) >= since]


def test_a_timer_function_runs_by_its_schedule(tmp_path: Path) -> None:
    with emulate(tmp_path, environment={"TICK_SCHEDULE": "* * * * * *"}) as host:
        ticks = until(lambda: found if len(found := _ticks(host, 0)) >= 2 else None, 20, "two ticks")
    assert abs(ticks[1] - ticks[0]) >= 0.5e9


def test_a_timer_function_that_was_missed_runs_at_the_start_as_past_due(tmp_path: Path) -> None:
    environment = {"TICK_SCHEDULE": "00:00:02"}
    emulate(tmp_path, environment=environment).stop()
    due = time.monotonic() + 2.1
    until(lambda: time.monotonic() > due, 5, "the due time to pass")
    with emulate(tmp_path, environment=environment) as host:
        ticks = until(lambda: _ticks(host, 0), 20, "the missed tick")
        first = min(ticks)
        assert '"past_due": true' in host.status(f"tick-{first}")["input"]


def test_what_a_worker_runs_can_be_delivered_to_another_too(tmp_path: Path) -> None:
    with emulate(tmp_path, "--min-workers", "2") as host:
        until(lambda: len(_pids(host)) == 2, 20, "two workers")
        instance = host.start("effects", {"key": "k", "n": 1, "seconds": 2})
        until((tmp_path / "ledger").exists, 20, "the activity to run")
        (line,) = _ran(tmp_path)
        again = host.http.post(f"/admin/emulator/workers/{line.split()[1]}/redeliver")
        assert again.json() == ["effect"]
        assert host.http.post("/admin/emulator/workers/1/redeliver").json() == []
        until(lambda: len(_ran(tmp_path)) == 2, 20, "the activity to run a second time")
        assert host.status(instance)["runtimeStatus"] == "Running"
        assert host.wait(instance)["output"] == ["k.0", "k.last", True]
        history = host.status(instance, showHistory="true")["historyEvents"]
        assert [event["EventType"] for event in history].count("TaskCompleted") == 2


def _ran(folder: Path) -> list[str]:
    return (folder / "ledger").read_text().splitlines()
