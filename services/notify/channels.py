"""The ways out: e-mail (SMTP), webhook (CloudEvents over HTTP, signed), chat (Apprise, e.g. `zalo://`).

Each sends one message and returns None when the receiver has accepted it, else why not. None of them raises:
whatever goes wrong is recorded and tried again.
"""

import hashlib
import hmac
import logging
import os
import smtplib
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final, Literal

import httpx
import orjson

from services.notify.message import Message
from streams.domain.recipients import Channel

log = logging.getLogger(__name__)

SEND_SECONDS: Final = 20.0
"""Longest wait for a receiver."""

Send = Callable[[str, Message], str | None]
"""Sends to an address; None when it was accepted, else why not."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. An empty host: nowhere."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    user: str
    password: str
    sender: str


def resolved(address: str) -> str:
    """An address, or the secret one that `env:NAME` or `file:PATH` names.

    Raises:
        LookupError: there is no such variable or file; says which.

    >>> resolved("dichbenh@soyte.example")
    'dichbenh@soyte.example'
    """
    kind, separator, name = address.partition(":")
    if separator and kind == "env":
        value = os.environ.get(name)
        if not value:
            raise LookupError(f"the environment variable {name} is not set")
        return value
    if separator and kind == "file":
        try:
            return Path(name).read_text("utf-8").strip()
        except OSError as error:
            raise LookupError(f"the file {name} cannot be read ({error.strerror})") from error
    return address


def mailer(server: MailServer, context: ssl.SSLContext | None = None) -> Send:
    """Send by SMTP: HTML with a text part, the delivery's id as Message-ID.

    Args:
        server: Where mail is handed in.
        context: Trust for TLS; by default the machine's.
    """

    def send(address: str, message: Message) -> str | None:
        if not server.host:
            return "no mail server is set: CANHDICH_SMTP_HOST"
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = server.sender, address, message.subject
        mail["Date"] = formatdate(localtime=False)
        mail["Message-ID"] = f"<{message.id}@canhdich>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        mail.add_alternative(message.html, subtype="html")
        trusted = context or ssl.create_default_context()
        try:
            with (
                smtplib.SMTP_SSL(server.host, server.port, timeout=SEND_SECONDS, context=trusted)
                if server.security == "tls"
                else smtplib.SMTP(server.host, server.port, timeout=SEND_SECONDS)
            ) as smtp:
                if server.security == "starttls":
                    smtp.starttls(context=trusted)
                if server.user:
                    smtp.login(server.user, server.password)
                smtp.send_message(mail)
        except (smtplib.SMTPException, OSError) as error:
            return f"{type(error).__name__}: {error}"
        return None

    return send


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 over `timestamp.body`, in hex; receivers compare it and refuse old timestamps.

    >>> signature("k", "1", b"{}")[:12]
    '3dd49b2593d0'
    """
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def webhook(secret: str, client: httpx.Client, clock: Callable[[], float] = time.time) -> Send:
    """Post a CloudEvent; any 2xx is acceptance.

    Args:
        secret: Of the signature.
        client: Follows no redirects: a signed message goes where it was addressed or nowhere.
        clock: Unix time.
    """

    def send(address: str, message: Message) -> str | None:
        if not secret:
            return "no secret for webhooks is set: CANHDICH_WEBHOOK_SECRET"
        body = orjson.dumps(_cloud_event(message))
        timestamp = str(int(clock()))
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "Idempotency-Key": str(message.id),
            "X-Canhdich-Timestamp": timestamp,
            "X-Canhdich-Signature": f"sha256={signature(secret, timestamp, body)}",
        }
        try:
            answer = client.post(address, content=body, headers=headers, timeout=SEND_SECONDS)
        except httpx.HTTPError as error:
            return f"{type(error).__name__}: {error}"
        return None if answer.is_success else f"HTTP {answer.status_code}: {answer.text[:200]}"

    return send


def _cloud_event(message: Message) -> Mapping[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(message.id),
        "source": "urn:canhdich:notify",
        "type": "vn.canhdich.alert.notified.v1",
        "time": message.data["alerts"][0]["at"],
        "datacontenttype": "application/json",
        "data": {**message.data, "text": message.short, "sms": message.sms},
    }


def chat(address: str, message: Message) -> str | None:
    """Send the short text through Apprise: `zalo://token/chat_id` and all that Apprise knows."""
    # It brings a hundred services; only who uses it waits for that.
    import apprise

    receiver = apprise.Apprise()
    if not receiver.add(address):
        # The address itself is a secret.
        return "Apprise does not know such an address, e.g. zalo://TOKEN/CHAT_ID"
    with apprise.LogCapture(level=logging.WARNING) as said:  # type: ignore[no-untyped-call]
        is_accepted = receiver.notify(body=message.short, body_format=apprise.NotifyFormat.TEXT)
        reason = str(said.getvalue()).strip()
    return None if is_accepted else f"not accepted: {reason or 'no reason given'}"[:500]


def channels(server: MailServer, webhook_secret: str, client: httpx.Client) -> dict[Channel, Send]:
    """All ways out, by name."""
    return {"email": mailer(server), "webhook": webhook(webhook_secret, client), "chat": chat}
