"""A report as one JSON document: what is kept when it is published, and what every form is printed from."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from schemas.report import load_forms
from streams.domain.areas import code_of
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.report import Mark, Paragraph, Report, Section, Shown
from streams.domain.report.bulletin import BulletinFacts
from streams.domain.report.facts import Query
from streams.domain.report.language import Lang, cardinal, day_text
from streams.domain.report.notice import NoticeKind, in_prose
from streams.stores.situation import Situation, SituationRequest, Table, Tables

if TYPE_CHECKING:
    from streams.stores.focus_report import FocusReport
    from streams.stores.outbreak_report import OutbreakReport

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
    tables = situation.tables
    district = _district(tables, lang)
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
        "sections": [_section(section, figures) for section in report.sections],
        "footnotes": [
            {"number": number, "text": Paragraph(parts).text}
            for number, parts in enumerate(report.footnotes, 1)
        ],
        "charts": charts_of(tables, lang),
        "annexes": [
            _annex(tables, tables.by_disease, words["by_disease"], ("disease",), lang, district),
            _annex(
                tables,
                tables.by_district,
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


def focus_document(
    report: "FocusReport", sections: Sequence[Section], is_end: bool, as_of: datetime | None, now: datetime
) -> Document:
    """The document of a focus's daily report, or of the one at its end; its annexes are by day."""
    facts, forms = report.facts, load_forms()
    names, key = forms["annexes"], "focus_end" if is_end else "focus"
    on = day_text(facts.on, "vi")
    silent = ""
    if facts.silent_days:
        silent = forms["drafts"]["silent"].format(days=cardinal(facts.silent_days, "vi"))
    numbers = ("ill", "dead", "samples", "positives")
    annexes = [
        {
            "title": names["by_day"],
            "columns": [{"key": name, "title": names[name]} for name in ("day", *numbers)],
            "rows": [
                [day_text(day, "vi"), *(getattr(focus, name) for name in numbers)]
                for day, focus in report.history.days
            ],
            "note": None,
            "queries": [report.history_query.document()],
        }
    ]
    if report.linked:
        annexes.append(_cases_annex(names["linked"], report.linked, report.linked_query))
    return {
        **_form(key, forms, sections, facts.commune, facts.province, report.province_id, as_of, now),
        "subject": forms["titles"][key].format(disease=_within(facts.disease), on=on),
        "from": facts.first_reported_on.isoformat(),
        "to": facts.on.isoformat(),
        "focus": facts.subject,
        "due_at": None if is_end else facts.due_at.isoformat(),
        "draft": forms["drafts"][key].format(
            layout=_layout(forms, key), on=on, due=instant_text(facts.due_at, "vi"), silent=silent
        ),
        "annexes": annexes,
    }


def _layout(forms: Document, key: str) -> str:
    """What the station is to know of the form: only the list of its fields is known here."""
    text: str = forms["drafts"]["layout"].format(form=forms["forms"][key])
    return text


def outbreak_document(
    report: "OutbreakReport", sections: Sequence[Section], kind: NoticeKind, alert_id: str, now: datetime
) -> Document:
    """The document of an outbreak's report, or of the one at its end."""
    facts, forms = report.facts, load_forms()
    key, due_at = "outbreak_end" if kind == "end" else "outbreak", facts.due_at(kind)
    assert due_at is not None  # noqa: S101 - what is not determined is not written
    return {
        **_form(key, forms, sections, facts.commune, facts.province, report.province_id, None, now),
        "subject": forms["titles"][key].format(
            disease=_within(facts.disease), commune=in_prose(facts.commune)
        ),
        "from": facts.period.first.isoformat(),
        "to": facts.period.last.isoformat(),
        "alert": alert_id,
        "due_at": due_at.isoformat(),
        "draft": forms["drafts"][key].format(layout=_layout(forms, key), due=instant_text(due_at, "vi")),
        "annexes": [_cases_annex(forms["annexes"]["cases"], report.cases, report.cases_query)]
        if report.cases
        else [],
    }


def _within(disease: str) -> str:
    """A disease's label within a sentence: "Bệnh Sởi" becomes "bệnh Sởi"."""
    return in_prose(disease) if disease.startswith("Bệnh ") else disease


def _form(
    kind: str,
    forms: Mapping[str, Any],
    sections: Sequence[Section],
    commune: str,
    province: str,
    province_id: str,
    as_of: datetime | None,
    now: datetime,
) -> Document:
    """What the reports of a commune's station have in common."""
    figures: list[Document] = []
    return {
        "kind": kind.replace("_", "-"),
        "lang": "vi",
        "province": code_of(province_id),
        "province_name": province,
        "as_of": None if as_of is None else as_of.isoformat(),
        "read_at": now.isoformat(),
        "provisional": False,
        "stamp": None,
        "title": _WORDS["vi"]["title"],
        "issuer": station_of(commune, province),
        "as_of_text": _WORDS["vi"]["as_of"].format(instant=instant_text(as_of or now, "vi")),
        "sections": [_section(section, figures) for section in sections],
        "footnotes": [],
        "charts": [],
        "figures": figures,
    }


