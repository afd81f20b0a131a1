"""The durable management API: watching, steering and purging orchestrations over HTTP."""

import json
import re
from functools import partial
from typing import Any

from aiohttp import web

from emulator import history, queries, records, status
from emulator.engine import Engine
from emulator.errors import (
    InstanceConflictError,
    UnsupportedFeatureError,
)
from emulator.history import EventType
from emulator.instance_lookup import find_instance
from emulator.queries import InstanceFilter
from emulator.request_query import Query
from emulator.responses import error_response, guarded, json_response
from emulator.rewind import rewind
from emulator.store import Store

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
    """

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine = engine
        self._store = store

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
            ("GET", prefix + "/instances", self._list),
            ("GET", prefix + "/instances/", self._list),
            ("DELETE", prefix + "/instances", self._purge_many),
            ("DELETE", prefix + "/instances/", self._purge_many),
            ("GET", instance, self._status),
            ("DELETE", instance, self._purge_one),
            ("POST", instance + "/raiseEvent/{event}", self._raise_event),
            ("POST", instance + "/{operation:terminate|suspend|resume}", self._steer),
            ("POST", instance + "/rewind", self._rewind),
            ("POST", prefix + "/makeprimary", self._make_primary),
            ("*", prefix + "/entities{rest:.*}", self._entities),
        ):
            router.add_route(method, path, guarded(handler))

    async def _status(self, request: web.Request) -> web.Response:
        query = Query(request)
        instance = await find_instance(self._store, request.match_info["id"])
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
        if (await find_instance(self._store, request.match_info["id"])).is_over:
            return web.Response(status=410)
        if request.content_type.lower() != "application/json":
            return error_response(400, "Only application/json request content is supported")
        try:
            text = json.dumps(json.loads(await request.read() or b"null"))
        except ValueError as error:
            return error_response(
                400, "Invalid JSON content", str(error), "Newtonsoft.Json.JsonReaderException"
            )
        event = history.event(EventType.EVENT_RAISED, Name=request.match_info["event"], Input=text)
        await self._engine.notify(request.match_info["id"], event)
        return web.Response(status=202)

    async def _rewind(self, request: web.Request) -> web.Response:
        instance = await find_instance(self._store, request.match_info["id"])
        if instance.is_over and instance.status != "Failed":
            return web.Response(status=410)
        operation = partial(rewind, instance_id=instance.instance_id, reason=request.query.get("reason"))
        try:
            self._engine.apply(await self._store.write(operation))
        except InstanceConflictError as error:
            return error_response(500, "Something went wrong while processing your request", str(error))
        return web.Response(status=202)

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
