# ruff: noqa: E501 (sentences are shown whole)
"""What has changed since the last report: every kind of change, in words."""

from datetime import date
from typing import Any

import pytest

from streams.domain.report.changes import CaseChange, Standing, groups_of, write_changes
from tests.situations import EN, QUERY, VI, flaws

LABELS = {"dengue": ("Bệnh Sốt xuất huyết Dengue", "Dengue"), "measles": ("Bệnh Sởi", "Measles")}
SINCE = date(2023, 8, 1)


def standing(**changes: Any) -> Standing:
    given = {
        "disease": "dengue",
        "commune": "Xã A",
        "district": "Huyện Sìn Hồ",
        "day": date(2023, 7, 4),
        "is_dead": False,
        "is_within": True,
        **changes,
    }
    return Standing(**given)


def said(*changes: CaseChange) -> list[str]:
    groups = groups_of(changes, SINCE)
    for sentences in (VI, EN):
        for paragraph in write_changes(groups, LABELS, QUERY, sentences):
            assert [flaw for flaw in flaws(paragraph.text) if sentences is VI or "as no" not in flaw] == []
    return [paragraph.text for paragraph in write_changes(groups, LABELS, QUERY, VI)]


HERE = standing()
AWAY = standing(is_within=False)
HEAD = "Bệnh Sốt xuất huyết Dengue, tháng 7/2023:"


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (None, standing(day=date(2023, 8, 2)), "Bệnh Sốt xuất huyết Dengue, tháng 8/2023: 01 trường hợp mới."),
        (None, HERE, f"{HEAD} 01 trường hợp báo cáo muộn tại huyện Sìn Hồ."),
        (HERE, None, f"{HEAD} 01 trường hợp được rút lại tại huyện Sìn Hồ."),
        (HERE, AWAY, f"{HEAD} 01 trường hợp chuyển ra ngoài địa bàn hoặc ngoài kỳ báo cáo."),
        (AWAY, HERE, f"{HEAD} 01 trường hợp chuyển đến từ ngoài địa bàn hoặc ngoài kỳ báo cáo."),
        (standing(district="Huyện Phong Thổ"), HERE, f"{HEAD} 01 trường hợp chuyển từ huyện Phong Thổ sang huyện Sìn Hồ."),
        (standing(district=""), HERE, f"{HEAD} 01 trường hợp chuyển từ chưa rõ địa bàn sang huyện Sìn Hồ."),
        (standing(commune="Xã B"), HERE, f"{HEAD} 01 trường hợp chuyển từ xã B sang xã A."),
        (standing(disease="measles"), HERE, f"{HEAD} 01 trường hợp đổi chẩn đoán từ Bệnh Sởi sang Bệnh Sốt xuất huyết Dengue."),
        (standing(day=date(2023, 6, 30)), HERE, f"{HEAD} 01 trường hợp đổi ngày từ tháng 6/2023 sang tháng 7/2023."),
        (HERE, standing(is_dead=True), f"{HEAD} thêm 01 trường hợp tử vong tại huyện Sìn Hồ."),
        (standing(is_dead=True), HERE, f"{HEAD} 01 trường hợp không còn tính là tử vong tại huyện Sìn Hồ."),
    ],
)  # fmt: skip
def test_every_change_has_its_sentence(
    before: Standing | None, after: Standing | None, sentence: str
) -> None:
    assert said(CaseChange("LC-1", before, after)) == [sentence]


def test_cases_that_changed_alike_are_one_sentence() -> None:
    moved = [CaseChange(f"LC-{n}", standing(district="Huyện Phong Thổ"), HERE) for n in range(3)]
    assert said(*moved, CaseChange("LC-9", HERE, None)) == [
        f"{HEAD} 03 trường hợp chuyển từ huyện Phong Thổ sang huyện Sìn Hồ.",
        f"{HEAD} 01 trường hợp được rút lại tại huyện Sìn Hồ.",
    ]
    assert groups_of(moved, SINCE)[0].subjects == ("LC-0", "LC-1", "LC-2")


def test_a_late_death_is_a_case_and_a_death() -> None:
    assert len(said(CaseChange("LC-1", None, standing(is_dead=True)))) == 2


@pytest.mark.parametrize(
    ("before", "after"),
    [(HERE, HERE), (AWAY, AWAY), (None, AWAY), (AWAY, None), (standing(day=date(2023, 7, 1)), HERE)],
)
def test_what_the_report_does_not_show_is_no_change(before: Standing | None, after: Standing | None) -> None:
    assert said(CaseChange("LC-1", before, after)) == ["Không có thay đổi nào."]
