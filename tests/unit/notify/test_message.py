"""What a message says, in both languages, and what it never says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from schemas.catalogue import Catalogue
from services.notify.message import SMS_LENGTH, Message, alert_text, compose, plain
from streams.domain.alerts import Kind
from streams.domain.recipients import DeliveryKind, Recipient
from streams.domain.rules.verdicts import Level
from streams.stores.deliveries import Claimed

AT = datetime(2026, 8, 3, 15, 10, tzinfo=UTC)
LINK = "https://canhdich.example/alerts/"
NURSE = Recipient("nurse", "Trạm Y tế <Bình Lư>", "email", "a@b.example", None, None, Level.ATTENTION, "vi")
ROW: dict[str, Any] = {
    "alert_id": UUID(int=1),
    "rule_id": "tt15_16_1b",
    "disease": "dengue",
    "disease_vi": "Sốt xuất huyết Dengue",
    "disease_en": "Dengue",
    "area_id": "03390@2025-07-01",
    "area_code": "03390",
    "area_name": "Xã Bình Lư",
    "district_name": "Khu vực Tam Đường",
    "province_name": "Tỉnh Lai Châu",
    "state": "raised",
    "level": "outbreak",
    "is_met": True,
    "cases": 19,
    "raised_at": AT,
    "determined_at": None,
    "kind": "raised",
    "at": AT,
    "actor": "system",
    "note": None,
    "verdict": {
        "rule_version": "0123456789abcdef",
        "period_start": "2026-07-01",
        "period_end": "2026-07-31",
        "numbers": {"cases": 19, "threshold": 18},
        "why_vi": "19 ca từ ngày 1, vượt quá 18",
        "why_en": "19 cases since day 1, more than 18",
    },
    "citation": "TT 15/2026/TT-BYT Điều 16.1b",
    "rule_vi": "Có dịch, bệnh lưu hành",
    "rule_en": "Outbreak, endemic",
}


def message(
    *rows: dict[str, Any], language: Any = "vi", kind: DeliveryKind = DeliveryKind.IMMEDIATE
) -> Message:
    ids = tuple(UUID(int=number + 7) for number in range(len(rows)))
    return compose(Claimed(replace(NURSE, language=language), kind, ids, rows, 0), LINK)


def test_a_message_says_what_where_since_when_how_many_by_which_law_and_what_to_do() -> None:
    made = message(ROW)
    assert made.subject == (
        "[Canh Dịch] CÓ DỊCH (đạt tiêu chí): Sốt xuất huyết Dengue, "
        "Xã Bình Lư, Khu vực Tam Đường, Tỉnh Lai Châu, 19 ca"
    )
    for said in (
        "19 ca từ ngày 1, vượt quá 18",
        "TT 15/2026/TT-BYT Điều 16.1b",
        "22:10 03/08/2026",
        "01/07/2026 – 31/07/2026",
        "trong 24 giờ kể từ khi Trạm Y tế xác định",
        "https://canhdich.example/alerts/00000000-0000-0000-0000-000000000001",
    ):
        assert said in made.text
        assert said in made.html
    assert "{" not in made.text
    assert "None" not in made.text


def test_the_english_message() -> None:
    made = message(ROW, language="en")
    assert made.subject.startswith("[Canh Dịch] OUTBREAK (criterion met): Dengue, Xã Bình Lư")
    assert "19 cases since day 1, more than 18" in made.text
    assert "within 24 h of its own determination" in made.text


def test_the_short_text_has_counts_and_a_link_and_nothing_else() -> None:
    made = message(*[ROW] * 7)
    assert made.short.count("19 ca") == 5
    assert made.short.endswith("… và 2 cảnh báo khác: https://canhdich.example/alerts/")
    assert message(ROW).short == (
        "CÓ DỊCH (đạt tiêu chí): Sốt xuất huyết Dengue, Xã Bình Lư, Khu vực Tam Đường, Tỉnh Lai Châu, 19 ca "
        "(mới). https://canhdich.example/alerts/00000000-0000-0000-0000-000000000001"
    )


def test_the_text_to_paste_says_what_a_message_says_and_no_note() -> None:
    row = {**ROW, "kind": "noted", "state": "acknowledged", "note": "gọi trạm", "actor": "bs.lan"}
    for language, state in (("vi", "đã tiếp nhận"), ("en", "acknowledged")):
        text = alert_text(row, language, LINK)  # type: ignore[arg-type]
        assert text.splitlines()[0].endswith(f"({state})")
        assert "19 ca" in text
        assert "TT 15/2026/TT-BYT Điều 16.1b" in text
        assert "https://canhdich.example/alerts/00000000-0000-0000-0000-000000000001" in text
        assert "gọi trạm" not in text
        assert "bs.lan" not in text


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_text_message_fits_whatever_the_names_are(published_catalogue: Catalogue, language: str) -> None:
    longest = max((area.name_vi for area in published_catalogue.areas), key=len)
    names = dict.fromkeys(("area_name", "district_name", "province_name"), longest)
    disease = max(published_catalogue.diseases, key=lambda disease: len(disease.name_vi))
    titles = {"disease_vi": disease.name_vi, "disease_en": disease.name_en}
    for kind in Kind:
        row = {**ROW, **names, **titles, "kind": kind.value, "cases": 12_345}
        for rows in ((row,), (row,) * 12):
            sms = message(*rows, language=language, kind=DeliveryKind.DIGEST).sms
            assert len(sms) <= SMS_LENGTH
            assert sms.isascii()
            assert "?" not in sms
            assert "ID 00000000" in sms
            assert "12345" in sms


def test_letters_that_no_telephone_has_are_not_sent() -> None:
    assert plain("Ổ dịch [A] €5 ở “Đồng Văn”…") == '? dich ?A? ?5 o "Dong Van"...'.replace("? dich", "O dich")


def test_markup_in_names_and_notes_is_text() -> None:
    made = message({**ROW, "kind": "dismissed", "note": "<script>x</script>", "actor": "bs.lan"})
    assert "<script>" not in made.html
    assert "Trạm Y tế &lt;Bình Lư&gt;" in made.html
    assert "Ghi chú của bs.lan: <script>x</script>" in made.text


def test_after_the_determination_the_message_names_the_hour_by_which_the_notice_is_due() -> None:
    determined = {**ROW, "kind": "determined", "determined_at": AT, "verdict": ROW["verdict"]}
    assert "trước 22:10 04/08/2026" in message(determined).text
    assert AT + timedelta(hours=24) == datetime(2026, 8, 4, 15, 10, tzinfo=UTC)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("language", ["vi", "en"])
def test_there_are_words_for_every_event_of_every_level(kind: Kind, level: Level, language: str) -> None:
    row = {**ROW, "kind": kind.value, "level": level.value, "district_name": None, "citation": None}
    made = message(row, language=language)
    assert made.subject
    assert "None" not in made.text + made.html + made.short


def test_a_detector_has_a_name_though_it_is_no_rule_of_the_book() -> None:
    row = {**ROW, "rule_id": "detector_ears_c2", "rule_vi": None, "rule_en": None, "citation": None}
    assert "Quy định: Phát hiện thống kê: EARS C2" in message(row).text
    assert "Rule: Statistical detector: EARS C2" in message(row, language="en").text


def test_a_province_is_named_once() -> None:
    row = {**ROW, "area_name": "Tỉnh Lai Châu", "district_name": None}
    assert "Tỉnh Lai Châu, Tỉnh" not in message(row).text


def test_a_digest_says_how_many_changes_it_has() -> None:
    made = message(ROW, ROW, kind=DeliveryKind.DIGEST)
    assert made.subject == "[Canh Dịch] Bản tin cảnh báo: 2 thay đổi"
    assert made.text.startswith("Bản tin cảnh báo cho Trạm Y tế <Bình Lư>: 2 thay đổi.")


def test_a_message_is_the_same_whenever_it_is_made() -> None:
    assert message(ROW) == message(ROW)
    assert message(ROW).id == UUID(int=7)
