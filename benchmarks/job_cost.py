"""What a job costs on Azure: real activities on a counting store, priced with `tessera.prices`.

    python -m benchmarks.job_cost

Runs each pipeline on a photograph in one process, measures the processor seconds of every activity and counts
its storage operations, adds what only Azure has (the inputs below), and prints the price of 1,000 photographs
of 12 megapixels, of a gigapixel, of an idle month, and the break-even with a fixed plan.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2

from tessera.plan import Output, Step
from tessera.prices import DEFAULT, Prices, Usage, billed_seconds, cost
from tessera.receipts import QUEUE_OPERATIONS, TABLE_OPERATIONS
from tests.support.counting_store import CountingStore, EachOnce
from tests.support.driver import Driver, run_job

PHOTOGRAPH = Path(__file__).resolve().parents[1] / "examples" / "dandelion.jpg"
PIPELINES = {
    "invert": [Step(operation="invert")],
    "median of 5": [Step(operation="median_blur", parameters={"ksize": 5})],
    "Canny": [Step(operation="canny")],
    "CLAHE, sharpen": [Step(operation="clahe"), Step(operation="sharpen")],
}

# -- inputs: what isn't measured here ----------------------------------------------------------------------

GIGABYTES = 2.0
"""Memory of an instance; its one vCPU runs one activity."""
SECONDS_PER_OPERATION = 0.015
BYTES_PER_SECOND = 60e6
"""Storage as an instance sees it: latency of an operation, and throughput. Assumed."""
SECONDS_PER_EPISODE = 0.03
"""A turn of an orchestrator of 64 children: the replay (docs/scaling.md) and its storage. Assumed."""
HTTP_EXECUTIONS, HTTP_SECONDS = 8, 0.1
"""Upload URL, submission and six looks at the status. Assumed."""
RESULT_DAYS = 7

PLAN_DOLLARS = 2000.0
"""The fixed plan that the comparison is with: ten virtual machines, a month."""
IDLE_DOLLARS = {
    "container registry (Basic), 30 days at $0.167": 5.0,
    "three alert rules at $0.50": 1.5,
}


@dataclass
class _TimedDriver(Driver):
    """Keeps the seconds of every activity, storage included as the inputs say."""

    seconds: list[float] = field(default_factory=list)

    def _activity(self, name: str, data: Any) -> Any:
        store = self.store
        assert isinstance(store, CountingStore)
        before = (time.process_time(), store.priced_reads + store.priced_writes, store.moved)
        reply = super()._activity(name, data)
        spent = time.process_time() - before[0]
        operations = store.priced_reads + store.priced_writes - before[1]
        waited = operations * SECONDS_PER_OPERATION + (store.moved - before[2]) / BYTES_PER_SECOND
        self.seconds.append(spent + waited)
        return reply


@dataclass(frozen=True)
class Job:
    """What one job took: seconds of each activity, and its usage."""

    megapixels: float
    seconds: Sequence[float]
    usage: Usage
    packed_gb_seconds: float

    def scaled(self, megapixels: float) -> Usage:
        """Return the usage of a larger image of the same kind: everything grows with its pixels."""
        factor = megapixels / self.megapixels
        return Usage(**{name: getattr(self.usage, name) * factor for name in Usage.__dataclass_fields__})


def measure(upload: bytes, megapixels: float, pipeline: Sequence[Step], output: Output) -> Job:
    """Run one job and return what it took."""
    store = CountingStore()
    seconds: list[float] = []
    with patch("tests.support.driver.Driver", partial(_TimedDriver, seconds=seconds)):
        job, outcome = run_job(store, upload, list(pipeline), output, random=EachOnce())
    assert outcome.result is not None, outcome.fault
    episodes = len(seconds) + 2
    executions = len(seconds) + episodes + HTTP_EXECUTIONS
    small = episodes * SECONDS_PER_EPISODE + HTTP_EXECUTIONS * HTTP_SECONDS
    # As if nothing overlapped: each activity, and each request, alone on an instance.
    alone = sum(map(billed_seconds, seconds)) + episodes * SECONDS_PER_EPISODE + HTTP_EXECUTIONS
    size = store.stat("results", f"{job}.{output.format}").size
    usage = Usage(
        gb_seconds=alone * GIGABYTES,
        executions=executions,
        writes=store.priced_writes,
        reads=store.priced_reads,
        queue_operations=len(seconds) * QUEUE_OPERATIONS,
        table_operations=len(seconds) * TABLE_OPERATIONS,
        byte_months=(len(upload) + size * RESULT_DAYS) / 30,
        bytes_out=size,
    )
    return Job(megapixels, seconds, usage, (sum(seconds) + small) * GIGABYTES)


def photograph(megapixels: float) -> tuple[bytes, float]:
    """Return the example photograph, resized to four by three, as JPEG, and its megapixels."""
    pixels = cv2.imread(str(PHOTOGRAPH))
    assert pixels is not None
    width = round((megapixels * 4e6 / 3) ** 0.5)
    resized = cv2.resize(pixels, (width, round(width * 3 / 4)), interpolation=cv2.INTER_CUBIC)
    data = cv2.imencode(".jpg", resized, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
    return data, resized.shape[0] * resized.shape[1] / 1e6


def report(name: str, job: Job, megapixels: float, times: int, prices: Prices) -> float:
    """Print one line of prices and return the dollars of one job."""
    usage = job.scaled(megapixels)
    parts = cost(usage, prices)
    packed = job.packed_gb_seconds * megapixels / job.megapixels * prices.gb_second
    inside = parts.total - parts.transfer
    least = inside - parts.compute + packed
    print(
        f"  {name:<16}{sum(job.seconds) / job.megapixels:7.3f}{usage.gb_seconds * times:10.0f}"
        f"{usage.writes * times:9.0f}{usage.reads * times:9.0f}{least * times:10.2f}"
        f"{inside * times:9.2f}{parts.transfer * times:9.2f}"
    )
    return parts.total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--large", type=int, default=100, help="megapixels of the image that a gigapixel is scaled from"
    )
    parser.add_argument("--format", choices=["png", "jpeg"], default="png", help="of the results")
    parser.add_argument("--photo", type=float, default=12, help="megapixels of the photographs")
    arguments = parser.parse_args()
    output = Output(format=arguments.format)
    print(f"prices of {DEFAULT.date}, {DEFAULT.region}, US dollars; {GIGABYTES:g} GB; {arguments.format}")
    columns = (
        f"  {'':<16}{'s/MP':>7}{'GB-s':>10}{'writes':>9}{'reads':>9}{'from $':>10}{'to $':>9}{'out $':>9}"
    )
    photo, huge = photograph(arguments.photo), photograph(arguments.large)
    totals = []
    print(f"\n1,000 photographs of {photo[1]:.3g} MP\n{columns}")
    for name, pipeline in PIPELINES.items():
        totals.append(report(name, measure(*photo, pipeline, output), photo[1], 1000, DEFAULT))
    print(f"\na gigapixel, scaled from {huge[1]:.0f} MP\n{columns}")
    for name, pipeline in PIPELINES.items():
        report(name, measure(*huge, pipeline, output), 1000, 1, DEFAULT)
    print("\nan idle month")
    for name, dollars in IDLE_DOLLARS.items():
        print(f"  {name:<48}{dollars:8.2f}")
    idle = sum(IDLE_DOLLARS.values())
    print(f"  {'together':<48}{idle:8.2f}")
    dearest = max(totals)
    photos = (PLAN_DOLLARS - idle) / dearest
    print(f"\nbreak-even with ${PLAN_DOLLARS:,.0f} a month: {photos:,.0f} photographs of the dearest kind")
    print(f"  that is one every {30 * 86400 / photos:.1f} s, all month")


if __name__ == "__main__":
    main()
