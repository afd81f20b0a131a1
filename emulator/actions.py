"""What an orchestrator function returned, and the decisions that follow from it."""

import json
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from emulator.errors import EmulatorError, UnsupportedFeatureError

# In bytes; the extension measures the JSON text in UTF-16.
_LARGEST_CUSTOM_STATUS = 16 * 1024
_OUT_OF_PROC_LABEL = "\n\n$OutOfProcData$:"


class ActionType(IntEnum):
    """Numbers of the actions in the replay protocol."""

    CALL_ACTIVITY = 0
    CALL_ACTIVITY_WITH_RETRY = 1
    CALL_SUB_ORCHESTRATOR = 2
    CALL_SUB_ORCHESTRATOR_WITH_RETRY = 3
    CONTINUE_AS_NEW = 4
    CREATE_TIMER = 5
    WAIT_FOR_EXTERNAL_EVENT = 6
    CALL_ENTITY = 7
    CALL_HTTP = 8
    SIGNAL_ENTITY = 9
    SCHEDULED_SIGNAL_ENTITY = 10
    WHEN_ANY = 11
    WHEN_ALL = 12


_REFUSED: dict[object, str] = {
    ActionType.CALL_ENTITY: "call_entity isn't emulated: keep the state in an orchestration or in a blob",
    ActionType.SIGNAL_ENTITY: "signal_entity isn't emulated: keep the state in an orchestration or in a blob",
    ActionType.SCHEDULED_SIGNAL_ENTITY: "signal_entity isn't emulated: use a timer and an activity",
    ActionType.CALL_HTTP: "call_http isn't emulated: make the HTTP call in an activity",
}


class InvalidOrchestratorError(EmulatorError):
    """The orchestrator's answer breaks the protocol or asks for something that is refused."""


@dataclass(frozen=True)
class OrchestratorAnswer:
    """What the SDK answered for one episode: all actions since its start, and the end if any."""

    actions: list[dict[str, Any]] = field(default_factory=list)
    is_done: bool = False
    output: str | None = None
    error: str | None = None
    details: str | None = None
    custom_status: str | None = None


@dataclass(frozen=True)
class ScheduleActivity:
    """Run an activity; ``input`` is the JSON text the SDK made of its argument."""

    id: int
    name: str
    input: str


@dataclass(frozen=True)
class CreateTimer:
    """Wake the orchestration at a time (ISO 8601, UTC)."""

    id: int
    fire_at: str


@dataclass(frozen=True)
class CreateSubOrchestration:
    """Start a sub-orchestration; ``input`` is a JSON text."""

    id: int
    name: str
    instance_id: str
    input: str
    version: str | None


Decision = ScheduleActivity | CreateTimer | CreateSubOrchestration


def parse_answer(text: str) -> OrchestratorAnswer:
    """Read the state that the SDK returned.

    Parameters
    ----------
    text
        JSON text of the state.

    Returns
    -------
    OrchestratorAnswer
        Its content.

    Raises
    ------
    InvalidOrchestratorError
        When the text isn't such a state.
    """
    try:
        state = json.loads(text)
        (actions,) = state["actions"]
        answer = OrchestratorAnswer(
            actions=actions,
            is_done=bool(state["isDone"]),
            output=json.dumps(state["output"]) if "output" in state else None,
            error=state.get("error"),
            custom_status=json.dumps(state["customStatus"]) if "customStatus" in state else None,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidOrchestratorError(f"the orchestrator returned no valid state: {error}") from error
    _check_custom_status(state.get("customStatus"))
    return answer


def _check_custom_status(status: Any) -> None:
    text = json.dumps(status, ensure_ascii=False)
    size = len(text.encode("utf-16-le", "surrogatepass"))
    if size > _LARGEST_CUSTOM_STATUS:
        raise InvalidOrchestratorError(
            f"The UTF-16 size of the JSON-serialized payload must not exceed 16 KB. The current payload is "
            f"{size // 1024} KB: set a smaller custom status"
        )


def parse_failure(message: str, stack: str) -> OrchestratorAnswer:
    """Read the state that the SDK puts into the exception of a failed orchestrator.

    Parameters
    ----------
    message
        The exception's message.
    stack
        Its traceback.

    Returns
    -------
    OrchestratorAnswer
        The state, with ``error`` set.

    Raises
    ------
    InvalidOrchestratorError
        When the exception holds no state, as when the SDK itself failed.
    """
    _, label, state = message.partition(_OUT_OF_PROC_LABEL)
    if not label:
        raise InvalidOrchestratorError(message)
    answer = parse_answer(state)
    error = answer.error or message
    return OrchestratorAnswer(
        actions=answer.actions,
        error=error,
        details=f"Message: {error}, StackTrace: {stack.partition(_OUT_OF_PROC_LABEL)[0]}",
        custom_status=answer.custom_status,
    )


def as_text(argument: Any) -> str:
    """Give the JSON text of an argument.

    Parameters
    ----------
    argument
        The text itself, which is what the SDK sends, or a value.

    Returns
    -------
    str
        JSON text.
    """
    return argument if isinstance(argument, str) else json.dumps(argument)


def refusal(action: dict[str, Any]) -> UnsupportedFeatureError:
    """Make the error for an action that can't be carried out.

    Parameters
    ----------
    action
        Action of a type the replay doesn't handle.

    Returns
    -------
    UnsupportedFeatureError
        It says what to use instead.
    """
    kind = action.get("actionType")
    return UnsupportedFeatureError(_REFUSED.get(kind) or f"the action type {kind!r} isn't known")
