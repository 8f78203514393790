"""A relay from our webhook to an SMS gateway; a province adapts `gateway_request` to its gateway and runs it.

    CANHDICH_WEBHOOK_SECRET=... SMS_GATEWAY_URL=https://... SMS_TO=84912...,84913... python3 sms_relay.py 8090

Takes the CloudEvents of `channel: webhook` on this machine, checks their signature and age, and hands the
field `data.sms` on, once per message: at most 160 letters of the plain alphabet, so it is one text message on
every network. It answers 2xx only when the gateway has accepted, so what fails is sent again by the notifier.
"""

import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OLDEST_SECONDS = 300
REMEMBERED = 10_000


def gateway_request(url: str, to: list[str], text: str) -> urllib.request.Request:
    """What the gateway wants: change it to what yours says."""
    body = json.dumps({"to": to, "text": text}).encode()
    # The address is the operator's own.
    return urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310


def is_signed(secret: str, timestamp: str, body: bytes, signature: str, now: float) -> bool:
    """Whether a body is ours and not an old one."""
    if not timestamp.isdigit() or abs(now - int(timestamp)) > OLDEST_SECONDS:
        return False
    expected = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature, f"sha256={expected}")


def relay(port: int, secret: str, gateway: str, to: list[str]) -> ThreadingHTTPServer:
    """A server on 127.0.0.1 that hands messages on; call `serve_forever`."""
    accepted: dict[str, None] = {}

    class Relay(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            timestamp = self.headers.get("X-Canhdich-Timestamp", "")
            signature = self.headers.get("X-Canhdich-Signature", "")
            self.answer(self.status(body, timestamp, signature))

        def status(self, body: bytes, timestamp: str, signature: str) -> int:
            if not is_signed(secret, timestamp, body, signature, time.time()):
                return 401
            key = self.headers.get("Idempotency-Key", "")
            if key in accepted:
                return 204
            asked = gateway_request(gateway, to, json.loads(body)["data"]["sms"])
            try:
                with urllib.request.urlopen(asked, timeout=15):  # noqa: S310
                    pass
            except (urllib.error.URLError, TimeoutError):
                return 502
            accepted[key] = None
            if len(accepted) > REMEMBERED:
                del accepted[next(iter(accepted))]
            return 204

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return ThreadingHTTPServer(("127.0.0.1", port), Relay)


if __name__ == "__main__":
    relay(
        int(sys.argv[1]),
        os.environ["CANHDICH_WEBHOOK_SECRET"],
        os.environ["SMS_GATEWAY_URL"],
        os.environ["SMS_TO"].split(","),
    ).serve_forever()
