"""The store on a real Azurite."""

import logging
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobClient

from activities.store import BlobChanged, BlobExists, BlobMissing, Store
from function_app import lately
from function_app.blob_store import BlobStore
from function_app.sas import DOWNLOAD
from function_app.services import Services
from tessera.checksum import Adler
from tessera.parts import part_block


@pytest.fixture
def name() -> str:
    return f"{uuid.uuid4().hex}/a b+é#?.bin"


def test_it_is_the_port_that_activities_use(store: BlobStore) -> None:
    port: Store = store
    assert port is store


def test_written_bytes_and_their_ranges_are_read_back(store: BlobStore, name: str) -> None:
    data = bytes(range(256)) * 10
    store.write("work", name, data)
    assert store.read("work", name) == data
    assert store.read("work", name, 3, 5) == data[3:8]
    assert store.read("work", name, 2550) == data[2550:]
    assert store.read("work", name, 2550, 100) == data[2550:]
    assert store.read("work", name, 7, 0) == b""


@pytest.mark.parametrize("offset", [2560, 2561, 10_000])
def test_reading_from_the_end_on_gives_nothing(store: BlobStore, name: str, offset: int) -> None:
    store.write("work", name, b"x" * 2560)
    assert store.read("work", name, offset, 8) == b""


def test_an_empty_blob_exists_and_reads_as_nothing(store: BlobStore, name: str) -> None:
    store.write("work", name, b"")
    assert store.exists("work", name)
    assert store.stat("work", name).size == 0
    assert store.read("work", name) == b""
    assert store.read("work", name, 0, 8) == b""


@pytest.mark.parametrize("container", ["work", "never-made"])
def test_a_missing_blob_is_said_to_be_missing(store: BlobStore, name: str, container: str) -> None:
    assert not store.exists(container, name)
    assert store.blocks(container, name) == {}
    assert list(store.names(container, name)) == []
    store.delete(container, name)
    with pytest.raises(BlobMissing, match=name[:32]):
        store.stat(container, name)
    with pytest.raises(BlobMissing):
        store.read(container, name)


def test_the_first_write_makes_the_container(store: BlobStore) -> None:
    first, second = f"c{uuid.uuid4().hex}", f"c{uuid.uuid4().hex}"
    store.write(first, "a", b"1", new=True)
    store.put_block(second, "a", "t1", b"2")
    assert store.read(first, "a") == b"1"
    assert store.blocks(second, "a") == {"t1": 1}


def test_a_container_that_was_there_is_believed_to_be_for_a_minute(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, container, now = BlobStore(services.store._client), f"c{uuid.uuid4().hex}", 0.0
    monkeypatch.setattr(lately, "monotonic", lambda: now)
    store.ensure_container(container)
    client = services.store._client.get_container_client(container)
    client.delete_container()
    store.ensure_container(container)
    assert not client.exists()
    # What the store writes to comes into being whatever is believed.
    store.write(container, "a", b"")
    assert client.exists()
    client.delete_container()
    now = 61.0
    store.ensure_container(container)
    assert client.exists()


def test_a_new_blob_is_not_written_over(store: BlobStore, name: str) -> None:
    store.write("jobs", name, b"first", new=True)
    with pytest.raises(BlobExists, match=name[:32]):
        store.write("jobs", name, b"second", new=True)
    assert store.read("jobs", name) == b"first"
    store.write("jobs", name, b"third")
    assert store.read("jobs", name) == b"third"


def test_exactly_one_of_many_new_writes_wins(store: BlobStore, name: str) -> None:
    def write(index: int) -> bool:
        try:
            store.write("jobs", name, b"%d" % index, new=True)
        except BlobExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(write, range(16)))
    assert won.count(True) == 1
    assert store.read("jobs", name) == b"%d" % won.index(True)


def test_a_read_pinned_by_etag_refuses_another_blob(store: BlobStore, name: str) -> None:
    store.write("uploads", name, b"before")
    etag = store.stat("uploads", name).etag
    assert store.read("uploads", name, 0, 3, etag=etag) == b"bef"
    store.write("uploads", name, b"after!")
    with pytest.raises(BlobChanged):
        store.read("uploads", name, 0, 3, etag=etag)


def test_blocks_become_a_blob_in_the_order_of_the_commit(store: BlobStore, name: str) -> None:
    for block, data in (("t2", b"world"), ("t1", b"hello "), ("t2", b"World")):
        store.put_block("results", name, block, data)
    assert not store.exists("results", name)
    assert store.blocks("results", name) == {"t1": 6, "t2": 5}
    store.commit("results", name, ["t1", "t2"], media_type="image/png")
    assert store.read("results", name) == b"hello World"
    assert store.blocks("results", name) == {"t1": 6, "t2": 5}
    store.commit("results", name, ["t1", "t2"])
    assert store.read("results", name) == b"hello World"


