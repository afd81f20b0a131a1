"""What operations are defined as: close to OpenCV, strict about parameters."""

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import cv2
import numpy as np
import pytest

from tessera.errors import InvalidPipeline
from tessera.operations import CATALOGUE, LocalOperation
from tessera.operations.base import Array, Parameters
from tessera.operations.edges import _gradient, _scaled
from tessera.pipeline import bind, check
from tessera.plan import Pixels, Shape, Step
from tessera.whole import run_whole
from tests.core.local_operations import LOCAL
from tests.support.images import textured


def run(image: Array, operation: str, **parameters: Any) -> Array:
    return run_whole(image, bind([Step(operation=operation, parameters=parameters)]))


def furthest(left: Array, right: Array) -> int:
    return int(np.abs(left.astype(np.int64) - np.atleast_3d(right).astype(np.int64)).max())


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("gamma", [0.1, 0.45, 1.0, 2.2, 10.0])
def test_gamma_is_the_nearest_level_of_the_exact_power(gamma: float, depth: int) -> None:
    brightest = 2**depth - 1
    ramp = np.arange(brightest + 1, dtype=np.dtype(f"u{depth // 8}")).reshape(-1, 1, 1)
    made = run(ramp, "gamma", gamma=gamma)[:, 0, 0]
    for level in range(0, brightest + 1, 1 if depth == 8 else 251):
        exact = brightest * (Decimal(level) / brightest) ** (1 / Decimal(gamma)) if level else Decimal(0)
        assert made[level] == int(exact.to_integral_value(ROUND_HALF_UP)), level


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(("hue", "saturation"), [(30, 1.0), (-120, 0.5), (0, 0.0), (180, 2.0)])
def test_colour_mixing_is_within_a_level_of_the_float_matrix(depth: int, hue: int, saturation: float) -> None:
    image = textured(90, 110, 3, depth)
    angle, luma = math.radians(hue), np.tile([0.213, 0.715, 0.072], (3, 1))
    sine = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])
    turned = luma + math.cos(angle) * (np.eye(3) - luma) + math.sin(angle) * sine
    matrix = (luma + saturation * (np.eye(3) - luma)) @ turned
    plain = cv2.transform(image[:, :, ::-1].astype(np.float64), matrix)[:, :, ::-1]
    plain = np.clip(np.rint(plain), 0, 2**depth - 1)
    allowed = 1 if depth == 8 else 65535 * 6 * 2.0**-15 + 1
    assert furthest(run(image, "hue_saturation", hue=hue, saturation=saturation), plain) <= allowed


@pytest.mark.parametrize("factors", [(0.25, 0.0, 0.0), (0.5, 0.5, 0.5), (1.0, 0.25, -1.0)])
def test_a_colour_of_8_bits_multiplied_alone_is_rounded_halves_up(factors: tuple[float, ...]) -> None:
    levels = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(16, 16, 3)
    rows = dict(zip(("red", "green", "blue"), np.diag(factors).tolist(), strict=True))
    made = run(levels, "channel_mixer", **rows)[:, :, ::-1]
    np.testing.assert_array_equal(made, np.clip(np.floor(levels * factors + 0.5), 0, 255))


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("factor", [1.25, -0.75, 0.5, 3.0, 1 / 3, 7 / 64])
@pytest.mark.parametrize("offset", [0.0, 0.5, 1.0])
def test_a_kernel_of_one_multiplies_and_rounds_halves_up(factor: float, offset: float, depth: int) -> None:
    brightest = 2**depth - 1
    levels = np.arange(brightest + 1, dtype=np.dtype(f"u{depth // 8}")).reshape(16, -1, 1)
    made = run(levels, "kernel", values=[[factor]], normalize=False, offset=offset)
    exact = np.floor(levels * factor + (offset * brightest + 0.5))
    np.testing.assert_array_equal(made, np.clip(exact, 0, brightest))


