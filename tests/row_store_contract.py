"""What every store of imported rows keeps to: the fake of the unit tests and the real table."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest

from services.importing.sender import RowStore
from streams.stores.imports import ImportRow

T = datetime(2024, 3, 1, 8, 30, 0, 123_456, tzinfo=UTC)


def row(subject: str, number: int = 1, is_new: bool = True) -> ImportRow:
    """A row of a case; `number` tells one from the next."""
    event = {
        "id": str(UUID(int=number)),
        "subject": subject,
        "data": {"hamlet": "bản Nà Hum", "age_years": 0.5},
    }
    content = {
        "fields": {"hamlet": "bản Nà Hum", "age_years": 34.0, "onset_on": None},
        "rows": [f"{number:016x}"],
    }
    return ImportRow(
        subject,
        content,
        UUID(int=number),
        T + timedelta(microseconds=number),
        orjson.dumps(event) if is_new else None,
    )


class RowStoreContract:
    """Subclass with a fixture `open_store` that opens a store of a source by its name."""

    @pytest.fixture
    def open_store(self) -> Callable[[str], RowStore]:
        raise NotImplementedError

    def test_knows_nothing_at_first(self, open_store: Callable[[str], RowStore]) -> None:
        store = open_store("/a")
        assert store.known(["LC-1", "LC-2"]) == {}
        assert store.unsent() == []

    def test_gives_back_what_was_saved_without_its_event(self, open_store: Callable[[str], RowStore]) -> None:
        store = open_store("/a")
        store.save([row("LC-1", 1), row("LC-2", 2)])
        known = store.known(["LC-1", "LC-3"])
        assert known == {"LC-1": row("LC-1", 1, is_new=False)}

    def test_a_row_is_unsent_until_it_is_marked(self, open_store: Callable[[str], RowStore]) -> None:
        store = open_store("/a")
        first, second = row("LC-1", 1), row("LC-2", 2)
        store.save([second, first])
        unsent = store.unsent()
        assert [r.subject for r in unsent] == ["LC-1", "LC-2"]
        assert [orjson.loads(r.event or b"") for r in unsent] == [
            orjson.loads(r.event or b"") for r in (first, second)
        ]
        assert [(r.event_id, r.event_time) for r in unsent] == [
            (r.event_id, r.event_time) for r in (first, second)
        ]
        store.mark_sent([first])
        assert [r.subject for r in store.unsent()] == ["LC-2"]

    def test_a_newer_row_takes_the_place_and_is_unsent_again(
        self, open_store: Callable[[str], RowStore]
    ) -> None:
        store = open_store("/a")
        store.save([row("LC-1", 1)])
        store.mark_sent([row("LC-1", 1)])
        store.save([row("LC-1", 2)])
        assert store.known(["LC-1"])["LC-1"].event_id == UUID(int=2)
        # The acknowledgement of the older event says nothing about the newer one.
        store.mark_sent([row("LC-1", 1)])
        assert [r.event_id for r in store.unsent()] == [UUID(int=2)]

    def test_content_alone_leaves_the_event_as_it_was(self, open_store: Callable[[str], RowStore]) -> None:
        store = open_store("/a")
        store.save([row("LC-1", 1), row("LC-2", 2)])
        store.mark_sent([row("LC-1", 1)])
        changed = ImportRow("LC-1", {"fields": {}, "rows": ["ff"]}, UUID(int=1), row("LC-1", 1).event_time)
        store.save([changed])
        assert store.known(["LC-1"])["LC-1"] == changed
        assert [r.subject for r in store.unsent()] == ["LC-2"]

    def test_sources_do_not_see_each_other(self, open_store: Callable[[str], RowStore]) -> None:
        one, other = open_store("/a"), open_store("/b")
        one.save([row("LC-1", 1)])
        assert other.known(["LC-1"]) == {}
        assert other.unsent() == []
        other.save([row("LC-1", 2)])
        assert one.known(["LC-1"])["LC-1"].event_id == UUID(int=1)
