"""Word of the end of a job to an address that its owner named: https only, public, signed."""

import hmac
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import urlsplit

from function_app.problems import InvalidWebhook

TIMEOUT_SECONDS = 10.0
SIGNATURE_HEADER = "Tessera-Signature"
_MOST_ANSWER_BYTES = 1024

type Resolve = Callable[[str, int], list[str]]
"""Return the addresses of a host."""


class NotDelivered(Exception):
    """The receiver didn't take the word; worth another attempt."""


def check(url: str) -> str:
    """Return an address to call for *url*.

    Raises
    ------
    InvalidWebhook
        If *url* isn't https, holds a password, or its host has no address or one that is not public.
    """
    return _address(url, resolve, is_public)


def signature(secret: str, body: bytes, at: int) -> str:
    """Return the value of `SIGNATURE_HEADER`: HMAC-SHA256 of the time, a full stop and the body."""
    digest = hmac.new(secret.encode(), b"%d." % at + body, sha256).hexdigest()
    return f"t={at},v1={digest}"


def deliver(
    url: str,
    secret: str,
    body: bytes,
    *,
    resolve_host: Resolve | None = None,
    allowed: Callable[[str], bool] | None = None,
    context: ssl.SSLContext | None = None,
) -> None:
    """POST *body* to *url*, once; a redirect isn't followed.

    The host is resolved here and called by that very address, so that it can't be another one meanwhile.

    Raises
    ------
    InvalidWebhook
        If the address is refused by now.
    NotDelivered
        If there was no answer in time, or none of the 200s.
    """
    address = _address(url, resolve_host or resolve, allowed or is_public)
    parts = urlsplit(url)
    at = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Tessera",
        SIGNATURE_HEADER: signature(secret, body, at),
    }
    connection = _Pinned(address, str(parts.hostname), parts.port or 443, context)
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read(_MOST_ANSWER_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise NotDelivered(f"no answer: {type(error).__name__}") from error
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise NotDelivered(f"the answer was {answer.status}")


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of *host*; none if it is unknown."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []


def is_public(address: str) -> bool:
    """Tell whether *address* is one of the open Internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            ip = inner
        elif ip in ipaddress.ip_network("64:ff9b::/96"):
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.is_global and not ip.is_multicast


class _Pinned(http.client.HTTPSConnection):
    """A connection to *host* at a given address."""

    def __init__(self, address: str, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self._tls = context or ssl.create_default_context()
        super().__init__(host, port, timeout=TIMEOUT_SECONDS, context=self._tls)
        self._address = address

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), TIMEOUT_SECONDS)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def _address(url: str, resolve_host: Resolve, allowed: Callable[[str], bool]) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 443
    except ValueError as error:
        raise _refusal("it is no address") from error
    if parts.scheme != "https" or not host:
        raise _refusal("it must begin with https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise _refusal("it holds a user name or a password")
    if not url.isascii() or any(character.isspace() for character in url):
        raise _refusal("it holds blanks or characters that are not ASCII")
    addresses = resolve_host(host, port)
    if not addresses:
        raise _refusal(f"{host[:80]} has no address")
    if not all(allowed(address) for address in addresses):
        raise _refusal(f"{host[:80]} is not on the public Internet")
    return addresses[0]


def _refusal(why: str) -> InvalidWebhook:
    return InvalidWebhook(
        f"the webhook's URL is refused: {why}",
        hint="name an https address that anybody can reach",
        pointer="/webhook/url",
    )
