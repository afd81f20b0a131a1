"""Replay against the real SDK: the host and the SDK must number the same tasks the same way.

The SDK warns when a completion names a task it doesn't know; warnings are errors in these tests.
"""

import random
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.durable_functions as df
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import episodes, history
from emulator.actions import (
    CreateSubOrchestration,
    CreateTimer,
    OrchestratorAnswer,
    ScheduleActivity,
    parse_answer,
    parse_failure,
)
from emulator.history import Event, EventType
from emulator.orchestration import Orchestration
from emulator.outcome import Callables, Identity, Outcome
from emulator.records import Instance
from emulator.replay import Replay

# Said once per process, whatever the orchestrator.
pytestmark = pytest.mark.filterwarnings("ignore:azure.functions df_loads was called:DeprecationWarning")

type Program = Callable[[df.DurableOrchestrationContext], Generator[Any, Any, Any]]

_CALLABLES = Callables({"work": "work"}, {"child": "child"}, None)


def _instance() -> Instance:
    now = history.now()
    return Instance("i", "e", "program", None, "Pending", "null", None, None, now, now, None, 0)


class Simulation:
    """Runs an orchestrator on the SDK, episode by episode, without host or workers.

    ``fails(argument, attempt)`` says which calls fail; ``self.open`` holds the tasks yet to complete.
    """

    def __init__(
        self, program: Program, fails: Callable[[Any, int], bool] = lambda argument, attempt: False
    ) -> None:
        self.sdk = df.Orchestrator.create(program)
        self.fails = fails
        self.orchestration = Orchestration(_instance(), [], [])
        self.attempts: dict[str, int] = {}
        self.open: dict[int, Event] = {}
        self.outcome = Outcome()
        self.answer = OrchestratorAnswer()
        self.episode([self._started()])

    def _started(self) -> Event:
        return history.event(EventType.EXECUTION_STARTED, Name="program", Version=None, Input="null")

    def ask(self, events: list[Event]) -> OrchestratorAnswer:
        """Run the SDK on the history with further events."""
        try:
            return parse_answer(self.sdk(episodes.payload(self.orchestration, events).decode()))
        except Exception as error:
            return parse_failure(f"Exception: {error}", "")

    def episode(self, completions: list[Event]) -> None:
        """Run an episode and note what it scheduled."""
        events = [history.event(EventType.ORCHESTRATOR_STARTED), *completions]
        self.answer = self.ask(events)
        identity = Identity("program", "i", "e", None)
        past = self.orchestration.events
        self.outcome = Replay(self.answer, _CALLABLES, identity).play([*past, *events])
        change = episodes.checkpoint(self.orchestration, [], events, self.outcome)
        texts = [*self.orchestration.texts, change.events]
        self.orchestration = Orchestration(change.instance, [*past, *events], texts, self.outcome.awaited)
        for decision in self.outcome.decisions:
            self.open[decision.id] = self._completion(decision)

    def _completion(self, decision: ScheduleActivity | CreateTimer | CreateSubOrchestration) -> Event:
        if isinstance(decision, CreateTimer):
            return history.event(EventType.TIMER_FIRED, TimerId=decision.id, FireAt=decision.fire_at)
        key = str(decision.input)
        self.attempts[key] = self.attempts.get(key, 0) + 1
        child = isinstance(decision, CreateSubOrchestration)
        if self.fails(key, self.attempts[key]):
            kind = EventType.SUB_ORCHESTRATION_FAILED if child else EventType.TASK_FAILED
            return history.event(kind, TaskScheduledId=decision.id, Reason=f"{key} failed", Details=None)
        kind = EventType.SUB_ORCHESTRATION_COMPLETED if child else EventType.TASK_COMPLETED
        return history.event(kind, TaskScheduledId=decision.id, Result=key)

    def finish(self, rng: random.Random) -> Outcome:
        """Complete open tasks in random order and random batches until the orchestration ends."""
        while self.outcome.status is None:
            assert self.open, "the orchestration waits for nothing"
            numbers = rng.sample(sorted(self.open), rng.randint(1, len(self.open)))
            self.episode([self.open.pop(number) for number in numbers])
        return self.outcome


