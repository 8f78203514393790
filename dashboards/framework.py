# ruff: noqa: S608 - queries are made of constants of this package; Grafana puts in what people choose
"""What all boards are made of: texts in two languages, queries, variables, links, colours, the grid.

A board is a function of the language. Its panels are functions, too, one each; what a panel says is written
down once, in both languages side by side. Queries read the views of the schema `boards` (schemas/sql/views)
and write their keywords in capitals, as Grafana's own editor does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, Self, get_args

from grafana_foundation_sdk.builders import barchart as bc
from grafana_foundation_sdk.builders import common as cb
from grafana_foundation_sdk.builders import dashboard as db
from grafana_foundation_sdk.builders import heatmap as hm
from grafana_foundation_sdk.builders import timeseries as ts
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as cm
from grafana_foundation_sdk.models import dashboard as dm
from grafana_foundation_sdk.models import heatmap as hmm

Language = Literal["vi", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

PLUGIN: Final = "grafana-postgresql-datasource"
DATASOURCE_UID: Final = "surveillance"
DATASOURCE: Final = cm.DataSourceRef(type_val=PLUGIN, uid=DATASOURCE_UID)

TIMEZONE: Final = "Asia/Ho_Chi_Minh"
"""Days of cases are local days: a board in another zone would begin its days elsewhere."""
REFRESH: Final = "5m"
DOCS: Final = "/public/canhdich/docs"
"""Where Grafana serves docs/ from: no outside server is needed to read what a figure means."""
TAG: Final = "canhdich"

COLUMNS: Final = 24
MOST_ROWS: Final = 500
MAX_DATA_POINTS: Final = 300


class Text(NamedTuple):
    """A text in both languages."""

    vi: str
    en: str

    def __call__(self, language: Language) -> str:
        """The text in one language."""
        return self.vi if language == "vi" else self.en


# Colours -------------------------------------------------------------------------------------------

# Okabe and Ito's palette, and colours that stay apart from it: told apart by people who do not see red or
# green (tests/contract/test_board_colours.py measures it). Vermilion is for alerts only.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
SKY, YELLOW, GREY, VERMILION = "#56B4E9", "#F0E442", "#666666", "#D55E00"
DARK_BLUE, VIOLET, PLUM, BROWN = "#332288", "#7F0DF2", "#291424", "#6B3310"
PETROL, SAND, PALE = "#195366", "#D8BB64", "#C8C8C8"

DISEASE_COLOURS: Final[Mapping[str, str]] = {
    "dengue": BLUE,
    "hfmd": ORANGE,
    "measles": PURPLE,
    "chickenpox": SKY,
    "mumps": GREEN,
    "covid19": YELLOW,
    "rabies": DARK_BLUE,
    "tuberculosis": PLUM,
    "malaria": VIOLET,
    "viral_encephalitis": BROWN,
    "rash_fever_susp_measles": PETROL,
    "influenza_seasonal": SAND,
}
"""The same disease has the same colour on every board. More than a dozen colours cannot be told apart: the
rarer diseases share those of the less common of these."""
SHARED_COLOURS: Final = (SAND, PETROL, BROWN, VIOLET, GREEN, DARK_BLUE)

LEVELS: Final[Mapping[str, tuple[Text, str]]] = {
    "attention": (Text("Chú ý", "Attention"), SKY),
    "alert": (Text("Cảnh báo", "Alert"), ORANGE),
    "above_band": (Text("Vượt ngưỡng", "Above the band"), PURPLE),
    "outbreak": (Text("Tiêu chí có dịch", "Outbreak criterion"), VERMILION),
}
"""Levels of alerts, the quietest first."""


# Queries -------------------------------------------------------------------------------------------

Format = Literal["table", "time_series"]


class PostgresQuery(Dataquery):
    """A query of Grafana's PostgreSQL plugin, for which the SDK has no class."""

    def __init__(
        self, raw_sql: str, query_format: Format = "table", ref_id: str = "A", *, hide: bool | None = None
    ) -> None:
        self.raw_sql = raw_sql.strip()
        self.format = query_format
        self.ref_id = ref_id
        self.hide = hide

    def to_json(self) -> dict[str, object]:
        """As the plugin stores it."""
        payload: dict[str, object] = {
            "datasource": {"type": PLUGIN, "uid": DATASOURCE_UID},
            "editorMode": "code",
            "format": self.format,
            "rawQuery": True,
            "rawSql": self.raw_sql,
            "refId": self.ref_id,
        }
        if self.hide is not None:
            payload["hide"] = self.hide
        return payload

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The query that was stored."""
        return cls(data["rawSql"], data.get("format", "table"), data.get("refId", "A"), hide=data.get("hide"))


def table(sql: str, ref_id: str = "A") -> PostgresQuery:
    """A query whose rows are shown as they are."""
    return PostgresQuery(sql, "table", ref_id)


def series(sql: str, ref_id: str = "A") -> PostgresQuery:
    """A query whose rows are points: a column `time`, ascending, and numbers; `metric` names the series."""
    return PostgresQuery(sql, "time_series", ref_id)


ALL: Final = "'__all__'"
"""What "All" writes into a query that reads every value: Grafana puts it in as it stands, so it is quoted."""

FIRST_DAY: Final = f"($__timeFrom()::timestamptz AT TIME ZONE '{TIMEZONE}')::date"
LAST_DAY: Final = f"($__timeTo()::timestamptz AT TIME ZONE '{TIMEZONE}')::date"
"""First and last day of the time picker, both included, as `canhdich counts --from --to` means them."""

INCOMPLETE_DAYS: Final = 14
"""By which most reports have come."""

IN_PERIOD: Final = f"day BETWEEN {FIRST_DAY} AND {LAST_DAY}"

OF_PROVINCE: Final = (
    "structure_on = ANY (ARRAY[${geography:sqlstring}]::date[]) AND province IN (${province:sqlstring})"
)
"""A view's rows of the chosen province in the chosen structure of areas."""
OF_AREA: Final = f"{OF_PROVINCE} AND district IN (${{district:sqlstring}})"
"""... and of the chosen districts; "All" lists them, and '-' for those not known."""
OF_BASIS: Final = "basis IN (${basis:sqlstring})"
LAST_JUDGED: Final = (
    f"(SELECT max(judged_days.judged_on) FROM judged_days WHERE judged_days.judged_on <= {LAST_DAY})"
)
"""The last Monday of the period on which reporters were judged."""

