"""Drives the orchestrators in this process, as the Durable Functions extension does on Azure.

An orchestrator is a generator that yields tasks and is sent their results. Nothing is recorded and replayed
here: a job lives as long as the process that runs it.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from orchestrations.process_image import process_image
from orchestrations.process_tiles import process_tiles

type Orchestrator = Callable[[Any, Any], Any]

ORCHESTRATORS: Mapping[str, Orchestrator] = {"process_image": process_image, "process_tiles": process_tiles}


class Runner(Protocol):
    """Runs activities. Whatever it raises fails the task."""

    async def activity(self, name: str, data: Any) -> Any:
        """Run one activity on an order in parsed JSON, with retries, and return its reply."""

    async def all(self, tasks: Sequence[Awaitable[Any]]) -> list[Any]:
        """Run *tasks*, all to their end, and return their results in order; raise what the first raised."""


class Context:
    """What an orchestrator may ask of the Durable SDK's context, as far as ours do."""

    def __init__(self, runner: Runner, data: Any) -> None:
        self._runner = runner
        self._data = data
        self.continued_with: Any = None

    @property
    def current_utc_datetime(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC)

    def get_input(self) -> Any:
        """Return what the orchestrator was started with."""
        return self._data

    def call_activity_with_retry(self, name: str, retry: object, data: Any) -> Awaitable[Any]:
        """Return the task of an activity; how it is tried again is the runner's matter."""
        return self._runner.activity(name, data)

    def call_sub_orchestrator(self, name: str, data: Any, instance_id: str | None = None) -> Awaitable[Any]:
        """Return the task of another orchestrator; nobody asks for it by its id here."""
        return drive(name, data, self._runner)

    def continue_as_new(self, data: Any) -> None:
        """Let the orchestrator begin anew with *data*, once it has returned."""
        self.continued_with = data

    def task_all(self, tasks: Sequence[Awaitable[Any]]) -> Awaitable[list[Any]]:
        """Return the task of all *tasks* at once; it fails when one does, and after all have ended."""
        return self._runner.all(tasks)


async def drive(name: str, data: Any, runner: Runner) -> Any:
    """Run the orchestrator *name* on an order in parsed JSON to its end, and return its reply."""
    while True:
        context = Context(runner, over_the_wire(data))
        reply = await _to_its_end(ORCHESTRATORS[name](context, None))
        if context.continued_with is None:
            return reply
        data = context.continued_with


async def _to_its_end(generator: Any) -> Any:
    try:
        task = next(generator)
        while True:
            try:
                result = await task
            except Exception as error:
                task = generator.throw(error)
            else:
                task = generator.send(result)
    except StopIteration as stop:
        return over_the_wire(stop.value)


def over_the_wire(data: Any) -> Any:
    """Return *data* as it comes out at the other side: plain JSON."""
    return json.loads(json.dumps(data))
