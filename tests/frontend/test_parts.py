"""The parts of the page that need no page."""

import io
import json
import shlex
import subprocess
import threading
import tomllib
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image

from frontend_streamlit import histograms, pipeline_file, receipt
from frontend_streamlit.delivery import Delivery, Stopped
from frontend_streamlit.numbers import InvalidValue, parse_numbers
from frontend_streamlit.previews import MOST_PIXELS, SIDE, shrink
from frontend_streamlit.settings import read_settings
from frontend_streamlit.words import explain, phase
from tessera_client import (
    Client,
    Output,
    Problem,
    Refused,
    RetryPolicy,
    Step,
    TesseraClientError,
    parse_step,
)
from tests.client.fake_api import FakeApi, Request
from tests.frontend.conftest import ROOT

ORIENTATION = 0x112
NUMBERS = some.integers() | some.floats(allow_nan=False, allow_infinity=False)


def saved(image: Image.Image, file_format: str = "PNG", **options: object) -> io.BytesIO:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    buffer.seek(0)
    return buffer


def shrunk(source: io.BytesIO) -> Image.Image:
    made = shrink(source)
    assert made is not None
    return Image.open(io.BytesIO(made))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_gets_a_picture_for_the_screen(mode: str) -> None:
    assert shrunk(saved(Image.new(mode, (3000, 100)))).size == (SIDE, 40)


def test_a_picture_of_16_bits_keeps_its_brightness() -> None:
    assert shrunk(saved(Image.new("I;16", (10, 10), 0x8000))).getpixel((5, 5)) == 0x80


def test_a_picture_is_turned_as_its_orientation_says() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    assert shrunk(saved(Image.new("RGB", (2400, 1200)), "JPEG", exif=exif.tobytes())).size == (600, 1200)


