"""What counts as a good end of a job: the drill must be able to fail."""

from typing import Any

import numpy as np
import pytest

from drill import kinds
from drill.customer import Run
from drill.inputs import Input, decode, file_of, some
from drill.jobs import Order, difference, stream
from drill.ledger import Fault
from drill.verdict import judge
from tests.support.images import encode

JOB, UPLOAD = "a" * 32, "b" * 32
ORDER = Order(0, Input(60, 40, ".png", 1), "invert", "png")


def ended(state: str, code: str | None = None, **more: Any) -> Run:
    return Run(ORDER, 0.0, 9.0, JOB, UPLOAD, state, code, "why", **more)


def fault(kind: str, detail: str = "") -> Fault:
    return Fault(kind, 1.0, 2.0, detail)


def test_a_result_is_compared_pixel_by_pixel() -> None:
    right = 255 - decode(file_of(ORDER.given))
    assert difference(ORDER, encode(right)) is None
    wrong = right.copy()
    wrong[3, 5, 1] ^= 1
    assert difference(ORDER, encode(wrong)) == "1 pixels differ"
    assert "instead of" in str(difference(ORDER, encode(np.ascontiguousarray(right[:-1]))))
    assert "no image" in str(difference(ORDER, b"nothing"))


@pytest.mark.parametrize(
    ("code", "faults"),
    [
        ("internal", [fault("503", f"PUT work/{JOB}/x")]),
        ("internal", [fault("429", f"GET uploads/{UPLOAD}")]),
        ("internal", [fault(kinds.FULL_DISK)]),
        ("job-lost", [fault("500", f"PUT jobs/{JOB}/outcome.json")]),
        ("gave-up", [fault(kinds.KILL_WORKER), fault(kinds.RESET_AFTER, f"PUT work/{JOB}/attempts")]),
        ("input-gone", [fault(kinds.NO_CONTAINER)]),
    ],
)
def test_a_failure_passes_if_what_was_injected_causes_it(code: str, faults: list[Fault]) -> None:
    assert judge(ended("failed", code), faults) is None
    assert "nothing was injected that fits" in str(judge(ended("failed", code), []))


@pytest.mark.parametrize(
    ("run", "faults", "says"),
    [
        (ended("succeeded", differs="3 pixels differ"), [], "3 pixels differ"),
        (ended("failed", "internal"), [fault("503", "PUT work/" + "c" * 32)], "nothing was injected"),
        (ended("failed", "gave-up"), [fault(kinds.KILL_WORKER)], "nothing was injected"),
        (ended("failed", "input-gone"), [fault(kinds.KILL_STORAGE)], "nothing was injected"),
        (ended("failed", "corrupt-image"), [fault("503", JOB)], "corrupt-image"),
        (ended("failed"), [fault("503", JOB)], "the code None"),
        (ended("cancelled"), [], "nobody asked"),
        (ended("stuck"), [fault(kinds.KILL_HOST)], "stuck"),
        (ended("lost"), [fault(kinds.KILL_HOST)], "lost"),
        (ended("not started"), [], "not started"),
    ],
)
def test_anything_else_is_wrong(run: Run, faults: list[Fault], says: str) -> None:
    assert says in str(judge(run, faults))


def test_a_cancelled_job_passes_if_its_customer_asked() -> None:
    assert judge(ended("cancelled", asked_to_cancel=True), []) is None


def test_the_same_seed_gives_the_same_jobs() -> None:
    images = some(6, 0.1, 0.2, 3)
    assert images == some(6, 0.1, 0.2, 3)
    assert list(stream(50, images, 3)) == list(stream(50, images, 3))
    assert list(stream(50, images, 3)) != list(stream(50, images, 4))
    assert all(0.09e6 < image.width * image.height < 0.21e6 for image in images)
