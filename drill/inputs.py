"""Images of known pixels, made from a seed."""

import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

type Image = NDArray[Any]

FORMATS = (".jpg", ".jpg with restarts", ".png", ".png 16 bits", ".png grey", ".tif")


@dataclass(frozen=True)
class Input:
    """A file to upload; equal ones have equal bytes.

    Attributes
    ----------
    width, height : int
        Pixels.
    kind : str
        One of `FORMATS`.
    seed : int
    """

    width: int
    height: int
    kind: str
    seed: int

    @property
    def depth(self) -> int:
        """Return the bits of a sample."""
        return 16 if "16 bits" in self.kind else 8

    @property
    def name(self) -> str:
        """Return a name for the file."""
        return f"{self.seed}{self.kind.split()[0]}"


def some(count: int, smallest: float, largest: float, seed: int) -> list[Input]:
    """Return inputs of all formats, of so many megapixels, each size as likely as its double."""
    chance = random.Random(seed)
    made = []
    for index in range(count):
        pixels = 1e6 * smallest * (largest / smallest) ** chance.random()
        width = int(np.sqrt(pixels * chance.uniform(0.5, 2)))
        made.append(Input(width, int(pixels / width), FORMATS[index % len(FORMATS)], chance.randrange(2**31)))
    return made


@lru_cache(64)
def file_of(given: Input) -> bytes:
    """Return the bytes of the file."""
    channels = 1 if "grey" in given.kind else 3
    pixels = _textured(given.height, given.width, channels, given.depth, given.seed)
    options = []
    if "restarts" in given.kind:
        options = [cv2.IMWRITE_JPEG_RST_INTERVAL, -(-given.width // 16)]
    encoded, data = cv2.imencode(given.kind.split()[0], pixels, options)
    if not encoded:
        raise ValueError(f"OpenCV doesn't write {given}")
    return data.tobytes()


def decode(data: bytes) -> Image:
    """Return the pixels of a file as OpenCV reads them: (height, width, channels).

    Raises
    ------
    ValueError
        If it isn't an image.
    """
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise ValueError("the file is no image that OpenCV reads")
    return np.atleast_3d(image)


def _textured(height: int, width: int, channels: int, depth: int, seed: int) -> Image:
    """Return soft shapes with grain, over the whole range of the depth."""
    noise = np.random.default_rng(seed).standard_normal((height, width, channels), np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 2.0).reshape(noise.shape)
    mixed = soft / (np.abs(soft).max() + 1e-6) + 0.1 * noise
    scaled = (mixed - mixed.min()) / (np.ptp(mixed) + 1e-6) * (2**depth - 1)
    return np.asarray(scaled, np.dtype(f"u{depth // 8}"))
