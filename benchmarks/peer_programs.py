"""Other libraries doing one operation of the comparison on a whole file, in a process of their own.

    python -m benchmarks.peer_programs opencv-2 canny in.jpg out.png

Prints the seconds from opening the one file to closing the other, without the imports, and what the process
used (`benchmarks.processes.usage`), as JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import pyvips
from PIL import Image, ImageOps

from benchmarks.processes import usage

LEVEL, MEDIAN, LOW, HIGH = 128, 11, 100, 200


def _binarized(image: Any) -> Any:
    return cv2.threshold(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), LEVEL, 255, cv2.THRESH_BINARY)[1]


OPENCV: dict[str, Callable[[Any], Any]] = {
    "invert": cv2.bitwise_not,
    "binarize": _binarized,
    "canny": lambda image: cv2.Canny(image, LOW, HIGH),
    "median 11": lambda image: cv2.medianBlur(image, MEDIAN),
}
LIBVIPS: dict[str, Callable[[Any], Any]] = {
    "invert": lambda image: image.invert(),
    "binarize": lambda image: image.colourspace("b-w") > LEVEL,
    # Without hysteresis: thin edges only.
    "canny": lambda image: (image.colourspace("b-w").canny(precision="integer") * 64).cast("uchar"),
    "median 11": lambda image: image.median(MEDIAN),
}
PILLOW: dict[str, Callable[[Any], Any]] = {
    "invert": ImageOps.invert,
    "binarize": lambda image: image.convert("L").point(lambda level: 255 * (level > LEVEL)),
}


def with_opencv(operation: str, source: str, target: str, *, threads: int) -> None:
    """Make *target* with OpenCV on the whole image."""
    cv2.setNumThreads(threads)
    cv2.imwrite(target, OPENCV[operation](cv2.imread(source, cv2.IMREAD_COLOR)))


def with_libvips(operation: str, source: str, target: str) -> None:
    """Make *target* with libvips, streaming."""
    image = pyvips.Image.new_from_file(source, access="sequential")
    # The compression that OpenCV and Tessera write with is as fast.
    LIBVIPS[operation](image).write_to_file(target, compression=1, filter="sub")


def with_pillow(operation: str, source: str, target: str) -> None:
    """Make *target* with Pillow on the whole image."""
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(source) as image:
        PILLOW[operation](image).save(target, compress_level=1)


PROGRAMS: dict[str, Callable[[str, str, str], None]] = {
    "opencv-1": partial(with_opencv, threads=1),
    "opencv-2": partial(with_opencv, threads=2),
    "libvips": with_libvips,
    "pillow": with_pillow,
}


def main() -> None:
    program, operation, source, target = sys.argv[1:]
    began = time.perf_counter()
    PROGRAMS[program](operation, source, target)
    print(json.dumps({"seconds": time.perf_counter() - began, **usage()}))


if __name__ == "__main__":
    main()
