"""What routes and activities work with: one set for the process."""

import os
from dataclasses import dataclass
from functools import cache

from function_app.blob_store import BlobStore
from function_app.sas import Signer
from function_app.settings import Settings, read_settings
from function_app.storage import connect


@dataclass(frozen=True)
class Services:
    """The settings, the store and the signer of URLs."""

    settings: Settings
    store: BlobStore
    signer: Signer


def build(settings: Settings) -> Services:
    """Return the services that *settings* describe.

    Raises
    ------
    SettingsError
        If the storage settings can't be used.
    """
    client = connect(settings)
    return Services(settings, BlobStore(client), Signer(client))


@cache
def services() -> Services:
    """Return the services of this process, made from its environment.

    Raises
    ------
    SettingsError
        If the environment can't be used.
    """
    return build(read_settings(os.environ))