COUNTS: Final = f"daily_counts\nWHERE {OF_AREA} AND {OF_BASIS}"
"""What nearly every panel reads; more conditions follow with AND."""
OF_DISEASES: Final = f"({ALL} IN (${{disease:sqlstring}}) OR disease IN (${{disease:sqlstring}}))"

ONCE: Final = (
    f"(CASE WHEN {ALL} IN (${{disease:sqlstring}}) THEN syndrome = '' "
    "ELSE syndrome NOT IN (${disease:sqlstring}) END)"
)
"""In a sum over diseases: a case that counts in a syndrome and in the disease it resolved to is taken
once."""

CASES: Final = "CASE WHEN basis = 'death' THEN deaths ELSE notified END"
"""What is counted: on the day of death there are deaths only."""


def local_time(day: str) -> str:
    """SQL of the instant at which a local day begins."""
    return f"({day})::timestamp AT TIME ZONE '{TIMEZONE}'"


_A_MONDAY: Final = "1900-01-01"
"""Before every day that is accepted."""


def week_of(day: str) -> str:
    """SQL of the Monday of the ISO week of a date (or local timestamp), by arithmetic: date_trunc goes by
    instants and zones."""
    return f"(({day})::date - (({day})::date - DATE '{_A_MONDAY}') % 7)"


def people(districts: bool) -> str:
    """Common table expressions: `people` has the mean population of the period, as counts' rates have it.

    A mid-year population weighs as much as its year has days in the period; an area without the population of
    one of the years is absent.

    Args:
        districts: One row per district; else one row for the province, whose `district` is ''.
    """
    last = f"least({LAST_DAY}, (now() AT TIME ZONE '{TIMEZONE}')::date)"
    return f"""years AS (
  SELECT year,
    least({last}, make_date(year, 12, 31)) - greatest({FIRST_DAY}, make_date(year, 1, 1)) + 1 AS days
  FROM generate_series(extract(year FROM {FIRST_DAY})::int, extract(year FROM {last})::int) AS year
), people AS MATERIALIZED (
  SELECT district, sum(population * days) / (SELECT sum(days) FROM years) AS population
  FROM populations
  JOIN years USING (year)
  WHERE {OF_PROVINCE} AND district {"<>" if districts else "="} ''
  GROUP BY district
  HAVING count(*) = (SELECT count(*) FROM years)
)"""


