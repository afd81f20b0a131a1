"""The main job against a service as a user finds it: after each deployment, and on the local stack."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tessera.plan import Step
from tessera_client import Client
from tessera_client.errors import TesseraClientError
from tessera_client.models import Job
from tests.smoke.conftest import ROOT, Service
from tests.support.jobs import assert_exact, submit
from tests.support.pipelines import canny, median_blur

PHOTOGRAPH = (ROOT / "examples" / "dandelion.jpg").read_bytes()
RUNBOOK = ROOT / "docs" / "operate.md"
# Slow enough to be shared out.
PIPELINE = [median_blur(31), canny(50, 150)]
# The first request may start an instance, and a job that waits for more of them takes its time.
PATIENCE_SECONDS = 300.0


@pytest.fixture(scope="module")
def finished(client: Client) -> Iterator[Job]:
    job = submit(client, PHOTOGRAPH, PIPELINE)
    yield client.wait(job.id, timeout=PATIENCE_SECONDS)
    client.delete(job.id)


def test_the_service_says_that_it_is_well(service: Service) -> None:
    answer = httpx.get(f"{service.url}/api/v1/health", timeout=60)
    assert answer.status_code == 200


def test_the_photograph_comes_back_exact(client: Client, finished: Job, tmp_path: Path) -> None:
    made = client.download(finished, tmp_path / "result").read_bytes()
    assert_exact(made, PHOTOGRAPH, PIPELINE)


def test_the_work_was_shared_out(finished: Job) -> None:
    assert finished.tiles.done == finished.tiles.total > 1


def test_the_result_url_reads_one_file_and_no_more(finished: Job) -> None:
    assert finished.result is not None
    without_signature = finished.result.url.split("?")[0]
    assert httpx.get(without_signature).status_code in (401, 403, 404, 409)
    refused = httpx.put(finished.result.url, content=b"x", headers={"x-ms-blob-type": "BlockBlob"})
    assert refused.status_code == 403


def test_commands_of_the_runbook_work(service: Service, finished: Job) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl isn't installed: apt-get install curl")
    commands = re.findall(r"curl (?:-H [^`\n]+ )?\"\$TESSERA_API_URL[^`\n]+", RUNBOOK.read_text())
    variables = {"TESSERA_API_URL": service.url, "KEY": service.key or "", "JOB": finished.id}
    answers = [
        subprocess.run(
            ["sh", "-c", command.replace("curl ", "curl --silent --show-error --fail ", 1)],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for command in commands
    ]
    health, job = map(json.loads, answers)
    assert health["status"] == "ok"
    assert (job["id"], job["state"]) == (finished.id, "succeeded")


def test_a_wrong_pipeline_is_refused_before_any_work(client: Client) -> None:
    with pytest.raises(TesseraClientError, match="no_such_operation"):
        submit(client, PHOTOGRAPH, [Step(operation="no_such_operation")])


def test_nothing_is_open_without_the_key(service: Service) -> None:
    if not service.deployed:
        # The emulator asks for keys only where it is reached from elsewhere.
        pytest.skip("the local stack has no key: its host answers this machine only")
    answers = {route: httpx.get(f"{service.url}{route}").status_code for route in CLOSED}
    assert answers == dict.fromkeys(CLOSED, 401)


CLOSED = ("/api/v1/operations", "/api/v1/jobs/0123456789abcdef0123456789abcdef")
