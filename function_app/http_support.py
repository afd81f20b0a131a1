"""What all routes share: reading JSON bodies, writing JSON answers, and turning errors into problems."""

import functools
import json
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import azure.functions as func
from azure.core.exceptions import AzureError
from pydantic import BaseModel, ValidationError

from function_app.problems import Internal, InvalidRequest, Unavailable, problem
from tessera.errors import LimitExceeded, TesseraError

MOST_BODY_BYTES = 64 << 10

type Handler = Callable[..., Coroutine[Any, Any, func.HttpResponse]]

_log = logging.getLogger(__name__)
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def answer(status: int, document: Any = None, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """Return *document* as JSON; without one, an empty body."""
    body = None if document is None else json.dumps(document, ensure_ascii=False, allow_nan=False)
    return func.HttpResponse(
        body, status_code=status, mimetype="application/json", headers={**_HEADERS, **(headers or {})}
    )


def refusal(error: TesseraError) -> func.HttpResponse:
    """Return *error* as a problem document."""
    document = problem(error.to_json())
    headers = {**_HEADERS, **({"Retry-After": "5"} if document["status"] == 503 else {})}
    return func.HttpResponse(
        json.dumps(document, ensure_ascii=False),
        status_code=document["status"],
        mimetype="application/problem+json",
        headers=headers,
    )


def answering_problems(handler: Handler) -> Handler:
    """Return *handler* with every exception answered as a problem; unexpected ones are logged, not told."""

    @functools.wraps(handler)
    async def guarded(*arguments: Any, **named: Any) -> func.HttpResponse:
        try:
            return await handler(*arguments, **named)
        except TesseraError as error:
            return refusal(error)
        except AzureError:
            _log.exception("storage failed in %s", handler.__name__)
            return refusal(Unavailable("storage doesn't answer", hint="try again in a few seconds"))
        except Exception:
            _log.exception("unexpected error in %s", handler.__name__)
            return refusal(Internal("something went wrong that shouldn't", hint="the service's log names it"))

    return guarded


def parse[Model: BaseModel](model: type[Model], body: bytes) -> Model:
    """Return the request that *body* (JSON) holds.

    Raises
    ------
    LimitExceeded
        If the body is longer than ``MOST_BODY_BYTES``.
    InvalidRequest
        If it isn't JSON, or a member is missing, unknown, of another type or out of range; the pointer
        names the first.
    """
    if len(body) > MOST_BODY_BYTES:
        raise LimitExceeded(
            f"the request has {len(body):,} bytes",
            limit=MOST_BODY_BYTES,
            actual=len(body),
            hint="send the image to the upload's URL, and only the job's description here",
        )
    try:
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise _invalid(model, error) from error


def _invalid(model: type[BaseModel], error: ValidationError) -> InvalidRequest:
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        return InvalidRequest(f"the body is not JSON: {first['msg'].removeprefix('Invalid JSON: ')}")
    pointer = "".join(f"/{_escaped(str(part))}" for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    known = f"members: {', '.join(model.model_fields)}"
    return InvalidRequest(
        f"{pointer.removeprefix('/') or 'the body'}: {message}",
        pointer=pointer or None,
        actual=_shown(first["input"]),
        hint=known if len(first["loc"]) <= 1 else None,
    )


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _shown(value: Any) -> str | int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return value[:80] if isinstance(value, str) else None
