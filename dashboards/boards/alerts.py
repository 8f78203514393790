# ruff: noqa: S608 - queries are made of constants of this package; Grafana puts in what people choose
"""Cảnh báo / Alerts: what waits, the curve behind each alert, and how often each rule was right."""

from collections.abc import Mapping
from typing import Final

from grafana_foundation_sdk.builders import common as cb
from grafana_foundation_sdk.builders import stat as st
from grafana_foundation_sdk.builders import table as tb
from grafana_foundation_sdk.builders import timeseries as ts
from grafana_foundation_sdk.models import common as cm
from grafana_foundation_sdk.models import dashboard as dm

from dashboards.boards.overview import incomplete_days
from dashboards.framework import (
    BLUE,
    DISEASE,
    DISTRICT,
    DURATION,
    FIRST_DAY,
    GEOGRAPHY,
    GREEN,
    GREY,
    INCOMPLETE_DAYS,
    INSTANT,
    LAST_DAY,
    LEVELS,
    MAX_DATA_POINTS,
    NEIGHBOURS,
    OF_AREA,
    OF_DISEASES,
    OF_PROVINCE,
    ORANGE,
    PROVINCE,
    RATES_OF_PLACES,
    TIMEZONE,
    VERMILION,
    Board,
    Language,
    Text,
    ages_and_sexes,
    annotation,
    board_url,
    by_age_and_sex,
    data_link,
    last_value,
    legend,
    level_column,
    lines_of_places,
    local_time,
    nearest,
    override,
    panel,
    people,
    place_colours,
    query_variable,
    sentence_column,
    series,
    sex_columns,
    steps,
    table,
    tooltip,
    week_of,
)

STATES: Final[Mapping[str, Text]] = {
    "raised": Text("Chưa tiếp nhận", "Not acknowledged"),
    "acknowledged": Text("Đã tiếp nhận", "Acknowledged"),
    "verified": Text("Đã xác minh", "Verified"),
    "dismissed": Text("Đã bác", "Dismissed"),
    "closed": Text("Đã đóng", "Closed"),
}
STEPS: Final[Mapping[str, Text]] = {
    "raised": Text("Phát cảnh báo", "Raised"),
    "joined": Text("Thêm ca, mức hoặc kỳ mới", "More cases, another level or period"),
    "revised": Text("Giảm ca hoặc mức", "Fewer cases or a lower level"),
    "no_longer_met": Text("Không còn đủ căn cứ", "No longer met"),
    "met_again": Text("Lại đủ căn cứ", "Met again"),
    "ended_proposed": Text("Đề nghị hết dịch", "End proposed"),
    "escalated": Text("Báo lên cấp trên", "Escalated"),
    "reopened": Text("Mở lại", "Reopened"),
    "acknowledged": Text("Tiếp nhận", "Acknowledged"),
    "verified": Text("Xác minh đúng", "Verified"),
    "dismissed": Text("Bác", "Dismissed"),
    "closed": Text("Đóng", "Closed"),
    "determined": Text("Trạm xác định có dịch", "Outbreak determined by the station"),
    "ended": Text("Trạm xác định hết dịch", "End determined by the station"),
    "noted": Text("Ghi chú", "Noted"),
}

JUDGEMENTS: Final[Mapping[str, Text]] = {
    "verified": Text("Đúng", "Right"),
    "dismissed": Text("Báo nhầm", "Wrong"),
}
ALERT: Final = query_variable(
    "alert",
    Text("Cảnh báo xem chi tiết", "Alert shown below"),
    lambda language: (
        f"""
SELECT to_char(raised_at AT TIME ZONE '{TIMEZONE}', 'DD/MM/YYYY') || ' · ' || disease_{language}
    || ' · ' || area_name || ' · ' || rule AS __text,
  alert_id::text AS __value
FROM alerts
WHERE {OF_AREA} AND {OF_DISEASES}
ORDER BY is_open DESC, level_rank DESC, raised_at DESC
LIMIT 500"""
    ),
)
"""Its first option is what most needs an answer."""

