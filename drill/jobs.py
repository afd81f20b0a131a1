"""The seeded stream of jobs, and what each must give: plain OpenCV on the whole image."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from drill.inputs import Image, Input, decode, file_of
from tessera import reference
from tessera.pipeline import bind
from tessera.plan import Step

_RECIPES: Mapping[str, tuple[tuple[str, Mapping[str, Any]], ...]] = {
    "invert": (("invert", {}),),
    "median": (("median_blur", {"ksize": 5}),),
    "gaussian": (("gaussian_blur", {"sigma": 2.0}),),
    "canny": (("to_8_bit", {}), ("canny", {"low": 40, "high": 120})),
    "otsu": (("to_8_bit", {}), ("grayscale", {}), ("threshold_otsu", {})),
    "equalize": (("to_8_bit", {}), ("equalize", {})),
    "clahe": (("to_8_bit", {}), ("clahe", {})),
    "rotate": (("rotate", {"degrees": 90}),),
    "scale": (("scale", {"factor": 0.5}),),
    "scan": (
        ("to_8_bit", {}),
        ("median_blur", {"ksize": 3}),
        ("adaptive_threshold", {"method": "gaussian", "ksize": 31, "offset": 10}),
        ("median_blur", {"ksize": 3}),
    ),
    "edges": (
        ("to_8_bit", {}),
        ("gaussian_blur", {"sigma": 1.0}),
        ("canny", {"low": 20, "high": 60}),
        ("dilate", {"ksize": 3}),
    ),
}
_OUTPUTS = ("png", "tiff", "jpeg")
_CANCELLED_SHARE = 0.08
_LONGEST_CANCEL_WAIT = 3.0
_QUALITY = 90


@dataclass(frozen=True)
class Order:
    """A job to run.

    Attributes
    ----------
    recipe : str
        Name of its pipeline.
    output : str
        Format of the result.
    cancel_after : float or None
        Seconds after which it is cancelled.
    """

    number: int
    given: Input
    recipe: str
    output: str
    cancel_after: float | None = None

    @property
    def steps(self) -> list[Step]:
        """Return its pipeline."""
        return [Step(operation=name, parameters=dict(given)) for name, given in _RECIPES[self.recipe]]

    @property
    def words(self) -> str:
        """Return it in a few words."""
        size = f"{self.given.width} x {self.given.height}"
        return f"job {self.number}: {self.recipe} of {self.given.kind} {size} to {self.output}"


def stream(count: int, inputs: list[Input], seed: int) -> Iterator[Order]:
    """Yield jobs, the same for the same seed."""
    chance = random.Random(seed)
    for number in range(count):
        given, recipe = chance.choice(inputs), chance.choice(sorted(_RECIPES))
        formats = _OUTPUTS if given.depth == 8 or _RECIPES[recipe][0][0] == "to_8_bit" else _OUTPUTS[:2]
        wait = chance.uniform(0, _LONGEST_CANCEL_WAIT) if chance.random() < _CANCELLED_SHARE else None
        yield Order(number, given, recipe, chance.choice(formats), wait)


def difference(order: Order, made: bytes) -> str | None:
    """Say how a result differs from what it must be; None if it doesn't."""
    try:
        pixels = decode(made)
    except ValueError as error:
        return str(error)
    wanted = _expected(order.given, order.recipe, order.output)
    if pixels.shape != wanted.shape or pixels.dtype != wanted.dtype:
        return f"it is {pixels.shape} {pixels.dtype} instead of {wanted.shape} {wanted.dtype}"
    count = int(np.count_nonzero((pixels != wanted).any(axis=2)))
    return f"{count} pixels differ" if count else None


@lru_cache(48)
def _expected(given: Input, recipe: str, output: str) -> Image:
    steps = [Step(operation=name, parameters=dict(values)) for name, values in _RECIPES[recipe]]
    pixels = reference.run(decode(file_of(given)), [bound.step for bound in bind(steps)])
    if output != "jpeg":
        return pixels
    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    _, data = cv2.imencode(".jpg", pixels, options)
    return decode(data.tobytes())
