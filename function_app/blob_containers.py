"""Containers of Blob Storage that come into being when something is written to them."""

from collections.abc import Callable
from contextlib import suppress

from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.storage.blob import BlobServiceClient

from function_app.blob_errors import code_of
from function_app.lately import Lately

_BELIEVED_SECONDS = 60.0


class Containers:
    """The containers of *client*."""

    def __init__(self, client: BlobServiceClient) -> None:
        self._client = client
        self._there: Lately[str, bool] = Lately()

    def ensure(self, container: str) -> None:
        """Create a container if there is none; one that was there is believed to be for a minute."""
        if not self._there.get(container):
            self._create(container)
            self._there.see(container, True, _BELIEVED_SECONDS)

    def writing(self, container: str, write: Callable[[], object]) -> None:
        """Call *write*; if that fails for want of the container, once more with one."""
        try:
            write()
        except HttpResponseError as error:
            if code_of(error) != "ContainerNotFound":
                raise
            self._create(container)
            write()

    def _create(self, container: str) -> None:
        with suppress(ResourceExistsError):
            self._client.create_container(container)
