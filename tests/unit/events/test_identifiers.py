"""What looks like a person's identifier is found; what a register generates, and places, are let be."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.identifiers import find_identifier, find_identifier_cached

PLACES = (
    """
bản Nà Hum|Tổ dân phố Nguyễn Thị Minh Khai|Tổ 5|Khu 2|Pa Tần|Tổ Văn Lâm 3|phường Nguyễn Thị Minh Khai
phố Hoàng Văn Thụ|Vàng Ma Chải|Vàng Pheo|Giàng Chu Phìn|Lùng Thàng|Sìn Hồ|Nguyễn Trãi|Trần Hưng Đạo
Thị trấn Than Uyên|thị trấn Tam Đường, tổ 9|bản Thẳm A|Sùng Phài|Tả Lèng 2|Hồng Thu Mán|đội 4 nông trường
bản Hua Bum - Nậm Hàng|Tổ 7 thị trấn Mường Tè|xã Lê Văn Thịnh|ấp Văn A|Bản Ma A|A Mú Sung|Can Hồ A
Bản Seo Lèng 1|to 5 van phong|ban van chan 2|Km 12+500 QL4D|trường tiểu học Lê Văn Tám|đường Võ Thị Sáu
""".strip()
    .replace("\n", "|")
    .split("|")
)

CODES = (
    """
CASE-000000001|LC-2023-000123|2023-12-000456|0000000001|000000001|03190-00012|03412-0012|202307040001
12-2023-00045|/facilities/LC-TYT-03190|LC-TYT-03190|109|urn:uuid:0190b1f6-6e2a-7c3e-9a58-091234567811|case-0912
muscarin|độ 2a|2023|20230704|OD-2023-007|0319-000012|a3f0912345678b0c|sha256-0912345678abcdef
""".strip()
    .replace("\n", "|")
    .split("|")
)

PERSONS = {
    "phone": """
0912345678|0912 345 678|0912.345.678|0912-345-678|0912/345/678|091 2345 678|0912 345678|+84912345678
+84 912 345 678|84912345678|0084912345678|0213 3876 543|02133876543|(0213) 3876543|LC-0912345678
gọi 0912 345 678 nhé|0912345678 (mẹ)|０９１２３４５６７８|٠٩١٢٣٤٥٦٧٨|01632345678
sdt+84912345678|0912‑345‑678|0912–345–678
""",
    "identity_number": """
123456789|045123456|045 123 456|012099000123|012 099 000 123|0120-9900-0123|LC_012099001234|CCCD 012099001234
""",
    "email": "a.b@c.vn|lovanpang@tytxa.gov.vn|gửi a@b.com",
    "name": """
Nguyễn Văn A|Lò Thị Ín|Giàng A Súa|LO VAN PANG|Lo Van Pang|Tẩn Seo Chẻo|ông Lò Văn Pâng|BN Nguyễn Thị Hoa
nhà ông Lò Văn Pâng, bản Nà Hum|Nguyễn Thị Minh Khai|NGUYEN-VAN-A|Nguyen.Van.A|Sùng A Chu, 34 tuổi
cháu Vàng A Páo sn 2019|lò văn pâng|/nguoi/lo-van-pang|Hoàng Văn Thụ|Trần Đình Long
đám cưới nhà bà Vàng Thị Mỷ tại bản
""",
}
IDENTIFIERS = [
    (kind, text) for kind, texts in PERSONS.items() for text in texts.strip().replace("\n", "|").split("|")
]


@pytest.mark.parametrize("text", PLACES + CODES)
def test_places_and_codes_name_nobody(text: str) -> None:
    assert find_identifier(text) is None


@pytest.mark.parametrize(("kind", "text"), IDENTIFIERS)
def test_an_identifier_is_found(kind: str, text: str) -> None:
    assert find_identifier(text) == kind


@given(st.integers(0, 10**9))
def test_padded_serial_numbers_name_nobody(number: int) -> None:
    assert find_identifier(f"CASE-{number:09d}") is None
    assert find_identifier(f"{min(number, 99_999_999):010d}") is None


@given(st.uuids(), st.binary(min_size=16, max_size=32))
def test_uuids_and_digests_name_nobody(identity: uuid.UUID, digest: bytes) -> None:
    assert find_identifier(str(identity)) is None
    assert find_identifier(f"urn:uuid:{identity}") is None
    assert find_identifier(digest.hex()) is None


@given(st.sampled_from("35789"), st.integers(0, 10**8 - 1), st.sampled_from(["", "LC-", "bản ", "x_"]))
def test_every_mobile_number_is_found_alone_and_within(lead: str, rest: int, before: str) -> None:
    assert find_identifier(f"{before}0{lead}{rest:08d}") == "phone"


@given(st.integers(1, 96), st.integers(0, 10**9 - 1))
def test_every_citizen_number_is_found(province: int, rest: int) -> None:
    assert find_identifier(f"{province:03d}{rest:09d}") == "identity_number"


@given(st.text())
def test_any_text_gets_an_answer_and_the_cache_the_same(text: str) -> None:
    assert find_identifier_cached(text) == find_identifier(text)
