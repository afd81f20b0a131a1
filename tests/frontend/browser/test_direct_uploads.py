"""Files that go from a real browser straight to storage, past the page."""

import base64
import json
import re
from collections.abc import Iterator

import numpy as np
import pytest
from azure.storage.blob import ContainerClient
from playwright.sync_api import FilePayload, Locator, Page, Request, Route, expect

from frontend_streamlit.previews import SIDE
from tests.frontend.browser.steps import Open, add, choose, file_input
from tests.frontend.conftest import ROOT, Up
from tests.support.images import encode, textured

BLOCKS = re.compile(r"[?&]comp=block&")
STORAGE = re.compile(r"[?&]sig=.*&comp=block")
PICTURE = encode(textured(60, 80))
LARGE = np.random.default_rng(1).bytes(4_300_000)
TWO_BLOCKS = 2


class Answers:
    """Answers requests of the browser with these statuses (0 hangs up), then lets them through."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.urls: list[str] = []

    def __call__(self, route: Route) -> None:
        self.urls.append(route.request.url)
        if not self.statuses:
            route.continue_()
        elif (status := self.statuses.pop(0)) == 0:
            route.abort("connectionreset")
        else:
            # Without this header the browser would tell the script of no status at all.
            route.fulfill(status=status, headers={"access-control-allow-origin": "*"})


class Gate:
    """Holds requests of the browser until it is opened."""

    def __init__(self) -> None:
        self.held: list[Route] = []
        self.is_open = False

    def __call__(self, route: Route) -> None:
        if self.is_open:
            route.continue_()
        else:
            self.held.append(route)

    def open(self) -> None:
        self.is_open = True
        for route in self.held:
            route.continue_()


@pytest.fixture
def uploads(stack: Up) -> Iterator[ContainerClient]:
    storage = json.loads((stack.data / ".emulator" / "ready.json").read_text())["storage"]
    with ContainerClient.from_connection_string(storage, "uploads") as container:
        if not container.exists():
            container.create_container()
        yield container


def put_in(page: Page, *names: str, data: bytes = PICTURE) -> None:
    files = [FilePayload(name=name, mimeType="image/png", buffer=data) for name in names]
    file_input(page).set_input_files(files)


def sizes(uploads: ContainerClient) -> list[int]:
    return sorted(blob.size for blob in uploads.list_blobs())


def words(page: Page) -> Locator:
    """Return what is said below the one file that isn't there yet."""
    return page.locator(".files .words")


def expect_sent(page: Page, count: int = 1) -> None:
    expect(page.get_by_role("button", name="Remove image")).to_have_count(count)
    expect(page.get_by_role("progressbar")).to_have_count(0)


def test_a_large_file_goes_to_storage_in_blocks_and_each_that_fails_is_sent_again(
    stack: Up, open_page: Open, uploads: ContainerClient
) -> None:
    page, answers, sent = open_page(stack.url), Answers(0, 503), list[Request]()
    page.route(BLOCKS, answers)
    page.on("request", lambda request: sent.append(request))
    put_in(page, "noise.png", data=LARGE)
    expect_sent(page)
    assert len(answers.urls) == TWO_BLOCKS + 2
    assert len(set(answers.urls)) == TWO_BLOCKS, "a block that is sent again is the same block"
    [name] = [blob.name for blob in uploads.list_blobs() if blob.size == len(LARGE)]
    stored = uploads.get_blob_client(name)
    assert stored.download_blob().readall() == LARGE
    assert stored.get_blob_properties().content_settings.content_type == "image/png"
    assert not [each.url for each in sent if "upload_file" in each.url], "nothing went through the page"
    check_the_deployed_storage_allows([each for each in sent if "sig=" in each.url])


def check_the_deployed_storage_allows(sent: list[Request]) -> None:
    """Compare what the browser sends with the CORS rule of the deployment; Azurite's is made by `make up`."""
    rule = (ROOT / "infra" / "bicep" / "modules" / "storage.bicep").read_text()
    methods, headers = (
        re.findall(r"'([\w-]+)'", re.findall(rf"{name}: \[(.*)\]", rule)[0])
        for name in ("allowedMethods", "allowedHeaders")
    )
    always = {"accept", "accept-language", "content-length", "origin", "referer", "user-agent"}
    assert sent
    for request in sent:
        own = {name for name in request.headers if not name.startswith("sec-")} - always
        assert request.method in methods
        assert own <= set(headers), own


