"""`canhdich counts`: counts by any dimensions, now, as of an instant or as published, in any structure."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import orjson
import typer
from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.topics import load_topics
from services.cli import options
from services.cli.connection import connected
from services.cli.counts_table import print_table
from services.cli.counts_table import remarks as remarks_on
from services.cli.output import EXIT_FAILED, JsonOption, err, exits, out, print_json
from services.log_ends import ask_log_ends
from services.settings import Settings, settings
from streams.domain.as_of import Vector
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.comparison import MODES
from streams.domain.counts import BASES
from streams.domain.errors import ConfigurationError
from streams.domain.geography import geography_on
from streams.domain.positions import TOPIC
from streams.stores.answers import Extras, read_answer
from streams.stores.counts import (
    DIMENSIONS,
    TIME_DIMENSIONS,
    CountsRequest,
    read_counts,
    read_counts_as_of,
)
from streams.stores.snapshots import (
    as_published,
    document_of,
    publish_counts,
    read_snapshot,
    reprint_counts,
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("counts", help="Counts and deaths per area, disease and time.")(counts)


@exits
def counts(
    province: options.ProvinceOption = None,
    district: options.DistrictOption = None,
    disease: options.DiseaseOption = None,
    first: options.FromOption = None,
    last: options.ToOption = None,
    basis: Annotated[
        str | None, typer.Option(help=f"What a day means: {', '.join(BASES)}; onset by default.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="What was known at this instant (ISO; local time without an offset).")
    ] = None,
    geography: Annotated[
        str | None,
        typer.Option(
            help="Day whose structure of areas is shown, or the word surveillance; default: --to, else today."
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Dimension(s): {', '.join(DIMENSIONS)}; repeat the option or separate with commas."
        ),
    ] = None,
    rates: Annotated[
        bool, typer.Option("--rates", help="Incidence per 100,000 and case fatality, with 95 % intervals.")
    ] = False,
    compare: Annotated[
        str | None, typer.Option(help=f"The same period before beside each row: {', '.join(MODES)}.")
    ] = None,
    publish: Annotated[
        str | None, typer.Option(metavar="LABEL", help="Keep what is printed as a snapshot of this name.")
    ] = None,
    snapshot: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Print a snapshot again, exactly; with other options: ask them of what it counted.",
        ),
    ] = None,
    json_output: JsonOption = False,
) -> int:
    """Print counts; rows of zeros are left out."""
    configured = settings()
    asked = _Asked(province, district, disease, first, last, basis, as_of, geography, by, rates, compare)
    with connected() as connection:
        if snapshot is None:
            printed = _count(connection, configured, asked, publish)
        elif as_of is not None or publish is not None:
            raise ConfigurationError("--snapshot goes with neither --as-of nor --publish: it is what it was.")
        else:
            printed = _count_as_published(connection, asked, _uuid(snapshot))
    rows = orjson.loads(printed.document)
    if json_output:
        print_json(rows)
    else:
        print_table(rows)
        printed.remarks.extend(remarks_on(rows))
    # Whoever reads the table must see that it is provisional; whoever reads the JSON finds it in the rows.
    console = err if json_output else out
    for line in printed.remarks:
        console.print(line, markup=False, highlight=False)
    return EXIT_FAILED if printed.is_doubtful else 0


@dataclass(frozen=True, slots=True)
class _Printed:
    """The JSON of the rows, what to say beside it, and whether something is wrong with it."""

    document: str
    remarks: list[str]
    is_doubtful: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options that make up a question, as they were typed."""

    province: str | None
    district: str | None
    disease: str | None
    first: str | None
    last: str | None
    basis: str | None
    as_of: str | None
    geography: str | None
    by: list[str] | None
    rates: bool
    compare: str | None

    @property
    def is_nothing(self) -> bool:
        given = (
            self.province,
            self.district,
            self.disease,
            self.first,
            self.last,
            self.basis,
            self.geography,
            self.compare,
        )
        return not self.by and not self.rates and all(option is None for option in given)

    def extras(self, today: date) -> Extras:
        if self.compare is not None and self.compare not in MODES:
            raise ConfigurationError(f"--compare {self.compare}: choose from {', '.join(MODES)}.")
        return Extras(self.rates, self.compare, today)

    def request(self, today: date) -> CountsRequest:
        last_day = options.day("--to", self.last)
        request = CountsRequest(
            by=options.choices_of("--by", self.by, DIMENSIONS),
            geography_on=geography_on(self.geography, last_day, today),
            basis=options.choice("--basis", self.basis or "onset", BASES),
            province=self.province,
            district=self.district,
            disease=self.disease,
            first=options.day("--from", self.first),
            last=last_day,
            as_of=options.instant("--as-of", self.as_of),
        )
        if request.first is not None and request.last is not None and request.first > request.last:
            raise ConfigurationError("--from is after --to.")
        return request