CHOSEN: Final = "alert_id::text = ${alert:sqlstring} AND structure_on = ${geography:sqlstring}::date"
RAISED_IN_PERIOD: Final = (
    f"raised_at >= {local_time(FIRST_DAY)} AND raised_at < {local_time(f'{LAST_DAY} + 1')}"
)


def named(column: str, names: Mapping[str, Text], language: Language) -> str:
    """SQL of a code's name in one language; another code stands as it is."""
    cases = " ".join(f"WHEN '{code}' THEN '{name(language)}'" for code, name in names.items())
    return f"CASE {column} {cases} ELSE {column} END"


RULE_NAME: Final = "coalesce(rule_name, rule)"
"""SQL of a rule's name, from `rule_names`; a rule that was taken away keeps its code."""


def rule_names(language: Language) -> str:
    """The first common table expression of a query: `rule_names` (rule, rule_name)."""
    return f"WITH rule_names AS MATERIALIZED (SELECT rule, name_{language} AS rule_name FROM rules)"


def rule_column(language: Language) -> dm.DashboardFieldConfigSourceOverrides:
    """A table's column of rules."""
    return override(
        "rule",
        Text("Quy tắc", "Rule")(language),
        custom__cellOptions={"type": "auto", "wrapText": True},
        custom__width=210,
    )


def _count(
    language: Language, title: Text, question: Text, condition: str, colour: str, page: str = "alerts"
) -> dm.Panel:
    return panel(
        language,
        st.Panel()
        .unit("short")
        .decimals(0)
        .color_mode(cm.BigValueColorMode.BACKGROUND_SOLID)
        .graph_mode(cm.BigValueGraphMode.NONE)
        .thresholds(steps((None, GREY), (1, colour)))
        .reduce_options(last_value()),
        title=title,
        question=question,
        page=page,
        size=(6, 5),
        targets=[
            table(f"SELECT count(*) AS alerts FROM alerts WHERE {OF_AREA} AND {OF_DISEASES} AND {condition}")
        ],
    )


def outbreaks_open(language: Language) -> dm.Panel:
    """How many alerts at the loudest level are open."""
    return _count(
        language,
        Text("Đủ tiêu chí có dịch, đang mở", "Outbreak criterion met, open"),
        Text(
            "Có nơi nào đủ tiêu chí có dịch mà chưa xử lý xong? Hệ thống tính, trạm y tế xác định.",
            "Does any place meet the law's criterion of an outbreak? The system computes, the station "
            "determines.",
        ),
        "is_open AND level = 'outbreak'",
        VERMILION,
    )


def alerts_open(language: Language) -> dm.Panel:
    """How many other alerts are open."""
    return _count(
        language,
        Text("Cảnh báo khác, đang mở", "Other alerts, open"),
        Text("Còn bao nhiêu cảnh báo đang mở?", "How many more alerts are open?"),
        "is_open AND level <> 'outbreak'",
        ORANGE,
    )


def unanswered(language: Language) -> dm.Panel:
    """How many wait longer than they may."""
    return _count(
        language,
        Text("Chưa ai tiếp nhận, quá hạn", "Not acknowledged in time"),
        Text(
            "Cảnh báo nào chờ quá lâu? Có dịch 4 giờ, vượt ngưỡng 12 giờ, còn lại 24 giờ, tính từ lúc phát.",
            "Which alert has waited too long? Outbreak 4 h, above the band 12 h, others 24 h, since it was "
            "raised.",
        ),
        "state = 'raised' AND waiting_since < now() - CASE level WHEN 'outbreak' THEN interval '4 hours' "
        "WHEN 'above_band' THEN interval '12 hours' ELSE interval '24 hours' END",
        VERMILION,
    )


def answering_time(language: Language) -> dm.Panel:
    """Median time to the first answer of a person."""
    return panel(
        language,
        st.Panel()
        .unit(DURATION)
        .color_mode(cm.BigValueColorMode.NONE)
        .graph_mode(cm.BigValueGraphMode.NONE)
        .reduce_options(last_value()),
        title=Text("Thời gian trả lời, trung vị", "Time to an answer, median"),
        question=Text(
            "Cảnh báo phát trong kỳ được người trả lời sau bao lâu? Chưa trả lời thì chưa tính.",
            "How soon did people answer the alerts of the period? Those without an answer are not in it.",
        ),
        page="alerts",
        size=(6, 5),
        targets=[
            table(
                f"""
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY answered_seconds) AS answered_seconds
FROM alert_judgements
WHERE {OF_AREA} AND {OF_DISEASES} AND {RAISED_IN_PERIOD}"""
            )
        ],
        no_value=Text("Chưa có trả lời", "No answer yet"),
    )