def test_an_upload_is_cancelled_and_leaves_nothing(
    stack: Up, open_page: Open, uploads: ContainerClient
) -> None:
    page, gate, before = open_page(stack.url), Gate(), sizes(uploads)
    page.route(BLOCKS, gate)
    put_in(page, "noise.png", data=LARGE)
    add(page, "Invert")
    expect(page.get_by_text("To start, wait until the image has been sent.")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Sending noise.png")).to_have_attribute("aria-valuenow", "0")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("To start, choose an image.")).to_be_visible()
    expect(page.get_by_text("noise.png")).to_have_count(0)
    assert gate.held
    assert sizes(uploads) == before


def test_a_file_that_storage_refuses_is_told_in_words_and_sent_again_to_another_place(
    stack: Up, open_page: Open
) -> None:
    page, answers = open_page(stack.url), Answers(403)
    page.route(BLOCKS, answers)
    put_in(page, "leaf.png")
    expect(words(page)).to_have_text("The permission to send it has run out.")
    page.get_by_role("button", name="Try again").press("Enter")
    expect_sent(page)
    first, second = ({url.partition("?")[0]} for url in answers.urls)
    assert first != second


def test_what_isnt_an_image_by_its_name_or_is_empty_is_refused_at_once(stack: Up, open_page: Open) -> None:
    page = open_page(stack.url)
    put_in(page, "letter.pdf")
    expect(words(page)).to_have_text("It is none of the kinds of images named above.")
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(words(page)).to_have_count(0)
    put_in(page, "nothing.png", data=b"")
    expect(words(page)).to_have_text("It is empty.")


def test_where_the_browser_reaches_no_storage_files_go_through_the_page(
    stack: Up, open_page: Open, uploads: ContainerClient
) -> None:
    page = open_page(stack.url)
    page.route(STORAGE, Answers(*[0] * 100))
    put_in(page, "leaf.png")
    expect(page.get_by_text("The browser doesn't reach the storage")).to_be_visible()
    # For a moment the page shows both: the one that sends to storage, and the one that takes its place.
    expect(page.locator(".drop")).to_have_count(0)
    expect(file_input(page)).to_have_count(1)
    data = encode(textured(61, 81))
    choose(page, "other.png", data)
    expect(page.get_by_text("To start, add an operation.")).to_be_visible()
    assert len(data) in sizes(uploads)


def test_files_are_dropped_and_sent_while_another_view_is_shown(stack: Up, open_page: Open) -> None:
    page, gate = open_page(stack.url), Gate()
    page.route(BLOCKS, gate)
    files = {name: base64.b64encode(PICTURE).decode() for name in ("a.png", "b.png", "c.png")}
    expect(page.get_by_role("button", name="Choose images")).to_be_visible()
    page.locator(".drop").evaluate(
        """(box, files) => {
          const dataTransfer = new DataTransfer();
          for (const [name, data] of Object.entries(files)) {
            const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
            dataTransfer.items.add(new File([bytes], name, { type: "image/png" }));
          }
          box.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        files,
    )
    expect(page.get_by_text("Waits for its turn.")).to_have_count(1)
    expect(page.get_by_text(re.compile("^Sending: 0 kB of"))).to_have_count(2)
    page.get_by_role("button", name="Status", exact=True).click()
    expect(page.get_by_text("The service answers.")).to_be_visible()
    with page.expect_response(re.compile("comp=blocklist")):
        gate.open()
    page.get_by_role("button", name="Process", exact=True).click()
    expect_sent(page, len(files))


def test_the_file_dialog_is_opened_by_the_keyboard(stack: Up, open_page: Open) -> None:
    page = open_page(stack.url)
    with page.expect_file_chooser() as dialog:
        page.get_by_role("button", name="Choose images").press("Enter")
    dialog.value.set_files([FilePayload(name="leaf.png", mimeType="image/png", buffer=PICTURE)])
    expect_sent(page)
    expect(page.get_by_role("status").filter(has_text="leaf.png has been sent.")).to_have_count(1)


def test_a_photograph_and_a_gray_tiff_get_a_picture(stack: Up, open_page: Open) -> None:
    page = open_page(stack.url)
    photo = np.random.default_rng(2).integers(0, 256, (1000, 2000, 3), np.uint8)
    choose(page, "large.jpg", encode(photo, ".jpg"))
    picture = page.get_by_role("img", name="The image large.jpg")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") == SIDE
    page.get_by_role("button", name="Remove image").click()
    choose(page, "gray.tif", encode(textured(40, 50, 1), ".tif"))
    expect(page.get_by_role("img", name="The image gray.tif")).to_be_visible()
