"""What limits a stage of tiles from 1 to 1,000 instances: a simulation of the task hub around measured costs.

    python -m benchmarks.scaling

Tiles are handed out by orchestrators of 64, which live on the partitions of the task hub. A partition is
one server: it takes up to 32 messages, replays each orchestrator that they are for, and writes a checkpoint.
Queue, blob and account let through what Azure documents. Starting instances takes no time here, and nothing
fails: the figures are an upper bound, and show which limit comes first.
"""

import argparse
import heapq
from collections import defaultdict, deque
from dataclasses import dataclass, replace
from typing import Self

CHILDREN = 64
"""Tiles of an orchestrator: orchestrations/process_tiles.py."""
BATCH = 32
"""Messages that a partition takes at once: controlQueueBatchSize in host.json."""


@dataclass(frozen=True)
class Inputs:
    """Seconds, rates in 1/s, and megapixels.

    Measured: ``replay_per_child`` is what one replay in the Durable SDK takes for each scheduled child (46 ms
    for 200 on one core); ``seconds_per_megapixel`` is from `benchmarks.job_cost`. Assumed: ``checkpoint``,
    the storage round trips of one turn; ``requests_per_tile`` to the same blob; ``bytes_per_megapixel``, raw
    colour. Documented: ``queue_rate``, messages of one queue (azure/storage/queues/scalability-targets),
    ``blob_rate``, requests to one blob (azure/storage/blobs/scalability-targets), and ``ingress``, 25 Gbit/s
    into an account (azure/storage/common/scalability-targets-standard-account), on learn.microsoft.com.
    """

    tile_megapixels: float = 4.0
    seconds_per_megapixel: float = 0.25
    partitions: int = 4
    replay_per_child: float = 0.046 / 200
    checkpoint: float = 0.04
    queue_rate: float = 2000.0
    blob_rate: float = 500.0
    requests_per_tile: float = 2.0
    bytes_per_megapixel: float = 3e6
    ingress: float = 25e9 / 8

    @property
    def tile_seconds(self) -> float:
        """Return how long an instance works on one tile."""
        return self.tile_megapixels * self.seconds_per_megapixel


@dataclass(frozen=True)
class Outcome:
    """Tiles per second, and how busy each part was, from 0 to 1."""

    rate: float
    busy: dict[str, float]

    @property
    def limit(self) -> str:
        """Return the busiest part."""
        return max(self.busy, key=lambda part: self.busy[part])


