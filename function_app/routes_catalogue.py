"""Routes: what can be done."""

import azure.durable_functions as df
import azure.functions as func

from function_app import catalogue, routes
from function_app.http_support import answer, serve

blueprint = df.Blueprint()


@serve(blueprint, routes.LIST_OPERATIONS)
async def list_operations(req: func.HttpRequest) -> func.HttpResponse:
    """List the operations with their parameters as JSON Schema: 200."""
    return answer(200, catalogue.operations())


@serve(blueprint, routes.LIST_PRESETS)
async def list_presets(req: func.HttpRequest) -> func.HttpResponse:
    """List the stored pipelines: 200."""
    return answer(200, catalogue.presets())