def inbox(language: Language) -> dm.Panel:
    """All open alerts, the most urgent first."""
    this_alert = board_url("alerts", language, basis="onset", alert="${__data.fields.alert_id}")
    disease = board_url("disease", language, basis="onset", disease="${__data.fields.disease}")
    return panel(
        language,
        tb.Panel().inspect(True),
        title=Text("Hộp cảnh báo đang mở", "Inbox: open alerts"),
        question=Text(
            "Cần làm gì trước? Cảnh báo chưa tiếp nhận và mức cao nhất ở trên. Tiếp nhận, xác minh, bác, "
            "đóng: trang Cảnh báo của hệ thống, hoặc lệnh canhdich alerts.",
            "What comes first? Those nobody has acknowledged and the loudest are at the top. Acknowledge, "
            "verify, dismiss, close: the system's page of alerts, or the command canhdich alerts.",
        ),
        page="alerts",
        size=(24, 10),
        targets=[
            table(
                f"""
{rule_names(language)}
SELECT alert_id::text AS alert_id, disease, raised_at, level_rank::float8 AS level,
  disease_{language} AS disease_name, area_name, {RULE_NAME} AS rule, observed AS cases,
  {named("state", STATES, language)} AS state, why_{language} AS why
FROM alerts
LEFT JOIN rule_names USING (rule)
WHERE {OF_AREA} AND {OF_DISEASES} AND is_open
ORDER BY state = 'raised' DESC, level_rank DESC, raised_at DESC
LIMIT 200"""
            )
        ],
        overrides=[
            override("alert_id", is_hidden=True),
            override("disease", is_hidden=True),
            override(
                "raised_at",
                Text("Phát lúc", "Raised")(language),
                unit=INSTANT,
                custom__width=155,
                links=[data_link(Text("Xem chi tiết", "Show details")(language), this_alert)],
            ),
            level_column(language),
            override(
                "disease_name",
                Text("Bệnh", "Disease")(language),
                custom__width=180,
                links=[data_link(Text("Xem bệnh này", "Show this disease")(language), disease)],
            ),
            override("area_name", Text("Nơi", "Place")(language), custom__width=150),
            rule_column(language),
            override("cases", Text("Số ca", "Cases")(language), decimals=0, custom__width=70),
            override("state", Text("Trạng thái", "State")(language), custom__width=145),
            sentence_column("why", Text("Căn cứ", "Why")(language)),
        ],
        no_value=Text("Không có cảnh báo đang mở", "No open alert"),
    )


