from __future__ import annotations

from pathlib import Path

import pytest

from deploy.native.debian import archives_of_deb822, archives_of_list, find_mirror
from deploy.native.errors import NativeError

DEB822 = """\
Types: deb
# a comment between the fields
URIs: http://one.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://one.example/debian-security
Suites: bookworm-security
Components: main
"""


@pytest.fixture(autouse=True)
def _no_mirror_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEBIAN_MIRROR", raising=False)


@pytest.mark.parametrize(
    "line",
    [
        "deb http://one.example/debian bookworm main",
        "deb http://one.example/debian trixie main contrib # ours",
        "  deb   [signed-by=/k.gpg arch=amd64]  http://one.example/debian  stable  contrib main",
    ],
)
def test_a_line_of_a_debian_release_gives_its_archive(line: str) -> None:
    assert list(archives_of_list(line)) == ["http://one.example/debian"]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# deb http://one.example/debian bookworm main",
        "deb-src http://one.example/debian bookworm main",
        "deb http://one.example/debian bookworm",
        "deb http://one.example/debian bookworm contrib",
        "deb http://one.example/debian nodistro main",
        "deb http://one.example/debian cloud-sdk-bookworm main",
        "deb [arch=amd64 http://one.example/debian bookworm main",
        "debian http://one.example/debian bookworm main",
    ],
)
def test_any_other_line_gives_none(line: str) -> None:
    assert list(archives_of_list(line)) == []


def test_stanzas_give_the_archives_of_releases_only() -> None:
    assert list(archives_of_deb822(DEB822)) == ["http://one.example/debian"]


def test_values_on_further_lines_are_read() -> None:
    text = DEB822.replace("URIs: ", "URIs:\n http://two.example/debian\n ", 1)
    assert list(archives_of_deb822(text)) == ["http://two.example/debian", "http://one.example/debian"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Types: deb\n", "Types: deb-src\n"),
        ("Types: deb\n", "Types: deb\nEnabled: no\n"),
        ("Suites: bookworm bookworm-updates", "Suites: nodistro"),
        ("Components: main", "Components: stable"),
        ("URIs: ", "Uri: "),
        ("Suites: ", "Suites "),
    ],
)
def test_a_stanza_that_is_off_or_of_something_else_gives_none(old: str, new: str) -> None:
    assert list(archives_of_deb822(DEB822.replace(old, new, 1))) == []


def _apt(folder: Path, **files: str) -> Path:
    (folder / "sources.list.d").mkdir()
    for name, text in files.items():
        (folder / "sources.list.d" / name.replace("_", ".")).write_text(text)
    return folder


def test_an_archive_named_debian_comes_before_any_other(tmp_path: Path) -> None:
    apt = _apt(
        tmp_path,
        a_list="deb https://tools.example/apt bookworm main\n",
        b_sources=DEB822,
    )
    assert find_mirror(apt) == "http://one.example/debian"


def test_the_security_archive_alone_is_no_archive(tmp_path: Path) -> None:
    apt = _apt(tmp_path, a_list="deb http://one.example/debian-security bookworm main\n")
    with pytest.raises(NativeError, match="DEBIAN_MIRROR"):
        find_mirror(apt)


def test_a_file_with_another_ending_is_not_read(tmp_path: Path) -> None:
    apt = _apt(tmp_path, a_save="deb http://one.example/debian bookworm main\n")
    with pytest.raises(NativeError, match="No Debian archive found"):
        find_mirror(apt)


def test_a_list_of_mirrors_is_followed(tmp_path: Path) -> None:
    mirrors = tmp_path / "mirrors"
    mirrors.write_text("# nearest first\nhttp://near.example/debian\tpriority:1\nhttp://far.example/debian\n")
    apt = _apt(tmp_path, a_list=f"deb mirror+file:{mirrors} bookworm main\n")
    assert find_mirror(apt) == "http://near.example/debian"


def test_the_given_mirror_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBIAN_MIRROR", "https://mine.example/mirror/debian/")
    assert find_mirror(_apt(tmp_path, b_sources=DEB822)) == "https://mine.example/mirror/debian/"


@pytest.mark.parametrize("given", ["mine.example/debian", "cdrom:[Debian]/", "http://mine.example"])
def test_a_given_mirror_that_is_no_address_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBIAN_MIRROR", given)
    with pytest.raises(NativeError, match="is not the address of a Debian archive"):
        find_mirror()
