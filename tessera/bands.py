"""Making an image in memory a band at a time: what is held on the way is small, and stays in caches."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.geometry import Rect

type Array = NDArray[Any]

_BAND_PIXELS = 1 << 20


def band_rows(width: int, halo: int) -> int:
    """Return the rows of a band: about a megapixel, and few halos."""
    return max(1, _BAND_PIXELS // width, 4 * halo)


def by_bands(box: Rect, halo: int, make: Callable[[Rect], Array]) -> Array:
    """Return the pixels of *box*, put together from the bands of it that *make* gives from top to bottom."""
    first, *others = _bands(box, halo)
    made = make(first)
    if not others:
        return made
    out = np.empty((box.height, box.width, made.shape[2]), made.dtype)
    out[: first.height] = made
    for band in others:
        out[band.relative_to(box).slices] = make(band)
    return out


def _bands(box: Rect, halo: int) -> Iterator[Rect]:
    rows = band_rows(box.width, halo)
    for top in range(box.y0, box.y1, rows):
        yield box._replace(y0=top, y1=min(top + rows, box.y1))
