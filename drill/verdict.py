"""Whether what became of a job is allowed by what was injected while it ran."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from drill import kinds
from drill.customer import Run
from drill.ledger import Fault


def judge(run: Run, during: Sequence[Fault]) -> str | None:
    """Return what is wrong with a run, given the faults in effect while it ran; None if nothing is.

    A result must be right in every pixel. A failure must have a stated reason that what was injected can
    cause; a fault of storage counts only if it hit a blob of this job.
    """
    if run.state == "succeeded":
        return run.differs
    if run.state == "cancelled":
        return None if run.asked_to_cancel else "it was cancelled and nobody asked for that"
    if run.state != "failed":
        return f"{run.state}: {run.detail}"
    fits = _REASONS.get(run.code or "")
    if fits is None:
        return f"it failed with the code {run.code}, which nothing that was injected causes: {run.detail}"
    if not fits(run, during):
        return f"it failed with the code {run.code}, and nothing was injected that fits: {run.detail}"
    return None


def _failed_thrice(run: Run, during: Iterable[Fault]) -> bool:
    return any(_hit(run, fault) or fault.kind in kinds.OUTAGES for fault in during)


def _begun_thrice(run: Run, during: Iterable[Fault]) -> bool:
    """Each death, each second delivery and each answer that got lost counts as an attempt."""
    begun = [
        fault
        for fault in during
        if fault.kind in kinds.REPEATING
        or fault.kind in kinds.OUTAGES
        or _hit(run, fault, (kinds.RESET_AFTER,))
    ]
    return len(begun) >= 2


def _lost_intermediate(run: Run, during: Iterable[Fault]) -> bool:
    return any(fault.kind == kinds.NO_CONTAINER for fault in during)


_REASONS: Mapping[str, Callable[[Run, Sequence[Fault]], bool]] = {
    "internal": _failed_thrice,
    "job-lost": _failed_thrice,
    "gave-up": _begun_thrice,
    "input-gone": _lost_intermediate,
}


def _hit(run: Run, fault: Fault, among: Iterable[str] = kinds.OF_CALLS) -> bool:
    return fault.kind in among and bool({run.job, run.upload} & fault.ids)
