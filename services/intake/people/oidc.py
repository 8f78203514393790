"""Single sign-on: the code flow of OpenID Connect with PKCE, by Authlib. All of it blocks."""

import base64
import hmac
from dataclasses import dataclass
from typing import Any, Final

import orjson
import requests
import structlog
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.integrations.base_client.sync_app import OAuth2Mixin  # type: ignore[import-untyped]
from authlib.integrations.base_client.sync_openid import OpenIDMixin  # type: ignore[import-untyped]
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]
from joserfc.errors import JoseError

from services.intake.people.single_sign_on import Claims, SignOnFailed, Started
from services.settings import Settings

_SCOPES: Final = "openid profile email"
_SECONDS: Final = 10
_LEEWAY_SECONDS: Final = 30
# Signed with the provider's own private key; a shared secret, or none, proves nothing.
_ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"}
)

log = structlog.get_logger(__name__)


class _Client(OpenIDMixin, OAuth2Mixin):  # type: ignore[misc]
    client_cls = OAuth2Session


@dataclass(frozen=True, slots=True)
class _Round:
    """What one attempt has to end with; kept in the browser's own cookie meanwhile."""

    state: str
    nonce: str
    verifier: str
    back: str


class OpenIdProvider:
    """Implements the SignOn port of single_sign_on.py for the provider of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.oidc_issuer.rstrip("/")
        self._client_id = settings.oidc_client_id
        self._client = _Client(
            None,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret.get_secret_value() or None,
            server_metadata_url=f"{self._issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": settings.oidc_scopes or _SCOPES,
                "code_challenge_method": "S256",
                "default_timeout": _SECONDS,
            },
        )

    def start(self, redirect: str, back: str) -> Started:
        """Where to send the browser, and the cookie that it brings back.

        Raises:
            SignOnFailed: the provider does not answer, or is not the one of the settings.
        """
        try:
            self._check_metadata()
            made = self._client.create_authorization_url(redirect)
        except _FAULTS as error:
            raise _failed("start", error) from error
        kept = _Round(made["state"], made["nonce"], made["code_verifier"], back)
        return Started(str(made["url"]), base64.urlsafe_b64encode(orjson.dumps(kept)).decode())

    def finish(self, redirect: str, cookie: str, state: str, code: str) -> Claims:
        """Who has come back.

        Args:
            redirect: The address that they came back to, as at the start.
            cookie: As made at the start.
            state: As the provider sent it along.
            code: To be exchanged for the claims.

        Raises:
            SignOnFailed: another round's answer, or claims that are not for us, not from the provider, of
                another round, or too old.
        """
        try:
            kept = _Round(**orjson.loads(base64.urlsafe_b64decode(cookie)))
            if not hmac.compare_digest(kept.state.encode(), state.encode()):
                raise ValueError("the state is another one")
            self._check_metadata()
            token = self._client.fetch_access_token(redirect, code=code, code_verifier=kept.verifier)
            claims: dict[str, Any] | None = self._client.parse_id_token(
                token,
                kept.nonce,
                {
                    "iss": {"essential": True, "value": self._client.server_metadata["issuer"]},
                    "aud": {"essential": True, "value": self._client_id},
                    "nonce": {"essential": True, "value": kept.nonce},
                },
                leeway=_LEEWAY_SECONDS,
            )
            if not claims:
                raise ValueError("there is no ID token")
            return Claims(str(claims["sub"]), dict(claims), kept.back)
        except _FAULTS as error:
            raise _failed("finish", error) from error

    def _check_metadata(self) -> None:
        metadata = self._client.load_server_metadata()
        if str(metadata.get("issuer", "")).rstrip("/") != self._issuer:
            metadata.pop("_loaded_at", None)
            raise ValueError("the issuer is another one")
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        usable = sorted(_ALGORITHMS.intersection(offered))
        if not usable:
            metadata.pop("_loaded_at", None)
            raise ValueError("the provider signs with nothing that proves anything")
        metadata["id_token_signing_alg_values_supported"] = usable


_FAULTS: Final = (
    AuthlibBaseError,
    JoseError,
    requests.RequestException,
    ValueError,
    KeyError,
    TypeError,
    RuntimeError,
)


def _failed(step: str, error: Exception) -> SignOnFailed:
    # Messages of these errors may hold tokens.
    log.warning("single_sign_on_failed", step=step, error=type(error).__name__)
    return SignOnFailed()
