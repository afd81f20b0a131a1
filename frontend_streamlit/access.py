"""Connections to the service, shared by everybody who has the page open."""

from typing import override

import httpx
import streamlit as st

from frontend_streamlit.settings import Settings, read_settings
from tessera_client import Client, Operation, Preset, RetryPolicy

# Somebody waits in front of the screen: say soon that the service is away, and let them try again.
IMPATIENT = RetryPolicy(attempts=3, first_wait=0.2, longest_wait=1.0)
CATALOGUE_SECONDS = 300
MOST_PEOPLE = 200
PRINCIPAL = "x-ms-client-principal-id"
PRINCIPAL_NAME = "x-ms-client-principal-name"


class OnBehalf(httpx.BaseTransport):
    """Tells the service, and nobody else, for whom the page asks: then each sees their own jobs.

    Parameters
    ----------
    api_url : str
    principal : str
        Who has signed in, as the platform in front of the page says.
    """

    def __init__(self, api_url: str, principal: str) -> None:
        self._address = f"{api_url.rstrip('/')}/api/"
        self._principal = principal
        self._network = httpx.HTTPTransport()

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if str(request.url).startswith(self._address):
            request.headers[PRINCIPAL] = self._principal
        return self._network.handle_request(request)

    @override
    def close(self) -> None:
        self._network.close()


def client() -> Client:
    """Return the connection for what a person waits for.

    Raises
    ------
    ConnectionFailed
        When the address in the settings isn't one.
    """
    return _connected(read_settings(), IMPATIENT, _signed_in(PRINCIPAL))


def patient_client() -> Client:
    """Return the connection for what goes on by itself, such as sending an image.

    Raises
    ------
    ConnectionFailed
        When the address in the settings isn't one.
    """
    return _connected(read_settings(), RetryPolicy(), _signed_in(PRINCIPAL))


def person() -> str | None:
    """Return the name of who has signed in, where the platform in front of the page asks for that."""
    return _signed_in(PRINCIPAL_NAME)


def operations() -> dict[str, Operation]:
    """Return the operations that the service offers, by name; asked for again every few minutes.

    Raises
    ------
    TesseraClientError
        When the service can't be asked.
    """
    return _operations(read_settings())


def presets() -> dict[str, Preset]:
    """Return the stored pipelines, by name; asked for again every few minutes.

    Raises
    ------
    TesseraClientError
        When the service can't be asked.
    """
    return _presets(read_settings())


def _signed_in(header: str) -> str | None:
    return st.context.headers.get(header) or None


@st.cache_resource(show_spinner=False, max_entries=2 * MOST_PEOPLE, on_release=Client.close)
def _connected(settings: Settings, policy: RetryPolicy, principal: str | None = None) -> Client:
    network = OnBehalf(settings.api_url, principal) if principal else None
    return Client(settings.api_url, settings.api_key, policy=policy, transport=network)


@st.cache_data(show_spinner="Asking what can be done", ttl=CATALOGUE_SECONDS)
def _operations(settings: Settings) -> dict[str, Operation]:
    return {operation.name: operation for operation in _connected(settings, IMPATIENT).operations()}


@st.cache_data(show_spinner=False, ttl=CATALOGUE_SECONDS)
def _presets(settings: Settings) -> dict[str, Preset]:
    return {preset.name: preset for preset in _connected(settings, IMPATIENT).presets()}
