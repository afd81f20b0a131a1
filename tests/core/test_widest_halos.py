"""Every stencil operation that looks as far as it may, on tiles smaller than that."""

from random import Random
from typing import Any

import numpy as np
import pytest

from tessera import reference
from tessera.geometry import Grid
from tessera.operations import LocalOperation
from tessera.operations.base import Array
from tessera.pipeline import Bound, bind
from tessera.plan import Step
from tests.core.local_operations import LOCAL, accepts, shape_of
from tests.core.test_catalogue import tiled
from tests.support.images import textured

_REACH = {"ksize", "sigma", "diameter", "template", "search", "iterations"}
_FAR_COUNTS: dict[str, dict[str, Any]] = {
    "bilateral": {"sigma_color": 765, "sigma_space": 50},
    "denoise": {"strength": 50, "strength_color": 50},
    "kernel": {"values": np.random.default_rng(3).uniform(-0.2, 1, (31, 31)).tolist()},
}
"""What makes pixels at the edge of the neighbourhood count."""
_TILE, _NARROW = 48, 16


def widest(operation: LocalOperation[Any]) -> Step:
    """Return the operation with every parameter that says how far it looks at its largest."""
    schema = operation.parameters.model_json_schema().get("properties", {})
    reach = {
        name: entry["maximum"] if "maximum" in entry else max(entry["enum"])
        for name, entry in schema.items()
        if name in _REACH
    }
    return Step(operation=operation.name, parameters=reach | _FAR_COUNTS.get(operation.name, {}))


def hills(height: int, width: int, depth: int) -> Array:
    """Return slopes with grain: levels differ over hundreds of pixels, which noise alone would not."""
    grain = textured(height, width, 3, depth).astype(float) / (2**depth - 1)
    y, x, channel = np.ogrid[:height, :width, :3]
    slopes = 0.5 + 0.5 * np.sin((x + y) / 70 + channel)
    return np.asarray((0.7 * slopes + 0.3 * grain) * (2**depth - 1), np.dtype(f"u{depth // 8}"))


STEPS = [widest(operation) for operation in LOCAL if operation.kind == "stencil"]
STEPS.append(Step(operation="adaptive_threshold", parameters={"ksize": 255, "method": "gaussian"}))
CASES = [
    pytest.param(step, depth, upright, id=f"{step.operation}-{depth}-{'upright' if upright else 'wide'}")
    for step in STEPS
    for depth, upright in [(8, False), (8, True), (16, True)]
    if accepts(bind([step])[0], shape_of(hills(1, 1, depth)))
]


def image_for(bound: Bound, depth: int, *, upright: bool) -> Array:
    """Return an image longer than what the operation sees of it from one tile."""
    length = 2 * bound.halo + 4 * _TILE
    return hills(length, _NARROW, depth) if upright else hills(_NARROW, length, depth)


def on_tiles(image: Array, bound: Bound, halo: int) -> Array:
    return tiled(image, (bound,), Grid(image.shape[1], image.shape[0], _TILE, _TILE), Random(0), halo)


@pytest.mark.parametrize(("step", "depth", "upright"), CASES)
def test_tiles_smaller_than_the_halo_give_what_the_whole_image_gives(
    step: Step, depth: int, upright: bool
) -> None:
    (bound,) = bind([step])
    image = image_for(bound, depth, upright=upright)
    made = on_tiles(image, bound, bound.halo)
    np.testing.assert_array_equal(made, reference.run(image, [bound.step]), strict=True)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.operation)
def test_half_the_halo_is_noticed(step: Step) -> None:
    """The comparison can fail. Windows are aligned across, and so wider than asked for: not upright ones."""
    (bound,) = bind([step])
    image = image_for(bound, 8, upright=True)
    made = on_tiles(image, bound, bound.halo // 2)
    assert not np.array_equal(made, reference.run(image, [bound.step]))
