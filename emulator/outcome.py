"""What the replay of an episode takes and leads to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.actions import Decision
from emulator.history import Event


@dataclass(frozen=True)
class Awaited:
    """The tasks of a ``task_all`` the orchestrator waits for.

    As long as some of ``numbers`` are open and none has failed, the orchestrator function can't go on: a
    replay would return the same actions. ``more`` says that it waits for something besides these tasks.
    """

    numbers: frozenset[int]
    more: bool


@dataclass
class Outcome:
    """What an episode leads to; ``status`` is None while the orchestration goes on."""

    decisions: list[Decision] = field(default_factory=list)
    status: str | None = None
    result: str | None = None
    details: str | None = None
    carried_over: list[Event] = field(default_factory=list)
    awaited: Awaited | None = None
    custom_status: str | None = None


@dataclass(frozen=True)
class Callables:
    """What an orchestrator may call: names of functions by lower-case name; and the version of the app."""

    activities: Mapping[str, str]
    orchestrators: Mapping[str, str]
    version: str | None


@dataclass(frozen=True)
class Identity:
    """Which orchestration is replayed."""

    name: str
    instance_id: str
    execution_id: str
    parent_id: str | None
