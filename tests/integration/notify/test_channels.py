"""The ways out against real receivers: an SMTP server with TLS, an HTTP receiver, and both being down."""

import hmac
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, cast

import httpx
import orjson
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from deploy.native.ports import choose_port
from services.notify.channels import MailServer, chat, mailer, resolved, signature, webhook
from tests.http_receiver import http_receiver
from tests.unit.notify.test_message import ROW, message

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
SECRET = "k3y"  # noqa: S105 - a test's


@dataclass
class Mailbox:
    """Takes mail, or refuses it."""

    mails: list[EmailMessage] = field(default_factory=list)
    refusal: str | None = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        if self.refusal is not None:
            return self.refusal
        self.mails.append(cast(EmailMessage, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for `localhost`, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    openssl = shutil.which("openssl")
    assert openssl is not None, "openssl is missing: apt-get install openssl"
    subprocess.run(
        [
            *(
                openssl,
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "1",
                "-subj",
                "/CN=localhost",
            ),
            *("-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def mail_server(mailbox: Mailbox, certificate: tuple[Path, Path]) -> Iterator[MailServer]:
    """A real SMTP server that wants STARTTLS and a password."""

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (
            b"cdc",
            SECRET.encode(),
        )
        return AuthResult(success=is_right, handled=is_right)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=choose_port(20_025, set()),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticate,
    )
    controller.start()
    yield MailServer("localhost", controller.port, "starttls", "cdc", SECRET, "canhdich@cdc.example")
    controller.stop()


@pytest.fixture
def trust(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate[0])


def test_mail_arrives_whole_over_tls(
    mail_server: MailServer, mailbox: Mailbox, trust: ssl.SSLContext
) -> None:
    made = message(ROW)
    assert mailer(mail_server, trust)("nghiepvuy@soyte.example", made) is None
    (mail,) = mailbox.mails
    assert mail["Subject"] == made.subject
    assert mail["To"] == "nghiepvuy@soyte.example"
    assert mail["Message-ID"] == f"<{made.id}@canhdich>"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().strip().splitlines() == made.text.strip().splitlines()
    assert "Xã Bình Lư" in html.get_content()


def test_a_mail_server_that_nobody_vouches_for_gets_nothing(
    mail_server: MailServer, mailbox: Mailbox
) -> None:
    reason = mailer(mail_server)("a@b.example", message(ROW))
    assert reason is not None
    assert "CERTIFICATE_VERIFY_FAILED" in reason
    assert mailbox.mails == []


@pytest.mark.parametrize("refusal", ["451 try again later", "550 no such person"])
def test_a_refusal_is_said(
    mail_server: MailServer, mailbox: Mailbox, trust: ssl.SSLContext, refusal: str
) -> None:
    mailbox.refusal = refusal
    reason = mailer(mail_server, trust)("a@b.example", message(ROW))
    assert reason is not None
    assert refusal[4:] in reason


def test_a_wrong_password_is_said_and_not_shown(mail_server: MailServer, trust: ssl.SSLContext) -> None:
    wrong = MailServer("localhost", mail_server.port, "starttls", "cdc", "wr0ng", "x@y.example")
    reason = mailer(wrong, trust)("a@b.example", message(ROW))
    assert reason is not None
    assert "Authentication" in reason
    assert "wr0ng" not in reason


def test_a_mail_server_that_is_not_there_is_said() -> None:
    gone = MailServer("127.0.0.1", 1, "none", "", "", "x@y.example")
    assert "refused" in str(mailer(gone)("a@b.example", message(ROW)))
    unset = MailServer("", 587, "starttls", "", "", "x@y.example")
    assert "CANHDICH_SMTP_HOST" in str(mailer(unset)("a@b.example", message(ROW)))


@dataclass
class Receiver:
    """An HTTP receiver, as a department's own system would be."""

    status: int = 204
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[tuple[Receiver, str]]:
    received = Receiver()

    def take(headers: Mapping[str, str], body: bytes) -> int:
        received.requests.append((dict(headers), body))
        return received.status

    with http_receiver(take) as url:
        yield received, url


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as opened:
        yield opened


def test_a_webhook_is_a_signed_cloud_event(receiver: tuple[Receiver, str], client: httpx.Client) -> None:
    received, url = receiver
    made = message(ROW)
    assert webhook(SECRET, client, clock=lambda: 1_785_000_000.5)(url, made) is None
    ((headers, body),) = received.requests
    expected = hmac.new(SECRET.encode(), b"1785000000." + body, sha256).hexdigest()
    assert headers["X-Canhdich-Signature"] == f"sha256={expected}"
    assert headers["Idempotency-Key"] == str(made.id)
    event = orjson.loads(body)
    assert event["id"] == str(made.id)
    assert event["type"] == "vn.canhdich.alert.notified.v1"
    (alert,) = event["data"]["alerts"]
    assert (alert["area_code"], alert["disease"], alert["numbers"]) == (
        "03390",
        "dengue",
        ROW["verdict"]["numbers"],
    )


@pytest.fixture
def gateway_and_relay(receiver: tuple[Receiver, str]) -> Iterator[tuple[Receiver, str]]:
    """A text message gateway, and the relay of the docs before it."""
    received, url = receiver
    spec = spec_from_file_location("sms_relay", EXAMPLES / "sms_relay.py")
    assert spec is not None
    assert spec.loader is not None
    example = module_from_spec(spec)
    spec.loader.exec_module(example)
    server = example.relay(0, SECRET, url, ["84912000001"])
    server.RequestHandlerClass.log_message = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield received, f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_text_message_gateway_gets_one_text_that_fits(
    gateway_and_relay: tuple[Receiver, str], client: httpx.Client
) -> None:
    received, relay = gateway_and_relay
    made = message(ROW)
    for _ in range(2):
        # The second is a repeat: the notifier was killed before it had written the first down.
        assert webhook(SECRET, client)(relay, made) is None
    ((_, body),) = received.requests
    assert orjson.loads(body) == {
        "to": ["84912000001"],
        "text": "Canh Dich: CO DICH (dat tieu chi): Sot xuat huyet Dengue, Xa Binh Lu, Khu vuc Tam Duong, "
        "Tinh Lai Chau, 19 ca (moi). ID 00000000",
    }


def test_the_relay_takes_nothing_forged_nothing_old_and_gives_nothing_up(
    gateway_and_relay: tuple[Receiver, str], client: httpx.Client
) -> None:
    received, relay = gateway_and_relay
    assert str(webhook("0ther", client)(relay, message(ROW))).startswith("HTTP 401")
    long_ago = webhook(SECRET, client, clock=lambda: time.time() - 301)
    assert str(long_ago(relay, message(ROW))).startswith("HTTP 401")
    assert received.requests == []
    received.status = 503
    assert str(webhook(SECRET, client)(relay, message(ROW))).startswith("HTTP 502")
    received.status = 200
    assert webhook(SECRET, client)(relay, message(ROW)) is None
    assert len(received.requests) == 2


def test_a_changed_body_or_an_old_timestamp_has_another_signature() -> None:
    right = signature(SECRET, "1785000000", b'{"cases": 19}')
    assert signature(SECRET, "1785000000", b'{"cases": 18}') != right
    assert signature(SECRET, "1785000001", b'{"cases": 19}') != right
    assert signature("other", "1785000000", b'{"cases": 19}') != right


@pytest.mark.parametrize("status", [302, 400, 401, 500, 503])
def test_anything_but_success_is_said(
    receiver: tuple[Receiver, str], client: httpx.Client, status: int
) -> None:
    received, url = receiver
    received.status = status
    assert str(webhook(SECRET, client)(url, message(ROW))).startswith(f"HTTP {status}")
    assert len(received.requests) == 1


def test_a_receiver_that_is_not_there_and_a_secret_that_is_not_set_are_said(client: httpx.Client) -> None:
    assert "ConnectError" in str(webhook(SECRET, client)("http://127.0.0.1:1/", message(ROW)))
    assert "CANHDICH_WEBHOOK_SECRET" in str(webhook("", client)("http://127.0.0.1:1/", message(ROW)))


def test_a_chat_gets_the_short_text(receiver: tuple[Receiver, str]) -> None:
    """Through Apprise's own JSON service: real Apprise, real HTTP."""
    received, url = receiver
    made = message(ROW)
    assert chat(url.replace("http://", "json://"), made) is None
    ((_, body),) = received.requests
    assert orjson.loads(body)["message"] == made.short
    received.status = 500
    assert "not accepted" in str(chat(url.replace("http://", "json://"), made))


def test_an_address_that_apprise_does_not_know_is_not_repeated() -> None:
    reason = chat("nosuch://t0ken/1", message(ROW))
    assert reason is not None
    assert "t0ken" not in reason


def test_secret_addresses_are_read_where_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZALO_URL", "zalo://t/1")
    (tmp_path / "url").write_text("zalo://t/2\n")
    assert resolved("env:ZALO_URL") == "zalo://t/1"
    assert resolved(f"file:{tmp_path}/url") == "zalo://t/2"
    assert resolved("https://x.example/a:b") == "https://x.example/a:b"
    with pytest.raises(LookupError, match="NO_SUCH"):
        resolved("env:NO_SUCH")
    with pytest.raises(LookupError, match="none"):
        resolved(f"file:{tmp_path}/none")
