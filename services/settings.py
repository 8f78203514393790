"""Every setting of the system, in one class; the table in docs/settings.md is generated from it."""

import os
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from streams.domain.errors import ConfigurationError
from streams.kafka_servers import KafkaServers, Protocol

NATIVE_ENV = Path(".native") / "env"


class Settings(BaseSettings):
    """Read from the environment, else from the `.native/env` of a running native stack.

    Names in the environment have the prefix CANHDICH_, but for the two addresses.
    """

    model_config = SettingsConfigDict(env_prefix="CANHDICH_", extra="ignore", populate_by_name=True)

    kafka_bootstrap: str = Field(
        validation_alias="KAFKA_BOOTSTRAP",
        pattern=r"^[^\s,]+:\d+(,[^\s,]+:\d+)*$",
        description="Kafka's brokers, host:port, separated by commas.",
    )
    kafka_protocol: Protocol = Field(
        "PLAINTEXT", description="How connections to Kafka are protected; `PLAINTEXT` on this machine only."
    )
    kafka_user: str = Field("", description="User at Kafka (SCRAM-SHA-512), for the protocols with SASL.")
    kafka_password: SecretStr = Field(SecretStr(""), description="Its password.")
    kafka_ca_file: str = Field(
        "",
        description="PEM file of the authority that signed the brokers' certificates; empty: the system's.",
    )
    database_url: SecretStr = Field(
        validation_alias="DATABASE_URL",
        description="TimescaleDB, postgresql://user:password@host:port/database; TLS by "
        "`?sslmode=verify-full&sslrootcert=/path`.",
    )
    admin_database_url: SecretStr = Field(
        SecretStr(""),
        description="The same database as the server's superuser, for `canhdich restore` alone; empty: that "
        "of the native stack.",
    )
    backup_directory: str = Field(
        "", description="Where `canhdich backup` puts backups; empty: `backups` in the data directory."
    )
    backup_age_hours: float = Field(
        26, gt=0, le=8_760, description="After so many hours without a backup it is an alarm."
    )
    topic_prefix: str = Field(
        "", pattern=r"^[a-z0-9-]{0,40}$", description="Put before every topic's name; for tests side by side."
    )
    batch_records: int = Field(5_000, ge=1, le=50_000, description="Most records folded in one transaction.")
    batch_seconds: float = Field(
        0.1, gt=0, le=10, description="Longest wait for a batch to fill, in seconds."
    )
    workers: int = Field(
        1,
        ge=1,
        le=12,
        description="How many workers `canhdich up` starts, where it is not told by `--workers`; at most the "
        "partitions of `case-events`.",
    )
    session_timeout_seconds: float = Field(
        45,
        ge=6,
        le=300,
        description="After this long without a heartbeat Kafka gives a worker's partitions away.",
    )
    metrics_host: str = Field(
        "127.0.0.1",
        description="Address on which the Prometheus pages below listen; 0.0.0.0 in a network of containers.",
    )
    intake_metrics_port: int = Field(
        0,
        ge=0,
        le=65_535,
        description="Port of the intake's Prometheus page beside its own /metrics; 0 for none.",
    )
    worker_metrics_port: int = Field(
        0, ge=0, le=65_535, description="Port of a worker's Prometheus page; 0 for none."
    )
    monitor_metrics_port: int = Field(
        0, ge=0, le=65_535, description="Port of the monitor's Prometheus page; 0 for none."
    )
    audit_seconds: float = Field(
        60, ge=1, le=3_600, description="From one round of the continuous audit to the next, in seconds."
    )
    audit_sweep_hours: float = Field(
        6, gt=0, le=168, description="Within how many hours the continuous audit looks at everything once."
    )
    canary_seconds: float = Field(
        300, ge=0, le=86_400, description="From one canary event to the next, in seconds; 0 for none."
    )
    quality_seconds: float = Field(
        900,
        ge=1,
        le=86_400,
        description="From one computing of the figures of reporting quality to the next, in seconds.",
    )
    restarts: int = Field(
        0, ge=0, description="How often this process was started again; the supervisor sets it."
    )
    smtp_host: str = Field("", description="Mail server for alerts; empty: no e-mail can be sent.")
    smtp_port: int = Field(587, ge=1, le=65_535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection is encrypted; `none` only on this machine."
    )
    smtp_user: str = Field("", description="Account at the mail server; empty: none.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Its password.")
    mail_from: str = Field("canhdich@localhost", description="Sender of the alert mails.")
    webhook_secret: SecretStr = Field(
        SecretStr(""), description="Key of the HMAC-SHA256 signature of webhooks; empty: none can be sent."
    )
    alert_link: str = Field(
        "http://127.0.0.1:8080/alerts",
        pattern=r"^https?://",
        description="Where messages send their readers; an alert's id is put behind it.",
    )
    heartbeat_url: SecretStr = Field(
        SecretStr(""),
        description="Outside watchdog that is called while the whole chain is alive; empty: none.",
    )
    heartbeat_seconds: float = Field(60, ge=1, le=3_600, description="From one call to the next, in seconds.")
    grafana_url: str = Field(
        "", pattern=r"^(https?://\S+)?$", description="Grafana, for `canhdich dashboards`; empty: none."
    )
    grafana_token: SecretStr = Field(
        SecretStr(""), description="Token of a Grafana service account with the role Admin."
    )
    grafana_password: SecretStr = Field(
        SecretStr(""),
        description="Password of the boards' login canhdich_grafana, set by `migrate`; empty: left as it is.",
    )
    grafana_wide_password: SecretStr = Field(
        SecretStr(""),
        description="The same of canhdich_grafana_wide, which sees suppressed counts only.",
    )
    intake_port: int = Field(8080, ge=1, le=65_535, description="Port of the intake.")
    intake_host: str = Field(
        "127.0.0.1",
        description="Address on which the intake listens; any but this machine's own needs a public_url.",
    )
    installation: str = Field(
        "",
        pattern=r"^[A-Za-z0-9-]{0,64}$",
        description="What the intake answers in /health/ready, so that `canhdich up`, which makes it, knows "
        "its own services from others.",
    )
    public_url: str = Field(
        "",
        pattern=r"^(https://[^\s/]+/?)?$",
        description="The https origin under which staff reach the intake through a reverse proxy; empty: "
        "only this machine, whose programs need no key.",
    )
    proxy_addresses: str = Field(
        "127.0.0.1,::1",
        description="Addresses or networks of reverse proxies, separated by commas, whose X-Forwarded-For is "
        "believed.",
    )
    oidc_issuer: str = Field(
        "",
        pattern=r"^(https://\S+|http://(127\.0\.0\.1|localhost)(:\d+)?(/\S*)?)?$",
        description="OpenID Connect provider at which staff sign in; empty: by password only.",
    )
    oidc_client_id: str = Field("", description="What the intake is called there.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Its secret there; empty: none.")
    oidc_name: str = Field("OpenID Connect", description="What the sign-in page calls the provider.")
    oidc_scopes: str = Field("", description="What is asked for; empty: openid profile email.")
    oidc_username_claim: str = Field(
        "preferred_username",
        description="Claim by which an account made here is found the first time; empty: none is.",
    )
    oidc_role_claim: str = Field(
        "", description="Claim whose values give roles; empty: accounts and their rights are made here."
    )
    oidc_roles: dict[str, str] = Field(
        {}, description='Value of that claim -> role, the first that fits: {"cdc-dich-te": "epidemiologist"}.'
    )
    oidc_facility_claim: str = Field("", description="Claim with the facility; empty: as set here.")
    oidc_area_claim: str = Field("", description="Claim with the codes of areas; empty: as set here.")
    session_idle_minutes: int = Field(
        60, ge=5, le=1_440, description="After so many minutes without a request one has to sign in again."
    )
    session_hours: int = Field(
        12, ge=1, le=72, description="After so many hours one has to sign in again in any case."
    )
    intake_url: str = Field(
        "",
        pattern=r"^(https?://[^\s/]+)?$",
        description="Where the monitor's canary finds the intake; empty: its port on this machine.",
    )
    intake_key: SecretStr = Field(
        SecretStr(""), description="The monitor's API key at the intake; empty: it sends none."
    )
    data_directory: Path = Field(
        Path(".native"), description="Where workers and the intake keep logs, process ids and Faust's files."
    )

    @model_validator(mode="after")
    def _login_is_whole(self) -> "Settings":
        if self.kafka_protocol.startswith("SASL_") and not (
            self.kafka_user and self.kafka_password.get_secret_value()
        ):
            raise ValueError(
                f"CANHDICH_KAFKA_PROTOCOL is {self.kafka_protocol}: CANHDICH_KAFKA_USER and "
                "CANHDICH_KAFKA_PASSWORD (or CANHDICH_KAFKA_PASSWORD_FILE) must be set"
            )
        return self

    @property
    def backup_folder(self) -> Path:
        """Where backups are put."""
        return Path(self.backup_directory) if self.backup_directory else self.data_directory / "backups"

    @property
    def kafka(self) -> KafkaServers:
        """Kafka's address with this process's login."""
        return KafkaServers(
            self.kafka_bootstrap,
            self.kafka_protocol,
            self.kafka_user,
            self.kafka_password.get_secret_value(),
            Path(self.kafka_ca_file) if self.kafka_ca_file else None,
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then files that it names for secrets, then the native stack's file."""
        return init_settings, env_settings, SecretFiles(settings_cls), dotenv_settings


class SecretFiles(PydanticBaseSettingsSource):
    """Secrets from files: where `NAME` is a secret, `NAME_FILE` may name a file that holds it."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The content of a secret's file without surrounding white space; None where no file is named."""
        prefix = str(self.config.get("env_prefix", ""))
        variable = str(field.validation_alias or (prefix + field_name).upper())
        path = os.environ.get(f"{variable}_FILE") if field.annotation is SecretStr else None
        if not path:
            return None, variable, False
        try:
            secret = Path(path).read_text("utf-8").strip()
        except OSError as error:
            raise ConfigurationError(
                f"{variable}_FILE names {path}, which cannot be read: {error.strerror}"
            ) from error
        if field.is_required() and not secret:
            raise ConfigurationError(f"{variable}_FILE names {path}, which is empty")
        return secret, variable, False

    def __call__(self) -> dict[str, Any]:
        """The secrets that have files, under the names by which the settings take them."""
        found = {}
        for name, field in self.settings_cls.model_fields.items():
            value, variable, _ = self.get_field_value(field, name)
            if value is not None:
                found[variable if field.validation_alias else name] = value
        return found


def find_native_env(start: Path | None = None) -> Path | None:
    """The `.native/env` of this folder or the nearest one above it."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        candidate = folder / NATIVE_ENV
        if candidate.is_file():
            return candidate
    return None


def load_settings(**overrides: Any) -> Settings:
    """The settings in force; environment variables win over `.native/env`.

    Raises:
        ConfigurationError: an address is missing or a value is out of bounds; says which and what to do.
    """
    native = find_native_env()
    try:
        return Settings(_env_file=native, _env_file_encoding="utf-8", **overrides)
    except ValidationError as error:
        faults = "; ".join(
            f"{fault['loc'][0]}: {fault['msg']}" if fault["loc"] else fault["msg"] for fault in error.errors()
        )
        raise ConfigurationError(
            f"Settings: {faults}. Run `make up` in the repository, or set KAFKA_BOOTSTRAP and DATABASE_URL."
        ) from error


@cache
def settings() -> Settings:
    """The settings in force, read once per process."""
    return load_settings()
