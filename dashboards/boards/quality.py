# ruff: noqa: S608 - queries are made of constants of this package; Grafana puts in what people choose
"""Chất lượng / Data quality and pipeline: whether what the other boards show can be believed."""

from collections.abc import Mapping, Sequence
from typing import Final

from grafana_foundation_sdk.builders import bargauge as bg
from grafana_foundation_sdk.builders import common as cb
from grafana_foundation_sdk.builders import stat as st
from grafana_foundation_sdk.builders import table as tb
from grafana_foundation_sdk.builders import timeseries as ts
from grafana_foundation_sdk.models import common as cm
from grafana_foundation_sdk.models import dashboard as dm

from dashboards.framework import (
    BLUE,
    DARK_BLUE,
    DATE,
    DISEASE,
    DISTRICT,
    DURATION,
    FIRST_DAY,
    GEOGRAPHY,
    GREEN,
    GREY,
    LAST_DAY,
    LAST_JUDGED,
    MAX_DATA_POINTS,
    OF_DISEASES,
    ORANGE,
    PROVINCE,
    PURPLE,
    SKY,
    VERMILION,
    YELLOW,
    Board,
    Language,
    Text,
    board_url,
    data_link,
    last_value,
    legend,
    local_time,
    override,
    panel,
    place_name,
    series,
    steps,
    table,
    tooltip,
    week_of,
)

OF_PLACE: Final = "province = ${province:sqlstring} AND district IN (${district:sqlstring})"
"""The figures of quality stand under the areas' own codes, in whichever structure they were reported."""
WEEKS: Final = f"week_start BETWEEN {week_of(FIRST_DAY)} AND {LAST_DAY}"

FIELDS: Final[Mapping[str, Text]] = {
    "commune": Text("Xã/phường", "Commune"),
    "sex": Text("Giới", "Sex"),
    "age_years": Text("Tuổi", "Age"),
    "occupation": Text("Nghề nghiệp", "Occupation"),
    "onset_on": Text("Ngày khởi phát", "Day of onset"),
    "classification": Text("Phân loại ca", "Classification"),
    "lab": Text("Kết quả xét nghiệm", "Laboratory result"),
    "hospitalised": Text("Nhập viện", "In hospital"),
    "vaccination": Text("Tiền sử tiêm", "Vaccination"),
    "outcome": Text("Kết quả điều trị", "Outcome"),
    "severity": Text("Mức độ nặng", "Severity"),
    "doses": Text("Số mũi", "Doses"),
    "sampled_on": Text("Ngày lấy mẫu", "Day of the sample"),
    "test_type": Text("Loại xét nghiệm", "Kind of test"),
    "admitted_on": Text("Ngày nhập viện", "Day of admission"),
    "treating_facility": Text("Nơi điều trị", "Treated at"),
    "discharged_on": Text("Ngày ra viện", "Day of discharge"),
    "died_at": Text("Ngày tử vong", "Day of death"),
    "origin_area_code": Text("Nơi nhiễm bệnh", "Place of origin"),
}
"""The fields of streams/domain/completeness.py for people; tests hold them together."""

ERRORS: Final[Mapping[str, tuple[Text, str]]] = {
    "invalid_event": (Text("Nội dung sai", "Invalid content"), BLUE),
    "identity_conflict": (Text("Trùng mã, khác nội dung", "Same id, other content"), ORANGE),
    "misplaced_record": (Text("Sai phân vùng", "Misplaced record"), SKY),
    "refused_by_database": (Text("Cơ sở dữ liệu từ chối", "Refused by the database"), PURPLE),
}
"""Kinds of dead letters, as docs/runbook/dead-letters.md has them."""

DELAYS: Final[Mapping[str, tuple[Text, str]]] = {
    "delay_0_1": (Text("0–1 ngày", "0–1 days"), DARK_BLUE),
    "delay_2_3": (Text("2–3 ngày", "2–3 days"), BLUE),
    "delay_4_7": (Text("4–7 ngày", "4–7 days"), SKY),
    "delay_8_14": (Text("8–14 ngày", "8–14 days"), YELLOW),
    "delay_15_28": (Text("15–28 ngày", "15–28 days"), ORANGE),
    "delay_29_up": (Text("29 ngày trở lên", "29 days or more"), PURPLE),
    "delay_unknown": (Text("Không rõ", "Not known"), GREY),
}


