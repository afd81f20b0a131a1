"""Decode damaged files in a process of its own: ``python -m tests.formats.fuzz_worker SEED FIRST STOP STEP``.

It prints the number of each before it begins, so that whoever started it knows which one killed it; a time
limit kills it too. A line that begins with ``wrong`` is a finding.
"""

import signal
import sys
from pathlib import Path

from tessera.errors import TesseraError
from tessera.formats import ImageFile, Limits, index_restarts, open_image
from tessera.geometry import Rect
from tests.formats.files import open_bytes
from tests.formats.mutations import mutated

SECONDS = 10
PEAK_BYTES = 600 << 20
LIMITS = Limits(pixels=4 << 20, block=4 << 20, metadata=1 << 20, header=4 << 20)


def outcome(data: bytes) -> str:
    """Return what decoding ended in: ``pixels``, ``refused``, or ``wrong`` and why."""
    try:
        problem = _read(open_bytes(data, limits=LIMITS))
        if not problem:
            problem = _read_by_restarts(data)
    except TesseraError as error:
        return "refused" if error.hint and error.detail else f"wrong: no hint in {error.detail}"
    except Exception as error:
        return f"wrong: {type(error).__name__}: {error}"
    return f"wrong: {problem}" if problem else "pixels"


def _read(image: ImageFile) -> str:
    """Read all pixels, and some at random; return what is wrong with them."""
    shape = (image.width, image.pixels.channels)
    rows = 0
    for band in image.bands(64):
        if band.shape[1:] != shape or band.itemsize * 8 != image.pixels.depth:
            return f"a band of {band.shape} {band.dtype}"
        rows += len(band)
    if rows != image.height:
        return f"{rows} rows of {image.height}"
    if image.random:
        rect = Rect(image.width // 3, image.height // 3, image.width // 3 + 1, image.height)
        if image.read(rect).shape != (rect.height, rect.width, shape[1]):
            return "a rect of another shape"
    return ""


def _read_by_restarts(data: bytes) -> str:
    def read(offset: int, length: int) -> bytes:
        return data[offset : offset + length]

    index = index_restarts(read, len(data), limits=LIMITS)
    return _read(open_image(read, len(data), limits=LIMITS, restarts=index)) if index else ""


def peak_bytes() -> int:
    """Return the largest memory of this program; that of the process before exec, Linux keeps in rusage."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def main(seed: int, first: int, stop: int, step: int) -> None:
    """Decode damages *first* to *stop* of *seed*."""
    for number in range(first, stop, step):
        name, data = mutated(seed, number)
        print(number, name, end=" ", flush=True)
        signal.alarm(SECONDS)
        result = outcome(data)
        signal.alarm(0)
        peak = peak_bytes()
        print(f"wrong: {peak >> 20} MiB" if peak > PEAK_BYTES else result, flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
