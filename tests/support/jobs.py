"""Jobs through the API, and what they should have given."""

import io
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from tessera import naming, reference
from tessera.pipeline import bind
from tessera.plan import Step
from tessera_client import Client
from tessera_client.models import Job, Output
from tessera_client.models import Step as ClientStep
from tests.support.images import Image, decode


def submit(client: Client, upload: bytes, pipeline: Sequence[Step], output: Output | None = None) -> Job:
    uploaded = client.upload(io.BytesIO(upload), name="test.png")
    return client.submit(uploaded.id, [ClientStep(s.operation, s.parameters) for s in pipeline], output)


def result_bytes(client: Client, job: Job, folder: Path) -> bytes:
    """Wait for the job and return its file, fetched by its signed URL."""
    finished = client.wait(job.id, timeout=120)
    return client.download(finished, folder / job.id).read_bytes()


def expected_pixels(upload: bytes, pipeline: Sequence[Step]) -> Image:
    """Return what OpenCV makes of the whole image in one process."""
    return reference.run(decode(upload), [bound.step for bound in bind(pipeline)])


def assert_exact(made: bytes, upload: bytes, pipeline: Sequence[Step]) -> None:
    np.testing.assert_array_equal(decode(made), expected_pixels(upload, pipeline), strict=True)


def left_in_storage(blobs: BlobServiceClient, job: str) -> list[str]:
    """Return what the work and result containers hold of a job, uncommitted blobs too."""
    found = []
    for container in (naming.WORK, naming.RESULTS):
        listed = blobs.get_container_client(container).list_blobs(
            name_starts_with=job, include=["uncommittedblobs"]
        )
        with suppress(ResourceNotFoundError):  # no job has come as far as that
            found += [f"{container}/{blob.name}" for blob in listed]
    return found
