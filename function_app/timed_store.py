"""A store that knows how long was spent in it: one for each task that is traced."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import Lock, get_ident
from time import perf_counter, time_ns
from typing import NamedTuple

from activities.store import OCTETS, Stat, Store


class Moment(NamedTuple):
    """A time (nanoseconds since 1970), and the seconds that the store was read, written or either by then."""

    at: int
    read: float = 0.0
    written: float = 0.0
    either: float = 0.0


class BusyTimes:
    """Counts the seconds in which at least one thread is inside, of each kind.

    All kinds are counted at the same moments, so one never misses what another has.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = Counter[str]()
        self._seconds = dict.fromkeys(("read", "written", "either"), 0.0)
        self._since = perf_counter()

    @contextmanager
    def inside(self, *kinds: str) -> Iterator[None]:
        """Count the time within as of these kinds."""
        with self._lock:
            self._advance()
            self._inside.update(kinds)
        try:
            yield
        finally:
            with self._lock:
                self._advance()
                self._inside.subtract(kinds)

    def now(self) -> Moment:
        """Return this moment, with what goes on counted as far as it got."""
        with self._lock:
            self._advance()
            return Moment(time_ns(), **self._seconds)

    def _advance(self) -> None:
        now = perf_counter()
        for kind, count in self._inside.items():
            if count:
                self._seconds[kind] += now - self._since
        self._since = now


class TimedStore:
    """`activities.store.Store` over *store* that counts the time in it.

    ``created`` are the new blobs by name, each with the moment when it was about to be written: marks of
    attempts are among them. ``put`` has that of each block by its id: a tile ended when its part was put.
    """

    def __init__(self, store: Store) -> None:
        self._store, self._thread, self._busy = store, get_ident(), BusyTimes()
        self.created: dict[str, Moment] = {}
        self.put: dict[str, Moment] = {}

    def now(self) -> Moment:
        """Return this moment."""
        return self._busy.now()

    def stat(self, container: str, name: str) -> Stat:
        """Return size and ETag; raise `BlobMissing` if there is no such blob."""
        with self._reading():
            return self._store.stat(container, name)

    def exists(self, container: str, name: str) -> bool:
        """Tell whether there is a committed blob of this name."""
        with self._reading():
            return self._store.exists(container, name)

    def read(
        self,
        container: str,
        name: str,
        offset: int = 0,
        length: int | None = None,
        *,
        etag: str | None = None,
    ) -> bytes:
        """Return *length* bytes from *offset*; what it raises is what the store does."""
        with self._reading():
            return self._store.read(container, name, offset, length, etag=etag)

    def blocks(self, container: str, name: str) -> dict[str, int]:
        """Return the bytes of each block by its id, committed or not; nothing if there are none."""
        with self._reading():
            return self._store.blocks(container, name)

    def names(self, container: str, prefix: str) -> Iterator[str]:
        """Yield the names that begin with *prefix*, of blobs and of uncommitted ones."""
        found = self._store.names(container, prefix)
        while True:
            with self._reading():
                name = next(found, None)
            if name is None:
                return
            yield name

    def write(
        self,
        container: str,
        name: str,
        data: bytes,
        *,
        media_type: str = OCTETS,
        new: bool = False,
    ) -> None:
        """Write a whole blob; with *new*, raise `BlobExists` if the name is taken."""
        before = self.now()
        with self._writing():
            self._store.write(container, name, data, media_type=media_type, new=new)
        if new:
            self.created[name] = before

    def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
        """Upload an uncommitted block; a second one of the same id takes its place."""
        self.put.setdefault(block, self.now())
        with self._writing():
            self._store.put_block(container, name, block, data)

    def commit(
        self,
        container: str,
        name: str,
        blocks: Sequence[str],
        *,
        media_type: str = OCTETS,
    ) -> None:
        """Make the blob of these blocks, in this order; raise `BlobMissing` if one wasn't uploaded."""
        with self._writing():
            self._store.commit(container, name, blocks, media_type=media_type)

    def delete(self, container: str, name: str) -> None:
        """Remove a blob with its uncommitted blocks; a missing one is success."""
        with self._writing():
            self._store.delete(container, name)

    def _reading(self) -> AbstractContextManager[None]:
        return self._busy.inside("read", "either")

    def _writing(self) -> AbstractContextManager[None]:
        # What is sent while the next tile is computed takes no time from that.
        aside = get_ident() != self._thread
        return self._busy.inside("written") if aside else self._busy.inside("written", "either")
