"""Operations that move pixels give on any tile what plain OpenCV and NumPy give on the whole image."""

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tessera import reference
from tessera.errors import InvalidPipeline, LimitExceeded
from tessera.geometry import Rect
from tessera.operations import GeometryOperation
from tessera.operations.base import Array
from tessera.pipeline import bind, check
from tessera.plan import ImageInfo, Output, Pixels, Raster, Shape, Step
from tessera.planner import Limits, make_plan
from tests.core.local_operations import shape_of
from tests.core.moving_operations import MOVING, moving_steps
from tests.core.test_catalogue import EXAMPLES, grids, images
from tests.support.images import textured

NAMES = [operation.name for operation in MOVING]


def made_by(step: Step, image: Array, wanted: Rect) -> Array:
    ((operation, parameters),) = bind([step])
    assert isinstance(operation, GeometryOperation)
    frame = shape_of(image).frame
    needed = operation.needs(wanted, frame, parameters)
    assert needed.pixels > 0
    assert needed == needed.intersection(frame)
    pixels = np.ascontiguousarray(image[needed.slices])
    given = pixels.copy()
    made = operation.apply(pixels, needed, frame, wanted, parameters)
    np.testing.assert_array_equal(pixels, given, err_msg=f"{operation.name} changed its input")
    return made


@pytest.mark.parametrize("name", NAMES)
def test_tiles_give_what_the_whole_image_gives(name: str) -> None:
    @settings(EXAMPLES, max_examples=100)
    @given(data=st.data(), image=images())
    def run(data: st.DataObject, image: Array) -> None:
        step = data.draw(moving_steps(name, shape_of(image)))
        bound = bind([step])
        expected = reference.run(image, [bound[0].step])
        assert check(bound, shape_of(image))[-1] == shape_of(expected)
        for tile in data.draw(grids(expected)).tiles():
            np.testing.assert_array_equal(made_by(step, image, tile), expected[tile.slices], strict=True)

    run()


@settings(EXAMPLES, max_examples=60)
@given(
    data=st.data(),
    side=st.integers(15_000, 40_000),
    made=st.integers(1, 45_000),
    how=st.sampled_from(["nearest", "linear", "area", "cubic", "lanczos"]),
    depth=st.sampled_from([8, 16]),
    tall=st.booleans(),
)
def test_resizing_is_exact_far_from_the_corner(
    data: st.DataObject, side: int, made: int, how: str, depth: int, tall: bool
) -> None:
    """Single precision, in which OpenCV counts, has few bits left for shares of a pixel there."""
    other, made_other = 5, data.draw(st.integers(1, 5))
    if how == "area":
        made = min(made, side)
    image = textured(other, side, 3, depth, seed=side)
    size = {"width": made, "height": made_other}
    if tall:
        image, size = np.ascontiguousarray(image.swapaxes(0, 1)), {"width": made_other, "height": made}
    step = Step.from_json({"operation": "resize", "parameters": {**size, "interpolation": how}})
    expected = reference.run(image, [bind([step])[0].step])
    start = data.draw(st.integers(0, made - 1))
    stop = min(made, start + data.draw(st.integers(1, 1500)))
    wanted = Rect(0, start, made_other, stop) if tall else Rect(start, 0, stop, made_other)
    note(f"{side} to {made}, {wanted}")
    np.testing.assert_array_equal(made_by(step, image, wanted), expected[wanted.slices], strict=True)


@pytest.mark.parametrize(
    ("step", "message", "parameter"),
    [
        ({"operation": "crop", "parameters": {"x": 90}}, "x 90 is outside the image, whose width is 90", "x"),
        ({"operation": "crop", "parameters": {"y": 70}}, "y 70 is outside", "y"),
        ({"operation": "crop", "parameters": {"x": 9, "width": 82}}, "reach past the width 90", "width"),
        ({"operation": "crop", "parameters": {"height": 71}}, "reach past the height 70", "height"),
        (
            {"operation": "scale", "parameters": {"factor": 2, "interpolation": "area"}},
            "area only shrinks, and 90 x 70 would become 180 x 140",
            "interpolation",
        ),
    ],
)
def test_what_does_not_fit_is_refused_at_its_parameter(
    step: dict[str, object], message: str, parameter: str
) -> None:
    pipeline = bind([Step(operation="invert"), Step.from_json(step)])
    with pytest.raises(InvalidPipeline, match=message) as refused:
        check(pipeline, Shape(width=90, height=70, pixels=Pixels(channels=3)))
    assert refused.value.pointer == f"/pipeline/1/parameters/{parameter}"


def test_turning_by_an_angle_ends_where_it_would_not_be_exact() -> None:
    pipeline = bind([Step(operation="rotate_by")])
    with pytest.raises(InvalidPipeline, match="up to 65536 pixels a side, and this is 65537 x 9"):
        check(pipeline, Shape(width=65_537, height=9, pixels=Pixels(channels=3)))


def test_sizes_are_followed_through_the_pipeline() -> None:
    steps = [
        {"operation": "scale", "parameters": {"factor": 0.5}},
        {"operation": "rotate"},
        {"operation": "crop", "parameters": {"x": 100, "width": 300}},
    ]
    pipeline = bind([Step.from_json(step) for step in steps])
    sizes = [(shape.width, shape.height) for shape in check(pipeline, _info(4000, 3000).shape)]
    assert sizes == [(4000, 3000), (2000, 1500), (1500, 2000), (300, 2000)]


def test_a_result_with_too_many_pixels_is_refused_at_its_operation() -> None:
    steps = [Step(operation="invert"), Step(operation="scale", parameters={"factor": 100})]
    with pytest.raises(LimitExceeded, match="scale would make 120,000,000,000 pixels") as refused:
        make_plan(_info(4000, 3000), steps, Output(), Limits())
    assert refused.value.pointer == "/pipeline/1"


def test_a_crop_first_reads_only_its_part_of_the_input() -> None:
    crop = {"operation": "crop", "parameters": {"x": 5000, "y": 6000, "width": 4000, "height": 3000}}
    blur = Step(operation="median_blur", parameters={"ksize": 5})
    plan = make_plan(_info(12_000, 12_000), [Step.from_json(crop), blur], Output(), Limits())
    source = plan.stages[0].source
    assert isinstance(source, Raster)
    assert source.box == Rect(5000, 6000, 9000, 9000)
    plan = make_plan(_info(12_000, 12_000), [blur, Step.from_json(crop)], Output(), Limits())
    source = plan.stages[0].source
    assert isinstance(source, Raster)
    box = source.box
    assert (box.y0, box.y1) == (5998, 9002)
    assert box.x0 in range(4992 - 64, 4999)
    assert box.width < 4200


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph_is_planned_upright(orientation: int) -> None:
    info = _info(4000, 3000, orientation)
    plan = make_plan(info, [Step(operation="invert")], Output(), Limits())
    turned = orientation >= 5
    assert (plan.result.width, plan.result.height) == ((3000, 4000) if turned else (4000, 3000))


def _info(width: int, height: int, orientation: int = 1) -> ImageInfo:
    return ImageInfo(
        format="jpeg",
        width=width,
        height=height,
        pixels=Pixels(channels=3),
        size=1,
        etag="",
        orientation=orientation,
    )
