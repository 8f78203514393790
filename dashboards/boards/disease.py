# ruff: noqa: S608 - queries are made of constants of this package; Grafana puts in what people choose
"""Bệnh / Disease: one disease, from its epidemic curve to its laboratory."""

from typing import Final

from grafana_foundation_sdk.builders import barchart as bc
from grafana_foundation_sdk.builders import common as cb
from grafana_foundation_sdk.builders import stat as st
from grafana_foundation_sdk.builders import timeseries as ts
from grafana_foundation_sdk.builders import trend as tr
from grafana_foundation_sdk.models import common as cm
from grafana_foundation_sdk.models import dashboard as dm

from dashboards.boards.overview import alert_marks, incidence_map, incomplete_days
from dashboards.framework import (
    BASIS,
    BLUE,
    CASES,
    COUNTS,
    DISTRICT,
    FIRST_DAY,
    GEOGRAPHY,
    GREY,
    IN_PERIOD,
    INCOMPLETE_DAYS,
    LAST_DAY,
    MAX_DATA_POINTS,
    OF_AREA,
    OF_DISEASES,
    OF_PROVINCE,
    ONE_DISEASE,
    ORANGE,
    PALE,
    PLUM,
    PROVINCE,
    PURPLE,
    SKY,
    Board,
    Language,
    Text,
    ages_and_sexes,
    by_age_and_sex,
    legend,
    local_time,
    override,
    panel,
    people,
    rows_by_week,
    series,
    sex_columns,
    table,
    tooltip,
    week_of,
)


def _lines() -> ts.Panel:
    return (
        ts.Panel()
        .draw_style(cm.GraphDrawStyle.LINE)
        .line_width(2)
        .fill_opacity(0)
        .show_points(cm.VisibilityMode.AUTO)
        .span_nulls(False)
        .max_data_points(MAX_DATA_POINTS)
        .interval("1d")
        .unit("short")
        .min(0)
        .legend(legend())
        .tooltip(tooltip())
    )


def _bars() -> ts.Panel:
    return (
        _lines()
        .draw_style(cm.GraphDrawStyle.BARS)
        .bar_alignment(cm.BarAlignment.AFTER)
        .line_width(0)
        .fill_opacity(80)
        .show_points(cm.VisibilityMode.NEVER)
    )


_SUMS: Final = {
    "notified": Text("Mắc", "Cases"),
    "confirmed": Text("Xác định", "Confirmed"),
    "imported": Text("Ngoại lai", "Imported"),
    "hospitalised": Text("Nhập viện", "In hospital"),
    "deaths": Text("Tử vong", "Deaths"),
}


def in_period(language: Language) -> dm.Panel:
    """Cases and what became of them, fatality and incidence of the period."""
    return panel(
        language,
        st.Panel()
        .reduce_options(cb.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("/.*/"))
        .color_mode(cm.BigValueColorMode.NONE)
        .text_mode(cm.BigValueTextMode.VALUE_AND_NAME)
        .graph_mode(cm.BigValueGraphMode.NONE)
        .unit("locale"),
        title=Text("Trong kỳ", "In the period"),
        question=Text(
            "Bệnh này nhiều và nặng đến đâu trong kỳ đã chọn, bao nhiêu ca ngoại lai? Tử vong/mắc là của "
            "cùng nhóm ca; theo ngày tử vong thì không có.",
            "How much of it is there in the chosen period, how bad is it, and how much was brought in? Case "
            "fatality is that of the cohort; by the day of death there is none.",
        ),
        page="case-fatality",
        size=(24, 4),
        targets=[
            table(
                f"""
WITH {people(districts=True)}, counted AS MATERIALIZED (
  SELECT {", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in _SUMS)}
  FROM {COUNTS} AND {IN_PERIOD} AND {OF_DISEASES}
), living AS (
  SELECT CASE
      WHEN count(*) = (SELECT count(*) FROM districts WHERE {OF_AREA} AND district <> '-')
      THEN sum(population)
    END AS population
  FROM people
  WHERE district IN (${{district:sqlstring}})
)
SELECT {", ".join(f"{name}::float8" for name in _SUMS)},
  deaths::float8 / nullif(notified, 0) AS case_fatality,
  notified * 1e5::float8 / population AS rate
FROM counted, living"""
            )
        ],
        overrides=[
            *(override(name, text(language)) for name, text in _SUMS.items()),
            override(
                "case_fatality",
                Text("Tử vong/mắc", "Case fatality")(language),
                unit="percentunit",
                decimals=1,
            ),
            override("rate", Text("Trên 100.000 dân", "Per 100,000")(language), unit="short", decimals=1),
        ],
    )


