"""Listings say what the SDK's own models of them say, page by page, and break off as these do."""

import uuid
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from azure.core.exceptions import AzureError, ServiceResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy
from azure.storage.blob import BlobServiceClient, ContainerClient

from function_app import blob_listing
from function_app.blob_listing import BlobLists, Entry, name_of
from function_app.blob_pages import pages, take
from function_app.blob_store import BlobStore
from tessera import naming
from tests.support.azurite import Azurite

NAMES = ("a.json", "b c+é#?.bin", "d&<e>'\".json", "f/g", "f/h", "i/j/k")
SMALL = b'{"what": "small"}'


@pytest.fixture
def folder(store: BlobStore) -> str:
    """Give a folder with blobs of many names, one of them large, and one that was never committed."""
    folder = uuid.uuid4().hex
    for name in NAMES:
        store.write(naming.JOBS, f"{folder}/{name}", SMALL)
    store.write(naming.JOBS, f"{folder}/large", bytes(blob_listing._MOST_BYTES + 1))
    store.put_block(naming.JOBS, f"{folder}/uncommitted", "t1", b"1")
    return folder


@pytest.fixture
def container(store: BlobStore) -> ContainerClient:
    return store._client.get_container_client(naming.JOBS)


def test_entries_are_what_the_sdk_makes_of_them(
    store: BlobStore, folder: str, container: ContainerClient
) -> None:
    expected = [
        (blob.name, blob.size or 0, f'"{str(blob.etag).strip('"')}"', blob.last_modified)
        for blob in container.list_blobs(name_starts_with=f"{folder}/", include=["uncommittedblobs"])
        if not blob.name.endswith("/uncommitted")
    ]
    entries = store.entries(naming.JOBS, f"{folder}/", contents=True)
    assert [entry[:4] for entry in entries if not entry.name.endswith("/uncommitted")] == expected
    assert [entry.content for entry in entries] == [SMALL] * len(NAMES) + [None, None]
    assert [entry.size for entry in entries][-2:] == [blob_listing._MOST_BYTES + 1, 0]
    assert store.read(naming.JOBS, entries[0].name, etag=entries[0].etag) == SMALL


def test_what_is_not_asked_for_is_not_told(store: BlobStore, folder: str) -> None:
    assert {entry.content for entry in store.entries(naming.JOBS, f"{folder}/")} == {None}


def test_names_and_counts_are_those_of_entries(store: BlobStore, folder: str) -> None:
    names = [f"{folder}/{name}" for name in (*NAMES, "large", "uncommitted")]
    assert sorted(store.names(naming.JOBS, f"{folder}/")) == sorted(names)
    assert store.count(naming.JOBS, f"{folder}/") == len(names) - 1
    assert store.count_folders(naming.JOBS, f"{folder}/f/") == 2
    assert store.count_folders(naming.JOBS, f"{folder}/i/") == 1
    assert store.count_folders(naming.JOBS, f"{folder}/none/") == 0


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_pages_follow_one_another_without_a_gap(
    store: BlobStore, folder: str, container: ContainerClient, most: int
) -> None:
    found, token = list[str](), None
    while True:
        names, token = store.page(naming.JOBS, f"{folder}/", most, token)
        assert len(names) <= most
        found += names
        if token is None:
            break
    assert found == sorted(f"{folder}/{name}" for name in (*NAMES, "large"))
    each = pages(container.list_blobs, name_starts_with=f"{folder}/", results_per_page=most)
    assert [name_of(blob) for page in each for blob in page.elements] == found


def test_a_container_that_is_not_there_holds_nothing(store: BlobStore) -> None:
    nowhere = f"c{uuid.uuid4().hex}"
    assert store.entries(nowhere, "") == []
    assert list(store.names(nowhere, "")) == []
    assert store.page(nowhere, "", 10, None) == ([], None)
    assert (store.count(nowhere, ""), store.count_folders(nowhere, "")) == (0, 0)


class _Broken(HTTPPolicy[Any, Any]):
    """Breaks the first connections, or lets the bodies of the first answers end early."""

    def __init__(self, how: str, times: int) -> None:
        super().__init__()
        self.how, self.left = how, times

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        response = self.next.send(request)
        if self.left:
            self.left -= 1
            if self.how == "broken":
                raise ServiceResponseError("the connection broke")
            whole = response.http_response.text()
            response.http_response.text = lambda encoding=None: whole[: len(whole) // 2]
        return response


def lists_of(azurite: Azurite, **options: Any) -> BlobLists:
    options |= {"retry_total": 1, "initial_backoff": 0.01, "increment_base": 0.01, "random_jitter_range": 0}
    return BlobLists(BlobServiceClient.from_connection_string(azurite.connection_string, **options))


@pytest.mark.parametrize("how", ["broken", "cut"])
def test_a_listing_that_breaks_off_is_never_taken_for_a_short_one(
    azurite: Azurite, folder: str, how: str
) -> None:
    for times in (1, 2):
        broken = [_Broken(how, times)]
        lists = lists_of(azurite, raw_response_hook=take, _additional_pipeline_policies=broken)
        if times == 1:
            assert len(lists.entries(naming.JOBS, f"{folder}/")) == len(NAMES) + 2
        else:
            with pytest.raises(AzureError):
                lists.entries(naming.JOBS, f"{folder}/")
        assert broken[0].left == 0


def test_a_client_without_the_hook_is_not_taken_for_an_empty_service(azurite: Azurite, folder: str) -> None:
    with pytest.raises(TypeError, match="raw_response_hook"):
        lists_of(azurite).entries(naming.JOBS, f"{folder}/")


def test_a_name_that_xml_cannot_hold_is_quoted_by_the_service() -> None:
    listed = fromstring('<Blob><Name Encoded="true">a%01b%25</Name></Blob>')
    assert name_of(listed) == "a\x01b%"
    assert name_of(fromstring("<Blob><Name>a%01</Name></Blob>")) == "a%01"


def test_an_entry_without_a_date_is_as_young_as_can_be() -> None:
    entry = blob_listing.entry_of(fromstring("<Blob><Name>a</Name><Properties/></Blob>"))
    assert entry[:3] == Entry("a", 0, '""', entry.modified)[:3]
    assert entry.modified.tzinfo is not None
