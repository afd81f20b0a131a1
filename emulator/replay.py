"""Replays the actions an orchestrator function asked for against its history.

The orchestrator function runs in a worker, on the SDK; it returns every action since the start. As in the
Durable extension, the host walks through the history event by event and carries the actions out strictly in
order, each one awaited before the next; what the history doesn't yet show as scheduled is a new decision.
Task numbers are given in that order, which is the order in which the SDK meets the same events.
"""

from collections import deque

from emulator import history
from emulator.action_runner import ActionRunner, RefusedActionError
from emulator.actions import OrchestratorAnswer
from emulator.errors import InvalidRequestError, UnsupportedFeatureError
from emulator.history import FAILURES, SUCCESSES, Event, EventType
from emulator.outcome import Callables, Identity, Outcome
from emulator.task_board import SCHEDULING, NonDeterministicOrchestratorError, TaskBoard
from emulator.tasks import Task, run


class Replay:
    """One replay of an orchestration.

    Parameters
    ----------
    answer
        What the SDK returned for exactly the events that will be played.
    callables
        What may be called.
    identity
        The orchestration.
    """

    def __init__(self, answer: OrchestratorAnswer, callables: Callables, identity: Identity) -> None:
        self._answer = answer
        self._name = identity.name
        self._board = TaskBoard()
        self._runner = ActionRunner(answer.actions, callables, identity, self._board)
        self._main = Task()
        self._suspended = False
        self._held: deque[Event] = deque()
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
            for event in events:
                self._play_event(event)
            self._finish()
        except NonDeterministicOrchestratorError as error:
            self._board.discard()
            self._end("Failed", f"Non-Deterministic workflow detected: {error}")
        except (RefusedActionError, InvalidRequestError, UnsupportedFeatureError) as error:
            self._board.discard()
            self._end("Failed", f"Orchestrator function '{self._name}' failed: {error}")
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            self._board.discard()
            self._end(
                "Failed", f"Orchestrator function '{self._name}' failed: an action is invalid: {error!r}"
            )
        self._outcome.decisions = self._board.decisions
        return self._outcome

    def _play_event(self, event: Event) -> None:
        kind = event["EventType"]
        if kind == EventType.ORCHESTRATOR_STARTED:
            self._runner.now = history.moment(event["Timestamp"])
        elif self._suspended and kind not in (EventType.EXECUTION_RESUMED, EventType.EXECUTION_TERMINATED):
            self._held.append(event)
        elif kind in SCHEDULING:
            self._board.confirm(event)
        elif kind in SUCCESSES or kind in FAILURES:
            self._board.complete(event["TaskScheduledId"], failed=kind in FAILURES)
        elif kind == EventType.TIMER_FIRED:
            self._board.complete(event["TimerId"])
        elif kind == EventType.EVENT_RAISED:
            self._raise_event(event)
        elif kind == EventType.EXECUTION_STARTED:
            run(self._runner.carry_out(), self._main)
        elif kind == EventType.EXECUTION_TERMINATED:
            self._end("Terminated", event["Input"])
        elif kind == EventType.EXECUTION_SUSPENDED:
            self._suspended = True
            self._board.hold()
        elif kind == EventType.EXECUTION_RESUMED:
            self._resume()

    def _raise_event(self, event: Event) -> None:
        if self._runner.continued_with is not None:
            self._outcome.carried_over.append(event)
        else:
            self._board.raise_event(event)

    def _resume(self) -> None:
        self._suspended = False
        self._board.let_go()
        held, self._held = self._held, deque()
        for event in held:
            if event["EventType"] != EventType.EXECUTION_SUSPENDED:
                self._play_event(event)

    def _finish(self) -> None:
        # As in the extension, an orchestration ends only when nothing it scheduled is outstanding.
        over = self._main.done and (self._answer.is_done or self._answer.error)
        if not over or self._board.has_open_tasks:
            self._outcome.awaited = None if self._suspended or self._main.done else self._runner.awaited()
        elif self._answer.error:
            message = f"Orchestrator function '{self._name}' failed: {self._answer.error}"
            self._end("Failed", message, self._answer.details)
        elif self._runner.continued_with is not None:
            self._end("ContinuedAsNew", self._runner.continued_with)
        else:
            self._end("Completed", self._answer.output)

    def _end(self, status: str, result: str | None, details: str | None = None) -> None:
        if self._outcome.status is None:
            self._outcome.status, self._outcome.result, self._outcome.details = status, result, details
