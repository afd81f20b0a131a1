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
    uploads : str
        ``"browser"``: files go from the browser straight to storage; ``"page"``: through the page, for
        browsers that don't reach the storage.
    """

    api_url: str = DEFAULT_API_URL
    api_key: str | None = field(default=None, repr=False)
    uploads: str = "browser"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read ``TESSERA_API_URL``, ``TESSERA_API_KEY`` and ``TESSERA_PAGE_UPLOADS``; an empty one isn't set.

    Parameters
    ----------
    environment : mapping of str to str

    Returns
    -------
    Settings
    """
    return Settings(
        environment.get("TESSERA_API_URL") or DEFAULT_API_URL,
        environment.get("TESSERA_API_KEY") or None,
        environment.get("TESSERA_PAGE_UPLOADS") or "browser",
    )
