"""What may go wrong with a call to storage, and the seeded choice of it."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from drill import kinds


@dataclass(frozen=True)
class Call:
    """A request to storage: method, path with query as sent, and its headers in small letters."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)

    @property
    def blob(self) -> str:
        """Return container and blob, without the account and the query."""
        return urlsplit(self.target).path.lstrip("/").partition("/")[2]

    @property
    def shown(self) -> str:
        """Return what of it may be written down: no signature."""
        query = parse_qs(urlsplit(self.target).query)
        part = f" {query['comp'][0]}" if "comp" in query else ""
        return f"{self.method} {self.blob}{part}"


class StorageFaults:
    """Chooses which calls fail, and how.

    Parameters
    ----------
    share : float
        Of the calls, 0 to 1.
    seed : int
    """

    def __init__(self, share: float, seed: int) -> None:
        self.share = share
        self._random = random.Random(seed)

    def choose(self, call: Call) -> str | None:
        """Return a kind of fault that the call's sender can notice, or None for most calls."""
        if self._random.random() >= self.share:
            return None
        return self._random.choice([kind for kind in kinds.OF_CALLS if _noticed(kind, call)])


def _noticed(kind: str, call: Call) -> bool:
    """Tell whether the protocol lets a fault be noticed: other corruption than this would be a lie."""
    reads_bytes = call.method == "GET" and "comp=" not in call.target
    if kind == kinds.TRUNCATED:
        return reads_bytes
    if kind == kinds.CORRUPT_REQUEST:
        # The service compares a body with its Content-MD5.
        return "content-md5" in call.headers and bool(call.body)
    if kind == kinds.CORRUPT_ANSWER:
        # The client compares a result with the digests of its blocks.
        return reads_bytes and "sig=" in call.target and call.blob.startswith("results/")
    return True
