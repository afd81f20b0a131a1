"""The definition of right for operations that move pixels.

It shares no code with `tessera.operations` on purpose. Parameters are those of the catalogue, as JSON.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tessera.reference_point import range_of

type Array = NDArray[Any]
type Parameters = Mapping[str, Any]


def _crop(raster: Array, p: Parameters) -> Array:
    height, width = raster.shape[:2]
    bottom = p["y"] + p["height"] if p["height"] else height
    right = p["x"] + p["width"] if p["width"] else width
    return raster[p["y"] : bottom, p["x"] : right]


def _fill(raster: Array, value: float, alpha: int) -> list[int]:
    """Return a gray level for colour channels, and *alpha*; OpenCV fills channels by place."""
    level, channels = int(np.floor(value * range_of(raster) + 0.5)), raster.shape[2]
    return [level] * (channels - 1) + [alpha] if channels in (2, 4) else [level] * channels


def _pad(raster: Array, p: Parameters) -> Array:
    modes = {
        "constant": cv2.BORDER_CONSTANT,
        "replicate": cv2.BORDER_REPLICATE,
        "reflect": cv2.BORDER_REFLECT_101,
    }
    fill = _fill(raster, p["value"], range_of(raster))
    sides = p["top"], p["bottom"], p["left"], p["right"]
    return cv2.copyMakeBorder(raster, *sides, modes[p["mode"]], value=fill)


def _flip(raster: Array, p: Parameters) -> Array:
    return raster[:, ::-1] if p["direction"] == "horizontal" else raster[::-1]


def _rotate(raster: Array, p: Parameters) -> Array:
    return np.rot90(raster, -p["degrees"] // 90)


def _transpose(raster: Array, _: Parameters) -> Array:
    return raster.swapaxes(0, 1)


def _rotate_by(raster: Array, p: Parameters) -> Array:
    """Read the levels at places that are rounded to 1/256 pixel, cosine and sine to 2**-30."""
    height, width = raster.shape[:2]
    angle, one = math.radians(p["degrees"]), 2**30
    cosine, sine = round(math.cos(angle) * one), round(math.sin(angle) * one)
    size = width, height
    if p["expand"]:
        size = (
            math.ceil((abs(cosine) * width + abs(sine) * height) / one),
            math.ceil((abs(sine) * width + abs(cosine) * height) / one),
        )
    x, y = np.meshgrid(2 * np.arange(size[0]) + 1 - size[0], 2 * np.arange(size[1]) + 1 - size[1])
    from_x = (cosine * x + sine * y + (width - 1) * one + 2**22) // 2**23
    from_y = (cosine * y - sine * x + (height - 1) * one + 2**22) // 2**23
    code = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
    maps = (from_x / 256).astype(np.float32), (from_y / 256).astype(np.float32)
    fill = _fill(raster, p["value"], 0)
    return cv2.remap(
        raster, *maps, code[p["interpolation"]], borderMode=cv2.BORDER_CONSTANT, borderValue=fill
    )


def _resized(raster: Array, size: tuple[int, int], interpolation: str) -> Array:
    if interpolation == "cubic" or (interpolation == "lanczos" and raster.dtype == np.uint16):
        return _in_fixed_point(raster, size, interpolation)
    codes = {
        "nearest": cv2.INTER_NEAREST,
        "linear": cv2.INTER_LINEAR,
        "area": cv2.INTER_AREA,
        "lanczos": cv2.INTER_LANCZOS4,
    }
    ipp = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(False)
    resized = cv2.resize(raster, size, interpolation=codes[interpolation])
    cv2.ipp.setUseIPP(ipp)
    return resized


def _in_fixed_point(raster: Array, size: tuple[int, int], interpolation: str) -> Array:
    """Weigh 4 or 8 pixels along each axis with integers of 11 bits, or 15 for 16-bit samples."""
    bits = 11 if raster.dtype == np.uint8 else 15
    across = _positions(raster.shape[1], size[0], interpolation, bits)
    down = _positions(raster.shape[0], size[1], interpolation, bits)
    wide = np.sum([raster[:, x].astype(np.int64) * weight[:, None] for x, weight in across], axis=0)
    total = np.sum([wide[y] * weight[:, None, None] for y, weight in down], axis=0)
    made = (total + 2 ** (2 * bits - 1)) >> (2 * bits)
    return np.asarray(np.clip(made, 0, range_of(raster)), raster.dtype)


def _positions(side: int, made: int, interpolation: str, bits: int) -> list[tuple[Array, Array]]:
    """Return for each tap the pixel read for each pixel made, and its weight."""
    place = ((np.arange(made) + 0.5) * (1 / (made / side)) - 0.5).astype(np.float32)
    whole = np.floor(place).astype(np.int64)
    share = (place - whole).astype(np.float32)
    taps = range(-1, 3) if interpolation == "cubic" else range(-3, 5)
    weigh = _cubic if interpolation == "cubic" else _lanczos
    weights = np.array([weigh(each) for each in share], np.float32)
    fixed = np.rint(weights * np.float32(2**bits)).astype(np.int64)
    return [(np.clip(whole + tap, 0, side - 1), fixed[:, index]) for index, tap in enumerate(taps)]


def _cubic(x: np.float32) -> list[np.float32]:
    """Return Keys's weights for a = -0.75, in single precision as OpenCV computes them."""
    f, a = np.float32, np.float32(-0.75)
    y = f(1) - x
    first = ((a * (x + f(1)) - f(5) * a) * (x + f(1)) + f(8) * a) * (x + f(1)) - f(4) * a
    second = ((a + f(2)) * x - (a + f(3))) * x * x + f(1)
    third = ((a + f(2)) * y - (a + f(3))) * y * y + f(1)
    return [first, second, third, f(1) - first - second - third]


