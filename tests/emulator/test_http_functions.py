"""HTTP-triggered functions, as any Functions host serves them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.emulator.hosting import Host


@pytest.mark.parametrize(("path", "body"), [("/api/hello", "hello world"), ("/api/hello/Ada", "hello Ada")])
def test_an_optional_route_parameter_may_be_missing(host: Host, path: str, body: str) -> None:
    response = host.http.get(path)
    assert (response.status_code, response.text) == (200, body)
    assert response.headers["content-type"].startswith("text/plain")


def test_routes_are_not_case_sensitive(host: Host) -> None:
    assert host.http.get("/API/Hello/Ada").text == "hello Ada"


def test_body_status_headers_and_cookies_pass_through(host: Host) -> None:
    body = bytes(range(256)) * 400
    response = host.http.put("/api/echo/abc/42", params={"q": "a b&c"}, content=body)
    assert response.status_code == 201
    assert response.content == body
    assert response.headers["content-type"] == "application/octet-stream"
    assert [response.headers[name] for name in ("x-method", "x-number", "x-q")] == ["PUT", "42", "a b&c"]
    cookies = response.headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert "a=1" in cookies[0]
    assert "httponly" in cookies[0].lower()
    assert "samesite=lax" in cookies[0].lower()
    assert "b=2" in cookies[1]
    assert "secure" in cookies[1].lower()


@pytest.mark.parametrize(
    "path", ["/api/echo/abc/x1", "/api/echo/a1/1", "/api/echo/abc", "/api/nowhere", "/hello"]
)
def test_a_path_that_no_route_matches_is_not_found(host: Host, path: str) -> None:
    assert host.http.put(path).status_code == 404


def test_a_method_that_no_function_takes_is_not_found(host: Host) -> None:
    assert host.http.delete("/api/hello").status_code == 404


def test_a_catch_all_takes_the_rest_and_a_literal_route_wins_over_it(host: Host) -> None:
    assert host.http.get("/api/files/a/b%20c.txt").text == "a/b c.txt"
    assert host.http.get("/api/files/special").text == f"special {host.url}/api/files/special"


def test_a_function_that_raises_gives_500_without_its_traceback(host: Host) -> None:
    response = host.http.get("/api/broken")
    assert response.status_code == 500
    assert "broken on purpose" not in response.text


def test_sync_functions_run_in_the_thread_pool(host: Host) -> None:
    assert host.http.get("/api/threads").text.startswith("ThreadPoolExecutor")


def test_concurrent_requests_get_their_own_answers(host: Host) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda i: host.http.get(f"/api/hello/{i}").text, range(200))
    assert list(answers) == [f"hello {i}" for i in range(200)]
