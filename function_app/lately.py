"""What was seen a moment ago and needn't be asked for again."""

from collections import OrderedDict
from collections.abc import Hashable
from time import monotonic

_REMEMBERED = 1000


class Lately[Key: Hashable, Value]:
    """Values that are believed for some seconds, of the last thousand keys that any was seen of."""

    def __init__(self) -> None:
        self._seen: OrderedDict[Key, tuple[float, Value]] = OrderedDict()

    def see(self, key: Key, value: Value, seconds: float) -> None:
        """Believe *value* for so many *seconds* from now."""
        self._seen.pop(key, None)
        self._seen[key] = monotonic() + seconds, value
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    def get(self, key: Key) -> Value | None:
        """Return what is still believed, or None."""
        until, value = self._seen.get(key, (0.0, None))
        return value if monotonic() < until else None

    def forget(self, key: Key) -> None:
        """Believe nothing of *key* any more."""
        self._seen.pop(key, None)
