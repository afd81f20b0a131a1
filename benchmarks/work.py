"""What is compared: the pipelines, as each library does them on a whole image, and the kinds of files."""

from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import pyvips
from PIL import ImageOps

from tessera_client.models import Output, Step

LEVEL, MEDIAN, LOW, HIGH, SIGMA, QUALITY = 128, 11, 100, 200, 2.0, 90
CLIP, CELLS = 2.0, (8, 8)

type Change = Callable[[Any], Any]


class Work(NamedTuple):
    """A pipeline, and how others do it; None where one can't, or takes minutes.

    *reach* are the rows of the neighbourhood that a block needs.
    """

    steps: tuple[Step, ...]
    opencv: Change
    libvips: Change | None = None
    pillow: Change | None = None
    reach: int | None = None


def _gray(image: Any) -> Any:
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)


def _binarized(image: Any) -> Any:
    return cv2.threshold(_gray(image), LEVEL, 255, cv2.THRESH_BINARY)[1]


def _clahe(image: Any) -> Any:
    lab = cv2.cvtColor(image, cv2.COLOR_BGR2Lab)
    lab[:, :, 0] = cv2.createCLAHE(CLIP, CELLS).apply(lab[:, :, 0])
    return cv2.cvtColor(lab, cv2.COLOR_Lab2BGR)


def _outlines(image: Any) -> Any:
    soft = cv2.GaussianBlur(_gray(cv2.medianBlur(image, 3)), (0, 0), SIGMA)
    return cv2.Canny(cv2.equalizeHist(soft), LOW, HIGH)


def _canny_by_libvips(image: pyvips.Image) -> pyvips.Image:
    # Without hysteresis: thin edges only.
    return (image.colourspace("b-w").canny(precision="integer") * 64).cast("uchar")


def _outlines_by_libvips(image: pyvips.Image) -> pyvips.Image:
    soft = image.median(3).colourspace("b-w").gaussblur(SIGMA, precision="integer")
    return _canny_by_libvips(soft.hist_equal())


WORK = {
    "invert": Work((Step("invert"),), cv2.bitwise_not, lambda image: image.invert(), ImageOps.invert, 0),
    "binarize": Work(
        (Step("threshold", {"value": LEVEL}),),
        _binarized,
        lambda image: image.colourspace("b-w") > LEVEL,
        lambda image: image.convert("L").point(lambda level: 255 * (level > LEVEL)),
        0,
    ),
    "canny": Work(
        (Step("canny", {"low": LOW, "high": HIGH}),),
        lambda image: cv2.Canny(image, LOW, HIGH),
        _canny_by_libvips,
        # Blocks follow an edge no further than this: what goes on in the next is lost.
        reach=8,
    ),
    "median 11": Work(
        (Step("median_blur", {"ksize": MEDIAN}),),
        lambda image: cv2.medianBlur(image, MEDIAN),
        lambda image: image.median(MEDIAN),
        reach=MEDIAN // 2,
    ),
    "gaussian": Work(
        (Step("gaussian_blur", {"sigma": SIGMA}),),
        lambda image: cv2.GaussianBlur(image, (0, 0), SIGMA),
        lambda image: image.gaussblur(SIGMA, precision="integer"),
        reach=8,
    ),
    "clahe": Work((Step("clahe", {"clip_limit": CLIP, "columns": CELLS[0], "rows": CELLS[1]}),), _clahe),
    "outlines": Work(
        (
            Step("median_blur", {"ksize": 3}),
            Step("grayscale"),
            Step("gaussian_blur", {"sigma": SIGMA}),
            Step("equalize"),
            Step("canny", {"low": LOW, "high": HIGH}),
        ),
        _outlines,
        _outlines_by_libvips,
    ),
}
"""Five steps with two that look at the whole image: `outlines`."""


class Conversion(NamedTuple):
    """From which kind of `benchmarks.large_inputs` to which file."""

    kind: str
    suffix: str
    output: Output


CONVERSIONS = {
    "JPEG to PNG": Conversion("jpeg", ".png", Output("png")),
    "JPEG to JPEG": Conversion("jpeg", ".jpg", Output("jpeg", quality=QUALITY)),
    "PNG to PNG": Conversion("png", ".png", Output("png")),
    "TIFF to TIFF": Conversion("tiff", ".tif", Output("tiff")),
}

# As fast a compression as Tessera's for PNG, the same quality of JPEG, deflate with a predictor in TIFF.
_ADOBE_DEFLATE = 8
OPENCV_OPTIONS = {
    ".png": [],
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, QUALITY],
    ".tif": [cv2.IMWRITE_TIFF_COMPRESSION, _ADOBE_DEFLATE, cv2.IMWRITE_TIFF_PREDICTOR, 2],
}
LIBVIPS_OPTIONS: dict[str, dict[str, Any]] = {
    ".png": {"compression": 1, "filter": "sub"},
    ".jpg": {"Q": QUALITY},
    ".tif": {"compression": "deflate", "predictor": "horizontal", "tile": True, "bigtiff": True},
}
PILLOW_OPTIONS: dict[str, dict[str, Any]] = {
    ".png": {"compress_level": 1},
    ".jpg": {"quality": QUALITY},
    ".tif": {"compression": "tiff_adobe_deflate"},
}
