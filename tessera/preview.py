"""Small pictures of large images, put together from what tiles see of them on the way.

A patch is the part of the picture that lies in a box of the image: each of its pixels is the mean of a square
of the image, of which rows beyond the box are left out; or the brightest of the square, which keeps thin
lines in sight. Patches may overlap, and come in any order.
"""

import struct
from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tessera.geometry import Rect, ceil_div
from tessera.plan import Pixels

type Array = NDArray[Any]

SIDE = 2048
"""Pixels: the longer side of a picture at most."""
_SHOWN_EVERYWHERE = frozenset({"image/png", "image/jpeg"})
_MOST_BYTES = 1 << 20
_QUALITY = 85
_HEAD = struct.Struct("<5I")
_WHITE = 255


def shows_itself(media_type: str, width: int, height: int, pixels: Pixels) -> bool:
    """Tell whether a file needs no picture: every browser shows it, and it has a MiB of pixels at most."""
    plain = media_type in _SHOWN_EVERYWHERE and pixels.depth == 8 and pixels.channels in (1, 3)
    return plain and max(width, height) <= SIDE and width * height * pixels.bytes <= _MOST_BYTES


def patch(pixels: Array, box: Rect, frame: Rect, *, brightest: bool = False) -> bytes:
    """Return what the picture of an image of *frame* shows of *box*; nothing if that is less than a pixel.

    Parameters
    ----------
    pixels
        (rows, columns, channels) of the box, uint8 or uint16.
    brightest
        Show the brightest pixel of each square instead of the mean.
    """
    step = _step(frame)
    x0, y0 = ceil_div(box.x0, step), ceil_div(box.y0, step)
    x1, y1 = ceil_div(box.x1, step), ceil_div(box.y1, step)
    if x0 >= x1 or y0 >= y1:
        return b""
    part = pixels[y0 * step - box.y0 :, x0 * step - box.x0 :]
    small = (_brightest if brightest else _means)(part, step, x1 - x0, y1 - y0)
    if small.dtype == np.uint16:
        small = (small >> 8).astype(np.uint8)
    height, width, channels = small.shape
    return _HEAD.pack(x0, y0, width, height, channels) + np.ascontiguousarray(small).tobytes()


def picture(patches: Iterable[bytes], frame: Rect) -> Array:
    """Return the picture of an image of *frame*, uint8 (rows, columns, channels); white where no patch is."""
    step, made = _step(frame), None
    for data in patches:
        offset = 0
        while offset < len(data):
            x0, y0, width, height, channels = _HEAD.unpack_from(data, offset)
            offset += _HEAD.size
            small = np.frombuffer(data, np.uint8, width * height * channels, offset)
            offset += small.size
            if made is None:
                size = ceil_div(frame.height, step), ceil_div(frame.width, step), channels
                made = np.full(size, _WHITE, np.uint8)
            made[y0 : y0 + height, x0 : x0 + width] = small.reshape(height, width, channels)
    return made if made is not None else np.full((1, 1, 1), _WHITE, np.uint8)


def to_jpeg(made: Array) -> bytes:
    """Return a picture as a JPEG file, on white where it is transparent."""
    channels = made.shape[2]
    if channels in (2, 4):
        share = made[:, :, -1:].astype(np.uint32)
        mixed = made[:, :, :-1] * share + _WHITE * (255 - share)
        made = ((mixed + 127) // 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(made), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()


def _step(frame: Rect) -> int:
    """Return the side of the square that becomes a pixel."""
    return max(1, ceil_div(max(frame.width, frame.height), SIDE))


def _means(part: Array, step: int, width: int, height: int) -> Array:
    """Return the means of squares of *step* pixels, of which large ones are looked at in every other row."""
    if step == 1:
        return part
    rows = 2 if step % 2 == 0 else 1
    part = _whole_squares(part[::rows], height * (step // rows), width * step)
    made = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
    return made.reshape(height, width, -1)


def _brightest(part: Array, step: int, width: int, height: int) -> Array:
    """Return the brightest of squares of *step* pixels, channel by channel."""
    part = _whole_squares(part, height * step, width * step)
    rows: Array = part.reshape(height, step, -1).max(axis=1)
    made: Array = rows.reshape(height, width, step, -1).max(axis=2)
    return made


def _whole_squares(part: Array, rows: int, columns: int) -> Array:
    """Return so many rows and columns; where there are fewer, the last ones again."""
    down, right = rows - part.shape[0], columns - part.shape[1]
    if down > 0 or right > 0:
        part = np.pad(part, ((0, max(down, 0)), (0, max(right, 0)), (0, 0)), mode="edge")
    return part[:rows, :columns]
