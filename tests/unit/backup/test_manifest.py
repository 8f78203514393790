"""A backup that is not as its manifest says is refused, whatever is wrong with it."""

import gzip
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from services.backup.files import opened, written
from services.backup.manifest import DUMP, NAME, Manifest, Numbers, TopicEntry, file_entry
from services.backup.run import backups_in, check, forget_old
from services.backup.topics import Digest, Stored, records_of
from streams.domain.errors import RefusedAction

MADE_AT = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
RECORDS = (
    Stored(0, 0, 1_700_000_000_000, b"LC-1", b'{"a": 1}', ()),
    Stored(1, 0, 1_700_000_000_001, b"LC-2", "ổ dịch".encode(), (("error", b"x"),)),
    Stored(0, 1, 1_700_000_000_002, None, None, ()),
)


def made(folder: Path, made_at: datetime = MADE_AT) -> Path:
    """A whole backup of three records and a dump of eleven bytes."""
    backup = folder / f"canhdich-{made_at:%Y-%m-%dT%H%M%SZ}"
    backup.mkdir()
    digest = Digest()
    with (
        written(backup / "case-events.ndjson.gz", None) as out,
        gzip.GzipFile(fileobj=out, mode="wb") as lines,
    ):
        for record in RECORDS:
            lines.write(record.line())
            digest.add(record)
    with written(backup / DUMP, None) as out:
        out.write(b"PGDMP stuff")
    topic = TopicEntry(
        name="case-events",
        topic_id=UUID(int=1),
        partitions=2,
        first={0: 0, 1: 0},
        next={0: 2, 1: 1},
        records=len(RECORDS),
        digest=digest.text(),
    )
    manifest = Manifest(
        made_at=made_at,
        program="0.1.0",
        postgres="17.6",
        timescaledb="2.19.3",
        schema_version="0019.backups",
        owner="canhdich",
        positions={"case-events": {0: 2, 1: 1}},
        numbers=Numbers(case_events=2, report_events=0, cases=2),
        topic_prefix="",
        topics=[topic],
        encrypted_by=None,
        files=[file_entry(path) for path in sorted(backup.iterdir())],
    )
    (backup / NAME).write_text(manifest.model_dump_json())
    return backup


def silent(_: str) -> None: ...


def test_a_whole_one_is_accepted(tmp_path: Path) -> None:
    assert check(made(tmp_path), None, silent).made_at == MADE_AT


def _cut(backup: Path) -> None:
    path = backup / DUMP
    path.write_bytes(path.read_bytes()[:-1])


def _flip(backup: Path) -> None:
    path = backup / DUMP
    content = bytearray(path.read_bytes())
    content[4] ^= 1
    path.write_bytes(content)


def _swap_record(backup: Path) -> None:
    """Another record, and a manifest that knows the file: what only the records' own digest finds."""
    path = backup / "case-events.ndjson.gz"
    path.write_bytes(gzip.compress(b"".join(record.line() for record in RECORDS[:2])))
    manifest = Manifest.model_validate_json((backup / NAME).read_bytes())
    files = [file_entry(backup / file.name) for file in manifest.files]
    (backup / NAME).write_text(manifest.model_copy(update={"files": files}).model_dump_json())


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda backup: (backup / DUMP).unlink(), "database.dump is missing"),
        (_cut, "database.dump has 10 bytes, not 11"),
        (_flip, "database.dump has another content"),
        (lambda backup: (backup / NAME).unlink(), "is no whole backup"),
        (lambda backup: (backup / NAME).write_text("{}"), "is damaged: 12 fault"),
        (lambda backup: (backup / NAME).write_text('{"form": 2'), "is damaged: 1 fault"),
        (_swap_record, "The copy of case-events is not what the manifest says"),
    ],
)
def test_a_damaged_or_incomplete_one_is_refused(
    tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    backup = made(tmp_path)
    damage(backup)
    with pytest.raises(RefusedAction, match=message):
        check(backup, None, silent)


def test_a_copy_that_ends_too_early_is_refused() -> None:
    packed = gzip.compress(b"".join(record.line() for record in RECORDS))
    assert list(records_of(io.BytesIO(packed))) == list(RECORDS)
    with pytest.raises(RefusedAction, match="damaged"):
        list(records_of(io.BytesIO(packed[:-9])))
    with pytest.raises(RefusedAction, match="damaged"):
        list(records_of(io.BytesIO(gzip.compress(b'{"p": 1}\n'))))


def test_the_digest_is_of_each_partition_in_its_order() -> None:
    def digest_of(*records: Stored) -> str:
        digest = Digest()
        for record in records:
            digest.add(record)
        return digest.text()

    one, two, three = RECORDS
    assert digest_of(one, two, three) == digest_of(two, one, three) == digest_of(one, three, two)
    assert digest_of(one, two, three) != digest_of(three, two, one)
    later = Stored(one.partition, one.offset, one.at_ms + 1, one.key, one.value, one.headers)
    assert digest_of(one) != digest_of(later)


def test_old_ones_are_forgotten_and_what_is_not_whole_is_left(tmp_path: Path) -> None:
    kept = made(tmp_path)
    # Another one of the same day.
    old = made(tmp_path, MADE_AT.replace(hour=4))
    half = tmp_path / "canhdich-2026-11-22T010000Z.part"
    half.mkdir()
    foreign = tmp_path / "canhdich-notes"
    foreign.mkdir()

    assert forget_old(tmp_path) == [old]
    assert sorted(tmp_path.iterdir()) == sorted([kept, half, foreign])
    assert list(backups_in(tmp_path)) == [kept]


def test_nobody_else_may_read_a_file(tmp_path: Path) -> None:
    with written(tmp_path / "file", None) as out:
        out.write(b"x")
    assert (tmp_path / "file").stat().st_mode & 0o077 == 0
    with opened(tmp_path / "file", None, None) as file:
        assert file.read() == b"x"
