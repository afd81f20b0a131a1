"""What a person can do on the page, and what they are told when it doesn't work."""

import re
from collections import deque
from typing import Any

import pytest
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
    assert len(page.app.get("image")) == 2, "before and after"


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


def test_cancel_removes_the_job_and_says_so(page: Page, api: FakeApi) -> None:
    serve(api, api.job_document())
    page.app.query_params["job"] = "job-7"
    page.app.run()
    page.click("Cancel")
    page.until(lambda: "Cancelled. Everything of this job was removed." in page.text())
    assert "job-7" not in api.jobs
    page.click("Process an image")
    assert page.job() is None
    assert "Operations" in page.text()


def test_a_cancel_that_fails_is_told_and_the_job_stays(page: Page, api: FakeApi) -> None:
    serve(api, api.job_document())
    page.app.query_params["job"] = "job-7"
    page.app.run()
    api.problem("DELETE", "/jobs", 409, title="Not now", hint="Ask again.")
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
    page.click("Process another image")
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
