"""Whole jobs on files of every kind: the pixels of an independent decoder, and what is carried over."""

import io
from random import Random

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from tessera import naming
from tessera.messages import Outcome
from tessera.plan import Output, Plan, Raster, Step, Upload
from tessera.planner import Limits
from tests.support.driver import run_job
from tests.support.images import Image, decode, encode, icc_profile, textured
from tests.support.memory_store import MemoryStore
from tests.support.pipelines import INVERT, canny, median_blur

PIXELS = textured(700, 900)
PROFILE = icc_profile()


def tiff(**options: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, PIXELS[:, :, ::-1], photometric="rgb", **options)  # type: ignore[arg-type]
    return file.getvalue()


def pillow(name: str, **options: object) -> bytes:
    file = io.BytesIO()
    PillowImage.fromarray(PIXELS[:, :, ::-1]).save(file, name, **options)
    return file.getvalue()


RESTARTS = encode(PIXELS, ".jpg", [cv2.IMWRITE_JPEG_RST_INTERVAL, 57])
FILES = {
    "tiled TIFF": (tiff(tile=(128, 128), compression="zlib", predictor=True), Upload),
    "strip TIFF": (tiff(rowsperstrip=16, compression="lzw"), Upload),
    "one-strip TIFF": (tiff(rowsperstrip=700), Raster),
    "JPEG with restarts": (RESTARTS, Upload),
    "JPEG": (encode(PIXELS, ".jpg"), Raster),
    "PNG": (encode(PIXELS), Raster),
    "lossless WebP": (pillow("WEBP", lossless=True), Raster),
    "BMP": (pillow("BMP"), Upload),
}


def run(
    data: bytes, pipeline: list[Step], output: Output | None = None, page: int = 0, **limits: int
) -> tuple[MemoryStore, str, Outcome]:
    store = MemoryStore()
    chosen = Limits.from_json({"band_rows": 256, **limits})
    job, outcome = run_job(store, data, pipeline, output, limits=chosen, random=Random(2), page=page)
    return store, job, outcome


def result(store: MemoryStore, job: str, extension: str = "png") -> Image:
    return decode(store.read(naming.RESULTS, f"{job}.{extension}"))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "pipeline",
    [[median_blur(5)], [canny(40, 120)], [Step(operation="rotate"), INVERT]],
    ids=["median", "canny", "turn"],
)
def test_every_format_gives_the_pixels_of_its_decoder(name: str, pipeline: list[Step]) -> None:
    data, _ = FILES[name]
    store, job, outcome = run(data, pipeline)
    assert outcome.state == "succeeded", outcome.fault
    given = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert given is not None
    store_of_pixels, same, _ = run(encode(given), pipeline)
    np.testing.assert_array_equal(result(store, job), result(store_of_pixels, same), strict=True)


@pytest.mark.parametrize("name", FILES)
def test_what_can_be_read_at_random_needs_no_raster(name: str) -> None:
    data, kind = FILES[name]
    store, job, _ = run(data, [INVERT])
    plan = Plan.model_validate_json(store.read(naming.JOBS, naming.plan(job)))
    assert type(plan.stages[0].source) is kind


def test_a_crop_of_a_tiled_tiff_reads_its_tiles_only() -> None:
    data = tiff(tile=(128, 128))
    crop = Step(operation="crop", parameters={"x": 300, "y": 300, "width": 200, "height": 100})
    store, job, outcome = run(data, [crop], band_rows=64)
    assert outcome.state == "succeeded", outcome.fault
    np.testing.assert_array_equal(result(store, job), PIXELS[300:400, 300:500])
    (read,) = (count for (container, _), count in store.reads.items() if container == naming.UPLOADS)
    assert read < len(data) / 2


def test_a_page_is_chosen_and_one_that_is_not_there_is_refused() -> None:
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for page in (PIXELS, 255 - PIXELS):
            writer.write(page[:, :, ::-1], photometric="rgb", tile=(256, 256))
    store, job, outcome = run(file.getvalue(), [INVERT], page=1)
    assert outcome.state == "succeeded", outcome.fault
    np.testing.assert_array_equal(result(store, job), PIXELS)
    _, _, outcome = run(file.getvalue(), [INVERT], page=2)
    assert outcome.fault is not None
    assert "page" in outcome.fault.detail


@pytest.mark.parametrize("format_name", ["png", "jpeg", "tiff"])
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("limits", [{}, {"band_rows": 1024}], ids=["tiles", "one tile"])
def test_profile_and_resolution_are_carried_and_exif_if_wanted(
    format_name: str, keep: bool, limits: dict[str, int]
) -> None:
    exif = PillowImage.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    data = pillow("JPEG", exif=exif, icc_profile=PROFILE, dpi=(300, 150), quality=95)
    output = Output.from_json({"format": format_name, "keep_metadata": keep})
    limits = {"band_rows": 512, **limits}
    store, job, outcome = run(data, [INVERT], output, **limits)
    assert outcome.state == "succeeded", outcome.fault
    extension = {"png": "png", "jpeg": "jpg", "tiff": "tif"}[format_name]
    made = PillowImage.open(io.BytesIO(store.read(naming.RESULTS, f"{job}.{extension}")))
    assert made.size == (700, 900)
    assert made.info["icc_profile"] == PROFILE
    assert tuple(round(float(dots)) for dots in made.info["dpi"]) == (150, 300)
    told = made.getexif()
    assert told.get(0x0112, 1) == 1
    assert told.get(0x010F) == ("Maker" if keep else None)


@pytest.mark.parametrize(
    ("data", "extension"),
    [(encode(PIXELS, ".jpg"), "jpg"), (tiff(), "tif"), (encode(PIXELS), "png"), (pillow("BMP"), "png")],
)
def test_same_is_the_format_of_the_input_or_png(data: bytes, extension: str) -> None:
    store, job, outcome = run(data, [INVERT], Output(format="same"), band_rows=512)
    assert outcome.state == "succeeded", outcome.fault
    assert f"{job}.{extension}" in store.names(naming.RESULTS, "")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("rows", [256, 4096], ids=["tiles", "one tile"])
def test_small_pictures_of_input_and_result_are_kept(name: str, rows: int) -> None:
    store, job, outcome = run(FILES[name][0], [Step(operation="rotate"), INVERT], band_rows=rows)
    assert outcome.state == "succeeded", outcome.fault
    before, after = (
        decode(store.read(naming.RESULTS, naming.preview(job, of))) for of in ("input", "result")
    )
    assert before.shape == PIXELS.shape
    assert np.abs(before.astype(int) - PIXELS).mean() < 12
    assert np.abs(after.astype(int) - (255 - np.rot90(PIXELS, -1))).mean() < 12


def test_what_a_decoder_holds_whole_is_limited_with_figure_and_setting() -> None:
    data = encode(PIXELS, ".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    _, _, outcome = run(data, [INVERT], task_memory=1 << 20)
    assert outcome.fault is not None
    assert outcome.fault.code == "limit-exceeded"
    assert "because it is a progressive JPEG" in outcome.fault.detail
    assert outcome.fault.hint is not None
    assert "task_memory" in outcome.fault.hint


def test_damaged_restart_markers_fail_the_job() -> None:
    data = bytearray(RESTARTS)
    at = data.index(b"\xff\xd3")
    data[at + 1] = 0xD5
    store, _, outcome = run(bytes(data), [INVERT])
    assert outcome.fault is not None
    assert (outcome.state, outcome.fault.code) == ("failed", "corrupt-image")
    assert list(store.names(naming.WORK, "")) == []
