# ruff: noqa: S608 - queries are made of constants of this package; Grafana puts in what people choose
"""Tổng quan / Overview: what rises, where, and whether the figures can be believed."""

from functools import cache
from itertools import cycle
from typing import Final

from grafana_foundation_sdk.builders import bargauge as bg
from grafana_foundation_sdk.builders import common as cb
from grafana_foundation_sdk.builders import dashboard as db
from grafana_foundation_sdk.builders import geomap as gm
from grafana_foundation_sdk.builders import stat as st
from grafana_foundation_sdk.builders import table as tb
from grafana_foundation_sdk.builders import timeseries as ts
from grafana_foundation_sdk.models import common as cm
from grafana_foundation_sdk.models import dashboard as dm
from grafana_foundation_sdk.models import geomap as gmm

from dashboards.framework import (
    BASIS,
    BLUE,
    CASES,
    COUNTS,
    DISEASE,
    DISEASE_COLOURS,
    DISTRICT,
    DURATION,
    FIRST_DAY,
    GEOGRAPHY,
    GREY,
    IN_PERIOD,
    INCOMPLETE_DAYS,
    LAST_DAY,
    LAST_JUDGED,
    LEVELS,
    MAX_DATA_POINTS,
    MOST_ROWS,
    OF_AREA,
    OF_BASIS,
    OF_DISEASES,
    OF_PROVINCE,
    ONCE,
    ORANGE,
    PALE,
    PROVINCE,
    PURPLE,
    SHARED_COLOURS,
    SKY,
    TIMEZONE,
    VERMILION,
    Board,
    Language,
    Text,
    annotation,
    board_url,
    counted_in,
    data_link,
    last_value,
    legend,
    local_time,
    override,
    panel,
    people,
    place_name,
    rows_by_week,
    series,
    steps,
    table,
    tooltip,
    week_of,
)
from schemas.catalogue import load_catalogue


def open_alerts(language: Language) -> dm.Panel:
    """Open alerts by level."""
    open_them = data_link(
        Text("Mở bảng Cảnh báo", "Open the alerts")(language), board_url("alerts", language)
    )
    return panel(
        language,
        st.Panel()
        .reduce_options(cb.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("/.*/"))
        .color_mode(cm.BigValueColorMode.BACKGROUND_SOLID)
        .text_mode(cm.BigValueTextMode.VALUE_AND_NAME)
        .orientation(cm.VizOrientation.HORIZONTAL)
        .graph_mode(cm.BigValueGraphMode.NONE)
        .unit("short"),
        title=Text("Cảnh báo đang mở", "Open alerts"),
        question=Text(
            "Có gì cần người xử lý ngay không? Cảnh báo chưa đóng, theo mức, bất kể thời gian đã chọn.",
            "Does anything need a person now? Alerts that are not closed, by level, whatever time is chosen.",
        ),
        page="detectors",
        size=(9, 5),
        targets=[
            table(
                "SELECT "
                + ",\n  ".join(f"count(*) FILTER (WHERE level = '{level}') AS {level}" for level in LEVELS)
                + f"\nFROM alerts\nWHERE {OF_AREA} AND is_open AND {OF_DISEASES}"
            )
        ],
        overrides=[
            override(level, name(language), links=[open_them], thresholds={
                "mode": "absolute",
                "steps": [{"value": None, "color": GREY}, {"value": 1, "color": colour}],
            })
            for level, (name, colour) in LEVELS.items()
        ],
    )  # fmt: skip


def newest_report(language: Language) -> dm.Panel:
    """Age of the newest event."""
    return panel(
        language,
        st.Panel()
        .reduce_options(last_value())
        .color_mode(cm.BigValueColorMode.NONE)
        .graph_mode(cm.BigValueGraphMode.NONE)
        .unit(DURATION),
        title=Text("Báo cáo mới nhất, cách đây", "Newest report, ago"),
        question=Text(
            "Số liệu có mới không? Từ khi hệ thống nhận sự kiện ca bệnh mới nhất, của mọi tỉnh "
            "(giờ:phút:giây).",
            "Can I trust what I see? Since the newest case event was taken in, of any province "
            "(hours:minutes:seconds).",
        ),
        page="delay",
        size=(5, 5),
        targets=[
            table("SELECT extract(epoch FROM now() - newest_at)::float8 AS newest_age_seconds FROM freshness")
        ],
    )


