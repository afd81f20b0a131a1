"""A job ends with its bytes or with a reason, and leaves nothing else."""

import io
import json
from collections import Counter
from itertools import cycle
from random import Random

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from activities.attempts import MOST_ATTEMPTS, refuse_if_stopped
from activities.cleanup import remove_job
from activities.process_direct import process_direct
from activities.stitch import stitch
from activities.store import Store
from tessera import naming
from tessera.errors import Cancelled
from tessera.messages import DirectDone, DirectOrder, Result, StitchOrder
from tessera.plan import Output, Step
from tessera.planner import Limits
from tessera_local.tasks import ACTIVITIES
from tests.support import driver
from tests.support.driver import run_job
from tests.support.images import decode, encode, icc_profile, textured
from tests.support.memory_store import MemoryStore
from tests.support.pipelines import INVERT, canny, median_blur

PNG = encode(textured(500, 300))
JPEG = encode(textured(500, 300), ".jpg")


def leftovers(store: MemoryStore) -> list[str]:
    return [*store.names(naming.WORK, ""), *store.names(naming.RESULTS, "")]


@pytest.mark.parametrize("rows", [64, None], ids=["tiled", "direct"])
@pytest.mark.parametrize(
    ("upload", "code", "says"),
    [
        (b"", "corrupt-image", "the upload is empty"),
        (
            b"this is not an image at all",
            "unsupported-format",
            "what is read here is jpeg, png, tiff, webp, gif, bmp",
        ),
        (PNG[: len(PNG) // 2], "corrupt-image", "truncated or damaged"),
        (JPEG[: len(JPEG) // 2], "corrupt-image", "truncated or damaged"),
        (PNG[:16] + bytes(4) + PNG[20:], "corrupt-image", "0 pixels"),
    ],
    ids=["empty", "not an image", "half a PNG", "half a JPEG", "0 pixels"],
)
def test_a_bad_upload_fails_the_job_with_the_reason_and_leaves_nothing(
    upload: bytes, code: str, says: str, rows: int | None
) -> None:
    store = MemoryStore()
    _, outcome = run_job(store, upload, [INVERT], limits=Limits(band_rows=rows))
    assert outcome.state == "failed"
    assert outcome.fault is not None
    assert outcome.fault.code == code
    assert says in outcome.fault.detail
    assert leftovers(store) == []


def test_a_finished_job_leaves_its_result_and_its_records_only() -> None:
    store = MemoryStore()
    job, outcome = run_job(store, PNG, [canny(40, 120)], limits=Limits(band_rows=64))
    assert leftovers(store) == sorted(
        [f"{job}.png", naming.preview(job, "input"), naming.preview(job, "result")]
    )
    assert sorted(store.names(naming.JOBS, "")) == sorted(
        [
            naming.record(job),
            naming.plan(job),
            naming.outcome(job),
            naming.stop_flag(job),
            naming.tiles(job, "00"),
        ]
    )
    assert outcome.result is not None
    assert outcome.result.size == store.stat(naming.RESULTS, f"{job}.png").size
    assert (outcome.tiles, outcome.retried) == (16, 0)
    assert list(outcome.seconds) == ["inspect", "ingest", "stage 1", "reduce 1", "stage 2", "stitch"]


def test_a_task_that_is_the_whole_job_may_be_delivered_twice_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class _Crossing(MemoryStore):
        """Lets a second delivery of the task run through between the first one's block and its commit."""

        def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
            super().put_block(container, name, block, data)
            if container == naming.RESULTS and orders:
                process_direct(orders.pop(), self)

    def begun(order: DirectOrder, inner: Store) -> DirectDone:
        orders.append(order)
        return process_direct(order, inner)

    orders: list[DirectOrder] = []
    monkeypatch.setitem(ACTIVITIES, "process_direct", (begun, DirectOrder))
    store = _Crossing()
    job, outcome = run_job(store, PNG, [INVERT])
    assert outcome.result is not None
    assert not orders
    np.testing.assert_array_equal(decode(store.read(naming.RESULTS, f"{job}.png")), 255 - textured(500, 300))


def test_stitching_reads_no_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the last tile and the finished file, only the colour profile is read."""
    store = MemoryStore()
    before: Counter[tuple[str, str]] = Counter()

    def watched(order: StitchOrder, inner: Store) -> Result:
        before.update(store.reads)
        result = stitch(order, inner)
        after = {key: count for key, count in store.reads.items() if count != before.get(key, 0)}
        assert sum(after.values()) == len(icc_profile())
        assert [name.split("/")[1] for _, name in after] == [naming.profile()]
        return result

    monkeypatch.setitem(ACTIVITIES, "stitch", (watched, StitchOrder))
    _, outcome = run_job(store, encode_with_profile(), [median_blur(5)], limits=Limits(band_rows=64))
    assert outcome.state == "succeeded", outcome.fault
    assert before, "the activity ran"


def encode_with_profile() -> bytes:
    file = io.BytesIO()
    PillowImage.fromarray(textured(500, 300)).save(file, "PNG", icc_profile=icc_profile())
    return file.getvalue()


def is_tile(tile: int, block: str) -> bool:
    return block.startswith(naming.tile_block(tile))


class DyingStore(MemoryStore):
    """A store whose user dies at a chosen write of a tile: what was begun is never ended."""

    def __init__(self, deaths: int) -> None:
        super().__init__()
        self.deaths = deaths

    def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
        if container == naming.RESULTS and is_tile(3, block) and self.deaths > 0:
            self.deaths -= 1
            raise ProcessDied
        super().put_block(container, name, block, data)


class ProcessDied(BaseException):
    """Stands for the end of the process in the middle of an activity: nothing after it runs."""


@pytest.fixture
def redelivering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliver an activity again when its process died, as the platform does."""
    once = driver.Driver._activity

    def again(self: driver.Driver, name: str, data: object) -> object:
        while True:
            try:
                return once(self, name, data)
            except ProcessDied:
                continue

    monkeypatch.setattr(driver.Driver, "_activity", again)


@pytest.mark.usefixtures("redelivering")
@pytest.mark.parametrize("deaths", [1, 2])
def test_a_tile_whose_process_dies_is_done_again_with_the_same_bytes(deaths: int) -> None:
    undisturbed, store = MemoryStore(), DyingStore(deaths)
    limits = Limits(band_rows=64)
    reference_job, _ = run_job(undisturbed, PNG, [median_blur(5)], limits=limits, random=Random(1))
    job, outcome = run_job(store, PNG, [median_blur(5)], limits=limits, random=Random(1))
    assert outcome.state == "succeeded"
    assert outcome.retried >= deaths
    made, expected = (
        decode(each.read(naming.RESULTS, f"{name}.png"))
        for each, name in ((store, job), (undisturbed, reference_job))
    )
    np.testing.assert_array_equal(made, expected, strict=True)


@pytest.mark.usefixtures("redelivering")
def test_a_tile_that_always_ends_its_process_fails_the_job_after_the_third_attempt() -> None:
    store = DyingStore(deaths=1_000)
    _, outcome = run_job(store, PNG, [median_blur(5)], limits=Limits(band_rows=64))
    assert store.deaths == 1_000 - MOST_ATTEMPTS
    assert outcome.state == "failed"
    assert outcome.fault is not None
    assert outcome.fault.code == "gave-up"
    assert "begun 3 times" in outcome.fault.detail
    assert leftovers(store) != [], "the job can be taken up again"


class StoppingStore(MemoryStore):
    """A store in which somebody asks the job to stop when tile 2 is written."""

    def __init__(self, flag: bytes) -> None:
        super().__init__()
        self.flag = flag

    def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
        super().put_block(container, name, block, data)
        if container == naming.RESULTS and is_tile(2, block):
            self.write(naming.JOBS, naming.stop_flag(name.split(".")[0]), self.flag)


def test_a_cancelled_job_stops_and_leaves_its_record_only() -> None:
    store = StoppingStore(naming.STOP_CANCEL)
    job, outcome = run_job(store, PNG, [INVERT], limits=Limits(band_rows=64))
    assert outcome.state == "cancelled"
    assert leftovers(store) == []
    assert json.loads(store.read(naming.JOBS, naming.outcome(job)))["state"] == "cancelled"


def test_a_job_deleted_while_it_runs_leaves_no_trace() -> None:
    store = StoppingStore(naming.STOP_DELETE)
    _, outcome = run_job(store, PNG, [INVERT], limits=Limits(band_rows=64))
    assert outcome.state == "cancelled"
    containers = [list(store.names(container, "")) for container in naming.CONTAINERS]
    assert containers == [[], [], [], []]


def test_what_is_recorded_while_a_job_is_being_removed_goes_too() -> None:
    job, upload = "j" * 32, "u" * 32

    class Late(MemoryStore):
        def delete(self, container: str, name: str) -> None:
            super().delete(container, name)
            if container == naming.UPLOADS:
                self.write(naming.JOBS, naming.outcome(job), b"{}")

    store = Late()
    store.write(naming.UPLOADS, upload, b"image")
    store.write(naming.JOBS, naming.record(job), b"{}")
    remove_job(job, upload, (), store)
    assert [list(store.names(container, "")) for container in naming.CONTAINERS] == [[], [], [], []]


class ChangingStore(MemoryStore):
    """A store in which the upload is replaced as soon as it was inspected."""

    def write(
        self, container: str, name: str, data: bytes, *, media_type: str = "", new: bool = False
    ) -> None:
        super().write(container, name, data, media_type=media_type, new=new)
        if name.endswith("plan.json"):
            (upload,) = self.names(naming.UPLOADS, "")
            super().write(naming.UPLOADS, upload, JPEG)


def test_an_upload_changed_after_inspection_fails_the_job() -> None:
    store = ChangingStore()
    _, outcome = run_job(store, PNG, [INVERT], limits=Limits(band_rows=64))
    assert outcome.state == "failed"
    assert outcome.fault is not None
    assert outcome.fault.code == "input-gone"


@pytest.mark.parametrize(
    ("pipeline", "output", "code"),
    [
        ([canny(1, 2)], Output(), "invalid-pipeline"),
        ([INVERT], Output(format="jpeg"), "invalid-output"),
    ],
)
def test_what_does_not_suit_the_image_fails_the_job_before_any_pixel_is_read(
    pipeline: list[Step], output: Output, code: str
) -> None:
    store = MemoryStore()
    upload = encode(textured(400, 300, 4, 16))
    job, outcome = run_job(store, upload, pipeline, output)
    assert outcome.fault is not None
    assert outcome.fault.code == code
    assert not store.exists(naming.JOBS, naming.plan(job))
    assert leftovers(store) == []


@pytest.mark.parametrize(("operation", "warned"), [("bilateral", True), ("invert", False)])
def test_tiles_of_different_machines_are_told_where_it_may_matter(
    operation: str, warned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = cycle(["opencv 5, AVX2", "opencv 5, AVX512"])
    monkeypatch.setattr("activities.ingest.platform_id", lambda: "opencv 5, AVX2")
    monkeypatch.setattr("activities.process_tile.platform_id", lambda: next(kinds))
    _, outcome = run_job(MemoryStore(), PNG, [Step(operation=operation)], limits=Limits(band_rows=64))
    assert outcome.platforms == ("opencv 5, AVX2", "opencv 5, AVX512")
    assert [("bilateral" in warning) for warning in outcome.warnings] == [True] * warned


@pytest.mark.parametrize(("extension", "decoded"), [(".png", True), (".tiff", False)])
def test_the_machine_that_decoded_is_on_the_receipt_and_no_reason_to_warn(
    extension: str, decoded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uncompressed rows are read by the tiles themselves."""
    monkeypatch.setattr("activities.ingest.platform_id", lambda: "of the decoder")
    monkeypatch.setattr("activities.process_tile.platform_id", lambda: "of the tiles")
    upload = encode(textured(500, 300), extension)
    _, outcome = run_job(MemoryStore(), upload, [Step(operation="bilateral")], limits=Limits(band_rows=64))
    assert outcome.platforms == (*["of the decoder"] * decoded, "of the tiles")
    assert outcome.warnings == ()


def test_the_machine_is_on_the_receipt() -> None:
    _, outcome = run_job(MemoryStore(), PNG, [INVERT])
    (platform,) = outcome.platforms
    assert f"opencv {cv2.__version__}" in platform
    assert "numpy" in platform
    assert outcome.warnings == ()


class AskedStore(MemoryStore):
    """A store that counts how often it was asked whether a job is to stop."""

    asked = 0

    def exists(self, container: str, name: str) -> bool:
        self.asked += name.endswith("/stop")
        return super().exists(container, name)


def test_a_stopped_run_costs_one_question_however_many_tiles_are_queued() -> None:
    store, job = AskedStore(), "0" * 32
    store.write(naming.JOBS, naming.stop_flag(job), naming.STOP_CANCEL)
    for _ in range(5):
        with pytest.raises(Cancelled):
            refuse_if_stopped(job, store, run=1)
    assert store.asked == 1
    store.delete(naming.JOBS, naming.stop_flag(job))
    refuse_if_stopped(job, store, run=2)
    assert store.asked == 2
