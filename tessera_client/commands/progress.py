"""What a waiting person sees on stderr: bars on a terminal, lines elsewhere, or nothing."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self, override

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tessera_client.models import Job

LINE_EVERY = 0.1


class Display:
    """Shows transfers and a job, one after the other; this one shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def transfer(self, what: str, size: int) -> Callable[[int, int], None]:
        """Begin a transfer of ``size`` bytes; the returned function takes (bytes done, bytes in all)."""
        return lambda done, total: None

    def job(self, job: Job) -> None:
        """Show the job as it is now."""

    def files(self, total: int) -> "Files":
        """Begin with a number of files; the returned object is told how each ended."""
        return Files(total)

    def hide(self) -> None:
        """Take everything that moves off the screen."""


class Files:
    """Counts files that are done; this one shows nothing."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0

    def ended(self, line: str) -> None:
        """Note the end of a file, in words."""
        self.done += 1
        self.show(line)

    def show(self, line: str) -> None:
        """Show what was noted."""


class _FileLines(Files):
    @override
    def show(self, line: str) -> None:
        print(f"[{self.done}/{self.total}] {line}", file=sys.stderr, flush=True)


class _FileBar(Files):
    def __init__(self, total: int, progress: Progress) -> None:
        super().__init__(total)
        self._progress = progress
        self._task = progress.add_task("files", total=total, detail=f"0 of {total}")

    @override
    def show(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False)
        self._progress.update(self._task, completed=self.done, detail=f"{self.done} of {self.total}")


class Lines(Display):
    """A line for each transfer, each stage and each tenth of the work."""

    def __init__(self) -> None:
        self._last: tuple[object, ...] = ()

    @override
    def transfer(self, what: str, size: int) -> Callable[[int, int], None]:
        print(f"{what} ({decimal(size)})", file=sys.stderr, flush=True)
        return lambda done, total: None

    @override
    def job(self, job: Job) -> None:
        now = (job.state, job.stage, int(job.progress / LINE_EVERY), job.tiles.retried)
        if now != self._last:
            self._last = now
            print(f"{job.state} {job.progress:.0%} {describe(job)}".rstrip(), file=sys.stderr, flush=True)

    @override
    def files(self, total: int) -> Files:
        return _FileLines(total)


class Bars(Display):
    """A live bar for each transfer and for the job, with the time taken and the time left."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[detail]}", style="dim"),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
        )
        self._job: TaskID | None = None

    @override
    def __enter__(self) -> Self:
        self._progress.start()
        return self

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    @override
    def transfer(self, what: str, size: int) -> Callable[[int, int], None]:
        task = self._progress.add_task(what, total=size, detail="")

        def update(done: int, total: int) -> None:
            self._progress.update(task, completed=done, detail=f"{decimal(done)} of {decimal(total)}")

        return update

    @override
    def job(self, job: Job) -> None:
        if self._job is None:
            self._job = self._progress.add_task(job.state, total=None, detail="")
        total = 1.0 if job.progress or job.finished else None
        self._progress.update(
            self._job, description=job.state, completed=job.progress, total=total, detail=describe(job)
        )

    @override
    def files(self, total: int) -> Files:
        return _FileBar(total, self._progress)

    @override
    def hide(self) -> None:
        self._progress.stop()


def describe(job: Job) -> str:
    """Put stage and tiles of a job into words.

    Parameters
    ----------
    job : Job

    Returns
    -------
    str
        Empty while nothing is known.
    """
    parts = []
    if job.stage:
        parts.append(f"{job.stage.name or 'stage'} {job.stage.index}/{job.stage.count}")
    if job.tiles.total:
        parts.append(f"{job.tiles.done} of {job.tiles.total} tiles")
    if job.tiles.retried:
        parts.append(f"{job.tiles.retried} retried")
    if job.eta and job.eta >= 1:
        parts.append(f"{job.eta:.0f} s left")
    return ", ".join(parts)


def display(*, quiet: bool) -> Display:
    """Choose how to show progress.

    Parameters
    ----------
    quiet : bool

    Returns
    -------
    Display
    """
    if quiet:
        return Display()
    return Bars() if sys.stderr.isatty() else Lines()
