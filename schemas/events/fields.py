"""What each field is called in Vietnamese and in English, what its values mean, and how they are judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal, get_args

from schemas.events.case_fields import (
    Classification,
    DeathDueTo,
    LabResult,
    Origin,
    Outcome,
    Sex,
    TestType,
    Vaccination,
)
from schemas.events.case_retracted import RetractionReason
from schemas.events.focus_reported import FocusKind
from schemas.events.tally_reported import TallyFlow, TallyStock


class Kind(IntEnum):
    """How a value is judged after its type, and so what it becomes."""

    FREE = 1  # text in which a personal identifier may stand
    DATE = 2  # text → date, not after today
    PERIOD_END = 3  # text → date, not much after today
    DATE_OR_INSTANT = 4  # text → date, or datetime in UTC
    NUMBER = 5  # → float
    WHOLE = 6  # → int
    LAB = 7  # object whose keys are codes
    EXTERNAL_IDS = 8  # object whose values are text


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field's names for messages, forms and documents.

    Attributes:
        label_vi: As staff call it.
        label_en: The same in English.
        expected_vi: Words that end the sentence "… must be", in Vietnamese.
        expected_en: The same in English.
        kind: How its value is judged, None where its type says everything.
        values: Of an enumeration: each value and its meaning in Vietnamese.
    """

    label_vi: str
    label_en: str
    expected_vi: str
    expected_en: str
    kind: Kind | None = None
    values: Mapping[str, str] | None = None


CLASSIFICATION_VI = {
    "suspected": "nghi ngờ",
    "probable": "có thể",
    "confirmed": "xác định",
    "discarded": "loại trừ",
}
LAB_RESULT_VI = {
    "pending": "chưa có kết quả",
    "positive": "dương tính",
    "negative": "âm tính",
    "inconclusive": "không kết luận được",
    "not_tested": "không xét nghiệm",
}
TEST_TYPE_VI = {
    "rapid": "test nhanh",
    "serology": "huyết thanh",
    "pcr": "PCR",
    "culture": "nuôi cấy",
    "microscopy": "soi kính hiển vi",
    "other": "khác",
}
OUTCOME_VI = {
    "unknown": "không rõ",
    "in_care": "đang điều trị",
    "recovered": "khỏi, ra viện",
    "transferred": "chuyển viện",
    "dead": "tử vong",
}
DEATH_DUE_TO_VI = {"this_disease": "do bệnh này", "other": "do nguyên nhân khác", "unknown": "không rõ"}
ORIGIN_VI = {"unknown": "không rõ", "local": "tại chỗ", "imported": "ngoại lai"}
SEX_VI = {"male": "nam", "female": "nữ", "unknown": "không rõ"}
VACCINATION_VI = {"yes": "có", "no": "không", "unknown": "không rõ"}
RETRACTION_REASON_VI = {"entered_in_error": "nhập nhầm", "duplicate": "trùng với ca khác"}
FOCUS_KIND_VI = {"outbreak": "ổ dịch", "food_poisoning": "ngộ độc thực phẩm"}
INDICATOR_VI = {
    "cases": "số mắc",
    "deaths": "số tử vong",
    "hospitalised": "số nhập viện",
    "pep_started": "số người bắt đầu tiêm phòng dại sau phơi nhiễm",
    "slides_examined": "số lam xét nghiệm",
    "treatment_doses": "số liều điều trị",
    "persons_examined": "số người được khám",
    "isolated_total": "tổng số người đã cách ly",
    "isolated_done": "số người hết cách ly",
    "isolated_done_f1": "số F1 hết cách ly",
    "isolated_done_f2": "số F2 hết cách ly",
    "isolated_done_f3": "số F3 hết cách ly",
    "patients_new": "số bệnh nhân mới",
    "isolated_now": "số người đang cách ly",
    "isolated_now_facility": "đang cách ly tại cơ sở y tế",
    "isolated_now_centre": "đang cách ly tập trung",
    "isolated_now_home": "đang cách ly tại nhà",
    "patients_managed": "số bệnh nhân đang quản lý",
}


def _choice(label_vi: str, label_en: str, literal: Any, meanings: Mapping[str, str]) -> FieldInfo:
    values = {value: meanings[value] for value in get_args(literal)}
    return FieldInfo(
        label_vi,
        label_en,
        "một trong: " + ", ".join(f"{value} ({meaning})" for value, meaning in values.items()),
        "one of: " + ", ".join(values),
        values=values,
    )


def _date(label_vi: str, label_en: str, kind: Kind = Kind.DATE) -> FieldInfo:
    return FieldInfo(
        label_vi,
        label_en,
        "ngày có thật, viết năm-tháng-ngày, ví dụ 2023-07-04",
        "a date of the calendar, written year-month-day, such as 2023-07-04",
        kind,
    )


