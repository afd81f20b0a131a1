"""Schedules of timer triggers: NCRONTAB expressions and intervals."""

import re
from datetime import datetime, timedelta

from croniter import CroniterBadCronError, CroniterNotAlphaError, croniter

from emulator.errors import ConfigurationError

_INTERVAL = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})")


class Schedule:
    """When a timer-triggered function is due, in UTC.

    Parameters
    ----------
    expression
        Six fields, from seconds to days of the week, or five without the seconds; or an interval
        ``[days.]hours:minutes:seconds``.
    function
        The function, for messages.

    Raises
    ------
    ConfigurationError
        When the expression is neither.
    """

    def __init__(self, expression: str, function: str) -> None:
        self._expression = expression.strip()
        self._interval: timedelta | None = None
        interval = _INTERVAL.fullmatch(self._expression)
        if interval:
            days, hours, minutes, seconds = (int(part or 0) for part in interval.groups())
            self._interval = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if self._interval == timedelta() or not (interval or self._is_cron()):
            raise ConfigurationError(
                f"function '{function}': the schedule '{expression}' is neither an NCRONTAB expression such "
                f"as '0 */5 * * * *' nor an interval such as '00:05:00'"
            )

    def _is_cron(self) -> bool:
        try:
            self._occurrences(datetime(2000, 1, 1))
        except (CroniterBadCronError, CroniterNotAlphaError, ValueError):
            return False
        return len(self._expression.split()) in (5, 6)

    def _occurrences(self, after: datetime) -> croniter:
        # NCRONTAB wants both the day of the month and the day of the week to match.
        return croniter(self._expression, after, second_at_beginning=True, day_or=False)

    def following(self, after: datetime) -> datetime:
        """Give the next time the function is due.

        Parameters
        ----------
        after
            A time with a zone.

        Returns
        -------
        datetime
            The first due time later than that.
        """
        if self._interval is not None:
            return after + self._interval
        following: datetime = self._occurrences(after).get_next(datetime)
        return following
