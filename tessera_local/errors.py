"""What can go wrong besides the job itself, whose faults are in its outcome.

LocalError
+-- InputUnusable   the file can't be read, or the order isn't written as the API takes it
+-- WorkerFailed    a worker process ended, or an activity failed, as often as is borne
"""


class LocalError(Exception):
    """Root of the errors of this package."""


class InputUnusable(LocalError):
    """The file can't be read, or the order isn't written as the API takes it: change it."""


class WorkerFailed(LocalError):
    """A task failed each time it was tried, for a reason that isn't its image; the message names it."""