def test_any_gradient_of_8_bits_has_the_level_of_its_exact_size() -> None:
    most = 4 * 255
    across, down = np.meshgrid(*[np.arange(-most, most + 1, dtype=np.float32)] * 2)
    made = _scaled(_gradient(lambda x, _: across if x else down, "magnitude"), 1.0, np.zeros(1, np.uint8))
    exact = np.sqrt(across.astype(np.int64) ** 2 + down.astype(np.int64) ** 2)
    np.testing.assert_array_equal(made[:, :, 0], np.minimum(np.rint(exact), 255))


def test_neutral_parameters_change_nothing() -> None:
    for depth in (8, 16):
        image = textured(40, 50, 4, depth)
        for name in ("brightness_contrast", "levels", "color_matrix", "channel_mixer", "hue_saturation"):
            np.testing.assert_array_equal(run(image, name), image, err_msg=name)


@pytest.mark.parametrize("ksize", [3, 15, 101])
def test_16_bit_means_are_within_a_level_of_opencv(ksize: int) -> None:
    image = textured(120, 130, 3, 16)
    assert furthest(run(image, "box_blur", ksize=ksize), cv2.blur(image, (ksize, ksize))) <= 1


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("side", [3, 9, 31])
def test_kernels_are_within_a_level_of_the_float_filter(side: int, depth: int) -> None:
    image = textured(90, 80, 3, depth)
    kernel = np.random.default_rng(side).uniform(-0.2, 1, (side, side))
    plain = np.clip(
        np.rint(cv2.filter2D(image.astype(np.float64), -1, kernel / kernel.sum())), 0, 2**depth - 1
    )
    assert furthest(run(image, "kernel", values=kernel.tolist()), plain) <= 1


def test_unsharp_masks_are_within_a_level_of_opencv() -> None:
    image = textured(90, 80, 3)
    plain = cv2.addWeighted(image, 2.5, cv2.GaussianBlur(image, (0, 0), 2), -1.5, 0)
    assert furthest(run(image, "unsharp_mask", sigma=2, amount=1.5), plain) <= 1


def test_derivatives_are_those_of_opencv() -> None:
    image = textured(90, 80, 1)
    plain = cv2.convertScaleAbs(cv2.Sobel(image, cv2.CV_16S, 1, 0))
    assert furthest(run(image, "sobel", direction="x"), plain) == 0
    plain = cv2.convertScaleAbs(cv2.Scharr(image, cv2.CV_16S, 0, 1))
    assert furthest(run(image, "scharr", direction="y"), plain) == 0
    assert (
        furthest(run(image, "laplacian"), cv2.convertScaleAbs(cv2.Laplacian(image, cv2.CV_16S, ksize=3))) == 0
    )


def test_a_hue_range_may_go_through_red() -> None:
    pixels = np.array([[[0, 0, 255], [60, 0, 255], [0, 60, 255], [255, 0, 0], [0, 255, 0]]], np.uint8)
    made = run(pixels, "in_range", space="hsv", lower=[240, 100, 100], upper=[15, 255, 255])
    assert made[0, :, 0].tolist() == [255, 255, 255, 0, 0]


@pytest.mark.parametrize("operation", LOCAL, ids=lambda operation: operation.name)
def test_parameters_tell_bounds_default_and_meaning(operation: LocalOperation[Any]) -> None:
    """Clients check and draw parameters by their schema alone."""
    schema = operation.parameters.model_json_schema()
    for name, entry in schema.get("properties", {}).items():
        assert entry["description"], name
        assert "default" in entry, name
        if entry.get("type") in ("integer", "number") and "enum" not in entry:
            assert {"minimum", "exclusiveMinimum"} & entry.keys(), name
            assert "maximum" in entry, name


