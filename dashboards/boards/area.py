# ruff: noqa: S608 - queries are made of constants of this package; Grafana puts in what people choose
"""Địa bàn / Area: one district: how much, of what, beside its neighbours, and who reports."""

from typing import Final

from grafana_foundation_sdk.builders import common as cb
from grafana_foundation_sdk.builders import stat as st
from grafana_foundation_sdk.builders import table as tb
from grafana_foundation_sdk.models import common as cm
from grafana_foundation_sdk.models import dashboard as dm

from dashboards.boards.overview import circles, incomplete_days, weekly_cases
from dashboards.framework import (
    BASIS,
    CASES,
    COUNTS,
    DATE,
    DISEASE,
    GEOGRAPHY,
    IN_PERIOD,
    INSTANT,
    LAST_DAY,
    LAST_JUDGED,
    NEIGHBOURS,
    OF_AREA,
    OF_BASIS,
    OF_DISEASES,
    OF_PROVINCE,
    ONCE,
    ONE_DISTRICT,
    PROVINCE,
    RATES_OF_PLACES,
    Board,
    Language,
    Text,
    board_url,
    data_link,
    level_column,
    lines_of_places,
    local_time,
    nearest,
    override,
    panel,
    people,
    place_colours,
    rows_by_week,
    sentence_column,
    series,
    table,
    week_of,
)

_WINDOW: Final = 14


def situation(language: Language) -> dm.Panel:
    """Two weeks, their change, the rate and its rank, open alerts."""
    return panel(
        language,
        st.Panel()
        .reduce_options(cb.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("/.*/"))
        .color_mode(cm.BigValueColorMode.NONE)
        .text_mode(cm.BigValueTextMode.VALUE_AND_NAME)
        .graph_mode(cm.BigValueGraphMode.NONE)
        .unit("locale"),
        title=Text("Tình hình", "Situation"),
        question=Text(
            f"Huyện này thế nào? Số ca {_WINDOW} ngày cuối kỳ và thay đổi so với {_WINDOW} ngày trước đó "
            f"(những "
            "ngày cuối chưa đủ báo cáo); số ca và tỷ suất của cả kỳ; hạng trong tỉnh theo tỷ suất; cảnh báo "
            "mở.",
            f"How is this district? Cases of the period's last {_WINDOW} days and the change on the "
            f"{_WINDOW} "
            "before (the last days are not complete); cases and rate of the whole period; rank in the "
            "province by "
            "rate; open alerts.",
        ),
        page="incidence",
        size=(24, 4),
        targets=[table(_situation())],
        overrides=[
            override("recent", Text(f"Ca {_WINDOW} ngày", f"Cases, {_WINDOW} days")(language)),
            override("change", Text("Thay đổi", "Change")(language), unit="percent", decimals=0),
            override("cases", Text("Ca trong kỳ", "Cases in the period")(language)),
            override("rate", Text("Trên 100.000 dân", "Per 100,000")(language), unit="short", decimals=1),
            override("rank", Text("Hạng theo tỷ suất", "Rank by rate")(language), decimals=0),
            override("open_alerts", Text("Cảnh báo mở", "Open alerts")(language)),
        ],
    )


def _situation() -> str:
    return f"""
WITH {people(districts=True)}, counted AS MATERIALIZED (
  SELECT district, sum({CASES}) AS cases, sum({CASES}) FILTER (WHERE day > {LAST_DAY} - {_WINDOW}) AS recent,
    sum({CASES}) FILTER (
      WHERE day BETWEEN {LAST_DAY} - {2 * _WINDOW - 1} AND {LAST_DAY} - {_WINDOW}
    ) AS earlier
  FROM daily_counts
  WHERE {OF_PROVINCE} AND {OF_BASIS} AND {IN_PERIOD} AND {OF_DISEASES} AND {ONCE}
  GROUP BY district
), ranked AS (
  SELECT district, cases * 1e5 / population AS rate,
    rank() OVER (ORDER BY cases * 1e5 / population DESC) AS place
  FROM counted
  JOIN people USING (district)
)
SELECT coalesce(sum(recent), 0)::float8 AS recent,
  (100 * (sum(recent) - sum(earlier)) / nullif(sum(earlier), 0))::float8 AS change,
  coalesce(sum(cases), 0)::float8 AS cases, max(rate)::float8 AS rate, min(place)::float8 AS rank,
  (SELECT count(*) FROM alerts WHERE {OF_AREA} AND is_open AND {OF_DISEASES})::float8 AS open_alerts
FROM counted
LEFT JOIN ranked USING (district)
WHERE district IN (${{district:sqlstring}})"""


