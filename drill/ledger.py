"""What was injected, when, and into what: one JSON document a line."""

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass
class Fault:
    """One injected fault.

    Attributes
    ----------
    kind : str
    began, ended : float
        Seconds since 1970; *ended* is when its cause was gone, such as the end of a pause.
    detail : str
        What it was done to: a blob, a process.
    """

    kind: str
    began: float
    ended: float
    detail: str = ""

    @property
    def ids(self) -> set[str]:
        """Return the jobs and uploads that its detail names."""
        return set(_ID.findall(self.detail))

    def overlaps(self, since: float, until: float) -> bool:
        """Tell whether it was in effect at some moment of a span."""
        return self.began <= until and self.ended >= since


@dataclass
class Ledger:
    """All faults of a drill, also appended to *file* as they come."""

    file: Path
    clock: Callable[[], float] = time.time
    faults: list[Fault] = field(default_factory=list)

    def note(self, kind: str, detail: str = "", began: float | None = None) -> Fault:
        """Record a fault that ends now; one that took a while says when it *began*."""
        now = self.clock()
        fault = Fault(kind, now if began is None else began, now, detail)
        self.faults.append(fault)
        with self.file.open("a") as lines:
            lines.write(json.dumps(asdict(fault)) + "\n")
        return fault

    def during(self, since: float, until: float) -> Iterable[Fault]:
        """Return what was in effect at some moment of a span."""
        return [fault for fault in self.faults if fault.overlaps(since, until)]


def read(file: Path) -> list[Fault]:
    """Return the faults that a file holds."""
    documents: list[dict[str, Any]] = [json.loads(line) for line in file.read_text().splitlines()]
    return [Fault(**document) for document in documents]
