"""Blocks of a tile go to storage while the next tile is made, in order, and none is lost unnoticed."""

from threading import Event

import pytest

from activities.blocks import Block, Sender
from activities.store import BlobMissing
from tests.support.memory_store import MemoryStore

_PATIENCE = 10.0


def block(number: int) -> Block:
    return Block("results", "r", f"t{number}", bytes([number]))


class SlowStore(MemoryStore):
    """A store that puts a block only once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let, self.order = Event(), list[str]()

    def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
        assert self.let.wait(_PATIENCE)
        super().put_block(container, name, block, data)
        self.order.append(block)


def test_the_next_tile_is_made_while_blocks_are_sent() -> None:
    store = SlowStore()
    with Sender(store) as sender:
        sender.send([block(1), block(2)])
        assert store.order == [], "send returned before anything was put"
        store.let.set()
        sender.send([block(3)])
        assert store.order[:2] == ["t1", "t2"], "no more than one tile is under way"
        sender.finish([block(4)])
        assert sorted(store.order) == ["t1", "t2", "t3", "t4"], "finish returns when all are there"


def test_the_last_blocks_are_put_while_others_are_under_way() -> None:
    class Waiting(MemoryStore):
        later = Event()

        def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
            assert block == "t2" or self.later.wait(_PATIENCE)
            super().put_block(container, name, block, data)
            self.later.set()

    store = Waiting()
    with Sender(store) as sender:
        sender.send([block(1)])
        sender.finish([block(2)])
    assert store.blocks("results", "r") == {"t1": 1, "t2": 1}


def test_leaving_waits_for_what_was_sent() -> None:
    store = MemoryStore()

    def fail() -> None:
        with Sender(store) as sender:
            sender.send([block(1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.blocks("results", "r") == {"t1": 1}


@pytest.mark.parametrize("how", ["send", "finish"])
def test_what_could_not_be_put_is_told_with_the_next_blocks(how: str) -> None:
    class Gone(MemoryStore):
        def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
            if block == "t1":
                raise BlobMissing(block)

    with Sender(Gone()) as sender:
        sender.send([block(1)])
        with pytest.raises(BlobMissing, match="t1"):
            getattr(sender, how)([block(2)])
