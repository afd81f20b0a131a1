"""Stored pipelines take every image, and are exact as any other."""

import numpy as np
import pytest

from tessera import reference
from tessera.pipeline import bind, check
from tessera.plan import Pixels, Shape
from tessera.presets import PRESETS, Preset
from tessera.whole import run_whole
from tests.support.images import textured


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("depth", [8, 16])
def test_presets_take_every_image_and_give_8_bits(preset: Preset, channels: int, depth: int) -> None:
    pixels = Pixels.from_json({"channels": channels, "depth": depth})
    made = check(bind(preset.steps), Shape(width=9, height=9, pixels=pixels))
    assert made[-1].pixels.depth == 8


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_presets_change_the_image_as_the_reference_does(preset: Preset) -> None:
    image, pipeline = textured(70, 90, 3, seed=3), bind(preset.steps)
    made = run_whole(image, pipeline)
    np.testing.assert_array_equal(made, reference.run(image, [bound.step for bound in pipeline]), strict=True)
    assert made.std() > 1, "it must not be a blank image"
    assert made.shape != image.shape or not np.array_equal(made, image)
