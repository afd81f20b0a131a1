"""Whose request it is: the Entra principal that the platform has signed in, or else whoever holds the key."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

KEY_HOLDER: Final = "key"
_PRINCIPAL = "x-ms-client-principal-id"


def owner_of(headers: Mapping[str, str]) -> str:
    """Return a name for the caller that is fit for blob names.

    The platform's authentication sets the header and takes away one that a client sent. Without it, all who
    hold the key are one owner, and a header that one of them makes up gives a view of nobody's jobs.
    """
    principal = headers.get(_PRINCIPAL, "").strip()
    return sha256(principal.encode()).hexdigest()[:32] if principal else KEY_HOLDER
