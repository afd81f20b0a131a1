"""Files that are broken, lie or ask for too much: refused before the work, with the figures."""

import io
import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from tessera.errors import CorruptImage, LimitExceeded, UnsupportedFormat
from tessera.formats import Limits, open_image, sniff
from tests.formats.corpus import cases
from tests.formats.files import open_bytes, pixels_of, save, tiff
from tests.formats.png_maker import chunk, header, png
from tests.support.images import textured

EVERY = cases()
LISTED = "jpeg, png, tiff, webp, gif, bmp"
TILED = tiff(textured(100, 130), tile=(32, 32), compression="zlib", photometric="rgb")
GRAY_PNG = png(textured(20, 30, 1), 8, 0)


# -- what is no image, or none that is read here -----------------------------------------------------------


def test_empty_is_said_to_be_empty() -> None:
    with pytest.raises(CorruptImage, match="the upload is empty"):
        open_bytes(b"")


@pytest.mark.parametrize(
    ("data", "guess"),
    [
        (b"%PDF-1.7 nothing", "PDF"),
        (b"<svg></svg>", "SVG"),
        (b"\0\0\0\x20ftypavif", "HEIF, AVIF"),
        (b"RIFF\0\0\0\0WAVE", "52 49 46 46"),
        (b"\0" * 64, "begins with 00 00"),
        (b"P", "begins with 50,"),
    ],
)
def test_another_format_is_refused_with_the_formats_that_are_read(data: bytes, guess: str) -> None:
    with pytest.raises(UnsupportedFormat, match=guess) as refused:
        sniff(data)
    assert LISTED in refused.value.detail
    assert refused.value.hint == f"send one of {LISTED}"


@pytest.mark.parametrize("name", ["jpeg 420", "png gray 8 bits", "bmp gray", "tiff 1 bit strips", "gif"])
def test_a_page_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(UnsupportedFormat, match="there is no page 1: the file has 1"):
        open_bytes(EVERY[name].data, page=1)


# -- truncated and damaged ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_truncated_at_any_percent_is_refused(name: str) -> None:
    data = EVERY[name].data
    for percent in range(100):
        with pytest.raises((CorruptImage, UnsupportedFormat)) as refused:
            pixels_of(data[: len(data) * percent // 100])
        assert refused.value.hint


@pytest.mark.parametrize("name", [name for name in EVERY if name.startswith("jpeg")])
def test_a_scan_that_breaks_off_inside_the_file_is_refused_not_grey(name: str) -> None:
    data = bytearray(EVERY[name].data)
    data[len(data) * 3 // 5 :] = b"\xff\xd9"
    with pytest.raises(CorruptImage, match="damaged"):
        pixels_of(bytes(data))


@pytest.mark.parametrize("name", [n for n in EVERY if n.startswith("tiff") and "none" not in n])
def test_a_segment_that_breaks_off_is_refused(name: str) -> None:
    """The second half of the longest strip or tile is cut off in its directory: the file is whole."""
    data = bytearray(EVERY[name].data)
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        page = file.pages.first
        tag = page.tags["TileByteCounts" if page.is_tiled else "StripByteCounts"]
        index = int(np.argmax(page.databytecounts))
        kind = file.byteorder + {3: "H", 4: "I", 16: "Q"}[int(tag.dtype)]
        inline = tag.count * struct.calcsize(kind) <= (8 if file.is_bigtiff else 4)
    assert inline or tag.valueoffset
    where = tag.valueoffset + index * struct.calcsize(kind)
    struct.pack_into(kind, data, where, page.databytecounts[index] // 2)
    with pytest.raises(CorruptImage, match="damaged"):
        pixels_of(bytes(data))


def test_a_wrong_checksum_of_a_tile_is_seen() -> None:
    """libtiff doesn't look at it."""
    data = bytearray(tiff(textured(100, 130), tile=(112, 144), compression="zlib", photometric="rgb"))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        page = file.pages.first
        end = page.dataoffsets[0] + page.databytecounts[0]
    data[end - 2] ^= 0x55
    with pytest.raises(CorruptImage, match="inflate"):
        pixels_of(bytes(data))


def test_a_fault_of_the_storage_is_not_taken_for_a_damaged_image() -> None:
    for name in ("png type 2 8 bits", "jpeg 420", "tiff strips zlib", "webp lossy", "gif", "bmp 24 bits"):
        data, seen = EVERY[name].data, 0

        def read(offset: int, length: int, data: bytes = data) -> bytes:
            nonlocal seen
            seen += 1
            if seen > 1:
                raise ConnectionError("storage is away")
            return data[offset : offset + length]

        with pytest.raises(ConnectionError, match="storage is away"):
            for _ in open_image(read, len(data)).bands(50):
                pass


# -- no pixels, and too many -------------------------------------------------------------------------------


def jpeg_of(width: int, height: int) -> bytes:
    data = bytearray(EVERY["jpeg 420"].data)
    struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, height, width)
    return bytes(data)


def tiff_of(width: int, height: int) -> bytes:
    data = bytearray(TILED)
    with tifffile.TiffFile(io.BytesIO(TILED)) as file:
        tags = file.pages.first.tags
        for name, value in (("ImageWidth", width), ("ImageLength", height)):
            kind = "<H" if tags[name].dtype == 3 else "<I"
            struct.pack_into("<HI", data, tags[name].offset + 2, 4, 1)
            struct.pack_into("<I", data, tags[name].offset + 8, value)
            assert kind
    return bytes(data)


def gif_of(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + EVERY["gif"].data[10:]


def bmp_of(width: int, height: int) -> bytes:
    data = bytearray(EVERY["bmp 24 bits"].data)
    struct.pack_into("<ii", data, 18, width, height)
    return bytes(data)


MAKERS = [jpeg_of, header, tiff_of, gif_of, bmp_of]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0)])
def test_no_pixels_are_refused(make, width: int, height: int) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CorruptImage, match="0 pixels") as refused:
        open_bytes(make(width, height))
    assert (refused.value.limit, refused.value.actual) == (1, 0)


