"""Peak memory and processor time of the processes of a local stack, and their temporary files."""

import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from emulator.stack import Stack

_PAUSE = 0.25
_ORCHESTRATORS = ("process_image", "process_tiles")


def peak(process: int) -> int:
    """Return the most bytes that a process has had resident at once, or 0 if it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) << 10
    return 0


def reset_peak(process: int) -> None:
    """Begin anew with the peak of a process."""
    with suppress(OSError):
        Path(f"/proc/{process}/clear_refs").write_text("5")


def cpu_seconds(process: int) -> float:
    """Return the seconds of processor that a process has used, or 0 if it is gone."""
    with suppress(psutil.Error):
        times = psutil.Process(process).cpu_times()
        return float(times.user + times.system)
    return 0.0


def usage() -> dict[str, float]:
    """Return the peak memory of this process in bytes, and its seconds of processor."""
    return {"peak": peak(os.getpid()), "cpu": cpu_seconds(os.getpid())}


def descendants(process: int) -> list[int]:
    """Return the processes that a process has started, and those that these have."""
    with suppress(psutil.Error):
        return [child.pid for child in psutil.Process(process).children(recursive=True)]
    return []


@dataclass
class Footprint:
    """Peaks in bytes: of the host, of each worker, of Azurite, and the largest temporary file.

    *cpu* are the seconds of processor that all of them used, *host_cpu* those of the host; *functions* is how
    long each function ran in the workers, waiting included.
    """

    host: int = 0
    workers: dict[int, int] = field(default_factory=dict)
    storage: int = 0
    temporary: int = 0
    cpu: float = 0.0
    host_cpu: float = 0.0
    functions: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def engine(self) -> float:
        """Return the seconds of the host's processor and of the orchestrators."""
        return self.host_cpu + sum(self.functions[name] for name in _ORCHESTRATORS)

    @property
    def largest(self) -> int:
        """Return the peak of the largest of our own processes."""
        return max(self.host, *self.workers.values())


@contextmanager
def watched(stack: Stack, temporary: Path) -> Iterator[Footprint]:
    """Keep the peaks of the stack's processes for the length of the block.

    Files in the folder *temporary* count, and those that a process has open but no folder lists.
    """
    host = stack.process.pid
    workers = [int(worker["pid"]) for worker in stack.workers()]
    others = [each for each in descendants(host) if each not in workers]
    for process in (host, *workers, *others):
        reset_peak(process)
    found, done = Footprint(), threading.Event()
    _add_functions(found, stack, -1)
    found.cpu -= sum(map(cpu_seconds, (host, *workers, *others)))
    found.host_cpu -= cpu_seconds(host)

    def look() -> None:
        while not done.wait(_PAUSE):
            for worker in descendants(host):
                if worker not in others:
                    found.workers[worker] = max(found.workers.get(worker, 0), peak(worker))
            found.temporary = max(found.temporary, _largest_file([host, *found.workers], temporary))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()
        found.host, found.storage = peak(host), max(map(peak, others), default=0)
        for worker in workers:
            found.workers[worker] = max(found.workers.get(worker, 0), peak(worker))
        found.cpu += sum(map(cpu_seconds, (host, *found.workers, *others)))
        found.host_cpu += cpu_seconds(host)
        _add_functions(found, stack, 1)


def _add_functions(found: Footprint, stack: Stack, times: int) -> None:
    for worker in stack.workers():
        for name, seconds in worker["seconds"].items():
            found.functions[name] += times * seconds


def _largest_file(processes: list[int], folder: Path) -> int:
    sizes = [0]
    for path in folder.rglob("*"):
        with suppress(OSError):
            sizes.append(path.lstat().st_size)
    for process in processes:
        for handle in Path(f"/proc/{process}/fd").glob("*"):
            with suppress(OSError):
                target = os.readlink(handle)
                if target.endswith(" (deleted)") and target.startswith("/"):
                    sizes.append(handle.stat().st_size)
    return max(sizes)
