"""Reading an upload by ranges, pinned to the bytes that were inspected."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activities.store import Store
from tessera import naming
from tessera.formats import ImageFile, Limits, ReadRange, index_restarts, open_image
from tessera.geometry import Rect
from tessera.plan import ImageInfo

_SMALL = 4 << 20
"""Bytes of an upload that is read by one call."""


def inspected(upload: str, page: int, max_pixels: int, store: Store) -> ImageInfo:
    """Return what the header of an upload says of a page.

    Raises
    ------
    tessera.errors.UnsupportedFormat, tessera.errors.CorruptImage, tessera.errors.LimitExceeded
        If it isn't that of an image that is read here, of at most *max_pixels*, or has no such page.
    BlobMissing
        If there is no such upload.
    """
    size, etag = store.stat(naming.UPLOADS, upload)
    read = _reader(upload, etag, store)
    return info_of(open_image(read, size, page=page, limits=Limits(pixels=max_pixels)), size, etag, page)


def info_of(file: ImageFile, size: int, etag: str, page: int) -> ImageInfo:
    """Return what is to be remembered of an opened upload of *size* bytes."""
    return ImageInfo(
        format=file.format,
        width=file.width,
        height=file.height,
        pixels=file.pixels,
        size=size,
        etag=etag,
        orientation=file.orientation,
        icc=bool(file.icc),
        progressive=file.progressive,
        page=page,
        pages=file.pages,
        dpi=file.dpi,
        exif=bool(file.exif),
        held=file.held,
        random=file.random,
        skips=file.skips,
        restarts=bool(file.restarts),
        block=file.block or ((file.width, file.restarts) if file.restarts else None),
    )


def open_upload(
    upload: str, image: ImageInfo, store: Store, restarts: bytes | None = None, *, all_of_it: bool = False
) -> ImageFile:
    """Return the upload that was inspected, opened again; with an index of its *restarts* it is random.

    With *all_of_it*, a small one is read at once, by a single call.

    Raises
    ------
    tessera.errors.CorruptImage
        If the header is damaged, or the index is of another file.
    BlobMissing, BlobChanged
        If the upload is gone, or no longer what was inspected.
    """
    limits = Limits(pixels=image.width * image.height)
    read = _reader(upload, image.etag, store)
    if all_of_it and image.size <= _SMALL:
        read = _from_memory(read(0, image.size))
    return open_image(read, image.size, page=image.page, limits=limits, restarts=restarts)


class Downwards:
    """Reads boxes of an upload that skips: decoded once for boxes that go down, and overlap a bit."""

    def __init__(self, upload: str, image: ImageInfo, store: Store) -> None:
        self._open: Callable[[], ImageFile] = lambda: open_upload(upload, image, store)
        self._file: ImageFile | None = None
        self._rows: NDArray[Any] | None = None
        self._top = 0

    def __call__(self, box: Rect) -> NDArray[Any]:
        """Return the pixels of *box*.

        Raises
        ------
        tessera.errors.CorruptImage
            If the data ends early or is damaged, in the box or above it.
        """
        if self._file is None or self._rows is None or box.y0 < self._top:
            self._file = self._open()
            self._rows, bottom = None, box.y0
        else:
            self._rows = self._rows[box.y0 - self._top :]
            bottom = box.y0 + len(self._rows)
        if bottom < box.y1:
            more = self._file.read(Rect(0, bottom, self._file.width, box.y1))
            kept = self._rows
            self._rows = more if kept is None or not len(kept) else np.concatenate([kept, more])
        assert self._rows is not None
        self._top = box.y0
        return self._rows[: box.height, box.x0 : box.x1]


def index_of_restarts(upload: str, image: ImageInfo, store: Store) -> bytes:
    """Return the index with which a JPEG is opened to be read at random; it is read once for that.

    Raises
    ------
    tessera.errors.CorruptImage
        If its restart markers are missing or out of order.
    """
    index = index_restarts(_reader(upload, image.etag, store), image.size)
    if index is None:
        raise ValueError("the upload has no restart markers")
    return index


def _reader(upload: str, etag: str, store: Store) -> ReadRange:
    return lambda offset, length: store.read(naming.UPLOADS, upload, offset, length, etag=etag)


def _from_memory(data: bytes) -> ReadRange:
    return lambda offset, length: data[offset : offset + length]
