"""What a person can do on the page, and what they are told when it doesn't work."""

import re
from collections import deque
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import streamlit as st
from rich.filesize import decimal

from tessera.operations import CATALOGUE
from tessera.pipeline import bind
from tessera.plan import Step
from tests.client import fake_api
from tests.client.fake_api import FakeApi, Request
from tests.frontend.conftest import Page
from tests.support.images import encode, textured

PICTURE = encode(textured(60, 80))


def fill_in(page: Page, *operations: str) -> None:
    page.app.run()
    page.choose_image("leaf.png", PICTURE)
    for operation in operations:
        page.add(operation)


def submitted(api: FakeApi) -> dict[str, Any]:
    body: dict[str, Any] = api.sent("POST", "/jobs$")[-1].json
    return body


def serve(api: FakeApi, document: dict[str, Any]) -> None:
    """Answer with this job whenever it is asked for."""
    api.jobs["job-7"] = deque([{"id": "job-7", **document}])


def test_an_image_is_sent_processed_and_shown(page: Page, api: FakeApi) -> None:
    api.result = encode(textured(30, 40, 1))
    fill_in(page, "canny")
    page.click("Start")
    page.until(page.job)
    page.until(lambda: "Done." in page.text())
    assert next(iter(api.blobs.values())) == PICTURE
    assert submitted(api)["name"] == "leaf.png"
    assert submitted(api)["output"] == {"format": "png"}
    assert submitted(api)["pipeline"] == [{"operation": "canny", "parameters": {"low": 100, "high": 200}}]
    assert f"PNG, 40 × 30 pixels, {decimal(len(api.result))}" in page.text()
    assert "Putting the parts together | 0.01 s" in page.text()
    [viewer] = page.app.get("bidi_component")
    assert viewer.proto.component_name == "tessera_viewer"


