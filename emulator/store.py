"""The state file: one SQLite database, one writer thread with grouped commits, one reader thread."""

import asyncio
import fcntl
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar, cast

from emulator.errors import StateError, StateInUseError

_SCHEMA_VERSION = 1
_LARGEST_GROUP = 256

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]
_Job = tuple[Operation[Any], "asyncio.Future[Any]"]


class Store:
    """Durable state of a task hub.

    Write operations run in the order in which they were given, several in one transaction. Each one is
    applied whole or not at all, and survives a kill of this process once its result is handed out.

    Parameters
    ----------
    path
        The state file; it is created when missing.
    on_failure
        Called on the event loop, once, when the file can't be written any more. All later writes fail.

    Raises
    ------
    StateInUseError
        When another process has the file open.
    StateError
        When it can't be opened, is no state file or has another version.
    """

    def __init__(self, path: Path, on_failure: Callable[[StateError], None]) -> None:
        self.path = path
        self._on_failure = on_failure
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._failure: StateError | None = None
        with ExitStack() as undo:
            self._lock = _lock(path)
            undo.callback(os.close, self._lock)
            try:
                self._writer = undo.enter_context(closing(_connect(path)))
                _prepare(self._writer, path)
                self._reader = undo.enter_context(closing(_connect(path)))
            except (sqlite3.Error, OSError) as error:
                raise StateError(f"the state file {path} can't be opened: {error}") from error
            undo.pop_all()
        self._read_pool = ThreadPoolExecutor(1, thread_name_prefix="state-reader")
        self._thread = threading.Thread(target=self._write_all, name="state-writer")
        self._thread.start()

    async def write(self, operation: Operation[T]) -> T:
        """Run an operation that changes the state.

        Parameters
        ----------
        operation
            Called on the writer thread, inside a transaction; it may be called a second time when another
            operation of its group failed, and must have no other effect than on the database.

        Returns
        -------
        T
            What the operation returned, after the commit.

        Raises
        ------
        StateError
            When the file can't be written.
        Exception
            Whatever the operation raises; then it had no effect.
        """
        if self._failure:
            raise self._failure
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put((operation, cast("asyncio.Future[Any]", future)))
        return await future

    async def read(self, operation: Operation[T]) -> T:
        """Run an operation that only reads, on committed state.

        Parameters
        ----------
        operation
            Called on the reader thread.

        Returns
        -------
        T
            What the operation returned.

        Raises
        ------
        StateError
            When the file can't be read.
        """
        try:
            return await self._loop.run_in_executor(self._read_pool, operation, self._reader)
        except sqlite3.Error as error:
            raise StateError(f"the state file {self.path} can't be read: {error}") from error

    async def close(self) -> None:
        """Finish the operations under way and release the file."""
        self._jobs.put(None)
        await self._loop.run_in_executor(None, self._thread.join)
        self._read_pool.shutdown()
        self._reader.close()
        self._writer.close()
        os.close(self._lock)

    def _write_all(self) -> None:
        while (job := self._jobs.get()) is not None:
            group = [job]
            last = False
            while len(group) < _LARGEST_GROUP and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    last = True
                    break
                group.append(following)
            self._commit(group)
            if last:
                return

    def _commit(self, group: list[_Job]) -> None:
        try:
            results = self._transaction([operation for operation, _ in group])
        except Exception as error:
            if len(group) == 1:
                self._settle(group, [self._translate(error)])
                return
            for job in group:
                self._commit([job])
        else:
            self._settle(group, results)

    def _transaction(self, operations: list[Operation[Any]]) -> list[Any]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            results = [operation(self._writer) for operation in operations]
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise
        return results

    def _translate(self, error: Exception) -> Exception:
        if not isinstance(error, sqlite3.Error) or isinstance(error, sqlite3.IntegrityError):
            return error
        failure = StateError(
            f"the state file {self.path} can't be written ({error}): make sure that the disk has room and "
            f"the file is intact, then start again; everything up to the last checkpoint is kept"
        )
        if self._failure is None:
            self._failure = failure
            self._loop.call_soon_threadsafe(self._on_failure, failure)
        return failure

    def _settle(self, group: list[_Job], results: list[Any]) -> None:
        def settle() -> None:
            for (_, future), result in zip(group, results, strict=True):
                if future.done():
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)

        self._loop.call_soon_threadsafe(settle)


def _lock(path: Path) -> int:
    """Take the lock beside the state file; the kernel releases it when this process ends, however it ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StateError(f"the state file {path} can't be created: {error}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 32).decode(errors="replace").strip()
        os.close(descriptor)
        raise StateInUseError(
            f"the state file {path} is in use by another emulator (process {holder or 'unknown'}): "
            f"stop that one, or give this one its own file with --state"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    # A commit then survives a killed process, though not a power cut; syncing each would cost milliseconds.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA journal_size_limit=67108864")
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if version == 0 and tables == 0:
        script = (files("emulator") / "schema.sql").read_text("utf-8")
        connection.executescript(f"BEGIN; {script} PRAGMA user_version = {_SCHEMA_VERSION}; COMMIT;")
    elif version != _SCHEMA_VERSION:
        raise StateError(
            f"{path} is no state file of this version of the emulator: delete it to start anew, "
            f"or name another one with --state"
        )
    connection.execute("PRAGMA journal_mode=WAL")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise StateError(
            f"the state file {path} is damaged ({verdict}): delete it, or name another one with --state"
        )
