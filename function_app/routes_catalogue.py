"""Routes: what can be done, and whether the service is alive."""

from typing import Any

import azure.durable_functions as df
import azure.functions as func

from function_app.http_support import answer, answering_problems
from tessera import __version__
from tessera.operations import CATALOGUE, AnyOperation

blueprint = df.Blueprint()


@blueprint.route("v1/operations", methods=["GET"])
@answering_problems
async def list_operations(req: func.HttpRequest) -> func.HttpResponse:
    """List the operations with their parameters as JSON Schema: 200."""
    return answer(200, {"operations": [describe(operation) for operation in CATALOGUE.values()]})


@blueprint.route("v1/health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering_problems
async def get_health(req: func.HttpRequest) -> func.HttpResponse:
    """Say that the app was loaded and answers: 200."""
    return answer(200, {"status": "ok", "version": __version__})


def describe(operation: AnyOperation) -> dict[str, Any]:
    """Return the catalogue entry of an operation as JSON."""
    return {
        "name": operation.name,
        "summary": operation.summary,
        "class": operation.kind,
        "exact": True,
        "parameters": operation.parameters.model_json_schema(),
        "accepts": {"channels": list(operation.channels), "depths": list(operation.depths)},
    }
