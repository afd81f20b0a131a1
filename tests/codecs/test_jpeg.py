"""JPEG bands encoded apart make, byte for byte, the file that OpenCV writes of the whole image."""

import io
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from tessera.codecs import codec_for
from tessera.codecs.jpeg import JpegCodec
from tessera.geometry import Grid, Rect
from tessera.plan import Output
from tests.codecs.stitching import opencv, pillow, said, stitched, vips
from tests.support.images import Image, encode, icc_profile, textured

_SAMPLINGS = {
    "4:2:0": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, 16),
    "4:2:2": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422, 16),
    "4:4:4": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444, 8),
    "4:1:1": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411, 32),
}


def jpeg_of(image: Image, codec: JpegCodec) -> bytes:
    """Return the whole image as OpenCV encodes it, with a restart marker after each row of units."""
    factor, unit = _SAMPLINGS[codec.subsampling]
    interval = -(-image.shape[1] // (unit if image.shape[2] == 3 else 8))
    options = [cv2.IMWRITE_JPEG_QUALITY, codec.quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
    return encode(image, ".jpg", [*options, cv2.IMWRITE_JPEG_RST_INTERVAL, interval])


@pytest.mark.parametrize("subsampling", _SAMPLINGS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(999, 17), (128, 128), (130, 1), (1, 70), (300, 333)])
@pytest.mark.parametrize("rows", [16, 48, 128])
def test_bands_are_byte_for_byte_the_whole_file(
    subsampling: str, channels: int, height: int, width: int, rows: int
) -> None:
    codec = codec_for(Output.from_json({"format": "jpeg", "quality": 85, "subsampling": subsampling}))
    assert isinstance(codec, JpegCodec)
    image = textured(height, width, channels)
    assert stitched(codec, image, rows) == jpeg_of(image, codec)


@pytest.mark.parametrize("subsampling", _SAMPLINGS)
def test_every_reader_gives_the_same_pixels(subsampling: str, tmp_path: Path) -> None:
    codec = codec_for(Output.from_json({"format": "jpeg", "subsampling": subsampling}))
    file = tmp_path / "made.jpg"
    file.write_bytes(stitched(codec, textured(300, 333), 48, icc=icc_profile(), dpi=(300, 300)))
    expected = opencv(file)
    np.testing.assert_array_equal(pillow(file), expected, strict=True)
    np.testing.assert_array_equal(vips(file), expected, strict=True)


@pytest.mark.skipif(shutil.which("djpeg") is None, reason="djpeg is not installed")
@pytest.mark.parametrize("subsampling", _SAMPLINGS)
def test_djpeg_strict_finds_no_fault(subsampling: str, tmp_path: Path) -> None:
    file = tmp_path / "made.jpg"
    codec = codec_for(Output.from_json({"format": "jpeg", "subsampling": subsampling}))
    data = stitched(codec, textured(300, 333), 48, icc=bytes(200_000), dpi=(72, 96))
    file.write_bytes(data)
    assert said("djpeg", "-strict", "-outfile", tmp_path / "out.ppm", file) == ""


@pytest.mark.parametrize("profile_size", [0, 200_000])
def test_resolution_and_profile_are_carried(profile_size: int) -> None:
    profile = icc_profile(profile_size)
    data = stitched(JpegCodec(), textured(64, 48), 16, icc=profile, dpi=(299.6, 72))
    with PillowImage.open(io.BytesIO(data)) as opened:
        opened.load()
        assert opened.info["icc_profile"] == profile
        assert opened.info["dpi"] == (300, 72)


@pytest.mark.parametrize(("dots", "written"), [(0.2, 1), (100_000.0, 65_535)])
def test_a_resolution_beyond_the_format_is_its_nearest(dots: float, written: int) -> None:
    data = stitched(JpegCodec(), textured(16, 16), 16, dpi=(dots, dots))
    with PillowImage.open(io.BytesIO(data)) as opened:
        assert opened.info["dpi"] == (written, written)


def test_a_band_off_the_coding_units_is_refused() -> None:
    with pytest.raises(ValueError, match="units of 16"):
        JpegCodec().encode(textured(16, 16), Rect(0, 8, 16, 24), Grid.bands(16, 48, 16))
