# ruff: noqa: E501 (sentences are shown whole)
"""Every case of the grammar, in the department's words; what the figures do not allow is not said."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from streams.domain.calendar import Period
from streams.domain.report.facts import (
    AlertFacts,
    Compared,
    DiseaseFacts,
    Estimate,
    FocusFacts,
    FoodPoisoning,
    Forms,
    OutbreakFocus,
    Quality,
    Reporters,
    Share,
    SituationFacts,
)
from streams.domain.report.text import plain
from tests.situations import YEAR, compared, disease, figure, section, sentence, situation, tally, written

FOUND = "Lũy tích giám sát phát hiện"
SAME = "số mắc tương đương so với cùng kỳ năm 2022"
NO_DEATHS = "không có trường hợp tử vong"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (disease(74, before=53), f"{FOUND} 74 trường hợp mắc, tăng 21 trường hợp so với cùng kỳ năm 2022, {NO_DEATHS}."),
        (disease(93, before=103), f"{FOUND} 93 trường hợp mắc, giảm 10 trường hợp so với cùng kỳ năm 2022, {NO_DEATHS}."),
        (disease(3, before=0), f"{FOUND} 03 trường hợp mắc, tăng 03 trường hợp so với cùng kỳ năm 2022, {NO_DEATHS}."),
        (disease(33, before=33), f"{FOUND} 33 trường hợp mắc, {SAME}, {NO_DEATHS}."),
        (disease(105, before=100), f"{FOUND} 105 trường hợp mắc, {SAME}, {NO_DEATHS}."),
        (disease(106, before=100), f"{FOUND} 106 trường hợp mắc, tăng 06 trường hợp so với cùng kỳ năm 2022, {NO_DEATHS}."),
        (disease(0, before=5), "Không ghi nhận trường hợp mắc, giảm 05 trường hợp so với cùng kỳ năm 2022."),
        (disease(4, before=None), f"{FOUND} 04 trường hợp mắc, {NO_DEATHS}.[1]"),
        (disease(4, before=2, year=None), f"{FOUND} 04 trường hợp mắc, tăng 02 trường hợp so với cùng kỳ năm trước, {NO_DEATHS}."),
        (disease(1_971, before=1_971), f"{FOUND} 1.971 trường hợp mắc, {SAME}, {NO_DEATHS}."),
    ],
)  # fmt: skip
def test_cases_and_comparison(facts: DiseaseFacts, said: str) -> None:
    assert sentence(facts) == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"places": {"Huyện Sìn Hồ": 3}}, " mắc tại huyện Sìn Hồ,"),
        ({"places": {"Huyện Phong Thổ": 2, "Huyện Sìn Hồ": 1}}, " mắc tại huyện Phong Thổ và huyện Sìn Hồ,"),
        (
            {"places": {"Thành phố Lai Châu": 1, "Huyện A": 1, "Xã B": 1}},
            " mắc tại thành phố Lai Châu, huyện A và xã B,",
        ),
        # Four places, or one that is not known: no place at all.
        (
            {"notified": 4, "before": 4, "places": dict.fromkeys(("A", "B", "C", "D"), 1)},
            "04 trường hợp mắc, số",
        ),
        ({"places": {"Huyện Sìn Hồ": 2, None: 1}}, "03 trường hợp mắc, số"),
        ({"places": {"Xã Bum Tở": 3}, "region": "Khu vực Mường Tè"}, "tại xã Bum Tở (khu vực Mường Tè),"),
    ],
)
def test_places(changes: dict[str, Any], said: str) -> None:
    assert said in sentence(disease(**changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lab": (3, 0, 0)}, "03 trường hợp mắc (trong đó 03 trường hợp dương tính),"),
        (
            {"notified": 40, "before": 40, "lab": (37, 0, 3)},
            "40 trường hợp nghi mắc (trong đó 37 trường hợp dương tính, 03 trường hợp đang chờ kết quả xét nghiệm),",
        ),
        (
            {"lab": (2, 1, 0)},
            "03 trường hợp nghi mắc (trong đó 02 trường hợp dương tính, 01 trường hợp âm tính),",
        ),
        ({"lab": (0, 3, 0)}, "03 trường hợp nghi mắc (trong đó 03 trường hợp âm tính),"),
        ({"discarded": 1}, "03 trường hợp nghi mắc, số"),
        ({"lab": (0, 0, 0)}, "03 trường hợp mắc, số"),
        (
            {"lab": (2, 0, 1), "agents": {"measles": 1, "rubella": 1}, "is_syndrome": True, "code": "rash"},
            "03 trường hợp (trong đó 01 trường hợp dương tính với tác nhân measles, 01 trường hợp dương tính với "
            "tác nhân rubella, 01 trường hợp đang chờ kết quả xét nghiệm),",
        ),
        # The disease's own agent beside a type: no partition, so it is not said as one.
        (
            {"lab": (3, 0, 0), "agents": {"dengue": 3, "denv1": 2}},
            "(trong đó 03 trường hợp dương tính, gồm tác nhân denv1: 02),",
        ),
        # One case with two agents.
        (
            {"lab": (2, 0, 0), "agents": {"a": 2, "b": 1}},
            "(trong đó 02 trường hợp dương tính, gồm tác nhân a: 02; tác nhân b: 01),",
        ),
        ({"lab": (3, 0, 0), "agents": {"je": 3}}, "03 trường hợp mắc (đều dương tính với tác nhân je),"),
        ({"lab": (3, 0, 0), "agents": {"dengue": 3}}, "(trong đó 03 trường hợp dương tính),"),
    ],
)
def test_laboratory(changes: dict[str, Any], said: str) -> None:
    assert said in sentence(disease(**changes))


def test_malaria_is_said_in_its_own_words() -> None:
    facts = disease(93, before=103, code="malaria", lab=(93, 0, 0), agents={"p_vivax": 93})
    facts = replace(facts, tallies=(tally("slides_examined", 49_617, target=30_000),))
    assert sentence(facts) == (
        "Lũy tích 93 trường hợp mắc (thể tác nhân p_vivax), giảm 10 trường hợp so với cùng kỳ năm 2022, "
        "không có trường hợp tử vong. Tổng số lam, que thử xét nghiệm: lũy tích 49.617/30.000 lam, đạt 165,39% "
        "kế hoạch."
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"deaths": 1, "death_places": {"Huyện Phong Thổ": 1}, "deaths_before": None}, ", có 01 trường hợp tử vong tại huyện Phong Thổ."),
        (
            {"deaths": 3, "death_places": {"Huyện Mường Tè": 1, "Huyện Nậm Nhùn": 1, "Huyện Phong Thổ": 1}, "deaths_before": 1},
            "Ghi nhận 03 trường hợp tử vong (Mường Tè, Nậm Nhùn, Phong Thổ). Số trường hợp tử vong tăng 02 trường hợp so với cùng kỳ năm 2022.",
        ),
        (
            {"deaths": 3, "death_places": {"Huyện Mường Tè": 2, "Thành phố Lai Châu": 1}, "deaths_before": 3},
            "Ghi nhận 03 trường hợp tử vong (Mường Tè: 02, thành phố Lai Châu: 01). Số trường hợp tử vong bằng cùng kỳ năm 2022.",
        ),
        ({"deaths": 2, "death_places": {"Huyện Mường Tè": 1, None: 1}, "deaths_before": None}, "(Mường Tè, chưa rõ địa bàn)."),
        ({"deaths": 2, "death_places": {None: 2}, "deaths_before": None}, "Ghi nhận 02 trường hợp tử vong (chưa rõ địa bàn)."),
        ({"deaths": 2, "death_places": {"Quận 1": 1, "Huyện 2": 1}, "deaths_before": None}, "(quận 1, huyện 2)."),
        ({"deaths": 0, "deaths_before": 2}, f"{NO_DEATHS}. Số trường hợp tử vong giảm 02 trường hợp so với cùng kỳ năm 2022."),
        ({"deaths": 0, "deaths_before": 0}, f"{NO_DEATHS}."),
    ],
)  # fmt: skip
def test_deaths(changes: dict[str, Any], said: str) -> None:
    assert sentence(disease(**changes)).endswith(said)


def test_imported_cases() -> None:
    assert sentence(disease(3, imported=3)).endswith(
        "Các ca mắc đều là người đi làm ăn, lao động, học tập ở tỉnh khác trở về, hiện tại chưa ghi nhận trường "
        "hợp nào mắc tại tỉnh."
    )
    assert sentence(disease(3, imported=2)).endswith(
        "Trong số các ca mắc có 02 trường hợp mắc từ nơi khác trở về."
    )
    assert "trở về" not in sentence(disease(3, imported=0))


def test_cases_that_a_syndrome_resolved_to() -> None:
    facts = situation(disease(2, resolved=2, code="measles"), cases=figure(0))
    assert section(written(facts), "diseases") == []
    text = sentence(disease(5, resolved=2))
    assert text.endswith("Trong số các ca mắc có 02 trường hợp phát hiện qua giám sát hội chứng.")


def test_rabies_begins_with_the_exposures() -> None:
    facts = disease(
        3, 3, 1, 1, death_places={"Huyện A": 1, "Huyện B": 2}, exposures=tally("pep_started", 1_971, 1_203)
    )
    assert sentence(facts).startswith(
        "Lũy tích giám sát phát hiện có 1.971 trường hợp đến tiêm phòng dại, tăng 768 trường hợp so với cùng kỳ "
        "năm 2022. Lũy tích giám sát phát hiện 03 trường hợp mắc, tăng 02"
    )
    only = replace(disease(0, before=None), exposures=tally("pep_started", 7))
    assert sentence(only) == "Lũy tích giám sát phát hiện có 07 trường hợp đến tiêm phòng dại."


def test_isolation_is_never_added_up() -> None:
    names = {
        "isolated_total": 14_985,
        "isolated_done": 14_923,
        "isolated_done_f1": 43,
        "isolated_done_f2": 700,
        "isolated_done_f3": 3_059,
        "isolated_now": 62,
        "isolated_now_facility": 3,
        "isolated_now_centre": 33,
        "isolated_now_home": 26,
    }
    tallies = tuple(tally(name, value) for name, value in names.items())
    assert sentence(disease(0, before=None, tallies=tallies)) == (
        "Phát hiện, cách ly 14.985 trường hợp (số đã hoàn thành cách ly 14.923 trường hợp, trong đó F1: 43, "
        "F2: 700, F3: 3.059). Hiện còn 62 trường hợp đang thực hiện cách ly (cơ sở y tế: 03, khu cách ly tập "
        "trung: 33, tại nhà: 26)."
    )


def test_a_tally_that_is_not_whole_says_so() -> None:
    facts = situation(disease(tallies=(tally("treatment_doses", 5, is_complete=False),)))
    report = written(facts)
    assert section(report, "diseases")[0].endswith("Số liều thuốc điều trị: lũy tích 05 liều.[1]")
    assert report.footnotes == (("Chưa đủ báo cáo của toàn bộ địa bàn và thời gian.",),)


def test_what_is_not_known_of_before_is_one_footnote() -> None:
    report = written(situation(disease(before=None), disease(before=None, code="rabies", label="Bệnh Dại")))
    assert [text[-3:] for text in section(report, "diseases")] == ["[1]", "[1]"]
    (note,) = report.footnotes
    assert plain(note) == (
        "Hệ thống không có đủ số liệu từ ngày 1/1/2022 đến ngày 31/12/2022, nên không so sánh với cùng kỳ."
    )


# The rest of the report ------------------------------------------------------------------------------------

ALERT = AlertFacts(
    "a1",
    "Bệnh Sởi",
    "Measles",
    "Xã Bum Tở",
    "outbreak",
    "verified",
    True,
    "TT 15/2026/TT-BYT Điều 16.1b",
    Period(date(2026, 8, 1), date(2026, 8, 31)),
    figure(7),
    date(2026, 8, 20),
    None,
)


def test_the_opening_is_stable_only_without_an_outbreak() -> None:
    stable = "Trong năm 2023 tình hình dịch bệnh trên địa bàn tỉnh Lai Châu tương đối ổn định."
    assert section(written(situation(disease(3))), "opening")[0].startswith(stable)
    for changes in (
        {"alerts": (ALERT,)},
        {"foci": (OutbreakFocus("Sởi", "Measles", "Xã A", None, None, None, None),)},
    ):
        (opening,) = section(written(situation(disease(3), **changes)), "opening")
        assert "ổn định" not in opening
        assert "có ghi nhận ổ dịch" in opening
    dismissed = replace(ALERT, state="dismissed")
    assert "ổn định" in section(written(situation(disease(3), alerts=(dismissed,))), "opening")[0]


def test_the_opening_counts_the_deaths_that_the_diseases_list() -> None:
    facts = situation(disease(3, 1, death_places={"Huyện A": 1}), disease(9, 2, death_places={None: 2}))
    (opening,) = section(written(facts), "opening")
    assert opening.endswith("12 trường hợp mắc các bệnh truyền nhiễm, trong đó có 03 trường hợp tử vong.")
    assert section(written(situation()), "opening") == [
        "Trong năm 2023 hệ thống không ghi nhận trường hợp mắc bệnh truyền nhiễm nào trên địa bàn tỉnh Lai Châu."
    ]


def test_a_part_of_a_year_and_a_merged_province() -> None:
    period = Period(date(2026, 1, 1), date(2026, 6, 24))
    report = written(situation(disease(), period=period, merged_from=("Tỉnh Lào Cai", "Tỉnh Yên Bái")))
    (opening,) = section(report, "opening")
    assert opening.startswith("Từ ngày 1/1/2026 đến ngày 24/6/2026 tình hình")
    assert opening.endswith("[1]")
    assert plain(report.footnotes[0]) == (
        "Số liệu cùng kỳ trước ngày sáp nhập là tổng của tỉnh Lào Cai và tỉnh Yên Bái."
    )


FOOD = FoodPoisoning(
    figure(3),
    figure(25),
    figure(23),
    figure(0),
    (
        FocusFacts("Xã Sùng Phài", date(2023, 3, 18), figure(21), figure(14), None, figure(0)),
        FocusFacts("Xã Tà Tổng", None, figure(4), None, figure(2), None),
    ),
    incomplete=("ill", "hospitalised"),
)


def test_food_poisoning() -> None:
    report = written(situation(disease(), food_poisoning=FOOD))
    assert section(report, "food_poisoning") == [
        "Trong năm 2023 trên địa bàn tỉnh xảy ra 03 vụ ngộ độc thực phẩm với 25 người mắc, phải nhập viện điều trị "
        "23 người, không có trường hợp tử vong.[1]",
        "Xã Sùng Phài, ngày 18/3/2023: 21 người ăn, 14 người mắc, không có người tử vong, chưa rõ số người nhập viện.",
        "Xã Tà Tổng: 04 người ăn, 02 người nhập viện, chưa rõ số người mắc và số người tử vong.",
    ]
    assert plain(report.footnotes[0]).startswith("Chi tiết từng vụ chưa đầy đủ: số người mắc và")


def test_food_poisoning_whose_numbers_nobody_knows() -> None:
    food = replace(FOOD, ill=figure(14), hospitalised=None, dead=None, incomplete=(), at_least=("ill",))
    (total, *_) = section(written(situation(disease(), food_poisoning=food)), "food_poisoning")
    assert total.endswith("với ít nhất 14 người mắc, số người nhập viện chưa rõ, số người tử vong chưa rõ.")
    dead = replace(FOOD, dead=figure(2), incomplete=())
    assert (
        "23 người, 02 trường hợp tử vong."
        in section(written(situation(disease(), food_poisoning=dead)), "food_poisoning")[0]
    )


def test_alerts_and_foci() -> None:
    focus = OutbreakFocus(
        "Bệnh Dại", "Rabies", "Xã A", date(2026, 8, 1), date(2026, 8, 9), figure(3), figure(0)
    )
    ended = replace(ALERT, is_met=False, ended_on=date(2026, 9, 30))
    report = written(situation(disease(), alerts=(ended,), attention=figure(4), foci=(focus,)))
    assert section(report, "alerts") == [
        "Có dịch: Bệnh Sởi tại xã Bum Tở từ ngày 1/8/2026 đến ngày 31/8/2026, 07 trường hợp (quy định "
        "TT 15/2026/TT-BYT Điều 16.1b); đã xác minh; không còn đạt tiêu chí; trạm y tế xác định có dịch ngày "
        "20/8/2026; xác định hết dịch ngày 30/9/2026.",
        "Ngoài ra có 04 cảnh báo ở mức cần chú ý.",
        "Ổ dịch Bệnh Dại tại xã A, ngày 1/8/2026: 03 người mắc, không có người tử vong, kết thúc ngày 9/8/2026.",
    ]
    assert section(written(situation(disease())), "alerts") == ["Không có cảnh báo dịch và ổ dịch trong kỳ."]


def test_quality() -> None:
    quality = Quality(
        judged=figure(40),
        late=figure(10),
        no_onset=figure(5),
        approximate=figure(0),
        from_tallies=figure(7),
        estimate=Estimate(date(2023, 12, 18), date(2023, 12, 24), figure(8), 12, 9, 17),
        is_provisional=True,
    )
    assert section(written(situation(disease(), quality=quality)), "quality") == [
        "Số liệu tạm tính: hệ thống chưa nhận đủ báo cáo gửi trước thời điểm chốt số liệu.",
        "10 trường hợp báo cáo quá thời hạn quy định, bằng 25,00% của 40 trường hợp tính được thời hạn.",
        "05 trường hợp chưa có ngày khởi phát, tính theo ngày báo cáo.",
        "07 trường hợp chỉ có số tổng hợp, không có chi tiết từng ca.",
        "Các tuần cuối kỳ chưa đủ báo cáo: từ ngày 18/12/2023 đến ngày 24/12/2023 đã ghi nhận 08 trường hợp, ước "
        "tính khi đủ báo cáo là 12 trường hợp (khoảng dự báo 95%: 09 đến 17).",
    ]
    none = Quality(judged=figure(40), late=figure(0), no_estimate=("chưa đủ dữ liệu", "too little"))
    assert section(written(situation(disease(), quality=none)), "quality") == [
        "Không có ca bệnh báo cáo quá thời hạn trong số 40 trường hợp tính được thời hạn.",
        "Các tuần cuối kỳ có thể chưa đủ báo cáo và chưa ước tính được: chưa đủ dữ liệu.",
    ]


def reporters(regular: int, heard: int, silent: int = 0) -> Quality:
    return Quality(reporters=Reporters(figure(regular), figure(heard), figure(silent)))


def forms(cases: int, incomplete: int, filled: int, asked: int) -> Quality:
    share = Share(figure(filled), figure(asked)) if cases else None
    return Quality(forms=Forms(figure(cases), figure(incomplete), share))


@pytest.mark.parametrize(
    ("quality", "vietnamese", "english"),
    [
        (reporters(12, 12), "Tất cả 12 đơn vị báo cáo đều hằng tuần có báo cáo trong kỳ.", "Heard in the period of those who report every week: 12 reporters, that is all of them."),
        (
            reporters(12, 9, 4),
            "09 trong số 12 đơn vị báo cáo đều hằng tuần có báo cáo trong kỳ, bằng 75,00%, đến cuối kỳ có 04 đơn vị đã ngừng báo cáo.",
            "Heard in the period of those who report every week: 9 of 12 reporters, 75.00%; 4 reporters had stopped by its end.",
        ),
        (
            reporters(3, 3, 1),
            "Tất cả 03 đơn vị báo cáo đều hằng tuần có báo cáo trong kỳ, đến cuối kỳ có 01 đơn vị đã ngừng báo cáo.",
            "Heard in the period of those who report every week: 3 reporters, that is all of them; 1 reporter had stopped by its end.",
        ),
        (
            reporters(0, 0),
            "Chưa có đơn vị nào báo cáo đều hằng tuần, nên chưa biết báo cáo trong kỳ đã đủ hay chưa.",
            "Nobody reports by the week yet, so it is not known whether all reports of the period are in.",
        ),
        (forms(40, 0, 500, 500), "Phiếu báo cáo của 40 trường hợp đã điền đủ các mục.", "In the forms of 40 cases every field is filled in."),
        (
            forms(40, 30, 375, 500),
            "30 trường hợp có phiếu báo cáo thiếu ít nhất một mục, bằng 75,00% của 40 trường hợp có phiếu; 75,00% các mục cần điền đã được điền.",
            "In the forms of 30 cases, 75.00% of 40 cases, at least one field is missing; of the fields asked for 75.00% are filled in.",
        ),
        (
            forms(0, 0, 0, 0),
            "Chưa có phiếu báo cáo từng ca, nên không tính được mức độ đầy đủ của phiếu.",
            "There are no reports of single cases, so it is not known how complete their forms are.",
        ),
    ],
)  # fmt: skip
def test_who_reported_and_how_complete(quality: Quality, vietnamese: str, english: str) -> None:
    facts = situation(disease(), quality=quality)
    assert section(written(facts), "quality") == [vietnamese]
    assert section(written(facts, "en"), "quality") == [english]


def test_of_no_case_no_form_is_missing() -> None:
    assert section(written(situation(quality=forms(0, 0, 0, 0))), "quality") == []


@pytest.mark.parametrize("counts", [(3, 4, 0), (3, 3, 4), (3, -1, 0)])
def test_more_reporters_than_there_are_is_refused(counts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="of 3 reporters"):
        reporters(*counts)


@pytest.mark.parametrize("counts", [(3, 4, 1, 2), (3, 0, 1, 2), (3, 1, 2, 2)])
def test_forms_that_contradict_their_fields_are_refused(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="incomplete forms of 3"):
        forms(*counts)


def test_in_english() -> None:
    assert sentence(disease(1, before=0), "en") == (
        "Surveillance found a cumulative 1 case, 1 case more than in the same period of 2022, without deaths."
    )
    facts = disease(2_000, 2, 3_000, 4, lab=(1, 2, 3), death_places={"Huyện A": 2}, imported=2_000)
    assert sentence(facts, "en") == (
        "Surveillance found a cumulative 2,000 cases (suspected), of which 1 case tested positive, 2 cases tested "
        "negative, 3 cases awaiting a result, 1,000 cases fewer than in the same period of 2022, with 2 deaths in "
        "A District. That is 2 deaths fewer than in the same period of 2022. All were infected in other provinces, "
        "where they worked or studied; no case was infected in the province so far."
    )


# What contradicts itself is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"deaths": 4, "death_places": {"Huyện A": 4}}, "4 deaths of 3 cases"),
        ({"deaths": 0, "death_places": {"Huyện A": 6}}, "places of deaths do not add up to 0"),
        ({"deaths": 2, "death_places": {"Huyện A": 1}}, "places of deaths do not add up to 2"),
        ({"places": {"Huyện A": 1}}, "places of cases do not add up to 3"),
        ({"places": {"Huyện A": 3, "Huyện B": 0}}, "a place without cases"),
        ({"lab": (2, 1, 1)}, "4 laboratory results of 3 cases"),
        ({"lab": (3, 0, 0), "agents": {"je": 4}}, "4 positive for je of 3 cases"),
        ({"imported": 4}, "4 imported of 3 cases"),
        ({"deaths": -1}, "-1 deaths"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        disease(**changes)


def test_a_change_that_is_no_difference_is_refused() -> None:
    with pytest.raises(ValueError, match="is not 9"):
        replace(disease(3, before=3), comparison=Compared(2022, figure(3), figure(9)))


@pytest.mark.parametrize("total", [2, 4])
def test_totals_that_are_not_those_of_the_diseases_are_refused(total: int) -> None:
    with pytest.raises(ValueError, match="in all"):
        SituationFacts("Tỉnh A", YEAR, figure(total), figure(0), (disease(3),))


def test_a_total_counts_a_resolved_case_once() -> None:
    both = (disease(3, is_syndrome=True), disease(2, resolved=2, code="measles"))
    assert SituationFacts("Tỉnh A", YEAR, figure(3), figure(0), both).cases.value == 3


def test_a_comparison_is_about_another_period() -> None:
    assert isinstance(compared(3, 1), Compared)
