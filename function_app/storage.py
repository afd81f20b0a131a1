"""Opening Blob Storage as the settings say."""

from typing import Any
from urllib.request import getproxies

from azure.storage.blob import BlobServiceClient, ExponentialRetry

from function_app import blob_pages
from function_app.settings import Settings, SettingsError, is_safe_endpoint

_MEGABYTE = 1 << 20


def connect(settings: Settings) -> BlobServiceClient:
    """Return the one client of this process; no request is made.

    Raises
    ------
    SettingsError
        If the connection string is malformed, holds no account key, or is plain http to another machine.
    """
    options: dict[str, Any] = {
        # The SDK's own default waits 15 s before the first retry.
        "retry_policy": ExponentialRetry(
            initial_backoff=1, increment_base=2, retry_total=5, random_jitter_range=1
        ),
        "connection_timeout": 10,
        "read_timeout": 60,
        # One request per read; the default of 4 KiB per piece doubles the time of a large one.
        "max_single_get_size": 64 * _MEGABYTE,
        "max_chunk_get_size": 64 * _MEGABYTE,
        "connection_data_block_size": _MEGABYTE,
        "max_single_put_size": 64 * _MEGABYTE,
        # Looking for proxies and a .netrc at every call takes a sixth of its processor time.
        "use_env_settings": bool(getproxies()),
        "raw_response_hook": blob_pages.take,
    }
    if settings.account_url:
        # Takes a while to import, and only Azure needs it.
        from azure.identity import ManagedIdentityCredential

        identity = ManagedIdentityCredential(client_id=settings.client_id)
        return BlobServiceClient(settings.account_url, credential=identity, **options)
    try:
        client = BlobServiceClient.from_connection_string(settings.connection_string or "", **options)
    except ValueError as error:
        raise SettingsError(f"{_variable(settings)} is no storage connection string: {error}") from None
    if not is_safe_endpoint(client.url):
        raise SettingsError(f"{_variable(settings)}: plain http is for this machine only; use https")
    if not getattr(client.credential, "account_key", None):
        raise SettingsError(f"{_variable(settings)} must hold an account key (AccountName and AccountKey)")
    return client


def _variable(settings: Settings) -> str:
    return "TESSERA_STORAGE" if settings.own_storage else "AzureWebJobsStorage"
