"""The folder is a store as the activities expect it; the store in memory is held to the same."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from activities.store import BlobChanged, BlobExists, BlobMissing, Store
from tessera_local.store import FolderStore
from tests.support.memory_store import MemoryStore


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return FolderStore(tmp_path) if request.param == "folder" else MemoryStore()


def test_what_is_written_is_read_by_ranges(store: Store) -> None:
    store.write("c", "a/b.png", b"0123456789")
    assert store.stat("c", "a/b.png").size == 10
    assert store.read("c", "a/b.png") == b"0123456789"
    assert [store.read("c", "a/b.png", *place) for place in [(3,), (3, 4), (8, 9), (10, 1), (4, 0)]] == [
        b"3456789", b"3456", b"89", b"", b"",
    ]  # fmt: skip


def test_an_empty_blob_is_a_blob(store: Store) -> None:
    store.write("c", "mark", b"")
    assert store.exists("c", "mark")
    assert (store.stat("c", "mark").size, store.read("c", "mark")) == (0, b"")


def test_another_write_changes_the_etag(store: Store) -> None:
    store.write("c", "a", b"old")
    etag = store.stat("c", "a").etag
    assert store.read("c", "a", etag=etag) == b"old"
    store.write("c", "a", b"new")
    with pytest.raises(BlobChanged, match="c/a was changed"):
        store.read("c", "a", etag=etag)


def test_a_new_blob_is_refused_where_there_is_one(store: Store) -> None:
    store.write("c", "a", b"first", new=True)
    with pytest.raises(BlobExists, match="c/a exists"):
        store.write("c", "a", b"second", new=True)
    assert store.read("c", "a") == b"first"


def test_blocks_are_a_blob_once_they_are_committed(store: Store) -> None:
    store.put_block("c", "a", "b2", b"world")
    store.put_block("c", "a", "b1", b"hell")
    store.put_block("c", "a", "b1", b"hello ")
    assert not store.exists("c", "a")
    with pytest.raises(BlobMissing):
        store.read("c", "a")
    assert store.blocks("c", "a") == {"b1": 6, "b2": 5}
    assert list(store.names("c", "")) == ["a"]
    store.commit("c", "a", ["b1", "b2"])
    assert store.read("c", "a") == b"hello world"
    assert store.read("c", "a", 4, 4) == b"o wo"
    assert store.blocks("c", "a") == {"b1": 6, "b2": 5}


def test_a_committed_block_stays_until_the_next_commit(store: Store) -> None:
    for block in ("b1", "b2"):
        store.put_block("c", "a", block, block.encode())
    store.commit("c", "a", ["b1", "b2"])
    store.put_block("c", "a", "b1", b"other")
    assert store.read("c", "a") == b"b1b2"
    assert store.blocks("c", "a") == {"b1": 5, "b2": 2}
    store.commit("c", "a", ["b2", "b1"])
    assert store.read("c", "a") == b"b2other"


def test_a_commit_done_twice_is_the_same_blob(store: Store) -> None:
    store.put_block("c", "a", "b1", b"data")
    for _ in range(2):
        store.commit("c", "a", ["b1"])
    assert store.read("c", "a") == b"data"


def test_a_block_that_is_not_there_is_missing(store: Store) -> None:
    store.put_block("c", "a", "b1", b"data")
    with pytest.raises(BlobMissing, match="b2"):
        store.commit("c", "a", ["b1", "b2"])
    assert not store.exists("c", "a")


def test_deleting_removes_blob_and_blocks_and_may_be_repeated(store: Store) -> None:
    store.write("c", "a", b"data")
    store.put_block("c", "a", "b1", b"data")
    for _ in range(2):
        store.delete("c", "a")
    assert (store.exists("c", "a"), store.blocks("c", "a"), list(store.names("c", ""))) == (False, {}, [])
    with pytest.raises(BlobMissing, match="there is no c/a"):
        store.stat("c", "a")


def test_names_are_found_by_their_beginning(store: Store) -> None:
    for name in ("job/a b", "job/ü%2F", "joc", "k"):
        store.write("c", name, b"")
    assert list(store.names("c", "job/")) == ["job/a b", "job/ü%2F"]
    assert list(store.names("nothing", "")) == []


def test_an_adopted_file_is_read_where_it_is_and_only_as_it_was(tmp_path: Path) -> None:
    store, file = FolderStore(tmp_path / "store"), tmp_path / "photo.jpg"
    file.write_bytes(b"0123456789")
    store.adopt("uploads", "u", file)
    stat = store.stat("uploads", "u")
    assert stat.size == 10
    assert store.read("uploads", "u", 2, 3, etag=stat.etag) == b"234"
    file.write_bytes(b"another one")
    with pytest.raises(BlobChanged, match=r"photo\.jpg was changed while it was read"):
        store.read("uploads", "u", 2, 3, etag=stat.etag)
    store.delete("uploads", "u")
    assert file.read_bytes() == b"another one"


def test_export_writes_the_whole_blob(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    for block in ("b1", "b2"):
        store.put_block("c", "a", block, block.encode() * 1000)
    store.commit("c", "a", ["b2", "b1"])
    with (tmp_path / "out").open("wb") as target:
        assert store.export("c", "a", target) == 4000
    assert (tmp_path / "out").read_bytes() == b"b2" * 1000 + b"b1" * 1000


@pytest.mark.parametrize("left", ["part-0123", "staged-b9"])
def test_what_a_dead_process_left_half_written_does_not_count(tmp_path: Path, left: str) -> None:
    store = FolderStore(tmp_path)
    store.put_block("c", "a", "b1", b"data")
    (tmp_path / "c" / "a" / left).write_bytes(b"ha")
    store.commit("c", "a", ["b1"])
    assert store.read("c", "a") == b"data"


def test_of_many_that_want_a_new_blob_one_gets_it(tmp_path: Path) -> None:
    def attempt(number: int) -> bool:
        try:
            FolderStore(tmp_path).write("c", "mark", b"%d" % number, new=True)
        except BlobExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, range(40)))
    assert won.count(True) == 1
    assert FolderStore(tmp_path).read("c", "mark") == b"%d" % won.index(True)


def test_processes_that_put_and_commit_the_same_blocks_at_once_give_one_blob(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, context) as pool:
        for future in [pool.submit(put_and_commit, tmp_path, 20) for _ in range(3)]:
            future.result()
    assert FolderStore(tmp_path).read("c", "a") == b"".join(b"%03d" % index for index in range(20))


def put_and_commit(folder: Path, count: int) -> None:
    store: Store = FolderStore(folder)
    blocks = [f"b{index:03d}" for index in range(count)]
    for index, block in enumerate(blocks):
        store.put_block("c", "a", block, b"%03d" % index)
    store.commit("c", "a", blocks)
