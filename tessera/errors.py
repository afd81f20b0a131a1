"""What can be wrong with a job for good.

TesseraError
+-- InvalidPipeline      an operation or a parameter is refused
+-- InvalidOutput        the output format can't hold the result
+-- UnsupportedFormat    the upload is not an image of a known format
+-- CorruptImage         the upload is damaged, truncated or has no pixels
+-- LimitExceeded        the job is larger than this installation allows
+-- InputGone            the upload or an intermediate raster is missing or was changed
+-- GaveUp               the same task ended its process three times
+-- Cancelled            somebody asked for the job to stop

Each is permanent: trying again gives the same. Activities hand them back as results, so that automatic
retries are kept for transient faults (storage, network, a lost instance), which are other exceptions.
"""

from typing import Any, ClassVar


class TesseraError(Exception):
    """Carry what a caller needs to act: never raised directly.

    Parameters
    ----------
    detail
        One sentence for people, with the figures of this case.
    hint
        What to do about it.
    limit, actual
        The bound that was crossed and the value that crossed it, where there is one.
    pointer
        JSON pointer into the request body, such as ``/pipeline/0/parameters/ksize``.
    """

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "The job can't be done"

    def __init__(
        self,
        detail: str,
        *,
        hint: str | None = None,
        limit: int | str | None = None,
        actual: int | str | None = None,
        pointer: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.limit = limit
        self.actual = actual
        self.pointer = pointer

    def to_json(self) -> dict[str, Any]:
        """Return the error as plain JSON, without the members that are not set."""
        members = {
            "code": self.code,
            "title": self.title,
            "detail": self.detail,
            "hint": self.hint,
            "limit": self.limit,
            "actual": self.actual,
            "pointer": self.pointer,
        }
        return {name: value for name, value in members.items() if value is not None}


class InvalidPipeline(TesseraError):
    """An operation is unknown, a parameter is out of range, or the pixels don't suit the operation."""

    code = "invalid-pipeline"
    title = "The pipeline is refused"


class InvalidOutput(TesseraError):
    """The output format can't hold the result, or one of its options is out of range."""

    code = "invalid-output"
    title = "The output is refused"


class UnsupportedFormat(TesseraError):
    """The first bytes are not those of a format that is read here."""

    code = "unsupported-format"
    title = "The upload is not an image that can be read"


class CorruptImage(TesseraError):
    """The file is truncated, damaged, empty, or has no pixels."""

    code = "corrupt-image"
    title = "The image is damaged"


class LimitExceeded(TesseraError):
    """The image or the work on it is larger than this installation allows."""

    code = "limit-exceeded"
    title = "The job is too large"


class InputGone(TesseraError):
    """Something the task reads is missing, or is no longer what was inspected."""

    code = "input-gone"
    title = "The input is no longer there"


class GaveUp(TesseraError):
    """The same task was started as often as allowed and never came to an end."""

    code = "gave-up"
    title = "The work ends its process each time"


class Cancelled(TesseraError):
    """The job was asked to stop before the task began."""

    code = "cancelled"
    title = "The job was cancelled"
