"""What an activity hands back to its orchestrator."""

from collections.abc import Callable
from typing import Any

from activities.store import BlobChanged, BlobMissing
from tessera.errors import InputGone, TesseraError
from tessera.plan import Message


def reply[Order: Message](
    activity: Callable[[Order], Message | None], order_type: type[Order], data: Any
) -> dict[str, Any]:
    """Run *activity* on the order that *data* (parsed JSON) holds.

    Returns
    -------
    dict
        ``{"value": ...}`` or, for an error that trying again can't mend, ``{"fault": ...}``. Any other
        exception is transient and goes through: it is what automatic retries are for.
    """
    try:
        result = activity(order_type.from_json(data))
    except TesseraError as error:
        return {"fault": error.to_json()}
    except (BlobMissing, BlobChanged) as error:
        gone = InputGone(str(error), hint="upload the image again and start a new job")
        return {"fault": gone.to_json()}
    return {"value": result.to_json() if result is not None else None}
