"""A function app that uses everything the emulator has; the conformance tests run it."""

import logging

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.route(route="hello/{name?}", methods=["GET", "POST"])
async def hello(req: func.HttpRequest) -> func.HttpResponse:
    logging.info("hello called")
    return func.HttpResponse(f"hello {req.route_params.get('name', 'world')}")


@app.route(route="start/{name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    argument = req.get_json() if req.get_body() else None
    instance_id = await client.start_new(req.route_params["name"], req.params.get("id"), argument)
    return client.create_check_status_response(req, instance_id)


@app.orchestration_trigger(context_name="context")
def fan_out(context: df.DurableOrchestrationContext):
    n = context.get_input() or 3
    results = yield context.task_all([context.call_activity("double", i) for i in range(n)])
    return sum(results)


@app.activity_trigger(input_name="value")
def double(value: int) -> int:
    return 2 * value
