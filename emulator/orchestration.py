"""An orchestration in memory, and when it needs its function."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from emulator.history import SUCCESSES, Event, EventType
from emulator.outcome import Awaited, Outcome
from emulator.records import Instance, Message

# A completion that can't resume the orchestrator may wait for others, but not for more than the extension
# would fetch at once.
_LARGEST_QUIET_BATCH = 32


@dataclass
class Orchestration:
    """An orchestration in memory: its record, its history as events and as JSON text, what it waits for."""

    instance: Instance
    events: list[Event]
    texts: list[str]
    awaited: Awaited | None = None

    @property
    def size(self) -> int:
        """Length of the history's JSON text, in characters."""
        return sum(map(len, self.texts))

    def resumes(self, messages: Sequence[Message]) -> bool:
        """Whether messages can let the orchestrator function go on, so that an episode is due.

        Parameters
        ----------
        messages
            All that is in the inbox.

        Returns
        -------
        bool
            False while only a part of the awaited ``task_all`` has completed, all of it with success.
        """
        return self._still_awaited([message.event for message in messages]) is None

    def batch_is_full(self, messages: Sequence[Message]) -> bool:
        """Whether enough completions have gathered to be put into the history.

        Parameters
        ----------
        messages
            All that is in the inbox.

        Returns
        -------
        bool
            True from 32 messages on.
        """
        return len(messages) >= _LARGEST_QUIET_BATCH

    def _still_awaited(self, events: Sequence[Event]) -> Awaited | None:
        """Give what stays awaited after events that can't resume the function; None when they may."""
        if self.awaited is None:
            return None
        completed = {event.get("TaskScheduledId") for event in events}
        if (
            any(event["EventType"] not in SUCCESSES for event in events)
            or not completed <= self.awaited.numbers
        ):
            return None
        left = replace(self.awaited, numbers=self.awaited.numbers - completed)
        return left if left.numbers or left.more else None

    def quiet_outcome(self, events: Sequence[Event]) -> Outcome | None:
        """Give the outcome of an episode that doesn't need the orchestrator function.

        Parameters
        ----------
        events
            The new events, without OrchestratorStarted.

        Returns
        -------
        Outcome or None
            None when the function must be replayed.
        """
        kinds = {event["EventType"] for event in events}
        for event in events:
            if event["EventType"] == EventType.EXECUTION_TERMINATED:
                return Outcome(status="Terminated", result=event["Input"])
        if self.instance.status == "Suspended" and EventType.EXECUTION_RESUMED not in kinds:
            return Outcome()
        left = self._still_awaited(events)
        return Outcome(awaited=left) if left is not None else None
