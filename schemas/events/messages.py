"""Sentences for every kind of fault: what is wrong, and what to do, for the person who typed it."""

from collections.abc import Mapping
from typing import Any

from schemas.events.common import EVENT_TYPES, FOCUS_REPORTED, MAX_BYTES, Problem
from schemas.events.fields import ATTRIBUTES, FIELDS, FOCUS_HOSPITALISED, FieldInfo

# code: (Vietnamese, English). {label} is the field's name, {expected} what it must be, the rest the fault's.
CODES: Mapping[str, tuple[str, str]] = {
    "missing": (
        "{label}: còn thiếu. Hãy điền {expected}.",
        "{label} is missing. Give {expected}.",
    ),
    "unknown_field": (
        "Có trường không thuộc mẫu. Hãy bỏ trường này; không gửi họ tên, số điện thoại hay số định danh.",
        "This field does not belong to the event. Remove it; "
        "never send names, telephone or identity numbers.",
    ),
    "wrong_type": (
        "{label}: sai kiểu giá trị. Phải là {expected}.",
        "{label} has the wrong type. It must be {expected}.",
    ),
    "bad_format": (
        "{label}: viết sai dạng. Phải là {expected}.",
        "{label} is not written as it should be. It must be {expected}.",
    ),
    "not_allowed": (
        "{label}: giá trị không có trong danh sách. Phải là {expected}.",
        "{label} has a value that is not in the list. It must be {expected}.",
    ),
    "out_of_range": (
        "{label}: nằm ngoài giới hạn. Phải là {expected}.",
        "{label} is out of range. It must be {expected}.",
    ),
    "too_long": (
        "{label}: quá dài. Phải là {expected}.",
        "{label} is too long. It must be {expected}.",
    ),
    "blank": (
        "{label}: để trống. Phải là {expected}.",
        "{label} is blank. It must be {expected}.",
    ),
    "invisible": (
        "{label}: có ký tự ẩn hoặc ký tự điều khiển (thường do sao chép). Hãy xoá và gõ lại.",
        "{label} holds invisible or control characters (often from copying). Delete it and type it again.",
    ),
    "not_null": (
        "{label}: không được để null. Phải là {expected}.",
        "{label} must not be null. It must be {expected}.",
    ),
    "too_early": (
        "{label}: trước ngày 1990-01-01. Hãy kiểm tra năm.",
        "{label} is before 1990-01-01. Check the year.",
    ),
    "in_future": (
        "{label}: ở tương lai. Hãy kiểm tra ngày, tháng, năm và đồng hồ của máy.",
        "{label} is in the future. Check day, month and year, and the clock of the machine.",
    ),
    "impossible_order": (
        "{label}: trước {other} ({other_value}), điều này không thể có. Hãy kiểm tra lại cả hai.",
        "{label} is before {other} ({other_value}), which cannot be. Check both.",
    ),
    "impossible_number": (
        "{label}: lớn hơn {other} ({other_value}), điều này không thể có. Hãy kiểm tra lại cả hai.",
        "{label} is greater than {other} ({other_value}), which cannot be. Check both.",
    ),
    "needs_area_code": (
        "{label}: chỉ gửi cùng với mã địa bàn (area_code). Hãy thêm mã địa bàn hoặc bỏ trường này.",
        "{label} is only sent together with area_code. Add area_code or leave this field out.",
    ),
    "needs_duplicate_of": (
        "{label}: rút vì trùng thì phải ghi mã của ca được giữ lại.",
        "{label} is needed when the reason is duplicate: give the code of the case that stays.",
    ),
    "duplicate_of_not_allowed": (
        "{label}: chỉ ghi khi lý do rút là trùng (duplicate). Hãy bỏ trường này hoặc sửa lý do.",
        "{label} is only for the reason duplicate. Leave it out or correct the reason.",
    ),
    "duplicate_of_itself": (
        "{label}: một ca không thể trùng với chính nó. Hãy ghi mã của ca được giữ lại.",
        "{label} is the case itself. Give the code of the case that stays.",
    ),
    "empty": (
        "Bản cập nhật không có nội dung. Hãy gửi ít nhất một trường đã thay đổi.",
        "The update says nothing. Send at least one field that changed.",
    ),
    "identifier": (
        "{label}: giống {identifier}. Hệ thống không nhận dữ liệu định danh: "
        "hãy bỏ đi hoặc thay bằng mã.{advice}",
        "{label} looks like {identifier}. Personal identifiers are not accepted: "
        "remove it or use a code.{advice}",
    ),
    "subject_mismatch": (
        "{label}: không khớp với nội dung. Phải là chỉ_số|bệnh|địa_bàn|từ_ngày|đến_ngày của chính bản ghi.",
        "{label} does not match the data. It must be the data's own indicator|disease|area|start|end.",
    ),
    "unknown_type": (
        "{label}: không có loại này. Phải là một trong: {types}.",
        "{label} is not known. It must be one of: {types}.",
    ),
    "unexpected_type": (
        "{label}: loại này không được gửi vào đây. Ở đây chỉ nhận: {types}.",
        "{label} does not belong here. Accepted here: {types}.",
    ),
    "and_more": (
        "Còn {count} lỗi khác chưa kể ra. Hãy sửa các lỗi trên rồi gửi lại.",
        "There are {count} more faults. Correct those above and send it again.",
    ),
    "duplicate_key": (
        "Có trường được ghi hai lần nên không biết giá trị nào đúng. Hãy chỉ ghi một lần.",
        "A field is given twice, so nobody knows which value holds. Give it once.",
    ),
    "not_json": (
        "Bản ghi không đọc được (không phải JSON đúng chuẩn UTF-8). Hãy gửi lại từ phần mềm, không sửa tay.",
        "The record cannot be read: it is not well-formed JSON in UTF-8. "
        "Send it again from the program that made it.",
    ),
    "not_object": (
        "Bản ghi phải là một đối tượng JSON theo CloudEvents 1.0.",
        "The record must be one JSON object in the form of CloudEvents 1.0.",
    ),
    "too_large": (
        f"Bản ghi quá lớn (tối đa {MAX_BYTES // 1024} kB). Hãy gửi mỗi ca một bản ghi.",
        f"The record is too large (at most {MAX_BYTES // 1024} kB). Send one record per case.",
    ),
}

