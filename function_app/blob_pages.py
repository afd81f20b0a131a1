"""Pages of a listing, without the SDK's models of what is in them.

The SDK makes a model of every blob, which takes ten times as long as reading a name
(docs/decisions/0033-listings-without-models.md). Addresses, credentials, retries, errors and the way from
page to page stay the SDK's.
"""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, tostring

from azure.core.paging import ItemPaged
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import ContentDecodePolicy
from azure.core.pipeline.transport import HttpResponse

_OK = 200
_taken: ContextVar[list[Element] | None] = ContextVar("_taken", default=None)


class Page(NamedTuple):
    """The elements ``Blob`` and ``BlobPrefix`` of a page, and what to go on with, if there are more."""

    elements: list[Element]
    token: str | None


def take(response: PipelineResponse[Any, Any]) -> None:
    """Take the elements out of an answer that `pages` waits for.

    To be the ``raw_response_hook`` of the client: one that is given with a call is left out where the call is
    tried again, and the listing would look empty.
    """
    answer = response.http_response
    if _taken.get() is None or answer.status_code != _OK:
        return
    root = ContentDecodePolicy.deserialize_from_http_generics(answer)
    blobs = root.find("Blobs")
    _taken.set(list(blobs))
    blobs.clear()
    response.http_response = _Rest(answer, tostring(root))


def pages(listing: Callable[..., ItemPaged[Any]], token: str | None = None, **options: Any) -> Iterator[Page]:
    """Yield what *listing*, a method of the SDK's client for a container, lists with these *options*.

    The elements are those of the service, https://learn.microsoft.com/rest/api/storageservices/list-blobs.

    Parameters
    ----------
    token : str or None
        Where to go on.
    """
    listed: Any = listing(**options).by_page(continuation_token=token)
    while (elements := _next(listed)) is not None:
        yield Page(elements, listed.continuation_token or None)


def _next(listed: Iterator[Iterator[Any]]) -> list[Element] | None:
    """Return the elements of the next page, or None after the last one."""
    before = _taken.set([])
    try:
        left = next(listed, None)
        if left is None:
            return None
        if any(True for _ in left):
            raise TypeError("`take` must be the raw_response_hook of the client")
        return _taken.get()
    finally:
        _taken.reset(before)


class _Rest(HttpResponse):
    """An answer with another body."""

    def __init__(self, answer: HttpResponse, body: bytes) -> None:
        super().__init__(answer.request, answer.internal_response)
        self.status_code, self.headers, self.reason = answer.status_code, answer.headers, answer.reason
        self.content_type, self._rest = answer.content_type, body

    def body(self) -> bytes:
        """Return the other body."""
        return self._rest
