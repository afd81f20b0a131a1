import base64
import io
import random
import threading
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import override
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera_client import Client, NotFound, Output, Refused, Step, UploadFailed, UploadRefused, UploadState
from tessera_client.uploads import MIB, MOST_BLOCKS, SINGLE_PUT_LIMIT, SMALLEST_BLOCK, block_size
from tests.client.conftest import QUICK
from tests.client.fake_api import SIGNATURE, FakeApi, Fault


def some_bytes(size: int, seed: int = 7) -> bytes:
    print(f"seed {seed}")
    return random.Random(seed).randbytes(size)


@pytest.mark.parametrize("size", [1, SINGLE_PUT_LIMIT - 1, SINGLE_PUT_LIMIT])
def test_a_small_file_goes_in_one_request(api: FakeApi, client: Client, tmp_path: Path, size: int) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(some_bytes(size))
    upload = client.upload(path)
    assert api.blobs[f"uploads/{upload.id}"] == path.read_bytes()
    assert api.blob_types[f"uploads/{upload.id}"] == "image/jpeg"
    assert len(api.sent("PUT", "/blob/")) == 1
    (asked,) = api.sent("POST", "/uploads")
    assert asked.json == {"name": "photo.jpg", "size": size, "content_type": "image/jpeg"}


@pytest.mark.parametrize("size", [SINGLE_PUT_LIMIT + 1, 3 * SMALLEST_BLOCK, 5 * SMALLEST_BLOCK + 12345])
def test_a_large_file_arrives_whole_from_its_blocks(api: FakeApi, client: Client, size: int) -> None:
    data = some_bytes(size)
    upload = client.upload(io.BytesIO(data), name="scan.tiff")
    assert api.blobs[f"uploads/{upload.id}"] == data
    assert api.blob_types[f"uploads/{upload.id}"] == "image/tiff"
    assert len(api.sent("PUT", "comp=block&")) == -(-size // SMALLEST_BLOCK)


def test_blocks_that_fail_are_sent_again(api: FakeApi, client: Client) -> None:
    data = some_bytes(6 * SMALLEST_BLOCK)
    # One block may meet both of the first; it has three attempts.
    api.fail("PUT", "comp=block&", 503)
    api.hang_up("PUT", "comp=block&")
    api.fail("PUT", "comp=blocklist", 429, 500)
    reported: list[tuple[int, int]] = []
    upload = client.upload(io.BytesIO(data), progress=lambda *done: reported.append(done))
    assert api.blobs[f"uploads/{upload.id}"] == data
    assert not api.faults
    assert reported[0] == (0, len(data))
    assert reported[-1] == (len(data), len(data))
    assert all(0 <= done <= total for done, total in reported)


def test_a_small_file_is_sent_again_when_storage_hangs_up(api: FakeApi, client: Client) -> None:
    api.hang_up("PUT", "/blob/", times=2)
    upload = client.upload(io.BytesIO(b"pixels"))
    assert api.blobs[f"uploads/{upload.id}"] == b"pixels"


def test_bytes_that_were_damaged_on_their_way_are_sent_again(api: FakeApi, client: Client) -> None:
    api.faults += [Fault("PUT", "/blob/", 400, headers={"x-ms-error-code": "Md5Mismatch"})] * 2
    upload = client.upload(io.BytesIO(b"pixels"))
    assert api.blobs[f"uploads/{upload.id}"] == b"pixels"
    assert len(api.sent("PUT", "/blob/")) == 3


def test_nothing_is_committed_when_a_block_is_lost_for_good(api: FakeApi, client: Client) -> None:
    api.fail("PUT", "comp=block&", *[503] * 30)
    with pytest.raises(UploadFailed, match="storage answered 503"):
        client.upload(io.BytesIO(some_bytes(6 * SMALLEST_BLOCK)))
    assert not api.sent("PUT", "comp=blocklist")
    assert not api.blobs


def test_a_refusal_is_not_repeated_and_does_not_show_the_permission(api: FakeApi, client: Client) -> None:
    api.fail("PUT", "/blob/", 403)
    with pytest.raises(UploadFailed, match="storage answered 403") as refused:
        client.upload(io.BytesIO(b"pixels"))
    assert len(api.sent("PUT", "/blob/")) == 1
    assert refused.value.hint is not None
    assert "sig=" not in f"{refused.value!r} {refused.value.hint}"


class _Sink(httpx.BaseTransport):
    """Takes uploads and forgets them."""

    def __init__(self) -> None:
        self.received = 0
        self._lock = threading.Lock()

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(201, json={"id": "u", "url": f"http://storage/blob?{SIGNATURE}"})
        assert isinstance(request.stream, httpx.SyncByteStream)
        received = sum(map(len, request.stream))
        with self._lock:
            self.received += received
        return httpx.Response(201)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "huge.tiff"
    with path.open("wb") as file:
        file.truncate(300 * MIB)
    sink = _Sink()
    with Client("http://api", policy=QUICK, transport=sink) as client:
        tracemalloc.start()
        client.upload(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert sink.received > 300 * MIB
    assert peak < 8 * SMALLEST_BLOCK


def test_a_file_the_api_does_not_take_is_not_sent(api: FakeApi, client: Client) -> None:
    api.max_bytes = 5
    with pytest.raises(UploadFailed, match=r"photo\.png has 6 bytes; this API takes at most 5"):
        client.upload(io.BytesIO(b"pixels"), name="photo.png")
    assert not api.sent("PUT", "")


def test_the_api_may_refuse_the_upload_itself(api: FakeApi, client: Client) -> None:
    api.problem("POST", "/uploads", 413, title="Too large", limit=5, actual=6, hint="Send less.")
    with pytest.raises(Refused, match=r"Too large \(limit 5, actual 6\)") as refused:
        client.upload(io.BytesIO(b"pixels"))
    assert refused.value.hint == "Send less."


def test_an_empty_file_is_refused_before_anything_is_asked(
    api: FakeApi, client: Client, tmp_path: Path
) -> None:
    path = tmp_path / "nothing.png"
    path.touch()
    with pytest.raises(UploadFailed, match=r"nothing\.png is empty"):
        client.upload(path)
    assert not api.requests


def test_a_file_that_cannot_be_read_is_named(client: Client, tmp_path: Path) -> None:
    with pytest.raises(UploadFailed, match=r"cannot read .*gone\.png: No such file"):
        client.upload(tmp_path / "gone.png")


class _Growing(io.BytesIO):
    """Has more (or, with a negative number, fewer) bytes when read than when measured."""

    def __init__(self, data: bytes, more: int) -> None:
        super().__init__(data)
        self._more = more

    def seek(self, offset: int, whence: int = 0, /) -> int:
        at = super().seek(offset, whence)
        return at - self._more if whence == io.SEEK_END else at


@pytest.mark.parametrize("more", [1, -1])
@pytest.mark.parametrize("size", [100, SINGLE_PUT_LIMIT + 100])
def test_a_file_that_changes_meanwhile_is_not_taken_for_whole(
    api: FakeApi, client: Client, size: int, more: int
) -> None:
    with pytest.raises(UploadFailed, match="changed while it was read"):
        client.upload(_Growing(some_bytes(size), more))
    assert not api.blobs


def test_an_interrupt_stops_the_other_blocks(api: FakeApi, client: Client) -> None:
    source = io.BytesIO(some_bytes(12 * SMALLEST_BLOCK))

    def interrupt(done: int, total: int) -> None:
        if done > SMALLEST_BLOCK:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.upload(source, progress=interrupt)
    assert not api.sent("PUT", "comp=blocklist")
    assert len(api.sent("PUT", "comp=block&")) < 12


@given(st.integers(1, 4 << 40))
def test_block_sizes_stay_within_the_limits_of_storage(size: int) -> None:
    block = block_size(size)
    assert block >= SMALLEST_BLOCK
    assert block % MIB == 0
    assert -(-size // block) <= MOST_BLOCKS
    assert block <= 4000 * MIB


def test_an_upload_goes_on_where_it_stopped(api: FakeApi, client: Client) -> None:
    data, state = some_bytes(6 * SMALLEST_BLOCK + 1), UploadState()
    api.fail("PUT", f"blockid={quote(_block(3), safe='')}", *[503] * QUICK.attempts)
    with pytest.raises(UploadFailed, match="storage answered 503"):
        client.upload(io.BytesIO(data), state=state)
    there = set(state.done)
    assert {0, 1, 2} & there
    assert 3 not in there
    before = len(api.sent("PUT", "comp=block&"))
    seen: list[int] = []
    upload = client.upload(io.BytesIO(data), state=state, progress=lambda done, total: seen.append(done))
    assert api.blobs[f"uploads/{upload.id}"] == data
    assert len(api.sent("PUT", "comp=block&")) - before == 7 - len(there)
    assert len(api.sent("POST", "/uploads")) == 1
    assert seen[-1] == len(data)


@pytest.mark.parametrize("change", ["another size", "too little time left"])
def test_an_upload_that_cannot_go_on_begins_anew(api: FakeApi, client: Client, change: str) -> None:
    data, state = some_bytes(4 * SMALLEST_BLOCK), UploadState()
    api.lifetime = timedelta(minutes=1 if change == "too little time left" else 60)
    api.fail("PUT", f"blockid={quote(_block(2), safe='')}", *[503] * QUICK.attempts)
    with pytest.raises(UploadFailed):
        client.upload(io.BytesIO(data), state=state)
    if change == "another size":
        data += b"more"
    upload = client.upload(io.BytesIO(data), state=state)
    assert api.blobs[f"uploads/{upload.id}"] == data
    assert len(api.sent("POST", "/uploads")) == 2


def test_a_place_that_storage_refuses_is_not_tried_again(api: FakeApi, client: Client) -> None:
    state = UploadState()
    api.fail("PUT", "/blob/", 403)
    with pytest.raises(UploadRefused):
        client.upload(io.BytesIO(b"pixels"), state=state)
    assert state == UploadState()


def _block(index: int) -> str:
    return base64.b64encode(b"%08d" % index).decode()


def test_a_copy_of_what_a_job_has_is_an_upload_and_nothing_is_sent(api: FakeApi, client: Client) -> None:
    upload = client.upload(io.BytesIO(b"the image"), name="photo.jpg")
    job = client.submit(upload.id, [Step("canny")], Output("png"))
    client.wait(job.id)
    puts = len(api.sent("PUT", "/blob/"))
    for copy, data, name in (
        (client.copy_upload(job.id), b"the image", "photo.jpg"),
        (client.copy_upload(job.id, "result"), api.result, "result.png"),
    ):
        assert (copy.size, copy.name) == (len(data), name)
        assert api.blobs[f"uploads/{copy.id}"] == data
        assert client.submit(copy.id, [Step("canny")]).id != job.id
    assert len(api.sent("PUT", "/blob/")) == puts
    asked = [request.json for request in api.sent("POST", "/uploads")[1:]]
    assert asked == [{"job": job.id, "of": "input"}, {"job": job.id, "of": "result"}]


def test_what_cannot_be_copied_is_refused_with_the_reason(api: FakeApi, client: Client) -> None:
    upload = client.upload(io.BytesIO(b"the image"), name="photo.jpg")
    api.script = [api.job_document(state="failed")]
    job = client.submit(upload.id, [Step("canny")])
    with pytest.raises(Refused, match="There is no result"):
        client.copy_upload(job.id, "result")
    del api.blobs[f"uploads/{upload.id}"]
    with pytest.raises(Refused, match="no longer there") as gone:
        client.copy_upload(job.id)
    assert (gone.value.problem.code, gone.value.hint) == ("input-gone", "Upload it again.")
    with pytest.raises(NotFound, match="No such job"):
        client.copy_upload("unheard-of")
