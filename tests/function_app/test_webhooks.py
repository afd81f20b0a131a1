"""Webhooks: who is called, what is sent, and that it goes nowhere else."""

import hmac
import http.server
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from function_app import records, status, webhooks
from function_app.blob_store import BlobStore
from function_app.instances import Life
from function_app.problems import InvalidWebhook
from function_app.records import WebhookTarget
from function_app.services import Services
from function_app.webhooks import NotDelivered, deliver
from function_app.word import notify
from orchestrations.send_word import send_word
from tessera.messages import NotifyOrder, Outcome
from tests.function_app import stored

SECRET = "a secret of some length"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_only_addresses_of_the_open_internet_are_called(address: str, public: bool) -> None:
    assert webhooks.is_public(address) is public


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://",
        "https:///path",
        "https://user:password@example.com/",
        "https://exa mple.com/",
        "https://example.com/\r\nX-Other: 1",
        "https://example.com:99999/",
        "https://[::1",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/metadata/instance",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_not_to_be_called_is_refused(url: str) -> None:
    with pytest.raises(InvalidWebhook) as error:
        webhooks.check(url)
    assert error.value.pointer == "/webhook/url"


def test_a_name_with_one_private_address_is_refused() -> None:
    with pytest.raises(InvalidWebhook, match="not on the public Internet"):
        deliver("https://example.com/", SECRET, b"", resolve_host=lambda *_: ["93.184.216.34", "10.0.0.1"])


class Receiver(http.server.BaseHTTPRequestHandler):
    """Notes what it is sent, and answers with the status that the path names."""

    received: ClassVar[list[tuple[str, dict[str, str], bytes]]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((self.path, dict(self.headers), body))
        self.send_response(int(self.path.strip("/").split("?")[0]))
        self.send_header("Location", "/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def certificate(folder: Path) -> Path:
    """Make a certificate for example.com that signs itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.com")])
    names = x509.SubjectAlternativeName(
        [x509.DNSName("example.com"), x509.IPAddress(IPv4Address("127.0.0.1"))]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


type Send = Callable[..., None]


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[tuple[Send, type[Receiver]]]:
    """Give a way to deliver to a receiver on this machine, as example.com, and what it received."""
    file = certificate(tmp_path)

    class Here(Receiver):
        received: ClassVar[list[tuple[str, dict[str, str], bytes]]] = []

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Here)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    trusting = ssl.create_default_context(cafile=str(file))

    def send(
        path: str,
        host: str = "example.com",
        context: ssl.SSLContext | None = trusting,
        body: bytes = b'{"id": "1"}',
    ) -> None:
        url = f"https://{host}:{server.server_address[1]}{path}"
        deliver(
            url,
            SECRET,
            body,
            resolve_host=lambda *_: ["127.0.0.1"],
            allowed=lambda _: True,
            context=context,
        )

    yield send, Here
    server.shutdown()
    server.server_close()


def test_the_body_comes_signed_with_the_time(receiver: tuple[Send, type[Receiver]]) -> None:
    send, here = receiver
    send("/200?job=1")
    ((path, headers, body),) = here.received
    assert (path, json.loads(body)) == ("/200?job=1", {"id": "1"})
    assert headers["Host"].startswith("example.com")
    at, signed = (part.partition("=")[2] for part in headers[webhooks.SIGNATURE_HEADER].split(","))
    assert abs(datetime.now(UTC).timestamp() - int(at)) < 60
    assert signed == hmac.new(SECRET.encode(), f"{at}.".encode() + body, sha256).hexdigest()


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 500])
def test_any_answer_but_success_is_tried_again_and_no_redirect_is_followed(
    receiver: tuple[Send, type[Receiver]], status: int
) -> None:
    send, here = receiver
    with pytest.raises(NotDelivered, match=str(status)):
        send(f"/{status}")
    assert [path for path, *_ in here.received] == [f"/{status}"]


def test_a_certificate_of_another_name_or_unknown_issuer_is_not_trusted(
    receiver: tuple[Send, type[Receiver]],
) -> None:
    send, here = receiver
    with pytest.raises(NotDelivered):
        send("/200", "example.org")
    with pytest.raises(NotDelivered):
        send("/200", context=None)
    assert here.received == []


@pytest.fixture
def trusting_here(receiver: tuple[Send, type[Receiver]], monkeypatch: pytest.MonkeyPatch) -> type[Receiver]:
    """Send what goes to example.com to the receiver on this machine."""
    send, here = receiver

    def deliver_here(url: str, secret: str, body: bytes) -> None:
        assert (url, secret) == ("https://example.com/200", SECRET)
        send("/200", body=body)

    monkeypatch.setattr(webhooks, "deliver", deliver_here)
    return here


def test_word_of_a_job_says_how_it_ended(store: BlobStore, trusting_here: type[Receiver]) -> None:
    record = stored.record(store)
    hook = WebhookTarget(url="https://example.com/200", secret=SECRET)
    records.replace(record, record.model_copy(update={"webhook": hook}), store)
    stored.outcome(store, record.job, Outcome(state="cancelled", finished_at="2026-01-01T00:00:00+00:00"))
    notify(NotifyOrder(job=record.job), store)
    ((_, _, body),) = trusting_here.received
    assert json.loads(body) == {
        "type": "job",
        "id": record.job,
        "state": "cancelled",
        "finished_at": "2026-01-01T00:00:00+00:00",
        "code": None,
        "run": 1,
    }


def test_no_word_is_sent_of_a_job_that_was_removed(store: BlobStore, trusting_here: type[Receiver]) -> None:
    notify(NotifyOrder(job="0" * 32), store)
    assert trusting_here.received == []


def test_the_secret_is_in_no_order_and_no_answer(services: Services) -> None:
    record = stored.record(services.store)
    hook = WebhookTarget(url="https://example.com/200", secret=SECRET)
    with_hook = record.model_copy(update={"webhook": hook})
    records.replace(record, with_hook, services.store)
    assert with_hook.order.notify
    assert SECRET not in with_hook.order.model_dump_json()
    snapshot = status.take(record.job, services.store, record.owner)
    assert SECRET not in status.view(snapshot, Life.RUNNING, services).model_dump_json()


def test_delivery_is_tried_again_and_then_given_up() -> None:
    steps = send_word(SimpleNamespace(call_activity_with_retry=lambda *_: "task", get_input=dict), None)
    assert next(steps) == "task"
    with pytest.raises(StopIteration) as ended:
        steps.throw(Exception("the last attempt failed"))
    assert ended.value.value == {"delivered": False}
