"""PNG bands encoded apart make one valid file, with the pixels that went in."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from tessera.codecs.png import PngCodec
from tessera.geometry import Grid, Rect
from tests.codecs.stitching import opencv, pillow, said, stitched, vips
from tests.support.images import decode, icc_profile, textured


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("rows", [1, 8, 64])
@pytest.mark.parametrize("codec", [PngCodec(), PngCodec(compression="small")])
def test_bands_make_the_image(codec: PngCodec, channels: int, depth: int, rows: int) -> None:
    image = textured(61, 37, channels, depth)
    made = decode(stitched(codec, image, rows))
    if channels == 2:
        image = image[:, :, [0, 0, 0, 1]]
    np.testing.assert_array_equal(made, image, strict=True)


@pytest.mark.parametrize("codec", [PngCodec(), PngCodec(compression="small")])
def test_the_strips_of_a_band_make_the_image_with_any_number_of_threads(
    codec: PngCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.codecs.png._STRIP_BYTES", 1 << 12)
    image, files = textured(333, 61), list[bytes]()
    for threads in (1, 4):
        monkeypatch.setattr("tessera.codecs.png._THREADS", threads)
        files.append(stitched(codec, image, 200))
    np.testing.assert_array_equal(decode(files[0]), image, strict=True)
    assert files[0] == files[1]
    # The zlib header, strips of 64 rows and what is left of 200 and of 133, the end.
    assert files[0].count(b"IDAT") == 1 + 4 + 3 + 1


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_reader_gives_the_image(channels: int, depth: int, tmp_path: Path) -> None:
    image, file = textured(61, 37, channels, depth), tmp_path / "made.png"
    file.write_bytes(stitched(PngCodec(), image, 16, icc=icc_profile(), dpi=(300, 300)))
    np.testing.assert_array_equal(vips(file), image, strict=True)
    if channels != 2:  # OpenCV gives gray with alpha four channels
        np.testing.assert_array_equal(opencv(file), image, strict=True)
    if depth == 8 or channels == 1:  # Pillow has no other 16-bit images
        np.testing.assert_array_equal(pillow(file), image, strict=True)


@pytest.mark.skipif(shutil.which("pngcheck") is None, reason="pngcheck is not installed")
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("codec", [PngCodec(), PngCodec(compression="small")])
def test_pngcheck_finds_no_fault(codec: PngCodec, channels: int, tmp_path: Path) -> None:
    file = tmp_path / "made.png"
    image = textured(61, 37, channels)
    file.write_bytes(stitched(codec, image, 8, icc=icc_profile(), dpi=(72, 96)))
    assert said("pngcheck", "-q", file) == ""


def test_small_is_smaller_than_fast() -> None:
    image = textured(256, 256)
    sizes = [len(stitched(PngCodec(compression=c), image, 128)) for c in ("fast", "small")]
    assert sizes[1] < sizes[0]


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize(("channels", "depth"), [(1, 8), (3, 8), (4, 16)])
@pytest.mark.parametrize("width", [1, 37])
def test_every_filter_is_undone_by_a_decoder(
    kind: int, channels: int, depth: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.codecs.png.best_filter", lambda rows, pixel_bytes: kind)
    image = textured(61, width, channels, depth)
    made = decode(stitched(PngCodec(compression="small"), image, 40))
    np.testing.assert_array_equal(made, image, strict=True)


def test_resolution_and_profile_are_carried() -> None:
    profile = icc_profile(200_000)
    data = stitched(PngCodec(), textured(64, 48), 16, icc=profile, dpi=(300, 72))
    with PillowImage.open(io.BytesIO(data)) as opened:
        opened.load()
        assert opened.info["icc_profile"] == profile
        assert opened.info["dpi"] == pytest.approx((300, 72), abs=0.01)


def test_without_metadata_nothing_is_written_of_it() -> None:
    data = stitched(PngCodec(), textured(64, 48), 16)
    assert not [chunk for chunk in (b"iCCP", b"eXIf", b"pHYs") if chunk in data]


def test_a_tile_narrower_than_the_image_is_refused() -> None:
    with pytest.raises(ValueError, match="isn't as wide as the image, 32"):
        PngCodec().encode(textured(16, 16), Rect(0, 0, 16, 16), Grid(32, 16, 16, 16))
