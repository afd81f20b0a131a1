"""How the extension words the failure of an activity."""

import json

from emulator import history
from emulator.history import Event, EventType
from emulator.invocation import FunctionError


def activity_failed(task_id: int, name: str, error: FunctionError) -> Event:
    """Make the event for an activity that raised.

    Parameters
    ----------
    task_id
        Its task number.
    name
        Its name.
    error
        What it raised.

    Returns
    -------
    dict
        TaskFailed event with reason and details as the SDK shows them to the orchestrator.
    """
    remote = f"Result: Failure\nException: {error}\nStack: {error.stack}"
    inner = {"ClassName": "Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException", "Message": remote}
    details = {
        "$type": "System.Exception, System.Private.CoreLib",
        "ClassName": "System.Exception",
        "Message": f" {error}",
        "Data": None,
        "InnerException": inner,
    }
    return failed(task_id, f"Activity function '{name}' failed:  {error}", json.dumps(details))


def failed(task_id: int, reason: str, details: str | None = None) -> Event:
    """Make the event for an activity that failed.

    Parameters
    ----------
    task_id
        Its task number.
    reason, details
        What the orchestrator is told.

    Returns
    -------
    dict
        TaskFailed event.
    """
    return history.event(
        EventType.TASK_FAILED, TaskScheduledId=task_id, Reason=reason, Details=details, FailureDetails=None
    )
