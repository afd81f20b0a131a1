"""The host's HTTP surface: functions, durable management API, admin endpoints."""

import socket
from contextlib import AsyncExitStack

from aiohttp import web
from aiohttp.typedefs import Handler

from emulator.admin_api import AdminApi
from emulator.client_binding import WEBHOOK
from emulator.durable_api import DurableApi
from emulator.http_functions import HttpFunctions
from emulator.keys import Keys
from emulator.start_api import StartApi

# Azure's limit for the body of a request.
_LARGEST_REQUEST = 210 << 20
_SHUTDOWN_GRACE = 1.0
RPC_PREFIX = "/durabletask"

type Management = tuple[StartApi, DurableApi]


def public_app(
    functions: HttpFunctions, management: Management, admin: AdminApi, keys: Keys
) -> web.Application:
    """Build what the outside sees.

    Parameters
    ----------
    functions
        The app's http functions.
    management
        The durable management API.
    admin
        The host's own endpoints.
    keys
        Decides over access.

    Returns
    -------
    Application
        The web application.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(WEBHOOK) and not keys.allow_durable(request):
            return web.Response(status=401)
        if request.path.startswith("/admin/") and not keys.allow_admin(request):
            return web.Response(status=401)
        return await handler(request)

    app = web.Application(client_max_size=_LARGEST_REQUEST, middlewares=[guard])
    for part in management:
        part.add_to(app.router, WEBHOOK)
    admin.add_to(app.router)
    app.router.add_route("*", "/{path:.*}", functions.handle)
    return app


def internal_app(management: Management) -> web.Application:
    """Build what only the worker processes see: the management API without keys.

    Parameters
    ----------
    management
        The durable management API.

    Returns
    -------
    Application
        The web application.
    """
    app = web.Application(client_max_size=_LARGEST_REQUEST)
    for part in management:
        part.add_to(app.router, RPC_PREFIX)
    return app


async def serve(stack: AsyncExitStack, app: web.Application, listener: socket.socket) -> None:
    """Serve an application.

    Parameters
    ----------
    stack
        Ends serving when it is closed; requests under way have a second to finish.
    app
        The application.
    listener
        Listening socket.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_GRACE)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listener).start()