def _date_or_instant(label_vi: str, label_en: str) -> FieldInfo:
    return FieldInfo(
        label_vi,
        label_en,
        "ngày (2023-07-04) hoặc ngày giờ có múi giờ (2023-07-04T08:12:00+07:00)",
        "a date (2023-07-04) or a date and time with its offset (2023-07-04T08:12:00+07:00)",
        Kind.DATE_OR_INSTANT,
    )


def _text(label_vi: str, label_en: str, longest: int) -> FieldInfo:
    return FieldInfo(
        label_vi,
        label_en,
        f"chữ, từ 1 đến {longest} ký tự (muốn bỏ trống thì gửi null)",
        f"text of 1 to {longest} characters (to empty it, send null)",
        Kind.FREE,
    )


def _code(label_vi: str, label_en: str) -> FieldInfo:
    return FieldInfo(
        label_vi,
        label_en,
        "mã gồm 1 đến 64 ký tự A-Z a-z 0-9 . _ / - (không dấu, không khoảng trắng)",
        "a code of 1 to 64 of the characters A-Z a-z 0-9 . _ / - (no accents, no spaces)",
        Kind.FREE,
    )


def _persons(label_vi: str, label_en: str) -> FieldInfo:
    return FieldInfo(
        label_vi,
        label_en,
        "số nguyên từ 0 đến 10000000 (chưa biết thì gửi null)",
        "a whole number from 0 to 10000000 (null where nobody knows)",
        Kind.WHOLE,
    )


_AREA_VI = (
    'mã hành chính viết dạng chữ, giữ số 0 ở đầu: 5 số (xã), 3 số (huyện) hoặc 2 số (tỉnh), ví dụ "03190"'
)
_AREA_EN = (
    "an official code as text with its zeros: 5 digits (commune), 3 (district) or 2 (province), "
    'such as "03190"'
)
_DISEASE_VI = "mã bệnh trong danh mục (chữ thường a-z, số, dấu _), ví dụ dengue"
_DISEASE_EN = "a code of the disease catalogue (a-z, 0-9, _), such as dengue"

ATTRIBUTES: Mapping[str, FieldInfo] = {
    "specversion": FieldInfo("Phiên bản CloudEvents", "CloudEvents version", '"1.0"', '"1.0"'),
    "id": FieldInfo(
        "Mã bản ghi (id)",
        "Event id",
        "UUID, ví dụ 0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11",
        "a UUID such as 0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11",
    ),
    "source": FieldInfo(
        "Nơi gửi (source)",
        "Source",
        "địa chỉ (URI) từ 1 đến 200 ký tự, không khoảng trắng, ví dụ /facilities/LC-TYT-03190",
        "a URI reference of 1 to 200 characters without spaces, such as /facilities/LC-TYT-03190",
        Kind.FREE,
    ),
    "type": FieldInfo("Loại bản ghi (type)", "Event type", "một loại đã quy định", "a known event type"),
    "subject": _code("Mã ca bệnh (subject)", "Subject"),
    "time": FieldInfo(
        "Thời điểm ghi nhận (time)",
        "Time of recording",
        "ngày giờ có múi giờ, ví dụ 2023-07-04T08:12:00+07:00",
        "a date and time with its offset, such as 2023-07-04T08:12:00+07:00",
    ),
    "datacontenttype": FieldInfo("Kiểu nội dung", "Content type", '"application/json"', '"application/json"'),
    "data": FieldInfo("Nội dung (data)", "Data", "một đối tượng JSON", "a JSON object"),
}

