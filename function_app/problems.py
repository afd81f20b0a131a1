"""Errors as problem documents (RFC 9457): the one table from an error's code to its HTTP status."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar, Final

from tessera.errors import TesseraError

STATUS: Final[Mapping[str, HTTPStatus]] = {
    # What a job can end with.
    "invalid-pipeline": HTTPStatus.UNPROCESSABLE_ENTITY,
    "invalid-output": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unsupported-format": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "corrupt-image": HTTPStatus.UNPROCESSABLE_ENTITY,
    "limit-exceeded": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "input-gone": HTTPStatus.GONE,
    "gave-up": HTTPStatus.INTERNAL_SERVER_ERROR,
    "cancelled": HTTPStatus.CONFLICT,
    "job-lost": HTTPStatus.INTERNAL_SERVER_ERROR,
    # What a request can be answered with.
    "invalid-request": HTTPStatus.BAD_REQUEST,
    "upload-not-found": HTTPStatus.NOT_FOUND,
    "job-not-found": HTTPStatus.NOT_FOUND,
    "idempotency-conflict": HTTPStatus.CONFLICT,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
}


class ApiError(TesseraError):
    """Root of what is wrong with a request; never raised directly.

    ApiError
    +-- InvalidRequest        the body or a header is not what the route takes
    +-- UploadNotFound        there is no such upload
    +-- JobNotFound           there is no such job
    +-- IdempotencyConflict   the key was used for another job
    +-- Unavailable           storage or the host doesn't answer: try again
    +-- Internal              a defect; the log has the cause
    """


class InvalidRequest(ApiError):
    """The body or a header is not what the route takes; the pointer names the place in the body."""

    code: ClassVar[str] = "invalid-request"
    title: ClassVar[str] = "The request is refused"


class UploadNotFound(ApiError):
    """There are no bytes under the upload's id: never sent, or removed since."""

    code: ClassVar[str] = "upload-not-found"
    title: ClassVar[str] = "There is no such upload"


class JobNotFound(ApiError):
    """There is no job of this id: never started, or removed since."""

    code: ClassVar[str] = "job-not-found"
    title: ClassVar[str] = "There is no such job"


class IdempotencyConflict(ApiError):
    """The Idempotency-Key was sent before with another body."""

    code: ClassVar[str] = "idempotency-conflict"
    title: ClassVar[str] = "The Idempotency-Key is taken"


class Unavailable(ApiError):
    """Storage or the Functions host didn't answer, also not when asked again."""

    code: ClassVar[str] = "unavailable"
    title: ClassVar[str] = "The service is busy"


class Internal(ApiError):
    """The service failed; what happened is in its log only."""

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "The service failed"


def problem(error: Mapping[str, Any]) -> dict[str, Any]:
    """Return the problem document of an error given by its members (`tessera.errors.TesseraError.to_json`).

    A code that is not in the table is the service's own fault: status 500.
    """
    status = STATUS.get(error["code"], HTTPStatus.INTERNAL_SERVER_ERROR)
    return {"type": f"urn:tessera:problem:{error['code']}", "status": status.value, **error}
