"""The durable management API: starting, watching and steering orchestrations over HTTP."""

import asyncio
import json
import re
import time
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from aiohttp import web

from emulator import history, queries, records, status
from emulator.client_binding import ClientBinding
from emulator.engine import Engine
from emulator.errors import (
    EmulatorError,
    InstanceConflictError,
    InstanceNotFoundError,
    InvalidRequestError,
    UnsupportedFeatureError,
)
from emulator.functions import Function
from emulator.history import EventType
from emulator.http_errors import error_response, json_response
from emulator.queries import InstanceFilter
from emulator.records import Instance
from emulator.replay import unknown_function
from emulator.request_query import Query
from emulator.rewind import rewind
from emulator.settings import HostSettings
from emulator.store import Store
from emulator.transactions import NewInstance

_INVALID_ID = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
_LONGEST_ID = 100
_EVENTS = {
    "terminate": EventType.EXECUTION_TERMINATED,
    "suspend": EventType.EXECUTION_SUSPENDED,
    "resume": EventType.EXECUTION_RESUMED,
}


class DurableApi:
    """Handlers of the management API.

    Parameters
    ----------
    engine
        The task hub.
    store
        Its state.
    orchestrators
        The app's orchestrators by lower-case name.
    settings
        host.json.
    client
        Builds management URLs.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        orchestrators: Mapping[str, Function],
        settings: HostSettings,
        client: ClientBinding,
    ) -> None:
        self._engine = engine
        self._store = store
        self._orchestrators = orchestrators
        self._settings = settings
        self._client = client

    def add_to(self, router: web.UrlDispatcher, prefix: str) -> None:
        """Register the handlers.

        Parameters
        ----------
        router
            Where to.
        prefix
            Path before ``/orchestrators`` and ``/instances``.
        """
        instance = prefix + "/instances/{id}"
        for method, path, handler in (
            ("POST", prefix + "/orchestrators/{name}", self._start),
            ("POST", prefix + "/orchestrators/{name}/", self._start),
            ("POST", prefix + "/orchestrators/{name}/{id}", self._start),
            ("GET", prefix + "/instances", self._list),
            ("GET", prefix + "/instances/", self._list),
            ("DELETE", prefix + "/instances", self._purge_many),
            ("DELETE", prefix + "/instances/", self._purge_many),
            ("GET", instance, self._status),
            ("DELETE", instance, self._purge_one),
            ("POST", instance + "/raiseEvent/{event}", self._raise_event),
            ("POST", instance + "/{operation:terminate|suspend|resume}", self._steer),
            ("POST", instance + "/rewind", self._rewind),
            ("POST", instance + "/restart", self._restart),
            ("POST", prefix + "/makeprimary", self._make_primary),
            ("*", prefix + "/entities{rest:.*}", self._entities),
        ):
            router.add_route(method, path, _guarded(handler))

    async def _start(self, request: web.Request) -> web.Response:
        body = await request.read()
        argument = None
        if body:
            try:
                argument = json.dumps(json.loads(body), ensure_ascii=False)
            except ValueError as error:
                return error_response(
                    400, "Invalid JSON content", str(error), "Newtonsoft.Json.JsonReaderException"
                )
        version = request.query.get("version", self._settings.default_version)
        instance_id = await self._start_new(
            request.match_info["name"], request.match_info.get("id"), argument, version
        )
        return await self._started(request, instance_id)

    async def _start_new(
        self, name: str, instance_id: str | None, argument: str | None, version: str | None
    ) -> str:
        function = self._orchestrators.get(name.lower())
        if function is None:
            known = [known.durable_name for known in self._orchestrators.values()]
            raise InvalidRequestError(unknown_function(name, known, "orchestrator"))
        instance_id = instance_id or uuid.uuid4().hex
        if instance_id.startswith("@"):
            raise InvalidRequestError("Orchestration instance ids must not start with @.")
        if _INVALID_ID.search(instance_id):
            raise InvalidRequestError(
                "Orchestration instance ids must not contain /, \\, #, ?, or control characters."
            )
        if len(instance_id) > _LONGEST_ID:
            raise InvalidRequestError(f"Instance ID lengths must not exceed {_LONGEST_ID} characters.")
        await self._engine.start(NewInstance(instance_id, function.durable_name, argument, version))
        return instance_id

    async def _started(self, request: web.Request, instance_id: str) -> web.Response:
        """Answer with the management URLs, or with the result if the caller waits and it comes in time."""
        query = Query(request)
        timeout, interval = query.number("timeout"), query.number("pollingInterval")
        if timeout is not None and interval is not None:
            if interval > timeout:
                raise InvalidRequestError(
                    f"Total timeout {timeout} should be bigger than retry timeout {interval}"
                )
            instance = await self._wait(instance_id, timeout, interval)
            if instance is not None and instance.status == "Completed":
                return json_response(200, status.lenient(instance.output))
            if instance is not None and instance.is_over:
                return json_response(200, status.show_instance(instance, show_input=True))
        urls = self._client.management_urls(instance_id, str(request.url.origin()))
        del urls["rewindPostUri"]
        headers = {"Location": urls["statusQueryGetUri"], "Retry-After": "10"}
        return json_response(202, urls, headers)

    async def _wait(self, instance_id: str, timeout: float, interval: float) -> Instance | None:
        deadline = time.monotonic() + timeout
        while True:
            instance = await self._find(instance_id)
            left = deadline - time.monotonic()
            if instance.is_over:
                return instance
            if left <= 0:
                return None
            await asyncio.sleep(min(left, interval))

    async def _find(self, instance_id: str) -> Instance:
        instance = await self._store.read(partial(records.find_instance, instance_id=instance_id))
        if instance is None:
            raise InstanceNotFoundError(f"No instance with ID '{instance_id}' found.")
        return instance

    async def _status(self, request: web.Request) -> web.Response:
        query = Query(request)
        instance = await self._find(request.match_info["id"])
        show_input = query.flag("showInput", True)
        shown: dict[str, Any] = status.show_instance(instance, show_input)
        if query.flag("showHistory", False) and instance.status != "Pending":
            texts = await self._store.read(partial(records.find_history, instance_id=instance.instance_id))
            events = [event for text in texts for event in history.from_text(text)]
            shown["historyEvents"] = status.show_history(
                events, query.flag("showHistoryOutput", False), show_input
            )
        if not instance.is_over:
            return json_response(202, shown, {"Location": str(request.url), "Retry-After": "5"})
        failed = instance.status == "Failed" and query.flag("returnInternalServerErrorOnFailure", False)
        return json_response(500 if failed else 200, shown)

    async def _list(self, request: web.Request) -> web.Response:
        query = Query(request)
        size = query.count("top", queries.DEFAULT_PAGE)
        token = request.headers.get("x-ms-continuation-token")
        page, following = await self._store.read(
            partial(queries.list_instances, wanted=_filter(query), size=size, after=token)
        )
        shown = [status.show_instance(instance, query.flag("showInput", True)) for instance in page]
        return json_response(200, shown, {"x-ms-continuation-token": following or ""})

    async def _purge_one(self, request: web.Request) -> web.Response:
        count = await self._store.write(partial(queries.purge_one, instance_id=request.match_info["id"]))
        return web.Response(status=404) if count is None else json_response(200, {"instancesDeleted": count})

    async def _purge_many(self, request: web.Request) -> web.Response:
        wanted = _filter(Query(request))
        if wanted.created_from is None:
            return json_response(400, "Please provide value for 'createdTimeFrom' parameter.")
        count = await self._store.write(partial(queries.purge_many, wanted=wanted))
        return json_response(200, {"instancesDeleted": count}) if count else web.Response(status=404)

    async def _steer(self, request: web.Request) -> web.Response:
        event = history.event(_EVENTS[request.match_info["operation"]], Input=request.query.get("reason"))
        await self._engine.notify(request.match_info["id"], event)
        return web.Response(status=202)

    async def _raise_event(self, request: web.Request) -> web.Response:
        if (await self._find(request.match_info["id"])).is_over:
            return web.Response(status=410)
        if request.content_type.lower() != "application/json":
            return error_response(400, "Only application/json request content is supported")
        try:
            text = json.dumps(json.loads(await request.read() or b"null"), ensure_ascii=False)
        except ValueError as error:
            return error_response(
                400, "Invalid JSON content", str(error), "Newtonsoft.Json.JsonReaderException"
            )
        event = history.event(EventType.EVENT_RAISED, Name=request.match_info["event"], Input=text)
        await self._engine.notify(request.match_info["id"], event)
        return web.Response(status=202)

    async def _rewind(self, request: web.Request) -> web.Response:
        instance = await self._find(request.match_info["id"])
        if instance.is_over and instance.status != "Failed":
            return web.Response(status=410)
        operation = partial(rewind, instance_id=instance.instance_id, reason=request.query.get("reason"))
        try:
            self._engine.apply(await self._store.write(operation))
        except InstanceConflictError as error:
            return error_response(500, "Something went wrong while processing your request", str(error))
        return web.Response(status=202)

    async def _restart(self, request: web.Request) -> web.Response:
        instance_id = request.match_info["id"]
        try:
            instance = await self._find(instance_id)
        except InstanceNotFoundError as error:
            message = "InstanceId does not match a valid orchestration instance."
            return error_response(400, message, str(error), "System.ArgumentException")
        renamed = Query(request).flag("restartWithNewInstanceId", True)
        started = await self._start_new(
            instance.name, None if renamed else instance_id, instance.input, instance.version
        )
        return await self._started(request, started)

    async def _make_primary(self, _request: web.Request) -> web.Response:
        # Without the app lease feature, which is for two apps on one task hub, the extension refuses as well.
        message = "Cannot make current app primary. This app is not using the AppLease feature."
        return error_response(500, "Something went wrong while processing your request", message)

    async def _entities(self, _request: web.Request) -> web.Response:
        raise UnsupportedFeatureError(
            "entities aren't emulated: keep the state in an orchestration or in a blob"
        )


def _filter(query: Query) -> InstanceFilter:
    return InstanceFilter(
        created_from=query.time("createdTimeFrom"),
        created_to=query.time("createdTimeTo"),
        statuses=query.statuses("runtimeStatus"),
        prefix=query.text("instanceIdPrefix"),
    )


def _guarded(handler: Any) -> Any:
    """Turn the emulator's errors into the responses of the extension."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            response: web.StreamResponse = await handler(request)
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
        return response

    return guarded
