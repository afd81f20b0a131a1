"""Uploads are decoded as OpenCV decodes them, or refused with the reason; never filled up with grey."""

import io
import struct
import zlib
from contextlib import suppress

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from tessera.decode import Decoder
from tessera.errors import CorruptImage, TesseraError, UnsupportedFormat
from tests.support.images import Image, decode, encode, icc_profile, textured


def open_bytes(data: bytes) -> Decoder:
    return Decoder(lambda offset, length: data[offset : offset + length], len(data))


def pixels_of(data: bytes, rows: int = 50) -> Image:
    return np.concatenate(list(open_bytes(data).bands(rows)))


FILES = {
    "png": encode(textured(301, 203)),
    "png gray": encode(textured(301, 203, 1)),
    "png alpha": encode(textured(301, 203, 4)),
    "png 16 bit": encode(textured(301, 203, 3, 16)),
    "jpeg": encode(textured(301, 203), ".jpg"),
    "jpeg gray": encode(textured(301, 203, 1), ".jpg"),
    "jpeg 4:4:4": encode(
        textured(301, 203), ".jpg", [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    ),
    "jpeg progressive": encode(textured(301, 203), ".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
    "jpeg restarts": encode(textured(301, 203), ".jpg", [cv2.IMWRITE_JPEG_RST_INTERVAL, 5]),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("rows", [1, 7, 128, 1000])
def test_pixels_are_those_of_opencv_for_any_band_height(name: str, rows: int) -> None:
    np.testing.assert_array_equal(pixels_of(FILES[name], rows), decode(FILES[name]), strict=True)


@pytest.mark.parametrize("name", FILES)
def test_the_header_says_what_the_file_is(name: str) -> None:
    data = FILES[name]
    info = open_bytes(data).info("tag")
    assert (info.height, info.width) == (301, 203)
    assert info.format == name.split()[0]
    assert info.pixels.depth == (16 if "16" in name else 8)
    assert info.pixels.channels == (1 if "gray" in name else 4 if "alpha" in name else 3)
    assert info.progressive == ("progressive" in name)
    assert (info.size, info.etag, info.orientation) == (len(data), "tag", 1)


def test_palette_and_orientation_and_profile() -> None:
    picture = PillowImage.fromarray(textured(20, 30)).quantize(16)
    file, exif = io.BytesIO(), PillowImage.Exif()
    exif[0x0112] = 8
    picture.save(file, "PNG", exif=exif, icc_profile=icc_profile())
    info = open_bytes(file.getvalue()).info("")
    assert (info.pixels.channels, info.orientation, info.icc) == (3, 8, True)
    np.testing.assert_array_equal(pixels_of(file.getvalue()), decode(file.getvalue()))


@pytest.mark.parametrize("name", FILES)
def test_truncated_at_any_percent_is_refused(name: str) -> None:
    data = FILES[name]
    for percent in range(100):
        cut = data[: len(data) * percent // 100]
        with pytest.raises((CorruptImage, UnsupportedFormat)) as refused:
            pixels_of(cut)
        assert refused.value.detail
        assert refused.value.hint


def test_a_scan_that_breaks_off_inside_the_file_is_refused_not_grey() -> None:
    data = bytearray(FILES["jpeg"])
    data[len(data) // 2 : len(data) // 2 + 2] = b"\xff\xd9"
    with pytest.raises(CorruptImage, match="damaged"):
        pixels_of(bytes(data))


def test_empty_is_said_to_be_empty() -> None:
    with pytest.raises(CorruptImage, match="the upload is empty"):
        open_bytes(b"")


@pytest.mark.parametrize("data", [b"GIF89a..........", b"%PDF-1.7 nothing", b"<svg></svg>", b"\x00" * 64])
def test_another_format_is_refused_with_the_formats_that_work(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat, match="neither PNG nor JPEG") as refused:
        open_bytes(data)
    assert refused.value.hint == "send one of png, jpeg"


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize("data", [png_header(0, 5), png_header(5, 0)])
def test_a_png_of_no_pixels_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptImage, match="0 pixels") as refused:
        open_bytes(data)
    assert refused.value.actual == 0


@pytest.mark.parametrize("side", ["height", "width"])
def test_a_jpeg_of_no_pixels_is_refused(side: str) -> None:
    data = bytearray(FILES["jpeg"])
    at = data.index(b"\xff\xc0") + (5 if side == "height" else 7)
    data[at : at + 2] = bytes(2)
    with pytest.raises(CorruptImage, match="0 pixels"):
        open_bytes(bytes(data))


def test_a_fault_of_the_storage_is_not_taken_for_a_damaged_image() -> None:
    data = FILES["png"]

    def read(offset: int, length: int) -> bytes:
        if offset + length > 70_000:
            raise ConnectionError("storage is away")
        return data[offset : offset + length]

    with pytest.raises(ConnectionError, match="storage is away"):
        for _ in Decoder(read, len(data)).bands(50):
            pass


def test_random_damage_ends_in_a_stated_error_or_in_pixels() -> None:
    """Byte flips may go unseen by a format without checksums, but end in no other error."""
    random = np.random.default_rng(20260)
    print("seed 20260")
    for name in FILES:
        for _ in range(40):
            data = np.frombuffer(FILES[name], np.uint8).copy()
            data[random.integers(0, data.size, 5)] = random.integers(0, 256, 5)
            with suppress(TesseraError):
                decoder = open_bytes(data.tobytes())
                if decoder.width * decoder.height < 1_000_000:
                    rows = sum(band.shape[0] for band in decoder.bands(50))
                    assert rows == decoder.height