@pytest.mark.parametrize("make", MAKERS)
def test_more_pixels_than_allowed_are_refused_from_the_header(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(LimitExceeded, match=r"40,000 x 50,000 pixels, and 1,000,000 are allowed") as refused:
        open_bytes(make(40_000, 50_000), limits=Limits(pixels=1_000_000))
    assert (refused.value.limit, refused.value.actual) == (1_000_000, 2_000_000_000)
    assert "max_pixels" in str(refused.value.hint)


def test_a_png_of_the_largest_sides_is_refused() -> None:
    with pytest.raises(LimitExceeded, match="2,147,483,647 x 2,147,483,647"):
        open_bytes(header(2**31 - 1, 2**31 - 1))


@pytest.mark.parametrize("make", [jpeg_of, bmp_of, lambda w, h: header(w, h) + GRAY_PNG[33:]])
def test_a_header_that_promises_more_than_the_bytes_can_hold_is_refused(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CorruptImage, match=r"can't hold 60,000 x 60,000|pixels end at byte"):
        open_bytes(make(60_000, 60_000))


# -- metadata ----------------------------------------------------------------------------------------------


def test_a_profile_that_inflates_without_end_is_refused_with_the_limit() -> None:
    bomb = chunk(b"iCCP", b"bomb\0\0" + zlib.compress(bytes(200 << 20), 9))
    data = png(textured(20, 30, 1), 8, 0, before=bomb)
    tracemalloc.start()
    with pytest.raises(LimitExceeded, match=r"colour profile inflates to more than 16,777,216") as refused:
        open_bytes(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.value.limit == 16 << 20
    assert peak < 64 << 20


@pytest.mark.parametrize("name", [b"zTXt", b"iTXt", b"tEXt"])
def test_text_is_never_inflated(name: bytes) -> None:
    """What can't be inflated at all makes no difference."""
    samples = textured(20, 30, 1)
    data = png(samples, 8, 0, before=chunk(name, b"bomb\0\0" + b"not deflate"))
    np.testing.assert_array_equal(pixels_of(data), samples)


def test_metadata_larger_than_allowed_is_refused() -> None:
    small = Limits(metadata=1000, header=5000)
    for file in (
        png(textured(20, 30, 1), 8, 0, before=chunk(b"eXIf", bytes(2000))),
        save(PillowImage.fromarray(textured(20, 30)), "JPEG", icc_profile=bytes(2000)),
        save(PillowImage.fromarray(textured(20, 30)), "WEBP", icc_profile=bytes(2000)),
        tiff(textured(20, 30), photometric="rgb", iccprofile=bytes(2000)),
    ):
        with pytest.raises(LimitExceeded, match=r"2,0\d\d bytes, and 1,000 are allowed"):
            open_bytes(file, limits=small)
    comments = b"\xff\xfe\x27\x10" + bytes(9998)
    jpeg = EVERY["jpeg 420"].data
    with pytest.raises(LimitExceeded, match="before the pixels"):
        open_bytes(jpeg[:2] + comments * 3 + jpeg[2:], limits=small)


def test_an_endless_row_of_chunks_is_refused() -> None:
    data = png(textured(20, 30, 1), 8, 0, before=chunk(b"tEXt", b"a") * 10_001)
    with pytest.raises(LimitExceeded, match="10,000 chunks"):
        open_bytes(data)


@pytest.mark.parametrize("name", ["webp lossy", "gif"])
def test_a_file_that_a_decoder_takes_whole_is_bounded(name: str) -> None:
    with pytest.raises(LimitExceeded, match="bytes, and 1,000 are allowed") as refused:
        open_bytes(EVERY[name].data, limits=Limits(whole=1000))
    assert (refused.value.limit, refused.value.actual) == (1000, len(EVERY[name].data))


# -- JPEG --------------------------------------------------------------------------------------------------


def test_a_progressive_image_of_endless_scans_is_refused() -> None:
    blank = np.zeros((400, 400, 3), np.uint8)
    data = cv2.imencode(".jpg", blank, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    scan = data[data.rindex(b"\xff\xc4") : -2]
    assert pixels_of(data).shape == blank.shape
    with pytest.raises(CorruptImage, match="damaged"):
        pixels_of(data[:-2] + scan * 5000 + b"\xff\xd9")


@pytest.mark.parametrize("frame", [0xC3, 0xC9, 0xCA])
def test_a_jpeg_that_is_not_huffman_coded_dct_is_refused(frame: int) -> None:
    data = EVERY["jpeg 420"].data.replace(b"\xff\xc0", bytes((0xFF, frame)), 1)
    with pytest.raises(UnsupportedFormat, match=f"frame type {frame:02X}"):
        open_bytes(data)


def test_twelve_bits_are_refused() -> None:
    data = bytearray(EVERY["jpeg 420"].data)
    data[data.index(b"\xff\xc0") + 4] = 12
    with pytest.raises(UnsupportedFormat, match="3 components of 12 bits"):
        open_bytes(bytes(data))
