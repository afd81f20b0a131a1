"""Storage refuses what every tile of a stage reads: the job ends with a reason, and can be taken up again."""

import asyncio
import io
from pathlib import Path

import pytest

from drill import kinds
from drill.aftermath import nothing_is_stuck
from drill.ledger import Ledger
from drill.stack import Stack
from drill.storage_faults import Call, StorageFaults
from tessera import naming
from tessera_client import AsyncClient, Step
from tessera_client.errors import JobFailed
from tests.support.images import encode, textured
from tests.support.jobs import assert_exact
from tests.support.pipelines import canny

PHOTO = encode(textured(600, 800))
SETTINGS = {"TESSERA_MIN_TILE_PIXELS": "30000", "TESSERA_RETRY_INTERVAL_MS": "50"}
FORBIDDEN = "403"
"""No client tries this again: the activity raises, as often as it is tried."""


class NoLabels(StorageFaults):
    """Lets nobody read the label maps that the second stage begins with."""

    def choose(self, call: Call) -> str | None:
        labels = call.blob.endswith(naming.label_raster(0)) and "comp=" not in call.target
        return FORBIDDEN if self.share and labels and call.method == "GET" else None


async def fail_and_mend(folder: Path) -> bytes:
    failing = Stack(folder, NoLabels(1.0, 0), Ledger(folder / "ledger.jsonl"), 2, SETTINGS)
    async with failing as stack, AsyncClient(stack.url) as client:
        upload = await client.upload(io.BytesIO(PHOTO), name="photo.png")
        step = canny(20, 60)
        job = await client.submit(upload.id, [Step(step.operation, step.parameters)])
        with pytest.raises(JobFailed) as failure:
            await client.wait(job.id, timeout=120)
        assert failure.value.job.error is not None
        assert failure.value.job.error.code == "internal"
        assert await nothing_is_stuck(stack) == []
        stack.proxy.stop_faults()
        await client.retry(job.id)
        done = await client.wait(job.id, timeout=120)
        return (await client.download(done, folder / "made.png")).read_bytes()


def test_a_job_whose_tiles_all_fail_says_so_and_can_be_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses = {**kinds.STATUSES, FORBIDDEN: (403, "AuthorizationFailure")}
    monkeypatch.setattr(kinds, "STATUSES", statuses)
    assert_exact(asyncio.run(fail_and_mend(tmp_path)), PHOTO, [canny(20, 60)])