def curve(language: Language) -> dm.Panel:
    """Weekly cases behind the chosen alert."""
    cases, expected = Text("Số ca", "Cases"), Text("Kỳ vọng khi báo", "Expected when raised")
    limit = Text("Ngưỡng khi báo", "Threshold when raised")
    return panel(
        language,
        ts.Panel()
        .unit("short")
        .decimals(0)
        .min(0)
        .interval("1w")
        .max_data_points(MAX_DATA_POINTS)
        .draw_style(cm.GraphDrawStyle.LINE)
        .line_interpolation(cm.LineInterpolation.STEP_AFTER)
        .fill_opacity(0)
        .line_width(2)
        .show_points(cm.VisibilityMode.NEVER)
        .legend(legend())
        .tooltip(tooltip()),
        title=Text("Diễn biến sau cảnh báo đang xem", "The curve behind the chosen alert"),
        question=Text(
            "Cảnh báo dựa trên diễn biến nào? Số ca theo tuần khởi phát tại nơi cảnh báo; vùng tô là kỳ "
            f"được xét. Vùng xám: {INCOMPLETE_DAYS} ngày gần nhất, chưa đủ báo cáo.",
            "What did the alert see? Cases by week of onset in the alert's area; the shaded region is the "
            f"period judged. The grey region, the last {INCOMPLETE_DAYS} days, is not complete.",
        ),
        page="alerts",
        size=(16, 10),
        targets=[
            series(
                f"""
WITH chosen AS (
  SELECT structure_on, province, area, disease, expected, threshold FROM alerts WHERE {CHOSEN}
), weeks AS (
  SELECT w::date AS week FROM generate_series({week_of(FIRST_DAY)}, {LAST_DAY}, interval '7 days') AS w
), counted AS (
  SELECT {week_of("dc.day")} AS week, sum(dc.notified) AS cases
  FROM chosen AS c
  JOIN daily_counts AS dc
    ON dc.structure_on = c.structure_on AND dc.province = c.province AND dc.disease = c.disease
  WHERE dc.basis = 'onset' AND dc.day BETWEEN {week_of(FIRST_DAY)} AND {LAST_DAY}
    AND CASE length(c.area) WHEN 5 THEN dc.commune WHEN 3 THEN dc.district ELSE dc.province END = c.area
  GROUP BY 1
)
SELECT {local_time("weeks.week")} AS time, coalesce(counted.cases, 0)::float8 AS cases,
  chosen.expected, chosen.threshold
FROM chosen CROSS JOIN weeks LEFT JOIN counted USING (week)
ORDER BY 1"""
            )
        ],
        overrides=[
            override("cases", cases(language), colour=BLUE),
            override("expected", expected(language), colour=GREEN),
            override("threshold", limit(language), colour=VERMILION),
        ],
        no_value=Text("Chưa chọn cảnh báo", "No alert chosen"),
    )


def life(language: Language) -> dm.Panel:
    """The steps in the life of the chosen alert."""
    return panel(
        language,
        tb.Panel(),
        title=Text("Các bước của cảnh báo đang xem", "Steps of the chosen alert"),
        question=Text(
            "Đã làm gì với cảnh báo này, khi nào? Tên người và ghi chú không hiện ở đây.",
            "What was done about it, and when? Names and notes are not shown here.",
        ),
        page="alerts",
        size=(8, 10),
        targets=[
            table(
                f"""
SELECT s.at AS step_at, {named("s.kind", STEPS, language)} AS step,
  CASE WHEN s.is_automatic THEN '{Text("hệ thống", "system")(language)}'
    ELSE '{Text("người", "person")(language)}' END AS who
FROM alert_steps AS s
WHERE s.alert_id::text = ${{alert:sqlstring}}
ORDER BY s.number DESC
LIMIT 100"""
            )
        ],
        overrides=[
            override("step_at", Text("Lúc", "At")(language), unit=INSTANT, custom__width=155),
            override("step", Text("Bước", "Step")(language)),
            override("who", Text("Bởi", "By")(language), custom__width=85),
        ],
        no_value=Text("Chưa chọn cảnh báo", "No alert chosen"),
    )


def verdict(language: Language) -> dm.Panel:
    """The numbers of the chosen alert."""
    return panel(
        language,
        tb.Panel().inspect(True),
        title=Text("Cảnh báo đang xem: con số và căn cứ", "The chosen alert: numbers and reasons"),
        question=Text(
            "Quy tắc nào, kỳ nào, quan sát bao nhiêu so với kỳ vọng? Trống là quy tắc không có con số ấy.",
            "Which rule, which period, how many against how many expected? Empty: the rule has no such "
            "number.",
        ),
        page="alerts",
        size=(24, 5),
        targets=[
            table(
                f"""
{rule_names(language)}
SELECT {RULE_NAME} AS rule, disease_{language} AS disease_name, area_name,
  to_char(period_start, 'DD/MM/YYYY') || ' – ' || to_char(period_end, 'DD/MM/YYYY') AS period,
  observed, expected, threshold, {named("state", STATES, language)} AS state, why_{language} AS why
FROM alerts
LEFT JOIN rule_names USING (rule)
WHERE {CHOSEN}"""
            )
        ],
        overrides=[
            rule_column(language),
            override("disease_name", Text("Bệnh", "Disease")(language), custom__width=150),
            override("area_name", Text("Nơi", "Place")(language), custom__width=150),
            override("period", Text("Kỳ được xét", "Period judged")(language), custom__width=190),
            override("observed", Text("Quan sát", "Observed")(language), decimals=0, custom__width=85),
            override("expected", Text("Kỳ vọng", "Expected")(language), decimals=1, custom__width=85),
            override("threshold", Text("Ngưỡng", "Threshold")(language), decimals=1, custom__width=85),
            override("state", Text("Trạng thái", "State")(language), custom__width=140),
            sentence_column("why", Text("Căn cứ", "Why")(language)),
        ],
        no_value=Text("Chưa chọn cảnh báo", "No alert chosen"),
    )


