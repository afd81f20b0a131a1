"""Replays the actions an orchestrator function asked for against its history.

The orchestrator function runs in a worker, on the SDK; it returns every action since the start. As in the
Durable extension, the host walks through the history event by event and carries the actions out strictly in
order, each one awaited before the next; what the history doesn't yet show as scheduled is a new decision.
Task numbers are given in that order, which is the order in which the SDK meets the same events.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from emulator import actions, history
from emulator.actions import ActionType, Decision, OrchestratorAnswer
from emulator.errors import UnsupportedFeatureError
from emulator.history import Event, EventType
from emulator.tasks import Task, TaskFailedError, run, when_all, when_any

_PLAIN = frozenset(range(ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY + 1)) | {
    ActionType.CREATE_TIMER,
    ActionType.WAIT_FOR_EXTERNAL_EVENT,
}
_KINDS: dict[int, tuple[type[Decision], str]] = {
    EventType.TASK_SCHEDULED: (actions.ScheduleActivity, "an activity"),
    EventType.SUB_ORCHESTRATION_CREATED: (actions.CreateSubOrchestration, "a sub-orchestration"),
    EventType.TIMER_CREATED: (actions.CreateTimer, "a timer"),
}


class NonDeterministicOrchestratorError(Exception):
    """The orchestrator's actions don't fit the tasks it scheduled before."""


class _RefusedActionError(Exception):
    """An action names a function that doesn't exist or an id that isn't allowed."""


@dataclass(frozen=True)
class Awaited:
    """The tasks of a ``task_all`` the orchestrator waits for.

    As long as some of ``numbers`` are open and none has failed, the orchestrator function can't go on: a
    replay would return the same actions. ``more`` says that it waits for something besides these tasks.
    """

    numbers: frozenset[int]
    more: bool


@dataclass
class Outcome:
    """What an episode leads to; ``status`` is None while the orchestration goes on."""

    decisions: list[Decision] = field(default_factory=list)
    status: str | None = None
    result: str | None = None
    details: str | None = None
    carried_over: list[Event] = field(default_factory=list)
    awaited: Awaited | None = None
    custom_status: str | None = None


@dataclass(frozen=True)
class Callables:
    """What an orchestrator may call: names of functions by lower-case name; and the version of the app."""

    activities: Mapping[str, str]
    orchestrators: Mapping[str, str]
    version: str | None


class Replay:
    """One replay of an orchestration.

    Parameters
    ----------
    answer
        What the SDK returned for exactly the events that will be played.
    callables
        The app's functions.
    instance
        ``name``, ``instance_id``, ``execution_id`` and ``parent_id`` of the orchestration.
    """

    def __init__(
        self, answer: OrchestratorAnswer, callables: Callables, instance: Mapping[str, str | None]
    ) -> None:
        self._answer = answer
        self._callables = callables
        self._instance = instance
        self._next = 0
        self._open: dict[int, Task] = {}
        self._new: dict[int, Decision] = {}
        self._now = history.moment("1970-01-01")
        self._main: Task | None = None
        self._position = -1
        self._children: list[Task] = []
        self._waiting: dict[str, list[Task]] = defaultdict(list)
        self._buffered: dict[str, deque[Event]] = defaultdict(deque)
        self._continued_with: list[Any] = []
        self._suspended = False
        self._held_events: deque[Event] = deque()
        self._held: dict[int, Decision] = {}
        self._outcome = Outcome(custom_status=answer.custom_status)

    def play(self, events: list[Event]) -> Outcome:
        """Play a whole history.

        Parameters
        ----------
        events
            All events of this execution, the new ones included.

        Returns
        -------
        Outcome
            New decisions in the order of their numbers, or the end of the orchestration.
        """
        try:
            for item in events:
                if item["EventType"] == EventType.ORCHESTRATOR_STARTED:
                    self._now = history.moment(item["Timestamp"])
                else:
                    self._play_event(item)
            self._finish()
        except NonDeterministicOrchestratorError as error:
            self._new.clear()
            self._end("Failed", f"Non-Deterministic workflow detected: {error}")
        except (_RefusedActionError, UnsupportedFeatureError) as error:
            self._new.clear()
            self._end("Failed", f"Orchestrator function '{self._instance['name']}' failed: {error}")
        self._outcome.decisions = [self._new[number] for number in sorted(self._new)]
        return self._outcome

    def _finish(self) -> None:
        # As in the extension, an orchestration ends only when nothing it scheduled is outstanding.
        over = self._answer.is_done or self._answer.error
        if not over or self._open or self._main is None or not self._main.done:
            self._outcome.awaited = self._awaited()
        elif self._answer.error:
            message = f"Orchestrator function '{self._instance['name']}' failed: {self._answer.error}"
            self._end("Failed", message, self._answer.details)
        elif self._continued_with:
            self._end("ContinuedAsNew", self._continued_with[-1])
        else:
            self._end("Completed", self._answer.output)

    def _end(self, status: str, result: str | None, details: str | None = None) -> None:
        if self._outcome.status is None:
            self._outcome.status, self._outcome.result, self._outcome.details = status, result, details

    def _awaited(self) -> Awaited | None:
        all_actions = self._answer.actions
        if self._suspended or self._main is None or self._main.done or self._position != len(all_actions) - 1:
            return None
        action = all_actions[self._position]
        parts = action.get("compoundActions", ())
        if action["actionType"] != ActionType.WHEN_ALL or any(p["actionType"] not in _PLAIN for p in parts):
            return None
        if any(child.failed for child in self._children):
            return None
        open_children = [child.number for child in self._children if not child.done]
        numbers = frozenset(number for number in open_children if number is not None)
        return Awaited(numbers, more=len(numbers) < len(open_children))

    # -- events -------------------------------------------------------------------------------------------

    def _play_event(self, item: Event) -> None:
        kind = item["EventType"]
        if self._suspended and kind not in (EventType.EXECUTION_RESUMED, EventType.EXECUTION_TERMINATED):
            if kind != EventType.EXECUTION_SUSPENDED:
                self._held_events.append(item)
        elif kind in _KINDS:
            self._match(item, *_KINDS[kind])
        elif kind in (EventType.TASK_COMPLETED, EventType.SUB_ORCHESTRATION_COMPLETED):
            self._complete(item["TaskScheduledId"])
        elif kind in (EventType.TASK_FAILED, EventType.SUB_ORCHESTRATION_FAILED):
            self._complete(item["TaskScheduledId"], failed=True)
        elif kind == EventType.TIMER_FIRED:
            self._complete(item["TimerId"])
        elif kind == EventType.EVENT_RAISED:
            self._raise_event(item)
        elif kind == EventType.EXECUTION_STARTED:
            self._main = run(self._carry_out(), Task())
        elif kind == EventType.EXECUTION_TERMINATED:
            self._end("Terminated", item["Input"])
        elif kind == EventType.EXECUTION_SUSPENDED:
            self._suspended = True
            self._held, self._new = {**self._held, **self._new}, {}
        elif kind == EventType.EXECUTION_RESUMED:
            self._resume()

    def _resume(self) -> None:
        self._suspended = False
        self._new, self._held = {**self._held, **self._new}, {}
        while self._held_events:
            self._play_event(self._held_events.popleft())

    def _match(self, item: Event, kind: type[Decision], words: str) -> None:
        number, name = item["EventId"], item.get("Name")
        decision = self._new.get(number)
        known = isinstance(decision, kind) and (
            name is None or str(getattr(decision, "name", "")).lower() == name.lower()
        )
        if not known:
            raise NonDeterministicOrchestratorError(
                f"A previous execution of this orchestration scheduled {words} with sequence number {number}"
                f"{f' and name {name!r}' if name else ''}, but the current replay execution hasn't (yet?) "
                f"scheduled this task. Was a change made to the orchestrator code after this instance had "
                f"already started running?"
            )
        del self._new[number]

    def _complete(self, number: int, failed: bool = False) -> None:
        task = self._open.pop(number, None)
        if task is not None:
            task.finish(failed)

    def _raise_event(self, item: Event) -> None:
        name = item["Name"].lower()
        if self._continued_with:
            self._outcome.carried_over.append(item)
        elif self._waiting[name]:
            self._waiting[name].pop().finish()
        else:
            self._buffered[name].append(item)

    # -- actions ------------------------------------------------------------------------------------------

    async def _carry_out(self) -> None:
        for action in self._answer.actions:
            self._position += 1
            self._children = []
            task = self._start(action)
            try:
                await task
            except TaskFailedError:
                # The orchestrator function has seen the failure as an exception and decided itself.
                continue

    def _start(self, action: dict[str, Any]) -> Task:
        kind = action["actionType"]
        if kind in (ActionType.WHEN_ALL, ActionType.WHEN_ANY):
            children = [self._start(part) for part in action["compoundActions"]]
            self._children = children
            return (when_all if kind == ActionType.WHEN_ALL else when_any)(children)
        if kind in (ActionType.CALL_ACTIVITY, ActionType.CALL_SUB_ORCHESTRATOR):
            return self._call(action)
        if kind in (ActionType.CALL_ACTIVITY_WITH_RETRY, ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY):
            task = Task()
            return run(self._retry(lambda: self._call(action), action["retryOptions"], task), task)
        if kind == ActionType.CREATE_TIMER:
            return self._timer(action["fireAt"], cancelled=action.get("isCanceled", False))
        if kind == ActionType.WAIT_FOR_EXTERNAL_EVENT:
            return self._wait_for(action["externalEventName"].lower())
        if kind == ActionType.CONTINUE_AS_NEW:
            self._continued_with.append(action["input"])
            task = Task()
            task.finish()
            return task
        actions.refuse_unknown(action)
        raise AssertionError("unreachable")

    def _number(self, decide: Callable[[int], Decision]) -> Task:
        number = self._next
        self._next += 1
        self._new[number] = decide(number)
        task = self._open[number] = Task(number)
        return task

    def _call(self, action: dict[str, Any]) -> Task:
        name, argument = action["functionName"], action["input"]
        if action["actionType"] <= ActionType.CALL_ACTIVITY_WITH_RETRY:
            self._require(name, self._callables.activities, "activity")
            return self._number(lambda number: actions.ScheduleActivity(number, name, argument))
        self._require(name, self._callables.orchestrators, "orchestrator")
        wanted = action.get("instanceId")
        if wanted and wanted.lower() in (
            str(self._instance["instance_id"]).lower(),
            str(self._instance["parent_id"]).lower(),
        ):
            raise _RefusedActionError(
                "The instance ID of a sub-orchestration must be different than the instance ID of a parent "
                "orchestration."
            )
        return self._number(
            lambda number: actions.CreateSubOrchestration(
                number,
                name,
                wanted or f"{self._instance['execution_id']}:{number}",
                argument,
                action.get("version") or self._callables.version,
            )
        )

    def _require(self, name: str, known: Mapping[str, str], kind: str) -> None:
        if name.lower() not in known:
            raise _RefusedActionError(unknown_function(name, known.values(), kind))

    def _timer(self, fire_at: str, cancelled: bool = False) -> Task:
        task = self._number(
            lambda number: actions.CreateTimer(number, history.timestamp(history.moment(fire_at)))
        )
        if cancelled and task.number is not None:
            del self._open[task.number]
            task.finish(failed=True)
        return task

    def _wait_for(self, name: str) -> Task:
        task = Task()
        if self._buffered[name]:
            self._buffered[name].popleft()
            task.finish()
        else:
            self._waiting[name].append(task)
        return task

    def _refuse_if_overtaken(self) -> None:
        """Stop before a retry whose number the SDK has given to something else.

        The SDK leaves a task_all at its first failure, the host when all of it has ended: what the function
        schedules in between and the retries in the same task_all would be numbered differently.
        """
        went_on = self._position < len(self._answer.actions) - 1
        if went_on and any(child.failed for child in self._children):
            raise _RefusedActionError(
                "it went on after a task_all had failed, while other tasks of it still have to be retried. On Azure "
                "such an orchestration mixes its tasks up. Let the activities return an error instead of raising, "
                "or catch the exception and end the orchestration"
            )

    def _retry(
        self, call: Callable[[], Task], options: Mapping[str, int], whole: Task
    ) -> Coroutine[Task, None, None]:
        interval = timedelta(milliseconds=options["firstRetryIntervalInMilliseconds"])
        attempts = options["maxNumberOfAttempts"]

        async def attempt_all() -> None:
            for attempt in range(1, attempts + 1):
                task = call()
                whole.number = task.number
                try:
                    await task
                except TaskFailedError:
                    whole.number = None
                else:
                    return
                self._refuse_if_overtaken()
                # The extension also sets a timer, due at once, after the last attempt; the SDK waits for it.
                delay = interval if attempt < attempts else timedelta()
                await self._timer(history.timestamp(self._now + delay))
            raise TaskFailedError

        return attempt_all()


def unknown_function(name: str, known: Iterable[str], kind: str) -> str:
    """Say that a function can't be called.

    Parameters
    ----------
    name
        The name that was asked for.
    known
        Names of the functions of this kind.
    kind
        ``"activity"`` or ``"orchestrator"``.

    Returns
    -------
    str
        A sentence that lists the functions that exist.
    """
    listed = ", ".join(f"'{item}'" for item in sorted(known)) or "none"
    article = "an" if kind[0] in "aeio" else "a"
    return (
        f"The function '{name}' doesn't exist, is disabled, or is not {article} {kind} function. "
        f"Additional info: The following are the known {kind} functions: {listed}."
    )