def neighbours(language: Language) -> dm.Panel:
    """The district and those nearest to it."""
    return panel(
        language,
        lines_of_places(),
        title=Text("So với các huyện gần nhất", "Beside the nearest districts"),
        question=Text(
            f"Có lan từ hay sang huyện bên không? Ca trên 100.000 dân mỗi tuần ISO, của huyện này (0) và "
            f"{NEIGHBOURS} huyện cùng tỉnh có tâm gần nhất (1 là gần nhất).",
            f"Does it come from or go to a neighbour? Cases per 100,000 in each ISO week, of this district "
            f"(0) and the {NEIGHBOURS} of the province whose centres are nearest (1 is the nearest).",
        ),
        page="incidence",
        size=(12, 12),
        targets=[
            series(
                f"""
WITH {people(districts=True)}, here AS (
  SELECT avg(latitude) AS latitude, avg(longitude) AS longitude FROM districts WHERE {OF_AREA}
), {nearest("here")}, counted AS MATERIALIZED (
  SELECT {week_of("day")} AS monday, district, sum({CASES}) AS cases
  FROM daily_counts
  WHERE {OF_PROVINCE} AND district IN (SELECT district FROM near) AND {OF_BASIS} AND {IN_PERIOD}
    AND {OF_DISEASES} AND {ONCE}
  GROUP BY 1, 2
)
{RATES_OF_PLACES}"""
            )
        ],
        overrides=place_colours(),
    )


def diseases_by_week(language: Language) -> dm.Panel:
    """Every disease of the district, week by week."""
    return panel(
        language,
        rows_by_week(least=0),
        title=Text("Từng bệnh theo tuần", "Each disease, by week"),
        question=Text(
            "Ở huyện này bệnh nào có, bệnh nào đang lên? Số ca mỗi tuần ISO của từng bệnh; ô trống là "
            "không có ca được báo cáo.",
            "Which diseases are here, and which rise? Cases of each disease in each ISO week; an empty "
            "cell: none reported.",
        ),
        page="notified",
        size=(12, 12),
        targets=[
            series(
                f"""
WITH counted AS MATERIALIZED (
  SELECT {week_of("day")} AS monday, disease, sum({CASES}) AS cases
  FROM {COUNTS} AND {IN_PERIOD} AND {OF_DISEASES} AND {ONCE}
  GROUP BY 1, 2
)
SELECT {local_time("monday")} AS time, name_{language} AS metric, cases::float8 AS cases
FROM counted
JOIN diseases USING (disease)
WHERE cases <> 0
ORDER BY time, metric"""
            )
        ],
    )


def reporters(language: Language) -> dm.Panel:
    """Who reports in the district, and who has stopped."""
    silent, still = Text("im lặng", "silent"), Text("vẫn báo", "reports")
    return panel(
        language,
        tb.Panel().show_header(True),
        title=Text("Đơn vị báo cáo đều của huyện", "The district's regular reporters"),
        question=Text(
            "Ít ca vì hết bệnh hay vì thôi báo? Các đơn vị báo đều hằng tuần, theo lần xét cuối trong kỳ; "
            "im lặng ở trên.",
            "Few cases, or few reports? The reporters that report by the week, as judged last within the "
            "period; the silent ones first.",
        ),
        page="silence",
        size=(9, 10),
        targets=[
            table(
                f"""
SELECT reporter, CASE state WHEN 'silent' THEN '{silent(language)}' ELSE '{still(language)}' END AS state,
  last_active, silent_weeks
FROM reporter_weeks
WHERE province IN (${{province:sqlstring}}) AND district IN (${{district:sqlstring}})
  AND judged_on = {LAST_JUDGED}
ORDER BY silent_weeks DESC, reporter
LIMIT 200"""
            )
        ],
        overrides=[
            override("reporter", Text("Đơn vị", "Reporter")(language), custom__width=160),
            override("state", Text("Trạng thái", "State")(language), custom__width=100),
            override(
                "last_active", Text("Tuần báo cuối", "Last report")(language), unit=DATE, custom__width=130
            ),
            override(
                "silent_weeks", Text("Tuần im lặng", "Weeks silent")(language), decimals=0, custom__width=120
            ),
        ],
        no_value=Text("Không có đơn vị báo đều", "No regular reporter"),
    )


def communes_by_week(language: Language) -> dm.Panel:
    """Which communes reported, week by week."""
    return panel(
        language,
        rows_by_week(least=0),
        title=Text("Xã nào báo cáo, theo tuần", "Which communes report, by week"),
        question=Text(
            "Xã nào im lặng? Số ca được báo cáo mỗi tuần ISO theo xã (theo ngày báo cáo); ô trống là không "
            "có báo "
            "cáo, không có nghĩa là không có ca.",
            "Which communes are silent? Cases reported in each ISO week by commune (day of report); an "
            "empty cell "
            "is no report, which does not mean no case.",
        ),
        page="silence",
        size=(24, 11),
        targets=[
            series(
                f"""
WITH places AS MATERIALIZED (
  SELECT DISTINCT commune, name FROM communes WHERE {OF_AREA}
), counted AS MATERIALIZED (
  SELECT {week_of("day")} AS monday, commune, sum(notified) AS reported
  FROM daily_counts
  WHERE {OF_AREA} AND basis = 'report' AND {IN_PERIOD} AND {OF_DISEASES} AND {ONCE} AND notified > 0
  GROUP BY 1, 2
)
SELECT {local_time("monday")} AS time, name AS metric, reported::float8 AS reported
FROM counted
JOIN places USING (commune)
ORDER BY time, metric"""
            )
        ],
    )