def _cases_annex(title: str, rows: Sequence[Mapping[str, Any]], asked: Query) -> Document:
    names = load_forms()["annexes"]
    counters = {"cases": "cases_column", "deaths": "deaths", "tested": "tested", "positive": "positive"}
    return {
        "title": title,
        "columns": [
            {"key": "day", "title": names["day"]},
            {"key": "hamlet", "title": names["hamlet"]},
            *({"key": column, "title": names[name]} for column, name in counters.items()),
        ],
        "rows": [
            [
                day_text(date.fromisoformat(row["day"]), "vi"),
                row["hamlet"] or names["unknown"],
                *(row[column] for column in counters),
            ]
            for row in rows
        ],
        "note": None,
        "queries": [asked.document()],
    }


def station_of(commune: str, province: str) -> Document:
    """The health station of a commune as the issuer of a notice or a report, with who is told.

    Source:
        TT 15/2026/TT-BYT, Phụ lục II; Art. 26.1b and c for those whom the annex leaves two lines for.
    """
    within = in_prose(commune)
    return {
        "superior": f"ỦY BAN NHÂN DÂN {commune.upper()}",
        "name": f"TRẠM Y TẾ {commune.upper()}",
        "place": commune.partition(" ")[2] or commune,
        "signs": "GIÁM ĐỐC",
        "how": "(Ký, ghi rõ họ tên và đóng dấu)",
        "recipients": [
            f"Chủ tịch Ủy ban nhân dân {within}",
            f"Sở Y tế {in_prose(province)}",
            f"TTKSBT {in_prose(province)}",
            f"Các lực lượng chuyên trách, kiêm nhiệm, các lực lượng khác trên địa bàn {within}",
            "Lưu: VT, …",
        ],
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


def _section(section: Section, figures: list[Document]) -> Document:
    return {
        "key": section.key,
        "title": section.title,
        "paragraphs": [_paragraph(paragraph, figures) for paragraph in section.paragraphs],
    }


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
    tables: Tables, table: Table, title: str, by: Sequence[str], lang: Lang, district: str
) -> Document:
    words = _WORDS[lang]
    titles = {**words, "district": district}
    return {
        "title": title,
        "columns": [{"key": key, "title": titles[key]} for key in (*by, *_COUNTERS)],
        "rows": [
            [
                *(_name(tables, row, dimension, lang) for dimension in by),
                *(row[column] for column in _COUNTERS),
            ]
            for row in table.rows
        ],
        "note": words["resolved"] if any(row["resolved_from_syndrome"] for row in table.rows) else None,
        "queries": [query.document() for query in table.queries],
    }


def _name(tables: Tables, row: Mapping[str, Any], dimension: str, lang: Lang) -> str:
    if dimension == "disease":
        label = tables.labels[row["disease"]][0 if lang == "vi" else 1]
        return f"{label} (*)" if row["resolved_from_syndrome"] else label
    name: str | None = row["district_name"]
    return _WORDS[lang]["unknown"] if name is None else name


def _district(tables: Tables, lang: Lang) -> str:
    """What the areas between province and commune are called."""
    names = [row["district_name"] or "" for row in tables.by_district.rows]
    has_districts = not any(name.startswith("Khu vực") for name in names)
    return _WORDS[lang]["district" if has_districts else "surveillance"]


def charts_of(tables: Tables, lang: Lang) -> list[Document]:
    """What is drawn of the counts, as data; no chart where there is nothing to draw."""
    words = _WORDS[lang]
    own = [row for row in tables.by_disease.rows if row["notified"] > row["resolved_from_syndrome"]]
    most = sorted(own, key=lambda row: -row["notified"])[:CHART_DISEASES]
    codes = [row["disease"] for row in most]
    names = {code: tables.labels[code][0 if lang == "vi" else 1] for code in codes}
    apart = {code: names[code] for code in codes[:TIME_DISEASES]}
    unit = tables.time
    over_time: dict[tuple[str, str], int] = {}
    for row in tables.over_time.rows:
        key = (row[unit], apart.get(row["disease"], words["other"]))
        own_cases = row["notified"] - row["resolved_from_syndrome"]
        over_time[key] = over_time.get(key, 0) + own_cases
    by_district: dict[str, int] = {}
    for row in tables.by_district.rows:
        name = _name(tables, row, "district", lang)
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
            "caption": words["chart_district"].format(district=_district(tables, lang).lower()),
            "data": [{"name": name, "cases": cases} for name, cases in by_district.items() if cases],
        },
    ]
    return [chart for chart in charts if chart["data"]]
