"""Connections to the service, shared by everybody who has the page open."""

import streamlit as st

from frontend_streamlit.settings import Settings, read_settings
from tessera_client import Client, Operation, RetryPolicy

# Somebody waits in front of the screen: say soon that the service is away, and let them try again.
IMPATIENT = RetryPolicy(attempts=3, first_wait=0.2, longest_wait=1.0)
CATALOGUE_SECONDS = 300


def client() -> Client:
    """Return the connection for what a person waits for.

    Raises
    ------
    ConnectionFailed
        When the address in the settings isn't one.
    """
    return _connected(read_settings(), IMPATIENT)


def patient_client() -> Client:
    """Return the connection for what goes on by itself, such as sending an image.

    Raises
    ------
    ConnectionFailed
        When the address in the settings isn't one.
    """
    return _connected(read_settings(), RetryPolicy())


def operations() -> dict[str, Operation]:
    """Return the operations that the service offers, by name; asked for again every few minutes.

    Raises
    ------
    TesseraClientError
        When the service can't be asked.
    """
    return _operations(read_settings())


@st.cache_resource(show_spinner=False, on_release=Client.close)
def _connected(settings: Settings, policy: RetryPolicy) -> Client:
    return Client(settings.api_url, settings.api_key, policy=policy)


@st.cache_data(show_spinner="Asking what can be done", ttl=CATALOGUE_SECONDS)
def _operations(settings: Settings) -> dict[str, Operation]:
    return {operation.name: operation for operation in _connected(settings, IMPATIENT).operations()}
