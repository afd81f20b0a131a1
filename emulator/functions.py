"""The app's functions as indexed by a worker, checked against what the emulator can run."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.errors import AppLoadError, UnsupportedFeatureError

_TRIGGERS = {"httpTrigger", "orchestrationTrigger", "activityTrigger", "timerTrigger"}
_OTHERS = {"http", "durableClient"}
_INSTEAD = {
    "entityTrigger": "keep the state in an orchestration or in a blob",
    "queueTrigger": "start the work from an http function, or from an orchestration",
    "queue": "start an orchestration instead of sending a queue message",
    "blobTrigger": "start the work from an http function, or from a timer that lists the container",
    "blob": "read and write blobs with azure-storage-blob inside the function",
    "eventGridTrigger": "start the work from an http function",
    "serviceBusTrigger": "start the work from an http function",
    "eventHubTrigger": "start the work from an http function",
    "warmupTrigger": "do the work at import time",
}


@dataclass(frozen=True)
class Function:
    """One function of the app.

    ``trigger`` and ``inputs`` are the bindings as the app declares them, with the keys of function.json.
    """

    id: str
    name: str
    trigger: Mapping[str, Any]
    inputs: tuple[Mapping[str, Any], ...]

    @property
    def kind(self) -> str:
        """Type of the trigger, such as ``httpTrigger``."""
        return str(self.trigger["type"])

    @property
    def durable_name(self) -> str:
        """Name under which orchestrators call the function."""
        return str(self.trigger.get("orchestration") or self.trigger.get("activity") or self.name)


def parse_functions(ready: Mapping[str, Any]) -> list[Function]:
    """Read a worker's report on the functions it has indexed.

    Parameters
    ----------
    ready
        The message, with ``functions`` (id, name, bindings as JSON texts, whether it has a retry policy) and
        ``capabilities``.

    Returns
    -------
    list of Function
        In the app's order.

    Raises
    ------
    UnsupportedFeatureError
        When a function uses a binding or policy that isn't emulated; the message names both.
    AppLoadError
        When the app has no function, or a function has no trigger.
    """
    if "HttpUri" in ready["capabilities"]:
        raise UnsupportedFeatureError(
            "the app imports an HTTP streaming extension (azurefunctions-extensions-http-...), which isn't "
            "emulated: use azure.functions.HttpRequest and HttpResponse"
        )
    functions = [_parse(item) for item in ready["functions"]]
    if not functions:
        raise AppLoadError(
            "the app has no functions: the script file (PYTHON_SCRIPT_FILE_NAME, function_app.py by default) "
            "must exist in the app folder and define one FunctionApp or DFApp with decorated functions"
        )
    return functions


def _parse(item: Mapping[str, Any]) -> Function:
    name = item["name"]
    bindings = [json.loads(text) for text in item["bindings"]]
    if item["retry"]:
        raise UnsupportedFeatureError(
            f"function '{name}' has a retry policy (@app.retry), which isn't emulated: "
            f"retry inside the function, or call an activity with call_activity_with_retry"
        )
    for binding in bindings:
        _check(name, binding)
    triggers = [binding for binding in bindings if binding["type"] in _TRIGGERS]
    if len(triggers) != 1:
        raise AppLoadError(f"function '{name}' must have exactly one trigger; it has {len(triggers)}")
    inputs = tuple(binding for binding in bindings if binding["type"] == "durableClient")
    return Function(id=item["id"], name=name, trigger=triggers[0], inputs=inputs)


def _check(function: str, binding: Mapping[str, Any]) -> None:
    kind = binding["type"]
    if kind not in _TRIGGERS | _OTHERS:
        instead = _INSTEAD.get(
            kind, f"use one of {', '.join(sorted(_TRIGGERS))} and an SDK inside the function"
        )
        raise UnsupportedFeatureError(
            f"function '{function}': the binding '{binding.get('name')}' of type '{kind}' isn't emulated; "
            f"{instead}"
        )


def of_kind(functions: Iterable[Function], kind: str) -> dict[str, Function]:
    """Select the functions with one type of trigger.

    Parameters
    ----------
    functions
        Functions to choose from.
    kind
        Trigger type.

    Returns
    -------
    dict
        By the lower-case name under which they are called (names aren't case-sensitive).
    """
    return {function.durable_name.lower(): function for function in functions if function.kind == kind}
