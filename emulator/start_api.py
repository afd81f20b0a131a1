"""The durable management API: starting and restarting orchestrations over HTTP."""

import asyncio
import json
import time
import uuid
from collections.abc import Mapping

from aiohttp import web

from emulator import status
from emulator.action_runner import unknown_function
from emulator.client_binding import ClientBinding
from emulator.engine import Engine
from emulator.errors import InstanceNotFoundError, InvalidRequestError
from emulator.functions import Function
from emulator.instance_ids import check_instance_id
from emulator.instance_lookup import find_instance
from emulator.records import Instance
from emulator.request_query import Query
from emulator.responses import error_response, guarded, json_response
from emulator.store import Store
from emulator.transactions import NewInstance


class StartApi:
    """Handlers that start orchestrations.

    Parameters
    ----------
    engine
        The task hub.
    store
        Its state.
    orchestrators
        The app's orchestrators by lower-case name.
    version
        Version of new orchestrations, from host.json.
    client
        Builds management URLs.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        orchestrators: Mapping[str, Function],
        version: str | None,
        client: ClientBinding,
    ) -> None:
        self._engine = engine
        self._store = store
        self._orchestrators = orchestrators
        self._version = version
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
        for path in ("/orchestrators/{name}", "/orchestrators/{name}/", "/orchestrators/{name}/{id}"):
            router.add_post(prefix + path, guarded(self._start))
        router.add_post(prefix + "/instances/{id}/restart", guarded(self._restart))

    async def _start(self, request: web.Request) -> web.Response:
        body = await request.read()
        argument = None
        if body:
            try:
                argument = json.dumps(json.loads(body))
            except ValueError as error:
                return error_response(
                    400, "Invalid JSON content", str(error), "Newtonsoft.Json.JsonReaderException"
                )
        version = request.query.get("version", self._version)
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
        check_instance_id(instance_id)
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
            instance = await find_instance(self._store, instance_id)
            left = deadline - time.monotonic()
            if instance.is_over:
                return instance
            if left <= 0:
                return None
            await asyncio.sleep(min(left, interval))

    async def _restart(self, request: web.Request) -> web.Response:
        instance_id = request.match_info["id"]
        try:
            instance = await find_instance(self._store, instance_id)
        except InstanceNotFoundError as error:
            message = "InstanceId does not match a valid orchestration instance."
            return error_response(400, message, str(error), "System.ArgumentException")
        renamed = Query(request).flag("restartWithNewInstanceId", True)
        started = await self._start_new(
            instance.name, None if renamed else instance_id, instance.input, instance.version
        )
        return await self._started(request, started)