def _lanczos(x: np.float32) -> list[np.float32]:
    """Return OpenCV's weights: sinc(t) sinc(t/4) normalized; a pixel that is hit outweighs all."""
    r = math.sqrt(0.5)
    turns = [(1, 0), (-r, -r), (0, 1), (r, -r), (-1, 0), (r, r), (0, -1), (-r, r)]
    start = -float(x + np.float32(3)) * math.pi * 0.25
    raw = []
    for tap, (s, c) in enumerate(turns):
        distance = x + np.float32(3) - np.float32(tap)
        angle = -float(distance) * math.pi * 0.25
        hit = abs(distance) < np.float32(1e-6)
        raw.append(np.float32(1e30 if hit else (s * math.sin(start) + c * math.cos(start)) / (angle * angle)))
    total = np.float32(0)
    for weight in raw:
        total += weight
    return [weight * (np.float32(1) / total) for weight in raw]


def _nearest_whole(numerator: int, denominator: int) -> int:
    return max(math.floor(numerator / denominator + 0.5), 1)


def _resize(raster: Array, p: Parameters) -> Array:
    height, width = raster.shape[:2]
    size = (
        p["width"] or _nearest_whole(width * p["height"], height),
        p["height"] or _nearest_whole(height * p["width"], width),
    )
    return _resized(raster, size, p["interpolation"])


def _scale(raster: Array, p: Parameters) -> Array:
    height, width = raster.shape[:2]
    size = max(math.floor(width * p["factor"] + 0.5), 1), max(math.floor(height * p["factor"] + 0.5), 1)
    return _resized(raster, size, p["interpolation"])


def _fit(raster: Array, p: Parameters) -> Array:
    height, width = raster.shape[:2]
    if width <= p["width"] and height <= p["height"]:
        return raster
    if width / p["width"] > height / p["height"]:
        size = p["width"], min(_nearest_whole(height * p["width"], width), p["height"])
    else:
        size = min(_nearest_whole(width * p["height"], height), p["width"]), p["height"]
    return _resized(raster, size, p["interpolation"])


OPERATIONS: Mapping[str, Callable[[Array, Parameters], Array]] = {
    "crop": _crop,
    "pad": _pad,
    "flip": _flip,
    "rotate": _rotate,
    "transpose": _transpose,
    "rotate_by": _rotate_by,
    "resize": _resize,
    "scale": _scale,
    "fit": _fit,
}