def _now(
    language: Language,
    *,
    title: Text,
    question: Text,
    column: str,
    unit: str,
    bounds: Sequence[tuple[float | None, str]],
) -> dm.Panel:
    """One figure of the stream at this moment."""
    return panel(
        language,
        st.Panel()
        .unit(unit)
        .decimals(0)
        .color_mode(cm.BigValueColorMode.BACKGROUND_SOLID)
        .graph_mode(cm.BigValueGraphMode.NONE)
        .thresholds(steps(*bounds))
        .reduce_options(last_value()),
        title=title,
        question=question,
        page="pipeline",
        size=(4, 5),
        targets=[table(f"SELECT {column} FROM stream_now")],
        no_value=Text("Chưa rõ", "Not known"),
    )


def newest_event(language: Language) -> dm.Panel:
    """Age of the newest event."""
    return _now(
        language,
        title=Text("Sự kiện mới nhất, cách đây", "Newest event, ago"),
        question=Text(
            "Số liệu có đang về không? Từ khi sự kiện mới nhất (kể cả sự kiện thử) vào hệ thống.",
            "Does anything still arrive? Since the newest event, canaries included, came in.",
        ),
        column="newest_age_seconds",
        unit=DURATION,
        bounds=((None, GREEN), (600, ORANGE), (1020, VERMILION)),
    )


def lag(language: Language) -> dm.Panel:
    """Records that are not counted yet."""
    return _now(
        language,
        title=Text("Chưa được tính", "Not counted yet"),
        question=Text(
            "Bao nhiêu sự kiện đã nhận mà chưa tính? Theo lần xem cuối của bộ theo dõi.",
            "How many events are accepted and not counted? By the monitor's last look.",
        ),
        column="lag_records",
        unit="short",
        bounds=((None, GREEN), (1000, ORANGE), (10_000, VERMILION)),
    )


def drift(language: Language) -> dm.Panel:
    """Findings of the audit."""
    return _now(
        language,
        title=Text("Lệch số liệu", "Drift"),
        question=Text(
            "Sổ sách có khớp không? Khác 0: chưa công bố số liệu liên quan.",
            "Do the books balance? Other than 0: publish nothing of what is concerned.",
        ),
        column="findings",
        unit="short",
        bounds=((None, GREEN), (1, VERMILION)),
    )


def audit_age(language: Language) -> dm.Panel:
    """Since the last round of the audit."""
    return _now(
        language,
        title=Text("Tự kiểm tra cuối, cách đây", "Last audit, ago"),
        question=Text(
            "Lệch số liệu có được phát hiện ngay không? Từ lần tự kiểm tra gần nhất.",
            "Would drift be seen? Since the last round of the continuous audit.",
        ),
        column="audit_age_seconds",
        unit=DURATION,
        bounds=((None, GREEN), (300, ORANGE), (900, VERMILION)),
    )


def dead_letters_open(language: Language) -> dm.Panel:
    """Records that could not be used."""
    return _now(
        language,
        title=Text("Bản ghi lỗi", "Dead letters"),
        question=Text(
            "Bao nhiêu bản ghi không dùng được còn chờ xử lý?",
            "How many records that could not be used wait for somebody?",
        ),
        column="dead_open",
        unit="short",
        bounds=((None, GREEN), (1, ORANGE), (100, VERMILION)),
    )


def deliveries(language: Language) -> dm.Panel:
    """Messages that wait."""
    return _now(
        language,
        title=Text("Tin chưa gửi được", "Messages waiting"),
        question=Text(
            "Tin cảnh báo nào đã đến giờ mà chưa gửi được cho người nhận?",
            "How many alert messages are due and not accepted by their receivers yet?",
        ),
        column="deliveries_waiting",
        unit="short",
        bounds=((None, GREEN), (1, ORANGE), (20, VERMILION)),
    )