_COUNTERS: Final = {"notified": Text("Mắc", "Notified"), "deaths": Text("Tử vong", "Deaths")}
"""The index that answers for all diseases in time (daily_counts_boards_idx) has no others."""


def cases_in_period(language: Language) -> dm.Panel:
    """Cases and deaths of the chosen period."""
    return panel(
        language,
        st.Panel()
        .reduce_options(cb.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("/.*/"))
        .color_mode(cm.BigValueColorMode.NONE)
        .text_mode(cm.BigValueTextMode.VALUE_AND_NAME)
        .graph_mode(cm.BigValueGraphMode.NONE)
        .unit("locale"),
        title=Text("Số ca trong kỳ", "Cases in the period"),
        question=Text(
            "Trong thời gian đã chọn có bao nhiêu ca mắc và tử vong? Ca xác định, nhập viện, ngoại lai: xem "
            "bảng Bệnh. Chỉ từ báo cáo ca bệnh; số tổng hợp (tallies) xem `canhdich counts`.",
            "How many cases and deaths were there in the chosen time? Confirmed, imported and in hospital: "
            "see the board of the disease. From case reports only; for figures reported as sums (tallies) "
            "see `canhdich counts`.",
        ),
        page="notified",
        size=(10, 5),
        targets=[
            table(
                "SELECT "
                + ",\n  ".join(f"coalesce(sum({counter}), 0)::float8 AS {counter}" for counter in _COUNTERS)
                + f"\nFROM {COUNTS} AND {IN_PERIOD}\n  AND {OF_DISEASES} AND {ONCE}"
            )
        ],
        overrides=[override(counter, text(language)) for counter, text in _COUNTERS.items()],
    )


_SHOWN_DISEASES: Final = 7


def weekly_cases(language: Language) -> dm.Panel:
    """Weekly cases by disease, stacked."""
    other = Text("Bệnh khác", "Other diseases")(language)
    return panel(
        language,
        ts.Panel()
        .draw_style(cm.GraphDrawStyle.BARS)
        .bar_alignment(cm.BarAlignment.AFTER)
        .fill_opacity(80)
        .line_width(0)
        .stacking(cb.StackingConfig().mode(cm.StackingMode.NORMAL).group("A"))
        .interval("1w")
        .max_data_points(MAX_DATA_POINTS)
        .unit("short")
        .decimals(0)
        .min(0)
        .legend(legend("sum"))
        .tooltip(tooltip()),
        title=Text("Số ca mỗi tuần theo bệnh", "Cases per week, by disease"),
        question=Text(
            f"Bệnh nào đang tăng? Mỗi cột là một tuần ISO (từ thứ Hai); {_SHOWN_DISEASES} bệnh nhiều ca nhất "
            f"trong kỳ, còn lại gộp chung. Vùng xám: {INCOMPLETE_DAYS} ngày gần nhất, chưa đủ báo cáo.",
            f"Is any disease rising? Each bar is an ISO week (from Monday); the {_SHOWN_DISEASES} diseases "
            f"with most cases of the period, the rest together. The shaded region, the last "
            f"{INCOMPLETE_DAYS} days, is not complete.",
        ),
        page="notified",
        size=(15, 10),
        targets=[series(_weekly_cases(language, other))],
        overrides=[
            *(override(name, colour=colour) for name, colour in _disease_colours(language)),
            override(other, colour=PALE),
        ],
    )


