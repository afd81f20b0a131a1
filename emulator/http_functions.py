"""Serves the app's http-triggered functions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from emulator.client_binding import ClientBinding
from emulator.errors import WorkerDiedError
from emulator.functions import Function
from emulator.invocation import FunctionError
from emulator.keys import Keys
from emulator.pool import WorkerPool
from emulator.routes import Route, compile_route
from emulator.worker import HTTP


@dataclass(frozen=True)
class Endpoint:
    """An http function with its route and methods (None: all of them)."""

    function: Function
    route: Route
    methods: frozenset[str] | None
    level: str


def endpoints(functions: Iterable[Function], prefix: str) -> list[Endpoint]:
    """Find the http functions and their routes.

    Parameters
    ----------
    functions
        The app's functions.
    prefix
        Route prefix of host.json, without slashes.

    Returns
    -------
    list of Endpoint
        The more specific routes first.

    Raises
    ------
    ConfigurationError
        When a route is malformed.
    UnsupportedFeatureError
        When a route uses a constraint that isn't emulated.
    """
    found = []
    for function in functions:
        if function.kind != HTTP:
            continue
        template = str(function.trigger.get("route") or function.name).strip("/")
        route = compile_route(f"{prefix}/{template}" if prefix else template, function.name)
        methods = function.trigger.get("methods")
        level = str(function.trigger.get("authLevel") or "function").lower()
        allowed = frozenset(str(method).upper() for method in methods) if methods else None
        found.append(Endpoint(function, route, allowed, level))
    return sorted(found, key=lambda endpoint: endpoint.route.order)


class HttpFunctions:
    """Passes requests to http functions and their responses back.

    Parameters
    ----------
    found
        The endpoints, in the order in which they are tried.
    pool
        The workers.
    keys
        Decides over access.
    client
        Makes the value of durable client bindings.
    """

    def __init__(
        self, found: Iterable[Endpoint], pool: WorkerPool, keys: Keys, client: ClientBinding
    ) -> None:
        self._endpoints = list(found)
        self._pool = pool
        self._keys = keys
        self._client = client

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve a request.

        Parameters
        ----------
        request
            Any request that no other handler took.

        Returns
        -------
        StreamResponse
            The function's response; 404 without a function, 401 without a key, 500 when the function raised,
            502 when its worker died.
        """
        path = unquote(request.rel_url.raw_path).strip("/")
        for endpoint in self._endpoints:
            if endpoint.methods is not None and request.method not in endpoint.methods:
                continue
            parameters = endpoint.route.match(path)
            if parameters is not None:
                if not self._keys.allow_function(request, endpoint.function.name, endpoint.level):
                    return web.Response(status=401)
                return await self._call(endpoint.function, request, parameters)
        return web.Response(status=404)

    async def _call(
        self, function: Function, request: web.Request, parameters: Mapping[str, str]
    ) -> web.StreamResponse:
        inputs = [
            {"name": function.trigger["name"], "kind": "http", "value": _describe(request, parameters)},
            *self._client.inputs(function),
        ]
        body = await request.read()
        worker = await self._pool.wait_for_slot(HTTP)
        try:
            header, payload = await worker.invoke(function.id, function.name, HTTP, inputs, body)
        except FunctionError:
            return web.Response(status=500)
        except WorkerDiedError as error:
            return web.Response(status=502, text=str(error))
        finally:
            self._pool.give_back(worker, HTTP)
        return _response(header, payload)


def _describe(request: web.Request, parameters: Mapping[str, str]) -> dict[str, Any]:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    query: dict[str, str] = {}
    for name, value in request.query.items():
        if value:
            query[name] = f"{query[name]},{value}" if name in query else value
    return {
        "method": request.method,
        "url": str(request.url),
        "headers": headers,
        "params": dict(parameters),
        "query": query,
    }


def _response(header: Mapping[str, Any], body: bytes) -> web.Response:
    if header["kind"] is None:
        return web.Response(status=204)
    if header["kind"] != "http":
        kind = "application/json" if header["kind"] == "json" else "text/plain"
        return web.Response(body=body, content_type=kind, charset="utf-8")
    headers = {name: value for name, value in header["headers"].items() if name.lower() != "content-length"}
    response = web.Response(status=int(header["status"]), headers=headers, body=body)
    for cookie in header["cookies"]:
        response.set_cookie(
            cookie["name"],
            cookie["value"],
            domain=cookie["domain"] or None,
            path=cookie["path"] or "/",
            max_age=int(cookie["max_age"]) if cookie["max_age"] is not None else None,
            secure=bool(cookie["secure"]),
            httponly=bool(cookie["http_only"]),
            samesite=cookie["same_site"],
        )
    return response
