"""Reading an upload by ranges, pinned to the bytes that were inspected."""

from activities.store import Store
from tessera import naming
from tessera.decode import Decoder


def open_upload(upload: str, size: int, etag: str, store: Store) -> Decoder:
    """Return a decoder over the upload.

    Raises
    ------
    tessera.errors.UnsupportedFormat, tessera.errors.CorruptImage
        If the header isn't that of an image that is read here.
    """

    def read(offset: int, length: int) -> bytes:
        return store.read(naming.UPLOADS, upload, offset, length, etag=etag)

    return Decoder(read, size)
