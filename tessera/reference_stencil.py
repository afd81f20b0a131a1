"""The definition of right for operations on a neighbourhood of each pixel, on the whole image.

It shares no code with `tessera.operations` on purpose. Parameters are those of the catalogue, as JSON.
"""

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tessera.reference_point import colour_of, gray_of, range_of, with_alpha_of

type Array = NDArray[Any]
type Parameters = Mapping[str, Any]


def _levels_of(raster: Array, values: Array) -> Array:
    return np.clip(values, 0, range_of(raster)).astype(raster.dtype)


def _median_blur(raster: Array, p: Parameters) -> Array:
    return with_alpha_of(raster, cv2.medianBlur(colour_of(raster), p["ksize"]))


def _box_blur(raster: Array, p: Parameters) -> Array:
    colour, side = colour_of(raster), (p["ksize"], p["ksize"])
    if colour.dtype == np.uint8:
        return with_alpha_of(raster, cv2.blur(colour, side))
    mean = cv2.boxFilter(colour.astype(np.float64), -1, side, normalize=False) / p["ksize"] ** 2
    return with_alpha_of(raster, np.floor(mean + 0.5).astype(np.uint16))


def _gaussian_blur(raster: Array, p: Parameters) -> Array:
    return with_alpha_of(raster, cv2.GaussianBlur(colour_of(raster), (0, 0), p["sigma"]))


def _bilateral(raster: Array, p: Parameters) -> Array:
    ipp = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(False)
    filtered = cv2.bilateralFilter(colour_of(raster), p["diameter"], p["sigma_color"], p["sigma_space"])
    cv2.ipp.setUseIPP(ipp)
    return with_alpha_of(raster, filtered)


def _denoise(raster: Array, p: Parameters) -> Array:
    colour, sizes = colour_of(raster), (p["template"], p["search"])
    if colour.shape[2] == 1:
        return with_alpha_of(raster, cv2.fastNlMeansDenoising(colour, None, p["strength"], *sizes))
    strengths = p["strength"], p["strength_color"]
    return with_alpha_of(raster, cv2.fastNlMeansDenoisingColored(colour, None, *strengths, *sizes))


def _weighted(raster: Array, kernel: Array, *, normalize: bool = False, offset: float = 0) -> Array:
    """Sum the shifted image with coefficients that are integers of 26 bits together."""
    scale = 2.0 ** (26 - np.frexp(np.abs(kernel).sum())[1])
    whole = np.floor(kernel * scale + 0.5).astype(np.int64)
    down, right = kernel.shape[0] // 2, kernel.shape[1] // 2
    colour = colour_of(raster)
    border = cv2.copyMakeBorder(colour, down, down, right, right, cv2.BORDER_REFLECT_101)
    border = np.atleast_3d(border).astype(np.int64)
    total = np.zeros(colour.shape, np.int64)
    for y, x in np.argwhere(whole):
        total += whole[y, x] * border[y : y + colour.shape[0], x : x + colour.shape[1]]
    mean = total / (whole.sum() if normalize else scale)
    return with_alpha_of(raster, _levels_of(raster, np.floor(mean + (offset * range_of(raster) + 0.5))))


def _sharpen(raster: Array, p: Parameters) -> Array:
    a = p["amount"]
    return _weighted(raster, np.array([[0, -a, 0], [-a, 1 + 4 * a, -a], [0, -a, 0]], float))


def _emboss(raster: Array, p: Parameters) -> Array:
    from_northwest = np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]], float)
    from_north = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], float)
    turns = {
        "northwest": (from_northwest, 0),
        "southwest": (from_northwest, 1),
        "southeast": (from_northwest, 2),
        "northeast": (from_northwest, 3),
        "north": (from_north, 0),
        "west": (from_north, 1),
        "south": (from_north, 2),
        "east": (from_north, 3),
    }
    relief, quarters = turns[p["direction"]]
    kernel = p["strength"] * np.rot90(relief, quarters)
    kernel[1, 1] = 1
    return _weighted(raster, kernel)


