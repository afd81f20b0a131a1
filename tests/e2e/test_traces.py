"""A job is one trace: the whole stack sends its spans to a receiver that speaks OTLP."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest
from azure.storage.blob import BlobServiceClient

from emulator.stack import Stack, running
from tessera_client import Client, JobFailed
from tessera_client.models import Job
from tests.e2e.conftest import ROOT, SMALL_TILES
from tests.e2e.test_dead_workers import kill_when_begun
from tests.support.images import encode, textured
from tests.support.jobs import submit
from tests.support.pipelines import canny, median_blur
from tests.support.receivers import Body, Received, otlp_spans, receiver

PATIENCE_SECONDS = 30.0
PHOTO = encode(textured(801, 600))
LARGE = encode(textured(1501, 1600), ".jpg")
SLOW = [*[median_blur(31)] * 4, canny(20, 60)]
PARTS = ("tessera.queue_wait", "tessera.read", "tessera.compute", "tessera.write")


@pytest.fixture(scope="module")
def received() -> Iterator[tuple[str, list[Body]]]:
    with receiver() as (url, bodies):
        yield url, bodies


@pytest.fixture(scope="module")
def stack(received: tuple[str, list[Body]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if not (ROOT / "node_modules" / "azurite").is_dir():
        pytest.skip("Azurite is not installed: run `make setup`")
    environment = {**SMALL_TILES, "TESSERA_TRACES": f"{received[0]}/v1/traces"}
    with running(ROOT, tmp_path_factory.mktemp("traced"), workers=2, environment=environment) as started:
        yield started


@pytest.fixture(scope="module")
def blobs(stack: Stack) -> Iterator[BlobServiceClient]:
    with BlobServiceClient.from_connection_string(stack.storage) as service:
        yield service


def trace_of(job: Job, bodies: list[Body], *, runs: int = 1) -> list[Received]:
    """Return the spans of a job once it and all its tiles are there: they come a second late."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        spans = [span for span in otlp_spans(bodies) if span.trace == job.id]
        names = Counter(span.name for span in spans)
        if names["job"] == runs and names["cleanup"] == runs and names["process_tile"] >= job.tiles.done:
            return spans
        time.sleep(0.05)
    raise AssertionError(f"the trace of {job.id} is not whole: {otlp_spans(bodies)}")


def test_a_job_is_one_trace_with_a_span_for_each_tile(
    client: Client, received: tuple[str, list[Body]]
) -> None:
    job = client.wait(submit(client, PHOTO, [median_blur(3), canny(20, 60)]).id, timeout=60)
    spans = trace_of(job, received[1])
    (root,) = (span for span in spans if span.name == "job")
    assert (root.parent, root.error, root.attributes["tessera.state"]) == ("", "", "succeeded")
    assert root.attributes["tessera.tiles"] == job.tiles.total
    assert {span.parent for span in spans if span is not root} == {root.id}
    assert {"process_tile", "reduce", "stitch", "cleanup"} <= {span.name for span in spans}

    tiles = [span for span in spans if span.name == "process_tile"]
    which = Counter((span.attributes["tessera.stage"], span.attributes["tessera.tile"]) for span in tiles)
    assert job.tiles.total > 4
    assert set(which.values()) == {1}
    assert len(which) == job.tiles.total
    assert {span.attributes["tessera.attempt"] for span in tiles} == {1}
    for span in tiles:
        wait, read, compute, write = (span.attributes[name] for name in PARTS)
        assert wait >= 0
        assert read >= 0
        assert min(compute, write) > 0
        # Reads and writes may overlap, so the parts cover the span and may be more than it.
        assert compute <= span.end - span.start + 1e-3
        assert read + compute + write >= span.end - span.start - 1e-3


def test_an_attempt_after_a_dead_worker_has_a_span_of_its_own(
    stack: Stack, client: Client, blobs: BlobServiceClient, received: tuple[str, list[Body]]
) -> None:
    submitted = submit(client, LARGE, SLOW)
    kill_when_begun(stack, blobs, submitted.id, "stage-00", "process_tile")
    job = client.wait(submitted.id, timeout=120)
    tiles = [span for span in trace_of(job, received[1]) if span.name == "process_tile"]
    assert 2 in {span.attributes["tessera.attempt"] for span in tiles}


def test_the_next_run_of_a_job_goes_on_in_its_trace(client: Client, received: tuple[str, list[Body]]) -> None:
    submitted = submit(client, LARGE, SLOW)
    client.cancel(submitted.id)
    with pytest.raises(JobFailed, match="cancelled"):
        client.wait(submitted.id, timeout=60)
    client.retry(submitted.id)
    job = client.wait(submitted.id, timeout=120)
    spans = trace_of(job, received[1], runs=2)
    first, second = sorted((span for span in spans if span.name == "job"), key=lambda span: span.start)
    assert (first.error, second.error) == ("cancelled", "")
    parents = {span.attributes["tessera.run"]: span.parent for span in spans if span.parent}
    assert parents == {1: first.id, 2: second.id}
