"""Every setting of the system, in one class; the table in docs/settings.md is generated from it."""

from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.domain.errors import ConfigurationError

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
    database_url: SecretStr = Field(
        validation_alias="DATABASE_URL",
        description="TimescaleDB, postgresql://user:password@host:port/database.",
    )
    topic_prefix: str = Field(
        "", pattern=r"^[a-z0-9-]{0,40}$", description="Put before every topic's name; for tests side by side."
    )
    batch_records: int = Field(5_000, ge=1, le=50_000, description="Most records folded in one transaction.")
    batch_seconds: float = Field(
        0.1, gt=0, le=10, description="Longest wait for a batch to fill, in seconds."
    )
    session_timeout_seconds: float = Field(
        45,
        ge=6,
        le=300,
        description="After this long without a heartbeat Kafka gives a worker's partitions away.",
    )
    worker_metrics_port: int = Field(
        0, ge=0, le=65_535, description="Port on 127.0.0.1 of a worker's Prometheus page; 0 for none."
    )
    monitor_metrics_port: int = Field(
        0, ge=0, le=65_535, description="Port on 127.0.0.1 of the monitor's Prometheus page; 0 for none."
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
    intake_port: int = Field(8080, ge=1, le=65_535, description="Port of the intake on 127.0.0.1.")
    data_directory: Path = Field(
        Path(".native"), description="Where workers and the intake keep logs, process ids and Faust's files."
    )


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
        faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        raise ConfigurationError(
            f"Settings: {faults}. Run `make up` in the repository, or set KAFKA_BOOTSTRAP and DATABASE_URL."
        ) from error


@cache
def settings() -> Settings:
    """The settings in force, read once per process."""
    return load_settings()
