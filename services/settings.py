"""Every setting of the system, in one class; the table in docs/settings.md is generated from it."""

from functools import cache
from pathlib import Path
from typing import Any

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
    batch_records: int = Field(2_000, ge=1, le=50_000, description="Most records folded in one transaction.")
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