NEIGHBOURS: Final = 4
"""How many districts a district is shown beside."""


def nearest(here: str) -> str:
    """A common table expression `near`: the districts nearest to one, itself among them.

    Their `label` begins with their rank: 0 is the district itself, 1 the nearest. Which districts touch each
    other is not known; nearness is that of their centres. Needs OF_PROVINCE's variables.

    Args:
        here: A common table expression with the `latitude` and `longitude` of the district.
    """
    return f"""near AS (
  SELECT district, row_number() OVER (ORDER BY distance, district) - 1 || '. ' || name AS label
  FROM (
    SELECT other.district, other.name,
      (other.latitude - {here}.latitude) ^ 2
        + ((other.longitude - {here}.longitude) * cos(radians({here}.latitude))) ^ 2 AS distance
    FROM districts AS other
    CROSS JOIN {here}
    WHERE {OF_PROVINCE} AND other.district <> '-'
  ) AS measured
  WHERE distance IS NOT NULL
  ORDER BY distance, district
  LIMIT {NEIGHBOURS + 1}
)"""


RATES_OF_PLACES: Final = f"""SELECT {local_time("monday")} AS time, label AS metric,
  (coalesce(cases, 0) * 1e5 / population)::float8 AS rate
FROM near
JOIN people USING (district)
CROSS JOIN (
  SELECT week_start::date AS monday
  FROM generate_series({week_of(FIRST_DAY)}::timestamp, {LAST_DAY}, '7 days') AS week_start
) AS weeks
LEFT JOIN counted USING (district, monday)
ORDER BY time, metric"""
"""Weekly rates per 100,000 from `counted` (monday, district, cases), `people` and `near`; a week without
a case is a zero: a line drawn past it would show cases that nobody had."""


# Variables -----------------------------------------------------------------------------------------

Variable = Callable[[Language], Builder[dm.VariableModel]]


def query_variable(
    name: str,
    label: Text,
    sql: Callable[[Language], str],
    *,
    multi: bool = False,
    all_value: str | None = None,
) -> Variable:
    """A variable whose options a query gives: columns __text and __value, read when the board is loaded.

    Args:
        name: As queries name it.
        label: As people see it.
        sql: The query.
        multi: Several values, and "All".
        all_value: What "All" writes into queries; None: the list of all options (which follows a parent).
    """

    def build(language: Language) -> Builder[dm.VariableModel]:
        variable = (
            db.QueryVariable(name)
            .label(label(language))
            .datasource(DATASOURCE)
            .query(sql(language))
            .refresh(dm.VariableRefresh.ON_DASHBOARD_LOAD)
            .sort(dm.VariableSort.DISABLED)
            .multi(multi)
        )
        if multi:
            every = Text("Tất cả", "All")(language)
            variable = variable.include_all(True).current(dm.VariableOption(text=[every], value=["$__all"]))
            if all_value is not None:
                variable = variable.all_value(all_value)
        return variable

    return build


GEOGRAPHY: Final = query_variable(
    "geography",
    Text("Địa giới", "Areas of"),
    lambda language: (
        f"""
SELECT structure_on::text AS __value,
  CASE WHEN structure_on > '0001-01-01'
    THEN '{Text("Từ", "From")(language)} ' || to_char(structure_on, 'DD/MM/YYYY')
    ELSE '{Text("Trước", "Before")(language)} ' || to_char(last_day + 1, 'DD/MM/YYYY') END AS __text
FROM structures
ORDER BY structure_on DESC"""
    ),
)
PROVINCE: Final = query_variable(
    "province",
    Text("Tỉnh", "Province"),
    lambda _: (
        """
SELECT name AS __text, province AS __value
FROM provinces
WHERE structure_on = ANY (ARRAY[${geography:sqlstring}]::date[])
ORDER BY has_counts DESC, name"""
    ),
)


