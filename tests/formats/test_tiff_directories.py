"""Directories of TIFFs that loop, lie or ask for too much: refused before any pixel is read."""

import struct
import zlib

import numpy as np
import pytest

from tessera.errors import CorruptImage, LimitExceeded, UnsupportedFormat
from tessera.formats import Limits
from tests.formats.files import open_bytes, pixels_of, tiff
from tests.support.images import textured

TILED = tiff(textured(100, 130), tile=(32, 32), compression="zlib", photometric="rgb")


def directory(*entries: tuple[int, int, int, int], following: int = 0, at: int = 8) -> bytes:
    """Return a little-endian TIFF of one directory of (tag, type, count, value)."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return struct.pack("<2sHIH", b"II", 42, at, len(entries)) + body + struct.pack("<I", following)


def a_page(**changed: tuple[int, int, int, int] | None) -> tuple[tuple[int, int, int, int], ...]:
    """Return the entries of a gray page of 16 x 16 pixels in two strips, some *changed* or None."""
    entries: dict[str, tuple[int, int, int, int] | None] = {
        "width": (256, 4, 1, 16), "height": (257, 4, 1, 16), "bits": (258, 3, 1, 8), "codec": (259, 3, 1, 1),
        "colour": (262, 3, 1, 1), "offsets": (273, 3, 2, 8 | 150 << 16), "rows": (278, 3, 1, 8),
        "lengths": (279, 3, 2, 128 | 128 << 16),
    }  # fmt: skip
    return tuple(entry for entry in (entries | changed).values() if entry)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"lengths": (279, 3, 2, 200 | 128 << 16)}, "segment 1 of 2 lies over another"),
        ({"lengths": (279, 3, 2, 128 | 0 << 16)}, "segment 1 of 2 has no data"),
        ({"lengths": (279, 3, 2, 128 | 60000 << 16)}, "segment 1 of 2 ends after byte"),
        ({"lengths": (279, 3, 1, 128)}, "1 segments of 2"),
        ({"lengths": None}, "no tag 279"),
        ({"width": None}, "no tag 256"),
        ({"rows": (278, 3, 1, 0)}, "strips have 16 x 0 pixels"),
        ({"offsets": (273, 4, 2, 0xFFFFFF00)}, "tag 273"),
    ],
)
def test_a_directory_that_makes_no_sense_is_refused(changed, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CorruptImage, match=message):
        open_bytes(directory(*a_page(**changed)) + bytes(400))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"offsets": (273, 4, 0x7FFFFFFF, 8)}, r"tag 273 of the TIFF: 2,147,483,647 values, and 4,194,304"),
        ({"bits": (258, 3, 60_000, 8)}, r"tag 258 of the TIFF: 60,000 values"),
        ({"rows": (278, 3, 1, 1), "height": (257, 4, 1, 200_000_000)}, r"200,000,000 strips or tiles"),
    ],
)
def test_a_directory_that_asks_for_too_much_is_refused(changed, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(LimitExceeded, match=message):
        open_bytes(directory(*a_page(**changed)) + bytes(400))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"codec": (259, 3, 1, 34712)}, "JPEG 2000; what is read here is none, CCITT RLE"),
        ({"codec": (259, 3, 1, 6)}, "old JPEG"),
        ({"bits": (258, 3, 1, 32)}, "samples of 32 bits"),
        ({"colour": (262, 3, 1, 8)}, "CIELab"),
        ({"format": (339, 3, 1, 3)}, "floating point"),
        ({"samples": (277, 3, 1, 7)}, "7 samples per pixel"),
    ],
)
def test_pixels_of_a_kind_that_is_not_read_are_refused_by_name(changed, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UnsupportedFormat, match=message) as refused:
        open_bytes(directory(*a_page(**changed)) + bytes(400))
    assert refused.value.hint


def test_the_page_of_these_tests_is_sound_unless_it_is_changed() -> None:
    assert pixels_of(directory(*a_page()) + bytes(400)).shape == (16, 16, 1)


def test_directories_in_a_loop_are_refused() -> None:
    with pytest.raises(CorruptImage, match="a loop"):
        open_bytes(directory(*a_page(), following=8) + bytes(400))


def test_more_pages_than_allowed_are_refused() -> None:
    data = tiff(np.zeros((30, 16, 16), np.uint8), photometric="minisblack")
    assert open_bytes(data).pages == 30
    with pytest.raises(LimitExceeded, match=r"21 pages, and 20 are allowed"):
        open_bytes(data, limits=Limits(pages=20))


def test_a_directory_of_endless_entries_is_refused() -> None:
    with pytest.raises(LimitExceeded, match="65,535 entries"):
        open_bytes(struct.pack("<2sHIH", b"II", 42, 8, 65_535) + bytes(1 << 20))


def test_a_chain_that_leaves_the_file_is_refused() -> None:
    with pytest.raises(CorruptImage, match="directory"):
        open_bytes(directory(*a_page(), following=100_000) + bytes(400))


def test_a_tile_that_inflates_to_more_than_its_pixels_is_refused() -> None:
    bomb = zlib.compress(bytes(50 << 20), 9)
    entries = a_page(
        codec=(259, 3, 1, 8), offsets=(273, 4, 1, 400), lengths=(279, 4, 1, len(bomb)), rows=(278, 3, 1, 16)
    )
    data = directory(*entries).ljust(400, b"\0") + bomb
    with pytest.raises(CorruptImage, match="a strip or tile has 257 bytes or more, not 256"):
        pixels_of(data)


def test_a_tile_that_is_far_longer_than_its_pixels_is_refused() -> None:
    entries = a_page(
        codec=(259, 3, 1, 5), offsets=(273, 4, 1, 400), lengths=(279, 4, 1, 70_000), rows=(278, 3, 1, 16)
    )
    with pytest.raises(CorruptImage, match="segment 0 of 1 has 70,000 bytes, far more than its pixels"):
        open_bytes(directory(*entries).ljust(80_000, b"\0"))


def test_every_refusal_of_a_large_tile_names_the_limit() -> None:
    with pytest.raises(
        LimitExceeded, match="a tile of the TIFF has 3,072 bytes of pixels, and 1,000"
    ) as refused:
        open_bytes(TILED, limits=Limits(block=1000))
    assert (refused.value.limit, refused.value.actual) == (1000, 3072)
