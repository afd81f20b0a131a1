"""JSON and error responses in the form of the Durable extension."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from emulator.errors import (
    EmulatorError,
    InstanceConflictError,
    InstanceNotFoundError,
    InvalidRequestError,
    UnsupportedFeatureError,
)


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
    body = json.dumps(content).encode()
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


def guarded(handler: Handler) -> Handler:
    """Turn the emulator's errors into the responses of the extension.

    Parameters
    ----------
    handler
        Handler that may raise them.

    Returns
    -------
    Handler
        Handler that answers instead.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except InstanceNotFoundError:
            return web.Response(status=404)
        except InstanceConflictError as error:
            if "/orchestrators/" in request.path or request.path.endswith("/restart"):
                message = "Something went wrong while processing your request"
                return error_response(500, message, str(error), "System.InvalidOperationException")
            return web.Response(status=410)
        except InvalidRequestError as error:
            message = "One or more of the arguments submitted is incorrect"
            return error_response(400, message, str(error), "System.ArgumentException")
        except UnsupportedFeatureError as error:
            return error_response(501, str(error))
        except EmulatorError as error:
            return error_response(500, "Something went wrong while processing your request", str(error))

    return answer