def place_name(language: Language, name: str = "name") -> str:
    """SQL of a district's name; cases whose district is not known stand under '-'.

    Args:
        language: Of the words for them.
        name: SQL of the name.
    """
    unknown = Text("Không rõ huyện", "District not known")(language)
    return f"CASE district WHEN '-' THEN '{unknown}' ELSE {name} END"


def _districts(language: Language) -> str:
    return f"""
SELECT {place_name(language)} AS __text, district AS __value
FROM districts
WHERE {OF_PROVINCE}
ORDER BY district = '-', name"""


_DISTRICT: Final = Text("Huyện / khu vực", "District")
DISTRICT: Final = query_variable("district", _DISTRICT, _districts, multi=True)
"""Its "All" lists the districts of the province, so it follows it; '-' among them are those not known."""
ONE_DISTRICT: Final = query_variable("district", _DISTRICT, _districts)
DISEASE: Final = query_variable(
    "disease",
    Text("Bệnh", "Disease"),
    lambda language: f"SELECT name_{language} AS __text, disease AS __value FROM diseases ORDER BY place",
    multi=True,
    all_value=ALL,
)
ONE_DISEASE: Final = query_variable(
    "disease",
    Text("Bệnh", "Disease"),
    lambda language: (
        f"""
SELECT name_{language} AS __text, disease AS __value
FROM diseases
ORDER BY disease <> 'dengue', place"""
    ),
)
BASIS: Final = query_variable(
    "basis",
    Text("Tính theo", "Counted on"),
    lambda language: f"SELECT name_{language} AS __text, basis AS __value FROM bases ORDER BY place",
)


# Links ---------------------------------------------------------------------------------------------


def board_uid(name: str, language: Language) -> str:
    """The uid under which Grafana knows a board."""
    return f"{name}-{language}"


def board_url(name: str, language: Language, **values: str) -> str:
    """The address of another board with the time and the variables of this one.

    Args:
        name: Of the board.
        language: Of the board.
        values: Variables that get another value, such as `district="${__data.fields.district}"`.
    """
    kept = [
        f"${{{name}:queryparam}}"
        for name in ("geography", "province", "district", "disease", "basis")
        if name not in values
    ]
    given = [f"var-{name}={value}" for name, value in values.items()]
    uid = board_uid(name, language)
    return f"/d/{uid}/{uid}?" + "&".join(["${__url_time_range}", *kept, *given])


def data_link(title: str, url: str) -> dict[str, object]:
    """The value of a field's `links`."""
    return {"title": title, "url": url, "targetBlank": False}


# Fields --------------------------------------------------------------------------------------------


def override(
    column: str,
    title: str | None = None,
    *,
    unit: str | None = None,
    decimals: int | None = None,
    colour: str | None = None,
    scheme: dm.FieldColorModeId | None = None,
    is_hidden: bool = False,
    **custom: object,
) -> dm.DashboardFieldConfigSourceOverrides:
    """How one column or series is shown.

    Args:
        column: Its name in the query; between slashes, a pattern of names.
        title: Its name for people.
        unit: Grafana's name of a unit.
        decimals: Digits after the point.
        colour: A fixed colour.
        scheme: Or a scale of colours by value.
        is_hidden: A column of a table that only links need.
        custom: Other properties; `__` stands for a dot (custom__width=120).
    """
    properties: list[tuple[str, object]] = []
    if title is not None:
        properties.append(("displayName", title))
    if unit is not None:
        properties.append(("unit", unit))
    if decimals is not None:
        properties.append(("decimals", decimals))
    if colour is not None:
        properties.append(("color", {"mode": "fixed", "fixedColor": colour}))
    if scheme is not None:
        properties.append(("color", {"mode": scheme.value}))
    if is_hidden:
        properties.append(("custom.hidden", True))
    properties += [(name.replace("__", "."), value) for name, value in custom.items()]
    matcher = "byRegexp" if column.startswith("/") else "byName"
    return dm.DashboardFieldConfigSourceOverrides(
        matcher=dm.MatcherConfig(id_val=matcher, options=column),
        properties=[dm.DynamicConfigValue(id_val=name, value=value) for name, value in properties],
    )


