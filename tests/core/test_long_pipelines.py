"""As many operations as a pipeline may have, and the slow ones, as whole jobs."""

from random import Random

import numpy as np
import pytest
from pydantic import JsonValue

from tessera.pipeline import MAX_STEPS, bind, check
from tessera.plan import Shape, Step
from tessera.planner import Limits
from tests.core.global_operations import GLOBAL
from tests.core.local_operations import accepts, shape_of
from tests.core.moving_operations import MOVING
from tests.core.test_any_pipeline import LOCAL, result_of, whole
from tests.support.images import textured

_SHOWN: dict[str, dict[str, JsonValue]] = {
    "crop": {"x": 4, "y": 3},
    "pad": {"left": 5, "top": 3, "right": 2, "bottom": 4, "mode": "reflect"},
    "rotate_by": {"degrees": 7, "expand": False},
    "resize": {"width": 150, "height": 110},
    "scale": {"factor": 0.9},
    "fit": {"width": 140, "height": 140},
    "canny": {"low": 40, "high": 120},
    "bilateral": {"diameter": 7},
    "denoise": {"template": 3, "search": 7},
    "kernel": {"values": [[0, 1, 0], [2, 5, -1], [0, 3, 0]]},
}
"""Parameters that leave a small image small, and something to see on it."""


def step(name: str) -> Step:
    return Step(operation=name, parameters=_SHOWN.get(name, {}))


def longest(random: Random, shape: Shape) -> list[Step]:
    """Return as many operations of all kinds as are allowed, of which each takes what comes before."""
    kinds = [LOCAL, LOCAL, [each.name for each in GLOBAL], [each.name for each in MOVING]]
    steps: list[Step] = []
    while len(steps) < MAX_STEPS:
        chosen = step(random.choice(random.choice(kinds)))
        (bound,) = bind([chosen])
        if accepts(bound, shape):
            steps.append(chosen)
            shape = check([bound], shape)[-1]
    return steps


@pytest.mark.parametrize(("seed", "depth"), [(5, 8), (12, 8), (5, 16), (12, 16)])
def test_the_longest_pipelines_are_exact(seed: int, depth: int) -> None:
    image = textured(97, 131, 3, depth)
    pipeline = longest(Random(seed), shape_of(image))
    expected = whole(image, pipeline)
    assert len(np.unique(expected)) > 30, "little is left that could differ: take another seed"
    made = result_of(image, pipeline, Limits(band_rows=24, tile_columns=40), seed)
    np.testing.assert_array_equal(made, expected, strict=True)


@pytest.mark.parametrize(
    "names",
    [
        ["bilateral", "equalize", "kernel", "rotate_by", "denoise", "canny"],
        ["rotate", "denoise", "clahe", "bilateral", "scale", "kernel"],
    ],
    ids="-".join,
)
def test_the_slow_operations_are_exact_in_a_job(names: list[str]) -> None:
    image, pipeline = textured(83, 97), [step(name) for name in names]
    made = result_of(image, pipeline, Limits(band_rows=20, tile_columns=30), 1)
    np.testing.assert_array_equal(made, whole(image, pipeline), strict=True)
