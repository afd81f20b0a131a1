"""How far a running job is, read from the blocks that its tasks have put: right also after a crash."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from activities.store import Store
from tessera import naming
from tessera.codecs import codec_for
from tessera.plan import Plan, Stage

_TILE_BLOCK = naming.tile_block(0)[0]


class Phase(NamedTuple):
    """One pass over the image and where its blocks go: *blocks* of them when it is done.

    *tiles* is the number of its blocks that count as tiles: none while decoding.
    """

    name: str
    container: str
    blob: str
    blocks: int
    tiles: int


@dataclass(frozen=True)
class Progress:
    """The phase that a job is in, of all its *phases*, and the blocks of that phase that are there."""

    phases: Sequence[Phase]
    index: int
    done: int
    retried: int

    @property
    def phase(self) -> Phase:
        """Return the phase."""
        return self.phases[self.index]

    @property
    def tiles_done(self) -> int:
        """Return the tiles that are there, of all phases."""
        earlier = sum(phase.tiles for phase in self.phases[: self.index])
        return earlier + (self.done if self.phase.tiles else 0)

    @property
    def fraction(self) -> float:
        """Return the done part of the job, 0 to 1; each phase counts the same."""
        return round((self.index + self.done / self.phase.blocks) / len(self.phases), 4)

    @property
    def complete(self) -> bool:
        """Tell whether nothing is left to do but to stitch."""
        return self.index == len(self.phases) - 1 and self.done == self.phase.blocks


def phases(job: str, plan: Plan) -> list[Phase]:
    """Return the phases of a job, in order."""
    result = naming.result(job, codec_for(plan.output).extension)
    if plan.direct:
        return [Phase("process", naming.RESULTS, result, 1, 1)]
    source = plan.stages[0].source
    decode = Phase("decode", naming.WORK, naming.work(job, source.name), source.bands.count, 0)
    return [decode, *(_phase(job, stage, result) for stage in plan.stages)]


def measure(job: str, plan: Plan, store: Store) -> Progress:
    """Return how far the job is: two listings, and one more for each phase that hasn't begun."""
    every = phases(job, plan)
    retries = naming.work(job, f"{naming.RETRIES}/")
    retried = sum(1 for _ in store.names(naming.WORK, retries))
    for index in reversed(range(len(every))):
        done = _tile_blocks(store.blocks(every[index].container, every[index].blob))
        if done:
            return Progress(every, index, min(done, every[index].blocks), retried)
    return Progress(every, 0, 0, retried)


def _phase(job: str, stage: Stage, result: str) -> Phase:
    steps = (*stage.steps, *((stage.measure,) if stage.measure else ()))
    name = " + ".join(step.operation for step in steps) or "encode"
    count = stage.grid.count
    if stage.measure is None:
        return Phase(name, naming.RESULTS, result, count, count)
    return Phase(name, naming.WORK, naming.work(job, naming.summaries(stage.index)), count, count)


def _tile_blocks(blocks: dict[str, int]) -> int:
    return sum(1 for block in blocks if block.startswith(_TILE_BLOCK))
