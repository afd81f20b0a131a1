"""Compiled code, in C, for what OpenCV and NumPy do slowly or not at all; and where it isn't built, none.

Every caller can do without, in NumPy or OpenCV, and gets the same bits. The package's build compiles it
(`pyproject.toml`); where that fails, as without a compiler, the build goes on.
"""

import ctypes
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.platform_id import processor_features

_MOST_CHANNELS = 4


@cache
def library() -> Any:
    """Return the compiled functions, or None where they weren't built."""
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"_library{suffix}")
        if path.exists():
            return ctypes.CDLL(str(path))
    return None


def takes(pixels: NDArray[Any]) -> bool:
    """Tell whether the functions are there, and take as many channels as (rows, columns, channels) has."""
    return library() is not None and pixels.shape[2] <= _MOST_CHANNELS


def function(name: str) -> Any:
    """Return the function for this processor: some are compiled for AVX2 too."""
    wide = f"{name}_avx2"
    return getattr(library(), wide if "AVX2" in processor_features() and hasattr(library(), wide) else name)


def call(name: str, pixels: NDArray[Any], *arguments: Any) -> None:
    """Call a function by where rows begin and how far apart, how many and how long, channels, the rest."""
    height, width, channels = pixels.shape
    told = [ctypes.c_void_p(each.ctypes.data) if isinstance(each, np.ndarray) else each for each in arguments]
    rows = ctypes.c_void_p(pixels.ctypes.data), ctypes.c_ssize_t(pixels.strides[0])
    function(name)(*rows, width, height, channels, *told)


def with_whole_rows(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return (rows, columns, channels) so that each row lies in one piece; rows may lie apart."""
    together = (pixels.shape[2] * pixels.itemsize, pixels.itemsize)
    return pixels if pixels.strides[1:] == together else np.ascontiguousarray(pixels)
