"""Where Kafka is and how a client proves who it is: the same for kafka-python, aiokafka and Faust."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]

MECHANISM: Final = "SCRAM-SHA-512"


@dataclass(frozen=True, slots=True)
class KafkaServers:
    """The brokers and this process's login.

    Attributes:
        bootstrap: host:port, separated by commas.
        protocol: Kafka's name of how the connection is protected.
        user: For SASL; else empty.
        password: Its password, never shown.
        ca_file: PEM file of the authority that signed the brokers' certificates; None for the system's.
    """

    bootstrap: str
    protocol: Protocol = "PLAINTEXT"
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None

    @classmethod
    def of(cls, servers: "KafkaServers | str") -> "KafkaServers":
        """A bare address is that of servers that ask for no login, on this machine."""
        return servers if isinstance(servers, KafkaServers) else cls(servers)

    @property
    def has_login(self) -> bool:
        """Whether the protocol is one with a user and a password."""
        return self.protocol.startswith("SASL_")

    def ssl_context(self) -> ssl.SSLContext | None:
        """For the protocols with TLS: certificates and host names are checked. None for the others.

        Raises:
            OSError: the file of the authority cannot be read, or is no certificate.
        """
        if not self.protocol.endswith("SSL"):
            return None
        return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)

    def client_options(self) -> dict[str, Any]:
        """What kafka-python's and aiokafka's clients take alike."""
        options: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": self.protocol}
        context = self.ssl_context()
        if context is not None:
            options["ssl_context"] = context
        if self.has_login:
            options |= {
                "sasl_mechanism": MECHANISM,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return options


Servers = KafkaServers | str
"""Kafka with a login, or the bare address of one that asks for none."""
