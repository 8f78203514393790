"""No file of the repository holds a secret: keys, tokens, passwords in addresses and assignments."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parents[2]

_FORMS: Final = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "a key of age": re.compile(r"AGE-SECRET-KEY-1[0-9A-Z]{20,}"),
    "a token": re.compile(
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,}|glpat-[\w-]{20}|glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}"
        r"|xox[baprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|sk-[A-Za-z0-9]{32,}|\d{8,10}:AA[\w-]{33})\b"
    ),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+]*://[^\s:/@{}$<\"']+:([^\s:/@{}$<\"']{8,})@"),
    "a password": re.compile(
        r"(?i)\b[\w.-]*(?:password|passwd|secret|token|api_?key)[\w.-]*\s*[:=]\s*[\"']([^\s\"'{}$<]{12,})[\"']"
    ),
}
# Words, however long, are names and sentences; a secret has letters and digits mixed.
_RANDOM: Final = re.compile(r"(?=[^\s]*[a-z])(?=[^\s]*[A-Z])(?=[^\s]*\d)[A-Za-z0-9_+/=-]{12,}|[0-9a-f]{24,}")
_SKIPPED: Final = (".png", ".docx", ".xlsx", ".woff2", ".lock", ".ico", ".gz")
# Vectors of published algorithms, marked where they stand.
_MARK: Final = "not a secret"


def secrets_in(text: str) -> Iterator[tuple[int, str]]:
    """Line and kind of everything that looks like a secret."""
    for number, line in enumerate(text.splitlines(), 1):
        if _MARK in line:
            continue
        for kind, form in _FORMS.items():
            for match in form.finditer(line):
                if match.lastindex is None or _RANDOM.fullmatch(match[match.lastindex]):
                    yield number, kind


def files() -> list[Path]:
    """What is, or would be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is no checkout of git")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name and not name.endswith(_SKIPPED)]
    return [path for path in paths if path.is_file()]


def test_no_file_holds_a_secret() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {kind}"
        for path in files()
        for number, kind in secrets_in(path.read_text("utf-8", errors="replace"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("-----BEGIN " + "RSA PRIVATE KEY-----", "a private key"),
        ("-----BEGIN " + "PRIVATE KEY-----", "a private key"),
        ("AGE-SECRET-" + "KEY-1QQQQQQQQQQQQQQQQQQQQQQQQ", "a key of age"),
        ("token: ghp_" + "a1B2" * 9, "a token"),
        ("DATABASE_URL=postgresql://canhdich:" + "h7Kq2mZp9Lw4@db:5432/canhdich", "a password in an address"),
        ('CANHDICH_SMTP_PASSWORD = "' + 'h7Kq2mZp9Lw4"', "a password"),
        ("api_key: '" + "0123456789abcdef01234567'", "a password"),
    ],
)
def test_a_secret_is_found(line: str, kind: str) -> None:
    assert (2, kind) in list(secrets_in(f"nothing\n{line}\n"))


@pytest.mark.parametrize(
    "line",
    [
        "postgresql://user:password@host:port/database",
        "postgresql://canhdich:${PASSWORD_OF_THE_DATABASE_1a}@db/canhdich",
        'password = "a-long-sentence-of-words"',
        'secret = "{generated1Secret2Here3}"',
        'PASSWORD = "h7Kq2mZp9Lw4"  # not a secret: of a vector',
    ],
)
def test_what_is_no_secret_is_left(line: str) -> None:
    assert list(secrets_in(line)) == []
