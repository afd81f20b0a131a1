"""Routes: whether the service is alive and ready, its description, and an answer for every other address."""

import asyncio
import re

import azure.durable_functions as df
import azure.functions as func

from function_app import docs_page, instances, openapi, routes
from function_app.http_support import answer, answering_problems, refusal, serve
from function_app.problems import MethodNotAllowed, NoSuchRoute, Unavailable
from function_app.responses_service import HealthView, ReadyView
from function_app.route import Route
from function_app.services import services
from tessera import __version__

blueprint = df.Blueprint()
_PROBE = "0" * 32
_PROBE_SECONDS = 5.0


@serve(blueprint, routes.GET_HEALTH)
async def get_health(req: func.HttpRequest) -> func.HttpResponse:
    """Say that the app was loaded and answers: 200."""
    return answer(200, HealthView(version=__version__))


@serve(blueprint, routes.GET_READY)
async def get_ready(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Say whether storage and the task hub can be reached: 200 or 503."""
    probes = {
        "storage": asyncio.to_thread(services().store.probe),
        "the task hub": instances.life(client, _PROBE),
    }
    for name, probe in probes.items():
        try:
            await asyncio.wait_for(probe, _PROBE_SECONDS)
        except Exception as error:
            raise Unavailable(f"{name} can't be reached", hint="try again in a few seconds") from error
    return answer(200, ReadyView())


@serve(blueprint, routes.GET_OPENAPI)
async def get_openapi(req: func.HttpRequest) -> func.HttpResponse:
    """Give the OpenAPI document: 200."""
    return answer(200, openapi.document())


@serve(blueprint, routes.GET_DOCS)
async def get_docs(req: func.HttpRequest) -> func.HttpResponse:
    """Give the description as a page: 200."""
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", **docs_page.HEADERS}
    return func.HttpResponse(docs_page.page(), mimetype="text/html", headers=headers)


@blueprint.route("v1/{*rest}", auth_level=func.AuthLevel.ANONYMOUS)
@answering_problems
async def refuse_route(req: func.HttpRequest) -> func.HttpResponse:
    """Answer for what is no route: 404, or 405 if the address takes other methods."""
    path = f"/{req.route_params.get('rest') or ''}"
    allowed = sorted({route.method for route in routes.ROUTES if _pattern(route).fullmatch(path)})
    if not allowed:
        return refusal(
            NoSuchRoute("there is nothing at this address", hint="GET /api/v1/docs lists the routes")
        )
    error = MethodNotAllowed(f"this address takes {', '.join(allowed)}", hint="use one of these methods")
    return refusal(error, {"Allow": ", ".join(allowed)})


def _pattern(route: Route) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", route.path.replace(".", r"\.")))