def level_mappings(
    language: Language,
) -> list[dm.ValueMap | dm.RangeMap | dm.RegexMap | dm.SpecialValueMap]:
    """Levels of alerts by their rank, 1 to 4, as names and colours."""
    return [
        dm.ValueMap(
            options={
                str(rank): dm.ValueMappingResult(text=text(language), color=colour, index=rank)
                for rank, (text, colour) in enumerate(LEVELS.values(), start=1)
            }
        )
    ]


def level_column(language: Language) -> dm.DashboardFieldConfigSourceOverrides:
    """A table's column of levels by their rank, each in its colour."""
    return override(
        "level",
        Text("Mức", "Level")(language),
        mappings=[mapping.to_json() for mapping in level_mappings(language)],
        custom__cellOptions={"type": "color-background", "mode": "basic"},
        custom__align="left",
        custom__width=140,
    )


def sentence_column(column: str, title: str) -> dm.DashboardFieldConfigSourceOverrides:
    """A table's column of sentences: in as many lines as they need."""
    return override(column, title, custom__cellOptions={"type": "auto", "wrapText": True})


def steps(*bounds: tuple[float | None, str]) -> db.ThresholdsConfig:
    """Thresholds: from each bound on a colour; the first bound is None."""
    return (
        db.ThresholdsConfig()
        .mode(dm.ThresholdsMode.ABSOLUTE)
        .steps([dm.Threshold(value=value, color=colour) for value, colour in bounds])
    )


def legend(*calcs: str) -> cb.VizLegendOptions:
    """A legend below the panel, with sums where asked for."""
    return (
        cb.VizLegendOptions()
        .show_legend(True)
        .display_mode(cm.LegendDisplayMode.LIST)
        .placement(cm.LegendPlacement.BOTTOM)
        .calcs(list(calcs))
    )


def tooltip() -> cb.VizTooltipOptions:
    """All series of a moment, the largest first."""
    return cb.VizTooltipOptions().mode(cm.TooltipDisplayMode.MULTI).sort(cm.SortOrder.DESCENDING)


def rows_by_week(
    scheme: str = "Cividis",
    *,
    is_reversed: bool = True,
    unit: str = "short",
    least: float | None = None,
    most: float | None = None,
) -> hm.Panel:
    """One row per series and one cell per week: the colour is the value.

    Args:
        scheme: Grafana's name of a scale that everybody tells apart. By default from yellow to dark blue: the
            palest of most others is white, and a single case would not be seen.
        is_reversed: The scale from its end to its beginning.
        unit: Of the values.
        least: Value of the palest colour; None: the smallest.
        most: Value of the darkest colour; None: the largest.
    """
    colours = hm.HeatmapColorOptions().mode(hmm.HeatmapColorMode.SCHEME).scheme(scheme).steps(64)
    colours = colours.reverse(is_reversed).fill("dark-orange").exponent(0.5)
    if least is not None:
        colours = colours.min(least)
    if most is not None:
        colours = colours.max(most)
    return (
        hm.Panel()
        .calculate(False)
        .color(colours)
        .cell_values(hm.CellValues().unit(unit))
        .cell_gap(1)
        .rows_frame(hm.RowsHeatmapOptions().layout(cm.HeatmapCellLayout.AUTO))
        .show_value(cm.VisibilityMode.NEVER)
        .show_legend()
        .tooltip(
            hm.HeatmapTooltip().mode(cm.TooltipDisplayMode.SINGLE).show_color_scale(True).y_histogram(False)
        )
        .interval("1w")
        .max_data_points(MAX_DATA_POINTS)
    )


def lines_of_places() -> ts.Panel:
    """Weekly rates of some districts beside each other."""
    return (
        ts.Panel()
        .draw_style(cm.GraphDrawStyle.LINE)
        .line_width(2)
        .fill_opacity(0)
        .show_points(cm.VisibilityMode.NEVER)
        .span_nulls(False)
        .interval("1w")
        .max_data_points(MAX_DATA_POINTS)
        .unit("short")
        .decimals(1)
        .min(0)
        .legend(legend())
        .tooltip(tooltip())
    )


