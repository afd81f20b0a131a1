"""Copying blobs inside Blob Storage: no byte comes through this process."""

from contextlib import suppress
from time import monotonic, sleep

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobClient

_POLL_SECONDS = 0.2


class CopyFailed(Exception):
    """Storage didn't come to the end of a copy."""


def copy_from(url: str, blob: BlobClient, patience: float) -> None:
    """Make *blob*, which isn't there yet, of what *url* reads; after a failure nothing is left of it.

    Raises
    ------
    CopyFailed
        If the service gives up, or hasn't ended within *patience* seconds.
    azure.core.exceptions.AzureError
        If it doesn't begin, or doesn't answer.
    """
    try:
        blob.start_copy_from_url(url)
        _wait(blob, monotonic() + patience)
    except BaseException:
        _remove(blob)
        raise


def _wait(blob: BlobClient, deadline: float) -> None:
    # Within one account, a copy has nearly always ended by the first look.
    while (status := blob.get_blob_properties().copy.status) != "success":
        if status != "pending":
            raise CopyFailed(f"storage says of the copy: {status}")
        if monotonic() > deadline:
            raise CopyFailed("storage has taken too long for the copy")
        sleep(_POLL_SECONDS)


def _remove(blob: BlobClient) -> None:
    # A blob that is being copied to can't be removed.
    with suppress(AzureError):
        copy = blob.get_blob_properties().copy
        if copy.status == "pending":
            blob.abort_copy(str(copy.id))
    with suppress(AzureError):
        blob.delete_blob()