def timeliness(language: Language) -> dm.Panel:
    """Share of cases within the legal deadline, week by week."""
    share = Text("Đúng hạn", "Within the deadline")
    lowest = Text("Ít nhất (nếu giờ không rõ là trễ)", "At least (hours not known taken as late)")
    return panel(
        language,
        ts.Panel()
        .unit("percentunit")
        .decimals(0)
        .min(0)
        .max(1)
        .interval("1w")
        .max_data_points(MAX_DATA_POINTS)
        .draw_style(cm.GraphDrawStyle.LINE)
        .line_width(2)
        .fill_opacity(0)
        .show_points(cm.VisibilityMode.ALWAYS)
        .span_nulls(False)
        .legend(legend())
        .tooltip(tooltip()),
        title=Text("Báo cáo đúng hạn theo luật, theo tuần", "Reported within the legal deadline, by week"),
        question=Text(
            "Ca bệnh có được báo đúng hạn không? Trên các ca có ngày chẩn đoán và bệnh có hạn báo cáo, "
            "theo tuần báo "
            "cáo; hạn là hạn hiệu lực vào ngày chẩn đoán.",
            "Are cases reported in time? Of the cases with a diagnosis and a deadline, by week of report; "
            "the "
            "deadline is the one in force on the day of the diagnosis.",
        ),
        page="delay",
        size=(12, 9),
        targets=[
            series(
                f"""
SELECT {local_time("week_start")} AS time,
  sum(on_time - on_time_by_day)::float8 / nullif(sum(on_time + late), 0) AS lowest,
  sum(on_time)::float8 / nullif(sum(on_time + late), 0) AS share
FROM quality_weeks
WHERE {OF_PLACE} AND {OF_DISEASES} AND {WEEKS}
GROUP BY week_start
ORDER BY 1"""
            )
        ],
        overrides=[
            override("share", share(language), colour=BLUE),
            override("lowest", lowest(language), colour=GREY),
        ],
    )


def delays(language: Language) -> dm.Panel:
    """Cases by days from onset to report."""
    columns = ", ".join(f"sum({name})::float8 AS {name}" for name in DELAYS)
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
        .fill_opacity(85)
        .line_width(0)
        .stacking(cb.StackingConfig().mode(cm.StackingMode.PERCENT).group("A"))
        .legend(legend())
        .tooltip(tooltip()),
        title=Text("Từ khởi phát đến báo cáo, theo tuần", "From onset to report, by week"),
        question=Text(
            "Ca bệnh đến tay ta muộn bao lâu? Tỷ lệ ca mỗi tuần báo cáo theo số ngày từ khởi phát đến báo "
            "cáo.",
            "How late do cases reach us? Shares of each week's reports by the days from onset to report.",
        ),
        page="delay",
        size=(12, 9),
        targets=[
            series(
                f"""
SELECT {local_time("week_start")} AS time, {columns}
FROM quality_weeks
WHERE {OF_PLACE} AND {OF_DISEASES} AND {WEEKS}
GROUP BY week_start
ORDER BY 1"""
            )
        ],
        overrides=[override(name, text(language), colour=colour) for name, (text, colour) in DELAYS.items()],
    )


def completeness(language: Language) -> dm.Panel:
    """How full the forms are, field by field."""
    names = ", ".join(
        f"('{field}', '{text(language)}', {place})" for place, (field, text) in enumerate(FIELDS.items())
    )
    return panel(
        language,
        bg.Panel()
        .unit("percentunit")
        .decimals(0)
        .min(0)
        .max(1)
        .orientation(cm.VizOrientation.HORIZONTAL)
        .display_mode(cm.BarGaugeDisplayMode.BASIC)
        .thresholds(steps((None, ORANGE), (0.6, SKY), (0.9, BLUE)))
        .reduce_options(cb.ReduceDataOptions().values(True).calcs(["lastNotNull"]).fields("")),
        title=Text("Phiếu đầy đủ đến đâu, từng mục", "How full the forms are, by field"),
        question=Text(
            "Mục nào hay bị bỏ trống? Tỷ lệ có điền trên số ca phải hỏi, mọi bệnh, theo tuần báo cáo; lọc "
            "theo bệnh "
            "không áp dụng ở đây.",
            "Which fields are left empty? Share filled in of the cases asked, all diseases, by week of "
            "report; the "
            "filter of diseases does not apply here.",
        ),
        page="completeness",
        size=(8, 12),
        targets=[
            table(
                f"""
WITH counted AS MATERIALIZED (
  SELECT field, sum(asked) AS asked, sum(filled) AS filled
  FROM form_weeks
  WHERE {OF_PLACE} AND {WEEKS}
  GROUP BY field
)
SELECT n.name AS field, filled::float8 / nullif(asked, 0) AS share
FROM (VALUES {names}) AS n (field, name, place)
JOIN counted ON counted.field = n.field
ORDER BY n.place"""
            )
        ],
    )