_CLASSES: Final = {
    "confirmed": (Text("Xác định", "Confirmed"), BLUE),
    "probable": (Text("Có thể", "Probable"), SKY),
    "suspected": (Text("Nghi ngờ", "Suspected"), ORANGE),
    "discarded": (Text("Loại trừ", "Discarded"), GREY),
}
_WEEKS_FROM: Final = 120
"""Of longer periods the curve has weeks."""


def epidemic_curve(language: Language) -> dm.Panel:
    """Cases per day or week by classification."""
    bucket = f"CASE WHEN {LAST_DAY} - {FIRST_DAY} > {_WEEKS_FROM} THEN {week_of('day')} ELSE day END"
    return panel(
        language,
        _bars().stacking(cb.StackingConfig().mode(cm.StackingMode.NORMAL).group("A")).decimals(0),
        title=Text("Đường cong dịch theo phân loại", "Epidemic curve by classification"),
        question=Text(
            f"Dịch đang lên hay xuống? Theo ngày; kỳ dài hơn {_WEEKS_FROM} ngày thì theo tuần ISO. Vùng xám: "
            f"{INCOMPLETE_DAYS} ngày gần nhất, chưa đủ báo cáo.",
            f"Is it rising or falling? By day; in periods longer than {_WEEKS_FROM} days by ISO week. The "
            f"shaded "
            f"region, the last {INCOMPLETE_DAYS} days, is not complete.",
        ),
        page="classification",
        size=(16, 10),
        targets=[
            series(
                f"""
SELECT {local_time(bucket)} AS time,
  {", ".join(f"sum({name})::float8 AS {name}" for name in _CLASSES)}
FROM {COUNTS} AND {IN_PERIOD} AND {OF_DISEASES}
GROUP BY 1
ORDER BY time"""
            )
        ],
        overrides=[
            override(name, text(language), colour=colour) for name, (text, colour) in _CLASSES.items()
        ],
    )


def nowcast(language: Language) -> dm.Panel:
    """The last weeks as they will be."""
    return panel(
        language,
        _lines().decimals(0).interval("1w"),
        title=Text("Ước tính khi báo cáo đủ", "Nowcast"),
        question=Text(
            "Khi báo cáo đủ, các tuần gần đây sẽ có bao nhiêu ca? Cả tỉnh, theo ngày khởi phát, khoảng tin "
            "cậy "
            "95 %. Chỉ có sau khi hệ thống đã theo dõi đủ lâu.",
            "How many cases will the last weeks have once all reports are in? The whole province, by day of "
            "onset, "
            "95 % interval. Only once the system has watched for long enough.",
        ),
        page="nowcast",
        size=(8, 10),
        targets=[
            series(
                f"""
SELECT {local_time("week_start")} AS time, counted::float8, nowcast, lower::float8, upper::float8
FROM nowcasts
WHERE province IN (${{province:sqlstring}}) AND {OF_DISEASES}
  AND week_start BETWEEN {week_of(FIRST_DAY)} AND {LAST_DAY}
ORDER BY time"""
            )
        ],
        overrides=[
            override("counted", Text("Đã đếm", "Counted")(language), colour=BLUE),
            override("nowcast", Text("Ước tính", "Nowcast")(language), colour=ORANGE),
            override("lower", Text("Dưới 95 %", "Lower 95 %")(language), colour=PALE),
            override("upper", Text("Trên 95 %", "Upper 95 %")(language), colour=PALE),
        ],
        no_value=Text("Chưa đủ dữ liệu để ước tính", "Not enough history yet"),
    )  # fmt: skip


_YEARS: Final = 5
_FEWEST_YEARS: Final = 3


