"""Numbers an orchestration's tasks and tells which of them are new, open or done."""

from collections import defaultdict, deque
from collections.abc import Callable

from emulator import actions
from emulator.actions import Decision
from emulator.history import Event, EventType
from emulator.tasks import Task

_KINDS: dict[int, tuple[type[Decision], str]] = {
    EventType.TASK_SCHEDULED: (actions.ScheduleActivity, "an activity"),
    EventType.SUB_ORCHESTRATION_CREATED: (actions.CreateSubOrchestration, "a sub-orchestration"),
    EventType.TIMER_CREATED: (actions.CreateTimer, "a timer"),
}
SCHEDULING = frozenset(_KINDS)


class NonDeterministicOrchestratorError(Exception):
    """The orchestrator's actions don't fit the tasks it scheduled before."""


class TaskBoard:
    """The tasks of one orchestration during a replay, and the external events it waits for."""

    def __init__(self) -> None:
        self._next = 0
        self._open: dict[int, Task] = {}
        self._new: dict[int, Decision] = {}
        self._held: dict[int, Decision] = {}
        self._waiting: dict[str, list[Task]] = defaultdict(list)
        self._buffered: dict[str, deque[Event]] = defaultdict(deque)

    @property
    def has_open_tasks(self) -> bool:
        """Whether anything that was scheduled is outstanding."""
        return bool(self._open)

    @property
    def decisions(self) -> list[Decision]:
        """What the history doesn't show as scheduled, in the order of the numbers."""
        return [self._new[number] for number in sorted(self._new)]

    def schedule(self, decide: Callable[[int], Decision]) -> Task:
        """Give the next number to a task.

        Parameters
        ----------
        decide
            Makes the decision for a number.

        Returns
        -------
        Task
            Completes with the event that has this number.
        """
        number = self._next
        self._next += 1
        self._new[number] = decide(number)
        task = self._open[number] = Task(number)
        return task

    def cancel(self, task: Task) -> None:
        """Let a task fail without an event; one that comes later is ignored.

        Parameters
        ----------
        task
            A task that `schedule` made.
        """
        if task.number is not None:
            del self._open[task.number]
        task.finish(failed=True)

    def confirm(self, event: Event) -> None:
        """Note that the history shows a task as scheduled.

        Parameters
        ----------
        event
            An event of a type in `SCHEDULING`.

        Raises
        ------
        NonDeterministicOrchestratorError
            When the replay has scheduled no such task under this number.
        """
        kind, words = _KINDS[event["EventType"]]
        number, name = event["EventId"], event.get("Name")
        decision = self._new.get(number)
        same_name = name is None or str(getattr(decision, "name", "")).lower() == name.lower()
        if not isinstance(decision, kind) or not same_name:
            raise NonDeterministicOrchestratorError(
                f"A previous execution of this orchestration scheduled {words} with sequence number {number}"
                f"{f' and name {name!r}' if name else ''}, but the current replay execution hasn't (yet?) "
                f"scheduled this task. Was a change made to the orchestrator code after this instance had "
                f"already started running?"
            )
        del self._new[number]

    def complete(self, number: int, failed: bool = False) -> None:
        """Complete a task; without effect when it isn't open.

        Parameters
        ----------
        number
            Its number.
        failed
            Whether it failed.
        """
        task = self._open.pop(number, None)
        if task is not None:
            task.finish(failed)

    def hold(self) -> None:
        """Keep back the decisions made so far, as a suspended orchestration does."""
        self._held, self._new = {**self._held, **self._new}, {}

    def let_go(self) -> None:
        """Take up the decisions that were kept back."""
        self._new, self._held = {**self._held, **self._new}, {}

    def discard(self) -> None:
        """Forget all decisions."""
        self._new.clear()

    def wait_for(self, name: str) -> Task:
        """Wait for an external event; one that came earlier counts.

        Parameters
        ----------
        name
            Its name; case doesn't matter.

        Returns
        -------
        Task
            Completes with the event. Of several waits for one name the last gets the first event.
        """
        task, key = Task(), name.lower()
        if self._buffered[key]:
            self._buffered[key].popleft()
            task.finish()
        else:
            self._waiting[key].append(task)
        return task

    def raise_event(self, event: Event) -> None:
        """Hand an external event to a wait, or keep it for a later one.

        Parameters
        ----------
        event
            EventRaised event.
        """
        key = event["Name"].lower()
        if self._waiting[key]:
            self._waiting[key].pop().finish()
        else:
            self._buffered[key].append(event)
