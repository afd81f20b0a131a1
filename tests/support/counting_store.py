"""A store that counts what a bill would, and dice for a driver that deliver tasks in order and once."""

from collections.abc import Iterator
from random import Random
from typing import Any

from activities.store import Stat
from tests.support.memory_store import MemoryStore


class CountingStore(MemoryStore):
    """Counts operations as they are priced, and bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.priced_writes = self.priced_reads = self.moved = 0

    def stat(self, container: str, name: str) -> Stat:
        self.priced_reads += 1
        return super().stat(container, name)

    def exists(self, container: str, name: str) -> bool:
        self.priced_reads += 1
        return super().exists(container, name)

    def read(self, *arguments: Any, **options: Any) -> bytes:
        data = super().read(*arguments, **options)
        self.priced_reads += 1
        self.moved += len(data)
        return data

    def write(self, container: str, name: str, data: bytes, **options: Any) -> None:
        self.priced_writes += 1
        self.moved += len(data)
        super().write(container, name, data, **options)

    def put_block(self, container: str, name: str, block: str, data: bytes) -> None:
        self.priced_writes += 1
        self.moved += len(data)
        super().put_block(container, name, block, data)

    def blocks(self, container: str, name: str) -> dict[str, int]:
        self.priced_reads += 1
        return super().blocks(container, name)

    def commit(self, *arguments: Any, **options: Any) -> None:
        self.priced_writes += 1
        super().commit(*arguments, **options)

    def names(self, container: str, prefix: str) -> Iterator[str]:
        self.priced_writes += 1
        return super().names(container, prefix)


class EachOnce(Random):
    """Never delivers a task twice."""

    def random(self) -> float:
        return 1.0

    def shuffle(self, x: Any) -> None:
        """Keep the order, which `random` above would never give."""
