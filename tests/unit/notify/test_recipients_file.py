"""The operator's file of recipients: what is wrong is said, and where."""

from pathlib import Path

import pytest

from services.notify.recipients_file import read_recipients
from streams.domain.errors import ConfigurationError
from streams.domain.recipients import Recipient
from streams.domain.rules.verdicts import Level

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "recipients.yaml"


def read(text: str) -> list[Recipient]:
    codes = {"12": ["12@2025-07-01"]}
    return read_recipients(text, "nguoi-nhan.yaml", {"dengue"}, lambda code: codes.get(code, []))


def test_the_example_of_the_docs() -> None:
    health, chat, webhook = read(EXAMPLE.read_text("utf-8"))
    assert health.area_ids == {"12@2025-07-01"}
    assert (health.least_level, health.language) == (Level.ALERT, "vi")
    assert health.document()["quiet_from"] == "22:00"
    assert chat.address == "env:ZALO_URL"
    assert webhook.area_ids is None


def row(**changes: str) -> str:
    fields = {"id": "a", "name": "A", "channel": "email", "address": "a@b.example", **changes}
    return "recipients:\n- " + "\n  ".join(f"{name}: {value}" for name, value in fields.items())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recipients: [", "is not YAML"),
        ("people: []", "people: Extra inputs"),
        (row(id="Sở Y tế"), r"recipients\.0\.id"),
        (row(channel="sms"), r"recipients\.0\.channel"),
        (row(address="nobody"), "an e-mail address has an @"),
        (row(channel="webhook", address="ftp://x"), r"a webhook is an http\(s\) URL"),
        (row(channel="chat", address="zalo://t0ken/1"), "env:VARIABLE"),
        (row(areas="['99']"), "a: areas: no area has the code 99"),
        (row(areas="[12]"), r"areas\.0"),
        (row(diseases="[flu]"), "a: diseases: flu is not in the catalogue"),
        (row(least_level="loud"), r"least_level"),
        (row(quiet_hours="{from: '25:00', to: '06:00'}"), r"quiet_hours\.from"),
        (row(digest_at="'7'"), "digest_at"),
        (row() + row().removeprefix("recipients:"), "the id a stands there twice"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as refused:
        read(text)
    assert str(refused.value).startswith("nguoi-nhan.yaml")
    assert "t0ken" not in str(refused.value)
