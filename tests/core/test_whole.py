"""An image that is done at once, band by band, is the same as by plain OpenCV and NumPy on all of it."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tessera import draft, reference
from tessera.pipeline import bind
from tessera.plan import Step
from tessera.whole import run_whole
from tests.core.local_operations import shape_of
from tests.core.test_any_pipeline import pipelines
from tests.core.test_catalogue import EXAMPLES
from tests.support.images import textured
from tests.support.pipelines import SIDES


@pytest.fixture(autouse=True, scope="module")
def low_bands() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draft, "_BAND_PIXELS", 3000)
        yield


@settings(EXAMPLES, max_examples=150)
@given(data=st.data(), height=SIDES, width=SIDES, seed=st.integers(0, 2**32 - 1))
def test_any_pipeline_by_bands_is_exact(data: st.DataObject, height: int, width: int, seed: int) -> None:
    depth, channels = data.draw(st.sampled_from([8, 8, 16])), data.draw(st.sampled_from([1, 3, 4]))
    image = textured(height, width, channels, depth, seed)
    steps = data.draw(pipelines(shape_of(image)))
    note(f"{steps}")
    bound = bind(steps)
    expected = reference.run(image, [each.step for each in bound])
    np.testing.assert_array_equal(run_whole(image, bound), expected, strict=True)


def test_documents_are_told_with_their_places() -> None:
    told: list[tuple[int, bytes]] = []
    image = textured(200, 100, 3)
    steps = bind([Step(operation=name) for name in ("invert", "statistics", "invert")])
    run_whole(image, steps, lambda place, document: told.append((place, document)))
    ((place, document),) = told
    assert place == 1
    assert json.loads(document)["pixels"] == 20_000
