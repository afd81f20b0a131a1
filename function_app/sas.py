"""Signed URLs: one blob, the least permission, a short life."""

import threading
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from azure.storage.blob import BlobSasPermissions, BlobServiceClient, UserDelegationKey, generate_blob_sas

from function_app.file_names import content_disposition

UPLOAD = BlobSasPermissions(create=True, write=True)
DOWNLOAD = BlobSasPermissions(read=True)

_KEY_LIFETIME = timedelta(days=2)
_CLOCK_SKEW = timedelta(minutes=5)


class SignedUrl(NamedTuple):
    """An address that holds its own permission, to be kept out of logs."""

    url: str
    expires_at: datetime


class Signer:
    """Signs with the account key that *client* has, or else with a user-delegation key of its identity."""

    def __init__(self, client: BlobServiceClient) -> None:
        self._client = client
        self._account_key: str | None = getattr(client.credential, "account_key", None)
        self._lock = threading.Lock()
        self._delegation_key: UserDelegationKey | None = None
        self._delegation_key_end = datetime.min.replace(tzinfo=UTC)

    def sign(
        self,
        container: str,
        name: str,
        permission: BlobSasPermissions,
        lifetime: timedelta,
        *,
        file_name: str | None = None,
        media_type: str | None = None,
    ) -> SignedUrl:
        """Return a URL that allows *permission* on one blob for *lifetime* (at most a day).

        *file_name* and *media_type* are what a download says of itself.
        """
        expires_at = (datetime.now(UTC) + lifetime).replace(microsecond=0)
        blob = self._client.get_blob_client(container, name)
        token = generate_blob_sas(
            str(blob.account_name),
            container,
            name,
            account_key=self._account_key,
            user_delegation_key=None if self._account_key else self._key_until(expires_at),
            permission=permission,
            expiry=expires_at,
            # Plain http is how Azurite is reached; `storage.connect` allows it on this machine only.
            protocol="https" if blob.url.startswith("https:") else "https,http",
            content_disposition=content_disposition(file_name) if file_name else None,
            content_type=media_type,
        )
        return SignedUrl(f"{blob.url}?{token}", expires_at)

    def _key_until(self, expires_at: datetime) -> UserDelegationKey:
        """Return a delegation key that outlives *expires_at*; one request serves for days."""
        with self._lock:
            if self._delegation_key is None or self._delegation_key_end < expires_at:
                now = datetime.now(UTC)
                end = now + _KEY_LIFETIME
                self._delegation_key = self._client.get_user_delegation_key(now - _CLOCK_SKEW, end)
                self._delegation_key_end = end - _CLOCK_SKEW
            return self._delegation_key
