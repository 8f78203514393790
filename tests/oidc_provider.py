"""A small OpenID Connect provider on this machine: discovery, keys, the code flow with PKCE, one user.

It really signs and really checks; what it says may be made wrong, one thing at a time, by its attributes.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID = "canhdich"
CLIENT_SECRET = "a secret of the tests"  # noqa: S105


class Provider:
    """What it knows, and what is wrong with it.

    Attributes:
        claims: Of the user, besides those that every token has.
        wrong: Claims of the ID token that are replaced; None takes one away.
        metadata: What of the discovery document is replaced.
        key: Signs; another one than `published` forges.
        published: Stands in the key set.
        is_down: Answers 503 only.
        redeemed: Codes that were exchanged.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.claims: dict[str, Any] = {"sub": "u-1", "preferred_username": "bs.lan", "name": "Bs. Lan"}
        self.wrong: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.published = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.key: RSAKey | OctKey = self.published
        self.algorithm = "RS256"
        self.is_down = False
        self.redeemed: list[str] = []
        self._waiting: dict[str, Mapping[str, str]] = {}

    def document(self) -> dict[str, Any]:
        """The discovery document."""
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
        } | self.metadata

    def authorize(self, asked: Mapping[str, str]) -> str:
        """The user agrees: where the browser goes on."""
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._waiting[code] = dict(asked)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: Mapping[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Exchange a code, once, for who the user is."""
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if authorization != f"Basic {expected}":
            return 401, {"error": "invalid_client"}
        asked = self._waiting.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form.get("redirect_uri")
        ):
            return 400, {"error": "invalid_grant"}
        self.redeemed.append(form["code"])
        now = int(time.time())
        claims = {
            "iss": self.address,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        }
        whole = {k: v for k, v in (claims | self.claims | self.wrong).items() if v is not None}
        header = {"alg": self.algorithm, "kid": "one"}
        signed = jwt.encode(header, whole, self.key, algorithms=[self.algorithm])
        return 200, {"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": signed}


@contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider at an address of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if provider.is_down:
                self.send_error(503)
            elif parts.path == "/.well-known/openid-configuration":
                self._json(200, provider.document())
            elif parts.path == "/jwks":
                self._json(200, {"keys": [provider.published.as_dict(private=False)]})
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            status, document = provider.token(form, self.headers.get("authorization", ""))
            self._json(status, document)

        def _json(self, status: int, document: Mapping[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider = Provider(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
