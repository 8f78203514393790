"""What a repair makes of a dead letter."""

import orjson
import pytest

from services.dead_letters import CannotRepair, repaired, value_of

RECORD = orjson.dumps({"id": "1", "data": {"area_code": "109", "ho_ten": "x", "lab": {"dengue": "pos"}}})


def test_fields_are_set_and_left_out() -> None:
    made = orjson.loads(
        repaired(
            RECORD, {"data.area_code": "03391", "data.lab.dengue": "positive"}, ["data.ho_ten", "data.none"]
        )
    )
    assert made == {"id": "1", "data": {"area_code": "03391", "lab": {"dengue": "positive"}}}


def test_a_new_id_is_one() -> None:
    made = orjson.loads(repaired(RECORD, {}, has_new_id=True))
    assert made["id"] != "1"


@pytest.mark.parametrize("record", [b"{", b"[]", b"3"])
def test_what_is_no_object_is_not_repaired(record: bytes) -> None:
    with pytest.raises(CannotRepair, match="no JSON"):
        repaired(record, {})


@pytest.mark.parametrize("path", ["nowhere.area_code", "id.x"])
def test_a_place_that_is_not_there(path: str) -> None:
    with pytest.raises(CannotRepair, match="no such place"):
        repaired(RECORD, {path: "x"})


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("data.area_code", "109", "109"),
        ("data.area_code", "03391", "03391"),
        ("data.age_years", "0.5", 0.5),
        ("data.age_years", "nửa", "nửa"),
        ("data.hospitalised", "true", True),
        ("data.lab", '{"dengue": "positive"}', {"dengue": "positive"}),
        ("subject", '"7"', "7"),
        ("data.hamlet", "{x", "{x"),
    ],
)
def test_what_was_typed_has_the_kind_of_its_field(path: str, text: str, value: object) -> None:
    assert value_of(path, text) == value
