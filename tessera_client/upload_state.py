"""How far an upload came."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tessera_client.models import Upload

SHORTEST_LIFE = timedelta(minutes=5)


@dataclass(slots=True)
class UploadState:
    """How far an upload came: passed to another one of the same bytes, that goes on where this one stopped.

    Attributes
    ----------
    place : Upload or None
        Where the bytes go; it carries a permission for that place, so keep it as a secret.
    size : int
        Bytes of the file.
    done : set of int
        Blocks that storage has.
    """

    place: Upload | None = None
    size: int = 0
    done: set[int] = field(default_factory=set)

    def goes_on(self, size: int) -> bool:
        """Say whether a file of this size can go on here: the place has to be valid for some time yet."""
        expires = self.place.expires_at if self.place else None
        return size == self.size and expires is not None and expires - datetime.now(UTC) > SHORTEST_LIFE

    def begin(self, place: Upload, size: int) -> None:
        """Start over at another place."""
        self.place, self.size, self.done = place, size, set()

    def clear(self) -> None:
        """Forget everything."""
        self.place, self.size, self.done = None, 0, set()
