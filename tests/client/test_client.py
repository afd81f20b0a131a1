import hashlib
import io
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import tessera_client
from tessera_client import (
    ApiError,
    Client,
    ConnectionFailed,
    DownloadFailed,
    Job,
    JobFailed,
    NotFound,
    Output,
    Refused,
    Unavailable,
    UnexpectedResponse,
    WaitTimedOut,
    parse_step,
)
from tessera_client.polling import Patience
from tests.client.conftest import QUICK
from tests.client.fake_api import FakeApi, Fault


@pytest.fixture
def uploaded(api: FakeApi) -> str:
    api.blobs["uploads/up"] = b"pixels"
    return "up"


def test_every_public_name_can_be_imported() -> None:
    assert all(getattr(tessera_client, name) is not None for name in tessera_client.__all__)


def test_health_tells_the_version(client: Client) -> None:
    assert (client.health().status, client.health().version) == ("ok", "9.9")


def test_operations_carry_class_and_schema(client: Client) -> None:
    canny, median = client.operations()
    assert (canny.name, canny.exactness) == ("canny", "global")
    assert canny.accepts == {"channels": [1, 3], "depths": [8]}
    assert median.parameters["required"] == ["ksize"]


def test_a_job_is_sent_as_the_api_wants_it(api: FakeApi, client: Client, uploaded: str) -> None:
    steps = [parse_step("median_blur:ksize=11"), parse_step("invert")]
    job = client.submit(uploaded, steps, Output("jpeg", quality=90))
    assert (job.id, job.state, job.finished) == ("job-1", "queued", False)
    (sent,) = api.sent("POST", "/jobs")
    assert sent.json == {
        "upload_id": "up",
        "pipeline": [
            {"operation": "median_blur", "parameters": {"ksize": 11}},
            {"operation": "invert", "parameters": {}},
        ],
        "output": {"format": "jpeg", "quality": 90},
    }


def test_an_answer_lost_on_the_way_does_not_start_two_jobs(
    api: FakeApi, client: Client, uploaded: str
) -> None:
    api.faults.append(Fault("POST", "/jobs", cut_after=0))
    assert client.submit(uploaded, []).id == "job-1"
    first, second = api.sent("POST", "/jobs")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert len(api.jobs) == 1


def test_two_submissions_start_two_jobs_unless_they_share_a_key(client: Client, uploaded: str) -> None:
    assert client.submit(uploaded, []).id != client.submit(uploaded, []).id
    same = [client.submit(uploaded, [], idempotency_key="k").id for _ in range(2)]
    assert same[0] == same[1]


def test_a_job_tells_what_the_api_told(api: FakeApi, client: Client, uploaded: str) -> None:
    job = client.job(client.submit(uploaded, []).id)
    assert job.stage is not None
    assert (job.stage.name, job.stage.index, job.stage.count) == ("canny", 1, 2)
    assert (job.tiles.done, job.tiles.total) == (1, 4)
    assert job.input is not None
    assert (job.input.width, job.input.depth) == (40, 8)
    assert job.created_at is not None
    assert job.created_at.utcoffset() is not None
    assert job.document["some_future_field"] == {"a": 1}
    assert job.pipeline[0].operation == "canny"


def test_a_finished_job_tells_its_warnings(api: FakeApi, client: Client, uploaded: str) -> None:
    api.script = [api.succeeded() | {"warnings": ["two kinds of machines"]}]
    assert client.wait(client.submit(uploaded, []).id).warnings == ("two kinds of machines",)


def test_null_takes_the_default(api: FakeApi, client: Client, uploaded: str) -> None:
    api.script = [{"state": "queued", "tiles": None, "seconds": None, "progress": None}]
    job = client.job(client.submit(uploaded, []).id)
    assert (job.tiles.total, job.seconds, job.progress, job.warnings) == (0, {}, 0.0, ())


def test_wait_returns_the_finished_job(api: FakeApi, client: Client, uploaded: str) -> None:
    job = client.wait(client.submit(uploaded, []).id)
    assert job.succeeded
    assert job.result is not None
    assert job.result.size == len(api.result)
    assert "sig=" not in repr(job)


def test_a_failed_job_tells_why(api: FakeApi, client: Client, uploaded: str) -> None:
    error = {"title": "Damaged image", "status": 422, "detail": "it ends early", "hint": "Send it again."}
    api.script = [api.job_document(), api.job_document(state="failed", error=error)]
    with pytest.raises(JobFailed, match="job job-1 failed: Damaged image: it ends early") as failed:
        client.wait(client.submit(uploaded, []).id)
    assert failed.value.hint == "Send it again."
    assert failed.value.job.state == "failed"


