"""Where the intake is reached, and whom it believes about where a request comes from."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import Scope

from services.settings import Settings
from streams.domain.errors import ConfigurationError

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UNKNOWN_ADDRESS: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Site:
    """The intake's place in the network.

    Attributes:
        origin: https origin under which staff reach it; None: this machine only.
        proxies: Whose X-Forwarded-For is believed.
    """

    origin: str | None
    proxies: tuple[_Network, ...]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """From the settings.

        Raises:
            ConfigurationError: public_url is no https origin, proxy_addresses no list of networks, or
                intake_host leaves this machine without a public_url.
        """
        origin = None
        if settings.public_url:
            parts = urlsplit(settings.public_url)
            if parts.scheme != "https" or not parts.hostname or parts.path.strip("/") or parts.query:
                raise ConfigurationError(
                    f"CANHDICH_PUBLIC_URL {settings.public_url}: it must be an https origin, such as "
                    "https://canhdich.laichau.gov.vn: passwords do not travel in the clear, and the pages "
                    "stand at the top of their host."
                )
            origin = f"https://{parts.netloc.lower()}".removesuffix(":443")
        elif not is_loopback(settings.intake_host):
            raise ConfigurationError(
                f"The intake does not listen on {settings.intake_host}: that needs CANHDICH_PUBLIC_URL, the "
                "https origin of the reverse proxy in front of it. Set it, or leave CANHDICH_INTAKE_HOST out "
                "(127.0.0.1)."
            )
        try:
            proxies = tuple(
                ipaddress.ip_network(text.strip())
                for text in settings.proxy_addresses.split(",")
                if text.strip()
            )
        except ValueError as error:
            raise ConfigurationError(f"CANHDICH_PROXY_ADDRESSES: {error}.") from error
        return cls(origin, proxies)

    @property
    def is_public(self) -> bool:
        """Whether others than programs of this machine may come."""
        return self.origin is not None

    def origin_of(self, scope: Scope) -> str:
        """The origin that a page of ours has, as browsers name it."""
        return self.origin or f"http://{host_of(scope) or ''}"

    def address_of(self, scope: Scope) -> str:
        """The address of whoever asks: the last one that no proxy of ours has."""
        client = scope.get("client")
        address = client[0] if client else UNKNOWN_ADDRESS
        forwarded = HTTPConnection(scope).headers.getlist("x-forwarded-for")
        chain = [part.strip() for line in forwarded for part in line.split(",")]
        while chain and self._is_proxy(address):
            address = chain.pop()
        return address[:64]

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.proxies)

    def takes_host(self, scope: Scope) -> bool:
        """Whether the Host header is ours: else a page of another site could have its name point here."""
        host = host_of(scope)
        if host is None:
            return False
        if self.origin is not None:
            return f"https://{host}".removesuffix(":443") == self.origin
        name, colon, port = host.rpartition(":")
        return is_loopback(name if colon and port.isdigit() else host)

    def lets_in(self, scope: Scope) -> bool:
        """Whether a request may come at all.

        Behind a proxy the Host must be ours, but for what a name that points here cannot abuse: a key is
        no cookie, and how we are is no secret.
        """
        if not self.is_public:
            client = scope.get("client")
            return client is not None and is_loopback(client[0]) and self.takes_host(scope)
        path = scope["path"]
        return (
            self.takes_host(scope)
            or path.startswith("/health/")
            or (path == "/metrics" and is_from_this_machine(scope))
            or "authorization" in HTTPConnection(scope).headers
        )


def host_of(scope: Scope) -> str | None:
    """The Host header in lower case; None where there is none, or more than one."""
    hosts = HTTPConnection(scope).headers.getlist("host")
    return hosts[0].lower() if len(hosts) == 1 else None


def is_from_this_machine(scope: Scope) -> bool:
    """Whether a request was made on this machine and not handed on by a proxy on it."""
    client = scope.get("client")
    headers: Mapping[str, str] = HTTPConnection(scope).headers
    return client is not None and is_loopback(client[0]) and "x-forwarded-for" not in headers


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and nothing else: a loopback address, or the name localhost.

    >>> is_loopback("127.0.0.1"), is_loopback("[::1]"), is_loopback("0.0.0.0"), is_loopback("intake.example")
    (True, True, False, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return address.is_loopback
