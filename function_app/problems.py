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
    "invalid-cursor": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not-found": HTTPStatus.NOT_FOUND,
    "upload-not-found": HTTPStatus.NOT_FOUND,
    "job-not-found": HTTPStatus.NOT_FOUND,
    "batch-not-found": HTTPStatus.NOT_FOUND,
    "method-not-allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "idempotency-conflict": HTTPStatus.CONFLICT,
    "job-is-over": HTTPStatus.CONFLICT,
    "not-retryable": HTTPStatus.CONFLICT,
    "no-result": HTTPStatus.CONFLICT,
    "unsupported-media-type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "invalid-webhook": HTTPStatus.UNPROCESSABLE_ENTITY,
    "quota-exceeded": HTTPStatus.TOO_MANY_REQUESTS,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
}


class ApiError(TesseraError):
    """Root of what is wrong with a request; never raised directly.

    ApiError
    +-- InvalidRequest        the body, the query or a header is not what the route takes
    +-- InvalidCursor         the cursor is none that was given
    +-- NoSuchRoute           there is no such address
    +-- MethodNotAllowed      the address takes other methods
    +-- UnsupportedMedia      the body is not JSON by its own word
    +-- UploadNotFound        there is no such upload
    +-- JobNotFound           there is no such job
    +-- BatchNotFound         there is no such batch
    +-- IdempotencyConflict   the key was used for another request
    +-- JobIsOver             what is over can't be stopped
    +-- NotRetryable          taking the job up again gives the same, or it isn't over
    +-- NoResult              the job has no result, or none yet
    +-- InvalidWebhook        the webhook's address is not one that is called from here
    +-- QuotaExceeded         the caller has too much under way: try again later
    +-- Unavailable           storage or the host doesn't answer: try again
    +-- Internal              a defect; the log has the cause
    """


class InvalidRequest(ApiError):
    """The body or a header is not what the route takes; the pointer names the place in the body."""

    code: ClassVar[str] = "invalid-request"
    title: ClassVar[str] = "The request is refused"


class InvalidCursor(ApiError):
    """The cursor of a list is none that was given, or no longer."""

    code: ClassVar[str] = "invalid-cursor"
    title: ClassVar[str] = "The cursor is refused"


class NoSuchRoute(ApiError):
    """There is nothing at this address."""

    code: ClassVar[str] = "not-found"
    title: ClassVar[str] = "There is nothing at this address"


class MethodNotAllowed(ApiError):
    """The address is known, but not with this method."""

    code: ClassVar[str] = "method-not-allowed"
    title: ClassVar[str] = "The method is not allowed here"


class UnsupportedMedia(ApiError):
    """The body says that it isn't JSON."""

    code: ClassVar[str] = "unsupported-media-type"
    title: ClassVar[str] = "The body must be JSON"


class UploadNotFound(ApiError):
    """There are no bytes under the upload's id: never sent, or removed since."""

    code: ClassVar[str] = "upload-not-found"
    title: ClassVar[str] = "There is no such upload"


class JobNotFound(ApiError):
    """There is no job of this id: never started, or removed since."""

    code: ClassVar[str] = "job-not-found"
    title: ClassVar[str] = "There is no such job"


class BatchNotFound(ApiError):
    """There is no batch of this id: never started, or removed since."""

    code: ClassVar[str] = "batch-not-found"
    title: ClassVar[str] = "There is no such batch"


class IdempotencyConflict(ApiError):
    """The Idempotency-Key was sent before with another body."""

    code: ClassVar[str] = "idempotency-conflict"
    title: ClassVar[str] = "The Idempotency-Key is taken"


class JobIsOver(ApiError):
    """What is over can't be stopped."""

    code: ClassVar[str] = "job-is-over"
    title: ClassVar[str] = "The job is over"


class NotRetryable(ApiError):
    """The job isn't over, has succeeded, or would fail in the same way."""

    code: ClassVar[str] = "not-retryable"
    title: ClassVar[str] = "The job can't be taken up again"


class NoResult(ApiError):
    """The job isn't over, or ended without a result."""

    code: ClassVar[str] = "no-result"
    title: ClassVar[str] = "There is no result"


class InvalidWebhook(ApiError):
    """The address is not https, can't be resolved, or is not a public one."""

    code: ClassVar[str] = "invalid-webhook"
    title: ClassVar[str] = "The webhook is refused"


class QuotaExceeded(ApiError):
    """The caller has too many jobs running, or sent too many pixels today; *retry_after* is in seconds."""

    code: ClassVar[str] = "quota-exceeded"
    title: ClassVar[str] = "The quota is used up"
    retry_after = 60


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
