"""HTTP and timer functions of the sample app."""

import logging
import os
import threading
import time

import azure.durable_functions as df
import azure.functions as func

bp = df.Blueprint()


@bp.route(route="hello/{name?}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def hello(req: func.HttpRequest) -> func.HttpResponse:
    logging.info("hello called")
    return func.HttpResponse(f"hello {req.route_params.get('name', 'world')}")


@bp.route(route="echo/{kind:alpha}/{number:int}", methods=["PUT"])
def echo(req: func.HttpRequest) -> func.HttpResponse:
    headers = {"x-method": req.method, "x-number": req.route_params["number"], "x-q": req.params.get("q", "")}
    response = func.HttpResponse(
        req.get_body(), status_code=201, headers=headers, mimetype="application/octet-stream"
    )
    response.headers.add("Set-Cookie", "a=1; Path=/x; HttpOnly; SameSite=Lax; Max-Age=60")
    response.headers.add("Set-Cookie", "b=2; Secure")
    return response


@bp.route(route="files/{*path}", auth_level=func.AuthLevel.ADMIN)
def files(req: func.HttpRequest) -> str:
    return str(req.route_params.get("path", "(none)"))


@bp.route(route="files/special")
def special(req: func.HttpRequest, context: func.Context) -> str:
    return f"{context.function_name} {req.url}"


@bp.route(route="broken")
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("broken on purpose")


@bp.route(route="setting/{name}")
def setting(req: func.HttpRequest) -> str:
    return os.environ.get(req.route_params["name"], "(none)")


@bp.route(route="dies")
def dies(req: func.HttpRequest) -> str:
    os.kill(os.getpid(), 9)
    return "never"


@bp.route(route="threads")
def threads(req: func.HttpRequest) -> str:
    return threading.current_thread().name


@bp.route(route="start/{name}", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    argument = req.get_json() if req.get_body() else None
    instance_id = await client.start_new(req.route_params["name"], req.params.get("id"), argument)
    response: func.HttpResponse = client.create_check_status_response(req, instance_id)
    return response


@bp.route(route="client/{operation}/{id}", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def steer(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Drive the SDK's client, so that the emulator is seen through its eyes."""
    operation, instance_id = req.route_params["operation"], req.route_params["id"]
    try:
        if operation == "status":
            status = await client.get_status(instance_id, show_history=True, show_history_output=True)
            return func.HttpResponse(str(status.to_json()))
        if operation == "raise":
            await client.raise_event(instance_id, req.params["name"], req.get_json())
        elif operation == "purge":
            result = await client.purge_instance_history(instance_id)
            return func.HttpResponse(str(result.instances_deleted))
        elif operation == "wait":
            waited: func.HttpResponse = await client.wait_for_completion_or_create_check_status_response(
                req, instance_id, 5000, 50
            )
            return waited
        else:
            await getattr(client, operation)(instance_id, "by the test")
    except Exception as error:
        return func.HttpResponse(f"{type(error).__name__}: {error}", status_code=409)
    return func.HttpResponse("ok")


@bp.timer_trigger(schedule="%TICK_SCHEDULE%", arg_name="timer", run_on_startup=False)
@bp.durable_client_input(client_name="client")
async def tick(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    await client.start_new("chain", f"tick-{time.time_ns()}", {"past_due": timer.past_due})
