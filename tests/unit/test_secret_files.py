"""Secrets from files, and Kafka's login: whole, or refused with a sentence."""

from pathlib import Path

import pytest

from services.settings import load_settings
from streams.domain.errors import ConfigurationError
from streams.kafka_servers import KafkaServers


@pytest.fixture(autouse=True)
def addresses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two addresses, and no file of a native stack nearby."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "broker:9093")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@nowhere/nothing")


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from the file\n")
    monkeypatch.setenv("CANHDICH_SMTP_PASSWORD_FILE", str(tmp_path / "password"))
    assert load_settings().smtp_password.get_secret_value() == "from the file"
    monkeypatch.setenv("CANHDICH_SMTP_PASSWORD", "from the environment")
    assert load_settings().smtp_password.get_secret_value() == "from the environment"


def test_an_address_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://somebody@somewhere/something")
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    assert load_settings().database_url.get_secret_value() == "postgresql://somebody@somewhere/something"


def test_a_file_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANHDICH_KAFKA_PASSWORD_FILE", "/run/secrets/none")
    with pytest.raises(ConfigurationError, match="CANHDICH_KAFKA_PASSWORD_FILE names /run/secrets/"):
        load_settings()


def test_a_file_that_must_say_something_and_is_empty_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty").write_text("\n")
    monkeypatch.setenv("CANHDICH_HEARTBEAT_URL_FILE", str(tmp_path / "empty"))
    assert load_settings().heartbeat_url.get_secret_value() == ""
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "empty"))
    with pytest.raises(ConfigurationError, match=r"DATABASE_URL_FILE names .*, which is empty$"):
        load_settings()


def test_what_is_no_secret_is_not_read_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "user").write_text("somebody")
    monkeypatch.setenv("CANHDICH_SMTP_USER_FILE", str(tmp_path / "user"))
    assert load_settings().smtp_user == ""


@pytest.mark.parametrize("missing", ["CANHDICH_KAFKA_USER", "CANHDICH_KAFKA_PASSWORD"])
def test_half_a_login_is_refused(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setenv("CANHDICH_KAFKA_PROTOCOL", "SASL_PLAINTEXT")
    monkeypatch.setenv("CANHDICH_KAFKA_USER", "canhdich-worker")
    monkeypatch.setenv("CANHDICH_KAFKA_PASSWORD", "secret")
    assert load_settings().kafka.client_options() == {
        "bootstrap_servers": "broker:9093",
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "canhdich-worker",
        "sasl_plain_password": "secret",
    }
    monkeypatch.delenv(missing)
    with pytest.raises(ConfigurationError, match="CANHDICH_KAFKA_USER and CANHDICH_KAFKA_PASSWORD"):
        load_settings()


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(KafkaServers("broker:9093", "SASL_SSL", "user", "secret"))
    assert KafkaServers.of("broker:9092").client_options() == {
        "bootstrap_servers": "broker:9092",
        "security_protocol": "PLAINTEXT",
    }