def _weeks_of_years() -> str:
    """Weekly counts of the period's last year and those before: (iso_year, iso_week, monday, cases)."""
    monday = week_of("day")
    last_year = f"extract(isoyear FROM {LAST_DAY})::int"
    return f"""
known AS MATERIALIZED (
  SELECT DISTINCT year::int AS iso_year
  FROM case_years
  WHERE {OF_PROVINCE} AND {OF_DISEASES}
    AND year >= least(extract(isoyear FROM {FIRST_DAY}), {last_year})::int - {_YEARS}
), counted AS MATERIALIZED (
  SELECT {monday} AS monday, sum({CASES}) AS cases
  FROM {COUNTS} AND {OF_DISEASES}
    AND day BETWEEN least({week_of(FIRST_DAY)}, to_date({last_year} || '01', 'IYYYIW'))
      - 7 * 52 * {_YEARS} - 14
      AND {LAST_DAY}
  GROUP BY 1
), weeks AS MATERIALIZED (
  SELECT extract(isoyear FROM monday)::int AS iso_year, extract(week FROM monday)::int AS iso_week, monday,
    coalesce(cases, 0) AS cases
  FROM (
    SELECT generate_series(
      to_date((least(extract(isoyear FROM {FIRST_DAY}), {last_year})::int - {_YEARS}) || '01', 'IYYYIW'),
      {week_of(LAST_DAY)}, '7 days'
    )::date AS monday
  ) AS calendar
  LEFT JOIN counted USING (monday)
)"""


def observed_and_expected(language: Language) -> dm.Panel:
    """Weekly cases over the band of five years."""
    return panel(
        language,
        _lines().interval("1w").decimals(0),
        title=Text("Quan sát và kỳ vọng theo tuần", "Observed and expected, by week"),
        question=Text(
            "Số ca có vượt mức thường gặp không? Trung bình cùng tuần của 5 năm trước (ít nhất 3 năm có số "
            "liệu) "
            "và khoảng m + 1 SD đến m + 2 SD, công thức của TT 15/2026/TT-BYT Điều 22; ở đây tính cho địa "
            "bàn đã "
            "chọn, luật tính cho xã, không loại năm có dịch. Cảnh báo của hệ thống là các vạch.",
            "Are there more cases than usual? The mean of the same week of the five years before (three of "
            "them "
            "known at least) and the band from mean + 1 SD to mean + 2 SD, the formula of TT 15/2026/TT-BYT "
            "Art. 22; "
            "here for the chosen area, the law computes it for communes; years with outbreaks are not left "
            "out. "
            "Marks are the system's alerts.",
        ),
        page="detectors",
        size=(16, 10),
        targets=[
            series(
                f"""
WITH {_weeks_of_years()}, band AS (
  SELECT now_weeks.monday, now_weeks.cases, avg(past.cases) AS mean, stddev_samp(past.cases) AS deviation,
    count(*) AS years
  FROM weeks AS now_weeks
  LEFT JOIN (weeks AS past JOIN known USING (iso_year))
    ON past.iso_week = least(now_weeks.iso_week, 52)
      AND past.iso_year BETWEEN now_weeks.iso_year - {_YEARS} AND now_weeks.iso_year - 1
  WHERE now_weeks.monday BETWEEN {week_of(FIRST_DAY)} AND {LAST_DAY}
  GROUP BY 1, 2
)
SELECT {local_time("monday")} AS time, cases::float8 AS observed,
  CASE WHEN years >= {_FEWEST_YEARS} THEN mean END::float8 AS expected,
  CASE WHEN years >= {_FEWEST_YEARS} THEN mean + deviation END::float8 AS one_sd,
  CASE WHEN years >= {_FEWEST_YEARS} THEN mean + 2 * deviation END::float8 AS two_sd
FROM band
ORDER BY time"""
            )
        ],
        overrides=[
            override("observed", Text("Quan sát", "Observed")(language), colour=BLUE),
            override("expected", Text("Trung bình 5 năm", "Mean of 5 years")(language), colour=GREY),
            override("one_sd", "m + 1 SD", colour=ORANGE),
            override("two_sd", "m + 2 SD", colour=PURPLE),
        ],
    )  # fmt: skip


_SEASON_NAMES: Final = {
    "this_year": (Text("Năm nay", "This year"), BLUE),
    "last_year": (Text("Năm trước", "Last year"), ORANGE),
    "years_2": (Text("2 năm trước", "2 years ago"), PALE),
    "years_3": (Text("3 năm trước", "3 years ago"), PALE),
    "years_4": (Text("4 năm trước", "4 years ago"), PALE),
    "years_5": (Text("5 năm trước", "5 years ago"), PALE),
}
"""The oldest are drawn first: in grey, behind the two that are compared."""


