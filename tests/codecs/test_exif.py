"""EXIF is carried upright and without its thumbnail, or not at all."""

import io
import shutil
from pathlib import Path
from typing import Literal

import pytest
import tifffile
from PIL import Image as PillowImage
from PIL.ExifTags import IFD

from tessera.codecs import Codec
from tessera.codecs.exif import tiff_entries, upright
from tessera.codecs.jpeg import JpegCodec
from tessera.codecs.png import PngCodec
from tessera.codecs.tiff import TiffCodec
from tests.codecs.blocks import NOTE, THUMBNAIL, camera_block, damaged_blocks
from tests.codecs.stitching import said, stitched
from tests.support.images import textured

SEED = 20_261_124


def read(block: bytes) -> PillowImage.Exif:
    exif = PillowImage.Exif()
    exif.load(b"Exif\0\0" + block)
    return exif


@pytest.mark.parametrize("order", ["<", ">"])
def test_only_orientation_and_thumbnail_change(order: Literal["<", ">"]) -> None:
    block = camera_block(order)
    assert read(block).get_ifd(IFD.IFD1), "no thumbnail to lose"
    made = upright(block, 48, 64)
    expected = camera_block(order, orientation=1, sides=(48, 64))
    assert dict(read(made)) == dict(read(expected))
    assert read(made)[0x0112] == 1
    for directory in (0x8769, 0x8825):
        assert read(made).get_ifd(directory) == read(expected).get_ifd(directory) != {}
    assert not read(made).get_ifd(IFD.IFD1)
    assert THUMBNAIL[-40:] not in made
    assert len(made) == len(block) - len(THUMBNAIL)


def test_a_thumbnail_in_the_middle_is_blanked() -> None:
    block = camera_block() + b"something else"
    made = upright(block, 48, 64)
    assert THUMBNAIL[-40:] not in made
    assert made.endswith(bytes(len(THUMBNAIL)) + b"something else")


def test_a_block_without_orientation_gets_none() -> None:
    made = upright(camera_block(orientation=None, thumbnail=False), 48, 64)
    assert made == camera_block(orientation=None, thumbnail=False, sides=(48, 64))


@pytest.mark.parametrize("sides", [(1, 65_535), (65_536, 3)])
def test_the_sides_are_those_of_the_result(sides: tuple[int, int]) -> None:
    made = read(upright(camera_block(), *sides)).get_ifd(0x8769)
    assert (made[0xA002], made[0xA003]) == sides


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"Exif\0\0",
        b"II*\0\xff\xff\xff\xff",
        camera_block()[:30],
        # More values than there are bytes, each entry pointing at all of the block
        b"II*\0\x08\0\0\0\xff\xff" + b"\x0f\x01\x01\0\xff\xff\0\0\0\0\0\0" * 65_535 + bytes(4),
    ],
    ids=["empty", "marker", "pointer", "cut", "overlapping"],
)
def test_of_a_damaged_block_nothing_is_written(block: bytes) -> None:
    assert upright(block, 48, 64) == b""
    assert tiff_entries(block) == []


def test_damage_gives_a_block_of_the_same_size_at_most_or_none() -> None:
    print(f"seed {SEED}")
    for block in damaged_blocks(camera_block(), 500, SEED):
        assert len(upright(block, 48, 64)) <= len(block)
        entries = tiff_entries(block)
        assert sum(len(one.data) for entry in entries for one in (entry, *entry.directory)) <= 4 * len(block)


@pytest.mark.parametrize("codec", [PngCodec(), JpegCodec()], ids=["png", "jpeg"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_png_and_jpeg_carry_the_block(codec: Codec, order: Literal["<", ">"]) -> None:
    block = camera_block(order)
    data = stitched(codec, textured(64, 48), 16, exif=block)
    with PillowImage.open(io.BytesIO(data)) as opened:
        exif = opened.getexif()
        assert exif[0x0112] == 1
        assert exif[0x010F] == "Maker of cameras"
        assert exif.get_ifd(0x8825)[2] == (50.0, 4.0, 30.5)
        assert exif.get_ifd(0x8769)[0x927C] == NOTE
    assert THUMBNAIL[-40:] not in data


def test_a_block_that_jpeg_cannot_hold_is_left_out() -> None:
    block = camera_block(thumbnail=False) + bytes(65_528)
    data = stitched(JpegCodec(), textured(64, 48), 16, exif=block)
    with PillowImage.open(io.BytesIO(data)) as opened:
        opened.load()
        assert not opened.getexif()


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_carries_what_describes_the_photograph(
    order: Literal["<", ">"], big: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if big:
        monkeypatch.setattr("tessera.codecs.tiff._CLASSIC_END", 0)
    file, block = tmp_path / "made.tif", camera_block(order)
    file.write_bytes(stitched(TiffCodec(pyramid=True), textured(600, 700), 512, exif=block, dpi=(300, 300)))
    with tifffile.TiffFile(file) as opened:
        tags = opened.pages[0].aspage().tags
        assert (tags[256].value, tags[274].value, tags[282].value) == (700, 1, (300, 1))
        assert (tags[271].value, tags[306].value) == ("Maker of cameras", "2026:01:02 03:04:05")
        assert tags[34665].value["ISOSpeedRatings"] == 400
        assert "MakerNote" not in tags[34665].value
        assert tags[34853].value["GPSLatitude"] == (50, 1, 4, 1, 61, 2)
    with PillowImage.open(file) as opened_again:
        assert opened_again.getexif().get_ifd(0x8825)[4] == (14.0, 25.0, 1.0)
        assert opened_again.getexif().get_ifd(0x8769)[0x829A] == 1 / 125
    assert THUMBNAIL[-40:] not in file.read_bytes()


@pytest.mark.skipif(
    None in map(shutil.which, ("pngcheck", "djpeg", "tiffinfo")),
    reason="pngcheck, djpeg or tiffinfo is not installed",
)
def test_tools_find_no_fault_in_files_with_exif(tmp_path: Path) -> None:
    made = {}
    for codec in (PngCodec(), JpegCodec(), TiffCodec()):
        made[codec.extension] = tmp_path / f"made.{codec.extension}"
        made[codec.extension].write_bytes(stitched(codec, textured(64, 48), 512, exif=camera_block()))
    assert said("pngcheck", "-q", made["png"]) == ""
    assert said("djpeg", "-strict", "-outfile", tmp_path / "out.ppm", made["jpg"]) == ""
    printed = said("tiffinfo", made["tif"])
    assert "Maker of cameras" in printed
    assert "arning" not in printed
