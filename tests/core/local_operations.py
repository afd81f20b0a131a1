"""Parameters for property tests: one strategy for each local operation of the catalogue."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from tessera.errors import InvalidPipeline
from tessera.operations import CATALOGUE, LocalOperation
from tessera.operations.base import Array
from tessera.pipeline import Bound, check
from tessera.plan import Shape, Step

type Parameters = dict[str, Any]
type Strategy = st.SearchStrategy[Parameters]

LOCAL = [operation for operation in CATALOGUE.values() if isinstance(operation, LocalOperation)]


def _odd(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low // 2, high // 2).map(lambda half: 2 * half + 1)


def _float(low: float, high: float) -> st.SearchStrategy[float]:
    """Return round and ragged numbers: round ones make ties."""
    quarters = st.integers(int(low * 4), int(high * 4)).map(lambda quarter: max(low, quarter / 4))
    return quarters | st.floats(low, high, allow_subnormal=False)


def _row(length: int, limit: float) -> st.SearchStrategy[list[float]]:
    return st.lists(_float(-limit, limit), min_size=length, max_size=length)


@st.composite
def _levels(draw: st.DrawFn) -> Parameters:
    black = draw(_float(0, 0.9))
    return {"black": black, "white": draw(st.floats(black + 0.01, 1)), "gamma": draw(_float(0.1, 10))}


@st.composite
def _points(draw: st.DrawFn) -> Parameters:
    inputs = draw(st.lists(st.integers(0, 64), min_size=2, max_size=8, unique=True).map(sorted))
    return {"points": [[x / 64, draw(_float(0, 1))] for x in inputs]}


@st.composite
def _bounds(draw: st.DrawFn) -> Parameters:
    space = draw(st.sampled_from(["rgb", "rgb", "hsv", "lab", "ycrcb"]))
    highest = draw(st.sampled_from([255, 65535]))
    pairs = draw(st.lists(st.tuples(*[st.integers(0, highest)] * 2), min_size=3, max_size=3))
    count = draw(st.sampled_from([1, 3]))
    lower, upper = [min(pair) for pair in pairs[:count]], [max(pair) for pair in pairs[:count]]
    if space == "hsv" and count == 3 and draw(st.booleans()):
        lower[0], upper[0] = upper[0] % 256, lower[0] % 256
    return {"space": space, "lower": lower, "upper": upper}


@st.composite
def _kernels(draw: st.DrawFn) -> Parameters:
    rows, columns = draw(_odd(1, 9) | st.just(31)), draw(_odd(1, 15) | st.just(31))
    random = draw(st.randoms(use_true_random=False))
    whole = draw(st.booleans())
    values = [
        [float(random.randint(-9, 9)) if whole else random.uniform(-1, 1) for _ in range(columns)]
        for _ in range(rows)
    ]
    values[rows // 2][columns // 2] = 10.0
    if whole and draw(st.booleans()):  # sums are then exact in single precision, and halves come up
        values[rows // 2][columns // 2] += 2 ** draw(st.integers(0, 9)) - sum(map(sum, values))
        values[rows // 2][columns // 2] = min(1000.0, values[rows // 2][columns // 2])
    normalize = abs(sum(map(sum, values))) > 0.5 and draw(st.booleans())
    return {"values": values, "normalize": normalize, "offset": draw(_float(-1, 1))}


_NONE: Strategy = st.just({})
_THRESHOLDS = ["binary", "binary_inverse", "truncate", "to_zero", "to_zero_inverse"]
_CHANNELS = ["red", "green", "blue", "alpha", "hue", "saturation", "value", "lightness", "a", "b"]
_MAPS = ["autumn", "bone", "jet", "winter", "rainbow", "ocean", "summer", "spring", "cool", "hsv", "pink"]
_MAPS += [
    "hot",
    "parula",
    "magma",
    "inferno",
    "plasma",
    "viridis",
    "cividis",
    "twilight",
    "turbo",
    "deepgreen",
]
_COMPASS = ["northwest", "north", "northeast", "east", "southeast", "south", "southwest", "west"]
_MORPHOLOGY: Strategy = st.fixed_dictionaries(
    {
        "shape": st.sampled_from(["rectangle", "ellipse", "cross"]),
        "ksize": _odd(3, 11) | st.just(31),
        "iterations": st.integers(1, 3),
    }
)
_DIRECTION = st.sampled_from(["magnitude", "x", "y"])
_SCALE = _float(0.25, 3)

STRATEGIES: Mapping[str, Strategy] = {
    "invert": _NONE,
    "to_rgb": _NONE,
    "to_8_bit": _NONE,
    "brightness_contrast": st.fixed_dictionaries({"brightness": _float(-1, 1), "contrast": _float(0, 10)}),
    "gamma": st.fixed_dictionaries({"gamma": _float(0.1, 10)}),
    "levels": _levels(),
    "curves": _points(),
    "posterize": st.fixed_dictionaries({"levels": st.integers(2, 64)}),
    "solarize": st.fixed_dictionaries({"value": _float(0, 1)}),
    "hue_saturation": st.fixed_dictionaries({"hue": st.integers(-180, 180), "saturation": _float(0, 4)}),
    "vibrance": st.fixed_dictionaries({"amount": _float(-1, 2)}),
    "sepia": st.fixed_dictionaries({"strength": _float(0, 1)}),
    "color_matrix": st.fixed_dictionaries(
        {
            "matrix": st.lists(
                st.tuples(_row(3, 16), _float(-1, 1)).map(lambda row: [*row[0], row[1]]),
                min_size=3,
                max_size=3,
            )
        }
    ),
    "channel_mixer": st.fixed_dictionaries({"red": _row(3, 2), "green": _row(3, 2), "blue": _row(3, 16)}),
    "grayscale": st.fixed_dictionaries(
        {"method": st.sampled_from(["luma", "average", "maximum", "minimum"])}
    ),
    "channel": st.fixed_dictionaries({"name": st.sampled_from([*_CHANNELS, "luma", "cr", "cb"])}),
    "colormap": st.fixed_dictionaries({"map": st.sampled_from(_MAPS)}),
    "threshold": st.fixed_dictionaries(
        {"value": st.integers(0, 255) | st.integers(0, 65535), "type": st.sampled_from(_THRESHOLDS)}
    ),
    "in_range": _bounds(),
    "adaptive_threshold": st.fixed_dictionaries(
        {
            "method": st.sampled_from(["mean", "gaussian"]),
            "ksize": _odd(3, 51),
            "offset": _float(-20, 20),
            "type": st.sampled_from(_THRESHOLDS[:2]),
        }
    ),
    "box_blur": st.fixed_dictionaries({"ksize": _odd(3, 101)}),
    "gaussian_blur": st.fixed_dictionaries({"sigma": _float(0.1, 12)}),
    "median_blur": st.fixed_dictionaries({"ksize": st.sampled_from([3, 5]) | _odd(3, 41)}),
    "bilateral": st.fixed_dictionaries(
        {"diameter": _odd(3, 15), "sigma_color": _float(1, 300), "sigma_space": _float(0.5, 20)}
    ),
    "denoise": st.fixed_dictionaries(
        {
            "strength": _float(0.5, 50),
            "strength_color": _float(0.5, 50),
            "template": _odd(3, 7),
            "search": _odd(3, 9),
        }
    ),
    "sharpen": st.fixed_dictionaries({"amount": _float(0, 10)}),
    "unsharp_mask": st.fixed_dictionaries(
        {"sigma": _float(0.1, 8), "amount": _float(0, 10), "threshold": _float(0, 1)}
    ),
    "emboss": st.fixed_dictionaries({"direction": st.sampled_from(_COMPASS), "strength": _float(0, 10)}),
    "kernel": _kernels(),
    "sobel": st.fixed_dictionaries(
        {"direction": _DIRECTION, "ksize": st.sampled_from([3, 5, 7]), "scale": _SCALE}
    ),
    "scharr": st.fixed_dictionaries({"direction": _DIRECTION, "scale": _SCALE}),
    "laplacian": st.fixed_dictionaries({"ksize": st.sampled_from([1, 3, 5]), "scale": _SCALE}),
    "erode": _MORPHOLOGY,
    "dilate": _MORPHOLOGY,
    "open": _MORPHOLOGY,
    "close": _MORPHOLOGY,
    "top_hat": _MORPHOLOGY,
    "black_hat": _MORPHOLOGY,
    "morphological_gradient": _MORPHOLOGY,
}


def steps(name: str) -> st.SearchStrategy[Step]:
    """Return steps of the operation with any parameters."""
    return STRATEGIES[name].map(lambda parameters: Step(operation=name, parameters=parameters))


def shape_of(raster: Array) -> Shape:
    """Return size and kind of a raster."""
    height, width, channels = raster.shape
    pixels = {"channels": channels, "depth": 8 * raster.dtype.itemsize}
    return Shape.from_json({"width": width, "height": height, "pixels": pixels})


def accepts(bound: Bound, shape: Shape) -> bool:
    """Tell whether the operation with its parameters takes such an image."""
    try:
        check([bound], shape)
    except InvalidPipeline:
        return False
    return True