def _by_commune() -> str:
    return f"""
WITH counted AS MATERIALIZED (
  SELECT commune, sum(notified) AS notified, sum(deaths) AS deaths, max(day) AS last_day
  FROM {COUNTS} AND {IN_PERIOD} AND {OF_DISEASES} AND {ONCE}
  GROUP BY commune
)
SELECT commune, name, latitude, longitude, notified::float8, deaths::float8,
  extract(epoch FROM {local_time("last_day")})::float8 * 1000 AS last_day
FROM communes
JOIN counted USING (commune)
WHERE {OF_AREA}
ORDER BY notified DESC, name
LIMIT 200"""


def communes(language: Language) -> dm.Panel:
    """Communes by cases."""
    return panel(
        language,
        tb.Panel().show_header(True).unit("short").decimals(0),
        title=Text("Xã có ca", "Communes with cases"),
        question=Text(
            "Ở xã nào? Ca, tử vong và ngày của ca gần nhất trong kỳ; xã không có ca thì không hiện.",
            "In which communes? Cases, deaths and the day of the newest case in the period; communes "
            "without a "
            "case are not shown.",
        ),
        page="notified",
        size=(12, 12),
        targets=[table(_by_commune())],
        overrides=[
            *(override(column, is_hidden=True) for column in ("commune", "latitude", "longitude")),
            override("name", Text("Xã", "Commune")(language)),
            override("notified", Text("Mắc", "Cases")(language)),
            override("deaths", Text("Tử vong", "Deaths")(language)),
            override("last_day", Text("Ca gần nhất", "Newest case")(language), unit=DATE),
        ],
    )


def commune_map(language: Language) -> dm.Panel:
    """Communes as circles."""
    return panel(
        language,
        circles("notified"),
        title=Text("Ca bệnh theo xã", "Cases by commune"),
        question=Text(
            "Ca bệnh nằm ở đâu trong huyện? Vòng tròn ở tâm xã, to và đậm là nhiều ca.",
            "Where in the district are the cases? Circles at the communes' centres: large and dark means "
            "many.",
        ),
        page="notified",
        size=(12, 12),
        targets=[table(_by_commune())],
        overrides=[
            override("name", Text("Xã", "Commune")(language)),
            override("notified", Text("Mắc", "Cases")(language), decimals=0),
            override("deaths", Text("Tử vong", "Deaths")(language), decimals=0),
            override("last_day", Text("Ca gần nhất", "Newest case")(language), unit=DATE),
        ],
    )


def recent_alerts(language: Language) -> dm.Panel:
    """The newest alerts of the district."""
    return panel(
        language,
        tb.Panel().show_header(True).inspect(True),
        title=Text("Cảnh báo của huyện", "Alerts of the district"),
        question=Text(
            "Đã có cảnh báo nào ở đây? Phát trong kỳ, mới nhất trước.",
            "Which alerts were there? Raised in the period, the newest first.",
        ),
        page="detectors",
        size=(24, 8),
        targets=[
            table(
                f"""
SELECT raised_at, level_rank::float8 AS level, disease, disease_{language} AS disease_name, area_name,
  observed AS cases, why_{language} AS why
FROM alerts
WHERE {OF_AREA} AND {OF_DISEASES} AND $__timeFilter(raised_at)
ORDER BY raised_at DESC
LIMIT 50"""
            )
        ],
        overrides=[
            override("disease", is_hidden=True),
            override("raised_at", Text("Phát lúc", "Raised")(language), unit=INSTANT, custom__width=155),
            level_column(language),
            override(
                "disease_name",
                Text("Bệnh", "Disease")(language),
                links=[
                    data_link(
                        Text("Mở bảng Bệnh", "Open the disease")(language),
                        board_url("disease", language, disease="${__data.fields.disease}"),
                    )
                ],
                custom__width=200,
            ),
            override("area_name", Text("Nơi", "Place")(language), custom__width=160),
            override("cases", Text("Ca", "Cases")(language), decimals=0, custom__width=70),
            sentence_column("why", Text("Vì sao", "Why")(language)),
        ],
        no_value=Text("Không có cảnh báo", "No alert"),
    )


BOARD: Final = Board(
    name="area",
    title=Text("Địa bàn", "Area"),
    description=Text(
        "Một huyện: bao nhiêu, bệnh gì, so với các huyện gần, xã nào có ca và xã nào im lặng?",
        "One district: how much, of what, beside its neighbours, which communes have cases and which are "
        "silent?",
    ),
    variables=(GEOGRAPHY, PROVINCE, ONE_DISTRICT, DISEASE, BASIS),
    panels=(
        situation,
        weekly_cases,
        reporters,
        neighbours,
        diseases_by_week,
        communes,
        commune_map,
        communes_by_week,
        recent_alerts,
    ),
    annotations=(incomplete_days,),
)