def _by_week_number() -> tr.Panel:
    return (
        tr.Panel()
        .x_field("iso_week")
        .draw_style(cm.GraphDrawStyle.LINE)
        .line_width(2)
        .show_points(cm.VisibilityMode.NEVER)
        .span_nulls(False)
        .unit("short")
        .min(0)
        .legend(legend())
        .tooltip(tooltip())
    )


def _week_axis(language: Language) -> dm.DashboardFieldConfigSourceOverrides:
    # No decimals here: Grafana may set a tick at week 2.5, and would call it 3.
    return override("iso_week", Text("Tuần", "Week")(language))


def seasons(language: Language) -> dm.Panel:
    """This year over the five before."""
    columns = ",\n  ".join(
        f"sum(cases) FILTER (WHERE iso_year = last_iso_year - {back})::float8 AS {name}"
        for back, name in reversed(list(enumerate(_SEASON_NAMES)))
    )
    return panel(
        language,
        _by_week_number(),
        title=Text("Mùa này và các mùa trước", "This season and those before"),
        question=Text(
            "Mùa dịch đến sớm hay cao hơn mọi năm? Số ca theo tuần ISO (trục ngang là số tuần) của năm cuối "
            "kỳ và "
            "5 năm trước. Năm không có ca nào được biết thì để trống.",
            "Is the season early, or higher than before? Cases by ISO week (its number along the axis) of "
            "the "
            "period's last year and the five before. Years of which no case is known are left out.",
        ),
        page="comparison",
        size=(12, 9),
        targets=[
            table(
                f"""
WITH {_weeks_of_years()}
SELECT iso_week::float8 AS iso_week,
  {columns}
FROM weeks
JOIN known USING (iso_year)
CROSS JOIN (SELECT extract(isoyear FROM {LAST_DAY})::int AS last_iso_year) AS chosen
GROUP BY iso_week
ORDER BY iso_week"""
            )
        ],
        overrides=[
            _week_axis(language),
            *(
                override(name, text(language), colour=colour, decimals=0)
                for name, (text, colour) in _SEASON_NAMES.items()
            ),
        ],
    )


def cumulative(language: Language) -> dm.Panel:
    """Cases since the first week, beside last year and the median."""
    return panel(
        language,
        _by_week_number(),
        title=Text("Lũy tích từ đầu năm", "Cumulative since the year began"),
        question=Text(
            "Từ đầu năm đến nay nhiều hơn hay ít hơn năm trước và trung vị 5 năm? Lũy tích theo tuần ISO; "
            "trung vị "
            "cần ít nhất 3 năm có số liệu.",
            "Since the year began, are there more than last year and than the median of five years? "
            "Cumulative by "
            "ISO week; the median wants at least three known years.",
        ),
        page="comparison",
        size=(12, 9),
        targets=[
            table(
                f"""
WITH {_weeks_of_years()}, sums AS (
  SELECT iso_year, iso_week, sum(sum(cases)) OVER (PARTITION BY iso_year ORDER BY iso_week) AS cases
  FROM weeks
  JOIN known USING (iso_year)
  GROUP BY iso_year, iso_week
)
SELECT iso_week::float8 AS iso_week,
  max(cases) FILTER (WHERE iso_year = last_iso_year)::float8 AS this_year,
  max(cases) FILTER (WHERE iso_year = last_iso_year - 1)::float8 AS last_year,
  CASE WHEN count(*) FILTER (WHERE iso_year < last_iso_year) >= {_FEWEST_YEARS}
    THEN percentile_cont(0.5) WITHIN GROUP (ORDER BY cases) FILTER (WHERE iso_year < last_iso_year)
  END AS usual
FROM sums
CROSS JOIN (SELECT extract(isoyear FROM {LAST_DAY})::int AS last_iso_year) AS chosen
WHERE iso_year BETWEEN last_iso_year - {_YEARS} AND last_iso_year
GROUP BY iso_week
ORDER BY iso_week"""
            )
        ],
        overrides=[
            _week_axis(language),
            override("this_year", Text("Năm nay", "This year")(language), colour=BLUE),
            override("last_year", Text("Năm trước", "Last year")(language), colour=ORANGE),
            override("usual", Text("Trung vị 5 năm", "Median of 5 years")(language), colour=GREY),
        ],
    )  # fmt: skip


