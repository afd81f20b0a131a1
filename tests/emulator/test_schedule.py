"""Schedules of timer triggers."""

from datetime import UTC, datetime

import pytest

from emulator.errors import ConfigurationError
from emulator.schedule import Schedule


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        ("0 */5 * * * *", "2026-01-01T00:00:00", "2026-01-01T00:05:00"),
        ("*/5 * * * *", "2026-01-01T00:01:10", "2026-01-01T00:05:00"),
        ("30 0 3 * * *", "2026-01-01T04:00:00", "2026-01-02T03:00:30"),
        ("0 0 9 * * Mon-Fri", "2026-01-02T10:00:00", "2026-01-05T09:00:00"),
        ("0 0 0 29 2 *", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        # Both the day of the month and the day of the week must match.
        ("0 0 0 13 * 5", "2026-01-01T00:00:00", "2026-02-13T00:00:00"),
        ("00:00:10", "2026-01-01T00:00:05", "2026-01-01T00:00:15"),
        ("1.00:00:00", "2026-01-01T00:00:05", "2026-01-02T00:00:05"),
    ],
)
def test_the_next_due_time(expression: str, after: str, due: str) -> None:
    following = Schedule(expression, "f").following(datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert following == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize("expression", ["", "often", "* * * *", "61 * * * * *", "0 0 0 0 0 0 0", "00:00:00"])
def test_an_invalid_schedule_is_refused_with_the_function_s_name(expression: str) -> None:
    with pytest.raises(ConfigurationError, match="function 'f': the schedule"):
        Schedule(expression, "f")