def _weekly_cases(language: Language, other: str) -> str:
    return f"""
WITH weeks AS (
  SELECT {week_of("day")} AS week_start, disease, sum({CASES}) AS cases
  FROM {COUNTS} AND {IN_PERIOD}
    AND {OF_DISEASES} AND {ONCE}
  GROUP BY 1, 2
), ranked AS (
  SELECT disease, row_number() OVER (ORDER BY sum(cases) DESC, disease) AS place FROM weeks GROUP BY disease
)
SELECT {local_time("week_start")} AS time,
  CASE WHEN ranked.place <= {_SHOWN_DISEASES} THEN name_{language} ELSE '{other}' END AS metric,
  sum(cases)::float8 AS cases
FROM weeks
JOIN ranked USING (disease)
JOIN diseases USING (disease)
GROUP BY 1, 2
ORDER BY time, metric"""


@cache
def _disease_colours(language: Language) -> list[tuple[str, str]]:
    """The name and the colour of every disease."""
    shared = cycle(SHARED_COLOURS)
    return [
        (
            disease.name_vi if language == "vi" else disease.name_en,
            DISEASE_COLOURS.get(disease.code) or next(shared),
        )
        for disease in load_catalogue().diseases
    ]


def what_rises(language: Language) -> dm.Panel:
    """Diseases beside the same weeks of five years."""
    return panel(
        language,
        tb.Panel().show_header(True).unit("short").decimals(0),
        title=Text(
            "Bệnh nào tăng? 4 tuần trọn gần nhất và cùng kỳ 5 năm", "What rises? The last four whole weeks"
        ),
        question=Text(
            "Bệnh nào nhiều hơn thường lệ? Số ca của 4 tuần ISO trọn cuối kỳ, cạnh trung vị cùng các tuần "
            "đó của 5 năm trước (ít nhất 3 năm có số liệu); tăng nhiều ca nhất ở trên. Tuần cuối có thể chưa "
            "đủ báo cáo. Chọn một bệnh để mở bảng Bệnh.",
            "Which disease has more cases than usual? The last four whole ISO weeks beside the median of "
            "the same weeks of the five years before (at least three of them known); the most cases above it "
            "come first. The last week may not be complete. Select a disease to open its board.",
        ),
        page="comparison",
        size=(15, 11),
        targets=[table(_what_rises(language))],
        overrides=[
            override("disease", is_hidden=True),
            override(
                "name",
                Text("Bệnh", "Disease")(language),
                links=[
                    data_link(
                        Text("Mở bảng Bệnh", "Open the disease")(language),
                        board_url("disease", language, disease="${__data.fields.disease}"),
                    )
                ],
            ),
            *(
                override(column, title(language), decimals=0, custom__width=width)
                for column, title, width in (
                    ("notified", Text("Trong kỳ", "In the period"), 115),
                    ("deaths", Text("Tử vong", "Deaths"), 90),
                    ("recent", Text("4 tuần", "4 weeks"), 90),
                )
            ),
            override(
                "usual", Text("Trung vị 5 năm", "Median, 5 years")(language), decimals=1, custom__width=150
            ),
            override(
                "change", Text("Thay đổi", "Change")(language), unit="percent", decimals=0, custom__width=110
            ),
        ],
    )


