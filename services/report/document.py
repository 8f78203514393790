"""A report as one JSON document: what is kept when it is published, and what every form is printed from."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from streams.domain.calendar import LOCAL_ZONE
from streams.domain.report import Mark, Paragraph, Report, Shown
from streams.domain.report.bulletin import BulletinFacts
from streams.domain.report.language import Lang, day_text
from streams.stores.situation import Situation, SituationRequest, Table

Document = dict[str, Any]

CHART_DISEASES: Final = 8
"""So many diseases, those with the most cases, are drawn beside the period before."""
TIME_DISEASES: Final = 5
"""So many are drawn apart over time; the rest is one colour."""

_WORDS: Final[Mapping[Lang, Mapping[str, str]]] = {
    "vi": {
        "title": "BÁO CÁO",
        "subject": "Tình hình bệnh truyền nhiễm {period}",
        "period": "từ ngày {first} đến ngày {last}",
        "as_of": "Số liệu tính đến {instant}",
        "by_disease": "Phụ lục 1. Số mắc, tử vong theo bệnh",
        "by_district": "Phụ lục 2. Số mắc, tử vong theo bệnh và {district}",
        "disease": "Bệnh",
        "district": "Huyện",
        "surveillance": "Khu vực",
        "unknown": "Chưa rõ",
        "notified": "Mắc",
        "deaths": "Tử vong",
        "previous_notified": "Mắc cùng kỳ",
        "previous_deaths": "Tử vong cùng kỳ",
        "change": "Tăng/giảm",
        "median_5y": "Trung vị 5 năm",
        "chart_time": "Biểu đồ 1. Số mắc theo {unit}",
        "chart_disease": "Biểu đồ 2. Số mắc theo bệnh, so với cùng kỳ (chỉ các bệnh có số liệu cùng kỳ)",
        "chart_district": "Biểu đồ 3. Số mắc theo {district}",
        "month": "tháng",
        "week": "tuần",
        "resolved": "(*) Có ca được xét nghiệm xác định từ một hội chứng, cũng tính ở hội chứng đó.",
        "bulletin": "Tình hình bệnh truyền nhiễm tuần {week}, {period}",
        "bulletin_table": "Bảng. Số mắc, tử vong trong tuần và lũy tích từ đầu năm",
        "bulletin_disease": "Bệnh",
        "bulletin_week": "Mắc trong tuần",
        "bulletin_week_deaths": "Tử vong trong tuần",
        "bulletin_year": "Mắc lũy tích",
        "bulletin_year_deaths": "Tử vong lũy tích",
        "this": "Kỳ này",
        "before": "Cùng kỳ",
        "other": "Bệnh khác",
    },
    "en": {
        "title": "REPORT",
        "subject": "Situation of communicable diseases {period}",
        "period": "from {first} to {last}",
        "as_of": "As of {instant}",
        "by_disease": "Annex 1. Cases and deaths by disease",
        "by_district": "Annex 2. Cases and deaths by disease and {district}",
        "disease": "Disease",
        "district": "District",
        "surveillance": "Area",
        "unknown": "Not known",
        "notified": "Cases",
        "deaths": "Deaths",
        "previous_notified": "Cases before",
        "previous_deaths": "Deaths before",
        "change": "Change",
        "median_5y": "Median of 5 years",
        "chart_time": "Chart 1. Cases by {unit}",
        "chart_disease": "Chart 2. Cases by disease beside the same period before (where that is known)",
        "chart_district": "Chart 3. Cases by {district}",
        "month": "month",
        "week": "week",
        "resolved": "(*) Has cases that a laboratory named among a syndrome's; they stand there as well.",
        "bulletin": "Communicable diseases in week {week}, {period}",
        "bulletin_table": "Table. Cases and deaths in the week and in the year so far",
        "bulletin_disease": "Disease",
        "bulletin_week": "Cases, week",
        "bulletin_week_deaths": "Deaths, week",
        "bulletin_year": "Cases, year",
        "bulletin_year_deaths": "Deaths, year",
        "this": "This period",
        "before": "Before",
        "other": "Other",
    },
}
_COUNTERS: Final = ("notified", "deaths", "previous_notified", "previous_deaths", "change", "median_5y")


def situation_document(
    situation: Situation,
    report: Report,
    request: SituationRequest,
    lang: Lang,
    is_provisional: bool,
    stamp: str | None,
) -> Document:
    """The document of a situation report.

    Args:
        situation: What it was written from.
        report: Its text.
        request: What was asked for.
        lang: Of the text.
        is_provisional: Whether events of before its as-of instant may still come.
        stamp: Printed on every page; None: real data.
    """
    words = _WORDS[lang]
    figures: list[Document] = []
    period = words["period"].format(
        first=day_text(request.first, lang), last=day_text(request.period.last, lang)
    )
    at = request.as_of or request.now
    has_districts = all(
        not (row["district_name"] or "").startswith("Khu vực") for row in situation.by_district.rows
    )
    district = words["district" if has_districts else "surveillance"]
    return {
        "kind": "situation",
        "lang": lang,
        "province": request.province,
        "province_name": situation.facts.province_vi,
        "from": request.first.isoformat(),
        "to": request.last.isoformat(),
        "basis": request.basis,
        "geography": request.geography_on.isoformat(),
        "as_of": None if request.as_of is None else request.as_of.isoformat(),
        "read_at": request.now.isoformat(),
        "provisional": is_provisional,
        "stamp": stamp,
        "title": words["title"],
        "subject": words["subject"].format(period=period),
        "issuer": issuer_of(situation.facts.province_vi, lang),
        "as_of_text": words["as_of"].format(instant=instant_text(at, lang)),
        "sections": [
            {
                "key": section.key,
                "title": section.title,
                "paragraphs": [_paragraph(paragraph, figures) for paragraph in section.paragraphs],
            }
            for section in report.sections
        ],
        "footnotes": [
            {"number": number, "text": Paragraph(parts).text}
            for number, parts in enumerate(report.footnotes, 1)
        ],
        "charts": _charts(situation, lang, district),
        "annexes": [
            _annex(situation, situation.by_disease, words["by_disease"], ("disease",), lang, district),
            _annex(
                situation,
                situation.by_district,
                words["by_district"].format(district=district.lower()),
                ("disease", "district"),
                lang,
                district,
            ),
        ],
        "figures": figures,
    }


def bulletin_document(
    facts: BulletinFacts,
    paragraphs: Sequence[Paragraph],
    request: SituationRequest,
    lang: Lang,
    title: str,
    stamp: str | None,
) -> Document:
    """The document of a weekly bulletin; its annex is the table of the old weekly form (A1)."""
    words = _WORDS[lang]
    figures: list[Document] = []
    year, week, _ = facts.week.first.isocalendar()
    period = words["period"].format(
        first=day_text(facts.week.first, lang), last=day_text(facts.week.last, lang)
    )
    columns = ("disease", "week", "week_deaths", "year", "year_deaths")
    return {
        "kind": "bulletin",
        "lang": lang,
        "province": request.province,
        "province_name": facts.province_vi,
        "from": request.first.isoformat(),
        "to": request.last.isoformat(),
        "basis": request.basis,
        "geography": request.geography_on.isoformat(),
        "as_of": None if request.as_of is None else request.as_of.isoformat(),
        "read_at": request.now.isoformat(),
        "stamp": stamp,
        "title": title.upper(),
        "subject": words["bulletin"].format(week=f"{week}/{year}", period=period),
        "issuer": issuer_of(facts.province_vi, lang),
        "as_of_text": words["as_of"].format(instant=instant_text(request.as_of or request.now, lang)),
        "sections": [
            {
                "key": "bulletin",
                "title": title,
                "paragraphs": [_paragraph(paragraph, figures) for paragraph in paragraphs],
            }
        ],
        "footnotes": [],
        "charts": [],
        "annexes": [
            {
                "title": words["bulletin_table"],
                "columns": [{"key": key, "title": words[f"bulletin_{key}"]} for key in columns],
                "rows": [
                    [
                        line.label_vi if lang == "vi" else line.label_en,
                        line.week.value,
                        line.week_deaths.value,
                        line.year.value,
                        line.year_deaths.value,
                    ]
                    for line in facts.lines
                ],
                "note": None,
                "queries": [
                    figure.query.document() for line in facts.lines[:1] for figure in (line.week, line.year)
                ],
            }
        ],
        "figures": figures,
    }


def issuer_of(province: str, lang: Lang) -> Document:
    """Who issues a document of the province: its office with the superior, recipients, and who signs."""
    kind, _, place = province.partition(" ") if province.startswith("Tỉnh ") else ("", "", province)
    place = place if kind else province.removeprefix("Thành phố ")
    if lang == "vi":
        return {
            "superior": f"SỞ Y TẾ {province.upper()}",
            "name": "TRUNG TÂM KIỂM SOÁT BỆNH TẬT",
            "place": place,
            "signs": "GIÁM ĐỐC",
            "recipients": ["Sở Y tế (để b/c)", "Lãnh đạo Trung tâm", "Lưu: VT"],
        }
    return {
        "superior": f"DEPARTMENT OF HEALTH OF {place.upper()}",
        "name": "CENTRE FOR DISEASE CONTROL",
        "place": place,
        "signs": "DIRECTOR",
        "recipients": ["Department of Health", "Directors of the Centre", "Archive"],
    }


def instant_text(at: datetime, lang: Lang) -> str:
    """An instant by the local clock, as prose has it."""
    local = at.astimezone(LOCAL_ZONE)
    if lang == "vi":
        return f"{local:%H} giờ {local:%M} phút ngày {day_text(local.date(), lang)}"
    return f"{local:%H:%M} on {day_text(local.date(), lang)}"


def _paragraph(paragraph: Paragraph, figures: list[Document]) -> Document:
    parts: list[Document | str] = []
    for part in paragraph.parts:
        if isinstance(part, Shown):
            number = len(figures) + 1
            figures.append(
                {
                    "id": number,
                    "text": part.text,
                    "disease": paragraph.disease,
                    **part.figure.document(),
                }
            )
            parts.append({"figure": number, "text": part.text})
        elif isinstance(part, Mark):
            parts.append({"footnote": part.number, "text": part.text})
        else:
            parts.append(part)
    return {
        "text": paragraph.text,
        "is_item": paragraph.is_item,
        "disease": paragraph.disease,
        "parts": parts,
    }


def _annex(
    situation: Situation, table: Table, title: str, by: Sequence[str], lang: Lang, district: str
) -> Document:
    words = _WORDS[lang]
    titles = {**words, "district": district}
    return {
        "title": title,
        "columns": [{"key": key, "title": titles[key]} for key in (*by, *_COUNTERS)],
        "rows": [
            [
                *(_name(situation, row, dimension, lang) for dimension in by),
                *(row[column] for column in _COUNTERS),
            ]
            for row in table.rows
        ],
        "note": words["resolved"] if any(row["resolved_from_syndrome"] for row in table.rows) else None,
        "queries": [query.document() for query in table.queries],
    }


def _name(situation: Situation, row: Mapping[str, Any], dimension: str, lang: Lang) -> str:
    if dimension == "disease":
        label = situation.labels[row["disease"]][0 if lang == "vi" else 1]
        return f"{label} (*)" if row["resolved_from_syndrome"] else label
    name: str | None = row["district_name"]
    return _WORDS[lang]["unknown"] if name is None else name


def _charts(situation: Situation, lang: Lang, district: str) -> list[Document]:
    """What is drawn, as data; no chart where there is nothing to draw."""
    words = _WORDS[lang]
    own = [row for row in situation.by_disease.rows if row["notified"] > row["resolved_from_syndrome"]]
    most = sorted(own, key=lambda row: -row["notified"])[:CHART_DISEASES]
    codes = [row["disease"] for row in most]
    names = {code: situation.labels[code][0 if lang == "vi" else 1] for code in codes}
    apart = {code: names[code] for code in codes[:TIME_DISEASES]}
    unit = situation.time
    over_time: dict[tuple[str, str], int] = {}
    for row in situation.over_time.rows:
        key = (row[unit], apart.get(row["disease"], words["other"]))
        own_cases = row["notified"] - row["resolved_from_syndrome"]
        over_time[key] = over_time.get(key, 0) + own_cases
    by_district: dict[str, int] = {}
    for row in situation.by_district.rows:
        name = _name(situation, row, "district", lang)
        by_district[name] = by_district.get(name, 0) + row["notified"] - row["resolved_from_syndrome"]
    charts = [
        {
            "key": "time",
            "caption": words["chart_time"].format(unit=words[unit]),
            "series": [*apart.values(), words["other"]],
            "data": [
                {"time": time, "series": name, "cases": cases}
                for (time, name), cases in over_time.items()
                if time is not None and cases
            ],
        },
        {
            "key": "disease",
            "caption": words["chart_disease"],
            "data": [
                {"name": names[row["disease"]], "series": series, "cases": cases}
                for row in most
                if row["previous_notified"] is not None
                for series, cases in (
                    (words["this"], row["notified"]),
                    (words["before"], row["previous_notified"]),
                )
            ],
        },
        {
            "key": "district",
            "caption": words["chart_district"].format(district=district.lower()),
            "data": [{"name": name, "cases": cases} for name, cases in by_district.items() if cases],
        },
    ]
    return [chart for chart in charts if chart["data"]]
