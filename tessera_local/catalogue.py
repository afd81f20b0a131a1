"""What this machine can do, in the JSON of the API's routes ``/operations`` and ``/presets``."""

from typing import Any

from tessera.presets import PRESETS


def operations() -> list[dict[str, Any]]:
    """Return the operations with their parameters as JSON Schema."""
    # Loads NumPy and OpenCV, which the presets don't need.
    from tessera.operations import CATALOGUE

    return [
        {
            "name": operation.name,
            "summary": operation.summary,
            "class": operation.kind,
            "parameters": operation.parameters.model_json_schema(),
            "accepts": {"channels": list(operation.channels), "depths": list(operation.depths)},
        }
        for operation in CATALOGUE.values()
    ]


def presets() -> list[dict[str, Any]]:
    """Return the stored pipelines with their steps."""
    return [
        {"name": name, "summary": preset.summary, "pipeline": [step.model_dump() for step in preset.steps]}
        for name, preset in PRESETS.items()
    ]