def _what_rises(language: Language) -> str:
    monday = f"({week_of(f'{LAST_DAY} + 1')} - 28)"
    return f"""
WITH spans AS MATERIALIZED (
  SELECT years_before,
    to_date(
      to_char(extract(isoyear FROM {monday}) - years_before, 'FM0000')
        || to_char(least(extract(week FROM {monday}), 52), 'FM00'),
      'IYYYIW'
    ) AS first_day
  FROM generate_series(0, 5) AS years_before
), ranges AS MATERIALIZED (
  -- This year's weeks and the period are read together. Its days are worked out here, not for every row.
  SELECT years_before, first_day, first_day + 27 AS last_day, period_first, period_last,
    least(period_first, first_day) AS from_day, greatest(period_last, first_day + 27) AS to_day
  FROM spans
  LEFT JOIN (SELECT {FIRST_DAY} AS period_first, {LAST_DAY} AS period_last) AS period ON years_before = 0
), counted AS MATERIALIZED (
  SELECT years_before, disease, sum({CASES}) FILTER (WHERE day BETWEEN first_day AND last_day) AS cases,
    sum(notified) FILTER (WHERE day BETWEEN period_first AND period_last) AS notified,
    sum(deaths) FILTER (WHERE day BETWEEN period_first AND period_last) AS deaths
  FROM ranges
  JOIN daily_counts ON day BETWEEN from_day AND to_day
  WHERE {OF_AREA} AND {OF_BASIS} AND {OF_DISEASES}
  GROUP BY years_before, disease
), known AS MATERIALIZED (
  SELECT disease, years_before
  FROM case_years
  JOIN spans ON extract(year FROM first_day + 27)::int = year
  WHERE {OF_PROVINCE} AND {OF_DISEASES} AND years_before > 0
    AND year BETWEEN extract(isoyear FROM {monday})::int - 5 AND extract(isoyear FROM {monday})::int
), usual AS MATERIALIZED (
  SELECT disease, percentile_cont(0.5) WITHIN GROUP (ORDER BY coalesce(cases, 0)) AS cases
  FROM known
  LEFT JOIN counted USING (disease, years_before)
  GROUP BY disease
  HAVING count(*) >= 3
)
SELECT disease, name_{language} AS name, notified::float8, deaths::float8,
  coalesce(counted.cases, 0)::float8 AS recent, usual.cases AS usual,
  100 * (coalesce(counted.cases, 0) - usual.cases) / nullif(usual.cases, 0) AS change
FROM counted
JOIN diseases USING (disease)
LEFT JOIN usual USING (disease)
WHERE years_before = 0 AND (notified <> 0 OR deaths <> 0)
ORDER BY coalesce(counted.cases, 0) - coalesce(usual.cases, 0) DESC, notified DESC, name
LIMIT 100"""


def _by_district(language: Language, extra: str = "") -> str:
    """Districts with their cases, deaths and rate in the period."""
    return f"""
WITH {people(districts=True)}, counted AS MATERIALIZED (
  SELECT district, sum(notified) AS notified, sum(deaths) AS deaths
  FROM {COUNTS} AND {IN_PERIOD} AND {OF_DISEASES} AND {ONCE}
  GROUP BY district
)
SELECT district, {place_name(language)} AS name, latitude, longitude,
  coalesce(notified, 0)::float8 AS notified, coalesce(deaths, 0)::float8 AS deaths,
  (coalesce(notified, 0) * 1e5 / population)::float8 AS rate
FROM districts
LEFT JOIN counted USING (district)
LEFT JOIN people USING (district)
WHERE {OF_AREA}{extra}
ORDER BY rate DESC NULLS LAST, notified DESC, name
LIMIT 200"""


_OUTLINES: Final = "public/maps/countries.geojson"
_BORDERS: Final = "public/canhdich/maps/areas.geojson"


