"""What all routes share: reading JSON bodies, writing JSON answers, and turning errors into problems."""

import functools
import hashlib
import inspect
import json
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import azure.durable_functions as df
import azure.functions as func
from azure.core.exceptions import AzureError
from pydantic import BaseModel, ValidationError

from function_app.json_guard import plain_json
from function_app.problems import (
    Internal,
    InvalidRequest,
    QuotaExceeded,
    Unavailable,
    UnsupportedMedia,
    problem,
)
from function_app.route import Route
from tessera.errors import TesseraError

type Handler = Callable[..., Coroutine[Any, Any, func.HttpResponse]]

POLL_AGAIN = {"Retry-After": "1"}
_log = logging.getLogger(__name__)
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_KEY_PARAMETERS = ("code", "clientId")
"""Query parameters of the Functions host, which carry its key."""


def serve(blueprint: df.Blueprint, route: Route) -> Callable[[Handler], Handler]:
    """Return a decorator that registers a handler for *route*; one that takes a ``client`` is given it."""

    def register(handler: Handler) -> Handler:
        if handler.__name__ != route.name:
            raise TypeError(f"{handler.__name__} serves the route {route.name}")
        guarded = answering_problems(handler)
        if "client" in inspect.signature(handler).parameters:
            guarded = blueprint.durable_client_input(client_name="client")(guarded)
        level = func.AuthLevel.ANONYMOUS if route.is_open else func.AuthLevel.FUNCTION
        blueprint.route(route.template, methods=[route.method], auth_level=level)(guarded)
        return handler

    return register


def answer(
    status: int, document: BaseModel | Any = None, headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    """Return *document* as JSON; without one, an empty body."""
    if isinstance(document, BaseModel):
        document = document.model_dump(mode="json", by_alias=True)
    body = None if document is None else json.dumps(document, ensure_ascii=False, allow_nan=False)
    return func.HttpResponse(
        body, status_code=status, mimetype="application/json", headers={**_HEADERS, **(headers or {})}
    )


def refusal(error: TesseraError, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """Return *error* as a problem document."""
    document = problem(error.to_json())
    again = {503: "5"}.get(document["status"])
    if isinstance(error, QuotaExceeded):
        again = str(error.retry_after)
    return func.HttpResponse(
        json.dumps(document, ensure_ascii=False),
        status_code=document["status"],
        mimetype="application/problem+json",
        headers={**_HEADERS, **({"Retry-After": again} if again else {}), **(headers or {})},
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


def tagged(
    req: func.HttpRequest, document: dict[str, Any], tag: str, headers: Mapping[str, str]
) -> func.HttpResponse:
    """Return *document* with its ETag, or 304 if the caller has what *tag* stands for."""
    named = {"ETag": tag, **headers}
    known = [item.strip().removeprefix("W/") for item in req.headers.get("If-None-Match", "").split(",")]
    if tag.removeprefix("W/") in known:
        return func.HttpResponse(None, status_code=304, headers={**_HEADERS, **named})
    return answer(200, document, named)


def entity_tag(document: Any) -> str:
    """Return a weak ETag that changes with *document*."""
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    return f'W/"{digest[:32]}"'


def body_of[Model: BaseModel](req: func.HttpRequest, route: Route, model: type[Model]) -> Model:
    """Return the request that the body of *req* (JSON) holds.

    Raises
    ------
    UnsupportedMedia
        If it says that it is something else than JSON.
    LimitExceeded
        If it is longer than the route takes, or nested too deeply.
    InvalidRequest
        If it isn't JSON, or a member is missing, unknown, of another type or out of range; the pointer
        names the first.
    """
    kind = req.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    body = req.get_body()
    if kind not in ("", "application/json") and body:
        raise UnsupportedMedia(
            f"the body is said to be {kind[:80]}", hint="send JSON with Content-Type: application/json"
        )
    if not body and not route.body_required:
        body = b"{}"
    return parse(model, body, route.most_body_bytes)


def parse[Model: BaseModel](model: type[Model], body: bytes, most_bytes: int = 64 << 10) -> Model:
    """Return the request that *body* (JSON) holds; see `body_of` for what is refused."""
    text = plain_json(body, most_bytes)
    try:
        return model.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise _invalid(model, error) from error


def query_of[Model: BaseModel](req: func.HttpRequest, model: type[Model]) -> Model:
    """Return what the query of *req* asks for.

    Raises
    ------
    InvalidRequest
        If a parameter is unknown, of another type or out of range.
    """
    # The host's own view leaves out parameters without a value, and joins repeated ones.
    pairs = parse_qsl(urlsplit(req.url).query, keep_blank_values=True)
    given = {name: value for name, value in pairs if name not in _KEY_PARAMETERS}
    if len(given) < sum(name not in _KEY_PARAMETERS for name, _ in pairs):
        raise InvalidRequest("a parameter of the query is given twice", hint="give each once")
    try:
        return model.model_validate(given)
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
