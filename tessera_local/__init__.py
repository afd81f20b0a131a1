"""Jobs on this machine alone: a folder as the storage, processes as the instances, no server.

The plan, the activities and the orchestrators are those that run on Azure; this package brings what Azure
brings there: a store, workers, and something that drives the orchestrators.

Examples
--------
>>> async def edges() -> None:
...     async with Machine(processes=2) as machine:
...         finished = await machine.run(Order(Path("photo.jpg"), [{"operation": "canny"}]))
...         with open("edges.png", "wb") as target:
...             machine.export(finished.job, target)
"""

from tessera.messages import Fault
from tessera.plan import Plan
from tessera_local.catalogue import operations, presets
from tessera_local.checks import Check, checks
from tessera_local.errors import InputUnusable, LocalError, WorkerFailed
from tessera_local.job import Progress
from tessera_local.machine import Finished, Machine, Order

__all__ = [
    "Check",
    "Fault",
    "Finished",
    "InputUnusable",
    "LocalError",
    "Machine",
    "Order",
    "Plan",
    "Progress",
    "WorkerFailed",
    "checks",
    "operations",
    "presets",
]