def circles(colour_by: str) -> gm.Panel:
    """A map of circles at `latitude` and `longitude`, sized by `notified`, without any tile from outside.

    Args:
        colour_by: The column whose value is the colour.
    """
    return (
        gm.Panel()
        .view(gm.MapViewConfig().id("fit").all_layers(False).layer("places").padding(10).max_zoom(10))
        # Grafana's own outlines of countries: its other base layers fetch tiles from outside.
        .basemap(
            cb.MapLayerOptions()
            .type("geojson")
            .name("countries")
            .config({"src": _OUTLINES, "rules": [], "style": _outline("#808080", 0.1)})
        )
        .controls(gm.ControlsOptions().show_zoom(True).mouse_wheel_zoom(False).show_scale(True))
        .tooltip(gm.TooltipOptions().mode(gmm.TooltipMode.DETAILS))
        .color_scheme(db.FieldColor().mode(dm.FieldColorModeId.CONTINUOUS_YL_BL))
        .unit("short")
        .layers(
            [
                # The operator's borders; without the file there are circles only.
                cb.MapLayerOptions()
                .type("geojson")
                .name("borders")
                .tooltip(False)
                .config({"src": _BORDERS, "rules": [], "style": _outline("#606060", 0.05)}),
                cb.MapLayerOptions()
                .type("markers")
                .name("places")
                .tooltip(True)
                .location(
                    cb.FrameGeometrySource()
                    .mode(cm.FrameGeometrySourceMode.COORDS)
                    .latitude("latitude")
                    .longitude("longitude")
                )
                .config(
                    {
                        "showLegend": True,
                        "style": {
                            "color": {"field": colour_by, "fixed": BLUE},
                            "opacity": 0.75,
                            "size": {"field": "notified", "fixed": 5, "min": 4, "max": 24},
                            "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
                            "text": {"mode": "field", "field": "name", "fixed": ""},
                            "textConfig": {
                                "fontSize": 11,
                                "offsetX": 0,
                                "offsetY": 16,
                                "textAlign": "center",
                                "textBaseline": "middle",
                            },
                        },
                    }
                ),
            ]
        )
    )


def incidence_map(language: Language) -> dm.Panel:
    """Districts as circles."""
    return panel(
        language,
        circles("rate"),
        title=Text("Tỷ suất mắc theo huyện", "Incidence by district"),
        question=Text(
            "Dịch ở đâu? Vòng tròn ở tâm huyện: to là nhiều ca, đậm là tỷ suất trên 100.000 dân cao. Không "
            "có dân "
            "số thì không có tỷ suất.",
            "Where is it? Circles at the districts' centres: large means many cases, dark a high rate per "
            "100,000. "
            "Without populations there is no rate.",
        ),
        page="incidence",
        size=(12, 12),
        targets=[table(_by_district(language, " AND district <> '-'"))],
        overrides=_district_columns(language),
    )  # fmt: skip


def _outline(colour: str, opacity: float) -> dict[str, object]:
    return {"color": {"fixed": colour}, "lineWidth": 1, "opacity": opacity}


def _district_columns(language: Language) -> list[dm.DashboardFieldConfigSourceOverrides]:
    open_area = data_link(
        Text("Mở bảng Địa bàn", "Open the area")(language),
        board_url("area", language, district="${__data.fields.district}"),
    )
    return [
        override("name", Text("Huyện", "District")(language), links=[open_area]),
        override("notified", Text("Mắc", "Cases")(language), decimals=0),
        override("deaths", Text("Tử vong", "Deaths")(language), decimals=0),
        override("rate", Text("Trên 100.000 dân", "Per 100,000")(language), decimals=1),
    ]


def districts_ranked(language: Language) -> dm.Panel:
    """Districts by rate."""
    return panel(
        language,
        tb.Panel().show_header(True).unit("short"),
        title=Text("Huyện theo tỷ suất", "Districts by rate"),
        question=Text(
            "Huyện nào trước? Ca mắc, tử vong và tỷ suất của kỳ đã chọn, cả ca không rõ huyện. Chọn một "
            "huyện để "
            "mở bảng Địa bàn.",
            "Which district first? Cases, deaths and rate of the chosen period, cases of unknown district "
            "too. "
            "Select a district to open its board.",
        ),
        page="incidence",
        size=(12, 12),
        targets=[table(_by_district(language))],
        overrides=[
            *(override(column, is_hidden=True) for column in ("district", "latitude", "longitude")),
            *_district_columns(language),
            override(
                "rate",
                scheme=dm.FieldColorModeId.CONTINUOUS_YL_BL,
                custom__cellOptions={"type": "gauge", "mode": "basic"},
            ),
        ],
    )