def test_a_cancelled_job_is_no_success(api: FakeApi, client: Client, uploaded: str) -> None:
    api.script = [api.job_document(state="cancelled")]
    with pytest.raises(JobFailed, match="job job-1 was cancelled"):
        client.wait(client.submit(uploaded, []).id)


def test_delete_removes_the_job(api: FakeApi, client: Client, uploaded: str) -> None:
    job = client.submit(uploaded, [])
    client.delete(job.id)
    assert not api.jobs
    with pytest.raises(NotFound, match="No such job"):
        client.job(job.id)


def test_waiting_ends_in_time_and_the_job_goes_on(api: FakeApi, client: Client, uploaded: str) -> None:
    api.script = [api.job_document()]
    with pytest.raises(WaitTimedOut, match=r"within 0\.2 s"):
        client.wait(client.submit(uploaded, []).id, timeout=0.2)
    assert not api.sent("DELETE", "")


def test_an_api_that_is_away_for_a_while_is_waited_for(api: FakeApi, client: Client, uploaded: str) -> None:
    job_id = client.submit(uploaded, []).id
    api.hang_up("GET", "/jobs/", times=QUICK.attempts)
    api.fail("GET", "/jobs/", 503)
    assert client.wait(job_id).succeeded
    assert not api.faults


def test_an_api_that_stays_away_ends_the_waiting(api: FakeApi, client: Client, uploaded: str) -> None:
    job_id = client.submit(uploaded, []).id
    api.hang_up("GET", "/jobs/", times=1000)
    with pytest.raises(ConnectionFailed, match="cannot reach the API"):
        client.wait(job_id)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, Refused),
        (404, NotFound),
        (409, Refused),
        (422, Refused),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_a_problem_becomes_the_error_for_what_can_be_done(
    api: FakeApi, client: Client, status: int, kind: type[ApiError]
) -> None:
    for _ in range(QUICK.attempts):
        api.problem("GET", "/health", status, title="No", detail="not now", code="no", pointer="/a", extra=1)
    with pytest.raises(kind, match=r"^No: not now \(at /a\)$") as raised:
        client.health()
    assert type(raised.value) is kind
    assert (raised.value.problem.code, raised.value.problem.status) == ("no", status)


def test_a_missing_key_is_hinted_at_even_without_a_problem_document(api: FakeApi, client: Client) -> None:
    api.fail("GET", "/health", 401)
    with pytest.raises(Refused, match="the API answered 401") as refused:
        client.health()
    assert refused.value.hint is not None
    assert "TESSERA_API_KEY" in refused.value.hint


def test_a_broken_problem_document_is_still_that_status(api: FakeApi, client: Client) -> None:
    kind = {"content-type": "application/problem+json"}
    api.faults.append(Fault("GET", "/health", 422, b'{"title": [1', kind))
    with pytest.raises(Refused, match="the API answered 422"):
        client.health()


@pytest.mark.parametrize(
    ("status", "body", "ask", "message"),
    [
        (200, b"<html>", lambda c: c.health(), "is not the Tessera API"),
        (404, b"", lambda c: c.health(), "is not the Tessera API"),
        (302, b"", lambda c: c.health(), "is not the Tessera API"),
        (200, b"{}", lambda c: c.health(), "not a valid health: status: Field required"),
        (200, b"[]", lambda c: c.job("j"), "not a valid job"),
        (200, b'{"id": "j", "state": "running", "tiles": 3}', lambda c: c.job("j"), "not a valid job: tiles"),
        (200, b"{}", lambda c: c.operations(), "no list of operations"),
        (202, b"", lambda c: c.submit("u", []), "not a valid job"),
    ],
)
def test_something_else_at_the_address_is_recognised(
    api: FakeApi, client: Client, status: int, body: bytes, ask: Callable[[Client], Any], message: str
) -> None:
    api.faults.append(Fault("POST" if status == 202 else "GET", "/api/", status, body))
    with pytest.raises(UnexpectedResponse, match=message):
        ask(client)


def test_nobody_at_the_address_is_said_with_what_to_do() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with Client(url, policy=QUICK) as client, pytest.raises(ConnectionFailed) as failed:
            client.health()
    assert str(failed.value).startswith(f"cannot reach the API at {url}: ")
    assert failed.value.hint is not None
    assert "make up" in failed.value.hint


@pytest.mark.parametrize("url", ["127.0.0.1:7071", "ftp://host", "http://", "http://::1", "nonsense"])
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConnectionFailed, match="is not the address of an API"):
        Client(url)