def test_an_image_too_large_to_decode_here_gets_no_picture_but_a_jpeg_of_that_size_does() -> None:
    large = Image.new("L", (MOST_PIXELS // 8000 + 1, 8000))
    assert shrink(saved(large)) is None
    assert max(shrunk(saved(large, "JPEG")).size) == SIDE


@pytest.mark.parametrize("data", [b"", b"not an image", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_what_is_no_image_gets_no_picture(data: bytes) -> None:
    assert shrink(io.BytesIO(data)) is None


def test_a_truncated_image_gets_no_picture() -> None:
    data = saved(Image.effect_noise((200, 200), 50)).getvalue()
    assert shrink(io.BytesIO(data[: len(data) // 2])) is None


@given(
    some.lists(some.lists(some.integers() | some.floats(allow_nan=False, allow_infinity=False), min_size=1))
)
def test_numbers_are_read_as_they_are_written(rows: list[list[float]]) -> None:
    text = "\n".join(", ".join(map(repr, row)) for row in rows)
    if rows:
        assert parse_numbers(text, rows=True) == rows
        assert parse_numbers(text, rows=False) == [number for row in rows for number in row]


@pytest.mark.parametrize("text", ["one", "1, x", "true", "NaN", "Infinity", "[1]", '"1"', "0x1"])
def test_what_is_no_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidValue, match="isn't a number"):
        parse_numbers(text, rows=False)


def test_no_number_at_all_is_refused() -> None:
    with pytest.raises(InvalidValue, match="at least one number"):
        parse_numbers(" \n", rows=True)


def test_the_service_is_found_in_the_environment_and_its_key_is_never_shown() -> None:
    settings = read_settings({"TESSERA_API_URL": "https://example.org", "TESSERA_API_KEY": "secret-value"})
    assert settings.api_key == "secret-value"
    assert "secret-value" not in repr(settings)
    empty = {"TESSERA_API_URL": "", "TESSERA_API_KEY": "", "TESSERA_PAGE_SHOWN_PIXELS": ""}
    assert read_settings(empty) == read_settings({})


def test_a_missing_key_is_a_matter_for_whoever_runs_the_page() -> None:
    message, hint = explain(Refused(Problem(status=401, title="no"), "Set TESSERA_API_KEY."))
    assert message == "This page may not use the service."
    assert "TESSERA_API_KEY" not in hint


def test_a_histogram_counts_each_channel_of_a_picture() -> None:
    red = Image.new("RGB", (4, 2), (200, 0, 7))
    counts = histograms.count(saved(red).getvalue())
    assert {name: (numbers.index(8), sum(numbers)) for name, numbers in counts.items()} == {
        "Red": (200, 8),
        "Green": (0, 8),
        "Blue": (7, 8),
    }
    assert list(histograms.count(saved(Image.new("L", (3, 3), 9)).getvalue())) == ["Gray"]


@pytest.mark.parametrize("write", [pipeline_file.as_yaml, pipeline_file.as_json])
def test_operations_that_are_saved_are_read_again(write: Callable[[Sequence[Step]], str]) -> None:
    steps = (Step("curves", {"points": [[0, 0], [0.5, 0.7], [1, 1]]}), Step("invert"))
    assert pipeline_file.read(write(steps)) == steps


def test_the_command_is_one_that_the_command_line_takes() -> None:
    steps = [Step("curves", {"points": [[0, 0], [1, 1]]}), Step("grayscale", {"method": "luma"})]
    line = pipeline_file.as_command(steps, Output("tiff", pyramid=True, compression="small"), "my photo.jpg")
    words = shlex.split(line)
    assert words[:3] == ["tessera", "run", "my photo.jpg"]
    assert [parse_step(words[i + 1]) for i, word in enumerate(words) if word == "--op"] == steps
    assert words[-5:] == ["--format", "tiff", "--compression", "small", "--pyramid"]


def test_the_curl_commands_are_valid_shell_with_the_job_in_them() -> None:
    text = pipeline_file.as_curl([Step("canny", {"low": 5})], Output("png"), "it's.jpg")
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
    job = next(word for word in shlex.split(text) if word.startswith('{"pipeline"'))
    assert json.loads(job)["pipeline"] == [{"operation": "canny", "parameters": {"low": 5}}]


def test_a_receipt_is_compared_with_rented_machines() -> None:
    assert "1,000,000 jobs" in receipt.compared(0.002)
    assert "nothing worth counting" in receipt.compared(0.0)


def test_phases_are_named_in_words() -> None:
    assert phase("stage 2") == phase("stage_2") == "Processing, pass 2"
    assert phase("some_new_phase") == "Some new phase"


def finish(delivery: Delivery) -> str:
    delivery.start()
    return delivery.upload_id()


def test_an_image_that_is_stopped_while_it_is_sent_is_let_go_of(api: FakeApi) -> None:
    sending, stopped, released = threading.Event(), threading.Event(), threading.Event()

    def hold(request: Request) -> None:
        if request.method == "PUT":
            sending.set()
            assert stopped.wait(10)

    api.on_answer = hold
    with Client(api.url) as client:
        delivery = Delivery(client, io.BytesIO(b"pixels"), "a.png", released.set)
        delivery.start()
        assert sending.wait(10)
        delivery.stop()
        stopped.set()
        with pytest.raises(Stopped):
            delivery.upload_id()
    assert delivery.done
    assert released.is_set()


def test_a_delivery_tells_its_progress_and_what_the_image_is_called(api: FakeApi) -> None:
    released = threading.Event()
    with Client(api.url) as client:
        delivery = Delivery(client, io.BytesIO(b"pixels"), "a.png", released.set)
        assert f"uploads/{finish(delivery)}" in api.blobs
    assert delivery.progress == (6, 6)
    assert released.is_set()


def test_a_delivery_that_fails_tells_why(api: FakeApi) -> None:
    api.fail("PUT", "/blob", 503, 503)
    policy = RetryPolicy(attempts=2, first_wait=0.001, longest_wait=0.01)
    with (
        Client(api.url, policy=policy) as client,
        pytest.raises(TesseraClientError, match="storage answered"),
    ):
        finish(Delivery(client, io.BytesIO(b"pixels"), "a.png"))


def test_the_page_is_safe_as_delivered() -> None:
    config = tomllib.loads((ROOT / "frontend_streamlit" / ".streamlit" / "config.toml").read_text())
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["enableXsrfProtection"] is True
    assert config["server"]["enableCORS"] is True
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "none"
