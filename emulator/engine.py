"""Takes durable work from the state file to the workers and back: orchestrations, activities, timers."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from emulator import failures, history, records, transactions
from emulator.action_runner import unknown_function
from emulator.checkpoints import Effects
from emulator.errors import WorkerDiedError
from emulator.functions import Function
from emulator.history import Event, EventType
from emulator.invocation import FunctionError
from emulator.orchestrator import Orchestrator
from emulator.pool import WorkerPool
from emulator.records import Activity, Message
from emulator.store import Store
from emulator.timers import TimerQueue
from emulator.transactions import NewInstance
from emulator.worker import Worker

ACTIVITY = "activityTrigger"
ORCHESTRATOR = "orchestrationTrigger"
_LONGEST_BACK_OFF = 60.0


class Engine:
    """The durable task hub.

    Parameters
    ----------
    store
        The state.
    pool
        The workers.
    activities, orchestrators
        The app's functions by lower-case name.
    version
        Version of the app, from host.json.
    on_failure
        Called with an error the host can't go on after.
    """

    def __init__(
        self,
        store: Store,
        pool: WorkerPool,
        activities: Mapping[str, Function],
        orchestrators: Mapping[str, Function],
        version: str | None,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._store = store
        self._pool = pool
        self._activities = activities
        self._on_failure = on_failure
        self._orchestrator = Orchestrator(store, activities, orchestrators, version)
        self._ready_activities: deque[Activity] = deque()
        self._ready_instances: deque[str] = deque()
        self._deaths: Counter[int | str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: list[tuple[Worker, Activity]] = []
        self._timers = TimerQueue(self._fire)

    async def open(self) -> None:
        """Take up all work that the state file holds."""
        effects = Effects(
            messages=await self._store.read(records.all_messages),
            activities=await self._store.read(records.all_activities),
            timers=await self._store.read(records.all_timers),
        )
        self.apply(effects)

    def close(self) -> None:
        """Stop taking up work; what is under way is given up."""
        self._timers.close()
        for task in self._tasks:
            task.cancel()

    def has_backlog(self) -> bool:
        """Whether work waits for a free slot."""
        return bool(self._ready_activities or self._ready_instances)

    async def start(self, new: NewInstance) -> None:
        """Start an orchestration.

        Parameters
        ----------
        new
            What to start.

        Raises
        ------
        InstanceConflictError
            When an instance of this id hasn't ended.
        """
        self._deliver(await self._store.write(partial(transactions.create, new=new)))

    async def notify(self, instance_id: str, event: Event) -> None:
        """Send an event to a running orchestration.

        Parameters
        ----------
        instance_id
            Recipient.
        event
            What to tell it.

        Raises
        ------
        InstanceNotFoundError
            When there is no such instance.
        InstanceConflictError
            When it has ended.
        """
        notification = partial(transactions.notify, instance_id=instance_id, event=event)
        self._deliver(await self._store.write(notification))

    def apply(self, effects: Effects) -> None:
        """Take up work that a committed change made.

        Parameters
        ----------
        effects
            The work.
        """
        self._ready_activities.extend(effects.activities)
        for timer in effects.timers:
            self._timers.add(timer)
        for message in effects.messages:
            self._deliver(message)
        self.pump()

    def redeliver(self, pid: int) -> list[str]:
        """Deliver what a worker runs once more, as Azure does when the lease on it has run out.

        Parameters
        ----------
        pid
            The worker's process id.

        Returns
        -------
        list of str
            Names of the activities. The first result of each counts.
        """
        again = [activity for worker, activity in self._under_way if worker.pid == pid]
        self._ready_activities.extendleft(again)
        self.pump()
        return [activity.name for activity in again]

    def pump(self) -> None:
        """Give ready work to free slots."""
        while self._ready_instances:
            instance_id = self._ready_instances[0]
            worker = None
            if self._orchestrator.needs_worker(instance_id):
                worker = self._pool.take(ORCHESTRATOR)
                if worker is None:
                    break
            self._ready_instances.popleft()
            self._spawn(self._run_episode(instance_id, worker))
        while self._ready_activities and (worker := self._pool.take(ACTIVITY)):
            self._spawn(self._run_activity(self._ready_activities.popleft(), worker))

    def _deliver(self, message: Message) -> None:
        if self._orchestrator.receive(message):
            self._ready_instances.append(message.instance_id)
            self.pump()

    async def _run_episode(self, instance_id: str, worker: Worker | None) -> None:
        try:
            effects = await self._orchestrator.run_episode(instance_id, worker)
        except WorkerDiedError:
            self._orchestrator.release(instance_id)
            self._again(instance_id, partial(self._wake, instance_id))
            return
        finally:
            if worker is not None:
                self._pool.give_back(worker, ORCHESTRATOR)
        self._deaths.pop(instance_id, None)
        self.apply(effects)
        self._wake(instance_id)

    def _wake(self, instance_id: str) -> None:
        if self._orchestrator.claim_if_due(instance_id):
            self._ready_instances.append(instance_id)
            self.pump()

    async def _run_activity(self, activity: Activity, worker: Worker) -> None:
        self._under_way.append((worker, activity))
        try:
            event = await self._invoke_activity(activity, worker)
        except WorkerDiedError:
            self._again(activity.id, partial(self._requeue, activity))
            return
        finally:
            self._under_way.remove((worker, activity))
            self._pool.give_back(worker, ACTIVITY)
        self._deaths.pop(activity.id, None)
        finished = partial(transactions.finish_activity, activity=activity, event=event)
        message = await self._store.write(finished)
        if message is not None:
            self._deliver(message)

    async def _invoke_activity(self, activity: Activity, worker: Worker) -> Event:
        function = self._activities.get(activity.name.lower())
        if function is None:
            names = [known.durable_name for known in self._activities.values()]
            return failures.failed(activity.task_id, unknown_function(activity.name, names, "activity"))
        inputs = [{"name": function.trigger["name"], "kind": "string", "in_body": True}]
        body = activity.input.encode()
        try:
            header, result = await worker.invoke(function.id, function.name, ACTIVITY, inputs, body)
        except FunctionError as error:
            return failures.activity_failed(activity.task_id, activity.name, error)
        text = None if header["kind"] is None else result.decode()
        return history.event(EventType.TASK_COMPLETED, TaskScheduledId=activity.task_id, Result=text)

    def _requeue(self, activity: Activity) -> None:
        self._ready_activities.appendleft(activity)
        self.pump()

    def _again(self, key: int | str, retry: Callable[[], None]) -> None:
        """Retry after a worker's death: at once, and ever later if it dies of the same work again."""
        self._deaths[key] += 1
        deaths = self._deaths[key]
        delay = 0.0 if deaths == 1 else min(_LONGEST_BACK_OFF, 2.0 ** (deaths - 2))
        asyncio.get_running_loop().call_later(delay, retry)

    async def _fire(self, due: list[records.Timer]) -> None:
        for message in await self._store.write(partial(transactions.fire, due=due)):
            self._deliver(message)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(error)
