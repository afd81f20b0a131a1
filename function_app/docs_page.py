"""The OpenAPI document as a page to read: one file, no script, nothing from the network."""

import json
from functools import cache
from html import escape
from typing import Any

from function_app import openapi

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
}
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 0 auto; padding: 1rem }
nav ul { columns: 2; padding-left: 1rem } code, pre { font: .9em ui-monospace, monospace }
pre { overflow: auto; padding: .6rem; border: 1px solid #8884; border-radius: .3rem }
section { border-top: 1px solid #8884; margin-top: 1.5rem } .method { font-weight: 700; margin-right: .5rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .2rem .6rem .2rem 0;
border-bottom: 1px solid #8883; vertical-align: top } summary { cursor: pointer }
"""

type Json = dict[str, Any]


@cache
def page() -> str:
    """Return the page."""
    document = openapi.document()
    info, base = document["info"], document["servers"][0]["url"]
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    listed = "".join(
        f'<li><a href="#{operation["operationId"]}"><code>{method.upper()} {escape(path)}</code></a></li>'
        for path, method, operation in operations
    )
    sections = "".join(_section(base, *operation) for operation in operations)
    schemas = "".join(
        f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        f"{_schema(schema)}</details>"
        for name, schema in sorted(document["components"]["schemas"].items())
    )
    about = "".join(f"<p>{escape(part)}</p>" for part in info["description"].split("\n\n"))
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1>{about}"
        '<p>For programs: <a href="openapi.json">openapi.json</a>. The key goes into the header '
        "<code>x-functions-key</code>.</p>"
        f"<nav><ul>{listed}</ul></nav><main>{sections}</main><h2>Schemas</h2>{schemas}</body></html>"
    )


def _section(base: str, path: str, method: str, operation: Json) -> str:
    body = operation.get("requestBody")
    sent = f"<h3>Body</h3><p>{_link(body['content'])}</p>" if body else ""
    return (
        f'<section id="{operation["operationId"]}"><h2><span class="method">{method.upper()}</span>'
        f"<code>{escape(base + path)}</code></h2><p>{escape(operation['summary'])}.</p>"
        f"{_parameters(operation['parameters'])}{sent}{_answers(operation['responses'])}</section>"
    )


def _parameters(parameters: list[Json]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(item['name'])}</code></td><td>{item['in']}</td>"
        f"<td>{escape(_brief(item['schema']))}</td><td>{escape(item.get('description', ''))}</td></tr>"
        for item in parameters
    )
    return f"<h3>Parameters</h3><table>{rows}</table>" if rows else ""


def _answers(responses: Json) -> str:
    rows = "".join(
        f"<tr><td><code>{status}</code></td><td>{_prose(item['description'])}</td>"
        f"<td>{_link(item.get('content', {}))}</td></tr>"
        for status, item in sorted(responses.items())
    )
    return f"<h3>Answers</h3><table>{rows}</table>"


def _prose(text: str) -> str:
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))


def _link(content: Json) -> str:
    found = []
    for kind, item in content.items():
        name = str(item["schema"].get("$ref", "")).rpartition("/")[2]
        found.append(f'<a href="#schema-{escape(name)}">{escape(name)}</a>' if name else escape(kind))
    return ", ".join(found)


def _brief(schema: Json) -> str:
    bounds = [
        f"{name} {schema[name]}" for name in ("minimum", "maximum", "default", "pattern") if name in schema
    ]
    kinds = [str(value) for value in schema.get("enum", [])]
    return "; ".join([" | ".join(kinds) or str(schema.get("type", "")), *bounds])


def _schema(schema: Json) -> str:
    about = f"<p>{_prose(schema['description'])}</p>" if "description" in schema else ""
    return f"{about}<pre>{escape(json.dumps(schema, indent=1, ensure_ascii=False))}</pre>"
