"""Minimal single-threaded tasks on which the replay of an orchestrator's actions runs.

They behave like .NET tasks on a synchronous scheduler: a continuation runs at once, inside the call that
completes what it waits for. That order decides how tasks are numbered.
"""

from collections.abc import Callable, Coroutine, Generator, Iterable
from typing import Any


class TaskFailedError(Exception):
    """An awaited activity or sub-orchestration failed."""


class Task:
    """Something that completes, or fails, once.

    ``number`` is the task's number in the history while exactly one numbered task decides over it, else None.
    """

    __slots__ = ("_continuations", "done", "failed", "number")

    def __init__(self, number: int | None = None) -> None:
        self.number = number
        self.done = False
        self.failed = False
        self._continuations: list[Callable[[], None]] = []

    def finish(self, failed: bool = False) -> None:
        """Complete the task and run what waits for it; a second call has no effect.

        Parameters
        ----------
        failed
            Whether awaiting the task raises TaskFailedError.
        """
        if self.done:
            return
        self.done = True
        self.failed = failed
        continuations, self._continuations = self._continuations, []
        for continuation in continuations:
            continuation()

    def when_done(self, continuation: Callable[[], None]) -> None:
        """Call something when the task completes, or at once if it has.

        Parameters
        ----------
        continuation
            What to call.
        """
        if self.done:
            continuation()
        else:
            self._continuations.append(continuation)

    def __await__(self) -> Generator["Task"]:
        if not self.done:
            yield self
        if self.failed:
            raise TaskFailedError


def run(coroutine: Coroutine[Task, None, None], task: Task) -> Task:
    """Run a coroutine until it waits for a task, and on when that task completes.

    Parameters
    ----------
    coroutine
        Awaits only tasks of this module.
    task
        Completed when the coroutine returns, failed when it raises TaskFailedError.

    Returns
    -------
    Task
        The given task.
    """
    try:
        waits_for: Any = coroutine.send(None)
    except StopIteration:
        task.finish()
    except TaskFailedError:
        task.finish(failed=True)
    else:
        waits_for.when_done(lambda: run(coroutine, task))
    return task


def when_all(tasks: Iterable[Task]) -> Task:
    """Wait for every task, also after one of them failed.

    Parameters
    ----------
    tasks
        Tasks to wait for.

    Returns
    -------
    Task
        Completes with the last one; failed when any of them failed.
    """
    tasks = list(tasks)
    combined = Task()
    left = len(tasks)

    def one_done() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            combined.finish(failed=any(task.failed for task in tasks))

    for task in tasks:
        task.when_done(one_done)
    if not tasks:
        combined.finish()
    return combined


def when_any(tasks: Iterable[Task]) -> Task:
    """Wait for the first task, whether it fails or not.

    Parameters
    ----------
    tasks
        Tasks to wait for.

    Returns
    -------
    Task
        Completes with the first one; never fails.
    """
    combined = Task()
    empty = True
    for task in tasks:
        empty = False
        task.when_done(combined.finish)
    if empty:
        combined.finish()
    return combined
