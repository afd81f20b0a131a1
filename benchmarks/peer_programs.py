"""Other libraries doing one pipeline of the comparison on a whole file, in a process of their own.

    python -m benchmarks.peer_programs opencv-2 canny in.jpg out.png

Prints the seconds from opening the one file to closing the other, without the imports, and what the process
used (`benchmarks.processes.usage`), as JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import dask
import dask.array
import numpy as np
import pyvips
from PIL import Image

from benchmarks.processes import usage
from benchmarks.work import LIBVIPS_OPTIONS, OPENCV_OPTIONS, PILLOW_OPTIONS, WORK, Work

_BLOCK_ROWS, _THREADS = 1024, 2


def with_opencv(work: Work, source: str, target: str, *, threads: int) -> None:
    """Make *target* with OpenCV on the whole image."""
    cv2.setNumThreads(threads)
    made = work.opencv(cv2.imread(source, cv2.IMREAD_COLOR))
    cv2.imwrite(target, made, OPENCV_OPTIONS[Path(target).suffix])


def with_libvips(work: Work, source: str, target: str) -> None:
    """Make *target* with libvips, streaming where the pipeline allows it."""
    assert work.libvips is not None
    # Two looks at an image need it at random.
    image = pyvips.Image.new_from_file(source, access="sequential" if len(work.steps) == 1 else "random")
    work.libvips(image).write_to_file(target, **LIBVIPS_OPTIONS[Path(target).suffix])


def with_pillow(work: Work, source: str, target: str) -> None:
    """Make *target* with Pillow on the whole image."""
    assert work.pillow is not None
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(source) as image:
        work.pillow(image).save(target, **PILLOW_OPTIONS[Path(target).suffix])


def with_dask(work: Work, source: str, target: str) -> None:
    """Make *target* with OpenCV on blocks of rows that overlap, which Dask gives to two threads."""
    assert work.reach is not None
    cv2.setNumThreads(1)
    image = cv2.imread(source, cv2.IMREAD_COLOR)
    blocks = dask.array.from_array(image, chunks=(_BLOCK_ROWS, -1, -1))
    made = dask.array.map_overlap(
        lambda block: np.atleast_3d(work.opencv(block)),
        blocks,
        depth={0: work.reach, 1: 0, 2: 0},
        boundary="none",
        dtype=np.uint8,
        meta=np.empty((0, 0, 0), np.uint8),
    )
    whole = made.compute(scheduler="threads", num_workers=_THREADS)
    cv2.imwrite(target, whole, OPENCV_OPTIONS[Path(target).suffix])


PROGRAMS: dict[str, Callable[[Work, str, str], None]] = {
    "opencv-1": partial(with_opencv, threads=1),
    "opencv-2": partial(with_opencv, threads=2),
    "libvips": with_libvips,
    "pillow": with_pillow,
    "dask": with_dask,
}


def main() -> None:
    program, pipeline, source, target = sys.argv[1:]
    began = time.perf_counter()
    PROGRAMS[program](WORK[pipeline], source, target)
    print(json.dumps({"seconds": time.perf_counter() - began, **usage()}))


if __name__ == "__main__":
    main()
