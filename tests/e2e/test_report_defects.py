"""Each defect of the program this one replaces, as a claim that it isn't here.

That program cut an image into two halves for three MPI ranks over a plain socket.
"""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from azure.storage.blob import BlobServiceClient

from emulator.stack import Stack
from tessera import naming
from tessera.plan import Step
from tessera_client import Client
from tests.support.images import Image, decode, encode, textured
from tests.support.jobs import assert_exact, expected_pixels, result_bytes, submit
from tests.support.pipelines import INVERT, canny, median_blur, threshold

ODD_HEIGHT = 1001
PHOTO = encode(textured(ODD_HEIGHT, 1300), ".jpg")


def made_by(client: Client, upload: bytes, step: Step, folder: Path) -> Image:
    return decode(result_bytes(client, submit(client, upload, [step]), folder))


def test_no_row_of_an_odd_height_is_lost(client: Client, tmp_path: Path) -> None:
    """It cut at height // 2 twice, and the last row fell off."""
    made = made_by(client, PHOTO, INVERT, tmp_path)
    assert made.shape[0] == ODD_HEIGHT
    np.testing.assert_array_equal(made[-1], expected_pixels(PHOTO, [INVERT])[-1])


@pytest.mark.parametrize("step", [median_blur(11), canny(40, 120)], ids=["median_blur", "canny"])
def test_there_is_no_seam_where_tiles_meet(step: Step, client: Client, tmp_path: Path) -> None:
    """It gave each half no rows of the other, so a filter saw a border that isn't there."""
    made = made_by(client, PHOTO, step, tmp_path)
    np.testing.assert_array_equal(made, expected_pixels(PHOTO, [step]))


def test_no_byte_of_an_upload_is_cut(client: Client, blobs: BlobServiceClient, tmp_path: Path) -> None:
    """It dropped the end of what it received, and took a second of silence for the end of the file."""
    upload = tmp_path / "photo.jpg"
    upload.write_bytes(PHOTO)
    stored = client.upload(upload)
    arrived = blobs.get_blob_client(naming.UPLOADS, stored.id).download_blob().readall()
    assert arrived == PHOTO


@pytest.mark.parametrize("step", [threshold(128), canny(40, 120)], ids=["threshold", "canny"])
def test_a_mask_is_black_and_white_and_nothing_else(step: Step, client: Client, tmp_path: Path) -> None:
    """It saved everything as JPEG, which smears a mask."""
    assert np.unique(made_by(client, PHOTO, step, tmp_path)).tolist() == [0, 255]


def test_the_result_comes_back_at_full_size(client: Client, tmp_path: Path) -> None:
    """It shrank the result to 500 x 500 and saved that."""
    assert made_by(client, PHOTO, INVERT, tmp_path).shape == decode(PHOTO).shape


def test_several_jobs_run_at_once_on_one_service(client: Client, tmp_path: Path) -> None:
    """It served one request in the life of its processes, through one file name."""
    steps = [INVERT, threshold(99), median_blur(3), canny(50, 150)]
    with ThreadPoolExecutor(len(steps)) as pool:
        made = list(pool.map(lambda step: made_by(client, PHOTO, step, tmp_path), steps))
    for pixels, step in zip(made, steps, strict=True):
        np.testing.assert_array_equal(pixels, expected_pixels(PHOTO, [step]))


def test_no_result_of_another_job_is_shown(client: Client, tmp_path: Path) -> None:
    """Its window showed the image of the task before."""
    first, second = encode(textured(300, 400, seed=1)), encode(textured(300, 400, seed=2))
    job = submit(client, first, [INVERT])
    client.wait(job.id, timeout=60)
    later = submit(client, second, [INVERT])
    while not (now := client.job(later.id)).finished:
        assert now.result is None
    assert_exact(result_bytes(client, later, tmp_path), second, [INVERT])
    assert_exact(result_bytes(client, job, tmp_path), first, [INVERT])


def test_a_dead_worker_does_not_hang_the_job(stack: Stack, client: Client, tmp_path: Path) -> None:
    """It waited for ever for a rank that had died."""
    job = submit(client, PHOTO, [median_blur(31)])
    os.kill(stack.workers()[0]["pid"], signal.SIGKILL)
    assert_exact(result_bytes(client, job, tmp_path), PHOTO, [median_blur(31)])


def test_progress_only_grows_and_a_failure_is_told(client: Client) -> None:
    """It reported neither progress nor failure."""
    job = submit(client, PHOTO, [median_blur(31), canny(40, 120)])
    seen = [answer.progress for answer in client.watch(job.id, timeout=60)]
    assert seen == sorted(seen)
    assert seen[-1] == 1
    broken = submit(client, PHOTO[: len(PHOTO) // 2], [INVERT])
    *_, failed = client.watch(broken.id, timeout=60)
    assert failed.error is not None
    assert "truncated" in str(failed.error.detail)