REFUSED = [
    ("gamma", {"gamma": 0}, "greater than or equal to 0.1"),
    ("gamma", {"gamma": float("nan")}, "less than or equal to 10"),
    ("levels", {"black": 0.6, "white": 0.5}, r"white \(0.5\) must be above black \(0.6\)"),
    ("curves", {"points": [[0, 0]]}, "at least 2 items"),
    ("curves", {"points": [[0.5, 0], [0.5, 1]]}, "inputs must rise .* 0.5 follows 0.5"),
    ("curves", {"points": [[0, 0], [1, 1.1]]}, "less than or equal to 1"),
    ("in_range", {"lower": [1, 2], "upper": [3, 4]}, "1 or 3 numbers each"),
    ("in_range", {"lower": [9], "upper": [3]}, r"lower \(9\) must not be above upper \(3\)"),
    ("color_matrix", {"matrix": [[1, 0, 0, 0]]}, "matrix/1: Field required"),
    ("channel_mixer", {"red": [1, 2]}, "red/2: Field required"),
    ("kernel", {"values": [[1, 2]]}, "odd sides, not 1 x 2"),
    ("kernel", {"values": [[1, 2, 1], [1]]}, "as many coefficients each"),
    ("kernel", {"values": [[0]]}, "must not all be 0"),
    ("kernel", {"values": [[-1, 0, 1]]}, "set normalize to false"),
    ("kernel", {"values": [[1.0] * 33]}, "at most 31 items"),
    ("box_blur", {"ksize": 4}, "must be odd, for example 3 or 5"),
    ("erode", {"iterations": 0}, "greater than or equal to 1"),
    ("sobel", {"ksize": 9}, "3, 5 or 7"),
    ("colormap", {"map": "grey"}, "'viridis'"),
    ("hue_saturation", {"hue": 181}, "less than or equal to 180"),
    ("sharpen", {"amont": 1}, "not permitted"),
]


@pytest.mark.parametrize(("name", "parameters", "message"), REFUSED)
def test_parameters_out_of_range_are_refused_with_the_reason(
    name: str, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidPipeline, match=f"^{name}: .*{message}"):
        bind([Step.model_construct(operation=name, parameters=parameters)])


CONFLICTS = [
    ("levels", {"black": 0.6, "white": 0.5}, "white"),
    ("levels", {"black": 1}, "white"),
    ("curves", {"points": [[0.5, 0], [0.5, 1]]}, "points"),
    ("in_range", {"lower": [1, 2]}, "lower"),
    ("in_range", {"upper": [3, 4]}, "upper"),
    ("in_range", {"lower": [9], "upper": [3]}, "upper"),
    ("in_range", {"lower": [300]}, "upper"),
    ("kernel", {"values": [[1, 2]]}, "values"),
    ("kernel", {"values": [[1, 2, 1], [1]]}, "values"),
    ("kernel", {"values": [[0]]}, "values"),
    ("kernel", {"values": [[-1, 0, 1]]}, "values"),
    ("canny", {"low": 9, "high": 3}, "high"),
    ("canny", {"low": 300}, "high"),
    ("auto_contrast", {"low": 60, "high": 60}, "high"),
    ("auto_contrast", {"low": 99.9}, "high"),
    ("resize", {"width": 0}, "width"),
]


@pytest.mark.parametrize(("name", "parameters", "culprit"), CONFLICTS)
def test_parameters_that_do_not_go_together_are_refused_at_one_of_them(
    name: str, parameters: dict[str, Any], culprit: str
) -> None:
    steps = [Step(operation="invert"), Step(operation=name, parameters=parameters)]
    with pytest.raises(InvalidPipeline, match=f"^{name}: ") as refused:
        bind(steps)
    assert refused.value.pointer == f"/pipeline/1/parameters/{culprit}"
    assert (refused.value.hint or "").startswith(f"parameters of {name}: ")


def test_every_operation_whose_parameters_may_conflict_is_tried() -> None:
    own = {each.name for each in CATALOGUE.values() if each.parameters.conflict is not Parameters.conflict}
    assert own == {name for name, *_ in CONFLICTS}


