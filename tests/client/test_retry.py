import threading
from typing import override

import pytest

from tessera_client import RetryPolicy, TesseraClientError
from tessera_client.retry import LONGEST_RETRY_AFTER, TransientFailure, retry_after, with_retries

POLICY = RetryPolicy(attempts=4, first_wait=1.0, longest_wait=3.0)


class _Clock(threading.Event):
    """Notes how long somebody wanted to wait, and returns at once."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    @override
    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        return self.is_set()


class _Failing:
    def __init__(self, times: int, retry_after: float = 0.0) -> None:
        self.left = times
        self.retry_after = retry_after
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        if self.left == 0:
            return self.calls
        self.left -= 1
        raise TransientFailure(TesseraClientError(f"failure {self.calls}"), self.retry_after)


def test_it_is_tried_until_it_succeeds() -> None:
    assert with_retries(POLICY, _Failing(3), _Clock()) == 4


def test_the_last_failure_comes_out_when_no_try_is_left() -> None:
    attempt = _Failing(10)
    with pytest.raises(TesseraClientError, match="failure 4"):
        with_retries(POLICY, attempt, _Clock())
    assert attempt.calls == 4


def test_waits_grow_at_most_twofold_and_are_bounded() -> None:
    clock = _Clock()
    with pytest.raises(TesseraClientError):
        with_retries(POLICY, _Failing(10), clock)
    assert len(clock.waits) == 3
    assert all(wait <= bound for wait, bound in zip(clock.waits, (1.0, 2.0, 3.0), strict=True))


def test_the_server_is_asked_again_no_sooner_than_it_says_within_reason() -> None:
    patient, endless = _Clock(), _Clock()
    with_retries(POLICY, _Failing(1, retry_after=7.0), patient)
    with_retries(POLICY, _Failing(1, retry_after=86_400.0), endless)
    for waits, asked in ((patient.waits, 7.0), (endless.waits, LONGEST_RETRY_AFTER)):
        assert len(waits) == 1
        # Not to come back at the moment when all come back who were sent away.
        assert asked < waits[0] <= asked + POLICY.first_wait


def test_another_error_is_not_repeated() -> None:
    calls = []

    def attempt() -> None:
        calls.append(1)
        raise TesseraClientError("for good")

    with pytest.raises(TesseraClientError, match="for good"):
        with_retries(POLICY, attempt, _Clock())
    assert len(calls) == 1


def test_nothing_is_tried_again_once_cancelled() -> None:
    cancelled = _Clock()
    cancelled.set()
    attempt = _Failing(10)
    with pytest.raises(TesseraClientError, match="failure 1"):
        with_retries(POLICY, attempt, cancelled)
    assert attempt.calls == 1


@pytest.mark.parametrize(("value", "seconds"), [("12", 12.0), (" 3 ", 3.0), ("", 0.0), ("Mon, 23 Nov", 0.0)])
def test_retry_after_is_read_in_seconds(value: str, seconds: float) -> None:
    assert retry_after({"retry-after": value}) == seconds
