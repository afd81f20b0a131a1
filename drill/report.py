"""A drill as a page of tables (Markdown)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import quantiles

from drill.faults import Drilled
from drill.kinds import LASTING, OF_CALLS
from drill.ledger import Fault


def page(found: Drilled) -> str:
    """Return the report."""
    plan, runs = found.plan, found.runs
    tiles, retried = sum(run.tiles for run in runs), sum(run.retried for run in runs)
    exact = sum(run.exact for run in runs)
    again = [what.partition(":")[0] for run in runs for what in run.again]
    reasons = ", ".join(f"{code} {count}" for code, count in sorted(found.failed.items())) or "none"
    lines = [
        "# Fault drill",
        "",
        f"Seed {plan.seed}: {len(runs)} jobs of {plan.smallest:g} to {plan.largest:g} MP in "
        f"{found.seconds:.0f} s, {plan.at_once} at a time on {plan.workers} workers; "
        f"{len(found.faults)} faults injected.",
        "",
        *_table(
            ("jobs", "", "extra work", ""),
            [
                ("right in every pixel", exact, "tiles", tiles),
                (
                    "cancelled",
                    _count(runs, "cancelled"),
                    "attempts beyond them",
                    f"{retried} ({_share(retried, tiles)})",
                ),
                ("failed, by reason", reasons, "uploads begun anew", again.count("upload")),
                ("wrong", len(found.wrong), "downloads begun anew", again.count("download")),
                ("calls to storage", found.calls, "blobs left to the nightly purge", found.late),
            ],
        ),
        "",
        *_table(("fault", "times", "recovery p50", "p95"), _rows(found)),
        "",
        "Recovery: seconds from the fault (from its end, if it lasts) to the next job that succeeds. A call "
        "to storage that failed is tried again where it was made.",
        *(["", "## Wrong", "", *(f"- {each}" for each in found.wrong)] if found.wrong else []),
    ]
    return "\n".join(lines) + "\n"


def recovery(fault: Fault, successes: Sequence[float]) -> float | None:
    """Return the seconds from a fault to the first success after it, if there is one."""
    over = fault.ended if fault.kind in LASTING else fault.began
    after = [moment for moment in successes if moment >= fault.ended]
    return min(after) - over if after else None


def _rows(found: Drilled) -> list[tuple[object, ...]]:
    successes = [run.ended for run in found.runs if run.exact]
    rows: list[tuple[object, ...]] = []
    for kind, times in sorted(Counter(fault.kind for fault in found.faults).items(), key=_storage_first):
        if kind in OF_CALLS:
            rows.append((f"storage: {kind}", times, "", ""))
            continue
        took = [recovery(fault, successes) for fault in found.faults if fault.kind == kind]
        known = [seconds for seconds in took if seconds is not None]
        rows.append((kind, times, *(f"{value:.1f} s" for value in _middle_and_most(known))))
    return rows


def _storage_first(item: tuple[str, int]) -> tuple[bool, str]:
    return item[0] not in OF_CALLS, item[0]


def _middle_and_most(values: Sequence[float]) -> tuple[float, ...]:
    """Return p50 and p95; nothing of nothing."""
    if len(values) < 2:
        return (*values, *values)
    cuts = quantiles(values, n=20, method="inclusive")
    return cuts[9], cuts[18]


def _count(runs: Iterable[object], state: str) -> int:
    return sum(getattr(run, "state", "") == state for run in runs)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]
