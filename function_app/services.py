"""What routes and activities work with: one set for the process."""

import os
from dataclasses import dataclass
from functools import cache

from function_app.blob_store import BlobStore
from function_app.sas import Signer
from function_app.settings import Settings, read_settings
from function_app.span_export import SpanSender
from function_app.storage import connect
from function_app.tracing import Export


@dataclass(frozen=True)
class Services:
    """The settings, the store, the signer of URLs, and what sends spans if somebody wants them."""

    settings: Settings
    store: BlobStore
    signer: Signer
    export: Export | None = None


def build(settings: Settings) -> Services:
    """Return the services that *settings* describe.

    Raises
    ------
    SettingsError
        If the storage settings can't be used.
    """
    client = connect(settings)
    export = SpanSender(settings.traces.get_secret_value(), settings) if settings.traces else None
    return Services(settings, BlobStore(client), Signer(client), export)


@cache
def services() -> Services:
    """Return the services of this process, made from its environment.

    Raises
    ------
    SettingsError
        If the environment can't be used.
    """
    return build(read_settings(os.environ))
