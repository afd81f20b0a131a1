"""Workers are killed with signal 9 in the middle of a job; the job doesn't notice but for the retry."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from azure.storage.blob import BlobServiceClient

from emulator.stack import Stack
from tessera import naming
from tessera_client import Client
from tests.support.images import encode, textured
from tests.support.jobs import assert_exact, result_bytes, submit
from tests.support.pipelines import canny, median_blur

PHOTO = encode(textured(1501, 1600), ".jpg")
PIPELINE = [*[median_blur(31)] * 4, canny(20, 60)]
PATIENCE_SECONDS = 60.0


def kill_when_begun(stack: Stack, blobs: BlobServiceClient, job: str, task: str, function: str) -> set[int]:
    """Kill the workers that run *function* as soon as another attempt at a task of this name has begun.

    They are stopped while the attempts are listed, so that none is done with its task when it is killed.
    """
    area = blobs.get_container_client(naming.WORK)
    begun: set[str] = set()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        busy = {worker["pid"] for worker in stack.workers() if function in worker["running"]}
        signal_all(busy, signal.SIGSTOP)
        marks = {blob.name for blob in area.list_blobs(name_starts_with=f"{job}/attempts/{task}")}
        if marks - begun and busy:
            signal_all(busy, signal.SIGKILL)
            return busy
        signal_all(busy, signal.SIGCONT)
        begun = marks
    raise AssertionError(f"{function} did not begin within {PATIENCE_SECONDS} s")


def signal_all(workers: set[int], number: signal.Signals) -> None:
    for pid in workers:
        os.kill(pid, number)


def test_a_worker_killed_in_a_tile_costs_a_retry_and_no_byte(
    stack: Stack, client: Client, blobs: BlobServiceClient, tmp_path: Path
) -> None:
    undisturbed = result_bytes(client, submit(client, PHOTO, PIPELINE), tmp_path)
    job = submit(client, PHOTO, PIPELINE)
    killed = kill_when_begun(stack, blobs, job.id, "stage-00", "process_tile")
    made = result_bytes(client, job, tmp_path)
    assert made == undisturbed
    assert_exact(made, PHOTO, PIPELINE)
    assert client.job(job.id).tiles.retried >= 1
    assert not killed & {worker["pid"] for worker in stack.workers()}


def test_a_worker_killed_in_ingest_costs_a_retry_and_no_byte(
    stack: Stack, client: Client, blobs: BlobServiceClient, tmp_path: Path
) -> None:
    upload = encode(textured(4001, 3000))
    job = submit(client, upload, [median_blur(3)])
    kill_when_begun(stack, blobs, job.id, "ingest", "ingest")
    assert_exact(result_bytes(client, job, tmp_path), upload, [median_blur(3)])
    assert client.job(job.id).tiles.retried >= 1


def test_all_workers_killed_at_once_do_not_hang_the_job(
    stack: Stack, client: Client, blobs: BlobServiceClient, tmp_path: Path
) -> None:
    job = submit(client, PHOTO, PIPELINE)
    kill_when_begun(stack, blobs, job.id, "stage-00", "process_tile")
    for worker in stack.workers():
        with suppress(ProcessLookupError):
            os.kill(worker["pid"], signal.SIGKILL)
    assert_exact(result_bytes(client, job, tmp_path), PHOTO, PIPELINE)
