"""Parameters for property tests of operations that move pixels: what fits depends on the size."""

from typing import Any

from hypothesis import strategies as st

from tessera.operations import CATALOGUE, GeometryOperation
from tessera.plan import Shape, Step

MOVING = [operation for operation in CATALOGUE.values() if isinstance(operation, GeometryOperation)]
_MOST_SIDE = 400
_INTERPOLATIONS = st.sampled_from(["nearest", "linear", "area", "cubic", "lanczos"])


@st.composite
def moving_steps(draw: st.DrawFn, name: str, shape: Shape) -> Step:
    """Return a step of the operation that an image of this shape can take."""
    return Step(operation=name, parameters=_PARAMETERS[name](draw, shape))


def _crop(draw: st.DrawFn, shape: Shape) -> dict[str, Any]:
    x, y = draw(st.integers(0, shape.width - 1)), draw(st.integers(0, shape.height - 1))
    width, height = draw(st.integers(0, shape.width - x)), draw(st.integers(0, shape.height - y))
    return {"x": x, "y": y, "width": width, "height": height}


def _pad(draw: st.DrawFn, _: Shape) -> dict[str, Any]:
    sides = st.integers(0, 9) | st.sampled_from([64, 150])
    return {
        **{side: draw(sides) for side in ("left", "top", "right", "bottom")},
        "mode": draw(st.sampled_from(["constant", "replicate", "reflect"])),
        "value": draw(st.floats(0, 1)),
    }


def _rotate_by(draw: st.DrawFn, _: Shape) -> dict[str, Any]:
    return {
        "degrees": draw(st.sampled_from([0, 45, 90, -180]) | st.floats(-360, 360)),
        "expand": draw(st.booleans()),
        "interpolation": draw(st.sampled_from(["nearest", "linear", "cubic"])),
        "value": draw(st.floats(0, 1)),
    }


def _resize(draw: st.DrawFn, shape: Shape) -> dict[str, Any]:
    how = draw(_INTERPOLATIONS)
    most = (shape.width, shape.height) if how == "area" else (_MOST_SIDE, _MOST_SIDE)
    width, height = (draw(st.integers(1, side)) for side in most)
    if how != "area" and max(shape.width, shape.height) < 30 * min(shape.width, shape.height):
        width, height = draw(st.sampled_from([(width, height), (0, height), (width, 0)]))
    return {"width": width, "height": height, "interpolation": how}


def _scale(draw: st.DrawFn, shape: Shape) -> dict[str, Any]:
    how = draw(_INTERPOLATIONS)
    largest = 1.0 if how == "area" else min(3.0, _MOST_SIDE / max(shape.width, shape.height))
    factors = [factor for factor in (0.5, 0.25, 1 / 3, 0.75, 2, 1.5) if factor <= largest]
    factor = draw(st.sampled_from([*factors, largest]) | st.floats(0.01, largest))
    return {"factor": factor, "interpolation": how}


def _fit(draw: st.DrawFn, shape: Shape) -> dict[str, Any]:
    return {
        "width": draw(st.integers(1, 2 * shape.width)),
        "height": draw(st.integers(1, 2 * shape.height)),
        "interpolation": draw(_INTERPOLATIONS),
    }


_PARAMETERS = {
    "crop": _crop,
    "pad": _pad,
    "flip": lambda draw, _: {"direction": draw(st.sampled_from(["horizontal", "vertical"]))},
    "rotate": lambda draw, _: {"degrees": draw(st.sampled_from([90, 180, 270]))},
    "transpose": lambda _draw, _shape: {},
    "rotate_by": _rotate_by,
    "resize": _resize,
    "scale": _scale,
    "fit": _fit,
}
