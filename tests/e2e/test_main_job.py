"""A photograph goes in, tiles fan out over the workers, the exact result comes back by its signed URL."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from azure.storage.blob import BlobServiceClient

from tessera import naming
from tessera.plan import Step
from tessera_client import Client
from tessera_client.models import Output
from tests.support.images import decode, encode, textured
from tests.support.jobs import assert_exact, expected_pixels, left_in_storage, result_bytes, submit
from tests.support.pipelines import INVERT, canny, median_blur, threshold

PHOTO = encode(textured(901, 1203), ".jpg")
GRAY = encode(textured(901, 1203, 1))


@pytest.mark.parametrize("upload", [PHOTO, GRAY], ids=["colour JPEG", "gray PNG"])
@pytest.mark.parametrize("step", [INVERT, median_blur(11), threshold(128), canny(40, 120)], ids=str)
def test_each_operation_is_bit_identical_through_the_whole_stack(
    step: Step, upload: bytes, client: Client, blobs: BlobServiceClient, tmp_path: Path
) -> None:
    job = submit(client, upload, [step])
    assert_exact(result_bytes(client, job, tmp_path), upload, [step])
    finished = client.job(job.id)
    assert finished.tiles.done == finished.tiles.total > 4
    assert finished.progress == 1
    kept = [f"{job.id}.png", naming.preview(job.id, "input"), naming.preview(job.id, "result")]
    assert sorted(left_in_storage(blobs, job.id)) == sorted(f"results/{name}" for name in kept)


def test_jpeg_output_is_the_jpeg_of_the_whole_result(client: Client, tmp_path: Path) -> None:
    pipeline = [median_blur(5), INVERT]
    job = submit(client, PHOTO, pipeline, Output(format="jpeg", quality=85))
    made = result_bytes(client, job, tmp_path)
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    whole = encode(expected_pixels(PHOTO, pipeline), ".jpg", [cv2.IMWRITE_JPEG_QUALITY, 85, *sampling])
    np.testing.assert_array_equal(decode(made), decode(whole))


def test_a_small_image_takes_the_direct_path(client: Client, tmp_path: Path) -> None:
    upload = encode(textured(120, 160))
    job = submit(client, upload, [canny(40, 120), INVERT])
    assert_exact(result_bytes(client, job, tmp_path), upload, [canny(40, 120), INVERT])
    finished = client.job(job.id)
    assert (finished.tiles.total, finished.tiles.done) == (1, 1)
    assert "process" in finished.seconds


def test_several_jobs_at_once_do_not_mix(client: Client, tmp_path: Path) -> None:
    uploads = [encode(textured(601 + 2 * index, 800, seed=index)) for index in range(6)]
    pipelines = [[INVERT], [canny(40, 120)], [median_blur(5)]] * 2

    def run(upload: bytes, pipeline: list[Step]) -> bytes:
        return result_bytes(client, submit(client, upload, pipeline), tmp_path)

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(run, uploads, pipelines))
    for data, upload, pipeline in zip(made, uploads, pipelines, strict=True):
        assert_exact(data, upload, pipeline)


def test_the_result_url_gives_one_file_to_read_and_no_more(client: Client, tmp_path: Path) -> None:
    job = submit(client, PHOTO, [INVERT])
    result_bytes(client, job, tmp_path)
    result = client.job(job.id).result
    assert result is not None
    assert httpx.get(result.url).headers["content-type"] == "image/png"
    assert httpx.get(result.url.split("?")[0]).status_code in (403, 404, 409)
    assert httpx.put(result.url, content=b"x", headers={"x-ms-blob-type": "BlockBlob"}).status_code == 403
    assert httpx.delete(result.url).status_code == 403