def test_settings_come_from_the_environment(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_API_URL", api.url + "/")
    monkeypatch.setenv("TESSERA_API_KEY", "k3y")
    with Client(policy=QUICK) as client:
        client.health()
        assert client.api_url == api.url
    assert api.requests[0].headers["x-functions-key"] == "k3y"


def test_a_proxy_of_the_environment_does_not_come_between_this_machine_and_itself(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with Client(api.url, policy=QUICK) as client:
        assert client.health().status == "ok"


def test_neither_key_nor_permission_is_logged_or_sent_to_the_wrong_place(
    api: FakeApi, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    with Client(api.url, "k3y-never-shown", policy=QUICK) as client:
        upload = client.upload(io.BytesIO(b"pixels"))
        job = client.wait(client.submit(upload.id, []).id)
        client.download(job, tmp_path / "out.png")
    text = "\n".join(record.getMessage() + str(record.args) for record in caplog.records)
    assert "HTTP Request: PUT" in text
    assert "sig=" not in text + repr(upload) + repr(job)
    assert "k3y-never-shown" not in text
    assert all("x-functions-key" not in sent.headers for sent in api.sent("", "/blob/"))
    assert all("x-functions-key" in sent.headers for sent in api.sent("POST", "/api/"))


def test_the_network_can_be_replaced() -> None:
    answer = httpx.MockTransport(lambda _: httpx.Response(200, json={"status": "ok"}))
    with Client("http://anywhere", transport=answer) as client:
        assert client.health().version is None


def test_what_has_not_changed_is_not_sent_again(api: FakeApi, client: Client, uploaded: str) -> None:
    api.script = [api.job_document(), api.job_document(), api.job_document(), api.succeeded()]
    answers = list(client.watch(client.submit(uploaded, []).id))
    assert [job.state for job in answers] == ["running", "running", "running", "succeeded"]
    assert answers[0] == answers[1] == answers[2]
    tags = [request.headers.get("if-none-match") for request in api.sent("GET", "/jobs/")]
    assert tags[0] is None
    assert tags[1] == tags[2] == tags[3] == answers[0].etag


@pytest.mark.parametrize(
    ("asked", "elapsed", "left", "pause"),
    [
        (0.0, 0.0, None, 0.1),
        (1.0, 0.0, None, 0.1),
        (7.0, 0.0, None, 7.0),
        (900.0, 0.0, None, 30.0),
        (0.0, 6.0, None, 0.3),
        (0.0, 99.0, None, 1.0),
        (7.0, 6.0, 1.6, 7.0),
        (0.0, 6.0, 1.6, 0.4),
        (0.0, 6.0, 0.0, 0.1),
        (0.0, 6.0, 600.0, 1.0),
        (0.0, 50.0, 0.0, 0.5),
        (0.0, 900.0, 0.0, 1.0),
    ],
)
def test_questions_come_before_the_expected_end_else_ever_more_slowly_and_as_the_api_asks(
    monkeypatch: pytest.MonkeyPatch, asked: float, elapsed: float, left: float | None, pause: float
) -> None:
    now = 1000.0
    monkeypatch.setattr("tessera_client.polling.time.monotonic", lambda: now)
    patience = Patience(60.0, None)
    now += elapsed
    assert patience.pause(Job(id="j", state="running", retry_after=asked, eta=left)) == pytest.approx(pause)


def test_a_result_with_another_digest_is_not_kept(
    api: FakeApi, client: Client, uploaded: str, tmp_path: Path
) -> None:
    api.script = [api.succeeded(sha256=hashlib.sha256(b"another").hexdigest())]
    job = client.wait(client.submit(uploaded, []).id)
    with pytest.raises(DownloadFailed, match=r"the result's SHA-256 is .* was promised"):
        client.download(job, tmp_path / "out.png")
    assert list(tmp_path.iterdir()) == []
    api.script = [api.succeeded(sha256=hashlib.sha256(api.result).hexdigest().upper())]
    job = client.wait(client.submit(uploaded, []).id)
    assert client.download(job, tmp_path / "out.png").read_bytes() == api.result


def test_previews_are_links(client: Client, api: FakeApi) -> None:
    body = b'{"input": {"url": "http://s/i?sig=x", "media_type": "image/jpeg"}}'
    api.faults.append(Fault("GET", "/preview", 200, body, {"content-type": "application/json"}))
    previews = client.previews("j")
    assert previews.input is not None
    assert previews.input.media_type == "image/jpeg"
    assert previews.result is None
    assert "sig=" not in repr(previews)
