"""A store the size of the country, for everything that is measured on one."""

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.catalogue import load_catalogue
from services.demo.country import CASES, fill_country
from services.importing.populations import read_packaged
from streams.stores.catalogue import load
from streams.stores.database import connect, migrate
from streams.stores.populations import load_packaged
from streams.stores.rules import load_packaged_rules
from tests.bench.results import say
from tests.conftest import scratch_database


@contextmanager
def country(server_url: str, scale: float = 1.0) -> Iterator[str]:
    """Catalogue, rules, populations and ten years of counts in a scratch database; gives its URL.

    Args:
        server_url: The database from which others are made.
        scale: 1.0 is about five million cases.
    """
    with scratch_database(server_url) as database_url:
        migrate(database_url)
        with connect(database_url) as connection:
            catalogue = load_catalogue()
            load(connection, catalogue, "bench")
            load_packaged_rules(connection, catalogue, "bench")
            load_packaged(connection, *read_packaged(), "bench")
            say(f"filling a country of {CASES * scale:,.0f} cases ...")
            say(f"{fill_country(connection, scale=scale)}")
        yield database_url