def districts(language: Language) -> dm.Panel:
    """Timeliness and completeness of each district."""
    area = board_url("area", language, basis="onset", district="${__data.fields.district}")
    return panel(
        language,
        tb.Panel(),
        title=Text("Từng huyện", "District by district"),
        question=Text(
            "Nơi nào cần hỗ trợ báo cáo? Đúng hạn thấp nhất ở trên.",
            "Which district needs help with reporting? The lowest share in time comes first.",
        ),
        page="completeness",
        size=(8, 12),
        targets=[
            table(
                f"""
SELECT district, {place_name(language, "max(district_name)")} AS name, sum(cases) AS cases,
  sum(on_time)::float8 / nullif(sum(on_time + late), 0) AS on_time,
  sum(fields_filled)::float8 / nullif(sum(fields_asked), 0) AS filled
FROM quality_weeks
WHERE {OF_PLACE} AND {OF_DISEASES} AND {WEEKS}
GROUP BY district
ORDER BY on_time NULLS LAST, district
LIMIT 200"""
            )
        ],
        overrides=[
            override("district", is_hidden=True),
            override(
                "name",
                Text("Huyện", "District")(language),
                links=[data_link(Text("Mở bảng địa bàn", "Open the area board")(language), area)],
            ),
            override("cases", Text("Số ca", "Cases")(language), decimals=0, custom__width=75),
            override(
                "on_time",
                Text("Đúng hạn", "In time")(language),
                unit="percentunit",
                decimals=0,
                custom__width=90,
            ),
            override(
                "filled",
                Text("Đã điền", "Filled in")(language),
                unit="percentunit",
                decimals=0,
                custom__width=90,
            ),
        ],
    )


def revisions(language: Language) -> dm.Panel:
    """How much of a week was known how soon."""
    one, four = Text("Sau 1 tuần", "After 1 week"), Text("Sau 4 tuần", "After 4 weeks")
    return panel(
        language,
        ts.Panel()
        .unit("percentunit")
        .decimals(0)
        .min(0)
        .max(1)
        .interval("1w")
        .max_data_points(MAX_DATA_POINTS)
        .draw_style(cm.GraphDrawStyle.LINE)
        .line_width(2)
        .fill_opacity(0)
        .show_points(cm.VisibilityMode.ALWAYS)
        .span_nulls(False)
        .legend(legend())
        .tooltip(tooltip()),
        title=Text("Một tuần biết được bao nhiêu, sau bao lâu", "How much of a week is known how soon"),
        question=Text(
            "Tuần vừa qua còn tăng bao nhiêu? Phần của số ca hiện nay mà hệ thống đã biết sau 1 và 4 tuần. "
            "Danh sách cũ "
            "nhập một lần làm đường này xuống thấp.",
            "How much will last week still grow? The share of today's cases that the system knew 1 and 4 "
            "weeks after "
            "the week's end. An old list that was imported at once pulls the line down.",
        ),
        page="revisions",
        size=(8, 12),
        targets=[
            series(
                f"""
SELECT {local_time("week_start")} AS time,
  CASE WHEN week_start + 14 <= {LAST_DAY}
    THEN sum(known_1_week)::float8 / nullif(sum(cases), 0) END AS one_week,
  CASE WHEN week_start + 35 <= {LAST_DAY}
    THEN sum(known_4_weeks)::float8 / nullif(sum(cases), 0) END AS four_weeks
FROM quality_weeks
WHERE {OF_PLACE} AND {OF_DISEASES} AND {WEEKS}
GROUP BY week_start
ORDER BY 1"""
            )
        ],
        overrides=[
            override("one_week", one(language), colour=ORANGE),
            override("four_weeks", four(language), colour=BLUE),
        ],
    )