def neighbours(language: Language) -> dm.Panel:
    """The chosen alert's disease in its district and those nearest to it."""
    return panel(
        language,
        lines_of_places(),
        title=Text("Bệnh này ở các huyện gần đó", "The same disease in the districts nearby"),
        question=Text(
            f"Chỉ ở đây hay cả các huyện bên? Ca trên 100.000 dân mỗi tuần khởi phát, bệnh của cảnh báo "
            f"đang xem: huyện của cảnh báo (0) và {NEIGHBOURS} huyện cùng tỉnh có tâm gần nhất (1 là gần "
            f"nhất). Cảnh báo của cả tỉnh không có huyện.",
            f"Only here, or around it, too? Cases per 100,000 by week of onset of the chosen alert's "
            f"disease: its district (0) and the {NEIGHBOURS} of the province whose centres are nearest (1 "
            f"is the nearest). An alert of the whole province has no district.",
        ),
        page="incidence",
        size=(16, 10),
        targets=[
            series(
                f"""
WITH chosen AS (
  SELECT structure_on, province, district, disease FROM alerts WHERE {CHOSEN}
), here AS (
  SELECT d.latitude, d.longitude
  FROM districts AS d
  JOIN chosen AS c ON d.structure_on = c.structure_on AND d.province = c.province AND d.district = c.district
  WHERE d.district <> '-'
), {people(districts=True)}, {nearest("here")}, counted AS MATERIALIZED (
  SELECT {week_of("dc.day")} AS monday, dc.district, sum(dc.notified) AS cases
  FROM chosen AS c
  JOIN daily_counts AS dc
    ON dc.structure_on = c.structure_on AND dc.province = c.province AND dc.disease = c.disease
  WHERE dc.basis = 'onset' AND dc.day BETWEEN {week_of(FIRST_DAY)} AND {LAST_DAY}
    AND dc.district IN (SELECT district FROM near)
  GROUP BY 1, 2
)
{RATES_OF_PLACES}"""
            )
        ],
        overrides=place_colours(),
        no_value=Text("Cảnh báo của cả tỉnh, hoặc chưa chọn", "An alert of the province, or none chosen"),
    )


def ages(language: Language) -> dm.Panel:
    """The chosen alert's disease in its district by age and sex."""
    return panel(
        language,
        by_age_and_sex(),
        title=Text("Tuổi và giới, huyện của cảnh báo", "Age and sex in the alert's district"),
        question=Text(
            "Bệnh ở lứa tuổi và giới nào? Số ca bệnh của cảnh báo đang xem được báo cáo trong kỳ tại huyện "
            "của nó (cảnh báo của cả tỉnh: cả tỉnh); tính mỗi 15 phút một lần.",
            "Who falls ill? Cases of the chosen alert's disease reported in the period in its district (in "
            "the province, for an alert of the province); computed every quarter of an hour.",
        ),
        page="age-and-sex",
        size=(8, 10),
        targets=[
            table(
                ages_and_sexes(
                    f"""
  SELECT aw.age_band, aw.sex, aw.cases
  FROM alerts AS al
  JOIN age_sex_weeks AS aw
    ON aw.province = al.province AND aw.disease = al.disease AND al.district IN (aw.district, '-')
  WHERE al.alert_id::text = ${{alert:sqlstring}} AND al.structure_on = ${{geography:sqlstring}}::date
    AND aw.week_start BETWEEN {week_of(FIRST_DAY)} AND {LAST_DAY}""",
                    language,
                )
            )
        ],
        overrides=sex_columns(language),
    )