IDENTIFIERS: Mapping[str, tuple[str, str]] = {
    "phone": ("số điện thoại", "a telephone number"),
    "identity_number": ("số căn cước hoặc chứng minh nhân dân", "an identity number"),
    "email": ("địa chỉ thư điện tử", "an e-mail address"),
    "name": ("họ tên người", "a person's name"),
}
NAME_ADVICE = (
    " Nếu đây là tên thôn, tổ hay phố thì ghi cả chữ đó ở trước, ví dụ “tổ Hoàng Văn Thụ”.",
    " If it is the name of a place, put the kind of place before it, such as “tổ Hoàng Văn Thụ”.",
)

# Fault as pydantic names it → our code.
PYDANTIC_CODES: Mapping[str, str] = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "string_pattern_mismatch": "bad_format",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "blank": "blank",
    "invisible": "invisible",
    "literal_error": "not_allowed",
    "multiple_of": "out_of_range",
    "finite_number": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "string_type": "wrong_type",
    "string_unicode": "bad_format",
    "float_type": "wrong_type",
    "bool_type": "wrong_type",
    "dict_type": "wrong_type",
    "date_parsing": "bad_format",
    "uuid_parsing": "bad_format",
    "datetime_parsing": "bad_format",
    "datetime_from_date_parsing": "bad_format",
    "json_invalid": "not_json",
    "union_tag_invalid": "unknown_type",
    "union_tag_not_found": "missing",
}

_UNKNOWN = FieldInfo("Trường này", "This field", "giá trị hợp lệ", "a valid value")


def field_info(path: str, event_type: str | None) -> FieldInfo:
    """Names of the field at a dotted path such as `data.lab.dengue`; a general one where nobody knows it."""
    parts = path.split(".")
    if parts[0] != "data" or len(parts) == 1:
        return ATTRIBUTES.get(parts[0], _UNKNOWN)
    if parts[1] == "hospitalised" and event_type == FOCUS_REPORTED:
        return FOCUS_HOSPITALISED
    return FIELDS.get(parts[1], _UNKNOWN)


def make_problem(path: str, code: str, event_type: str | None = None, **details: Any) -> Problem:
    """Put a fault into words.

    Args:
        path: Dotted path of the field; empty for the record as a whole.
        code: One of `CODES`.
        event_type: The event's type, where it is known.
        details: For `identifier`: kind=; for an order: other= (a field's name), other_value=; for types:
            types= (the allowed ones); for `and_more`: count=. Never anything from an unknown field or a
            suspected identifier.
    """
    info = field_info(path, event_type)
    template_vi, template_en = CODES[code]
    words_vi: dict[str, Any] = {"label": info.label_vi, "expected": info.expected_vi}
    words_en: dict[str, Any] = {"label": info.label_en, "expected": info.expected_en}
    if "kind" in details:
        words_vi["identifier"], words_en["identifier"] = IDENTIFIERS[details["kind"]]
        words_vi["advice"], words_en["advice"] = NAME_ADVICE if details["kind"] == "name" else ("", "")
    if "other" in details:
        other = FIELDS[details["other"]]
        words_vi["other"], words_en["other"] = other.label_vi, other.label_en
        words_vi["other_value"] = words_en["other_value"] = details["other_value"]
    if "count" in details:
        words_vi["count"] = words_en["count"] = details["count"]
    if code in ("unknown_type", "unexpected_type"):
        words_vi["types"] = words_en["types"] = ", ".join(sorted(details.get("types", EVENT_TYPES)))
    return Problem(path, code, template_vi.format(**words_vi), template_en.format(**words_en))
