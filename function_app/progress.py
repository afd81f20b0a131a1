"""How far a running job is, read from the blocks that its tasks have put: right also after a crash."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

from function_app import parallel
from function_app.blob_store import BlobStore
from tessera import naming
from tessera.codecs import codec_for
from tessera.parts import read_parts
from tessera.plan import Plan, Raster, Stage
from tessera.rasters import put_count
from tessera.receipts import phase_seconds

_TILE_BLOCK = naming.tile_block(0)[0]
_REMEMBERED = 1000


class Phase(NamedTuple):
    """One pass over the image and where its blocks go: *blocks* of them when it is done.

    *tiles* is the number of its blocks that count as tiles: none while decoding.
    """

    name: str
    container: str
    blob: str
    blocks: int
    tiles: int


class Done(NamedTuple):
    """What is done of a phase: blocks, seconds that tasks took for them, and their bytes."""

    blocks: int
    busy: float
    written: int


@dataclass(frozen=True)
class Progress:
    """The *phases* of a job, what is *done* of each up to the one that it is in, and retries so far."""

    phases: Sequence[Phase]
    done: Sequence[Done]
    retried: int
    expected: Sequence[float]

    @property
    def index(self) -> int:
        """Return the index of the phase that the job is in."""
        return len(self.done) - 1

    @property
    def phase(self) -> Phase:
        """Return the phase that the job is in."""
        return self.phases[self.index]

    @property
    def tiles_done(self) -> int:
        """Return the tiles that are there, of all phases."""
        return sum(done.blocks for phase, done in zip(self.phases, self.done, strict=False) if phase.tiles)

    @property
    def fraction(self) -> float:
        """Return the done part of the job, 0 to 1; each phase counts the same."""
        return round((self.index + self.done[-1].blocks / self.phase.blocks) / len(self.phases), 4)

    @property
    def complete(self) -> bool:
        """Tell whether nothing is left to do but to stitch."""
        return len(self.done) == len(self.phases) and self.done[-1].blocks == self.phase.blocks

    @property
    def busy(self) -> float:
        """Return the seconds of tasks so far: measured for tiles, expected for decoding."""
        decoding = self.done[0].blocks / self.phases[0].blocks * self.expected[0]
        return sum(done.busy for done in self.done) + (0 if self.phases[0].tiles else decoding)

    @property
    def written(self) -> int:
        """Return the bytes of blocks written so far."""
        return sum(done.written for done in self.done)

    def seconds_left(self, elapsed: float) -> float | None:
        """Return the seconds that are probably left after *elapsed*, as long as the pace lasts."""
        done = sum(
            expected * done.blocks / phase.blocks
            for expected, done, phase in zip(self.expected, self.done, self.phases, strict=False)
        )
        return round((sum(self.expected) - done) * elapsed / done, 1) if done else None


class _Memory:
    """The last run of each job with its plan, and its phases that are over: their blocks don't change."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[int, Plan, list[Done]]] = OrderedDict()

    def plan(self, job: str) -> tuple[int, Plan] | None:
        with self._lock:
            known = self._known.get(job)
            return known[:2] if known else None

    def ended(self, job: str, run: int) -> list[Done]:
        with self._lock:
            known = self._known.get(job)
            return list(known[2]) if known and known[0] == run else []

    def drop(self, job: str) -> None:
        with self._lock:
            self._known.pop(job, None)

    def put(self, job: str, run: int, plan: Plan, ended: list[Done]) -> None:
        with self._lock:
            known = self._known.get(job)
            if known is None or known[0] < run or len(known[2]) < len(ended):
                self._known[job] = (run, plan, ended)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)


_memory = _Memory()


def phases(job: str, plan: Plan) -> list[Phase]:
    """Return the phases of a job, in order."""
    result = naming.result(job, codec_for(plan.output).extension)
    if plan.direct:
        return [Phase("process", naming.RESULTS, result, 1, 1)]
    stages, source = [_phase(job, stage, result) for stage in plan.stages], plan.stages[0].source
    if not isinstance(source, Raster):
        return stages
    return [Phase("decode", naming.WORK, naming.work(job, source.name), put_count(source), 0), *stages]


def measure(job: str, run: int, plan: Plan, store: BlobStore) -> Progress:
    """Return how far the job is: two listings as a rule, and one more for each phase that ended just now.

    One that is a single task is not looked at: it has not ended, or there would be an outcome.
    """
    every = phases(job, plan)
    if plan.direct:
        return Progress(every, [Done(0, 0.0, 0)], 0, phase_seconds(plan))
    retries = naming.work(job, f"{naming.RETRIES}/")
    counted = parallel.begin(lambda: store.count(naming.WORK, retries))
    ended = _memory.ended(job, run)[: len(every) - 1]
    while True:
        current = _done(every[len(ended)], store)
        if current.blocks < every[len(ended)].blocks or len(ended) == len(every) - 1:
            break
        ended.append(current)
    _memory.put(job, run, plan, list(ended))
    if current.blocks == 0 and len(ended) < len(every) - 1:
        # The work is removed once the result is there.
        last = _done(every[-1], store)
        if last.blocks:
            ended += [Done(phase.blocks, 0.0, 0) for phase in every[len(ended) : -1]]
            current = last
    return Progress(every, [*ended, current], counted.result(), phase_seconds(plan))


def measure_again(job: str, store: BlobStore) -> tuple[int, Progress] | None:
    """Return run and progress of a job that was measured here before, without a look at its record.

    Nobody may be shown it before the record says that the job is theirs, and that it is in that run.
    """
    known = _memory.plan(job)
    return (known[0], measure(job, known[0], known[1], store)) if known else None


def forget(job: str) -> None:
    """Drop what is remembered of a job that is over."""
    _memory.drop(job)


def _phase(job: str, stage: Stage, result: str) -> Phase:
    count = stage.grid.count
    if stage.measure is None:
        return Phase(stage.name, naming.RESULTS, result, count, count)
    return Phase(stage.name, naming.WORK, naming.work(job, naming.summaries(stage.index)), count, count)


def _done(phase: Phase, store: BlobStore) -> Done:
    blocks = store.blocks(phase.container, phase.blob)
    if not phase.tiles:
        sizes = [size for block, size in blocks.items() if block.startswith(_TILE_BLOCK)]
        return Done(min(len(sizes), phase.blocks), 0.0, sum(sizes))
    parts = read_parts(blocks).values()
    return Done(
        min(len(parts), phase.blocks),
        round(sum(part.seconds for part in parts), 3),
        sum(part.size for part in parts),
    )
