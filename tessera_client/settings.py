"""What both clients are set up with: address, key, limits of time, connections."""

import os
import ssl
from functools import cache
from typing import Any, NamedTuple

import httpx

from tessera_client.errors import ConnectionFailed
from tessera_client.retry import RetryPolicy

DEFAULT_API_URL = "http://127.0.0.1:7071"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Connection(NamedTuple):
    """How to reach an API."""

    api_url: str
    api_key: str | None
    timeout: float
    policy: RetryPolicy

    @property
    def headers(self) -> dict[str, str]:
        """Return what is sent to the API only, never to storage."""
        return {"x-functions-key": self.api_key} if self.api_key else {}

    def address(self, path: str) -> str:
        """Return the address of a path below ``/api/v1/``."""
        return f"{self.api_url}/api/v1/{path}"


def connection(
    api_url: str | None, api_key: str | None, timeout: float, policy: RetryPolicy | None
) -> Connection:
    """Fill in what isn't given: from the environment, else the address of a local stack.

    Raises
    ------
    ConnectionFailed
        When the address is not an http or https one.
    """
    url = api_url or os.environ.get("TESSERA_API_URL") or DEFAULT_API_URL
    key = api_key or os.environ.get("TESSERA_API_KEY")
    return Connection(_checked(url), key, timeout, policy or RetryPolicy())


def http_options(timeout: float) -> dict[str, Any]:
    """Return the arguments of an HTTP client, but for its proxies."""
    limits = httpx.Timeout(timeout, connect=min(timeout, 10.0), pool=None)
    return {"timeout": limits, "verify": _certificates()}


@cache
def _certificates() -> ssl.SSLContext:
    """Return what all clients of this process trust; to read it takes longer than a request."""
    return httpx.create_ssl_context()


def _checked(api_url: str) -> str:
    try:
        url = httpx.URL(api_url.strip())
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ConnectionFailed(
            f"'{api_url}' is not the address of an API", "Write it in full, such as http://127.0.0.1:7071."
        )
    return str(url).rstrip("/")
