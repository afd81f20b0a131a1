"""EXIF blocks as cameras write them."""

import struct
from typing import Literal

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL.TiffImagePlugin import IFDRational

from tests.support.images import encode, textured

THUMBNAIL = encode(textured(30, 40), ".jpg", [cv2.IMWRITE_JPEG_QUALITY, 80])
NOTE = b"maker's note" * 10


def camera_block(
    order: Literal["<", ">"] = "<",
    *,
    orientation: int | None = 6,
    thumbnail: bool = True,
    sides: tuple[int, int] = (40, 30),
) -> bytes:
    """Return a block with camera, exposure, place and maker's note, and a thumbnail at its end."""
    exif = PillowImage.Exif()
    exif.endian = order
    exif.update({0x010F: "Maker of cameras", 0x0132: "2026:01:02 03:04:05", 0x011A: 72.0, 0x0100: 40})
    if orientation:
        exif[0x0112] = orientation
    exif.get_ifd(0x8769).update({0x829A: IFDRational(1, 125), 0x8827: 400, 0x927C: NOTE})
    exif.get_ifd(0x8769).update(zip((0xA002, 0xA003), sides, strict=True))
    exif.get_ifd(0x8825).update({1: "N", 2: (50.0, 4.0, 30.5), 3: "E", 4: (14.0, 25.0, 1.0)})
    block = bytearray(exif.tobytes().removeprefix(b"Exif\0\0"))
    block += bytes(len(block) % 2)
    if thumbnail:
        (count,) = struct.unpack_from(f"{order}H", block, 8)
        struct.pack_into(f"{order}I", block, 10 + 12 * count, len(block))
        place = len(block) + 2 + 24 + 4
        block += struct.pack(f"{order}HHHIIHHIII", 2, 0x0201, 4, 1, place, 0x0202, 4, 1, len(THUMBNAIL), 0)
        block += THUMBNAIL
    return bytes(block)


def damaged_blocks(block: bytes, count: int, seed: int) -> list[bytes]:
    """Return copies with bytes changed at random, and every shorter one at steps."""
    random = np.random.default_rng(seed)
    made = [block[:length] for length in range(0, len(block), 7)]
    for _ in range(count):
        copy = bytearray(block)
        for place in random.integers(0, len(copy), 6):
            copy[place] = random.integers(0, 256)
        made.append(bytes(copy))
    return made
