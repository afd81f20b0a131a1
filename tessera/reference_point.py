"""The definition of right for operations on each pixel alone, on the whole image.

It shares no code with `tessera.operations` on purpose. Parameters are those of the catalogue, as JSON.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

type Array = NDArray[Any]
type Parameters = Mapping[str, Any]

_SPACES = {
    "rgb": (cv2.COLOR_BGR2RGB, ["red", "green", "blue"]),
    "hsv": (cv2.COLOR_BGR2HSV_FULL, ["hue", "saturation", "value"]),
    "lab": (cv2.COLOR_BGR2LAB, ["lightness", "a", "b"]),
    "ycrcb": (cv2.COLOR_BGR2YCrCb, ["luma", "cr", "cb"]),
}


def colour_of(raster: Array) -> Array:
    """Return the channels without alpha."""
    return raster[:, :, :-1].copy() if raster.shape[2] in (2, 4) else raster


def with_alpha_of(raster: Array, colour: Array) -> Array:
    """Return *colour* with the alpha channel that *raster* has."""
    return np.dstack([colour, raster[:, :, -1]]) if raster.shape[2] in (2, 4) else colour


def gray_of(raster: Array) -> Array:
    """Return the gray levels, (rows, columns)."""
    colour = colour_of(raster)
    return cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY) if colour.shape[2] == 3 else colour[:, :, 0]


def range_of(raster: Array) -> int:
    """Return the brightest level."""
    return 255 if raster.dtype == np.uint8 else 65535


def nearest(values: Array) -> Array:
    """Return the nearest integers; halves go up, also where they are a billionth short of one."""
    return np.asarray(np.floor(values + 0.500000001), np.int64)


def _mapped(raster: Array, made: Array) -> Array:
    """Map each level v to *made*[v], given as parts of the range."""
    table = np.clip(nearest(made * range_of(raster)), 0, range_of(raster)).astype(raster.dtype)
    return with_alpha_of(raster, table[colour_of(raster)])


def _ramp(raster: Array) -> Array:
    return np.arange(range_of(raster) + 1) / range_of(raster)


def _invert(raster: Array, _: Parameters) -> Array:
    return with_alpha_of(raster, cv2.bitwise_not(colour_of(raster)))


def _brightness_contrast(raster: Array, p: Parameters) -> Array:
    centred = _ramp(raster) - 0.5
    return _mapped(raster, p["contrast"] * centred + (p["brightness"] + 0.5))


def _gamma(raster: Array, p: Parameters) -> Array:
    return _mapped(raster, _ramp(raster) ** (1 / p["gamma"]))


def _levels(raster: Array, p: Parameters) -> Array:
    spread = np.interp(_ramp(raster), [p["black"], p["white"]], [0, 1])
    return _mapped(raster, spread ** (1 / p["gamma"]))


def _curves(raster: Array, p: Parameters) -> Array:
    """Cubics in power form, with the slopes of Fritsch and Butland at the points."""
    x, y = np.array(p["points"]).T
    h = np.diff(x)
    d = np.diff(y) / h
    m = np.concatenate([d[:1], np.zeros(len(x) - 2), d[-1:]])
    for k in range(1, len(x) - 1):
        if d[k - 1] * d[k] > 0:
            near, far = (h[k - 1] + 2 * h[k]) / d[k - 1], (2 * h[k - 1] + h[k]) / d[k]
            m[k] = 3 * (h[k - 1] + h[k]) / (near + far)
    levels = np.clip(_ramp(raster), x[0], x[-1])
    left = np.clip(np.searchsorted(x, levels, side="right") - 1, 0, len(d) - 1)
    s = levels - x[left]
    c2 = ((3 * d - 2 * m[:-1] - m[1:]) / h)[left]
    c3 = ((m[:-1] + m[1:] - 2 * d) / h**2)[left]
    return _mapped(raster, y[left] + s * (m[left] + s * (c2 + s * c3)))


def _posterize(raster: Array, p: Parameters) -> Array:
    bins = np.arange(range_of(raster) + 1) * p["levels"] // range_of(raster)
    return _mapped(raster, np.minimum(bins, p["levels"] - 1) / (p["levels"] - 1))


def _solarize(raster: Array, p: Parameters) -> Array:
    colour = colour_of(raster)
    bright = colour / range_of(raster) >= p["value"]
    return with_alpha_of(raster, np.where(bright, range_of(raster) - colour, colour).astype(raster.dtype))


def _mixed(raster: Array, matrix: Array, offsets: Array | Sequence[float] = (0, 0, 0)) -> Array:
    """Mix by a matrix in the order red, green, blue, in the fixed point of cv2.transform for 8 bits."""
    added = np.array(offsets) * range_of(raster)
    if raster.dtype == np.uint8:
        one = 1024
        whole = np.rint(matrix.astype(np.float32) * one).astype(np.int64)
        start = np.rint((added.astype(np.float32) + np.float32(0.5)) * one).astype(np.int64)
    else:
        one = 16384
        whole, start = nearest(matrix * one), nearest(added * one) + one // 2
    rgb = colour_of(raster)[:, :, ::-1].astype(np.int64)
    made = np.floor_divide(rgb @ whole.T + start, one)[:, :, ::-1]
    return with_alpha_of(raster, np.clip(made, 0, range_of(raster)).astype(raster.dtype))


def _color_matrix(raster: Array, p: Parameters) -> Array:
    matrix = np.array(p["matrix"])
    return _mixed(raster, matrix[:, :3], matrix[:, 3])


def _channel_mixer(raster: Array, p: Parameters) -> Array:
    return _mixed(raster, np.array([p["red"], p["green"], p["blue"]]))


def _hue_saturation(raster: Array, p: Parameters) -> Array:
    luma = np.tile([0.213, 0.715, 0.072], (3, 1))
    turned = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])
    angle = np.deg2rad(p["hue"])
    hue = luma + np.cos(angle) * (np.eye(3) - luma) + np.sin(angle) * turned
    return _mixed(raster, (luma + p["saturation"] * (np.eye(3) - luma)) @ hue)


def _sepia(raster: Array, p: Parameters) -> Array:
    sepia = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
    return _mixed(raster, np.eye(3) + p["strength"] * (sepia - np.eye(3)))


def _vibrance(raster: Array, p: Parameters) -> Array:
    colour = colour_of(raster).astype(np.int64)
    dullness = range_of(raster) - np.ptp(colour, axis=2, keepdims=True)
    moved = (colour - gray_of(raster)[:, :, None]) * dullness * nearest(np.array(p["amount"] * 1024))
    made = colour + np.floor_divide(2 * moved + range_of(raster) * 1024, range_of(raster) * 2048)
    return with_alpha_of(raster, np.clip(made, 0, range_of(raster)).astype(raster.dtype))


def _grayscale(raster: Array, p: Parameters) -> Array:
    colour = colour_of(raster)
    if p["method"] == "luma":
        return with_alpha_of(raster, gray_of(raster))
    if p["method"] == "average":
        mean = nearest(colour.sum(axis=2) / colour.shape[2])
        return with_alpha_of(raster, mean.astype(raster.dtype))
    return with_alpha_of(raster, colour.max(axis=2) if p["method"] == "maximum" else colour.min(axis=2))


def _channel(raster: Array, p: Parameters) -> Array:
    if p["name"] == "alpha":
        return raster[:, :, -1]
    for code, names in _SPACES.values():
        if p["name"] in names:
            return cv2.cvtColor(colour_of(raster), code)[:, :, names.index(p["name"])]
    raise ValueError(p["name"])


def _colormap(raster: Array, p: Parameters) -> Array:
    code = getattr(cv2, "COLORMAP_" + p["map"].upper())
    return with_alpha_of(raster, cv2.applyColorMap(gray_of(raster), code))


def _to_rgb(raster: Array, _: Parameters) -> Array:
    colour = colour_of(raster)
    return with_alpha_of(raster, np.repeat(colour, 3, axis=2) if colour.shape[2] == 1 else colour)


def _to_8_bit(raster: Array, _: Parameters) -> Array:
    return raster if raster.dtype == np.uint8 else np.rint(raster / 257).astype(np.uint8)


def _threshold(raster: Array, p: Parameters) -> Array:
    kinds = {
        "binary": cv2.THRESH_BINARY,
        "binary_inverse": cv2.THRESH_BINARY_INV,
        "truncate": cv2.THRESH_TRUNC,
        "to_zero": cv2.THRESH_TOZERO,
        "to_zero_inverse": cv2.THRESH_TOZERO_INV,
    }
    return cv2.threshold(gray_of(raster), p["value"], range_of(raster), kinds[p["type"]])[1]


def _in_range(raster: Array, p: Parameters) -> Array:
    colour = colour_of(raster)
    if colour.shape[2] == 3:
        colour = cv2.cvtColor(colour, _SPACES[p["space"]][0])
    lower, upper = np.array(p["lower"]), np.array(p["upper"])
    above, below = colour >= lower, colour <= upper
    inside = np.where(lower <= upper, above & below, above | below)
    return np.where(inside.all(axis=2), np.uint8(255), np.uint8(0))


OPERATIONS: Mapping[str, Callable[[Array, Parameters], Array]] = {
    "invert": _invert,
    "brightness_contrast": _brightness_contrast,
    "gamma": _gamma,
    "levels": _levels,
    "curves": _curves,
    "posterize": _posterize,
    "solarize": _solarize,
    "color_matrix": _color_matrix,
    "channel_mixer": _channel_mixer,
    "hue_saturation": _hue_saturation,
    "sepia": _sepia,
    "vibrance": _vibrance,
    "grayscale": _grayscale,
    "channel": _channel,
    "colormap": _colormap,
    "to_rgb": _to_rgb,
    "to_8_bit": _to_8_bit,
    "threshold": _threshold,
    "in_range": _in_range,
}
