"""What a backup holds, written beside it; a backup without it, or not as it says, is refused."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from streams.domain.errors import RefusedAction

NAME: Final = "manifest.json"
DUMP: Final = "database.dump"
_BLOCK: Final = 1 << 20


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileEntry(_Part):
    """One file as it was written."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")]
    bytes: Annotated[int, Field(gt=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Numbers(_Part):
    """How many rows the database had."""

    case_events: int
    report_events: int
    cases: int


class TopicEntry(_Part):
    """One topic: its records from `first` to before `next`, by partition.

    Attributes:
        name: Without prefix.
        topic_id: Kafka's own.
        partitions: How many.
        first: The first offset that was there.
        next: One after the last.
        records: How many were copied.
        digest: SHA-256 over every record's content, partition by partition (`topics.Digest`).
    """

    name: str
    topic_id: UUID
    partitions: int
    first: dict[int, int]
    next: dict[int, int]
    records: int
    digest: str


class Manifest(_Part):
    """A whole backup.

    Attributes:
        form: Of this file.
        made_at: When the view of the database was taken; every topic goes further.
        program: Version of this program.
        postgres: Version of the server.
        timescaledb: Version of its extension; a restore needs the same.
        schema_version: The newest migration.
        owner: The tables' owner.
        positions: Topic (full name) → partition → the offset that was to be folded next.
        numbers: How many rows the database had.
        topic_prefix: Before the topics' names.
        topics: The event topics.
        encrypted_by: The program that decrypts the files; None: they are not encrypted.
        files: All but this one.
    """

    form: Literal[1] = 1
    made_at: datetime
    program: str
    postgres: str
    timescaledb: str
    schema_version: str
    owner: str
    positions: dict[str, dict[int, int]]
    numbers: Numbers
    topic_prefix: str
    topics: list[TopicEntry]
    encrypted_by: Literal["age", "gpg"] | None
    files: list[FileEntry]

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(file.bytes for file in self.files)


def file_entry(path: Path) -> FileEntry:
    """A file as it stands on the disk."""
    return FileEntry(name=path.name, bytes=path.stat().st_size, sha256=_sha256(path))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        RefusedAction: there is none, or it is not in order.
    """
    try:
        return Manifest.model_validate_json((folder / NAME).read_bytes())
    except OSError as error:
        raise RefusedAction(
            f"{folder} is no whole backup: its {NAME} cannot be read ({error.strerror}). A backup that was "
            "interrupted has none; take another one."
        ) from error
    except ValidationError as error:
        raise RefusedAction(
            f"{folder / NAME} is damaged: {error.error_count()} fault(s), the first: "
            f"{'.'.join(map(str, error.errors()[0]['loc']))} {error.errors()[0]['msg']}. Take another backup."
        ) from error


def check_files(folder: Path, manifest: Manifest) -> None:
    """Compare every file with the manifest.

    Raises:
        RefusedAction: one is missing, of another size, or of other content.
    """
    faults = list(_faults(folder, manifest.files))
    if faults:
        raise RefusedAction(f"The backup {folder} is damaged: {'; '.join(faults)}. Take another backup.")


def _faults(folder: Path, files: Iterable[FileEntry]) -> Iterable[str]:
    for file in files:
        path = folder / file.name
        if not path.is_file():
            yield f"{file.name} is missing"
        elif path.stat().st_size != file.bytes:
            yield f"{file.name} has {path.stat().st_size:,} bytes, not {file.bytes:,}"
        elif _sha256(path) != file.sha256:
            yield f"{file.name} has another content than it was written with"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
