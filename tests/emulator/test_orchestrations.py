"""What orchestrator functions can do, as any Functions host with the Durable extension lets them."""

import json
import uuid
from typing import Any

import pytest

from tests.emulator.hosting import Host, until


def _key() -> str:
    return uuid.uuid4().hex


@pytest.mark.parametrize("n", [1, 7, 64, 200])
def test_fan_out_gathers_all_results_in_order(host: Host, n: int) -> None:
    assert host.run("fan_out", n) == sum(2 * i for i in range(n))


def test_sub_orchestrations_fan_out_and_in(host: Host) -> None:
    assert host.run("nested", {"n": 300}) == sum(2 * i for _ in range(4) for i in range(64)) + sum(
        2 * i for i in range(44)
    )


def test_activities_chain(host: Host) -> None:
    assert host.run("chain") == 8


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_failing_activity_is_retried(host: Host, failures: int) -> None:
    order = {"key": _key(), "failures": failures, "attempts": 3}
    assert host.run("retries", order) == failures + 1


def test_exhausted_retries_raise_the_last_failure(host: Host) -> None:
    key = _key()
    output = host.run("retries", {"key": key, "failures": 5, "attempts": 3})
    assert output == f"gave up: Activity function 'flaky' failed:  ValueError: attempt 3 of {key} fails"


def test_retries_and_plain_tasks_stay_in_step(host: Host) -> None:
    """Completions come in any order and in batches; the numbers of tasks must fit the SDK's all the same."""
    for _ in range(5):
        output = host.run("mixed_retries", {"key": _key(), "n": 12})
        assert output == {
            "attempts": [i % 3 + 1 for i in range(12)],
            "doubled": [2 * i for i in range(12)],
            "tail": 42,
        }


@pytest.mark.parametrize(("failures", "expected"), [(0, 1), (2, 3)])
def test_a_failing_sub_orchestration_is_retried(host: Host, failures: int, expected: int) -> None:
    assert host.run("sub_retries", {"key": _key(), "failures": failures, "attempts": 3}) == expected


def test_exhausted_sub_orchestration_retries_raise(host: Host) -> None:
    output = host.run("sub_retries", {"key": _key(), "failures": 9, "attempts": 2})
    assert output.startswith(
        "gave up: Orchestrator function 'flaky_child' failed: Activity function 'flaky' failed:"
    )


def test_a_timer_waits_at_least_as_long_as_asked(host: Host) -> None:
    assert host.run("timers", 300) >= 0.3


def test_a_timer_in_the_past_fires_at_once(host: Host) -> None:
    assert host.run("timers", -60_000) >= 0


def test_external_events_are_received_in_turn(host: Host) -> None:
    instance = host.start("events")
    for name, value in (("first", {"a": [1, "é"]}), ("second", 7)):
        assert host.post(instance, f"raiseEvent/{name}", json=value).status_code == 202
    assert host.wait(instance)["output"] == [{"a": [1, "é"]}, 7]


def test_an_event_raised_before_anybody_waits_is_kept(host: Host) -> None:
    instance = host.start("events")
    assert host.post(instance, "raiseEvent/second", json="early").status_code == 202
    assert host.post(instance, "raiseEvent/first", json="late").status_code == 202
    assert host.wait(instance)["output"] == ["late", "early"]


def test_an_event_wins_over_a_timer_which_is_cancelled(host: Host) -> None:
    instance = host.start("approval", 60_000)
    assert host.post(instance, "raiseEvent/approve", json="Ada").status_code == 202
    assert host.wait(instance)["output"] == "approved by Ada"


def test_a_timer_wins_over_an_event_that_never_comes(host: Host) -> None:
    assert host.run("approval", 100) == "too late"


def test_an_orchestration_ends_only_when_all_it_scheduled_has_ended(host: Host) -> None:
    instance = host.start("race")
    status = host.wait(instance)
    history = host.status(instance, showHistory="true")["historyEvents"]
    finished = [event["FunctionName"] for event in history if event["EventType"] == "TaskCompleted"]
    assert status["output"] is True
    assert sorted(finished) == ["double", "effect"]


def test_continue_as_new_starts_over_with_a_fresh_history(host: Host) -> None:
    instance = host.start("eternal", {"n": 5, "sum": 0})
    assert host.wait(instance)["output"] == 30
    history = host.status(instance, showHistory="true")["historyEvents"]
    assert [event["EventType"] for event in history] == ["ExecutionStarted", "ExecutionCompleted"]


def test_events_survive_continue_as_new(host: Host) -> None:
    instance = host.start("collector", {"n": 5, "items": []})
    for item in range(5):
        before = len(_collected(host, instance))
        assert host.post(instance, "raiseEvent/item", json=item).status_code == 202
        until(lambda n=before: len(_collected(host, instance)) > n, 20, f"item {item}")  # type: ignore[misc]
    assert host.wait(instance)["output"] == [0, 1, 2, 3, 4]


def _collected(host: Host, instance: str) -> list[Any]:
    status = host.status(instance)
    return list(status["output"] or json.loads(status["input"])["items"])


def test_custom_status_is_shown_while_running(host: Host) -> None:
    instance = host.start("statuses")
    until(lambda: host.status(instance)["customStatus"] == {"stage": 1}, 20, "the first status")
    host.post(instance, "raiseEvent/go", json="go")
    until(lambda: host.status(instance)["customStatus"] == "halfway", 20, "the second status")
    host.post(instance, "raiseEvent/go", json="go")
    assert host.wait(instance)["customStatus"] == "halfway"


def test_ids_made_in_an_orchestrator_are_the_same_in_every_replay(host: Host) -> None:
    child = f"child-{_key()}"
    parent = host.start("parent_of_identities", child)
    output = host.wait(parent)["output"]
    assert output["id"] == child
    assert output["parent"] == parent
    assert len(set(output["ids"])) == 3


def test_a_failing_orchestrator_fails_with_its_message(host: Host) -> None:
    status = host.wait(host.start("fails", "soup"))
    assert status["runtimeStatus"] == "Failed"
    assert status["output"] == "Orchestrator function 'fails' failed: soup is not to my taste"


def test_a_failing_sub_orchestration_reaches_its_parent_with_its_message(host: Host) -> None:
    output = host.run("catches", "soup")
    assert output.startswith("Orchestrator function 'fails' failed: soup is not to my taste \n ")
    assert "Message: soup is not to my taste, StackTrace:" in output


def test_a_failing_activity_reaches_its_orchestrator_with_its_message_and_traceback(host: Host) -> None:
    output = host.run("catches_activity")
    assert output.startswith("Activity function 'flaky' failed:  ValueError: attempt 1 of ")
    assert "sample_work.py" in output


def test_texts_that_are_no_valid_unicode_do_no_harm(host: Host) -> None:
    status = host.wait(host.start("garbles", "\ud83d \U0001f600 \x00"))
    assert status["runtimeStatus"] == "Failed"
    assert status["output"].startswith("Orchestrator function 'garbles' failed: ")
    assert "Activity function 'garbled' failed:" in status["output"]
    assert host.run("chain") == 8


def test_large_and_empty_results_pass_through(host: Host) -> None:
    assert host.run("carries", 300_000) == [300_000, "éé", None]
