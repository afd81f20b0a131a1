"""Carries out the actions that an orchestrator function returned, strictly in order."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from emulator import actions, history
from emulator.actions import ActionType
from emulator.instance_ids import check_instance_id
from emulator.outcome import Awaited, Callables, Identity
from emulator.task_board import TaskBoard
from emulator.tasks import Task, TaskFailedError, run, when_all, when_any

_PLAIN = frozenset(range(ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY + 1)) | {
    ActionType.CREATE_TIMER,
    ActionType.WAIT_FOR_EXTERNAL_EVENT,
}


class RefusedActionError(Exception):
    """An action names a function that doesn't exist or an id that isn't allowed, or breaks the numbering."""


class ActionRunner:
    """The actions of one replay.

    ``now`` is the orchestration's present time; ``continued_with`` the input of the next execution, once the
    function has asked to continue as new.

    Parameters
    ----------
    all_actions
        The actions, as the SDK wrote them.
    callables
        What may be called.
    identity
        The orchestration.
    board
        Its tasks.
    """

    def __init__(
        self, all_actions: list[dict[str, Any]], callables: Callables, identity: Identity, board: TaskBoard
    ) -> None:
        self.now: datetime = history.moment("1970-01-01")
        self.continued_with: str | None = None
        self._actions = all_actions
        self._callables = callables
        self._identity = identity
        self._board = board
        self._position = -1
        self._leaves: list[Task] = []

    async def carry_out(self) -> None:
        """Carry out every action, each one awaited before the next.

        Raises
        ------
        RefusedActionError
            When an action can't be carried out.
        UnsupportedFeatureError
            When it isn't emulated.
        """
        for action in self._actions:
            self._position += 1
            self._leaves = []
            task = self._start(action)
            try:
                await task
            except TaskFailedError:
                # The orchestrator function has seen the failure as an exception and decided itself.
                continue

    def awaited(self) -> Awaited | None:
        """Say what the last action waits for, if it is a ``task_all`` of which nothing has failed.

        Returns
        -------
        Awaited or None
            None when an event may let the orchestrator function go on in a way that isn't known here.
        """
        if self._position != len(self._actions) - 1 or not self._actions:
            return None
        action = self._actions[self._position]
        if action["actionType"] != ActionType.WHEN_ALL or not _waits_for_all(action):
            return None
        if any(leaf.failed for leaf in self._leaves):
            return None
        open_leaves = [leaf.number for leaf in self._leaves if not leaf.done]
        numbers = frozenset(number for number in open_leaves if number is not None)
        return Awaited(numbers, more=len(numbers) < len(open_leaves))

    def _start(self, action: dict[str, Any]) -> Task:
        kind = action["actionType"]
        if kind in (ActionType.WHEN_ALL, ActionType.WHEN_ANY):
            children = [self._start(part) for part in action["compoundActions"]]
            return (when_all if kind == ActionType.WHEN_ALL else when_any)(children)
        leaf = self._start_one(action)
        self._leaves.append(leaf)
        return leaf

    def _start_one(self, action: dict[str, Any]) -> Task:
        kind = action["actionType"]
        if kind in (ActionType.CALL_ACTIVITY, ActionType.CALL_SUB_ORCHESTRATOR):
            return self._call(action)
        if kind in (ActionType.CALL_ACTIVITY_WITH_RETRY, ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY):
            task = Task()
            return run(self._retry(lambda: self._call(action), action["retryOptions"], task), task)
        if kind == ActionType.CREATE_TIMER:
            timer = self._timer(history.moment(action["fireAt"]))
            if action.get("isCanceled", False):
                self._board.cancel(timer)
            return timer
        if kind == ActionType.WAIT_FOR_EXTERNAL_EVENT:
            return self._board.wait_for(action["externalEventName"])
        if kind == ActionType.CONTINUE_AS_NEW:
            self.continued_with = actions.as_text(action["input"])
            task = Task()
            task.finish()
            return task
        raise actions.refusal(action)

    def _call(self, action: dict[str, Any]) -> Task:
        name, argument = action["functionName"], actions.as_text(action["input"])
        if action["actionType"] <= ActionType.CALL_ACTIVITY_WITH_RETRY:
            _require(name, self._callables.activities, "activity")
            return self._board.schedule(lambda number: actions.ScheduleActivity(number, name, argument))
        _require(name, self._callables.orchestrators, "orchestrator")
        wanted = action.get("instanceId")
        if wanted:
            check_instance_id(wanted)
        relatives = {self._identity.instance_id.lower(), str(self._identity.parent_id).lower()}
        if wanted and wanted.lower() in relatives:
            raise RefusedActionError(
                "The instance ID of a sub-orchestration must be different than the instance ID of a parent "
                "orchestration."
            )
        version = action.get("version") or self._callables.version
        return self._board.schedule(
            lambda number: actions.CreateSubOrchestration(
                number, name, wanted or f"{self._identity.execution_id}:{number}", argument, version
            )
        )

    def _timer(self, fire_at: datetime) -> Task:
        return self._board.schedule(lambda number: actions.CreateTimer(number, history.timestamp(fire_at)))

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
                await self._timer(self.now + (interval if attempt < attempts else timedelta()))
            raise TaskFailedError

        return attempt_all()

    def _refuse_if_overtaken(self) -> None:
        """Stop before a retry whose number the SDK has given to something else.

        The SDK leaves a task_all at its first failure, the host when all of it has ended: what the function
        schedules in between and the retries in the same task_all would be numbered differently. To continue
        as new takes no number.
        """
        later = self._actions[self._position + 1 :]
        went_on = any(action["actionType"] != ActionType.CONTINUE_AS_NEW for action in later)
        if went_on and any(leaf.failed for leaf in self._leaves):
            raise RefusedActionError(
                "it went on after a task_all had failed, while other tasks of it still have to be retried. "
                "On Azure such an orchestration mixes its tasks up. Let the activities return an error "
                "instead of raising, or catch the exception and end the orchestration or continue it as new"
            )


def _waits_for_all(action: dict[str, Any]) -> bool:
    """Whether an action ends with the last of its parts; a retried task comes as a task_all of one."""
    kind = action["actionType"]
    if kind == ActionType.WHEN_ALL:
        return all(map(_waits_for_all, action["compoundActions"]))
    return kind in _PLAIN


def _require(name: str, known: Mapping[str, str], kind: str) -> None:
    if name.lower() not in known:
        raise RefusedActionError(unknown_function(name, known.values(), kind))


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
    return (
        f"The function '{name}' doesn't exist, is disabled, or is not an {kind} function. "
        f"Additional info: The following are the known {kind} functions: {listed}."
    )
