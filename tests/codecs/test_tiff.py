"""TIFF tiles encoded apart make one valid file, with the pixels that went in."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from rio_cogeo.cogeo import cog_validate

from tessera.checksum import Adler
from tessera.codecs import Layout, Picture
from tessera.codecs.pyramid import halved, level_count
from tessera.codecs.tiff import TiffCodec
from tessera.codecs.tiff_head import BIG, CLASSIC
from tessera.geometry import Grid, Rect
from tessera.plan import Pixels
from tests.codecs.stitching import encoded, framed, grid_of, opencv, pillow, said, stitched, tiff, vips
from tests.support.images import Image, icc_profile, textured

KINDS = [(channels, depth) for channels in (1, 2, 3, 4) for depth in (8, 16)]
TILES = [(512, None), (1024, 1024), (512, 1024), (2000, None)]
CODECS = [TiffCodec(), TiffCodec(compression="small"), TiffCodec(pyramid=True)]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("channels", "depth"), KINDS)
def test_every_reader_gives_the_image(codec: TiffCodec, channels: int, depth: int, tmp_path: Path) -> None:
    image, file = textured(700, 1100, channels, depth), tmp_path / "made.tif"
    file.write_bytes(stitched(codec, image, 512, 1024, icc=icc_profile(), dpi=(300, 300)))
    np.testing.assert_array_equal(tiff(file), image, strict=True)
    np.testing.assert_array_equal(vips(file), image, strict=True)
    if depth == 8 or channels == 1:  # Pillow has no other 16-bit images
        np.testing.assert_array_equal(pillow(file), image, strict=True)
    if channels in (1, 3) or (channels, depth) == (4, 16):
        np.testing.assert_array_equal(opencv(file), image, strict=True)


def test_opencv_gives_an_image_with_alpha_where_it_is_opaque(tmp_path: Path) -> None:
    # Elsewhere OpenCV multiplies 8-bit colours by alpha, whoever wrote the file.
    image, file = textured(700, 1100, 4), tmp_path / "made.tif"
    image[:300, :, 3] = 255
    file.write_bytes(stitched(TiffCodec(), image, 512))
    made = opencv(file)
    np.testing.assert_array_equal(made[:300], image[:300], strict=True)
    np.testing.assert_array_equal(made[:, :, 3], image[:, :, 3], strict=True)


@pytest.mark.parametrize("codec", [TiffCodec(), TiffCodec(pyramid=True)])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 1500), (513, 512), (1300, 1700)])
def test_any_tiling_in_any_order_makes_the_image(
    codec: TiffCodec, height: int, width: int, tmp_path: Path
) -> None:
    image, file = textured(height, width), tmp_path / "made.tif"
    for rows, columns in TILES:
        grid = grid_of(image, rows, columns)
        tiles = encoded(codec, image, grid, seed=1)
        made = framed(codec, image, grid, tiles)
        assert made == framed(codec, image, grid, dict(sorted(tiles.items())))
        file.write_bytes(made)
        np.testing.assert_array_equal(tiff(file), image, strict=True)
        for level, expected in enumerate(_overviews(image) if codec.pyramid else [], 1):
            np.testing.assert_array_equal(tiff(file, level), expected, strict=True)


def _overviews(image: Image) -> list[Image]:
    levels = [image]
    for _ in range(level_count(image.shape[1], image.shape[0])):
        levels.append(halved(levels[-1]))
    return levels[1:]


def test_full_width_tiles_of_one_row_make_the_bytes_of_the_whole_file() -> None:
    image = textured(1300, 1700)
    codec = TiffCodec(compression="small")  # the bytes of fast deflate are not sure to be the same twice
    assert stitched(codec, image, 512) == stitched(codec, image, 1300)


@pytest.mark.skipif(shutil.which("tiffinfo") is None, reason="tiffinfo is not installed")
@pytest.mark.parametrize("pyramid", [False, True])
@pytest.mark.parametrize(("channels", "depth"), KINDS)
def test_tiffinfo_finds_no_fault(pyramid: bool, channels: int, depth: int, tmp_path: Path) -> None:
    image, file = textured(600, 700, channels, depth), tmp_path / "made.tif"
    codec = TiffCodec(pyramid=pyramid)
    file.write_bytes(stitched(codec, image, 512, icc=icc_profile(), dpi=(300, 72.5)))
    printed = said("tiffinfo", "-D", file)
    assert printed.count("TIFF Directory at offset") == 1 + pyramid
    assert not [line for line in printed.splitlines() if "arning" in line or "rror" in line]


@pytest.mark.parametrize(("channels", "depth"), KINDS)
@pytest.mark.parametrize(("rows", "columns"), TILES)
def test_a_pyramid_is_a_valid_cog(
    channels: int, depth: int, rows: int, columns: int | None, tmp_path: Path
) -> None:
    file = tmp_path / "made.tif"
    codec = TiffCodec(pyramid=True)
    file.write_bytes(stitched(codec, textured(1300, 1700, channels, depth), rows, columns, icc=icc_profile()))
    with pytest.warns(Warning, match="no geotransform"):
        valid, errors, warnings = cog_validate(file, strict=True, quiet=True)
    assert (valid, errors, warnings) == (True, [], [])


def test_resolution_and_profile_are_carried(tmp_path: Path) -> None:
    file, profile = tmp_path / "made.tif", icc_profile(200_000)
    file.write_bytes(stitched(TiffCodec(), textured(64, 48), 512, icc=profile, dpi=(300, 72.5)))
    with tifffile.TiffFile(file) as opened:
        tags = opened.pages[0].aspage().tags
        assert tags[34675].value == profile
        assert (tags[282].value, tags[283].value, tags[296].value) == ((300, 1), (145, 2), 2)
        assert tags[274].value == 1


@pytest.mark.parametrize(("fill", "big"), [(0, False), (1, True)])
def test_a_file_is_classic_up_to_4_gib_and_big_from_there(fill: int, big: bool) -> None:
    grid = Grid(1024, 1024, 1024, 512)
    picture = Picture(1024, 1024, Pixels(channels=3))
    blank = np.zeros(2, "<u4").tobytes()
    size = len(TiffCodec().frame(picture, Adler(), Layout((grid,), [[blank, blank]]))[0])
    counts = [np.array([0, 2**31], "<u4"), np.array([2**31 - size - 1, fill], "<u4")]
    head, tail = TiffCodec().frame(picture, Adler(), Layout((grid,), [[one.tobytes() for one in counts]]))
    assert head.startswith(BIG.header if big else CLASSIC.header)
    assert tail == b""


@pytest.mark.parametrize("pyramid", [False, True])
def test_a_big_tiff_is_read_like_a_small_one(
    pyramid: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.codecs.tiff._CLASSIC_END", 0)
    image, file = textured(700, 1100), tmp_path / "made.tif"
    file.write_bytes(stitched(TiffCodec(pyramid=pyramid), image, 512, icc=icc_profile(), dpi=(300, 300)))
    with tifffile.TiffFile(file) as opened:
        assert opened.is_bigtiff
    for read in (opencv, pillow, vips, tiff):
        np.testing.assert_array_equal(read(file), image, strict=True)
    with pytest.warns(Warning, match="no geotransform"):
        valid, errors, warnings = cog_validate(file, strict=pyramid, quiet=True)
    assert (valid, errors, len(warnings)) == (True, [], 0 if pyramid else 1)


def test_libvips_reads_the_overviews(tmp_path: Path) -> None:
    image, file = textured(1300, 1700), tmp_path / "made.tif"
    file.write_bytes(stitched(TiffCodec(pyramid=True), image, 1024, 1024))
    for level, expected in enumerate(_overviews(image), 1):
        np.testing.assert_array_equal(vips(file, page=level), expected, strict=True)


def test_the_head_of_a_gigapixel_is_small() -> None:
    grid, codec = Grid(32_000, 32_000, 2048, 2048), TiffCodec(pyramid=True)
    levels = codec.levels(grid)
    tiles = [[-(-part.width // 512) * -(-part.height // 512) for part in level.tiles()] for level in levels]
    index = [[np.full(count, 300_000, "<u4").tobytes() for count in level] for level in tiles]
    assert [sum(level) for level in tiles] == [3969, 1024, 256, 64, 16, 4, 1]
    head, _ = codec.frame(Picture(32_000, 32_000, Pixels(channels=3)), Adler(), Layout(levels, index))
    assert len(head) < 45_000


def test_a_tile_off_the_grid_is_refused() -> None:
    image = textured(600, 600)
    with pytest.raises(ValueError, match="TIFF tiles of 512"):
        TiffCodec().encode(image[:500], Rect(0, 0, 600, 500), grid_of(image, 500))


def test_a_head_without_the_bytes_of_the_tiles_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes of its tiles"):
        TiffCodec().frame(Picture(1, 1, Pixels(channels=1)), Adler())
    layout = Layout((Grid(600, 600, 600, 600),), [[bytes(4)]])
    with pytest.raises(ValueError, match="4 TIFF tiles, and the bytes of 1 are known"):
        TiffCodec().frame(Picture(600, 600, Pixels(channels=1)), Adler(), layout)


def test_opencv_reads_what_the_encoder_was_given_in_its_own_colour_order(tmp_path: Path) -> None:
    file = tmp_path / "made.tif"
    blue = np.full((20, 20, 3), (255, 0, 0), np.uint8)
    file.write_bytes(stitched(TiffCodec(), blue, 512))
    read = cv2.imread(str(file))
    assert read is not None
    np.testing.assert_array_equal(read, blue)
