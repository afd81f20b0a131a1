"""Where the service is, read on the server and never sent to a browser."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from tessera_client.client import DEFAULT_API_URL


@dataclass(frozen=True, slots=True)
class Settings:
    """What the page needs to know.

    Attributes
    ----------
    api_url : str
        Address of the service, without ``/api/v1``.
    api_key : str or None
        Sent with each request; left out of ``repr``.
    """

    api_url: str = DEFAULT_API_URL
    api_key: str | None = field(default=None, repr=False)


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read ``TESSERA_API_URL`` and ``TESSERA_API_KEY``; one that is empty counts as not set.

    Parameters
    ----------
    environment : mapping of str to str

    Returns
    -------
    Settings
    """
    return Settings(
        environment.get("TESSERA_API_URL") or DEFAULT_API_URL, environment.get("TESSERA_API_KEY") or None
    )
