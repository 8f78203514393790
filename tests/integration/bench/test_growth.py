"""What `make bench` stores before it measures is what the fold would have left."""

import pytest

from schemas.catalogue import Catalogue
from streams.stores.audit import audit
from streams.stores.database import connect
from streams.stores.rebuild import rebuild
from tests.bench.growth import fill

pytestmark = pytest.mark.native

CASES = 3_000


def test_filled_tables_agree_with_each_other_and_with_a_fold(
    fresh_database_url: str, published_catalogue: Catalogue
) -> None:
    fill(fresh_database_url, "case-events", published_catalogue, CASES)
    with connect(fresh_database_url) as connection:
        found = audit(connection)
        identities = connection.execute("select count(*) from event_ids").fetchone()
        folded = connection.execute("select sum(next_offset)::int from stream_offsets").fetchone()
    assert (found.events, found.cases, found.parked) == (CASES, CASES, 0)
    assert found.is_clean
    assert identities == folded == (CASES,)
    done = rebuild(fresh_database_url)
    assert done.is_identical, done.differences


def test_filled_tables_that_do_not_agree_are_noticed(
    fresh_database_url: str, published_catalogue: Catalogue
) -> None:
    fill(fresh_database_url, "case-events", published_catalogue, 50)
    with connect(fresh_database_url) as connection:
        connection.execute("update cases set counted_flags = 1 where subject = 'GROW-000000007'")
        assert not audit(connection).is_clean
