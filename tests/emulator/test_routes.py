"""Route templates."""

import pytest

from emulator.errors import ConfigurationError, UnsupportedFeatureError
from emulator.routes import compile_route


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("api/items/{id}", "api/items/7", {"id": "7"}),
        ("api/items/{id}", "API/Items/a b", {"id": "a b"}),
        ("api/items/{id}", "api/items", None),
        ("api/items/{id}", "api/items/7/8", None),
        ("items/{id:int}", "items/-7", {"id": "-7"}),
        ("items/{id:int}", "items/7a", None),
        ("items/{id:int?}", "items", {}),
        (
            "items/{id:guid}",
            "items/01234567-89ab-cdef-0123-456789abcdef",
            {"id": "01234567-89ab-cdef-0123-456789abcdef"},
        ),
        ("items/{id:guid}", "items/0123", None),
        ("items/{id=5}", "items", {"id": "5"}),
        ("items/{id=5}", "items/6", {"id": "6"}),
        ("items/{a}-{b}.json", "items/x-y.json", {"a": "x", "b": "y"}),
        ("files/{*path}", "files/a/b/c", {"path": "a/b/c"}),
        ("files/{*path}", "files", {}),
        ("files/{**path}", "files/a/b", {"path": "a/b"}),
        ("a.b/{x}", "aXb/1", None),
        ("w/{x:length(2)}", "w/ab", {"x": "ab"}),
        ("w/{x:length(2)}", "w/abc", None),
        ("w/{x:minlength(2)}", "w/a", None),
        ("w/{x:maxlength(2)}", "w/abc", None),
        ("w/{x:length(1,3)}", "w/abc", {"x": "abc"}),
        ("w/{x:alpha:maxlength(3)}", "w/ab1", None),
        ("", "", {}),
    ],
)
def test_templates_match_like_asp_net_routes(
    template: str, path: str, expected: dict[str, str] | None
) -> None:
    assert compile_route(template, "f").match(path) == expected


def test_the_more_specific_route_comes_first() -> None:
    templates = ["files/{*path}", "files/{name}", "files/{name:int}", "files/index", "files/{name}/raw"]
    routes = sorted((compile_route(template, "f") for template in templates), key=lambda route: route.order)
    assert [
        next(r.template for r in routes if r.match(path) is not None)
        for path in ("files/index", "files/7", "files/a", "files/a/raw", "files/a/b/c")
    ] == ["files/index", "files/{name:int}", "files/{name}", "files/{name}/raw", "files/{*path}"]


def test_an_unknown_constraint_is_refused_with_what_exists() -> None:
    with pytest.raises(
        UnsupportedFeatureError, match=r"function 'f': the route constraint 'datetime'.*use one of int"
    ):
        compile_route("x/{a:datetime}", "f")


@pytest.mark.parametrize("template", ["x/{a", "x/a}", "x/{1a}", "x/{}"])
def test_a_malformed_template_is_refused(template: str) -> None:
    with pytest.raises(ConfigurationError, match="malformed"):
        compile_route(template, "f")
