"""The number of workers changes nothing but the time."""

from pathlib import Path

import pytest

from emulator.stack import running
from tessera_client import Client
from tests.e2e.conftest import ROOT, SMALL_TILES
from tests.support.images import encode, serpentine
from tests.support.jobs import assert_exact, result_bytes, submit
from tests.support.pipelines import INVERT, canny, median_blur, threshold

UPLOAD = encode(serpentine(901, 1200))
PIPELINES = [[INVERT], [median_blur(11)], [threshold(60)], [canny(30, 300)]]


@pytest.mark.parametrize("workers", [1, 3])
def test_results_are_exact_with_any_number_of_workers(workers: int, tmp_path: Path) -> None:
    with (
        running(ROOT, tmp_path, workers=workers, environment=SMALL_TILES) as stack,
        Client(stack.url) as client,
    ):
        for pipeline in PIPELINES:
            job = submit(client, UPLOAD, pipeline)
            assert_exact(result_bytes(client, job, tmp_path), UPLOAD, pipeline)
            assert client.job(job.id).tiles.total > 4
        assert len(stack.workers()) == workers
