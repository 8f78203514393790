"""Where this machine gets its Debian packages from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from deploy.native.errors import NativeError

RELEASE = "trixie"
_RELEASES = frozenset(
    {"bullseye", "bookworm", "trixie", "forky", "duke", "sid"}
    | {"oldoldstable", "oldstable", "stable", "testing", "unstable"}
)
_SCHEMES = frozenset({"http", "https", "ftp", "file", "copy"})


def archives_of_list(text: str) -> Iterator[str]:
    """Read the Debian archives of a one-line-style `sources.list`.

    Args:
        text: The file's content.

    Yields:
        The address of each line that gives component `main` of a Debian release.

    >>> list(archives_of_list("deb [arch=amd64] http://mirror.example/debian bookworm main contrib"))
    ['http://mirror.example/debian']
    """
    for raw in text.splitlines():
        line = raw.partition("#")[0].strip()
        match = re.fullmatch(r"deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(\S.*)", line)
        if match and match[2] in _RELEASES and "main" in match[3].split():
            yield match[1]


def archives_of_deb822(text: str) -> Iterator[str]:
    """Read the Debian archives of a deb822-style `.sources` file.

    Args:
        text: The file's content.

    Yields:
        The addresses of each enabled stanza that gives component `main` of a Debian release.
    """
    for stanza in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace():
                fields[name] = fields.get(name, "") + " " + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if (
            "deb" in fields.get("types", "").split()
            and fields.get("enabled", "yes").lower() not in {"no", "false", "0"}
            and _RELEASES & set(fields.get("suites", "").split())
            and "main" in fields.get("components", "").split()
        ):
            yield from fields.get("uris", "").split()


def _usable(address: str) -> Iterator[str]:
    """Follow apt's lists of mirrors (`mirror+file:`); drop what mmdebstrap cannot use."""
    parts = urlsplit(address)
    if parts.scheme == "mirror+file":
        lines = Path(parts.path).read_text().splitlines() if Path(parts.path).is_file() else []
        for line in lines:
            if line.strip() and not line.startswith("#"):
                yield from _usable(line.split()[0])
    elif parts.scheme in _SCHEMES and parts.path and not parts.path.rstrip("/").endswith("-security"):
        yield address


def find_mirror(apt: Path = Path("/etc/apt")) -> str:
    """Find the Debian archive this machine already uses.

    Args:
        apt: apt's settings folder.

    Returns:
        `DEBIAN_MIRROR` where that is set; else the first archive in apt's sources that gives `main` of a
        Debian release, one whose path says `debian` before any other.

    Raises:
        NativeError: DEBIAN_MIRROR is not an address, or apt's sources name no Debian archive.
    """
    given = os.environ.get("DEBIAN_MIRROR", "").strip()
    if given:
        if not list(_usable(given)):
            raise NativeError(
                f"DEBIAN_MIRROR={given} is not the address of a Debian archive. Give one like http://HOST/debian."
            )
        return given
    found: list[str] = []
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    for file in files:
        if file.suffix == ".list" and file.is_file():
            found += archives_of_list(file.read_text(errors="replace"))
        elif file.suffix == ".sources" and file.is_file():
            found += archives_of_deb822(file.read_text(errors="replace"))
    usable = [usable for address in found for usable in _usable(address)]
    if not usable:
        raise NativeError(
            f"No Debian archive found in {apt}/sources.list and {apt}/sources.list.d. Set DEBIAN_MIRROR to "
            "the address of one (http://HOST/debian), or DATABASE_URL to a TimescaleDB that runs already."
        )
    return sorted(usable, key=lambda address: "debian" not in urlsplit(address).path.split("/"))[0]
