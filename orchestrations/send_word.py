"""Word of the end of a job or a batch, tried again for a while and then given up."""

from typing import Any

from orchestrations.replies import Steps


def send_word(context: Any, retry: Any) -> Steps[dict[str, Any]]:
    """Run the activity ``notify`` on this orchestrator's input, and say whether it went well."""
    try:
        yield context.call_activity_with_retry("notify", retry, context.get_input())
    except Exception:
        # The Durable SDK raises a bare Exception when the last retry failed.
        return {"delivered": False}
    return {"delivered": True}
