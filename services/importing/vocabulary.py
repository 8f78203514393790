"""What line lists call their columns and values, beside the names of the contract.

Compared by `normalise` (capitals, composed letters, the place of the tone mark and punctuation do not
matter), then without accents where that can mean one thing only.
"""

from collections.abc import Iterable, Mapping

from schemas.catalogue.matching import normalise, unaccented
from schemas.events.case_fields import CaseFields
from schemas.events.fields import FIELDS

CASE_ID = "case_id"
EVENT_ID = "event_id"
EVENT_TIME = "event_time"
LAB = "lab"
EXTERNAL_IDS = "external_ids"

DATA_FIELDS: tuple[str, ...] = ("disease", "area_code", *CaseFields.__annotations__)
"""The data fields of a case, as the contract names them."""

HEADER_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    CASE_ID: ("mã ca bệnh", "mã ca", "mã số ca bệnh"),
    EVENT_ID: ("mã sự kiện", "mã bản ghi"),
    EVENT_TIME: ("thời điểm ghi nhận", "thời gian ghi nhận"),
    "disease": ("bệnh", "tên bệnh", "mã bệnh"),
    "area_code": ("mã địa bàn", "mã xã", "mã huyện", "mã tỉnh", "địa bàn"),
    "area_on": ("mã địa bàn tính theo ngày",),
    "hamlet": ("thôn", "bản", "tổ", "thôn bản", "thôn bản tổ"),
    "onset_on": ("ngày khởi phát", "ngày mắc"),
    "admitted_on": ("ngày nhập viện", "ngày vào viện"),
    "sampled_on": ("ngày lấy mẫu",),
    "diagnosed_at": ("ngày chẩn đoán", "ngày giờ chẩn đoán"),
    "reported_on": ("ngày báo cáo",),
    "discharged_on": ("ngày ra viện", "ngày xuất viện"),
    "died_at": ("ngày tử vong", "ngày giờ tử vong"),
    "classification": ("phân loại", "phân loại chẩn đoán", "phân loại ca bệnh"),
    "test_type": ("loại xét nghiệm",),
    "outcome": ("tình trạng hiện nay", "kết quả điều trị"),
    "death_due_to": ("nguyên nhân tử vong",),
    "origin": ("nguồn lây", "nguồn gốc ca bệnh"),
    "origin_area_code": ("mã địa bàn nơi nhiễm",),
    "sex": ("giới", "giới tính"),
    "age_years": ("tuổi",),
    "hospitalised": ("nằm viện",),
    "severity": ("phân độ", "phân độ bệnh"),
    "vaccination": ("tiêm chủng", "tình trạng tiêm chủng"),
    "doses": ("số mũi", "số mũi tiêm", "số lần tiêm, uống"),
    "occupation": ("mã nghề nghiệp",),
    "institution_code": ("mã nơi làm việc, học tập",),
    "reporting_facility": ("mã đơn vị báo cáo",),
    "treating_facility": ("mã cơ sở điều trị",),
    "cluster": ("ổ dịch", "chùm ca bệnh"),
}

VALUE_SYNONYMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "classification": {
        "suspected": ("nghi mắc", "ca bệnh nghi ngờ", "lâm sàng", "lâm sàng (nghi ngờ)"),
        "probable": ("ca bệnh có thể",),
        "confirmed": (
            "ca bệnh xác định",
            "xác định phòng xét nghiệm",
            "xác định PTN",
            "xác định PXN",
            "xác định phòng thí nghiệm",
        ),
        "discarded": ("loại bỏ", "đã loại trừ"),
    },
    LAB: {
        "pending": ("chờ kết quả", "đang chờ", "đang chờ kết quả"),
        "positive": ("dương",),
        "negative": ("âm",),
        "inconclusive": ("không xác định", "không rõ", "nghi ngờ"),
        "not_tested": ("không làm xét nghiệm",),
    },
    "test_type": {
        "rapid": ("xét nghiệm nhanh", "NS1"),
        "serology": ("huyết thanh học", "ELISA", "MAC-ELISA"),
        "pcr": ("RT-PCR", "realtime PCR", "real-time PCR", "realtime RT-PCR"),
        "culture": ("phân lập", "phân lập vi rút"),
        "microscopy": ("kính hiển vi", "soi"),
    },
    "outcome": {
        "in_care": ("còn điều trị", "điều trị nội trú", "điều trị ngoại trú", "nội trú", "ngoại trú"),
        "recovered": ("khỏi", "khỏi bệnh", "ra viện", "xuất viện"),
        "transferred": ("chuyển tuyến",),
        "dead": ("chết",),
        "unknown": ("khác", "tình trạng khác"),
    },
    "origin": {"local": ("nội tại", "nội địa"), "imported": ("xâm nhập", "ngoại nhập")},
    "sex": {"male": ("m",), "female": ("f",)},
    "vaccination": {"yes": ("có tiêm", "đã tiêm"), "no": ("không tiêm", "chưa tiêm")},
}

SIGNS: Mapping[str, Mapping[str, str]] = {
    LAB: {"+": "positive", "(+)": "positive", "(-)": "negative", "(–)": "negative"}
}
"""Values of signs alone, of which nothing is left for a comparison of words. A bare dash says nothing."""

TRUE = frozenset({"true", "yes", "có", "1", "x"})
FALSE = frozenset({"false", "no", "không", "0"})

TOTAL_WORDS = tuple(
    normalise(word) for word in ("tổng cộng", "tổng số", "cộng", "tổng", "total", "grand total")
)


def _keys(meanings: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Every key that means one value only, with its accents and without."""
    found: dict[str, set[str]] = {}
    exact: dict[str, str] = {}
    for value, texts in meanings.items():
        for text in texts:
            key = normalise(text)
            if exact.setdefault(key, value) != value:
                raise ValueError(f"{text!r} means both {exact[key]} and {value}")
            found.setdefault(unaccented(key), set()).add(value)
    plain = {key: values.pop() for key, values in found.items() if len(values) == 1}
    return {**plain, **exact}


HEADERS: Mapping[str, str] = _keys(
    {name: (name, *HEADER_SYNONYMS.get(name, ())) for name in (CASE_ID, EVENT_ID, EVENT_TIME, *DATA_FIELDS)}
)
"""Key of a column's name → field."""

CHOICES: Mapping[str, Mapping[str, str]] = {
    name: _keys(
        {
            value: (value, meaning, *VALUE_SYNONYMS.get(name, {}).get(value, ()))
            for value, meaning in (FIELDS[name].values or {}).items()
        }
    )
    for name in DATA_FIELDS
    if FIELDS[name].values
}
"""Enumeration → key of a text → value. `lab` holds the results of every agent."""


def is_total(text: str) -> bool:
    """Whether a row that begins so is a sum.

    >>> is_total("TỔNG CỘNG: 15 ca"), is_total("Tổng hợp"), is_total("Cộng")
    (True, False, True)
    """
    # Most rows begin with a number or a code.
    if text.isascii() and "total" not in text.casefold():
        return False
    words = normalise(text)
    return (
        any(words == total or words.startswith(total + " ") for total in TOTAL_WORDS[:2])
        or words in TOTAL_WORDS
    )