def place_colours() -> list[dm.DashboardFieldConfigSourceOverrides]:
    """The colours of the labels of `nearest`, by their rank."""
    return [
        override(f"/^{rank}\\. /", colour=colour)
        for rank, colour in enumerate((BLUE, ORANGE, GREEN, PURPLE, PLUM))
    ]


AGES: Final[Mapping[str, Text]] = {
    "age_0": Text("dưới 1", "under 1"),
    "age_1_4": Text("1–4", "1–4"),
    "age_5_9": Text("5–9", "5–9"),
    "age_10_14": Text("10–14", "10–14"),
    "age_15_24": Text("15–24", "15–24"),
    "age_25_44": Text("25–44", "25–44"),
    "age_45_64": Text("45–64", "45–64"),
    "age_65_up": Text("65 +", "65 +"),
    "age_unknown": Text("không rõ", "unknown"),
}
"""The bands of streams/domain/quality.py for people; tests hold them together."""

SEXES: Final[Mapping[str, tuple[Text, str]]] = {
    "male": (Text("Nam", "Male"), BLUE),
    "female": (Text("Nữ", "Female"), ORANGE),
    "unknown": (Text("Không rõ", "Unknown"), GREY),
}


def by_age_and_sex() -> bc.Panel:
    """Bars of ages, each of the sexes on top of each other."""
    return (
        bc.Panel()
        .orientation(cm.VizOrientation.VERTICAL)
        .x_field("age")
        .show_value(cm.VisibilityMode.NEVER)
        .stacking(cm.StackingMode.NORMAL)
        .fill_opacity(80)
        .line_width(0)
        .unit("short")
        .decimals(0)
        .min(0)
        .legend(legend())
        .tooltip(tooltip())
    )


def ages_and_sexes(cases: str, language: Language) -> str:
    """SQL of one row per band of ages, the youngest first, with a column per sex.

    Args:
        cases: SQL of rows with age_band, sex and cases.
        language: Of the bands' names.
    """
    names = ", ".join(
        f"('{band}', '{text(language)}', {place})" for place, (band, text) in enumerate(AGES.items())
    )
    columns = ",\n  ".join(
        f"coalesce(sum(found.cases) FILTER (WHERE found.sex = '{sex}'), 0)::float8 AS {sex}" for sex in SEXES
    )
    return f"""
WITH found AS ({cases}
)
SELECT bands.age,
  {columns}
FROM (VALUES {names}) AS bands (age_band, age, place)
LEFT JOIN found USING (age_band)
GROUP BY bands.age, bands.place
ORDER BY bands.place"""


def sex_columns(language: Language) -> list[dm.DashboardFieldConfigSourceOverrides]:
    """How the columns of `ages_and_sexes` are shown."""
    return [
        override("age", Text("Tuổi", "Age")(language)),
        *(override(sex, text(language), colour=colour) for sex, (text, colour) in SEXES.items()),
    ]


def last_value() -> cb.ReduceDataOptions:
    """A stat's one number: the query's own."""
    return cb.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("")


_NOTHING: Final = Text("Không có", "None")
_UNKNOWN_NUMBER: Final = dm.DashboardFieldConfigSourceOverrides(
    matcher=dm.MatcherConfig(id_val="byType", options="number"),
    properties=[dm.DynamicConfigValue(id_val="noValue", value="–")],
)
"""In a table a number that is not known is no "None", which reads like zero."""

DATE: Final = "time:DD/MM/YYYY"
INSTANT: Final = "time:DD/MM/YYYY HH:mm"
"""Units of days and instants; Grafana's own show them as the reader's browser is set, or as in the USA."""
DURATION: Final = "dtdhms"
"""Unit of seconds: 1 d 02:03:04, in no language."""


def counted_in(language: Language, one: Text) -> str:
    """The unit of whole things: the number and a word behind it."""
    return f"suffix: {one(language)}"


# Panels and boards ---------------------------------------------------------------------------------

Panel = Callable[[Language], dm.Panel]
"""One panel; its module-level function has its name."""


