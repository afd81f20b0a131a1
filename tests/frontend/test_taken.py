"""Beginning again with what a job has, and zooming into a copy of a result: the page on the fake API."""

import json
from collections import deque
from typing import Any

import pytest
import streamlit as st

from tests.client import fake_api
from tests.client.fake_api import FakeApi
from tests.frontend.conftest import Page
from tests.support.images import encode, textured

PICTURE = encode(textured(60, 80))
RESULT = encode(textured(30, 40, 1))
TIFF = {"media_type": "image/tiff", "name": "photo-canny-crop.tif"}
OFFER = "Make a copy to zoom into"
AGAIN, WITH_RESULT = "Run again with changes", "Use the result as a new image"


def open_job(page: Page, api: FakeApi, **fields: Any) -> None:
    """Open a job that succeeded, whose image is kept."""
    api.result = RESULT
    api.blobs["uploads/upload-9"], api.blobs["previews/input"] = PICTURE, PICTURE
    api.sources["job-7"] = "upload-9"
    api.jobs["job-7"] = deque([{"id": "job-7", **api.succeeded(name="photo-canny.png"), **fields}])
    page.app.query_params["job"] = "job-7"
    page.app.run()


def started(api: FakeApi) -> dict[str, Any]:
    body: dict[str, Any] = api.sent("POST", "/jobs$")[-1].json
    return body


def is_full(page: Page) -> tuple[bool, bool]:
    """Say whether the viewer may fetch more than a small picture, and whether that is a TIFF."""
    [viewer] = page.app.get("bidi_component")
    data = json.loads(viewer.proto.json)
    return data["can_be_full"], data["tiled"]


def test_run_again_keeps_the_image_and_nothing_is_sent(page: Page, api: FakeApi) -> None:
    open_job(page, api)
    page.click(AGAIN)
    assert page.job() is None
    assert "photo.jpg" in page.text()
    assert f"{len(PICTURE) / 1000:.1f} kB" in page.text()
    assert "choose it again" not in page.text()
    page.app.number_input[0].set_value(70).run()
    page.click("Start")
    page.until(page.job)
    assert api.sent("PUT", "/blob/") == []
    assert api.blobs[f"uploads/{started(api)['upload_id']}"] == PICTURE
    assert started(api)["upload_id"] != "upload-9", "another upload, since the job may be deleted"
    assert started(api)["name"] == "photo.jpg"
    assert started(api)["pipeline"] == [{"operation": "canny", "parameters": {"low": 70, "high": 200}}]


@pytest.mark.parametrize("to_another", [False, True])
def test_run_again_takes_the_page_of_the_file_that_the_job_took(
    page: Page, api: FakeApi, monkeypatch: pytest.MonkeyPatch, to_another: bool
) -> None:
    of_three = {**fake_api.PLAN["input"], "page": 1, "pages": 3}
    monkeypatch.setattr(fake_api, "PLAN", {**fake_api.PLAN, "input": of_three})
    open_job(page, api, input=of_three | {"name": "scans.tif"})
    page.click(AGAIN)
    wanted = next(field for field in page.app.number_input if field.label == "Page of the file, 1 to 3")
    assert wanted.value == 2
    assert "The picture shows" not in page.text()
    if to_another:
        wanted.set_value(1).run()
        assert "The picture shows page 2." in page.text()
    else:
        page.click("Start")
        page.until(page.job)
        assert started(api)["page"] == 1


def test_images_that_were_chosen_before_make_room_for_that_of_the_job(page: Page, api: FakeApi) -> None:
    page.app.run()
    page.choose_image("other.png", PICTURE)
    open_job(page, api)
    page.click(AGAIN)
    assert "photo.jpg" in page.text()
    assert "other.png" not in page.text()


def test_an_image_that_is_gone_is_said_until_another_is_chosen(page: Page, api: FakeApi) -> None:
    open_job(page, api)
    del api.blobs["uploads/upload-9"]
    page.click(AGAIN)
    assert [each.value for each in page.app.info] == [
        "The image of that job isn't kept any more: choose it again."
    ]
    assert [field.value for field in page.app.number_input] == [50, 200], "the operations are there"
    assert "To start, choose an image." in page.text()
    page.choose_image("leaf.png", PICTURE)
    assert "choose it again" not in page.text()
    page.click("Start")
    page.until(page.job)
    assert started(api)["name"] == "leaf.png"


def test_a_copy_that_fails_is_told_in_words(page: Page, api: FakeApi) -> None:
    open_job(page, api)
    refused = {"title": "The service is busy", "detail": "storage has not come to the end of the copy"}
    for _ in range(3):
        api.problem("POST", "/uploads", 503, code="unavailable", **refused)
    page.click(AGAIN)
    assert "The service is busy: storage has not come to the end of the copy." in page.text()
    assert "could not be taken over: choose it here" in page.text()


