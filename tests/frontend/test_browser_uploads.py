"""What the page believes of files that a browser says it has sent."""

import base64
import io

import pytest
from PIL import Image

from frontend_streamlit.browser_uploads import BrowserUploads, Told, picture_of, read
from tessera_client import Client
from tests.client.fake_api import FakeApi


def test_the_browser_can_name_no_upload_but_its_own(api: FakeApi) -> None:
    with Client(api.url) as client:
        mine, other = BrowserUploads(), BrowserUploads()
        asking = Told(f"{mine.session}-1", "a.png", 5, "image/png", "asking")
        assert mine.update([asking], client) == []
        assert other.update([asking], client) == []
        assert list(mine.answer()["places"]) == [asking.id]
        assert other.answer()["places"] == {}
        sent = Told(asking.id, "a.png", 5, "image/png", "sent")
        invented = Told(f"{mine.session}-2", "b.png", 5, "image/png", "sent")
        [received] = mine.update([sent, invented], client)
        assert received.upload_id
        assert mine.update([sent], client) == [], "it is taken once"
        assert mine.answer()["places"] == {}


def test_a_place_that_the_service_refuses_is_told_once(api: FakeApi) -> None:
    api.problem("POST", "/uploads", 413, title="The file is too large", hint="Send a smaller one.")
    with Client(api.url) as client:
        uploads = BrowserUploads()
        file = Told(f"{uploads.session}-1", "a.png", 5, "image/png", "asking")
        for _ in range(2):
            uploads.update([file], client)
            assert uploads.answer()["refused"] == {file.id: "The file is too large. Send a smaller one."}
        assert uploads.on_their_way == 0
    assert len(api.sent("POST", "/uploads")) == 1


@pytest.mark.parametrize(
    "document", [None, "files", [1], [{"id": "x"}], [{"id": 1, "name": "a", "size": "b"}]]
)
def test_what_isnt_as_agreed_is_nothing(document: object) -> None:
    assert read(document) == []


def test_the_picture_of_a_gray_image_is_gray() -> None:
    gray, coloured = io.BytesIO(), io.BytesIO()
    Image.new("L", (2000, 10), 70).save(gray, "PNG")
    Image.new("RGB", (1200, 6), (70, 70, 70)).save(coloured, "JPEG")
    copy, head = (base64.b64encode(each.getvalue()).decode() for each in (coloured, gray))
    for first, mode in ((head, "L"), (copy, "RGB"), (None, "RGB")):
        made = picture_of(copy, first)
        assert made is not None
        with Image.open(io.BytesIO(made)) as image:
            assert image.mode == mode
    assert picture_of("no base64!", None) is None
    assert picture_of(base64.b64encode(b"no image").decode(), None) is None
