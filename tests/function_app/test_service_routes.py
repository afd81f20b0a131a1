"""The description of the API, the catalogue, plans, and what is answered to every other request."""

import re
import uuid
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from function_app import catalogue, openapi
from function_app.problems import STATUS
from function_app.routes import ALWAYS, ROUTES
from tessera.errors import InvalidPipeline
from tessera.pipeline import bind, check
from tessera.plan import Pixels, Shape, Step
from tessera.presets import PRESETS
from tests.function_app.api import LARGE, SMALL, is_over, order, send, start, until
from tests.support.images import decode, encode, textured

DEEP = encode(textured(50, 60, 3, 16))
IMAGE = {"width": 30_000, "height": 20_000, "format": "jpeg"}


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        return {str(node["$ref"])} if "$ref" in node else set().union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def test_the_document_describes_every_route_and_nothing_else(http: httpx.Client) -> None:
    document = http.get("/api/v1/openapi.json").json()
    assert document == openapi.document()
    assert document["openapi"] == "3.1.0"
    described = {
        (operation["operationId"], method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert described == {(route.name, route.method, route.path) for route in ROUTES}


def test_every_reference_leads_to_a_schema() -> None:
    document = openapi.document()
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= schemas


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_problem_of_a_route_has_a_status(route: Any) -> None:
    assert set(route.problems) <= set(STATUS)
    described = openapi.document()["paths"][route.path][route.method.lower()]["responses"]
    for code in (*route.problems, *ALWAYS):
        assert f"`{code}`" in described[str(STATUS[code].value)]["description"]


class Page(HTMLParser):
    """Collects what a page would load, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: set[str] = set()
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if tag in ("script", "img", "link", "iframe", "object") or "src" in found:
            self.loads.append(tag)
        if tag == "a":
            self.links.add(str(found["href"]))
        if found.get("id"):
            self.anchors.add(str(found["id"]))


def test_the_page_needs_no_network_and_leads_everywhere(http: httpx.Client) -> None:
    answer = http.get("/api/v1/docs")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    page = Page()
    page.feed(answer.text)
    assert page.loads == []
    assert not re.search(r"url\(|@import", answer.text)
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.anchors
    assert {route.name for route in ROUTES} <= page.anchors


def test_readiness_looks_at_storage_and_the_hub(http: httpx.Client) -> None:
    assert http.get("/api/v1/ready").json() == {"status": "ready"}


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/api/v1/nothing", 404, None),
        ("GET", "/api/v1/jobs/1/2/3", 404, None),
        ("PUT", "/api/v1/jobs", 405, "GET, POST"),
        ("PATCH", f"/api/v1/jobs/{'0' * 32}", 405, "DELETE, GET"),
        ("POST", "/api/v1/health", 405, "GET"),
    ],
)
def test_what_is_no_route_is_refused_as_a_problem(
    http: httpx.Client, method: str, path: str, status: int, allow: str | None
) -> None:
    answer = http.request(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers.get("Allow") == allow


def test_a_body_that_says_it_is_no_json_is_refused(http: httpx.Client) -> None:
    answer = http.post("/api/v1/jobs", content=b"a: b", headers={"Content-Type": "application/yaml"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "path",
    [
        "/jobs?limit=0",
        "/jobs?state=lost",
        "/jobs?color=red",
        "/jobs?limit=",
        "/jobs?limit=2&limit=3",
        "/jobs?cursor=%21",
    ],
)
def test_a_query_that_asks_for_nothing_known_is_refused(http: httpx.Client, path: str) -> None:
    answer = http.get(f"/api/v1{path}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")


@pytest.mark.parametrize("cursor", ["AAAA", "AAA", "am9icyBhZnRlciA=", "am9icyBhZnRlciAK"])
def test_a_cursor_that_was_never_given_is_refused(http: httpx.Client, cursor: str) -> None:
    answer = http.get(f"/api/v1/jobs?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-cursor")


@pytest.mark.parametrize("operation", catalogue.operations().operations, ids=lambda entry: entry.name)
def test_what_an_operation_produces_is_what_the_pipeline_check_says(operation: Any) -> None:
    try:
        pipeline = bind([Step(operation=operation.name)])
    except InvalidPipeline:
        assert "required" in operation.parameters
        return
    made = set()
    for channels in operation.accepts.channels:
        for depth in operation.accepts.depths:
            shape = Shape(width=99, height=77, pixels=Pixels(channels=channels, depth=depth))
            with suppress(InvalidPipeline):
                made.add(check(pipeline, shape)[-1].pixels)
    assert set(operation.produces.channels) == {pixels.channels for pixels in made}
    assert set(operation.produces.depths) == {pixels.depth for pixels in made}


def test_every_preset_can_be_sent_as_it_is_given(http: httpx.Client) -> None:
    presets = http.get("/api/v1/presets").json()["presets"]
    assert [preset["name"] for preset in presets] == list(PRESETS)
    for preset in presets:
        answer = http.post("/api/v1/plans", json={"image": IMAGE, "pipeline": preset["pipeline"]})
        assert answer.status_code == 200, answer.text


def test_a_plan_of_an_image_that_is_only_described(http: httpx.Client) -> None:
    pipeline = [{"operation": "median_blur", "parameters": {"ksize": 5}}, {"operation": "canny"}]
    plan = http.post("/api/v1/plans", json={"image": IMAGE, "pipeline": pipeline}).raise_for_status().json()
    assert [stage["name"] for stage in plan["stages"]] == ["median_blur + canny", "canny"]
    assert plan["tiles"] == sum(stage["tiles"] for stage in plan["stages"])
    assert (plan["channels"], plan["depth"], plan["direct"]) == (1, 8, False)
    assert 0 < plan["seconds"]["low"] < plan["seconds"]["high"]
    assert 0 < plan["cost"]["low"] < plan["cost"]["high"]
    assert plan["cost"]["region"]
    assert 0 < plan["memory"] < 1 << 30


def test_a_plan_of_an_upload_is_what_its_job_does(http: httpx.Client) -> None:
    upload = send(http, LARGE)
    body = order(upload)
    plan = http.post("/api/v1/plans", json=body).raise_for_status().json()
    job = http.post("/api/v1/jobs", json=body).raise_for_status().json()["id"]
    ended = until(http, job, is_over).json()
    assert plan["tiles"] == ended["tiles"]["total"]
    assert plan["input"]["width"] == ended["input"]["width"]
    assert plan["cost"]["low"] / 100 < ended["receipt"]["amount"] < plan["cost"]["high"]


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"image": None}, 400, None),
        ({"upload_id": "0" * 32}, 400, None),
        ({"image": {**IMAGE, "width": 0}}, 400, "/image/width"),
        ({"image": {**IMAGE, "width": 10**6, "height": 10**6}}, 413, None),
        ({"image": {**IMAGE, "depth": 16}, "pipeline": [{"operation": "canny"}]}, 422, "/pipeline/0"),
        ({"pipeline": []}, 422, "/pipeline"),
    ],
)
def test_a_plan_is_refused_as_its_job_would_be(
    http: httpx.Client, change: dict[str, Any], status: int, pointer: str | None
) -> None:
    body = {"image": IMAGE, "pipeline": [{"operation": "invert"}], **change}
    answer = http.post("/api/v1/plans", json=body)
    assert (answer.status_code, answer.json().get("pointer")) == (status, pointer)


def test_a_pipeline_that_does_not_suit_the_upload_is_refused_and_no_job_is_there(http: httpx.Client) -> None:
    mine = {"x-ms-client-principal-id": uuid.uuid4().hex}
    answer = http.post("/api/v1/jobs", json=order(send(http, DEEP)), headers=mine)
    assert (answer.status_code, answer.json()["pointer"]) == (422, "/pipeline/0/parameters/ksize")
    answer = http.post("/api/v1/jobs", json=order(send(http, SMALL[:30])), headers=mine)
    assert (answer.status_code, answer.json()["code"]) == (422, "corrupt-image")
    assert http.get("/api/v1/jobs", headers=mine).json()["jobs"] == []


def test_a_small_result_is_its_own_picture(http: httpx.Client) -> None:
    job = start(http, SMALL)
    until(http, job, is_over)
    previews = http.get(f"/api/v1/jobs/{job}/preview").raise_for_status().json()
    types = [httpx.get(previews[of]["url"]).headers["Content-Type"] for of in ("input", "result")]
    assert types == ["image/jpeg", "image/png"] == [previews[of]["media_type"] for of in ("input", "result")]


def test_input_and_result_have_small_pictures(http: httpx.Client) -> None:
    job = start(http, LARGE)
    until(http, job, is_over)
    previews = http.get(f"/api/v1/jobs/{job}/preview").raise_for_status().json()
    for of in ("input", "result"):
        answer = httpx.get(previews[of]["url"]).raise_for_status()
        assert answer.headers["Content-Type"] == previews[of]["media_type"] == "image/jpeg"
        assert 0 < max(decode(answer.content).shape[:2]) <= 2048