def panel(
    language: Language,
    builder: Builder[dm.Panel],
    *,
    title: Text,
    question: Text,
    page: str,
    size: tuple[int, int],
    targets: Sequence[PostgresQuery],
    overrides: Sequence[dm.DashboardFieldConfigSourceOverrides] = (),
    no_value: Text = _NOTHING,
) -> dm.Panel:
    """Finish a panel.

    Args:
        language: Of its texts.
        builder: Its kind and what only this kind has.
        title: What is shown.
        question: The question that it answers, and what to know before it is believed.
        page: Of docs/indicators, without its ending.
        size: Columns (of 24) and rows.
        targets: Its queries.
        overrides: How single columns are shown.
        no_value: Shown where the query found nothing.
    """
    built = builder.build()
    built.title = title(language)
    more = Text("Chỉ số", "Indicator")(language)
    address = f"{DOCS}/indicators/{page}.md"
    built.description = f"{question(language)}\n\n[{more}: {page}]({address})"
    built.links = [
        db.DashboardLink(f"{more}: {page}")
        .type(dm.DashboardLinkType.LINK)
        .url(address)
        .target_blank(True)
        .build()
    ]
    built.datasource = DATASOURCE
    built.targets = list(targets)
    built.grid_pos = dm.GridPos(w=size[0], h=size[1])
    if built.field_config is None:
        built.field_config = dm.FieldConfigSource()
    built.field_config.defaults.no_value = no_value(language)
    unknown = [_UNKNOWN_NUMBER] if built.type_val == "table" else []
    built.field_config.overrides = [*unknown, *built.field_config.overrides, *overrides]
    return built


Annotation = Callable[[Language], dm.AnnotationQuery]


def annotation(language: Language, name: Text, colour: str, sql: str) -> dm.AnnotationQuery:
    """Marks in time: columns time, text, and where they last timeend."""
    built = (
        db.AnnotationQuery()
        .name(name(language))
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color(colour)
        .build()
    )
    built.target = PostgresQuery(sql, "table", "Anno")
    return built


@dataclass(frozen=True, slots=True)
class Board:
    """One board, in every language.

    Attributes:
        name: Of its file and, with the language, its uid.
        title: For people.
        description: What it is for.
        variables: In the order in which they depend on each other.
        panels: From left to right and down.
        annotations: Marks in time.
        since: From when on it shows, as Grafana writes it.
    """

    name: str
    title: Text
    description: Text
    variables: Sequence[Variable]
    panels: Sequence[Panel]
    annotations: Sequence[Annotation] = field(default=())
    since: str = "now-1y/d"

    def build(self, language: Language) -> dm.Dashboard:
        """The board in one language."""
        builder = (
            db.Dashboard(self.title(language))
            .uid(board_uid(self.name, language))
            .description(self.description(language))
            .tags([TAG, language])
            .timezone(TIMEZONE)
            .week_start("monday")
            .time(self.since, "now")
            .refresh(REFRESH)
            .readonly()
            .tooltip(dm.DashboardCursorSync.CROSSHAIR)
            .link(
                db.DashboardLink(Text("Các bảng", "Boards")(language))
                .type(dm.DashboardLinkType.DASHBOARDS)
                .tags([TAG, language])
                .as_dropdown(True)
                .keep_time(True)
                .include_vars(True)
            )
        )
        for variable in self.variables:
            builder = builder.with_variable(variable(language))
        built = builder.build()
        built.panels = placed([make(language) for make in self.panels])
        built.annotations.list_val = [make(language) for make in self.annotations]
        return built


def placed(panels: Sequence[dm.Panel]) -> list[dm.Panel | dm.RowPanel]:
    """Panels with ids from 1 and their places in the grid: rows as high as their highest panel."""
    x = y = height = 0
    found: list[dm.Panel | dm.RowPanel] = []
    for number, one in enumerate(panels, start=1):
        if one.grid_pos is None:
            raise ValueError(f"{one.title}: panel() gives a panel its size")
        if x + one.grid_pos.w > COLUMNS:
            x, y, height = 0, y + height, 0
        one.id_val = number
        one.grid_pos.x, one.grid_pos.y = x, y
        x, height = x + one.grid_pos.w, max(height, one.grid_pos.h)
        found.append(one)
    return found
