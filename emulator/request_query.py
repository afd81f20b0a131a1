"""Query parameters of the management API, read as leniently as the extension reads them."""

from aiohttp import web

from emulator import history

_STATUSES = {
    name.lower(): name
    for name in (
        "Running",
        "Completed",
        "ContinuedAsNew",
        "Failed",
        "Canceled",
        "Terminated",
        "Pending",
        "Suspended",
    )
}


class Query:
    """The query parameters of a request; names aren't case-sensitive, what can't be read counts as absent.

    Parameters
    ----------
    request
        The request.
    """

    def __init__(self, request: web.Request) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in request.query.items():
            self._values.setdefault(name.lower(), []).append(value)

    def text(self, name: str) -> str | None:
        """Read a text.

        Parameters
        ----------
        name
            The parameter.

        Returns
        -------
        str or None
            Its value.
        """
        values = self._values.get(name.lower())
        return values[0] if values else None

    def flag(self, name: str, default: bool) -> bool:
        """Read true or false.

        Parameters
        ----------
        name
            The parameter.
        default
            What an absent one means.

        Returns
        -------
        bool
            Its value.
        """
        return {"true": True, "false": False}.get((self.text(name) or "").strip().lower(), default)

    def number(self, name: str) -> float | None:
        """Read a number.

        Parameters
        ----------
        name
            The parameter.

        Returns
        -------
        float or None
            Its value.
        """
        try:
            return float(self.text(name) or "")
        except ValueError:
            return None

    def count(self, name: str, default: int) -> int:
        """Read a whole number of at least 1.

        Parameters
        ----------
        name
            The parameter.
        default
            What an absent one means.

        Returns
        -------
        int
            Its value.
        """
        text = self.text(name) or ""
        return int(text) if text.isdecimal() and int(text) >= 1 else default

    def time(self, name: str) -> str | None:
        """Read a time.

        Parameters
        ----------
        name
            The parameter.

        Returns
        -------
        str or None
            Its value in the form of the state file.
        """
        try:
            return history.timestamp(history.moment(self.text(name) or ""))
        except ValueError:
            return None

    def statuses(self, name: str) -> frozenset[str]:
        """Read a comma-separated list of runtime statuses.

        Parameters
        ----------
        name
            The parameter.

        Returns
        -------
        frozenset of str
            Those that exist.
        """
        listed = ",".join(self._values.get(name.lower(), [])).lower().split(",")
        return frozenset(_STATUSES[status.strip()] for status in listed if status.strip() in _STATUSES)
