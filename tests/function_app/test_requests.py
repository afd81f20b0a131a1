import json
from typing import Any

import pytest

from function_app.http_support import parse
from function_app.json_guard import MOST_DEPTH
from function_app.problems import InvalidRequest
from function_app.requests import JobRequest, UploadRequest
from tessera.errors import LimitExceeded

JOB: dict[str, Any] = {"upload_id": "0" * 32, "pipeline": [{"operation": "invert"}]}


def body(**changes: Any) -> bytes:
    return json.dumps({**JOB, **changes}).encode()


def test_the_least_job_is_a_png() -> None:
    request = parse(JobRequest, body())
    assert request.output.format == "png"
    assert request.pipeline[0].parameters == {}
    assert request.name is None


@pytest.mark.parametrize(
    ("data", "pointer", "says"),
    [
        (b"", None, "not JSON"),
        (b"{", None, "not JSON"),
        (b"\xff\xfe{}", None, "not JSON"),
        (b'{"upload_id": "\xff"}', None, "not JSON"),
        (b"[" * 15, None, "not JSON"),
        (b'{"name": NaN}', None, "not JSON"),
        (b'{"name": "a", "name": "b"}', None, "given twice"),
        (b'{"name": ' + b"9" * 10_000 + b"}", None, "too long"),
        (body(__class__="os", __module__="os"), None, "__class__"),
        (
            body(pipeline=[{"operation": "x", "parameters": {"a": [{"__module__": 1}]}}]),
            None,
            "__module",
        ),
        (b"[]", None, "object"),
        (body(colour="red"), "/colour", "colour"),
        (body(upload_id="../../etc"), "/upload_id", "upload_id"),
        (body(upload_id=7), "/upload_id", "string"),
        (body(pipeline="invert"), "/pipeline", "pipeline"),
        (body(pipeline=[{"operation": 1}]), "/pipeline/0/operation", "string"),
        (body(pipeline=[{"operation": "invert", "a/b~c": 1}]), "/pipeline/0/a~1b~0c", "not permitted"),
        (body(pipeline=[{"operation": "invert"}] * 33), "/pipeline", "32"),
        (body(output={"format": "webp"}), "/output/format", "'png', 'jpeg', 'tiff' or 'same'"),
        (body(output={"format": "jpeg", "quality": 101}), "/output/quality", "100"),
        (body(output={"format": "jpeg", "quality": "90"}), "/output/quality", "integer"),
        (body(name="n" * 1001), "/name", "1000"),
        (b'{"pipeline": []}', "/upload_id", "required"),
    ],
)
def test_a_body_that_isnt_a_job_is_refused_at_its_place(data: bytes, pointer: str | None, says: str) -> None:
    with pytest.raises(InvalidRequest, match=f"(?i){says}") as error:
        parse(JobRequest, data)
    assert error.value.pointer == pointer


def test_a_long_body_is_refused_before_it_is_read() -> None:
    with pytest.raises(LimitExceeded) as error:
        parse(JobRequest, b" " * 101, 100)
    assert (error.value.limit, error.value.actual) == (100, 101)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'["]", ', b'{"\\"": {"b": ['])
def test_a_deeply_nested_body_is_refused_before_it_is_read(opening: bytes) -> None:
    with pytest.raises(LimitExceeded, match="nested") as error:
        parse(JobRequest, opening * 2000)
    assert error.value.limit == MOST_DEPTH


def test_a_whole_number_is_whole_however_it_is_written() -> None:
    assert parse(UploadRequest, b'{"size": 12.0}').size == 12
    assert parse(UploadRequest, b'{"size": 1.2e1}').size == 12


def test_brackets_in_a_text_do_not_nest() -> None:
    assert parse(JobRequest, body(name="[" * 500 + '"\\')).name == "[" * 500 + '"\\'


@pytest.mark.parametrize("size", [-1, "12", 1.5, True])
def test_an_uploads_size_is_a_count_of_bytes(size: Any) -> None:
    with pytest.raises(InvalidRequest) as error:
        parse(UploadRequest, json.dumps({"size": size}).encode())
    assert error.value.pointer == "/size"
