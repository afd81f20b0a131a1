"""The OpenAPI 3.1 document, made from the table of routes and the models of requests and answers."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from function_app.problems import STATUS
from function_app.responses import Problem
from function_app.route import PREFIX, Answer, Route
from function_app.routes import ALWAYS, ROUTES
from tessera import __version__
from tessera.operations import CATALOGUE
from tessera.plan import Output

_REF = "#/components/schemas/{model}"
_ID = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_HEADERS = {
    "ETag": "changes when the answer does; send it back as If-None-Match",
    "Location": "path of the job or batch",
    "Retry-After": "seconds after which to ask again",
}
_ABOUT = """Process images of any size on serverless functions, byte for byte as OpenCV on the whole image.

Send a file: `POST /uploads` gives a URL, PUT the bytes there. Start: `POST /jobs`. Ask: `GET /jobs/{job}`
until the state is final. Fetch: the result's URL. Errors are problem documents (RFC 9457) with a `code` for
programs and a `hint` for people."""

type Json = dict[str, Any]
type References = Mapping[tuple[type[BaseModel], JsonSchemaMode], Json]


@cache
def document() -> Json:
    """Return the document."""
    definitions, references = _schemas()
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tessera",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "MIT"},
        },
        "servers": [{"url": f"/api/{PREFIX}"}],
        "security": [{"key": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in ROUTES)],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x-functions-key"}},
        },
    }


def _schemas() -> tuple[Json, References]:
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [(Problem, "serialization")]
    for route in ROUTES:
        wanted += [(model, "validation") for model in (route.body, route.query) if model]
        wanted += [(answer.model, "serialization") for answer in route.answers.values() if answer.model]
    references, schema = models_json_schema(list(dict.fromkeys(wanted)), ref_template=_REF)
    definitions: Json = schema["$defs"]
    definitions["Step"] = _any_step()
    definitions["Output"] = _any_output(definitions["Output"])
    return definitions, {key: references[key] for key in wanted}


def _any_step() -> Json:
    """Return the schema of a step: one of the operations, with its own parameters."""
    variants = []
    for operation in CATALOGUE.values():
        parameters = operation.parameters.model_json_schema(ref_template="#/$defs/{model}")
        parameters.pop("title", None)
        parameters.pop("description", None)
        required = ["operation", *(["parameters"] if parameters.get("required") else [])]
        variants.append(
            {
                "title": operation.name,
                "description": operation.summary,
                "type": "object",
                "properties": {"operation": {"const": operation.name}, "parameters": _inlined(parameters)},
                "required": required,
                "additionalProperties": False,
            }
        )
    return {"description": "One operation with its parameters.", "oneOf": variants}


def _any_output(schema: Json) -> Json:
    """Return the schema of an output: one of the formats, with options of others at their defaults only."""
    variants, default = [], schema["properties"]["format"]["default"]
    for name in schema["properties"]["format"]["enum"]:
        own = {*Output.options(name), "format"}
        properties = {
            option: given if option in own else {"const": given["default"]}
            for option, given in schema["properties"].items()
        }
        variants.append(
            {
                "title": name,
                "type": "object",
                "properties": {**properties, "format": {"const": name}},
                "required": [] if name == default else ["format"],
                "additionalProperties": False,
            }
        )
    return {"description": schema["description"], "oneOf": variants}


def _inlined(schema: Json) -> Json:
    """Put local definitions where they are referred to."""
    local = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if str(node.get("$ref", "")).startswith("#/$defs/"):
                rest = {name: value for name, value in node.items() if name != "$ref"}
                return {**resolve(local[node["$ref"].removeprefix("#/$defs/")]), **rest}
            return {name: resolve(value) for name, value in node.items()}
        return [resolve(item) for item in node] if isinstance(node, list) else node

    resolved: Json = resolve(schema)
    return resolved


def _operation(route: Route, references: References) -> Json:
    operation: Json = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "parameters": _parameters(route),
        "responses": _responses(route, references),
    }
    if route.body:
        operation["requestBody"] = {
            "required": route.body_required,
            "content": {"application/json": {"schema": references[route.body, "validation"]}},
        }
    if route.is_open:
        operation["security"] = []
    return operation


def _parameters(route: Route) -> list[Json]:
    parts = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    found: list[Json] = [{"name": part, "in": "path", "required": True, "schema": _ID} for part in parts]
    for name, description in route.headers.items():
        schema: Json = {"type": "string"}
        if name == "Idempotency-Key":
            schema |= {"pattern": "^[\\x21-\\x7e]+$", "minLength": 1, "maxLength": 255}
        found.append({"name": name, "in": "header", "description": description, "schema": schema})
    if route.query:
        for name, schema in _inlined(route.query.model_json_schema())["properties"].items():
            found.append({"name": name, "in": "query", **_query_schema(schema)})
    return found


def _query_schema(schema: Json) -> Json:
    """Return description and schema of a query parameter; one that may be None may be left out instead."""
    description = schema.pop("description", "")
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    if kinds:
        schema |= kinds[0]
    if schema.get("default", 0) is None:
        del schema["default"]
    schema.pop("title", None)
    return {"description": description, "schema": schema}


def _responses(route: Route, references: References) -> Json:
    found = {str(status): _answer(answer, references) for status, answer in route.answers.items()}
    codes: dict[int, list[str]] = {}
    for code in dict.fromkeys((*route.problems, *ALWAYS)):
        codes.setdefault(STATUS[code].value, []).append(code)
    for status, names in sorted(codes.items()):
        found[str(status)] = _problem(names, references)
        if status in (429, 503):
            found[str(status)]["headers"] = _headers(("Retry-After",))
    if route.query:
        # An address of more than 8 KiB doesn't come as far as the app.
        found["400"]["content"]["text/plain"] = {"schema": {"type": "string"}}
    if not route.is_open:
        found["401"] = {"description": "The key is missing or wrong"}
    return found


def _answer(answer: Answer, references: References) -> Json:
    found: Json = {"description": answer.description}
    if answer.model:
        found["content"] = {answer.media_type: {"schema": references[answer.model, "serialization"]}}
    elif answer.media_type != "application/json":
        found["content"] = {answer.media_type: {"schema": {"type": "string"}}}
    if answer.headers:
        found["headers"] = _headers(answer.headers)
    return found


def _headers(names: tuple[str, ...]) -> Json:
    return {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}


def _problem(codes: list[str], references: References) -> Json:
    return {
        "description": "Refused: " + ", ".join(f"`{code}`" for code in codes),
        "content": {"application/problem+json": {"schema": references[Problem, "serialization"]}},
    }
