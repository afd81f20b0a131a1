"""What signed URLs allow, and what they don't, on a real Azurite."""

import base64
import json
import ssl
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.storage.blob import BlobServiceClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from function_app.blob_store import BlobStore
from function_app.sas import DOWNLOAD, UPLOAD, Signer
from function_app.services import Services
from tests.support.azurite import Azurite, running

MINUTE = timedelta(minutes=1)
PUT_BLOB = {"x-ms-blob-type": "BlockBlob"}


@pytest.fixture
def upload(services: Services) -> tuple[str, str]:
    """Give the name of a new blob and the URL that uploads it."""
    name = uuid.uuid4().hex
    services.store.ensure_container("uploads")
    return name, services.signer.sign("uploads", name, UPLOAD, MINUTE).url


@pytest.fixture
def download(services: Services) -> str:
    """Give the URL that reads a blob."""
    name = uuid.uuid4().hex
    services.store.write("results", name, b"0123456789")
    return services.signer.sign("results", name, DOWNLOAD, MINUTE).url


def also(url: str, **query: str) -> str:
    return f"{url}&{'&'.join(f'{key}={value}' for key, value in query.items())}"


def renamed(url: str, name: str) -> str:
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path.rpartition('/')[0]}/{name}").geturl()


def test_an_upload_url_takes_a_whole_file(services: Services, upload: tuple[str, str]) -> None:
    name, url = upload
    assert httpx.put(url, content=b"abc", headers=PUT_BLOB).status_code == 201
    assert services.store.read("uploads", name) == b"abc"


def test_an_upload_url_takes_a_file_in_blocks(services: Services, upload: tuple[str, str]) -> None:
    name, url = upload
    block = base64.b64encode(b"b0").decode()
    assert httpx.put(also(url, comp="block", blockid=block), content=b"abc").status_code == 201
    listing = f"<BlockList><Latest>{block}</Latest></BlockList>"
    assert httpx.put(also(url, comp="blocklist"), content=listing).status_code == 201
    assert services.store.read("uploads", name) == b"abc"


def test_an_upload_url_allows_nothing_else(upload: tuple[str, str]) -> None:
    name, url = upload
    assert httpx.put(url, content=b"abc", headers=PUT_BLOB).status_code == 201
    container = url.replace(f"/{name}?", "?")
    refused = {
        "read": httpx.get(url),
        "head": httpx.head(url),
        "delete": httpx.delete(url),
        "another blob": httpx.put(renamed(url, uuid.uuid4().hex), content=b"x", headers=PUT_BLOB),
        "list": httpx.get(also(container, restype="container", comp="list")),
        "more rights": httpx.get(url.replace("sp=cw", "sp=rcw")),
        "longer": httpx.put(url.replace("se=20", "se=21"), content=b"x", headers=PUT_BLOB),
    }
    assert {case: response.status_code for case, response in refused.items()} == dict.fromkeys(refused, 403)


def test_a_download_url_reads_and_nothing_else(download: str) -> None:
    assert httpx.get(download).content == b"0123456789"
    part = httpx.get(download, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")
    refused = {
        "write": httpx.put(download, content=b"x", headers=PUT_BLOB),
        "block": httpx.put(also(download, comp="block", blockid="YjA="), content=b"x"),
        "delete": httpx.delete(download),
        "metadata": httpx.put(also(download, comp="metadata"), headers={"x-ms-meta-a": "b"}),
        "another blob": httpx.get(renamed(download, uuid.uuid4().hex)),
    }
    assert {case: response.status_code for case, response in refused.items()} == dict.fromkeys(refused, 403)


def test_a_url_ends_when_it_says(services: Services) -> None:
    name = uuid.uuid4().hex
    services.store.write("results", name, b"x")
    signed = services.signer.sign("results", name, DOWNLOAD, timedelta(seconds=2))
    assert httpx.get(signed.url).status_code == 200
    deadline = time.monotonic() + 15
    while (status := httpx.get(signed.url).status_code) == 200 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert status == 403
    assert datetime.now(UTC) >= signed.expires_at


@pytest.mark.parametrize("file_name", ["photo-canny.png", 'naïve "quoted" 100% ; 照片.png'])
def test_a_download_is_saved_under_its_name_and_type(services: Services, file_name: str) -> None:
    name = uuid.uuid4().hex
    services.store.write("results", name, b"x")
    signed = services.signer.sign(
        "results", name, DOWNLOAD, MINUTE, file_name=file_name, media_type="image/png"
    )
    response = httpx.get(signed.url)
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/png"
    disposition = response.headers["content-disposition"]
    assert disposition.isascii()
    assert disposition.startswith("attachment;")
    assert unquote(disposition.partition("filename*=UTF-8''")[2]) == file_name


def test_a_url_into_azure_is_for_https_and_one_right_only() -> None:
    key = base64.b64encode(b"k" * 64).decode()
    account = BlobServiceClient(
        "https://example.blob.core.windows.net", {"account_name": "example", "account_key": key}
    )
    signed = Signer(account).sign("results", "a", DOWNLOAD, MINUTE)
    query = parse_qs(urlsplit(signed.url).query)
    assert query["spr"] == ["https"]
    assert query["sp"] == ["r"]
    assert query["sr"] == ["b"]
    assert signed.expires_at - datetime.now(UTC) <= MINUTE


class UnsignedIdentity:
    """Gives the tokens that Azurite takes: it checks who they are for, but not who signed them."""

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        now = int(time.time())
        claims = {
            "aud": "https://storage.azure.com",
            "iss": f"https://sts.windows.net/{uuid.UUID(int=1)}/",
            "oid": str(uuid.UUID(int=2)),
            "tid": str(uuid.UUID(int=1)),
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + 3600,
        }
        parts = (json.dumps({"alg": "none", "typ": "JWT"}), json.dumps(claims), "no signature")
        token = ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
        return AccessToken(token, now + 3600)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Give a self-signed certificate for 127.0.0.1 and its key."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - MINUTE)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def secure_azurite(
    azurite_program: Path, certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Azurite]:
    cert, key = certificate
    options = ("--oauth", "basic", "--cert", str(cert), "--key", str(key))
    with running(azurite_program, tmp_path_factory.mktemp("azurite-tls"), *options) as service:
        yield service


def test_with_an_identity_urls_are_signed_by_one_delegation_key(
    secure_azurite: Azurite, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cert = str(certificate[0])
    with (
        BlobServiceClient(
            secure_azurite.account_url, credential=UnsignedIdentity(), connection_verify=cert
        ) as client,
        httpx.Client(verify=ssl.create_default_context(cafile=cert)) as browser,
    ):
        request_key = Mock(wraps=client.get_user_delegation_key)
        monkeypatch.setattr(client, "get_user_delegation_key", request_key)
        signer = Signer(client)
        BlobStore(client).write("results", "a", b"secret")
        urls = [signer.sign("results", "a", DOWNLOAD, timedelta(days=1)).url for _ in range(3)]
        assert request_key.call_count == 1
        assert "skoid=" in urls[0]
        assert [browser.get(url).content for url in urls] == [b"secret"] * 3
        assert browser.put(urls[0], content=b"x", headers=PUT_BLOB).status_code == 403
        assert browser.get(renamed(urls[0], "b")).status_code == 403