def districts_by_week(language: Language) -> dm.Panel:
    """Where and when, as colours."""
    return panel(
        language,
        rows_by_week(least=0),
        title=Text("Tỷ suất theo huyện và tuần", "Rate by district and week"),
        question=Text(
            "Dịch bắt đầu ở huyện nào và lan đi đâu? Ca trên 100.000 dân mỗi tuần ISO; huyện chưa có dân số "
            "thì "
            "không hiện.",
            "Where did it begin, and where did it go? Cases per 100,000 in each ISO week; districts without "
            "a "
            "population are not shown.",
        ),
        page="incidence",
        size=(12, 12),
        targets=[
            series(
                f"""
WITH {people(districts=True)}, counted AS MATERIALIZED (
  SELECT {week_of("day")} AS monday, district, sum({CASES}) AS cases
  FROM {COUNTS} AND {IN_PERIOD} AND {OF_DISEASES}
  GROUP BY 1, 2
)
SELECT {local_time("monday")} AS time, name AS metric, (cases * 1e5 / population)::float8 AS rate
FROM counted
JOIN people USING (district)
JOIN districts USING (district)
WHERE {OF_PROVINCE}
ORDER BY time, metric"""
            )
        ],
    )


def case_fatality(language: Language) -> dm.Panel:
    """Deaths over cases, with both."""
    return panel(
        language,
        # Without a soft maximum a month without deaths has an axis up to 10,000 %.
        _lines().interval("28d").unit("percentunit").decimals(1).axis_soft_max(0.05),
        title=Text("Tử vong/mắc theo tháng", "Case fatality by month"),
        question=Text(
            "Ca bệnh có nặng hơn không? Tử vong trên mắc của cùng nhóm ca, theo tháng, cạnh số ca là mẫu "
            "số. Ít "
            "ca thì tỷ lệ không ổn định.",
            "Are the cases graver? Deaths over cases of the same cohort, by month, beside the cases, which "
            "are the "
            "denominator. Of few cases the ratio is unstable.",
        ),
        page="case-fatality",
        size=(8, 9),
        targets=[
            series(
                f"""
SELECT {local_time("date_trunc('month', day)::date")} AS time, sum(notified)::float8 AS notified,
  sum(deaths)::float8 AS deaths, sum(deaths)::float8 / nullif(sum(notified), 0) AS case_fatality
FROM {COUNTS} AND {IN_PERIOD} AND {OF_DISEASES}
GROUP BY 1
ORDER BY time"""
            )
        ],
        overrides=[
            override("notified", Text("Mắc", "Cases")(language), colour=SKY, unit="short", decimals=0),
            override("deaths", Text("Tử vong", "Deaths")(language), colour=PLUM, unit="short", decimals=0),
            override("case_fatality", Text("Tử vong/mắc", "Case fatality")(language), colour=ORANGE),
        ],
    )  # fmt: skip


def positivity(language: Language) -> dm.Panel:
    """Laboratory results by week."""
    return panel(
        language,
        _lines().interval("1w"),
        title=Text("Xét nghiệm và tỷ lệ dương tính", "Tests and positivity"),
        question=Text(
            "Có xét nghiệm đủ không, và bao nhiêu phần dương tính? Ca có kết quả theo tuần; tỷ lệ = dương "
            "tính "
            "trên dương tính cộng âm tính.",
            "Are enough cases tested, and how many are positive? Cases with a result by week; positivity is "
            "positive over positive plus negative.",
        ),
        page="laboratory",
        size=(8, 9),
        targets=[
            series(
                f"""
SELECT {local_time(week_of("day"))} AS time, sum(positive)::float8 AS positive,
  sum(negative)::float8 AS negative, sum(pending)::float8 AS pending,
  sum(positive)::float8 / nullif(sum(positive) + sum(negative), 0) AS positivity
FROM {COUNTS} AND {IN_PERIOD} AND {OF_DISEASES}
GROUP BY 1
ORDER BY time"""
            )
        ],
        overrides=[
            *(
                override(name, text(language), colour=colour, decimals=0)
                for name, text, colour in (
                    ("positive", Text("Dương tính", "Positive"), BLUE),
                    ("negative", Text("Âm tính", "Negative"), SKY),
                    ("pending", Text("Chờ kết quả", "Pending"), GREY),
                )
            ),
            override("positivity", Text("Tỷ lệ dương tính", "Positivity")(language), colour=ORANGE,
                     unit="percentunit", decimals=0, max=1),
        ],
    )  # fmt: skip


