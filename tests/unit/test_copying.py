"""Text for COPY: what a value holds must never be read as a sign of the format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.stores.copying import array_literal, escaped


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("bản Nà Hum", "bản Nà Hum"),
        ("a\tb", r"a\tb"),
        ("a\nb\rc", r"a\nb\rc"),
        ("a\\b", r"a\\b"),
        (r"\N", r"\\N"),
        (r"\.", r"\\."),
    ],
)
def test_escaped(value: str, text: str) -> None:
    assert escaped(value) == text


@given(st.text())
def test_an_escaped_value_holds_no_sign_of_the_format(value: str) -> None:
    text = escaped(value)
    assert not set("\t\n\r") & set(text)
    assert text != r"\N"


def test_array_literal() -> None:
    assert array_literal([]) == "{}"
    assert array_literal(["measles=measles", "null"]) == '{"measles=measles","null"}'
