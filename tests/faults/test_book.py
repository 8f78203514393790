"""The suite's own account of what was sent, and of what that must become."""

import json
import random
from collections.abc import Iterator
from datetime import date

from schemas.catalogue import Catalogue
from tests.builders import START, event, minutes
from tests.faults.book import CONFLICT, Book, Chunk, Mixture, identity
from tests.faults.expected import CountKey, expected

SIZES = (400, 300, 50)


def written(catalogue: Catalogue, seed: int) -> tuple[Book, list[list[Chunk]]]:
    book = Book(catalogue, random.Random(seed), 12, 40)
    return book, list(book.chapters(SIZES))


def test_a_seed_writes_the_same_book_again(published_catalogue: Catalogue) -> None:
    book, chapters = written(published_catalogue, 1)
    again, same = written(published_catalogue, 1)
    assert (book.events, book.dead, chapters) == (again.events, again.dead, same)
    assert book.events != written(published_catalogue, 2)[0].events


def test_every_event_is_sent_and_some_again_in_other_words(published_catalogue: Catalogue) -> None:
    book, chapters = written(published_catalogue, 1)
    values = [item.value for chapter in chapters for chunk in chapter for item in chunk]
    assert {*book.events, *book.dead} <= {*values}
    again = [value for value in values if value is not None and value not in book.dead]
    assert len(again) > len(book.events), "some twice"
    reworded = [json.loads(value) for value in again if value not in set(book.events)]
    identities = {identity(raw) for raw in book.events}
    assert reworded
    assert {(event["subject"], event["id"].lower()) for event in reworded} <= identities


def test_a_contradiction_is_sent_after_what_it_contradicts_is_acknowledged(
    published_catalogue: Catalogue,
) -> None:
    book, chapters = written(published_catalogue, 1)
    known: set[tuple[str, str]] = set()
    contradictions = 0
    for chunk in (chunk for chapter in chapters for chunk in chapter):
        for item in chunk:
            if book.dead.get(item.value) == CONFLICT:
                assert item.value is not None
                assert identity(item.value) in known
                contradictions += 1
        known |= set(_identities(book, chunk))
    assert contradictions == sum(error == CONFLICT for error in book.dead.values()) > 5
    assert contradictions == len(book.conflicts) == book.written["same identity, other content"]
    assert all(identity(sent) == identity(standing) for sent, standing in book.conflicts.items())


def test_a_book_holds_no_more_than_it_is_told(published_catalogue: Catalogue) -> None:
    mixture = Mixture(repeated=0, reworded=0, conflicting=0, poisoned=0.01, parked=0)
    book = Book(published_catalogue, random.Random(1), 12, 40, mixture=mixture)
    (chapter,) = book.chapters([1_000])
    values = [item.value for chunk in chapter for item in chunk]
    assert len(book.events) == 1_000
    assert len(values) == 1_010
    assert {*values} == {*book.events, *book.dead}


def _identities(book: Book, chunk: Chunk) -> Iterator[tuple[str, str]]:
    for item in chunk:
        if item.value is not None and item.value not in book.dead:
            subject, event_id = identity(item.value)
            yield subject, event_id.lower()


REPORTED = event("LC-1", 1)
CONFIRMED = event("LC-1", 2, "updated", START + minutes(1), classification="confirmed")
MOVED = event("LC-1", 3, "updated", START + minutes(2), area_code="03549")


def test_each_event_has_the_ledger_rows_of_its_own_difference(published_catalogue: Catalogue) -> None:
    found = expected([REPORTED, CONFIRMED], published_catalogue)
    onset = CountKey("dengue", "03412@start", "onset", date(2023, 7, 1), "", "")
    rows = {(row.event_id[-1], row.amounts) for row in found.ledger if row.key == onset}
    assert rows == {
        ("1", frozenset({("notified", 1), ("suspected", 1)})),
        ("2", frozenset({("suspected", -1), ("confirmed", 1)})),
    }
    assert found.counts[onset] == frozenset({("notified", 1), ("confirmed", 1)})


def test_the_ledger_depends_on_the_order_of_arrival_and_the_counts_do_not(
    published_catalogue: Catalogue,
) -> None:
    orders = [[REPORTED, CONFIRMED, MOVED], [MOVED, CONFIRMED, REPORTED], [CONFIRMED, REPORTED, MOVED]]
    first, *others = [expected(order, published_catalogue) for order in orders]
    for other in others:
        assert other.counts == first.counts
        assert other.ledger != first.ledger


def test_a_case_whose_report_is_under_way_stands_on_the_day_of_its_first_event(
    published_catalogue: Catalogue,
) -> None:
    assert expected([MOVED, CONFIRMED], published_catalogue).counts == {}
    disease = event("LC-1", 4, "updated", START + minutes(2_000), disease="dengue")
    found = expected([disease, MOVED], published_catalogue)
    assert {(key.basis, key.day) for key in found.counts} == {
        ("onset", START.date()),
        ("report", START.date()),
    }