def alert_timeline(language: Language) -> dm.Panel:
    """The highest open alert of each disease and week."""
    return panel(
        language,
        rows_by_week("Oranges", is_reversed=False, least=0, most=len(LEVELS)),
        title=Text("Cảnh báo theo tuần", "Alerts by week"),
        question=Text(
            "Bệnh nào đã có cảnh báo, khi nào, mức nào? Mức cao nhất trong các cảnh báo đứng trong tuần: 1 "
            "chú ý, "
            "2 cảnh báo, 3 vượt ngưỡng, 4 tiêu chí có dịch.",
            "Which diseases had alerts, when, and how grave? The highest level among the alerts that stood "
            "in the "
            "week: 1 attention, 2 alert, 3 above the band, 4 the criterion of an outbreak.",
        ),
        page="detectors",
        size=(24, 10),
        targets=[
            series(
                f"""
WITH weeks AS MATERIALIZED (
  SELECT {local_time("week_start")} AS begins_at, {local_time("week_start + interval '7 days'")} AS ends_at
  FROM generate_series({week_of(FIRST_DAY)}::timestamp, {LAST_DAY}, '7 days') AS week_start
), standing AS MATERIALIZED (
  SELECT disease_{language} AS metric, raised_at, coalesce(settled_at, now()) AS until, level_rank
  FROM alerts
  WHERE {OF_AREA} AND {OF_DISEASES} AND level_rank > 0 AND raised_at <= $__timeTo()::timestamptz
    AND coalesce(settled_at, now()) >= {local_time(week_of(FIRST_DAY))}
)
SELECT begins_at AS time, metric, max(level_rank)::float8 AS level
FROM weeks
JOIN standing ON raised_at < ends_at AND until >= begins_at
GROUP BY 1, 2
ORDER BY time, metric"""
            )
        ],
        no_value=Text("Không có cảnh báo", "No alert"),
    )


_SILENT_AFTER: Final = 60


def days_without_report(language: Language) -> dm.Panel:
    """How long ago each district reported."""
    return panel(
        language,
        bg.Panel()
        .orientation(cm.VizOrientation.HORIZONTAL)
        .display_mode(cm.BarGaugeDisplayMode.BASIC)
        .reduce_options(cb.ReduceDataOptions().calcs(["lastNotNull"]).values(True).fields("days"))
        .color_scheme(db.FieldColor().mode(dm.FieldColorModeId.THRESHOLDS))
        .thresholds(steps((None, SKY), (7, ORANGE), (14, PURPLE)))
        .min(0)
        .max(_SILENT_AFTER)
        .unit(counted_in(language, Text("ngày", "days")))
        .decimals(0),
        title=Text("Số ngày từ báo cáo cuối", "Days since the last report"),
        question=Text(
            f"Huyện nào im lặng? Số ngày từ ca được báo cáo gần nhất (bất kỳ bệnh nào) đến cuối kỳ, tối đa "
            f"{_SILENT_AFTER}. Im lặng không có nghĩa là không có ca.",
            f"Which district is silent? Days from the last reported case, of any disease, to the end of the "
            f"period, at most {_SILENT_AFTER}. Silence does not mean that there are no cases.",
        ),
        page="silence",
        size=(9, 10),
        targets=[
            table(
                f"""
WITH reported AS (
  SELECT district, max(day) AS day
  FROM daily_counts
  WHERE {OF_AREA} AND basis = 'report' AND notified > 0
    AND day BETWEEN {LAST_DAY} - {_SILENT_AFTER} AND {LAST_DAY}
  GROUP BY district
)
SELECT name, coalesce({LAST_DAY} - day, {_SILENT_AFTER})::float8 AS days
FROM districts
LEFT JOIN reported USING (district)
WHERE {OF_AREA} AND district <> '-'
ORDER BY days DESC, name
LIMIT 100"""
            )
        ],
    )


