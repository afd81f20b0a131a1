"""One job on the workers: how far it is, and what is refused because this machine is too small."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tessera.errors import LimitExceeded
from tessera.messages import DirectDone, Tally, TileOrder
from tessera.plan import Plan, Raster
from tessera_local.errors import WorkerFailed
from tessera_local.pool import Pool

_PHASES = {
    "inspect_upload": "inspecting",
    "ingest": "decoding",
    "process_direct": "processing",
    "reduce": "merging",
    "make_overviews": "stitching",
    "make_previews": "stitching",
    "stitch": "stitching",
    "cleanup": "cleaning up",
}
_TALLIES: dict[str, Callable[[Any], Tally]] = {
    "ingest": Tally.from_json,
    "process_tile": Tally.from_json,
    "process_direct": lambda reply: DirectDone.from_json(reply).tally,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: what is done now, and tiles of the whole job; *total* is 0 until there is a plan."""

    phase: str = "inspecting"
    done: int = 0
    total: int = 0
    retried: int = 0


class JobRunner:
    """A `tessera_local.driver.Runner` that watches one job go by."""

    def __init__(self, pool: Pool, folder: Path, on_progress: Callable[[Progress], None]) -> None:
        self._pool = pool
        self._folder = folder
        self._on_progress = on_progress
        self._progress = Progress()
        self.plan: Plan | None = None
        self.cause: str | None = None

    async def activity(self, name: str, data: Any) -> Any:
        """Run one activity; a plan that doesn't fit on the disk is a fault of the job."""
        self._show(phase=_phase(name, data))
        try:
            reply = await self._pool.activity(name, data)
        except WorkerFailed as failed:
            self.cause = str(failed)
            raise
        if "value" not in reply:
            return reply
        if name == "inspect_upload":
            self.plan = Plan.from_json(reply["value"])
            self._show(total=self.plan.tiles)
            return self._refused(self.plan) or reply
        if name in _TALLIES:
            tally = _TALLIES[name](reply["value"])
            done, retried = self._progress.done + tally.tiles, self._progress.retried + tally.retried
            self._show(done=done, retried=retried)
        return reply

    async def all(self, tasks: Sequence[Awaitable[Any]]) -> list[Any]:
        """Run *tasks* at the same time, as far as there are workers."""
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return results

    def _show(self, **changes: Any) -> None:
        self._progress = replace(self._progress, **changes)
        self._on_progress(self._progress)

    def _refused(self, plan: Plan) -> dict[str, Any] | None:
        free, needed = shutil.disk_usage(self._folder).free, temporary_bytes(plan)
        if needed <= free:
            return None
        error = LimitExceeded(
            f"the decoded image takes {needed:,} bytes of temporary space, and {self._folder.parent} has "
            f"{free:,} left",
            limit=free,
            actual=needed,
            hint="name a folder with more space by --temp-dir",
        )
        return {"fault": error.to_json()}


def temporary_bytes(plan: Plan) -> int:
    """Return the bytes of the intermediate images of a job, as they are before compression."""
    if plan.direct:
        return 0
    sources = {stage.source.name: stage.source for stage in plan.stages}
    rasters = [source for source in sources.values() if isinstance(source, Raster) and not source.deflated]
    return sum(raster.row_bytes * raster.box.height for raster in rasters)


def _phase(name: str, data: Any) -> str:
    if name != "process_tile":
        return _PHASES[name]
    return TileOrder.from_json(data).stage.name
