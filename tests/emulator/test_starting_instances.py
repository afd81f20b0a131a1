"""The durable management API: starting orchestrations."""

import uuid

import httpx
import pytest

from tests.emulator.hosting import DURABLE, Host, until


def _key() -> str:
    return uuid.uuid4().hex


def _waiting(host: Host) -> str:
    """Start an orchestration that waits for an event, and let it get there."""
    instance = host.start("statuses")
    until(lambda: host.status(instance)["customStatus"], 20, "the orchestration to wait")
    return instance


def test_start_answers_with_the_management_urls(host: Host) -> None:
    instance = _key()
    response = host.http.post(f"{DURABLE}/orchestrators/fan_out/{instance}", json="2")
    assert response.status_code == 202
    assert response.headers["retry-after"] == "10"
    urls = response.json()
    assert response.headers["location"] == urls["statusQueryGetUri"]
    assert urls.pop("id") == instance
    assert set(urls) == {
        "statusQueryGetUri",
        "sendEventPostUri",
        "terminatePostUri",
        "purgeHistoryDeleteUri",
        "restartPostUri",
        "suspendPostUri",
        "resumePostUri",
    }
    assert all(url.startswith(f"{host.url}{DURABLE}/instances/{instance}") for url in urls.values())
    assert all("taskHub=SampleHub" in url for url in urls.values())
    assert host.wait(instance)["output"] == 2


def test_the_sdk_s_client_starts_and_its_urls_work(host: Host) -> None:
    response = host.http.post("/api/start/fan_out", json=4)
    assert response.status_code == 202
    urls = response.json()
    assert "rewindPostUri" in urls
    assert urls["statusQueryGetUri"].startswith(host.url)
    until(lambda: httpx.get(urls["statusQueryGetUri"]).status_code == 200, 20, "the end")
    assert httpx.get(urls["statusQueryGetUri"]).json()["output"] == 12


def test_start_can_wait_for_the_result(host: Host) -> None:
    query = {"timeout": "20", "pollingInterval": "0.05"}
    response = host.http.post(f"{DURABLE}/orchestrators/fan_out", params=query, json="3")
    assert (response.status_code, response.json()) == (200, 6)


def test_start_that_waits_in_vain_answers_as_without_waiting(host: Host) -> None:
    query = {"timeout": "0.2", "pollingInterval": "0.1"}
    response = host.http.post(f"{DURABLE}/orchestrators/statuses", params=query)
    assert response.status_code == 202
    host.post(response.json()["id"], "terminate")


def test_an_input_that_is_an_object_reaches_the_orchestrator(host: Host) -> None:
    response = host.http.post(f"{DURABLE}/orchestrators/eternal", json={"n": 0, "sum": 5})
    status = host.wait(response.json()["id"])
    assert status["output"] == 5
    assert status["input"] == {"n": 0, "sum": 5}


def test_an_unknown_orchestrator_is_refused_and_the_known_ones_are_named(host: Host) -> None:
    response = host.http.post(f"{DURABLE}/orchestrators/nonsense")
    assert response.status_code == 400
    message = response.json()["ExceptionMessage"]
    assert "The function 'nonsense' doesn't exist, is disabled, or is not an orchestrator function" in message
    assert "'fan_out'" in message


def test_input_that_is_not_json_is_refused(host: Host) -> None:
    response = host.http.post(f"{DURABLE}/orchestrators/fan_out", content=b"{")
    assert response.status_code == 400
    assert response.json()["Message"] == "Invalid JSON content"


@pytest.mark.parametrize("instance", ["@x", "a%23b", "a%3Fb", "x" * 257])
def test_an_invalid_instance_id_is_refused(host: Host, instance: str) -> None:
    response = host.http.post(f"{DURABLE}/orchestrators/fan_out/{instance}", json="1")
    assert response.status_code == 400, response.text


def test_a_running_instance_cannot_be_started_again(host: Host) -> None:
    instance = _waiting(host)
    response = host.http.post(f"{DURABLE}/orchestrators/statuses/{instance}")
    assert response.status_code == 500
    assert response.json()["ExceptionMessage"].endswith("already exists.")
    host.post(instance, "terminate")


def test_an_ended_instance_can_be_started_again(host: Host) -> None:
    instance = host.start("fan_out", 2, _key())
    host.wait(instance)
    assert host.start("fan_out", 5, instance) == instance
    assert host.wait(instance)["output"] == 20
