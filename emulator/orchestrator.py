"""Runs episodes of orchestrations: inboxes, cached histories, replay, checkpoint."""

import sqlite3
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from emulator import actions, episodes, history, records
from emulator.action_runner import unknown_function
from emulator.actions import InvalidOrchestratorError, OrchestratorAnswer
from emulator.checkpoints import Checkpoint, Effects, StaleEpisodeError
from emulator.checkpoints import checkpoint as write_checkpoint
from emulator.functions import Function
from emulator.history import Event
from emulator.invocation import FunctionError
from emulator.orchestration import Orchestration
from emulator.outcome import Callables, Identity, Outcome
from emulator.records import Instance, Message
from emulator.replay import Replay
from emulator.store import Store
from emulator.worker import Worker

_CACHE_SIZE = 64 << 20


class Orchestrator:
    """Holds what orchestrations have yet to learn and lets each run one episode at a time.

    Parameters
    ----------
    store
        The state.
    activities, orchestrators
        The app's functions by lower-case name.
    version
        Version for sub-orchestrations that aren't given one.
    """

    def __init__(
        self,
        store: Store,
        activities: Mapping[str, Function],
        orchestrators: Mapping[str, Function],
        version: str | None,
    ) -> None:
        self._store = store
        self._functions = orchestrators
        self._callables = Callables(
            {name: function.durable_name for name, function in activities.items()},
            {name: function.durable_name for name, function in orchestrators.items()},
            version,
        )
        self._inbox: defaultdict[str, list[Message]] = defaultdict(list)
        self._claimed: set[str] = set()
        self._cache: OrderedDict[str, Orchestration] = OrderedDict()
        self._cached = 0

    def receive(self, message: Message) -> bool:
        """Put a message into its inbox.

        Parameters
        ----------
        message
            A committed message.

        Returns
        -------
        bool
            Whether an episode is due now; then the instance counts as claimed by the caller.
        """
        self._inbox[message.instance_id].append(message)
        return self.claim_if_due(message.instance_id)

    def claim_if_due(self, instance_id: str) -> bool:
        """Claim an instance for an episode if one is due and none is under way.

        Parameters
        ----------
        instance_id
            The instance.

        Returns
        -------
        bool
            Whether it was claimed.
        """
        messages = self._inbox.get(instance_id)
        if not messages or instance_id in self._claimed:
            return False
        cached = self._cache.get(instance_id)
        if cached and not cached.resumes(messages) and not cached.batch_is_full(messages):
            return False
        self._claimed.add(instance_id)
        return True

    def release(self, instance_id: str) -> None:
        """Give up a claim without an episode.

        Parameters
        ----------
        instance_id
            A claimed instance.
        """
        self._claimed.discard(instance_id)

    def needs_worker(self, instance_id: str) -> bool:
        """Whether the next episode may need the orchestrator function.

        Parameters
        ----------
        instance_id
            A claimed instance.

        Returns
        -------
        bool
            False only when the episode is known to be possible without.
        """
        cached = self._cache.get(instance_id)
        events = [message.event for message in self._inbox[instance_id]]
        return cached is None or cached.quiet_outcome(events) is None

    async def run_episode(self, instance_id: str, worker: Worker | None) -> Effects:
        """Run one episode of a claimed instance and record it; the claim ends with it.

        Parameters
        ----------
        instance_id
            The instance.
        worker
            Where the orchestrator function may run; None when it isn't needed.

        Returns
        -------
        Effects
            The work that the episode made.

        Raises
        ------
        WorkerDiedError
            When the worker ended meanwhile; nothing was recorded, and the claim stays.
        """
        taken = list(self._inbox[instance_id])
        orchestration = await self._load(instance_id)
        if orchestration is None or orchestration.instance.is_over:
            await self._store.write(partial(_discard, messages=taken))
            return self._done(instance_id, taken, Effects())
        execution = orchestration.instance.execution_id
        messages = [message for message in taken if message.execution_id in (None, execution)]
        if not messages:
            await self._store.write(partial(_discard, messages=taken))
            return self._done(instance_id, taken, Effects())
        events = episodes.new_events(messages)
        outcome = orchestration.quiet_outcome(events[1:])
        if outcome is None:
            if worker is None:
                # A message arrived after `needs_worker` was asked: leave the episode to a later turn.
                return self._done(instance_id, [], Effects())
            outcome = await self._decide(orchestration, events, worker)
        change = episodes.checkpoint(orchestration, taken, events, outcome)
        try:
            effects = await self._store.write(partial(write_checkpoint, change=change))
        except StaleEpisodeError:
            self._forget(instance_id)
            return self._done(instance_id, taken, Effects())
        self._keep(orchestration, change, events, outcome)
        return self._done(instance_id, taken, effects)

    def _done(self, instance_id: str, taken: Sequence[Message], effects: Effects) -> Effects:
        numbers = {message.id for message in taken}
        left = [message for message in self._inbox[instance_id] if message.id not in numbers]
        if left:
            self._inbox[instance_id] = left
        else:
            del self._inbox[instance_id]
        self._claimed.discard(instance_id)
        return effects

    async def _decide(self, orchestration: Orchestration, events: list[Event], worker: Worker) -> Outcome:
        """Run the orchestrator function over the whole history and replay what it asked for."""
        instance = orchestration.instance
        function = self._functions.get(instance.name.lower())
        if function is None:
            known = self._callables.orchestrators.values()
            return Outcome(status="Failed", result=unknown_function(instance.name, known, "orchestrator"))
        inputs = [{"name": function.trigger["name"], "kind": "string", "in_body": True}]
        body = episodes.payload(orchestration, events)
        try:
            answer = await self._ask(function, worker, inputs, body)
        except InvalidOrchestratorError as error:
            message = f"Orchestrator function '{instance.name}' failed: {error}"
            return Outcome(status="Failed", result=message, details=None)
        parent_id = instance.parent.instance_id if instance.parent else None
        identity = Identity(instance.name, instance.instance_id, instance.execution_id, parent_id)
        return Replay(answer, self._callables, identity).play([*orchestration.events, *events])

    async def _ask(
        self, function: Function, worker: Worker, inputs: list[dict[str, object]], body: bytes
    ) -> OrchestratorAnswer:
        try:
            _, state = await worker.invoke(function.id, function.name, function.kind, inputs, body)
        except FunctionError as error:
            return actions.parse_failure(str(error), error.stack)
        return actions.parse_answer(state.decode())

    async def _load(self, instance_id: str) -> Orchestration | None:
        cached = self._cache.get(instance_id)
        if cached is not None:
            self._cache.move_to_end(instance_id)
            return cached
        found = await self._store.read(partial(_read, instance_id=instance_id))
        if found is None:
            return None
        instance, texts = found
        return Orchestration(instance, [event for text in texts for event in history.from_text(text)], texts)

    def _keep(self, before: Orchestration, change: Checkpoint, events: list[Event], outcome: Outcome) -> None:
        instance_id = change.instance.instance_id
        self._forget(instance_id)
        if change.instance.is_over:
            return
        if change.continued is not None:
            kept = Orchestration(change.instance, [], [])
        else:
            before.events.extend(events)
            kept = Orchestration(
                change.instance, before.events, [*before.texts, change.events], outcome.awaited
            )
        self._cache[instance_id] = kept
        self._cached += kept.size
        while self._cached > _CACHE_SIZE and len(self._cache) > 1:
            self._forget(next(iter(self._cache)))

    def _forget(self, instance_id: str) -> None:
        forgotten = self._cache.pop(instance_id, None)
        if forgotten is not None:
            self._cached -= forgotten.size


def _read(db: sqlite3.Connection, instance_id: str) -> tuple[Instance, list[str]] | None:
    instance = records.find_instance(db, instance_id)
    return (instance, records.find_history(db, instance_id)) if instance else None


def _discard(db: sqlite3.Connection, messages: Sequence[Message]) -> None:
    db.executemany("DELETE FROM inbox WHERE id = ?", [(message.id,) for message in messages])