def silent_by_week(language: Language) -> dm.Panel:
    """How many regular reporters were silent at the end of each week."""
    silent, all_ = Text("Im lặng", "Silent"), Text("Vẫn báo cáo", "Reporting")
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
        .fill_opacity(85)
        .line_width(0)
        .stacking(cb.StackingConfig().mode(cm.StackingMode.NORMAL).group("A"))
        .legend(legend())
        .tooltip(tooltip()),
        title=Text("Đơn vị báo cáo đều: im lặng hay không", "Regular reporters: silent or not"),
        question=Text(
            "Số ca giảm vì hết bệnh hay vì thôi báo? Các đơn vị vẫn báo đều hằng tuần, xét vào cuối mỗi "
            "tuần.",
            "Do cases fall, or only reports? Reporters that report by the week, judged at the end of each "
            "week.",
        ),
        page="silence",
        size=(12, 9),
        targets=[
            series(
                f"""
SELECT {local_time("judged_on")} AS time, (count(*) FILTER (WHERE state = 'reporting'))::float8 AS reporting,
  (count(*) FILTER (WHERE state = 'silent'))::float8 AS silent
FROM reporter_weeks
WHERE {OF_PLACE} AND judged_on BETWEEN {FIRST_DAY} AND {LAST_DAY}
GROUP BY judged_on
ORDER BY 1"""
            )
        ],
        overrides=[
            override("reporting", all_(language), colour=SKY),
            override("silent", silent(language), colour=VERMILION),
        ],
    )


def silent_now(language: Language) -> dm.Panel:
    """Who is silent."""
    return panel(
        language,
        tb.Panel(),
        title=Text("Ai im lặng vào cuối kỳ", "Who is silent at the end of the period"),
        question=Text(
            "Cần gọi điện cho đơn vị nào? Theo lần xét cuối cùng trong kỳ.",
            "Whom to call? As judged last within the period.",
        ),
        page="silence",
        size=(12, 9),
        targets=[
            table(
                f"""
SELECT reporter, coalesce(district_name, '?') AS district_name, last_active, silent_weeks, longest_gap
FROM reporter_weeks
WHERE {OF_PLACE} AND state = 'silent'
  AND judged_on = {LAST_JUDGED}
ORDER BY silent_weeks DESC, reporter
LIMIT 200"""
            )
        ],
        overrides=[
            override("reporter", Text("Đơn vị", "Reporter")(language), custom__width=150),
            override("district_name", Text("Huyện", "District")(language), custom__width=150),
            override(
                "last_active",
                Text("Tuần báo cuối", "Last report")(language),
                unit=DATE,
                custom__width=120,
            ),
            override(
                "silent_weeks", Text("Tuần im lặng", "Weeks silent")(language), decimals=0, custom__width=110
            ),
            override(
                "longest_gap",
                Text("Lâu nhất trước đó", "Longest before")(language),
                decimals=0,
                custom__width=150,
            ),
        ],
        no_value=Text("Không có đơn vị im lặng", "Nobody is silent"),
    )


