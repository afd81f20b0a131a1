"""Where the service is, read on the server and never sent to a browser."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from tessera_client.client import DEFAULT_API_URL

MOST_SHOWN_PIXELS = 120_000_000
"""What a browser decodes without trouble."""


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
    shown_pixels : int
        Largest PNG or JPEG result that browsers are given whole.
    """

    api_url: str = DEFAULT_API_URL
    api_key: str | None = field(default=None, repr=False)
    uploads: str = "browser"
    shown_pixels: int = MOST_SHOWN_PIXELS


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read ``TESSERA_API_URL``, ``TESSERA_API_KEY``, ``TESSERA_PAGE_UPLOADS``, ``TESSERA_PAGE_SHOWN_PIXELS``.

    One that is empty isn't set.

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
        int(environment.get("TESSERA_PAGE_SHOWN_PIXELS") or MOST_SHOWN_PIXELS),
    )