def test_a_result_becomes_the_image_of_an_empty_form(page: Page, api: FakeApi) -> None:
    open_job(page, api)
    page.click(WITH_RESULT)
    assert page.job() is None
    assert "photo-canny.png" in page.text()
    assert "To start, add an operation." in page.text()
    page.add("canny")
    page.click("Start")
    page.until(page.job)
    assert api.blobs[f"uploads/{started(api)['upload_id']}"] == RESULT
    assert started(api)["name"] == "photo-canny.png"


def test_a_result_that_is_gone_is_told_at_the_job(page: Page, api: FakeApi) -> None:
    open_job(page, api)
    api.problem("POST", "/uploads", 409, title="There is no result", code="no-result", detail="removed")
    page.click(WITH_RESULT)
    assert page.job() == "job-7"
    assert "There is no result" in page.text()


def test_a_job_without_a_result_offers_its_image_only(page: Page, api: FakeApi) -> None:
    open_job(page, api, state="failed", result=None)
    assert AGAIN in page.labels()
    assert WITH_RESULT not in page.labels()


@pytest.fixture
def too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let browsers be given no more pixels than the result of the fake API lacks one of."""
    monkeypatch.setenv("TESSERA_PAGE_SHOWN_PIXELS", str(40 * 30 - 1))
    st.cache_data.clear()


@pytest.mark.usefixtures("too_large")
def test_a_copy_to_zoom_into_is_made_and_survives_a_refresh(page: Page, api: FakeApi) -> None:
    open_job(page, api)
    assert OFFER in page.labels()
    assert "counts as a job" in page.text()
    assert is_full(page) == (False, False)
    copying = {"pipeline": [{"operation": "crop", "parameters": {}}], "output": {"format": "tiff"}}
    running = api.job_document() | copying
    api.script = [running, running, running, api.succeeded(**TIFF) | copying]
    page.click(OFFER)
    assert started(api)["pipeline"] == [{"operation": "crop", "parameters": {}}]
    assert started(api)["output"] == {"format": "tiff", "pyramid": True}
    assert started(api)["name"] == "photo-canny.png"
    assert api.blobs[f"uploads/{started(api)['upload_id']}"] == RESULT
    assert "Making the copy. Working, step 1 of 2" in page.text()
    assert page.app.query_params["copy"] == "job-2"
    page.until(lambda: "You zoom into a copy" in page.text())
    assert is_full(page) == (True, True)
    assert OFFER not in page.labels()
    assert "Download" in page.labels()
    assert page.job() == "job-7"


@pytest.mark.usefixtures("too_large")
@pytest.mark.parametrize(
    "other",
    [
        {},
        {"pipeline": [{"operation": "crop", "parameters": {}}], "output": {"format": "png"}},
        {"pipeline": [{"operation": "crop", "parameters": {}}], "output": {"format": "tiff"}, "width": 41},
    ],
    ids=["another operation", "another format", "another size"],
)
def test_a_job_that_is_no_copy_of_the_result_is_not_zoomed_into(
    page: Page, api: FakeApi, other: dict[str, Any]
) -> None:
    width = other.pop("width", 40)
    api.jobs["job-8"] = deque([{"id": "job-8", **api.succeeded(**TIFF, width=width), **other}])
    page.app.query_params["copy"] = "job-8"
    open_job(page, api)
    assert OFFER in page.labels()
    assert is_full(page) == (False, False)


@pytest.mark.usefixtures("too_large")
def test_a_copy_that_is_gone_or_failed_is_offered_again(page: Page, api: FakeApi) -> None:
    page.app.query_params["copy"] = "job-99"
    open_job(page, api)
    assert OFFER in page.labels()
    copying = {"pipeline": [{"operation": "crop", "parameters": {}}], "output": {"format": "tiff"}}
    problem = {
        "status": 413,
        "title": "Too large",
        "detail": "the work is too much",
        "hint": "Crop it first.",
    }
    api.script = [api.job_document(state="failed", error=problem) | copying]
    page.click(OFFER)
    assert "Too large: the work is too much." in page.text()
    assert OFFER in page.labels()
    api.problem("POST", "/uploads", 413, title="A limit is exceeded", detail="the file has 9 bytes")
    page.click(OFFER)
    assert "the file has 9 bytes." in page.text()
    assert OFFER in page.labels()


def test_no_copy_is_offered_of_what_is_shown_itself(page: Page, api: FakeApi) -> None:
    open_job(page, api)
    assert OFFER not in page.labels()