@pytest.mark.parametrize(
    ("parameters", "culprit"),
    [({"space": "hsv"}, "space"), ({"lower": [1, 1, 1]}, "lower"), ({"upper": [9, 9, 9]}, "upper")],
)
def test_what_asks_gray_pixels_for_colours_is_refused_at_its_parameter(
    parameters: dict[str, Any], culprit: str
) -> None:
    pipeline = bind([Step(operation="in_range", parameters={"lower": [0], **parameters})])
    with pytest.raises(InvalidPipeline, match="gray pixels are compared") as refused:
        check(pipeline, Shape(width=9, height=9, pixels=Pixels(channels=1)))
    assert refused.value.pointer == f"/pipeline/0/parameters/{culprit}"


@pytest.mark.parametrize(
    ("name", "parameters", "narrow"),
    [
        ("median_blur", {"ksize": 7}, {"ksize": 5}),
        *[
            ("channel", {"name": name}, {"name": "luma"})
            for name in ("hue", "saturation", "value", "lightness", "a", "b")
        ],
        *[("in_range", {"space": space}, {"space": "ycrcb"}) for space in ("hsv", "lab")],
    ],
)
def test_a_parameter_that_needs_8_bits_says_so(
    name: str, parameters: dict[str, Any], narrow: dict[str, Any]
) -> None:
    shape = Shape(width=9, height=9, pixels=Pixels(channels=3, depth=16))
    check(bind([Step(operation=name, parameters=narrow)]), shape)
    with pytest.raises(InvalidPipeline, match="needs 8-bit") as refused:
        check(bind([Step(operation=name, parameters=parameters)]), shape)
    (culprit,) = parameters
    assert refused.value.pointer == f"/pipeline/0/parameters/{culprit}"
    schema = CATALOGUE[name].parameters.model_json_schema()
    assert "need" in schema["properties"][culprit]["description"]
    assert "8-bit pixels" in schema["properties"][culprit]["description"]


@pytest.mark.parametrize(
    ("name", "parameters", "pixels", "message", "hint"),
    [
        (
            "bilateral",
            {},
            (3, 16),
            "takes 8-bit pixels, and these have 16 bits",
            "put to_8_bit before bilateral",
        ),
        ("channel", {"name": "hue"}, (3, 16), "channel hue needs 8-bit", "put to_8_bit before channel"),
        ("channel", {"name": "hue"}, (1, 8), "gray pixels have no channel hue", "put to_rgb before channel"),
        (
            "channel",
            {"name": "hue"},
            (1, 16),
            "channel hue needs 8-bit colour pixels",
            "put to_8_bit and to_rgb before channel",
        ),
        ("channel", {"name": "red"}, (1, 16), "gray pixels have no channel red", "put to_rgb before channel"),
        ("channel", {"name": "alpha"}, (3, 8), "there is no alpha", None),
        (
            "in_range",
            {"space": "hsv"},
            (2, 16),
            "space hsv needs 8-bit colour pixels",
            "put to_8_bit and to_rgb before in_range",
        ),
        (
            "sepia",
            {},
            (2, 8),
            "takes colour or colour with alpha pixels, and these are gray with alpha",
            "put to_rgb before sepia",
        ),
        ("in_range", {"upper": [300]}, (1, 8), "300 is above the brightest level of 8-bit", None),
        (
            "in_range",
            {"lower": [1, 1, 1]},
            (1, 8),
            "gray pixels are compared with one",
            "put to_rgb before in_range",
        ),
        ("in_range", {"space": "lab"}, (3, 16), "space lab needs 8-bit", "put to_8_bit before in_range"),
    ],
)
def test_unsuitable_pixels_are_refused_with_what_helps(
    name: str, parameters: dict[str, Any], pixels: tuple[int, int], message: str, hint: str | None
) -> None:
    pipeline = bind([Step(operation=name, parameters=parameters)])
    with pytest.raises(InvalidPipeline, match=message) as refused:
        check(
            pipeline,
            Shape(width=9, height=9, pixels=Pixels.from_json({"channels": pixels[0], "depth": pixels[1]})),
        )
    assert refused.value.hint == hint
