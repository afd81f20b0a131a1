"""How the `tessera` command ends, for scripts."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes; each has the sentence that the help and the guide show."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> "ExitCode":
        """Make a code with its sentence."""
        code = int.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        return code

    DONE = 0, "everything asked for was done"
    FAILED = 1, "a job failed or was refused, a check of doctor failed, or a file of several failed"
    USAGE = 2, "the command line, the configuration or the pipeline is written wrongly; nothing was started"
    NO_CONNECTION = 3, "the service can't be reached, is overloaded, or something else answers there"
    NOT_FOUND = 4, "there is no such job (any more)"
    TIMED_OUT = 5, "the time of --timeout is over; the job goes on"
    INTERRUPTED = 130, "ended by Ctrl-C"
    TERMINATED = 143, "ended by SIGTERM"
