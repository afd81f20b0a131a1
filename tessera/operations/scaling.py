"""Operations that change the size."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, override

from pydantic import Field

from tessera import resampling
from tessera.geometry import Rect
from tessera.operations.base import Array, GeometryOperation, Parameters, Refusal
from tessera.plan import Shape

_MOST = 1_000_000
type Interpolation = Literal["nearest", "linear", "area", "cubic", "lanczos"]
type Size = Callable[[int, int, Any], tuple[int, int]]
_HOW = "area averages and only shrinks; cubic and lanczos are sharpest, for enlarging"
_RATES = {"nearest": 600.0, "linear": 400.0, "area": 200.0, "cubic": 200.0, "lanczos": 100.0}


class ResizeParameters(Parameters):
    """The size that is wanted."""

    width: Annotated[int, Field(ge=0, le=_MOST, description="columns; 0 to keep the proportions")] = 1024
    height: Annotated[int, Field(ge=0, le=_MOST, description="rows; 0 to keep the proportions")] = 0
    interpolation: Annotated[Interpolation, Field(description=_HOW)] = "linear"

    @override
    def conflict(self) -> Refusal | None:
        if self.width or self.height:
            return None
        return Refusal("width and height must not both be 0", "width")


class ScaleParameters(Parameters):
    """The factor."""

    factor: Annotated[
        float, Field(ge=0.001, le=100, description="result side over input side; 0.5 halves it")
    ] = 0.5
    interpolation: Annotated[Interpolation, Field(description=_HOW)] = "linear"


class FitParameters(Parameters):
    """The box that the result fits into."""

    width: Annotated[int, Field(ge=1, le=_MOST, description="columns at most")] = 2048
    height: Annotated[int, Field(ge=1, le=_MOST, description="rows at most")] = 2048
    interpolation: Annotated[
        Interpolation,
        Field(description="area averages all pixels; the others sample some, cubic and lanczos most sharply"),
    ] = "area"


def _proportional(side: int, other: int, made: int) -> int:
    """Return the side that keeps the proportions when *other* becomes *made*: rounded half up, at least 1."""
    return max((2 * side * made + other) // (2 * other), 1)


def _resize_size(width: int, height: int, parameters: ResizeParameters) -> tuple[int, int]:
    return (
        parameters.width or _proportional(width, height, parameters.height),
        parameters.height or _proportional(height, width, parameters.width),
    )


def _scale_size(width: int, height: int, parameters: ScaleParameters) -> tuple[int, int]:
    return max(int(width * parameters.factor + 0.5), 1), max(int(height * parameters.factor + 0.5), 1)


def _fit_size(width: int, height: int, parameters: FitParameters) -> tuple[int, int]:
    if width <= parameters.width and height <= parameters.height:
        return width, height
    if width * parameters.height > height * parameters.width:
        return parameters.width, min(_proportional(height, width, parameters.width), parameters.height)
    return min(_proportional(width, height, parameters.height), parameters.width), parameters.height


def _resizing(name: str, summary: str, parameters: type[Any], size: Size) -> GeometryOperation[Any]:
    """Return the operation that brings an image to the size that *size* tells."""

    def needs(wanted: Rect, frame: Rect, parameters: Any) -> Rect:
        made = size(frame.width, frame.height, parameters)
        return resampling.needs(wanted, frame, made, parameters.interpolation)

    def apply(pixels: Array, _needed: Rect, frame: Rect, wanted: Rect, parameters: Any) -> Array:
        made = size(frame.width, frame.height, parameters)
        return resampling.resize(pixels, frame, wanted, made, parameters.interpolation)

    def refuse(shape: Shape, parameters: Any) -> Refusal | None:
        width, height = size(shape.width, shape.height, parameters)
        if parameters.interpolation == "area" and (width > shape.width or height > shape.height):
            return Refusal(
                f"area only shrinks, and {shape.width} x {shape.height} would become {width} x {height}",
                "interpolation",
            )
        return None

    return GeometryOperation(
        name=name,
        summary=summary,
        kind="geometry",
        parameters=parameters,
        refuse=refuse,
        rate=lambda given: _RATES[given.interpolation],
        scratch=4,
        size=size,
        needs=needs,
        apply=apply,
    )


RESIZE = _resizing("resize", "Bring the image to a size.", ResizeParameters, _resize_size)
SCALE = _resizing("scale", "Enlarge or shrink both sides by a factor.", ScaleParameters, _scale_size)
FIT = _resizing("fit", "Shrink the image into a box; one that fits stays as it is.", FitParameters, _fit_size)
