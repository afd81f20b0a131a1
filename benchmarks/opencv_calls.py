"""What somebody who has OpenCV would call, for operations whose reference is no such call.

References are written to be right on any processor, in NumPy where OpenCV rounds as the processor does. Who
compares speed compares with these calls; their pixels may differ by a level.
"""

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np

from tessera.operations.base import Array

type Call = Callable[[Array], Any]

_TABLE = np.arange(256, dtype=np.uint8)[::-1].copy()
_MATRIX = np.array([[0.131, 0.534, 0.272], [0.168, 0.686, 0.349], [0.189, 0.769, 0.393]], np.float32)
_KERNEL = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / 16
_CROSS = np.ones((3, 3), np.uint8)
_CUBIC = (1999, 1501)


def _look_up(image: Array) -> Array:
    return cv2.LUT(image, _TABLE)


def _mix(image: Array) -> Array:
    return cv2.transform(image, _MATRIX)


def _correlate(image: Array) -> Array:
    return cv2.filter2D(image, -1, _KERNEL)


def _gray(image: Array) -> Array:
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.shape[2] == 3 else image


def _unsharp(image: Array) -> Array:
    return cv2.addWeighted(image, 2.0, cv2.GaussianBlur(image, (0, 0), 2.0), -1.0, 0.0)


def _sobel(image: Array) -> Array:
    gray = _gray(image)
    dx, dy = (cv2.Sobel(gray, cv2.CV_32F, x, 1 - x) for x in (1, 0))
    return cv2.convertScaleAbs(cv2.magnitude(dx, dy))


def _scharr(image: Array) -> Array:
    gray = _gray(image)
    dx, dy = (cv2.Scharr(gray, cv2.CV_32F, x, 1 - x) for x in (1, 0))
    return cv2.convertScaleAbs(cv2.magnitude(dx, dy))


def _count(image: Array) -> None:
    for channel in range(image.shape[2]):
        cv2.calcHist([image], [channel], None, [256], [0, 256])


def _statistics(image: Array) -> None:
    _count(image)
    cv2.meanStdDev(image)
    cv2.minMaxLoc(image.reshape(len(image), -1))


def _auto_contrast(image: Array) -> Array:
    _count(image)
    return _look_up(image)


def _gray_world(image: Array) -> Array:
    means = np.array(cv2.mean(image)[:3])
    levels = np.arange(256)[:, np.newaxis] * (means.mean() / means)
    return cv2.LUT(image, np.clip(np.rint(levels), 0, 255).astype(np.uint8)[np.newaxis])


OPENCV: Mapping[str, Call] = {
    "to_rgb": lambda image: cv2.cvtColor(image, cv2.COLOR_GRAY2BGR),
    "to_8_bit": lambda image: cv2.convertScaleAbs(image, alpha=1 / 257),
    **dict.fromkeys(("brightness_contrast", "gamma", "levels", "curves", "posterize", "solarize"), _look_up),
    **dict.fromkeys(("hue_saturation", "sepia", "color_matrix", "channel_mixer"), _mix),
    **dict.fromkeys(("sharpen", "emboss", "kernel"), _correlate),
    "in_range": lambda image: cv2.inRange(image, (0, 0, 0), (128, 128, 128)),
    "unsharp_mask": _unsharp,
    "sobel": _sobel,
    "scharr": _scharr,
    "laplacian": lambda image: cv2.convertScaleAbs(cv2.Laplacian(_gray(image), cv2.CV_16S)),
    "morphological_gradient": lambda image: cv2.morphologyEx(image, cv2.MORPH_GRADIENT, _CROSS),
    "statistics": _statistics,
    "auto_contrast": _auto_contrast,
    "normalize": lambda image: cv2.normalize(image, np.empty_like(image), 0, 255, cv2.NORM_MINMAX),
    "gray_world": _gray_world,
    "flip": lambda image: cv2.flip(image, 1),
    "rotate": lambda image: cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE),
    "transpose": cv2.transpose,
    "resize cubic": lambda image: cv2.resize(image, _CUBIC, interpolation=cv2.INTER_CUBIC),
}
"""By the operation's name, with its interpolation if that decides."""