def _program(shape: list[tuple[str, int, int]]) -> Program:
    """Build an orchestrator from stages: how to call, how many tasks, how many attempts."""

    def program(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        results = []
        for stage, (kind, n, attempts) in enumerate(shape):
            options = df.RetryOptions(1, attempts)
            tasks = []
            for i in range(n):
                argument = stage * 100 + i
                if kind == "plain":
                    tasks.append(context.call_activity("work", argument))
                elif kind == "retry" or (kind == "mixed" and i % 2):
                    tasks.append(context.call_activity_with_retry("work", options, argument))
                elif kind == "child":
                    tasks.append(context.call_sub_orchestrator_with_retry("child", options, argument))
                else:
                    tasks.append(context.call_activity("work", argument))
            try:
                results.append((yield context.task_all(tasks)))
            except Exception as error:
                return f"{results} then {str(error).splitlines()[0].strip()}"
        return results

    return program


_stages = st.lists(
    st.tuples(st.sampled_from(["plain", "retry", "mixed", "child"]), st.integers(1, 6), st.integers(1, 3)),
    min_size=1,
    max_size=3,
)


def _failing(kinds: list[tuple[str, int, int]]) -> Callable[[Any, int], bool]:
    """Let retried tasks fail until their last attempt, depending on the task, and plain ones never."""

    def fails(key: Any, attempt: int) -> bool:
        kind, _, attempts = kinds[int(key) // 100]
        retried = kind in ("retry", "child") or (kind == "mixed" and int(key) % 2 == 1)
        return retried and attempt < min(attempts, int(key) % 4)

    return fails


@settings(max_examples=80, deadline=None)
@given(_stages, st.integers(0, 2**32))
def test_any_order_and_batching_of_completions_gives_the_same_result(
    shape: list[tuple[str, int, int]], seed: int
) -> None:
    outcome = Simulation(_program(shape), _failing(shape)).finish(random.Random(seed))
    expected = [[stage * 100 + i for i in range(n)] for stage, (_, n, _) in enumerate(shape)]
    assert (outcome.status, outcome.result) == ("Completed", str(expected))


@settings(max_examples=60, deadline=None)
@given(_stages, st.integers(0, 2**32))
def test_while_the_replay_says_the_function_cannot_go_on_the_sdk_returns_the_same_actions(
    shape: list[tuple[str, int, int]], seed: int
) -> None:
    """Episodes that the host closes without asking the SDK would have changed nothing."""
    rng = random.Random(seed)
    simulation = Simulation(_program(shape), _failing(shape))
    quiet = 0
    while simulation.outcome.status is None:
        number = rng.choice(sorted(simulation.open))
        completion = simulation.open.pop(number)
        outcome = simulation.orchestration.quiet_outcome([completion])
        if outcome is not None:
            quiet += 1
            events = [history.event(EventType.ORCHESTRATOR_STARTED), completion]
            assert simulation.ask(events) == simulation.answer
            before = simulation.answer
            simulation.episode([completion])
            assert simulation.answer == before
            assert simulation.outcome.decisions == []
            assert simulation.outcome.awaited == outcome.awaited
        else:
            simulation.episode([completion])
    assert quiet == sum(n - 1 for _, n, _ in shape), "only the last success of each stage lets it go on"


def test_a_timer_beyond_six_days_is_split_and_fires_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    monkeypatch.setattr(history, "now", lambda: history.timestamp(clock[0]))

    def program(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        began = context.current_utc_datetime
        yield context.create_timer(began + timedelta(days=14))
        return (context.current_utc_datetime - began).days

    simulation = Simulation(program)
    fired = []
    while simulation.outcome.status is None:
        ((number, timer),) = simulation.open.items()
        fire_at = history.moment(timer["FireAt"])
        assert fire_at - clock[0] <= timedelta(days=6)
        fired.append((fire_at - datetime(2026, 1, 1, tzinfo=UTC)).days)
        clock[0] = fire_at
        del simulation.open[number]
        simulation.episode([timer])
    assert fired == [3, 6, 9, 14]
    assert simulation.outcome.result == "14"


def test_a_cancelled_timer_does_not_keep_an_orchestration_from_ending() -> None:
    def program(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        work = context.call_activity("work", 1)
        yield context.task_any([timer, work])
        timer.cancel()
        return "done"

    simulation = Simulation(program)
    simulation.episode([simulation.open.pop(1)])
    assert (simulation.outcome.status, simulation.outcome.result) == ("Completed", '"done"')


def test_changed_code_is_noticed() -> None:
    def program(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        yield context.call_activity("work", 1)
        return "done"

    def changed(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        yield context.call_sub_orchestrator("child", 1)
        return "done"

    simulation = Simulation(program)
    simulation.sdk = df.Orchestrator.create(changed)
    simulation.episode([simulation.open.pop(0)])
    assert simulation.outcome.status == "Failed"
    assert "Non-Deterministic workflow detected" in str(simulation.outcome.result)
    assert "sequence number 0 and name 'work'" in str(simulation.outcome.result)


def test_a_time_that_cannot_be_written_fails_its_orchestration_only() -> None:
    def program(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        yield context.create_timer(datetime(1, 1, 1, tzinfo=UTC))

    assert "an action is invalid" in str(Simulation(program).outcome.result)


def test_a_sub_orchestration_may_not_have_its_parent_s_id() -> None:
    def program(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        yield context.call_sub_orchestrator("child", 1, "I")

    assert "must be different than the instance ID of a parent" in str(Simulation(program).outcome.result)


def test_going_on_after_a_failed_task_all_while_others_are_retried_is_refused() -> None:
    """The SDK and the extension number tasks differently then; on Azure it goes wrong silently."""

    def program(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        retried = context.call_activity_with_retry("work", df.RetryOptions(1, 3), 1)
        try:
            yield context.task_all([retried, context.call_activity("work", 2)])
        except Exception:
            yield context.call_activity("work", 3)
        return "done"

    simulation = Simulation(program, lambda key, attempt: key in "12")
    simulation.episode([simulation.open.pop(1)])
    assert simulation.outcome.status is None
    simulation.episode([simulation.open.pop(0)])
    assert simulation.outcome.status == "Failed"
    assert "while other tasks of it still have to be retried" in str(simulation.outcome.result)


def test_continuing_as_new_after_a_failed_task_all_waits_for_the_others_and_their_retries() -> None:
    def program(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        retried = context.call_activity_with_retry("work", df.RetryOptions(1, 2), 1)
        try:
            yield context.task_all([retried, context.call_activity("work", 2)])
        except Exception:
            context.continue_as_new("again")
        return "done"

    simulation = Simulation(program, lambda key, attempt: key == "2" or attempt == 1)
    simulation.episode([simulation.open.pop(1)])
    assert simulation.outcome.status is None
    while simulation.open:
        assert simulation.outcome.status is None
        simulation.episode([simulation.open.pop(min(simulation.open))])
    outcome = simulation.outcome
    assert (outcome.status, outcome.result) == ("ContinuedAsNew", '"again"')


def test_a_window_of_tasks_waits_for_the_head_of_the_line_as_on_azure() -> None:
    """Each action is awaited before the next: a task_any over old and new tasks waits for the new ones."""

    def program(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        a, b = context.call_activity("work", 1), context.call_activity("work", 2)
        yield context.task_any([a, b])
        c = context.call_activity("work", 3)
        yield context.task_any([b, c])
        yield context.call_activity("work", 4)
        return "done"

    simulation = Simulation(program)
    simulation.episode([simulation.open.pop(0)])
    assert sorted(simulation.open) == [1, 2]
    simulation.episode([simulation.open.pop(1)])
    assert simulation.outcome.decisions == []
    simulation.episode([simulation.open.pop(2)])
    assert sorted(simulation.open) == [3]