def reporting_completeness(language: Language) -> dm.Panel:
    """How many of each district's regular reporters still report."""
    return panel(
        language,
        bg.Panel()
        .orientation(cm.VizOrientation.HORIZONTAL)
        .display_mode(cm.BarGaugeDisplayMode.BASIC)
        .reduce_options(cb.ReduceDataOptions().calcs(["lastNotNull"]).values(True).fields("share"))
        .color_scheme(db.FieldColor().mode(dm.FieldColorModeId.THRESHOLDS))
        .thresholds(steps((None, PURPLE), (0.8, ORANGE), (0.95, SKY)))
        .min(0)
        .max(1)
        .unit("percentunit")
        .decimals(0),
        title=Text("Đơn vị báo cáo đều vẫn báo", "Regular reporters that still report"),
        question=Text(
            "Số liệu tuần này có đủ nơi báo không? Phần các đơn vị báo đều hằng tuần vẫn báo, theo lần xét "
            "cuối trong kỳ (mỗi thứ Hai), thấp nhất ở trên; huyện không có đơn vị báo đều thì không hiện.",
            "Do all places report this week? Of the reporters that report by the week, those that still "
            "do, as judged last within the period (on Mondays), the lowest first; districts without such a "
            "reporter are not shown.",
        ),
        page="silence",
        size=(9, 11),
        targets=[
            table(
                f"""
SELECT coalesce(district_name, '?') AS name,
  (count(*) FILTER (WHERE state = 'reporting'))::float8 / count(*) AS share
FROM reporter_weeks
WHERE province IN (${{province:sqlstring}}) AND district IN (${{district:sqlstring}})
  AND judged_on = {LAST_JUDGED}
GROUP BY 1
ORDER BY share, name
LIMIT 100"""
            )
        ],
    )


_MARK_SHOWS: Final = 5
"""So many alerts of a week are told in its mark, the gravest."""


def alert_marks(language: Language) -> dm.AnnotationQuery:
    """Weeks in which alerts were raised as marks in time: one for each alert would cover the curve."""
    return annotation(
        language,
        Text("Cảnh báo", "Alerts"),
        VERMILION,
        f"""
SELECT min(raised_at) AS time,
  count(*) || ' {Text("cảnh báo", "alert(s)")(language)}: ' || array_to_string((array_agg(
    disease_{language} || ' · ' || area_name || ': ' || why_{language} ORDER BY level_rank DESC, area_name
  ))[1:{_MARK_SHOWS}], '; ') AS text,
  string_agg(DISTINCT level, ',') AS tags
FROM alerts
WHERE {OF_AREA} AND {OF_DISEASES} AND $__timeFilter(raised_at)
GROUP BY {week_of(f"(raised_at AT TIME ZONE '{TIMEZONE}')")}
ORDER BY time DESC
LIMIT {MOST_ROWS}""",
    )


def incomplete_days(language: Language) -> dm.AnnotationQuery:
    """The last days, of which reports are still to come."""
    today = f"(now() AT TIME ZONE '{TIMEZONE}')::date"
    text = Text("Chưa đủ báo cáo", "Not complete")(language)
    return annotation(
        language,
        Text("Chưa đủ báo cáo", "Not complete"),
        GREY,
        f"""
SELECT {local_time(f"{today} - {INCOMPLETE_DAYS}")} AS time, now() AS timeend, '{text}' AS text
WHERE {LAST_DAY} >= {today} - {INCOMPLETE_DAYS}""",
    )


BOARD: Final = Board(
    name="overview",
    title=Text("Tổng quan", "Overview"),
    description=Text(
        "Cái gì đang tăng, ở đâu, và số liệu có đáng tin không?",
        "What rises, where, and can the figures be believed?",
    ),
    variables=(GEOGRAPHY, PROVINCE, DISTRICT, DISEASE, BASIS),
    panels=(
        open_alerts,
        newest_report,
        cases_in_period,
        weekly_cases,
        days_without_report,
        what_rises,
        reporting_completeness,
        incidence_map,
        districts_ranked,
        alert_timeline,
    ),
    annotations=(incomplete_days,),
)