class Simulation:
    """One stage of *tiles* tiles on *instances* instances."""

    def __init__(self, inputs: Inputs, instances: int, tiles: int) -> None:
        self.inputs, self.instances, self.tiles = inputs, instances, tiles
        self.now, self.order, self.done = 0.0, 0, 0
        self.events: list[tuple[float, int, str, int]] = []
        self.free, self.waiting = instances, deque[int]()
        self.parts = [_Partition() for _ in range(inputs.partitions)]
        self.queue_free = self.blob_free = self.ingress_free = 0.0
        self.spent: defaultdict[str, float] = defaultdict(float)

    def run(self) -> Outcome:
        """Run until every tile's reply has been taken in."""
        for group in range(-(-self.tiles // CHILDREN)):
            self._tell(group, 0)
        while self.events:
            self.now, _, kind, group = heapq.heappop(self.events)
            getattr(self, f"_{kind}")(group)
        size = {"instances": self.instances, "partitions": self.inputs.partitions}
        parts = ("instances", "partitions", "queue", "blob", "ingress")
        busy = {part: self.spent[part] / self.now / size.get(part, 1) for part in parts}
        return Outcome(self.tiles / self.now, busy)

    def _at(self, when: float, kind: str, group: int) -> Self:
        self.order += 1
        heapq.heappush(self.events, (when, self.order, kind, group))
        return self

    def _children(self, group: int) -> int:
        return min(CHILDREN, self.tiles - group * CHILDREN)

    def _tell(self, group: int, replies: int) -> None:
        """Put a message for an orchestrator into its control queue: its start, or the reply of a tile."""
        part = self.parts[group % len(self.parts)]
        part.messages.append((group, replies))
        self._serve(group % len(self.parts))

    def _serve(self, index: int) -> None:
        part = self.parts[index]
        if part.is_busy or not part.messages:
            return
        part.taken = [part.messages.popleft() for _ in range(min(BATCH, len(part.messages)))]
        groups = {group for group, _ in part.taken}
        replay = sum(self._children(group) for group in groups) * self.inputs.replay_per_child
        seconds = replay + self.inputs.checkpoint * len(groups)
        part.is_busy = True
        self.spent["partitions"] += seconds
        self._at(self.now + seconds, "served", index)

    def _served(self, index: int) -> None:
        part = self.parts[index]
        part.is_busy = False
        for group, replies in part.taken:
            self.done += replies
            if not replies:
                self._fan_out(group)
        self._serve(index)

    def _fan_out(self, group: int) -> None:
        for _ in range(self._children(group)):
            self.queue_free = self._through("queue", self.queue_free, 1 / self.inputs.queue_rate)
            self._at(self.queue_free, "offered", group)

    def _offered(self, group: int) -> None:
        self.waiting.append(group)
        self._start()

    def _start(self) -> None:
        inputs = self.inputs
        while self.free and self.waiting:
            self.free -= 1
            self.blob_free = self._through(
                "blob", self.blob_free, inputs.requests_per_tile / inputs.blob_rate
            )
            worked = self.blob_free + inputs.tile_seconds
            self.spent["instances"] += inputs.tile_seconds
            self._at(worked, "written", self.waiting.popleft())

    def _written(self, group: int) -> None:
        size = self.inputs.tile_megapixels * self.inputs.bytes_per_megapixel
        self.ingress_free = self._through("ingress", self.ingress_free, size / self.inputs.ingress)
        self._at(self.ingress_free, "finished", group)

    def _through(self, part: str, free: float, seconds: float) -> float:
        """Return when something that takes a shared part for *seconds* is through."""
        self.spent[part] += seconds
        return max(free, self.now) + seconds

    def _finished(self, group: int) -> None:
        self.free += 1
        self._tell(group, 1)
        self._start()


class _Partition:
    def __init__(self) -> None:
        self.messages: deque[tuple[int, int]] = deque()
        self.taken: list[tuple[int, int]] = []
        self.is_busy = False


def simulate(inputs: Inputs, instances: int, tiles: int) -> Outcome:
    """Return what *instances* instances make of a stage of *tiles* tiles."""
    return Simulation(inputs, instances, tiles).run()


def table(title: str, inputs: Inputs, tiles_per_instance: int) -> None:
    """Print the rates of growing numbers of instances."""
    print(f"\n{title}\n  instances  tiles/s  MP/s  of ideal   busiest")
    for instances in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000):
        outcome = simulate(inputs, instances, max(CHILDREN, instances * tiles_per_instance))
        ideal = instances / inputs.tile_seconds
        print(
            f"  {instances:9} {outcome.rate:8.1f} {outcome.rate * inputs.tile_megapixels:5.0f}"
            f" {outcome.rate / ideal:8.0%}    {outcome.limit} ({outcome.busy[outcome.limit]:.0%})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tiles", type=int, default=40, help="tiles for each instance")
    tiles = parser.parse_args().tiles
    usual = Inputs()
    print(usual)
    table("4 partitions, tiles of 4 MP", usual, tiles)
    table("16 partitions, tiles of 4 MP", replace(usual, partitions=16), tiles)
    table("16 partitions, tiles of 8 MP", replace(usual, partitions=16, tile_megapixels=8.0), tiles)
    heavy = replace(usual, seconds_per_megapixel=2.0)
    table("4 partitions, tiles of 4 MP, an operation of 2 s/MP", heavy, tiles)


if __name__ == "__main__":
    main()