def test_a_block_that_arrives_with_other_bytes_is_refused(store: BlobStore, name: str) -> None:
    part = part_block(3, 1, 0.5, Adler(), b"what was encoded")
    with pytest.raises(HttpResponseError, match=r"(?i)md5"):
        store.put_block("results", name, part, b"what WAS encoded")
    assert store.blocks("results", name) == {}
    store.put_block("results", name, part, b"what was encoded")
    assert store.blocks("results", name) == {part: 16}


def test_what_is_told_of_a_part_may_bear_its_id(store: BlobStore, name: str) -> None:
    part = part_block(3, 1, 0.5, Adler(), b"what was encoded")
    store.put_block("work", name, part, b"where its tiles are")
    assert store.blocks("work", name) == {part: 19}


def test_a_late_block_counts_once_and_leaves_the_blob_alone(store: BlobStore, name: str) -> None:
    store.put_block("results", name, "t1", b"old")
    store.commit("results", name, ["t1"])
    store.put_block("results", name, "t1", b"newer")
    assert store.blocks("results", name) == {"t1": 5}
    assert store.read("results", name) == b"old"


def test_committing_a_block_that_was_never_put_is_refused(store: BlobStore, name: str) -> None:
    store.put_block("results", name, "t1", b"x")
    with pytest.raises(BlobMissing):
        store.commit("results", name, ["t1", "t2"])
    assert store.blocks("results", name) == {"t1": 1}


def test_names_shows_blobs_and_what_was_never_committed(store: BlobStore) -> None:
    job = uuid.uuid4().hex
    store.write("work", f"{job}/a", b"1")
    store.put_block("work", f"{job}/b/c", "t1", b"2")
    store.write("work", f"{uuid.uuid4().hex}/a", b"3")
    assert sorted(store.names("work", f"{job}/")) == [f"{job}/a", f"{job}/b/c"]


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("uncommitted", [True, False])
def test_delete_leaves_neither_blob_nor_blocks(
    store: BlobStore, name: str, committed: bool, uncommitted: bool
) -> None:
    if committed:
        store.write("work", name, b"1")
    if uncommitted:
        store.put_block("work", name, "t1", b"2")
    store.delete("work", name)
    store.delete("work", name)
    assert list(store.names("work", name)) == []
    assert store.blocks("work", name) == {}


@pytest.fixture
def as_on_azure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer the deletion of a blob that was never committed as Azure does; Azurite accepts it."""
    delete = BlobClient.delete_blob

    def delete_committed(blob: BlobClient, **options: Any) -> None:
        if not blob.exists():
            missing = ResourceNotFoundError("The specified blob does not exist.")
            missing.error_code = "BlobNotFound"  # type: ignore[attr-defined]
            raise missing
        delete(blob, **options)

    monkeypatch.setattr(BlobClient, "delete_blob", delete_committed)


@pytest.mark.usefixtures("as_on_azure")
@pytest.mark.parametrize("committed", [True, False])
def test_uncommitted_blocks_go_where_only_committed_blobs_can_be_deleted(
    store: BlobStore, name: str, committed: bool
) -> None:
    store.put_block("work", name, "t1", b"2")
    if committed:
        store.commit("work", name, ["t1"])
    store.delete("work", name)
    store.delete("work", name)
    assert list(store.names("work", name)) == []


def test_sixteen_mebibytes_come_back_unchanged_from_many_threads(store: BlobStore, name: str) -> None:
    blocks = {f"t{index:02d}": bytes([index]) * (1 << 20) for index in range(16)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: store.put_block("work", name, *item), blocks.items()))
    store.commit("work", name, sorted(blocks))
    assert store.read("work", name) == b"".join(blocks[block] for block in sorted(blocks))


def test_a_copy_has_the_bytes_and_the_blocks_and_needs_no_container(
    services: Services, store: BlobStore, name: str
) -> None:
    for block, data in (("t1", b"hello "), ("t2", b"world")):
        store.put_block("results", name, block, data)
    store.commit("results", name, ["t1", "t2"], media_type="image/png")
    source, target = services.signer.sign("results", name, DOWNLOAD, timedelta(minutes=1)), uuid.uuid4().hex
    store.copy(source.url, target, name, 60.0)
    store.delete("results", name)
    assert store.read(target, name) == b"hello world"
    assert store.committed(target, name) == [("t1", 6), ("t2", 5)]


def test_no_key_and_no_signature_is_logged_at_any_level(
    services: Services, store: BlobStore, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("azure").setLevel(logging.DEBUG)
    source = services.signer.sign("work", name, DOWNLOAD, timedelta(minutes=1))
    try:
        with caplog.at_level(logging.DEBUG):
            store.write("work", name, b"1")
            store.read("work", name)
            store.copy(source.url, "work", f"{name}-copy", 60.0)
    finally:
        logging.getLogger("azure").setLevel(logging.WARNING)
    assert name[:32] in caplog.text
    assert "sig=" not in caplog.text
    assert "Eby8vdM02xNOcq" not in caplog.text
    assert "SharedKey devstoreaccount1:" not in caplog.text
