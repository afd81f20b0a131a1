"""Pipelines: from names and JSON parameters to operations that are known to fit one another."""

import json
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from pydantic import ValidationError

from tessera.errors import InvalidPipeline
from tessera.operations import CATALOGUE, PLANNED, AnyOperation, GeometryOperation, GlobalOperation
from tessera.operations.base import Parameters, Refusal
from tessera.plan import Shape, Step

MAX_STEPS = 32
_CHANNELS = {1: "gray", 2: "gray with alpha", 3: "colour", 4: "colour with alpha"}
_CONVERSIONS = (("to_8_bit",), ("to_rgb",), ("grayscale",), ("to_8_bit", "to_rgb"))
"""What may be put before an operation, the shortest first."""


class Bound(NamedTuple):
    """An operation with its validated parameters."""

    operation: AnyOperation
    parameters: Any

    @property
    def step(self) -> Step:
        """Return the pair as a message, every parameter spelled out."""
        return Step(operation=self.operation.name, parameters=self.parameters.model_dump(mode="json"))

    @property
    def halo(self) -> int:
        """Return the pixels needed around a tile."""
        return self.operation.halo(self.parameters)


def bind(steps: Sequence[Step]) -> tuple[Bound, ...]:
    """Return the operations that *steps* name, with parameters validated and defaults filled in.

    Raises
    ------
    InvalidPipeline
        If there is no step or more than ``MAX_STEPS``, an operation is unknown, a parameter is unknown or
        out of range, or parameters don't go together; its pointer names the place.
    """
    if not 1 <= len(steps) <= MAX_STEPS:
        raise InvalidPipeline(
            f"a pipeline has 1 to {MAX_STEPS} operations, this one has {len(steps)}",
            limit=MAX_STEPS,
            actual=len(steps),
            pointer="/pipeline",
        )
    return tuple(_bind(index, step, CATALOGUE) for index, step in enumerate(steps))


def bind_planned(steps: Sequence[Step]) -> tuple[Bound, ...]:
    """Return the operations that the steps of a plan name: any number of them."""
    return tuple(_bind(index, step, PLANNED) for index, step in enumerate(steps))


def bind_global(step: Step) -> tuple[GlobalOperation[Any], Any]:
    """Return the global operation that *step* of a plan names, and its parameters."""
    ((operation, parameters),) = bind_planned([step])
    if not isinstance(operation, GlobalOperation):
        raise TypeError(f"{operation.name} is not a global operation")
    return operation, parameters


def ends_in_lines(pipeline: Sequence[Bound]) -> bool:
    """Tell whether what the pipeline makes are bright lines of a pixel, wherever they were moved to then."""
    for operation, _ in reversed(pipeline):
        moves = isinstance(operation, GeometryOperation)
        if not moves and not (isinstance(operation, GlobalOperation) and operation.report):
            return bool(operation.lines)
    return False


def check(pipeline: Iterable[Bound], shape: Shape, first: int = 0) -> tuple[Shape, ...]:
    """Return what an image of *shape* becomes: as it is, and after each operation of *pipeline*.

    Parameters
    ----------
    first
        Place of the first operation in the pipeline that the user wrote, for the pointer.

    Raises
    ------
    InvalidPipeline
        If an operation can't take what the ones before it produce; its pointer names the operation, and the
        parameter where one is to blame.
    """
    shapes = [shape]
    for index, (operation, parameters) in enumerate(pipeline, first):
        if refusal := _refusal(operation, parameters, shape):
            raise InvalidPipeline(
                f"{operation.name}: {refusal.reason}",
                hint=_remedy(operation, parameters, shape),
                pointer=_place(f"/pipeline/{index}", refusal),
            )
        shape = produced(operation, parameters, shape)
        shapes.append(shape)
    return tuple(shapes)


def produced(operation: AnyOperation, parameters: Any, shape: Shape) -> Shape:
    """Return the shape of what the operation makes of an image of *shape*, which it takes."""
    width, height = shape.width, shape.height
    if isinstance(operation, GeometryOperation):
        width, height = operation.size(width, height, parameters)
    return Shape(width=width, height=height, pixels=operation.produces(shape.pixels, parameters))


def _bind(index: int, step: Step, known: Mapping[str, AnyOperation]) -> Bound:
    pointer = f"/pipeline/{index}"
    operation = known.get(step.operation)
    if operation is None:
        close = get_close_matches(step.operation, CATALOGUE, n=1)
        raise InvalidPipeline(
            f"there is no operation {step.operation!r}",
            hint=f"did you mean {close[0]}?" if close else f"choose one of {', '.join(CATALOGUE)}",
            pointer=f"{pointer}/operation",
        )
    try:
        # Strict JSON takes no text for a number, and lists for tuples.
        parameters = operation.parameters.model_validate_json(json.dumps(step.parameters), strict=True)
    except ValidationError as error:
        raise _parameter_error(operation, error, f"{pointer}/parameters") from error
    if refusal := parameters.conflict():
        raise InvalidPipeline(
            f"{operation.name}: {refusal.reason}",
            hint=_known_parameters(operation),
            pointer=_place(pointer, refusal),
        )
    return Bound(operation, parameters)


def _place(pointer: str, refusal: Refusal) -> str:
    return f"{pointer}/parameters/{refusal.parameter}" if refusal.parameter else pointer


def _known_parameters(operation: AnyOperation) -> str:
    parameters: type[Parameters] = operation.parameters
    return f"parameters of {operation.name}: {', '.join(parameters.model_fields) or 'none'}"


def _parameter_error(operation: AnyOperation, error: ValidationError, pointer: str) -> InvalidPipeline:
    first = error.errors(include_url=False)[0]
    name = "/".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return InvalidPipeline(
        f"{operation.name}: {name}: {message}" if name else f"{operation.name}: {message}",
        actual=str(first["input"])[:80] if name else None,
        hint=_known_parameters(operation),
        pointer=f"{pointer}/{name}" if name else pointer,
    )


def _refusal(operation: AnyOperation, parameters: Any, shape: Shape) -> Refusal | None:
    pixels = shape.pixels
    if pixels.channels not in operation.channels:
        taken = " or ".join(_CHANNELS[count] for count in operation.channels)
        return Refusal(f"takes {taken} pixels, and these are {_CHANNELS[pixels.channels]}")
    if pixels.depth not in operation.depths:
        depths = " or ".join(f"{depth}-bit" for depth in operation.depths)
        return Refusal(f"takes {depths} pixels, and these have {pixels.depth} bits")
    return operation.refuse(shape, parameters)


def _remedy(operation: AnyOperation, parameters: Any, shape: Shape) -> str | None:
    """Return advice to convert the pixels first, if that is all that is missing."""
    for names in _CONVERSIONS:
        converted = shape
        for converter in map(CATALOGUE.__getitem__, names):
            converted = produced(converter, converter.parameters(), converted)
        if _refusal(operation, parameters, converted) is None:
            return f"put {' and '.join(names)} before {operation.name}"
    return None