def _count(
    connection: Connection[TupleRow], configured: Settings, asked: _Asked, label: str | None
) -> _Printed:
    today = datetime.now(LOCAL_ZONE).date()
    request, extras = asked.request(today), asked.extras(today)
    topic = configured.topic_prefix + TOPIC
    remarks = []
    is_provisional = None
    if request.as_of is None:
        rows = read_answer(connection, request, extras)
    else:
        partitions = load_topics()[TOPIC].partitions
        rows, is_provisional = read_counts_as_of(
            connection,
            request,
            topic,
            partitions,
            lambda: ask_log_ends(configured.kafka, topic),
            lambda view, question: read_answer(view, question, extras),
        )
        remarks += _as_of_remarks(request.as_of, is_provisional)
    remarks += _undated_remarks(connection, request)
    if label is None:
        return _Printed(document_of(rows, is_provisional), remarks)
    if not label.strip():
        raise ConfigurationError("--publish wants a name, e.g. --publish 'Tuần 27/2023'.")
    kept = publish_counts(connection, topic, label.strip(), request, is_provisional, extras)
    if kept is None:
        remarks.append(
            "KHÔNG công bố: sổ cái và số đếm lệch nhau. / NOT published: ledger and counts differ; run "
            "`canhdich audit`, see docs/runbook/drift.md."
        )
        return _Printed(document_of(rows, is_provisional), remarks, is_doubtful=True)
    remarks.append(f"Đã công bố / published: {kept.id}  SHA-256 {kept.sha256}")
    return _Printed(kept.document, remarks)


def _as_of_remarks(as_of: datetime, is_provisional: bool) -> list[str]:
    state = (
        "tạm tính: còn phân vùng chưa đếm đến thời điểm này / provisional: not every partition is known to "
        "be counted through this instant"
        if is_provisional
        else "cuối cùng / final"
    )
    return [f"Tính đến / as of {as_of.astimezone(LOCAL_ZONE).isoformat()}: {state}."]


def _count_as_published(connection: Connection[TupleRow], asked: _Asked, snapshot_id: UUID) -> _Printed:
    snapshot = read_snapshot(connection, snapshot_id)
    taken_at = snapshot.taken_at.astimezone(LOCAL_ZONE)
    remarks = [f"{snapshot.label}: công bố lúc / published at {taken_at.isoformat(timespec='seconds')}."]
    if asked.is_nothing:
        again = reprint_counts(connection, snapshot)
        if again.differs:
            remarks.append(
                "In lại đúng bản đã công bố, nhưng đếm lại cho kết quả KHÁC. / Printed as it was published, "
                "but counting again gives something ELSE; run `canhdich audit`, see docs/runbook/drift.md."
            )
        return _Printed(again.document, [*remarks, *again.notes], again.differs)
    with as_published(connection, snapshot) as notes:
        request, extras = asked.request(taken_at.date()), asked.extras(taken_at.date())
        rows = read_answer(connection, request, extras, snapshot.vector)
        remarks += _undated_remarks(connection, request, snapshot.vector)
    return _Printed(document_of(rows, None), [*remarks, *notes])


def _uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise ConfigurationError(
            f"--snapshot {value}: no snapshot's id; `canhdich snapshots` lists them."
        ) from error


def _undated_remarks(
    connection: Connection[TupleRow], request: CountsRequest, vector: Vector | None = None
) -> list[str]:
    """Deaths that a period on the death basis cannot hold, where no row shows them."""
    has_period = request.first is not None or request.last is not None
    if request.basis != "death" or not has_period or TIME_DIMENSIONS & set(request.by):
        return []
    rows = read_counts(connection, replace(request, by=("day",), first=None, last=None), vector)
    undated = sum(row["deaths"] for row in rows if row["day"] is None)
    if not undated:
        return []
    return [
        f"{undated} ca tử vong không rõ ngày, không tính vào khoảng thời gian này. / "
        f"{undated} death(s) without a known day are in no period: left out here."
    ]