def earlier_alerts(language: Language) -> dm.Panel:
    """What became of earlier alerts of the same disease and district."""
    return panel(
        language,
        tb.Panel().inspect(True),
        title=Text(
            "Cảnh báo trước đây của bệnh này ở huyện này", "Earlier alerts of this disease and district"
        ),
        question=Text(
            "Lần trước báo đúng hay nhầm? Cảnh báo cùng bệnh, cùng huyện phát trước cảnh báo đang xem, bất "
            "kể thời gian đã chọn; mới nhất trước.",
            "Were those before it right? Alerts of the same disease and district raised before the chosen "
            "one, whatever time is chosen; the newest first.",
        ),
        page="alerts",
        size=(24, 7),
        targets=[
            table(
                f"""
{rule_names(language)}, chosen AS MATERIALIZED (
  SELECT district, disease, raised_at FROM alerts WHERE {CHOSEN}
), earlier AS MATERIALIZED (
  SELECT alert_id, structure_on, raised_at, level_rank::float8 AS level, area_name, rule,
    observed AS cases, {named("state", STATES, language)} AS state, why_{language} AS why
  FROM alerts
  WHERE {OF_PROVINCE} AND district = (SELECT chosen.district FROM chosen)
    AND disease = (SELECT chosen.disease FROM chosen) AND raised_at < (SELECT chosen.raised_at FROM chosen)
  ORDER BY raised_at DESC
  LIMIT 50
)
SELECT raised_at, level, area_name, {RULE_NAME} AS rule, cases, state,
  {named("judged.said", JUDGEMENTS, language)} AS said, why
FROM earlier
LEFT JOIN rule_names USING (rule)
LEFT JOIN LATERAL (
  SELECT said
  FROM alert_judgements
  WHERE alert_judgements.alert_id = earlier.alert_id AND alert_judgements.structure_on = earlier.structure_on
) AS judged ON true
ORDER BY raised_at DESC
LIMIT 50"""
            )
        ],
        overrides=[
            override("raised_at", Text("Phát lúc", "Raised")(language), unit=INSTANT, custom__width=155),
            level_column(language),
            override("area_name", Text("Nơi", "Place")(language), custom__width=150),
            rule_column(language),
            override("cases", Text("Số ca", "Cases")(language), decimals=0, custom__width=70),
            override("state", Text("Trạng thái", "State")(language), custom__width=125),
            override("said", Text("Kết luận", "Judged")(language), custom__width=100, noValue="–"),
            sentence_column("why", Text("Căn cứ", "Why")(language)),
        ],
        no_value=Text("Chưa có cảnh báo nào trước đó", "None before it"),
    )


def raised_by_week(language: Language) -> dm.Panel:
    """How many alerts were raised, week by week and level by level."""
    return panel(
        language,
        ts.Panel()
        .unit("short")
        .decimals(0)
        .min(0)
        .interval("1w")
        .max_data_points(MAX_DATA_POINTS)
        .draw_style(cm.GraphDrawStyle.BARS)
        .bar_alignment(cm.BarAlignment.AFTER)
        .fill_opacity(80)
        .line_width(0)
        .stacking(cb.StackingConfig().mode(cm.StackingMode.NORMAL).group("A"))
        .legend(legend("sum"))
        .tooltip(tooltip()),
        title=Text("Cảnh báo phát ra mỗi tuần, theo mức", "Alerts raised per week, by level"),
        question=Text(
            "Có nhiều cảnh báo hơn bình thường không? Mức là mức hiện nay của cảnh báo.",
            "Are there more alerts than usual? The level is the alert's present one.",
        ),
        page="alerts",
        size=(12, 9),
        targets=[
            series(
                f"""
SELECT {local_time(week_of(f"(raised_at AT TIME ZONE '{TIMEZONE}')"))} AS time, level AS metric,
  count(*)::float8 AS alerts
FROM alerts
WHERE {OF_AREA} AND {OF_DISEASES} AND {RAISED_IN_PERIOD}
GROUP BY 1, 2
ORDER BY 1, 2"""
            )
        ],
        overrides=[
            override(level, text(language), colour=colour) for level, (text, colour) in LEVELS.items()
        ],
        no_value=Text("Không có cảnh báo trong kỳ", "No alert in the period"),
    )


