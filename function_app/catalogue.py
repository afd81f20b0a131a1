"""The catalogue of operations and presets as the API shows it."""

from contextlib import suppress
from functools import cache

from pydantic import ValidationError

from function_app.responses_service import KindsView, OperationsView, OperationView, PresetsView, PresetView
from tessera.errors import InvalidPipeline
from tessera.operations import CATALOGUE, AnyOperation
from tessera.pipeline import Bound, check
from tessera.plan import Pixels, Shape
from tessera.presets import PRESETS

_SIDE = 1024


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
    # One that can't do without parameters is taken to make what it takes.
    with suppress(ValidationError):
        bound = Bound(operation, operation.parameters())
        made = [kind for pixels in accepted if (kind := _made(bound, pixels))]
    return KindsView(
        channels=tuple(sorted({pixels.channels for pixels in made})),
        depths=tuple(sorted({pixels.depth for pixels in made})),
    )


def _made(bound: Bound, pixels: Pixels) -> Pixels | None:
    """Return what comes of pixels of a kind, or None if the operation doesn't take them."""
    try:
        return check([bound], Shape(width=_SIDE, height=_SIDE, pixels=pixels))[-1].pixels
    except InvalidPipeline:
        return None
