"""The notices of a commune's health station, filled in from an alert; the station signs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from streams.domain.calendar import LOCAL_ZONE, Period
from streams.domain.errors import RefusedAction
from streams.domain.report.language import cardinal, day_text

NoticeKind = Literal["begin", "end"]

NOTICE_WITHIN: Final = timedelta(hours=24)
"""From the station's own determination. Source: TT 15/2026/TT-BYT Art. 26.1b and c."""


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """What an alert says of an outbreak in a commune. `foci`: where, as far as foci are reported."""

    disease: str
    place: str
    province: str
    determined_at: datetime | None
    ended_at: datetime | None
    period: Period | None
    cases: int
    foci: Sequence[str]


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice ready to be numbered and signed. `draft`: for who signs, to be deleted before that."""

    kind: NoticeKind
    title: str
    subject: str
    paragraphs: tuple[str, ...]
    draft: str
    due_at: datetime


def write_notice(facts: NoticeFacts, kind: NoticeKind, templates: Mapping[str, Any]) -> Notice:
    """The notice of an outbreak or of its end.

    Args:
        facts: What is known.
        kind: begin or end.
        templates: schemas/report/notices.yaml.

    Raises:
        RefusedAction: the station has not determined it: there is nothing to announce, and no clock runs.
    """
    if facts.determined_at is None:
        raise RefusedAction(
            "Trạm y tế chưa xác định có dịch. / The station has not determined an outbreak: "
            "`canhdich alerts determine ID --at INSTANT` records that it has."
        )
    if kind == "end" and facts.ended_at is None:
        raise RefusedAction(
            "Trạm y tế chưa xác định hết dịch. / The station has not determined the end: "
            "`canhdich alerts end ID --at INSTANT` records that it has."
        )
    since = facts.determined_at if kind == "begin" or facts.ended_at is None else facts.ended_at
    due_at = since + NOTICE_WITHIN
    counted = ""
    if facts.period is not None and facts.cases:
        counted = templates["counted"].format(
            first=day_text(facts.period.first, "vi"),
            last=day_text(facts.period.last, "vi"),
            cases=f"{cardinal(facts.cases, 'vi')} trường hợp",
        )
    values = {
        "disease": facts.disease,
        "place": in_prose(facts.place),
        "province": in_prose(facts.province),
        "determined": at_text(facts.determined_at),
        "ended": "" if facts.ended_at is None else at_text(facts.ended_at),
        "cases": counted,
        "foci": "; ".join(facts.foci) or templates["blank"],
        "due": at_text(due_at),
    }
    form = templates[kind]
    return Notice(
        kind,
        form["title"],
        form["subject"].format(**values),
        tuple(paragraph.format(**values) for paragraph in form["paragraphs"]),
        form["draft"].format(**values),
        due_at,
    )


def in_prose(name: str) -> str:
    """The name of an area within a sentence: "Xã Bum Tở" becomes "xã Bum Tở"."""
    return name[0].lower() + name[1:]


def at_text(at: datetime) -> str:
    """An instant by the local clock, in Vietnamese."""
    local = at.astimezone(LOCAL_ZONE)
    return f"{local:%H} giờ {local:%M} phút ngày {day_text(local.date(), 'vi')}"
