"""What Lai Châu's department of health reported for 2023, beside 2022: what the demo must reproduce.

Source: báo cáo Sở Y tế Lai Châu năm 2023 (công khai). The report gives totals of the province; what it does
not state (a split by district, most laboratory figures of 2022) is the demo's own invention. Each row says in
`stated` which of its values are the report's. Where the report only says that 2022 was "tương đương" (about
the same), the demo takes the figure of 2023 and does not call it stated. COVID-19 in 2022 is not in the
report, so the demo has none. Tallies (exposures vaccinated, slides, food poisoning) are no cases: not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

CITATION = "báo cáo Sở Y tế Lai Châu năm 2023 (công khai)"
PROVINCE = "12"
YEAR = 2023
YEAR_BEFORE = 2022

# The eight districts of the structure in force until 2025-06-30.
DISTRICTS: Mapping[str, str] = {
    "105": "TP Lai Châu",
    "106": "Tam Đường",
    "107": "Mường Tè",
    "108": "Sìn Hồ",
    "109": "Phong Thổ",
    "110": "Than Uyên",
    "111": "Tân Uyên",
    "112": "Nậm Nhùn",
}

# Names as the report writes them, short enough for a table; in the order in which the demo shows them.
DISEASES: Mapping[str, str] = {
    "covid19": "COVID-19",
    "hfmd": "Tay chân miệng",
    "rabies": "Dại (lên cơn)",
    "dengue": "Sốt xuất huyết Dengue",
    "streptococcus_suis": "Liên cầu lợn",
    "anthrax": "Than",
    "rash_fever_susp_measles": "Sốt phát ban nghi sởi",
    "viral_encephalitis": "Viêm não vi rút",
    "pertussis": "Ho gà",
    "malaria": "Sốt rét",
    "tuberculosis": "Lao (mới phát hiện)",
}

AGENTS: Mapping[str, str] = {
    "measles": "sởi",
    "rubella": "rubella",
    "je": "viêm não Nhật Bản",
    "p_vivax": "P. vivax",
    "tuberculosis": "AFB",
}

# Diseases that a syndrome's positive cases count in as well ("of which"); never added to a total.
RESOLVED: Mapping[str, str] = {
    "measles": "rash_fever_susp_measles",
    "rubella": "rash_fever_susp_measles",
    "je": "viral_encephalitis",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class YearFigures:
    """One disease in one year (by onset, else report; 1 January to 31 December), in cases.

    Attributes:
        notified: Every case that counts, laboratory negatives included.
        deaths: Dead of the disease, counted on the case's own day.
        positive_by_agent: Cases positive for each agent; no demo case is positive for two.
        negative: Cases with nothing positive or pending and at least one agent negative.
        pending: Cases with nothing positive and at least one agent still pending.
        imported: Cases infected outside the province.
        discarded: Cases classified as not the disease; still notified.
        cases_by_district: District code to cases, complete; empty where the generator draws the districts.
        deaths_by_district: District code to deaths, complete.
        places: Districts that had cases, all of them; empty where the report names none.
        death_agent: What the deaths are attributed to; where set, the dead are among the negatives.
        stated: Names of those attributes (and `positive`) whose values are the report's own.
    """

    disease: str
    year: int
    notified: int
    deaths: int = 0
    positive_by_agent: Mapping[str, int] = field(default_factory=dict)
    negative: int = 0
    pending: int = 0
    imported: int = 0
    discarded: int = 0
    cases_by_district: Mapping[str, int] = field(default_factory=dict)
    deaths_by_district: Mapping[str, int] = field(default_factory=dict)
    places: frozenset[str] = frozenset()
    death_agent: str | None = None
    stated: frozenset[str]

    @property
    def positive(self) -> int:
        """Cases with at least one positive agent."""
        return sum(self.positive_by_agent.values())


def _stated(*names: str) -> frozenset[str]:
    return frozenset(names)


FIGURES: tuple[YearFigures, ...] = (
    YearFigures(
        disease="covid19",
        year=YEAR,
        notified=657,
        positive_by_agent={"covid19": 657},
        stated=_stated("notified", "deaths"),
    ),
    YearFigures(
        disease="hfmd",
        year=YEAR,
        notified=74,
        positive_by_agent={"hfmd": 6},
        negative=3,
        stated=_stated("notified", "deaths"),
    ),
    YearFigures(
        disease="hfmd",
        year=YEAR_BEFORE,
        notified=53,
        positive_by_agent={"hfmd": 4},
        negative=2,
        stated=_stated("notified"),
    ),
    YearFigures(
        disease="rabies",
        year=YEAR,
        notified=3,
        deaths=3,
        cases_by_district={"107": 1, "109": 1, "112": 1},
        deaths_by_district={"107": 1, "109": 1, "112": 1},
        places=frozenset({"107", "109", "112"}),
        stated=_stated("notified", "deaths", "cases_by_district", "deaths_by_district", "places"),
    ),
    YearFigures(
        disease="rabies",
        year=YEAR_BEFORE,
        notified=1,
        deaths=1,
        cases_by_district={"108": 1},
        deaths_by_district={"108": 1},
        stated=_stated("deaths"),
    ),
    YearFigures(
        disease="dengue",
        year=YEAR,
        notified=40,
        positive_by_agent={"dengue": 37},
        pending=3,
        imported=40,
        stated=_stated("notified", "deaths", "positive", "negative", "pending", "imported"),
    ),
    YearFigures(
        disease="dengue",
        year=YEAR_BEFORE,
        notified=18,
        positive_by_agent={"dengue": 16},
        negative=2,
        imported=18,
        discarded=2,
        stated=_stated("notified"),
    ),
    YearFigures(
        disease="streptococcus_suis",
        year=YEAR,
        notified=3,
        deaths=1,
        positive_by_agent={"streptococcus_suis": 3},
        cases_by_district={"108": 1, "109": 2},
        deaths_by_district={"109": 1},
        places=frozenset({"108", "109"}),
        stated=_stated(
            "notified", "deaths", "positive", "negative", "pending", "deaths_by_district", "places"
        ),
    ),
    YearFigures(disease="streptococcus_suis", year=YEAR_BEFORE, notified=0, stated=_stated("notified")),
    YearFigures(
        disease="anthrax",
        year=YEAR,
        notified=4,
        positive_by_agent={"anthrax": 3},
        negative=1,
        cases_by_district={"108": 4},
        places=frozenset({"108"}),
        stated=_stated(
            "notified", "deaths", "positive", "negative", "pending", "cases_by_district", "places"
        ),
    ),
    YearFigures(disease="anthrax", year=YEAR_BEFORE, notified=0, stated=_stated("notified")),
    YearFigures(
        disease="rash_fever_susp_measles",
        year=YEAR,
        notified=33,
        positive_by_agent={"measles": 2, "rubella": 3},
        negative=23,
        pending=5,
        discarded=23,
        stated=_stated("notified", "deaths", "positive", "positive_by_agent", "negative", "pending"),
    ),
    YearFigures(
        disease="rash_fever_susp_measles",
        year=YEAR_BEFORE,
        notified=33,
        positive_by_agent={"measles": 1, "rubella": 1},
        negative=31,
        discarded=31,
        stated=_stated(),
    ),
    YearFigures(
        disease="viral_encephalitis",
        year=YEAR,
        notified=40,
        deaths=2,
        positive_by_agent={"je": 8},
        negative=32,
        deaths_by_district={"106": 1, "108": 1},
        death_agent="hsv",
        stated=_stated(
            "notified",
            "deaths",
            "positive",
            "positive_by_agent",
            "negative",
            "pending",
            "deaths_by_district",
        ),
    ),
    YearFigures(
        disease="viral_encephalitis",
        year=YEAR_BEFORE,
        notified=40,
        positive_by_agent={"je": 7},
        negative=33,
        stated=_stated(),
    ),
    YearFigures(
        disease="pertussis",
        year=YEAR,
        notified=7,
        positive_by_agent={"pertussis": 1},
        negative=6,
        discarded=6,
        stated=_stated("notified", "deaths", "positive", "negative", "pending"),
    ),
    YearFigures(
        disease="pertussis",
        year=YEAR_BEFORE,
        notified=6,
        positive_by_agent={"pertussis": 1},
        negative=5,
        discarded=5,
        stated=_stated("notified"),
    ),
    YearFigures(
        disease="malaria",
        year=YEAR,
        notified=93,
        positive_by_agent={"p_vivax": 93},
        stated=_stated("notified", "deaths", "positive", "positive_by_agent"),
    ),
    YearFigures(
        disease="malaria",
        year=YEAR_BEFORE,
        notified=103,
        positive_by_agent={"p_vivax": 103},
        stated=_stated("notified"),
    ),
    YearFigures(
        disease="tuberculosis",
        year=YEAR,
        notified=200,
        # The other 43 are other forms of the disease, not negatives.
        positive_by_agent={"tuberculosis": 157},
        stated=_stated("notified", "positive", "positive_by_agent", "negative"),
    ),
    YearFigures(
        disease="tuberculosis",
        year=YEAR_BEFORE,
        notified=190,
        positive_by_agent={"tuberculosis": 149},
        stated=_stated("notified"),
    ),
)


def figures_of(year: int) -> dict[str, YearFigures]:
    """The figures of one year by disease code."""
    return {row.disease: row for row in FIGURES if row.year == year}
