import asyncio
import json
from collections.abc import Iterator

import azure.functions as func
import pytest
from azure.core.exceptions import ServiceRequestError

from function_app.http_support import answering_problems, refusal
from function_app.problems import STATUS, ApiError, JobNotFound, Unavailable, problem
from tessera.errors import LimitExceeded, TesseraError


def subclasses(root: type[TesseraError]) -> Iterator[type[TesseraError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from subclasses(kind)


KINDS = [kind for kind in subclasses(TesseraError) if kind is not ApiError]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_and_a_title(kind: type[TesseraError]) -> None:
    document = problem(kind("what happened").to_json())
    assert document["status"] == STATUS[kind.code]
    assert document["type"] == f"urn:tessera:problem:{kind.code}"
    assert document["title"] != TesseraError.title
    assert document["detail"] == "what happened"


def test_no_two_errors_share_a_code() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS)


def test_an_unknown_code_is_the_services_own_fault() -> None:
    assert problem({"code": "never-heard-of", "title": "?", "detail": "?"})["status"] == 500


def test_a_refusal_is_a_problem_document_with_all_members() -> None:
    response = refusal(LimitExceeded("too large", limit=5, actual=6, hint="cut it", pointer="/size"))
    assert response.status_code == 413
    assert response.mimetype == "application/problem+json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert json.loads(response.get_body()) == {
        "type": "urn:tessera:problem:limit-exceeded",
        "status": 413,
        "code": "limit-exceeded",
        "title": "The job is too large",
        "detail": "too large",
        "limit": 5,
        "actual": 6,
        "hint": "cut it",
        "pointer": "/size",
    }


def test_unavailable_says_when_to_come_back() -> None:
    assert refusal(Unavailable("later")).headers["Retry-After"] == "5"
    assert "Retry-After" not in refusal(JobNotFound("never")).headers


@pytest.mark.parametrize(("kind", "status"), [(RuntimeError, 500), (ServiceRequestError, 503)])
def test_an_unexpected_error_is_logged_and_not_told(
    kind: type[Exception], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    @answering_problems
    async def handler() -> func.HttpResponse:
        raise kind("open /home/somebody/file")

    response: func.HttpResponse = asyncio.run(handler())
    assert response.status_code == status
    assert b"/home/somebody" not in response.get_body()
    assert b"Traceback" not in response.get_body()
    assert "/home/somebody" in caplog.text