def precision(language: Language) -> dm.Panel:
    """How often each rule was right."""
    return panel(
        language,
        tb.Panel().inspect(True),
        title=Text("Mỗi quy tắc đúng bao nhiêu", "How often each rule was right"),
        question=Text(
            "Quy tắc nào hay báo nhầm? Tỷ lệ đúng = đã xác minh / (đã xác minh + đã bác), trên các cảnh "
            "báo phát trong kỳ.",
            "Which rule calls for nothing? Precision = verified / (verified + dismissed), of the alerts "
            "raised in the "
            "period.",
        ),
        page="alerts",
        size=(12, 9),
        targets=[
            table(
                f"""
{rule_names(language)}, judged AS MATERIALIZED (
  -- Each alert's last word is looked up once.
  SELECT rule, said
  FROM alert_judgements
  WHERE {OF_AREA} AND {OF_DISEASES} AND {RAISED_IN_PERIOD}
)
SELECT {RULE_NAME} AS rule, count(*) AS alerts, count(*) FILTER (WHERE said = 'verified') AS verified,
  count(*) FILTER (WHERE said = 'dismissed') AS dismissed, count(*) FILTER (WHERE said IS NULL) AS unsaid,
  (count(*) FILTER (WHERE said = 'verified'))::float8 / nullif(count(said), 0) AS share
FROM judged
LEFT JOIN rule_names USING (rule)
GROUP BY 1
ORDER BY alerts DESC, 1
LIMIT 100"""
            )
        ],
        overrides=[
            sentence_column("rule", Text("Quy tắc", "Rule")(language)),
            override("alerts", Text("Cảnh báo", "Alerts")(language), decimals=0, custom__width=90),
            override("verified", Text("Xác minh", "Verified")(language), decimals=0, custom__width=90),
            override("dismissed", Text("Đã bác", "Dismissed")(language), decimals=0, custom__width=90),
            override("unsaid", Text("Chưa rõ", "Not said")(language), decimals=0, custom__width=90),
            override(
                "share",
                Text("Tỷ lệ đúng", "Precision")(language),
                unit="percentunit",
                decimals=0,
                custom__width=100,
            ),
        ],
        no_value=Text("–", "–"),
    )


def chosen_period(language: Language) -> dm.AnnotationQuery:
    """The period that the chosen alert was judged on, as a region."""
    return annotation(
        language,
        Text("Kỳ được xét của cảnh báo đang xem", "Period of the chosen alert"),
        ORANGE,
        f"""
SELECT {local_time("period_start")} AS time, {local_time("period_end + 1")} AS timeend,
  rule AS text, level AS tags
FROM alerts
WHERE {CHOSEN} AND period_start IS NOT NULL
ORDER BY 1
LIMIT 1""",
    )


def raised_at(language: Language) -> dm.AnnotationQuery:
    """When the chosen alert was raised."""
    return annotation(
        language,
        Text("Lúc phát cảnh báo đang xem", "When the chosen alert was raised"),
        VERMILION,
        f"""
SELECT raised_at AS time, rule || ': ' || coalesce(why_{language}, '') AS text, level AS tags
FROM alerts
WHERE {CHOSEN}
ORDER BY 1
LIMIT 1""",
    )


BOARD: Final = Board(
    name="alerts",
    title=Text("Cảnh báo", "Alerts"),
    description=Text(
        "Cảnh báo nào đang chờ, dựa trên diễn biến nào, và quy tắc nào hay đúng.",
        "Which alerts wait, what they saw, and which rules are right.",
    ),
    variables=(GEOGRAPHY, PROVINCE, DISTRICT, DISEASE, ALERT),
    panels=(
        outbreaks_open,
        alerts_open,
        unanswered,
        answering_time,
        inbox,
        verdict,
        curve,
        life,
        neighbours,
        ages,
        earlier_alerts,
        raised_by_week,
        precision,
    ),
    annotations=(incomplete_days, chosen_period, raised_at),
)