def dead_letters(language: Language) -> dm.Panel:
    """Records that could not be used, day by day."""
    return panel(
        language,
        ts.Panel()
        .unit("short")
        .decimals(0)
        .min(0)
        .interval("1d")
        .max_data_points(MAX_DATA_POINTS)
        .draw_style(cm.GraphDrawStyle.BARS)
        .bar_alignment(cm.BarAlignment.AFTER)
        .fill_opacity(85)
        .line_width(0)
        .stacking(cb.StackingConfig().mode(cm.StackingMode.NORMAL).group("A"))
        .legend(legend("sum"))
        .tooltip(tooltip()),
        title=Text("Bản ghi lỗi mỗi ngày, theo loại lỗi", "Dead letters per day, by kind of error"),
        question=Text(
            "Nguồn nào gửi bản ghi không dùng được? Mọi tỉnh, mọi chủ đề; xem: canhdich dead-letters list.",
            "Does somebody send what cannot be used? All provinces and topics; see canhdich dead-letters "
            "list.",
        ),
        page="pipeline",
        size=(8, 9),
        targets=[
            series(
                f"""
SELECT {local_time("day")} AS time, error AS metric, sum(letters)::float8 AS letters
FROM dead_letter_days
WHERE day BETWEEN {FIRST_DAY} AND {LAST_DAY}
GROUP BY 1, 2
ORDER BY 1, 2"""
            )
        ],
        overrides=[override(kind, text(language), colour=colour) for kind, (text, colour) in ERRORS.items()],
        no_value=Text("Không có bản ghi lỗi", "No dead letter"),
    )


def _looked(
    language: Language, *, title: Text, question: Text, column: str, name: Text, unit: str, colour: str
) -> dm.Panel:
    """One figure of the stream over time."""
    return panel(
        language,
        ts.Panel()
        .unit(unit)
        .min(0)
        .interval("1m")
        .max_data_points(MAX_DATA_POINTS)
        .draw_style(cm.GraphDrawStyle.LINE)
        .line_width(1)
        .fill_opacity(10)
        .show_points(cm.VisibilityMode.NEVER)
        .span_nulls(False)
        .legend(legend("max"))
        .tooltip(tooltip()),
        title=title,
        question=question,
        page="pipeline",
        size=(8, 9),
        targets=[
            series(
                f"""
SELECT date_bin($__interval_ms * interval '1 millisecond', at, '2000-01-03+07') AS time,
  max({column})::float8 AS looked
FROM stream_looks
WHERE $__timeFilter(at)
GROUP BY 1
ORDER BY 1"""
            )
        ],
        overrides=[override("looked", name(language), colour=colour)],
        no_value=Text("Chưa có lần xem nào trong kỳ", "No look in the period"),
    )


def queue(language: Language) -> dm.Panel:
    """Records that were not counted yet, over time."""
    return _looked(
        language,
        title=Text("Hàng chờ", "Queue"),
        question=Text(
            "Hệ thống có kịp không? Số bản ghi chưa được tính, lớn nhất trong từng khoảng; giữ 30 ngày. "
            "Chỗ đứt là lúc "
            "bộ theo dõi không ghi.",
            "Does the system keep up? Records not counted, the most of each interval; kept for 30 days. A "
            "gap: the "
            "monitor did not write.",
        ),
        column="lag_records",
        name=Text("Bản ghi chưa được tính", "Records not counted"),
        unit="short",
        colour=BLUE,
    )


def age(language: Language) -> dm.Panel:
    """Age of the newest event, over time."""
    return _looked(
        language,
        title=Text("Tuổi của sự kiện mới nhất", "Age of the newest event"),
        question=Text(
            "Có lúc nào số liệu ngừng về không? Lâu nhất trong từng khoảng; giữ 30 ngày.",
            "Was there a time when nothing came? The longest of each interval; kept for 30 days.",
        ),
        column="newest_age_seconds",
        name=Text("Tuổi", "Age"),
        unit=DURATION,
        colour=ORANGE,
    )


BOARD: Final = Board(
    name="quality",
    title=Text("Chất lượng số liệu và hệ thống", "Data quality and pipeline"),
    description=Text(
        "Số liệu có tin được không: đúng hạn, đầy đủ, đơn vị im lặng, sổ sách, hàng chờ.",
        "Can the figures be believed: timeliness, completeness, silent reporters, the books, the queue.",
    ),
    variables=(GEOGRAPHY, PROVINCE, DISTRICT, DISEASE),
    panels=(
        newest_event,
        lag,
        drift,
        audit_age,
        dead_letters_open,
        deliveries,
        timeliness,
        delays,
        completeness,
        districts,
        revisions,
        silent_by_week,
        silent_now,
        dead_letters,
        queue,
        age,
    ),
)
