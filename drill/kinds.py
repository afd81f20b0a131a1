"""The kinds of faults, by the names they have in the ledger and the report."""

from collections.abc import Mapping
from typing import Final

STATUSES: Final[Mapping[str, tuple[int, str]]] = {
    "429": (429, "TooManyRequests"),
    "500": (500, "InternalError"),
    "503": (503, "ServerBusy"),
}
"""Status and code of the Blob service, by kind."""

RESET_BEFORE: Final = "reset before"
RESET_AFTER: Final = "reset after"
SLOW: Final = "slow"
TRUNCATED: Final = "truncated answer"
CORRUPT_REQUEST: Final = "corrupt request"
CORRUPT_ANSWER: Final = "corrupt answer"

OF_CALLS: Final = (
    *STATUSES,
    RESET_BEFORE,
    RESET_AFTER,
    SLOW,
    TRUNCATED,
    CORRUPT_REQUEST,
    CORRUPT_ANSWER,
)
"""What the proxy does to calls to storage."""

KILL_WORKER: Final = "worker killed"
KILL_ALL: Final = "all workers killed"
KILL_HOST: Final = "host killed"
KILL_STORAGE: Final = "Azurite killed"
PAUSE: Final = "worker paused past its lease"
REDELIVER: Final = "activity delivered twice at once"
FULL_DISK: Final = "Azurite's disk full"
CLOCK: Final = "worker's clock an hour off"
NO_CONTAINER: Final = "work container deleted"

LASTING: Final = frozenset({PAUSE, FULL_DISK, CLOCK})
"""Go on for a while by themselves: recovery counts from their end."""
OUTAGES: Final = frozenset({KILL_STORAGE, FULL_DISK, NO_CONTAINER})
"""Make calls of any job fail."""
REPEATING: Final = frozenset({KILL_WORKER, KILL_ALL, KILL_HOST, PAUSE, REDELIVER, CLOCK})
"""Make tasks begin again."""
