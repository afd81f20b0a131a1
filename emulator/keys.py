"""Function keys, the master key and the system key of the durable extension."""

import hmac
import json
import os
import secrets
from pathlib import Path

from aiohttp import web

from emulator.app_settings import read_json

_MASTER = "master"
_HOST = "default"
_DURABLE = "durabletask_extension"


class Keys:
    """Decides which requests are allowed in.

    The keys are made once and kept in a file that only its owner can read.

    Parameters
    ----------
    path
        The file.
    enforced
        Whether keys are asked for; otherwise, as with the Core Tools, everything is allowed.

    Raises
    ------
    ConfigurationError
        When the file exists and isn't JSON.
    """

    def __init__(self, path: Path, enforced: bool) -> None:
        self.enforced = enforced
        if not path.exists():
            made = {name: secrets.token_urlsafe(32) for name in (_MASTER, _HOST, _DURABLE)}
            partial = path.with_name(f"{path.name}.new")
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(made, file)
            partial.replace(path)
        self._keys = {name: str(value) for name, value in read_json(path).items()}

    @property
    def durable(self) -> str:
        """The system key that the durable management URLs carry."""
        return self._keys[_DURABLE]

    def allow_function(self, request: web.Request, function: str, level: str) -> bool:
        """Decide over a call of an http function.

        Parameters
        ----------
        request
            The request; its key is in the header ``x-functions-key`` or the query parameter ``code``.
        function
            Name of the function, whose own key may be in the file as ``function:NAME``.
        level
            ``anonymous``, ``function`` or ``admin``.

        Returns
        -------
        bool
            Whether the request has a key that is good enough.
        """
        if level == "anonymous":
            return True
        names = [_MASTER] if level == "admin" else [_MASTER, _HOST, f"function:{function}"]
        return self._allow(request, names)

    def allow_durable(self, request: web.Request) -> bool:
        """Decide over a call of the durable management API.

        Parameters
        ----------
        request
            The request.

        Returns
        -------
        bool
            Whether the request has the system key or the master key.
        """
        return self._allow(request, [_MASTER, _DURABLE])

    def allow_admin(self, request: web.Request) -> bool:
        """Decide over a call below /admin.

        Parameters
        ----------
        request
            The request.

        Returns
        -------
        bool
            Whether the request has the master key.
        """
        return self._allow(request, [_MASTER])

    def _allow(self, request: web.Request, names: list[str]) -> bool:
        if not self.enforced:
            return True
        given = request.headers.get("x-functions-key") or request.query.get("code") or ""
        # Every key is compared, in constant time each.
        matches = [hmac.compare_digest(given.encode(), self._keys.get(name, "").encode()) for name in names]
        return bool(given) and any(matches)