_DELAYS: Final = (
    ("delay_0_1", Text("0–1", "0–1")),
    ("delay_2_3", Text("2–3", "2–3")),
    ("delay_4_7", Text("4–7", "4–7")),
    ("delay_8_14", Text("8–14", "8–14")),
    ("delay_15_28", Text("15–28", "15–28")),
    ("delay_29_up", Text("29 +", "29 +")),
    ("delay_unknown", Text("không rõ", "unknown")),
)


def delays(language: Language) -> dm.Panel:
    """How long reports took."""
    values = ",\n  ".join(
        f"({place}, '{text(language)}', {column})" for place, (column, text) in enumerate(_DELAYS)
    )
    return panel(
        language,
        bc.Panel()
        .orientation(cm.VizOrientation.VERTICAL)
        .x_field("days")
        .show_value(cm.VisibilityMode.AUTO)
        .fill_opacity(80)
        .line_width(0)
        .unit("short")
        .decimals(0)
        .min(0)
        .legend(legend())
        .tooltip(tooltip()),
        title=Text("Độ trễ từ khởi phát đến báo cáo", "Delay from onset to report"),
        question=Text(
            "Báo cáo đến sau khởi phát bao nhiêu ngày? Số ca được báo cáo trong kỳ theo số ngày trễ; tính "
            "mỗi "
            "15 phút một lần.",
            "How many days after the onset do reports come? Cases reported in the period by their delay in "
            "days; "
            "computed every quarter of an hour.",
        ),
        page="delay",
        size=(8, 9),
        targets=[
            table(
                f"""
SELECT days, cases::float8 AS cases
FROM (
  SELECT {", ".join(f"coalesce(sum({column}), 0) AS {column}" for column, _ in _DELAYS)}
  FROM quality_weeks
  WHERE province IN (${{province:sqlstring}}) AND district IN (${{district:sqlstring}}) AND {OF_DISEASES}
    AND week_start BETWEEN {week_of(FIRST_DAY)} AND {LAST_DAY}
) AS summed
CROSS JOIN LATERAL (VALUES
  {values}
) AS shown (place, days, cases)
ORDER BY place"""
            )
        ],
        overrides=[
            override("days", Text("Ngày", "Days")(language)),
            override("cases", Text("Ca", "Cases")(language), colour=BLUE),
        ],
    )


def ages(language: Language) -> dm.Panel:
    """Cases by age and sex."""
    return panel(
        language,
        by_age_and_sex(),
        title=Text("Tuổi và giới", "Age and sex"),
        question=Text(
            "Bệnh ở lứa tuổi và giới nào? Số ca được báo cáo trong kỳ (theo tuần báo cáo), tính mỗi 15 "
            "phút một lần. Chưa có dân số theo tuổi và giới nên không có tỷ suất.",
            "Who falls ill? Cases reported in the period (by week of report), computed every quarter of an "
            "hour. There are no populations by age and sex, and so no rates.",
        ),
        page="age-and-sex",
        size=(8, 10),
        targets=[
            table(
                ages_and_sexes(
                    f"""
  SELECT age_band, sex, cases
  FROM age_sex_weeks
  WHERE province IN (${{province:sqlstring}}) AND district IN (${{district:sqlstring}}) AND {OF_DISEASES}
    AND week_start BETWEEN {week_of(FIRST_DAY)} AND {LAST_DAY}""",
                    language,
                )
            )
        ],
        overrides=sex_columns(language),
    )


BOARD: Final = Board(
    name="disease",
    title=Text("Bệnh", "Disease"),
    description=Text(
        "Một bệnh: đang lên hay xuống, có vượt mức thường gặp không, ở đâu, nặng đến đâu, xét nghiệm ra sao?",
        "One disease: does it rise, is it above what is usual, where is it, how grave, what does the "
        "laboratory say?",
    ),
    variables=(GEOGRAPHY, PROVINCE, DISTRICT, ONE_DISEASE, BASIS),
    panels=(
        in_period,
        epidemic_curve,
        nowcast,
        observed_and_expected,
        ages,
        incidence_map,
        districts_by_week,
        seasons,
        cumulative,
        case_fatality,
        positivity,
        delays,
    ),
    annotations=(alert_marks, incomplete_days),
)
