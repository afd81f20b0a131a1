"""What the work costs: one dated price table, and the sum over what a job used."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

_GIGABYTE = 1 << 30
_MINIMUM_SECONDS = 1.0
_STEPS_PER_SECOND = 10


@dataclass(frozen=True, slots=True)
class Prices:
    """List prices in US dollars, before any free grant.

    Attributes
    ----------
    date, region, source : str
        Month of the figures, the region they are for, and where they are from.
    gb_second, million_executions : float
        Functions on Flex Consumption, on demand.
    always_ready_gb_second, always_ready_busy_gb_second : float
        One always-ready instance: while it is kept, and on top of it while it works.
    free_gb_seconds, free_executions : float
        Monthly grant of a subscription for on-demand work; never part of a job's price.
    ten_thousand_writes, ten_thousand_reads : float
        Operations on block blobs (hot tier, locally redundant). A list counts as a write; a delete is free.
    ten_thousand_queue_operations, ten_thousand_table_operations : float
        Operations of the task hub.
    gigabyte_month : float
        Stored bytes, GiB over a month.
    gigabyte_out : float
        Bytes that leave Azure, per GiB. Between functions and storage in one region they are free.
    """

    date: str
    region: str
    source: str
    gb_second: float
    million_executions: float
    always_ready_gb_second: float
    always_ready_busy_gb_second: float
    free_gb_seconds: float
    free_executions: float
    ten_thousand_writes: float
    ten_thousand_reads: float
    ten_thousand_queue_operations: float
    ten_thousand_table_operations: float
    gigabyte_month: float
    gigabyte_out: float


DEFAULT = Prices(
    date="2025-05",
    region="East US",
    source=(
        "https://modal.com/blog/azure-function-pricing-guide and "
        "https://learn.microsoft.com/azure/storage/blobs/blob-storage-estimate-costs; see docs/cost.md"
    ),
    gb_second=0.000026,
    million_executions=0.40,
    always_ready_gb_second=0.000004,
    always_ready_busy_gb_second=0.000016,
    free_gb_seconds=100_000,
    free_executions=250_000,
    ten_thousand_writes=0.055,
    ten_thousand_reads=0.0044,
    ten_thousand_queue_operations=0.004,
    ten_thousand_table_operations=0.00036,
    gigabyte_month=0.018,
    gigabyte_out=0.087,
)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a job, or a month, used: counts, GB-seconds as billed (`billed_seconds`) and bytes."""

    gb_seconds: float = 0.0
    executions: int = 0
    writes: int = 0
    reads: int = 0
    queue_operations: int = 0
    table_operations: int = 0
    byte_months: float = 0.0
    bytes_out: int = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars by what they are paid for."""

    compute: float
    executions: float
    operations: float
    capacity: float
    transfer: float

    @property
    def total(self) -> float:
        """Return the sum."""
        return self.compute + self.executions + self.operations + self.capacity + self.transfer


def cost(usage: Usage, prices: Prices = DEFAULT) -> Cost:
    """Return what *usage* costs at list prices, without free grants."""
    return Cost(
        compute=usage.gb_seconds * prices.gb_second,
        executions=usage.executions * prices.million_executions / 1e6,
        operations=(
            usage.writes * prices.ten_thousand_writes
            + usage.reads * prices.ten_thousand_reads
            + usage.queue_operations * prices.ten_thousand_queue_operations
            + usage.table_operations * prices.ten_thousand_table_operations
        )
        / 1e4,
        capacity=usage.byte_months / _GIGABYTE * prices.gigabyte_month,
        transfer=usage.bytes_out / _GIGABYTE * prices.gigabyte_out,
    )


def billed_seconds(seconds: float) -> float:
    """Return how long an instance is billed for being busy *seconds*: at least 1 s, in steps of 0.1 s."""
    return max(_MINIMUM_SECONDS, math.ceil(round(seconds * _STEPS_PER_SECOND, 6)) / _STEPS_PER_SECOND)


def override(overrides: Mapping[str, object], prices: Prices = DEFAULT) -> Prices:
    """Return *prices* with some figures, or their date, region and source, replaced.

    Raises
    ------
    ValueError
        When a name isn't one of `Prices`, or a value doesn't fit it.
    """
    kinds = {field.name: field.type for field in fields(Prices)}
    for name, value in overrides.items():
        if name not in kinds:
            raise ValueError(f"{name!r} is no price; choose from {', '.join(kinds)}")
        if not _fits(value, kinds[name]):
            raise ValueError(f"{name} must be {_wanted(kinds[name])} (it is {value!r})")
    return replace(prices, **dict(overrides))  # type: ignore[arg-type]


def _fits(value: object, kind: object) -> bool:
    if kind is str:
        return isinstance(value, str)
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
    )


def _wanted(kind: object) -> str:
    return "a text" if kind is str else "a finite number of US dollars or units, not negative"
