"""The catalogue of operations and presets as the API shows it."""

from functools import cache

from pydantic import ValidationError

from function_app.responses import KindsView, OperationsView, OperationView, PresetsView, PresetView
from tessera.operations import CATALOGUE, AnyOperation
from tessera.plan import Pixels, Shape
from tessera.presets import PRESETS

_SIDE = 10_000
"""Pixels: the size of an image for which operations are described."""


@cache
def operations() -> OperationsView:
    """Return every operation."""
    return OperationsView(operations=tuple(describe(operation) for operation in CATALOGUE.values()))


@cache
def presets() -> PresetsView:
    """Return every preset, with the steps as a pipeline takes them."""
    return PresetsView(
        presets=tuple(
            PresetView(name=name, summary=preset.summary, pipeline=preset.steps)
            for name, preset in PRESETS.items()
        )
    )


def describe(operation: AnyOperation) -> OperationView:
    """Return the catalogue entry of an operation."""
    return OperationView.model_validate(
        {
            "name": operation.name,
            "summary": operation.summary,
            "class": operation.kind,
            "exact": True,
            "delicate": operation.delicate,
            "parameters": operation.parameters.model_json_schema(),
            "accepts": KindsView(channels=tuple(operation.channels), depths=tuple(operation.depths)),
            "produces": _produces(operation),
        }
    )


def _produces(operation: AnyOperation) -> KindsView:
    """Return the kinds of pixels that come of those it takes, by its default parameters."""
    accepted = [
        Pixels(channels=channels, depth=depth)
        for channels in operation.channels
        for depth in operation.depths
    ]
    made = accepted
    try:
        parameters = operation.parameters()
    except ValidationError:  # it has none; what it makes is taken to be what it takes
        pass
    else:
        made = [
            operation.produces(pixels, parameters)
            for pixels in accepted
            if operation.refuse(Shape(width=_SIDE, height=_SIDE, pixels=pixels), parameters) is None
        ]
    return KindsView(
        channels=tuple(sorted({pixels.channels for pixels in made})),
        depths=tuple(sorted({pixels.depth for pixels in made})),
    )
