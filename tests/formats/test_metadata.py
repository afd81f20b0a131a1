"""What files say besides their pixels, and colours that are converted."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image as PillowImage
from PIL import ImageCms

from tests.formats.files import bgr, open_bytes, pixels_of, save, tiff
from tests.formats.png_maker import chunk, header
from tests.support.images import Image, icc_profile, textured

PICTURE = PillowImage.fromarray(textured(40, 60))
CMYK_PROFILE = bytes(pyvips.Operation.call("profile_load", "cmyk"))
_RELATIVE, _BLACK_POINT = 1, 0x2000


def exif(orientation: int) -> PillowImage.Exif:
    block = PillowImage.Exif()
    block[0x0112] = orientation
    block[0x0132] = "2026:01:02 03:04:05"
    return block


# -- orientation, profile, resolution, EXIF ----------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_is_told_and_not_applied(name: str, orientation: int) -> None:
    options: dict[str, Any] = {"lossless": True} if name == "WEBP" else {}
    data = save(PICTURE, name, exif=exif(orientation), **options)
    image = open_bytes(data)
    assert (image.orientation, image.width, image.height) == (orientation, 60, 40)
    np.testing.assert_array_equal(pixels_of(data), pixels_of(save(PICTURE, name, **options)))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_the_exif_block_is_handed_on_as_it_is(name: str) -> None:
    block = open_bytes(save(PICTURE, name, exif=exif(6))).exif
    read = PillowImage.Exif()
    read.load(block)
    assert read[0x0132] == "2026:01:02 03:04:05"
    assert open_bytes(save(PICTURE, name)).exif == b""


@pytest.mark.parametrize("big", [False, True])
def test_the_exif_of_a_tiff_is_gathered_from_its_directories(big: bool) -> None:
    block = exif(6)
    block[0x8769] = {0x829A: 1 / 250, 0x9003: "2026:01:02 03:04:05"}
    block[0x8825] = {1: "N", 2: (48.0, 12.0, 30.5)}
    data = save(PICTURE, "TIFF", exif=block.tobytes(), big_tiff=big)
    read = PillowImage.Exif()
    read.load(open_bytes(data).exif)
    assert (read[0x0112], read[0x0132]) == (6, "2026:01:02 03:04:05")
    assert read.get_ifd(0x8769) == block[0x8769]
    assert read.get_ifd(0x8825) == block[0x8825]


def test_exif_of_a_tiff_that_leads_nowhere_is_passed_over() -> None:
    block = exif(6)
    block[0x8769] = {0x9003: "2026:01:02 03:04:05"}
    data = save(PICTURE, "TIFF", exif=block.tobytes())
    order = "<" if data[:2] == b"II" else ">"
    entry = data.index(struct.pack(f"{order}HHI", 0x8769, 4, 1)) + 8
    image = open_bytes(data[:entry] + struct.pack(f"{order}I", len(data) - 1) + data[entry + 4 :])
    assert (image.exif, image.orientation) == (b"", 6)


def test_exif_after_the_pixels_of_a_png_is_found() -> None:
    data = save(PICTURE, "PNG")
    block = exif(8).tobytes().removeprefix(b"Exif\0\0")
    image = open_bytes(data[:-12] + chunk(b"eXIf", block) + data[-12:])
    assert (image.orientation, image.exif) == (8, block)


@pytest.mark.parametrize("value", [0, 9, 255])
def test_an_orientation_that_makes_no_sense_is_none(value: int) -> None:
    assert open_bytes(save(PICTURE, "JPEG", exif=exif(value))).orientation == 1


@pytest.mark.parametrize(
    "block", [b"", b"II", b"MM\0*\0\0\0\x08\xff\xff", b"II*\0\xff\xff\xff\xff", b"nonsense"]
)
def test_exif_that_is_broken_is_passed_over(block: bytes) -> None:
    assert open_bytes(save(PICTURE, "JPEG", exif=b"Exif\0\0" + block)).orientation == 1


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_profile_is_carried(name: str) -> None:
    # More than one segment of JPEG.
    profile = icc_profile(100_000)
    assert open_bytes(save(PICTURE, name, icc_profile=profile)).icc == profile
    assert open_bytes(save(PICTURE, name)).icc == b""


@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF", "BMP"])
def test_resolution_is_in_dots_per_inch(name: str) -> None:
    data = save(PICTURE, name, dpi=(300, 150))
    assert open_bytes(data).dpi == pytest.approx((300, 150), abs=0.02)


def test_resolution_may_be_in_centimetres_or_missing() -> None:
    metric = tiff(textured(40, 60), photometric="rgb", resolution=(100, 50), resolutionunit="CENTIMETER")
    assert open_bytes(metric).dpi == pytest.approx((254, 127))
    assert open_bytes(tiff(textured(40, 60), photometric="rgb")).dpi is None
    assert open_bytes(save(PICTURE, "PNG")).dpi is None


# -- pages -------------------------------------------------------------------------------------------------


def test_any_page_of_a_tiff_is_read() -> None:
    file, pages = io.BytesIO(), [textured(40, 60, seed=1), textured(33, 21, 1, 16, seed=2)[..., 0]]
    with tifffile.TiffWriter(file) as writer:
        writer.write(pages[0], photometric="rgb", compression="zlib", tile=(16, 16))
        writer.write(pages[1], photometric="minisblack")
    for number, page in enumerate(pages):
        assert open_bytes(file.getvalue(), page=number).pages == 2
        np.testing.assert_array_equal(pixels_of(file.getvalue(), page=number), bgr(page), strict=True)


@pytest.mark.parametrize("name", ["WEBP", "GIF"])
def test_any_frame_of_an_animation_is_read(name: str) -> None:
    frames = [PICTURE.rotate(angle).quantize(32).convert("RGB") for angle in (0, 90, 180)]
    options: dict[str, Any] = {"lossless": True} if name == "WEBP" else {}
    data = save(frames[0], name, save_all=True, append_images=frames[1:], **options)
    reader = PillowImage.open(io.BytesIO(data))
    for number in range(3):
        reader.seek(number)
        assert open_bytes(data, page=number).pages == 3
        expected = bgr(np.asarray(reader.convert("RGB")))
        np.testing.assert_array_equal(pixels_of(data, page=number)[..., :3], expected)


# -- CMYK --------------------------------------------------------------------------------------------------


def converted(samples: Image) -> Image:
    """Return CMYK as sRGB, BGR, as LittleCMS converts it from Pillow."""
    picture = PillowImage.frombytes("CMYK", (samples.shape[1], samples.shape[0]), samples.tobytes())
    done = ImageCms.profileToProfile(
        picture,
        ImageCms.ImageCmsProfile(io.BytesIO(CMYK_PROFILE)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent(_RELATIVE),
        outputMode="RGB",
        flags=ImageCms.Flags(_BLACK_POINT),
    )
    assert done is not None
    return bgr(np.asarray(done))


@pytest.mark.parametrize("profile", [CMYK_PROFILE, None])
def test_a_cmyk_jpeg_becomes_srgb_through_its_profile_or_the_default(profile: bytes | None) -> None:
    samples = textured(100, 130, 4)
    picture = PillowImage.frombytes("CMYK", (130, 100), samples.tobytes())
    data = save(picture, "JPEG", quality=95, icc_profile=profile)
    image = open_bytes(data)
    assert (image.pixels.channels, image.icc) == (3, b"")
    expected = converted(np.asarray(PillowImage.open(io.BytesIO(data))))
    np.testing.assert_allclose(pixels_of(data, 7), expected.astype(int), atol=1)


@pytest.mark.parametrize(
    "options",
    [
        {"rowsperstrip": 10, "compression": "lzw"},
        {"tile": (32, 32), "compression": "zlib", "predictor": True},
        {"tile": (32, 32), "compression": "jpeg"},
        {"rowsperstrip": 16, "compression": "jpeg"},
        {"planarconfig": "separate"},
    ],
)
def test_a_cmyk_tiff_becomes_srgb(options: dict[str, Any]) -> None:
    samples = textured(100, 130, 4)
    array = np.moveaxis(samples, 2, 0) if "planarconfig" in options else samples
    data = tiff(array, photometric="separated", iccprofile=CMYK_PROFILE, **options)
    image = open_bytes(data)
    assert (image.pixels.channels, image.icc) == (3, b"")
    stored = tifffile.imread(io.BytesIO(data))
    expected = converted(np.moveaxis(stored, 0, 2) if "planarconfig" in options else stored)
    np.testing.assert_allclose(pixels_of(data, 7), expected.astype(int), atol=1)


def test_cmyk_of_16_bits_stays_16_bits() -> None:
    samples = textured(100, 130, 4, 16)
    found = pixels_of(tiff(samples, photometric="separated", iccprofile=CMYK_PROFILE))
    assert found.dtype == np.uint16
    expected = converted((samples >> 8).astype(np.uint8))
    np.testing.assert_allclose(found >> 8, expected.astype(int), atol=1)


# -- alpha -------------------------------------------------------------------------------------------------


def test_alpha_that_colours_are_multiplied_with_is_taken_out_of_them() -> None:
    """Everywhere else in the program alpha is that of PNG."""
    image = textured(40, 60, 4)
    image[..., 3] |= 0x80
    scaled = np.rint(image[..., :3] * (image[..., 3:] / 255)).astype(np.uint8)
    data = tiff(np.dstack([scaled, image[..., 3]]), photometric="rgb", extrasamples=[1])
    found = pixels_of(data)
    np.testing.assert_array_equal(found[..., 3], image[..., 3])
    np.testing.assert_allclose(found[..., :3], bgr(image)[..., :3].astype(int), atol=2)


def test_an_unknown_chunk_that_must_be_understood_is_refused() -> None:
    with pytest.raises(Exception, match="must be understood"):
        open_bytes(header(5, 5) + chunk(b"ABCD", b"") + chunk(b"IDAT", zlib.compress(struct.pack("5x"))))
