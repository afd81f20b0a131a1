"""Taking jobs in, against a real Azurite."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from function_app import records
from function_app.blob_store import BlobStore
from function_app.problems import IdempotencyConflict, InvalidRequest, UploadNotFound
from function_app.requests import JobRequest
from function_app.services import Services
from function_app.submission import register
from tessera import naming
from tessera.errors import CorruptImage, InvalidPipeline, LimitExceeded, TesseraError, UnsupportedFormat
from tessera.plan import Step
from tessera.planner import Limits
from tests.function_app import stored

OWNER = "somebody"


@pytest.fixture
def own(services: Services) -> Services:
    limits = Limits(max_bytes=len(stored.PNG) + 100)
    return replace(services, settings=services.settings.model_copy(update={"limits": limits}))


def request(upload: str, operation: str = "invert", name: str | None = None) -> JobRequest:
    return JobRequest(upload_id=upload, pipeline=(Step(operation=operation),), name=name)


def test_a_job_is_recorded_with_every_parameter_spelled_out(store: BlobStore, own: Services) -> None:
    record, new = register(request(stored.upload(store), "canny", "dir/p.png"), None, OWNER, own)
    assert new
    assert records.load(record.job, store, OWNER) == record
    assert record.pipeline[0].parameters["aperture"] == 3
    assert record.name == "p.png"
    assert record.order.job == record.job


def test_without_a_key_each_request_is_a_job(store: BlobStore, own: Services) -> None:
    upload = stored.upload(store)
    ids = {register(request(upload), None, OWNER, own)[0].job for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", CorruptImage),
        (b"%PDF-1.7" + bytes(60), UnsupportedFormat),
        (b"<svg>", UnsupportedFormat),
        (stored.PNG + bytes(1000), LimitExceeded),
    ],
)
def test_a_bad_upload_is_refused_and_leaves_no_record(
    store: BlobStore, own: Services, data: bytes, error: type[TesseraError]
) -> None:
    key = uuid.uuid4().hex
    with pytest.raises(error):
        register(request(stored.upload(store, data)), key, OWNER, own)
    record, new = register(request(stored.upload(store)), key, OWNER, own)
    assert new
    assert store.exists(naming.JOBS, naming.record(record.job))


def test_an_upload_that_never_came_is_named_with_what_to_do(store: BlobStore, own: Services) -> None:
    missing = uuid.uuid4().hex
    with pytest.raises(UploadNotFound, match=missing) as error:
        register(request(missing), None, OWNER, own)
    assert error.value.pointer == "/upload_id"
    assert error.value.hint is not None
    assert "PUT" in error.value.hint


def test_blocks_that_were_never_committed_are_no_upload(store: BlobStore, own: Services) -> None:
    name = uuid.uuid4().hex
    store.put_block(naming.UPLOADS, name, "b0", stored.PNG)
    with pytest.raises(UploadNotFound):
        register(request(name), None, OWNER, own)


def test_the_pipeline_is_checked_before_storage_is_asked(store: BlobStore, own: Services) -> None:
    with pytest.raises(InvalidPipeline) as error:
        register(request("0" * 32, "cany"), None, OWNER, own)
    assert error.value.pointer == "/pipeline/0/operation"


def test_one_key_and_one_body_are_one_job(store: BlobStore, own: Services) -> None:
    key, upload = uuid.uuid4().hex, stored.upload(store)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: register(request(upload), key, OWNER, own), range(8)))
    assert len({record.job for record, _ in answers}) == 1
    assert len({record.created_at for record, _ in answers}) == 1
    assert [new for _, new in answers].count(True) == 1


def test_a_repeated_key_gives_its_job_also_when_the_upload_is_gone(store: BlobStore, own: Services) -> None:
    key, upload = uuid.uuid4().hex, stored.upload(store)
    first, _ = register(request(upload), key, OWNER, own)
    store.delete(naming.UPLOADS, upload)
    assert register(request(upload), key, OWNER, own) == (first, False)


@pytest.mark.parametrize("change", [{"operation": "canny"}, {"name": "other.png"}])
def test_a_key_with_another_body_is_refused(store: BlobStore, own: Services, change: dict[str, str]) -> None:
    key, upload = uuid.uuid4().hex, stored.upload(store)
    first, _ = register(request(upload), key, OWNER, own)
    with pytest.raises(IdempotencyConflict, match=first.job):
        register(request(upload, **change), key, OWNER, own)


@pytest.mark.parametrize("key", ["", "a b", "ü", "k" * 256, "a\n"])
def test_a_key_that_could_be_misread_is_refused(store: BlobStore, own: Services, key: str) -> None:
    with pytest.raises(InvalidRequest, match="Idempotency-Key"):
        register(request(stored.upload(store)), key, OWNER, own)
