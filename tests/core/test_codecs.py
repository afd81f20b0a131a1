"""Bands encoded apart make one valid file, with the pixels that went in."""

import io
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from tessera.checksum import Adler
from tessera.codecs import Codec, Picture, codec_for
from tessera.codecs.jpeg import JpegCodec
from tessera.errors import InvalidOutput
from tessera.plan import Output, Pixels
from tests.support.images import Image, decode, encode, icc_profile, textured


def stitched(codec: Codec, image: Image, rows: int, *, icc: bytes = b"", orientation: int = 1) -> bytes:
    height, width, channels = image.shape
    checksum, parts = Adler(), []
    for y in range(0, height, rows):
        part = codec.encode(np.ascontiguousarray(image[y : y + rows]), y, last=y + rows >= height)
        parts.append(part.data)
        checksum = checksum.followed_by(part.checksum)
    pixels = Pixels.from_json({"channels": channels, "depth": 8 * image.dtype.itemsize})
    head, tail = codec.frame(Picture(width, height, pixels, icc, orientation), checksum)
    return head + b"".join(parts) + tail


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("rows", [1, 8, 64])
def test_png_bands_make_the_image(channels: int, depth: int, rows: int) -> None:
    image = textured(61, 37, channels, depth)
    made = decode(stitched(codec_for(Output()), image, rows))
    if channels == 2:
        image = image[:, :, [0, 0, 0, 1]]
    np.testing.assert_array_equal(made, image, strict=True)


@pytest.mark.skipif(shutil.which("pngcheck") is None, reason="pngcheck is not installed")
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pngcheck_finds_no_fault(channels: int, tmp_path: Path) -> None:
    file = tmp_path / "made.png"
    file.write_bytes(stitched(codec_for(Output()), textured(61, 37, channels), 8, orientation=6))
    checked = subprocess.run(["pngcheck", "-q", file], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


def jpeg_of(image: Image, codec: JpegCodec) -> bytes:
    """Return the whole image as OpenCV encodes it, with a restart marker after each row of units."""
    factor, unit = {
        "4:2:0": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, 16),
        "4:2:2": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422, 16),
        "4:4:4": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444, 8),
    }[codec.subsampling]
    interval = -(-image.shape[1] // (unit if image.shape[2] == 3 else 8))
    options = [cv2.IMWRITE_JPEG_QUALITY, codec.quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
    return encode(image, ".jpg", [*options, cv2.IMWRITE_JPEG_RST_INTERVAL, interval])


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2", "4:4:4"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(999, 17), (128, 128), (130, 1), (1, 70), (300, 333)])
@pytest.mark.parametrize("rows", [16, 48, 128])
def test_jpeg_bands_are_byte_for_byte_the_whole_file(
    subsampling: str, channels: int, height: int, width: int, rows: int
) -> None:
    codec = codec_for(Output.from_json({"format": "jpeg", "quality": 85, "subsampling": subsampling}))
    assert isinstance(codec, JpegCodec)
    image = textured(height, width, channels)
    assert stitched(codec, image, rows) == jpeg_of(image, codec)


@pytest.mark.skipif(shutil.which("djpeg") is None, reason="djpeg is not installed")
def test_djpeg_strict_finds_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "made.jpg"
    file.write_bytes(stitched(JpegCodec(), textured(300, 333), 48, icc=bytes(200_000), orientation=3))
    checked = subprocess.run(
        ["djpeg", "-strict", "-outfile", tmp_path / "out.ppm", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("file_format", ["png", "jpeg"])
@pytest.mark.parametrize("profile_size", [0, 200_000])
def test_profile_and_orientation_are_carried(file_format: str, profile_size: int) -> None:
    codec = codec_for(Output.from_json({"format": file_format}))
    profile = icc_profile(profile_size)
    data = stitched(codec, textured(64, 48), 16, icc=profile, orientation=6)
    with PillowImage.open(io.BytesIO(data)) as opened:
        opened.load()
        assert opened.info["icc_profile"] == profile
        assert opened.getexif()[0x0112] == 6


@pytest.mark.parametrize(
    ("width", "height", "pixels", "reason"),
    [
        (10, 10, Pixels(channels=4), "alpha"),
        (10, 10, Pixels(channels=3, depth=16), "16"),
        (65_501, 10, Pixels(channels=3), "65501 x 10"),
    ],
)
def test_jpeg_refuses_what_it_cannot_hold(width: int, height: int, pixels: Pixels, reason: str) -> None:
    with pytest.raises(InvalidOutput, match=reason) as refused:
        JpegCodec().check(width, height, pixels)
    assert refused.value.hint == "choose png"
    assert refused.value.pointer == "/output/format"


def test_a_jpeg_band_off_the_coding_units_is_refused() -> None:
    with pytest.raises(ValueError, match="units of 16"):
        JpegCodec().encode(textured(16, 16), 8, last=False)