def test_operations_are_sent_in_the_order_shown_with_the_values_shown(page: Page, api: FakeApi) -> None:
    fill_in(page, "canny", "median_blur", "median_blur")
    low, _, first, second = page.app.number_input
    low.set_value(50)
    first.set_value(7)
    second.set_value(9)
    page.app.run()
    move_up = [button for button in page.app.button if button.label == "Up"]
    assert [button.disabled for button in move_up] == [True, False, False]
    move_up[2].click().run()
    [button for button in page.app.button if button.label == "Remove"][2].click().run()
    page.app.radio[0].set_value("jpeg").run()
    page.app.slider[0].set_value(75).run()
    page.click("Start")
    page.until(page.job)
    assert submitted(api)["pipeline"] == [
        {"operation": "canny", "parameters": {"low": 50, "high": 200}},
        {"operation": "median_blur", "parameters": {"ksize": 9}},
    ]
    assert submitted(api)["output"] == {"format": "jpeg", "quality": 75}
    del page.app.query_params["job"]
    page.app.run()
    assert [field.value for field in page.app.number_input] == [50, 200, 9], "on the way back all is there"
    assert (page.app.radio[0].value, page.app.slider[0].value) == ("jpeg", 75)


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_widgets_of_each_operation_hold_what_the_service_accepts(
    name: str, page: Page, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = CATALOGUE[name].parameters.model_json_schema()
    monkeypatch.setattr(fake_api, "OPERATIONS", [{"name": name, "parameters": schema}])
    fill_in(page, name)
    page.click("Start")
    page.until(page.job)
    [step] = submitted(api)["pipeline"]
    assert set(step["parameters"]) == set(schema.get("properties", {}))
    [bound] = bind([Step.model_validate(step)])
    assert bound.parameters == CATALOGUE[name].parameters(), "what is shown first are the defaults"


def test_what_is_missing_is_said_and_nothing_can_be_started(page: Page) -> None:
    page.app.run()
    assert "To start, choose an image and add an operation." in page.text()
    page.add("canny")
    assert "To start, choose an image." in page.text()
    start = next(button for button in page.app.button if button.label == "Start")
    assert start.disabled


def test_a_refusal_is_told_in_words_and_leaves_the_form_as_it_was(page: Page, api: FakeApi) -> None:
    api.problem(
        "POST", "/jobs$", 422, title="Invalid pipeline", detail="low is above high", hint="Swap the *two*."
    )
    fill_in(page, "canny")
    page.app.number_input[0].set_value(300)
    page.click("Start")
    page.until(lambda: "low is above high" in page.text())
    assert "Swap the *two*." in page.text()
    assert page.job() is None
    assert page.app.number_input[0].value == 300
    page.click("Start")
    page.until(page.job)
    assert submitted(api)["pipeline"][0]["parameters"]["low"] == 300


def test_a_service_that_is_away_is_told_in_words_and_can_be_tried_again(page: Page, api: FakeApi) -> None:
    api.hang_up("GET", "/operations", times=3)
    page.app.run()
    assert "The service can't be reached just now." in page.text()
    assert api.url not in page.text(), "where the service is isn't for everybody"
    page.click("Try again")
    assert "Operations" in page.text()


def test_the_address_shows_a_running_job_and_then_its_result(page: Page, api: FakeApi) -> None:
    serve(api, api.job_document())
    page.app.query_params["job"] = "job-7"
    page.app.run()
    assert "photo.jpg" in page.text()
    assert "Working, step 1 of 2 (canny), 1 of 4 parts" in page.text()
    serve(api, api.succeeded())
    page.until(lambda: "Done." in page.text())
    assert "The picture of the original isn't kept any more." in page.text()


def test_a_job_that_stays_away_keeps_the_page_alive(page: Page, api: FakeApi) -> None:
    serve(api, api.job_document())
    page.app.query_params["job"] = "job-7"
    asked: list[object] = []

    def fail_after_the_first(request: Request) -> None:
        asked.append(request)
        if len(asked) == 1:
            api.hang_up("GET", "/jobs/job-7", times=3)

    api.on_answer = fail_after_the_first
    page.app.run()
    assert "The job goes on; this page keeps asking." in page.text()
    page.app.run()
    assert "Working" in page.text()


def test_a_failed_job_says_why_and_what_to_do(page: Page, api: FakeApi) -> None:
    problem = {"title": "The image is damaged", "detail": "it ends early", "hint": "Send it again."}
    document = api.job_document(state="failed", error=problem)
    serve(api, document)
    page.app.query_params["job"] = "job-7"
    page.app.run()
    assert "The image is damaged: it ends early." in page.text()
    assert "Send it again." in page.text()


def test_cancel_stops_the_job_which_can_be_taken_up_again(page: Page, api: FakeApi) -> None:
    serve(api, api.job_document())
    api.retried = [api.succeeded()]
    page.app.query_params["job"] = "job-7"
    page.app.run()
    page.click("Cancel")
    page.until(lambda: "Cancelled. Nothing more is done" in page.text())
    page.click("Retry")
    page.until(lambda: "Done." in page.text())


def test_delete_removes_the_job_and_says_so(page: Page, api: FakeApi) -> None:
    serve(api, api.succeeded())
    page.app.query_params["job"] = "job-7"
    page.app.run()
    page.click("Delete for good")
    page.until(lambda: "Everything of this job was removed." in page.text())
    assert "job-7" not in api.jobs
    page.click("Process an image")
    assert page.job() is None
    assert "2. Operations" in page.text()


def test_a_cancel_that_fails_is_told_and_the_job_stays(page: Page, api: FakeApi) -> None:
    serve(api, api.job_document())
    page.app.query_params["job"] = "job-7"
    page.app.run()
    api.problem("POST", "/cancel", 409, title="Not now", hint="Ask again.")
    page.click("Cancel")
    assert "Not now." in page.text()
    assert "Ask again." in page.text()
    assert "Cancel" in page.labels()


def test_an_unknown_job_is_told_in_words(page: Page) -> None:
    page.app.query_params["job"] = "../../elsewhere"
    page.app.run()
    assert "There is no job at this address." in page.text()


def test_another_image_begins_with_the_operations_of_the_last_job(page: Page, api: FakeApi) -> None:
    finished = api.succeeded() | {"output": {"format": "jpeg", "quality": 60}}
    serve(api, finished)
    page.app.query_params["job"] = "job-7"
    page.app.run()
    page.click("Run again with changes")
    assert page.job() is None
    assert [field.value for field in page.app.number_input] == [50, 200]
    assert (page.app.radio[0].value, page.app.slider[0].value) == ("jpeg", 60)


def test_a_download_asks_for_a_fresh_link_and_no_other_place_shows_one(page: Page, api: FakeApi) -> None:
    serve(api, api.succeeded())
    page.app.query_params["job"] = "job-7"
    page.app.run()
    before = len(api.sent("GET", "/jobs/job-7"))
    assert "sig=" not in str(page.app.main)
    page.click("Download")
    assert len(api.sent("GET", "/jobs/job-7")) > before
    [link] = page.app.get("link_button")
    assert re.search(r"/blob/results/out\?sp=r&sig=", link.proto.url)


def test_several_images_become_a_batch_with_a_list(page: Page, api: FakeApi) -> None:
    page.app.run()
    page.app.file_uploader[0].set_value(
        [("a.png", PICTURE, "image/png"), ("b.png", PICTURE, "image/png")]
    ).run()
    page.until(lambda: "Sending" not in page.text())
    page.add("canny")
    assert "Plan for the first image" in page.text()
    page.click("Start with 2 images")
    page.until(lambda: "All 2 images are done." in page.text())
    [request] = api.sent("POST", "/batches$")
    assert [entry["name"] for entry in request.json["inputs"]] == ["a.png", "b.png"]
    assert request.json["tolerated_failures"] == 2
    assert page.labels().count("Open") == 2
    [button for button in page.app.button if button.label == "Open"][1].click().run()
    assert page.job() == "job-2"


def test_an_image_can_be_removed_again(page: Page) -> None:
    fill_in(page, "canny")
    page.click("Remove image")
    assert "To start, choose an image." in page.text()


def test_an_image_that_cant_be_sent_is_told_and_stops_nothing_else(page: Page, api: FakeApi) -> None:
    api.problem("POST", "/uploads", 413, title="The file is too large", hint="Send a smaller one.")
    fill_in(page, "canny")
    assert "The file is too large." in page.text()
    assert "To start, remove the image that could not be sent." in page.text()


def test_the_plan_is_shown_before_anything_starts(page: Page, api: FakeApi) -> None:
    fill_in(page, "canny")
    [facts] = [each.proto.body for each in page.app.get("html") if "<dl" in each.proto.body]
    for fact in ("40 × 30 pixels", "4 parts in 2 passes", "0.50 s to 2.00 s", "50.0 MB", "$0.000120"):
        assert fact in facts
    assert "The image is small" in page.text()
    assert api.sent("POST", "/jobs$") == []


def test_a_page_of_the_file_is_chosen(page: Page, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    several = {**fake_api.PLAN, "input": {**fake_api.PLAN["input"], "pages": 3}}
    monkeypatch.setattr(fake_api, "PLAN", several)
    fill_in(page, "canny")
    wanted = next(field for field in page.app.number_input if field.label == "Page of the file, 1 to 3")
    assert wanted.value == 1
    wanted.set_value(3).run()
    assert api.sent("POST", "/plans")[-1].json["page"] == 2
    assert any("--page 2" in code.value for code in page.app.code)
    page.click("Status")
    page.click("Process")
    page.click("Start")
    page.until(page.job)
    assert submitted(api)["page"] == 2


def test_a_refused_plan_is_told_at_the_operation_that_is_the_reason(page: Page, api: FakeApi) -> None:
    fill_in(page, "canny")
    page.app.selectbox("operation_to_add").set_value("median_blur").run()
    api.problem(
        "POST", "/plans", 422, title="Invalid pipeline", detail="kernel too large",
        hint="Use 5.", pointer="/pipeline/1/parameters/ksize",
    )  # fmt: skip
    page.click("Add operation")
    errors = re.sub(r"\\(.)", r"\1", "\n".join(each.value for each in page.app.error))
    assert "kernel too large" in errors
    assert "Use 5." in errors
    assert "An operation above can't be applied" in errors
    assert next(button for button in page.app.button if button.label == "Start").disabled


def test_what_is_switched_off_is_left_out(page: Page, api: FakeApi) -> None:
    fill_in(page, "canny", "median_blur")
    page.click("Switch off")
    assert "Switched off" in page.text()
    page.click("Start")
    page.until(page.job)
    assert [step["operation"] for step in submitted(api)["pipeline"]] == ["median_blur"]


def test_a_preset_fills_the_pipeline(page: Page) -> None:
    page.app.run()
    page.app.selectbox("preset").set_value("clean_edges").run()
    assert [field.value for field in page.app.number_input] == [5, 50, 120]


def test_operations_are_taken_from_a_file_and_a_wrong_one_is_told(page: Page) -> None:
    page.app.run()
    page.app.file_uploader[1].set_value(("mine.yaml", b"- canny: {low: 7}", "application/yaml")).run()
    assert [field.value for field in page.app.number_input] == [7, 200]
    page.app.file_uploader[1].set_value(("mine.yaml", b"just words", "application/yaml")).run()
    assert "the file holds no list of steps" in page.text().replace("The file", "the file")
    assert [field.value for field in page.app.number_input] == [7, 200], "what was there stays"


def test_operations_are_taken_from_another_job(page: Page, api: FakeApi) -> None:
    serve(api, api.succeeded())
    page.app.run()
    page.app.text_input("job_to_copy").set_value("http://page/?job=job-7").run()
    assert [field.value for field in page.app.number_input] == [50, 200]
    page.app.text_input("job_to_copy").set_value("job-8").run()
    assert "No such job" in page.text()


def test_what_is_on_the_form_is_still_there_after_a_look_elsewhere(page: Page) -> None:
    fill_in(page, "canny")
    page.app.number_input[0].set_value(33)
    page.app.radio[0].set_value("tiff").run()
    page.click("Status")
    assert "The service answers." in page.text()
    page.click("Process")
    assert page.app.number_input[0].value == 33
    assert page.app.radio[0].value == "tiff"
    assert "leaf.png" in page.text()


def test_options_go_with_their_format(page: Page, api: FakeApi) -> None:
    fill_in(page, "canny")
    page.app.radio[0].set_value("tiff").run()
    labels = {toggle.label: toggle for toggle in page.app.toggle}
    labels["With smaller copies inside"].set_value(True)
    labels["Smaller file, many times slower"].set_value(True)
    page.app.run()
    page.click("Start")
    page.until(page.job)
    assert submitted(api)["output"] == {"format": "tiff", "compression": "small", "pyramid": True}


def test_the_live_preview_is_a_job_that_leaves_nothing_behind(page: Page, api: FakeApi) -> None:
    api.result = encode(textured(6, 8, 1))
    fill_in(page, "canny")
    next(toggle for toggle in page.app.toggle if toggle.label == "Live preview").set_value(True).run()
    page.until(lambda: "Preview on a copy" in page.text().replace("**", ""))
    assert submitted(api)["name"] == "preview.png"
    assert api.jobs == {}


def test_the_jobs_are_listed_filtered_and_deleted(page: Page, api: FakeApi) -> None:
    api.result = encode(textured(6, 8, 1))
    for number in range(12):
        api.jobs[f"job-{number}"] = deque([{"id": f"job-{number}", **api.succeeded()}])
    api.blobs["previews/result"] = encode(textured(30, 40))
    api.jobs["job-0"] = deque([{"id": "job-0", **api.job_document(state="failed")}])
    page.app.query_params["view"] = "jobs"
    page.app.run()
    assert page.labels().count("Open") == 10
    assert len(page.app.get("image")) == 10
    page.click("Older")
    assert page.labels().count("Open") == 2
    assert "Failed" in page.text()
    page.app.segmented_control("jobs_state").set_value("failed").run()
    assert page.labels().count("Open") == 1
    page.click("Delete for good")
    assert "job-0" not in api.jobs
    assert "There are no such jobs." in page.text()


def test_the_jobs_are_found_by_name_operation_and_day(page: Page, api: FakeApi) -> None:
    api.jobs["job-1"] = deque([{"id": "job-1", **api.succeeded()}])
    page.app.query_params["view"] = "jobs"
    page.app.run()
    page.app.text_input("jobs_text").set_value(" CANNY ").run()
    assert page.labels().count("Open") == 1
    page.app.date_input("jobs_From").set_value(date(2026, 11, 23)).run()
    page.app.date_input("jobs_To").set_value(date(2026, 11, 23)).run()
    assert page.labels().count("Open") == 1
    asked = parse_qs(urlsplit(api.sent("GET", "/jobs\\?")[-1].path).query)
    assert (asked["text"], asked["since"], asked["until"]) == (["CANNY"], ["2026-11-23"], ["2026-11-23"])
    page.app.date_input("jobs_To").set_value(date(2026, 11, 22)).run()
    assert "There are no such jobs." in page.text()
    page.app.text_input("jobs_text").set_value("sepia").run()
    assert "There are no such jobs." in page.text()


def test_the_batches_are_listed_and_opened(page: Page, api: FakeApi) -> None:
    page.app.query_params["view"] = "jobs"
    page.app.run()
    page.app.segmented_control("jobs_kind").set_value("Batches").run()
    assert "There are no batches." in page.text()
    entry = {"upload_id": "u", "job": "job-1", "state": "failed", "name": "a.png", "code": "corrupt-image"}
    for number in (1, 2):
        api.batches[f"batch-{number}"] = {
            "id": f"batch-{number}", "state": "failed", "created_at": "2026-11-23T18:00:00Z", "total": 1,
            "done": 1, "failed": 1, "tolerated_failures": 0, "manifest": [entry],
        }  # fmt: skip
    page.click("Refresh")
    assert page.labels().count("Open") == 2
    assert "Canny · 1 failed · 2026-11-23 18:00 UTC" in page.text()
    page.click("Open")
    assert "0 of 1 images are done, 1 are not." in page.text()
    assert "Failed (corrupt-image)" in page.text()


def test_the_catalogue_is_searched_and_used(page: Page) -> None:
    page.app.query_params["view"] = "operations"
    page.app.run()
    assert page.labels().count("Use it") == 2
    page.app.text_input("search").set_value("edges").run()
    page.click("Use it")
    assert [field.value for field in page.app.number_input] == [100, 200]


def test_a_service_that_is_not_ready_is_told(page: Page, api: FakeApi) -> None:
    api.fail("GET", "/ready", 503, 503, 503)
    page.app.query_params["view"] = "status"
    page.app.run()
    assert "The service answers." in page.text()
    assert "Not now: its storage" in page.text()


def test_reports_and_the_receipt_are_shown_with_the_result(page: Page, api: FakeApi) -> None:
    receipt = {
        "gigabyte_seconds": 35.4, "executions": 104, "reads": 156, "writes": 104, "bytes_written": 181000,
        "retries": 0, "amount": 0.002, "currency": "USD", "dated": "2026-11-01", "region": "westeurope",
    }  # fmt: skip
    gray = {"min": 0, "max": 255, "mean": 12.5, "std": 3.25, "histogram": [1] * 256}
    reports = {"0": {"depth": 8, "pixels": 1200, "channels": {"gray": gray}}}
    serve(api, api.succeeded() | {"receipt": receipt, "reports": reports})
    page.app.query_params["job"] = "job-7"
    page.app.run()
    assert "Cost: $0.002000" in page.text()
    assert "as much as 1,000,000 jobs like this one" in page.text()
    assert "| Gray | 0 | 255 | 12.50 | 3.25 |" in page.text()
    assert [each.proto.imgs[0].alt for each in page.app.get("image")] == ["Histogram of the whole image"]


def test_warnings_of_a_finished_job_are_shown_with_it(page: Page, api: FakeApi) -> None:
    serve(api, api.succeeded() | {"warnings": ["two *kinds* of machines"]})
    page.app.query_params["job"] = "job-7"
    page.app.run()
    assert [each.value for each in page.app.warning] == [r"Two \*kinds\* of machines\."]


def test_each_person_who_signed_in_has_their_own_jobs(
    page: Page, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"x-ms-client-principal-id": "id-of-ann", "x-ms-client-principal-name": "ann@example.org"}
    monkeypatch.setattr(type(st.context), "headers", headers)
    fill_in(page, "canny")
    assert "Signed in as ann@example.org" in page.text()
    assert all(each.headers.get("x-ms-client-principal-id") == "id-of-ann" for each in api.sent("POST", ""))
    assert all("x-ms-client-principal-id" not in each.headers for each in api.sent("PUT", ""))
