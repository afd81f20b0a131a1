"""JSON responses in the form of the Durable extension."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web


def json_response(status: int, content: Any, headers: Mapping[str, str] | None = None) -> web.Response:
    """Make a JSON response.

    Parameters
    ----------
    status
        HTTP status code.
    content
        What to encode.
    headers
        Further headers.

    Returns
    -------
    Response
        The response.
    """
    body = json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return web.Response(
        status=status, body=body, content_type="application/json", charset="utf-8", headers=headers
    )


def error_response(
    status: int, message: str, detail: str | None = None, kind: str | None = None
) -> web.Response:
    """Make an error response.

    Parameters
    ----------
    status
        HTTP status code.
    message
        What went wrong in general.
    detail
        What exactly, for the SDK's exception.
    kind
        Name of the exception type the extension would name.

    Returns
    -------
    Response
        The response.
    """
    content: dict[str, Any] = {"Message": message}
    if detail is not None:
        content |= {"ExceptionMessage": detail, "ExceptionType": kind or "System.InvalidOperationException"}
    return json_response(status, content)
