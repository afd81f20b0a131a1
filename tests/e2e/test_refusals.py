"""What can't be done is said in words, and leaves nothing behind."""

import io

import httpx
import pytest
from azure.storage.blob import BlobServiceClient

from emulator.stack import Stack
from tessera import naming
from tessera_client import Client, Refused
from tessera_client.models import Step
from tests.support.images import encode, textured
from tests.support.jobs import left_in_storage, submit
from tests.support.pipelines import INVERT, canny

PNG = encode(textured(600, 800))
JPEG = encode(textured(600, 800), ".jpg")


def put_upload(stack: Stack, data: bytes) -> str:
    """Upload bytes by hand, as a client that checks nothing."""
    granted = httpx.post(f"{stack.url}/api/v1/uploads", json={"name": "x.png"}).raise_for_status().json()
    headers = {"x-ms-blob-type": "BlockBlob"}
    httpx.put(granted["url"], content=data, headers=headers).raise_for_status()
    return str(granted["id"])


@pytest.mark.parametrize(
    ("data", "status", "code", "says"),
    [
        (b"", 422, "corrupt-image", "empty"),
        (
            b"Dear Sir or Madam, this is a letter",
            415,
            "unsupported-format",
            "what is read here is jpeg, png, tiff, webp, gif, bmp",
        ),
        (PNG[:30], 422, "corrupt-image", "truncated"),
        (PNG[:16] + bytes(4) + PNG[20:], 422, "corrupt-image", "0 pixels"),
    ],
    ids=["empty", "a letter", "a PNG header", "0 pixels"],
)
def test_what_the_header_tells_is_refused_before_there_is_a_job(
    stack: Stack, data: bytes, status: int, code: str, says: str
) -> None:
    body = {"upload_id": put_upload(stack, data), "pipeline": [{"operation": "invert"}]}
    answer = httpx.post(f"{stack.url}/api/v1/jobs", json=body)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert says in answer.json()["detail"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (PNG[: len(PNG) // 2], "truncated"),
        (JPEG[: len(JPEG) * 3 // 4], "truncated"),
    ],
    ids=["half a PNG", "three quarters of a JPEG"],
)
def test_a_damaged_image_fails_the_job_and_leaves_nothing(
    stack: Stack, client: Client, blobs: BlobServiceClient, data: bytes, says: str
) -> None:
    job = submit(client, data, [INVERT])
    *_, finished = client.watch(job.id, timeout=60)
    assert finished.state == "failed"
    assert finished.error is not None
    assert finished.error.code == "corrupt-image"
    assert says in str(finished.error.detail)
    assert left_in_storage(blobs, job.id) == []


def test_a_pipeline_that_does_not_suit_the_image_is_refused_with_the_place(client: Client) -> None:
    with pytest.raises(Refused) as error:
        submit(client, encode(textured(50, 60, 3, 16)), [INVERT, canny(1, 2)])
    assert error.value.problem.code == "invalid-pipeline"
    assert error.value.problem.pointer == "/pipeline/1"


def test_a_deleted_job_leaves_no_trace(client: Client, blobs: BlobServiceClient) -> None:
    uploaded = client.upload(io.BytesIO(PNG), name="gone.png")
    job = client.submit(uploaded.id, [Step("invert")])
    client.wait(job.id, timeout=60)
    client.delete(job.id)
    names = [
        blob.name
        for container in naming.CONTAINERS
        for blob in blobs.get_container_client(container).list_blobs(include=["uncommittedblobs"])
    ]
    assert not [name for name in names if job.id in name or uploaded.id in name]