def _kernel(raster: Array, p: Parameters) -> Array:
    return _weighted(raster, np.array(p["values"], float), normalize=p["normalize"], offset=p["offset"])


def _unsharp_mask(raster: Array, p: Parameters) -> Array:
    colour = colour_of(raster)
    blurred = np.atleast_3d(cv2.GaussianBlur(colour, (0, 0), p["sigma"])).astype(np.int64)
    detail = colour - blurred
    detail = np.where(np.abs(detail) >= p["threshold"] * range_of(raster), detail, 0)
    amount = int(np.floor(p["amount"] * 256 + 0.5))
    made = colour + np.floor_divide(detail * amount + 128, 256)
    return with_alpha_of(raster, _levels_of(raster, made))


def _gradient(dx: Array, dy: Array, raster: Array, p: Parameters) -> Array:
    sizes = {"x": np.abs(dx), "y": np.abs(dy), "magnitude": np.sqrt(dx**2 + dy**2)}
    return _levels_of(raster, np.rint(sizes[p["direction"]] * p["scale"]))


def _sobel(raster: Array, p: Parameters) -> Array:
    gray = gray_of(raster).astype(np.float64)
    dx = cv2.Sobel(gray, cv2.CV_64F, 1, 0, ksize=p["ksize"])
    dy = cv2.Sobel(gray, cv2.CV_64F, 0, 1, ksize=p["ksize"])
    return _gradient(dx, dy, raster, p)


def _scharr(raster: Array, p: Parameters) -> Array:
    gray = gray_of(raster).astype(np.float64)
    return _gradient(cv2.Scharr(gray, cv2.CV_64F, 1, 0), cv2.Scharr(gray, cv2.CV_64F, 0, 1), raster, p)


def _laplacian(raster: Array, p: Parameters) -> Array:
    second = cv2.Laplacian(gray_of(raster).astype(np.float64), cv2.CV_64F, ksize=p["ksize"])
    return _levels_of(raster, np.rint(np.abs(second) * p["scale"]))


def _adaptive_threshold(raster: Array, p: Parameters) -> Array:
    methods = {"mean": cv2.ADAPTIVE_THRESH_MEAN_C, "gaussian": cv2.ADAPTIVE_THRESH_GAUSSIAN_C}
    kinds = {"binary": cv2.THRESH_BINARY, "binary_inverse": cv2.THRESH_BINARY_INV}
    return cv2.adaptiveThreshold(
        gray_of(raster), 255, methods[p["method"]], kinds[p["type"]], p["ksize"], p["offset"]
    )


def _morphology(operation: int) -> Callable[[Array, Parameters], Array]:
    def run(raster: Array, p: Parameters) -> Array:
        shapes = {"rectangle": cv2.MORPH_RECT, "ellipse": cv2.MORPH_ELLIPSE, "cross": cv2.MORPH_CROSS}
        element = cv2.getStructuringElement(shapes[p["shape"]], (p["ksize"], p["ksize"]))
        made = cv2.morphologyEx(colour_of(raster), operation, element, iterations=p["iterations"])
        return with_alpha_of(raster, made)

    return run


OPERATIONS: Mapping[str, Callable[[Array, Parameters], Array]] = {
    "median_blur": _median_blur,
    "box_blur": _box_blur,
    "gaussian_blur": _gaussian_blur,
    "bilateral": _bilateral,
    "denoise": _denoise,
    "sharpen": _sharpen,
    "unsharp_mask": _unsharp_mask,
    "emboss": _emboss,
    "kernel": _kernel,
    "sobel": _sobel,
    "scharr": _scharr,
    "laplacian": _laplacian,
    "adaptive_threshold": _adaptive_threshold,
    "erode": _morphology(cv2.MORPH_ERODE),
    "dilate": _morphology(cv2.MORPH_DILATE),
    "open": _morphology(cv2.MORPH_OPEN),
    "close": _morphology(cv2.MORPH_CLOSE),
    "top_hat": _morphology(cv2.MORPH_TOPHAT),
    "black_hat": _morphology(cv2.MORPH_BLACKHAT),
    "morphological_gradient": _morphology(cv2.MORPH_GRADIENT),
}
