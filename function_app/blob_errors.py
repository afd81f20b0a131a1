"""What Blob Storage says went wrong, as the store's own errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import HttpResponseError

from activities.store import BlobChanged, BlobExists, BlobMissing

_MISSING = ("BlobNotFound", "ContainerNotFound", "InvalidBlockList")
_NOT_FOUND = 404


@contextmanager
def translated(container: str, name: str) -> Iterator[None]:
    """Turn what the service says about a blob into the store's errors; let everything else through."""
    try:
        yield
    except HttpResponseError as error:
        blob, code = f"{container}/{name}", code_of(error)
        if code in _MISSING or (code == "CannotVerifyCopySource" and error.status_code == _NOT_FOUND):
            raise BlobMissing(f"there is no blob {blob}, or not all of it") from error
        if code == "BlobAlreadyExists":
            raise BlobExists(f"there is a blob {blob} already") from error
        if code == "ConditionNotMet":
            raise BlobChanged(f"the blob {blob} is another one than before") from error
        raise


def code_of(error: HttpResponseError) -> str | None:
    """Return the service's own code, which the SDK sets on the exception, but doesn't declare."""
    code: str | None = getattr(error, "error_code", None)
    return code