FIELDS: Mapping[str, FieldInfo] = {
    "disease": FieldInfo("Bệnh", "Disease", _DISEASE_VI, _DISEASE_EN, Kind.FREE),
    "area_code": FieldInfo("Mã địa bàn", "Area code", _AREA_VI, _AREA_EN),
    "area_on": _date("Mã địa bàn tính theo ngày", "Date of the area code"),
    "hamlet": _text("Thôn, bản, tổ", "Hamlet", 80),
    "onset_on": _date("Ngày khởi phát", "Date of onset"),
    "admitted_on": _date("Ngày nhập viện", "Date of admission"),
    "sampled_on": _date("Ngày lấy mẫu", "Date of sampling"),
    "diagnosed_at": _date_or_instant("Ngày giờ chẩn đoán", "Date or time of diagnosis"),
    "reported_on": _date("Ngày báo cáo", "Date of report"),
    "discharged_on": _date("Ngày ra viện", "Date of discharge"),
    "died_at": _date_or_instant("Ngày giờ tử vong", "Date or time of death"),
    "classification": _choice("Phân loại chẩn đoán", "Classification", Classification, CLASSIFICATION_VI),
    "lab": FieldInfo(
        "Kết quả xét nghiệm",
        "Laboratory results",
        "tối đa 20 tác nhân; mỗi tác nhân một kết quả: "
        + ", ".join(f"{value} ({LAB_RESULT_VI[value]})" for value in get_args(LabResult)),
        "at most 20 agents, each with one result of: " + ", ".join(get_args(LabResult)),
        Kind.LAB,
        LAB_RESULT_VI,
    ),
    "test_type": _choice("Loại xét nghiệm", "Type of test", TestType, TEST_TYPE_VI),
    "outcome": _choice("Tình trạng hiện nay", "Outcome", Outcome, OUTCOME_VI),
    "death_due_to": _choice("Nguyên nhân tử vong", "Cause of death", DeathDueTo, DEATH_DUE_TO_VI),
    "death_agent": _text("Tác nhân gây tử vong", "Agent of the death", 64),
    "origin": _choice("Nguồn lây", "Origin", Origin, ORIGIN_VI),
    "origin_area_code": FieldInfo("Mã địa bàn nơi nhiễm", "Area code of infection", _AREA_VI, _AREA_EN),
    "sex": _choice("Giới tính", "Sex", Sex, SEX_VI),
    "age_years": FieldInfo(
        "Tuổi",
        "Age in years",
        "số từ 0 đến 130, không đặt trong ngoặc kép (trẻ dưới 1 tuổi: ví dụ 0.5)",
        "a number from 0 to 130, not in quotes (an infant: such as 0.5)",
        Kind.NUMBER,
    ),
    "hospitalised": FieldInfo("Nằm viện", "In hospital", "true (có) hoặc false (không)", "true or false"),
    "severity": _text("Phân độ bệnh", "Severity", 40),
    "vaccination": _choice("Tình trạng tiêm chủng", "Vaccination", Vaccination, VACCINATION_VI),
    "doses": FieldInfo(
        "Số lần tiêm, uống vắc xin",
        "Vaccine doses",
        "số nguyên từ 0 đến 20",
        "a whole number from 0 to 20",
        Kind.WHOLE,
    ),
    "occupation": _code("Mã nghề nghiệp", "Occupation code"),
    "institution_code": _code("Mã nơi làm việc, học tập", "Code of school or workplace"),
    "reporting_facility": _code("Mã đơn vị báo cáo", "Code of the reporting facility"),
    "treating_facility": _code("Mã cơ sở điều trị", "Code of the treating facility"),
    "cluster": _text("Chùm ca bệnh, ổ dịch", "Cluster", 64),
    "external_ids": FieldInfo(
        "Mã ở hệ thống khác",
        "Ids in other systems",
        'tối đa 10 mã dạng {"hệ_thống": "mã"}, ví dụ {"ecds": "2023-12-000456"}',
        'at most 10 ids as {"system": "id"}, such as {"ecds": "2023-12-000456"}',
        Kind.EXTERNAL_IDS,
    ),
    "reason": _choice("Lý do rút", "Reason", RetractionReason, RETRACTION_REASON_VI),
    "duplicate_of": _code("Trùng với ca", "Duplicate of"),
    "indicator": _choice("Chỉ số", "Indicator", Literal[TallyFlow, TallyStock], INDICATOR_VI),
    "period_start": _date("Từ ngày", "First day of the period"),
    "period_end": _date("Đến ngày", "Last day of the period", Kind.PERIOD_END),
    "value": FieldInfo(
        "Số liệu",
        "Value",
        "số nguyên từ 0 đến 1000000000",
        "a whole number from 0 to 1000000000",
        Kind.WHOLE,
    ),
    "target": FieldInfo(
        "Kế hoạch",
        "Target",
        "số nguyên từ 0 đến 1000000000 (không có thì gửi null)",
        "a whole number from 0 to 1000000000 (null where there is none)",
        Kind.WHOLE,
    ),
    "kind": _choice("Loại ổ dịch", "Kind of focus", FocusKind, FOCUS_KIND_VI),
    "place": _text("Địa điểm", "Place", 120),
    "started_on": _date("Ngày bắt đầu", "Date of start"),
    "ended_on": _date("Ngày kết thúc", "Date of end"),
    "exposed": _persons("Số người phơi nhiễm", "Persons exposed"),
    "ill": _persons("Số mắc", "Persons ill"),
    "dead": _persons("Số tử vong", "Deaths"),
    "samples": _persons("Số mẫu xét nghiệm", "Samples"),
    "positives": _persons("Số mẫu dương tính", "Positive samples"),
    "first_onset_on": _date("Ngày khởi phát ca đầu", "First onset"),
    "last_onset_on": _date("Ngày khởi phát ca cuối", "Last onset"),
    "agent": _text("Tác nhân", "Agent", 64),
}

# A focus's `hospitalised` is a number of persons, a case's is yes or no.
FOCUS_HOSPITALISED = _persons("Số người nằm viện", "Persons in hospital")
