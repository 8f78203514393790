"""The life of an alert: a fold of its events, as a case is of its own.

raised → acknowledged → verified | dismissed → closed → (reopened). What the rules answer and what people do
become events; nothing is deleted, and the same answer twice is one event. The legal verdict is always the
letter of the law: only how loudly a change is told depends on what was told before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from streams.domain.errors import RefusedAction
from streams.domain.rules.verdicts import Level, Outcome, Verdict

SYSTEM: Final = "system"
"""The actor of what no person did."""

_NAMESPACE: Final = uuid5(NAMESPACE_URL, "urn:canhdich:alerts")
_NO_PERIOD: Final = "-"


class State(StrEnum):
    """Where an alert stands."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    DISMISSED = "dismissed"
    CLOSED = "closed"


OPEN: Final = frozenset({State.RAISED, State.ACKNOWLEDGED, State.VERIFIED})


class AlertPlace(NamedTuple):
    """Where an alert stands in the inbox: not yet acknowledged first, then the loudest, then the newest."""

    state: str
    level: str
    raised_at: datetime
    alert_id: UUID

    @property
    def order(self) -> tuple[bool, int, float, UUID]:
        """Less is further up."""
        return (
            self.state != State.RAISED,
            -Level(self.level).rank,
            -self.raised_at.timestamp(),
            self.alert_id,
        )


class Kind(StrEnum):
    """What happened to an alert."""

    RAISED = "raised"
    JOINED = "joined"
    """More cases, a higher level or another period under the same alert."""
    REVISED = "revised"
    """Fewer cases or a lower level, and still met."""
    NO_LONGER_MET = "no_longer_met"
    MET_AGAIN = "met_again"
    ENDED_PROPOSED = "ended_proposed"
    ESCALATED = "escalated"
    REOPENED = "reopened"

    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    DISMISSED = "dismissed"
    CLOSED = "closed"
    DETERMINED = "determined"
    """The station has determined "có dịch": the 24 hours for its notice run from there."""
    ENDED = "ended"
    """The station has determined "hết dịch"."""
    NOTED = "noted"


class Loudness(StrEnum):
    """How an event is told."""

    SILENT = "silent"
    DIGEST = "digest"
    IMMEDIATE = "immediate"


@dataclass(frozen=True, slots=True)
class Life:
    """How alerts live; none of it touches a verdict.

    Attributes:
        cool_down: A closed alert whose criterion is met by something new within this time is reopened;
            later a new one is raised. What flaps is not told again within it.
        escalate_after: Per level how long an alert may wait to be acknowledged.
        louder_at: Told again when the cases have grown by this factor since they were last told.
    """

    cool_down: timedelta = timedelta(days=7)
    escalate_after: Mapping[Level, timedelta] = field(
        default_factory=lambda: {
            Level.ALERT: timedelta(hours=24),
            Level.ABOVE_BAND: timedelta(hours=12),
            Level.OUTBREAK: timedelta(hours=4),
        }
    )
    louder_at: int = 2


@dataclass(frozen=True, slots=True)
class PeriodFact:
    """What was last judged of one period under an alert.

    Attributes:
        size: How many of what its rule counts: cases, areas or facilities.
    """

    start: date | None
    end: date | None
    level: Level
    size: int
    is_met: bool

    def overlaps(self, start: date | None, end: date | None) -> bool:
        """Rolling windows of following days share days; calendar periods never do."""
        if self.start is None or self.end is None or start is None or end is None:
            return self.start == start
        return self.start <= end and start <= self.end


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One step of an alert's life. `number` counts from 1 within the alert.

    Attributes:
        verdict: What the rule answered (Verdict.document()), for events that a judgement made.
        data: `loudness`; `instant` of a determination or an end.
    """

    alert_id: UUID
    number: int
    at: datetime
    actor: str
    kind: Kind
    note: str | None = None
    verdict: Mapping[str, Any] | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def loudness(self) -> Loudness:
        """How it is told."""
        return Loudness(self.data.get("loudness", Loudness.SILENT))


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as its events have left it.

    Attributes:
        level: Of the last verdict that was met.
        verdict: That verdict as a document: its numbers, its reasons, the version of the rules.
        is_met: False after a withdrawn case; the alert stays.
        periods: What was judged under it, the latest last.
        changed_at: Of the last event.
        settled_at: When it was closed or dismissed; None while open.
        determined_at: When the station determined "có dịch".
        ended_at: When the station determined "hết dịch".
        end_proposed_at: When the system proposed the end; None again when cases join.
        told_at, told_cases, told_level: What was last told immediately.
    """

    alert_id: UUID
    rule_id: str
    disease: str
    area_id: str
    state: State
    level: Level
    verdict: Mapping[str, Any]
    is_met: bool
    periods: tuple[PeriodFact, ...]
    raised_at: datetime
    waiting_since: datetime
    changed_at: datetime
    events: int
    settled_at: datetime | None = None
    determined_at: datetime | None = None
    ended_at: datetime | None = None
    end_proposed_at: datetime | None = None
    escalated_at: datetime | None = None
    told_at: datetime | None = None
    told_cases: int = 0
    told_level: Level = Level.NONE

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to deal with it."""
        return self.state in OPEN

    @property
    def is_digest_only(self) -> bool:
        """Never told case by case."""
        return bool(self.verdict["is_digest_only"])

    @property
    def cases(self) -> int:
        """Of the last verdict that was met; of group A the confirmed ones, of a rule for deaths those."""
        return _cases(self.verdict)

    @property
    def notice_due_at(self) -> datetime | None:
        """Until when the commune's notice is due: 24 hours from the station's own determination.

        Source:
            TT 15/2026/TT-BYT Art. 26.1b.
        """
        return None if self.determined_at is None else self.determined_at + timedelta(hours=24)


# Fold ----------------------------------------------------------------------------------------------------


def fold(alert: Alert | None, event: AlertEvent) -> Alert:
    """An alert after one more event.

    Raises:
        ValueError: the first event is no verdict, or a number is left out.
    """
    if alert is None:
        alert = _born(event)
    elif event.number != alert.events + 1:
        raise ValueError(f"event {event.number} after {alert.events} events of alert {alert.alert_id}")
    alert = replace(alert, events=event.number, changed_at=event.at)
    if event.verdict is not None:
        alert = _with_verdict(alert, event)
    if event.loudness is Loudness.IMMEDIATE:
        alert = replace(alert, told_at=event.at, told_cases=alert.cases, told_level=alert.level)
    match event.kind:
        case Kind.REOPENED:
            return replace(
                alert, state=State.RAISED, settled_at=None, waiting_since=event.at, escalated_at=None
            )
        case Kind.ACKNOWLEDGED:
            return replace(alert, state=State.ACKNOWLEDGED)
        case Kind.VERIFIED:
            return replace(alert, state=State.VERIFIED)
        case Kind.DISMISSED:
            return replace(alert, state=State.DISMISSED, settled_at=event.at)
        case Kind.CLOSED:
            return replace(alert, state=State.CLOSED, settled_at=event.at)
        case Kind.DETERMINED:
            instant = datetime.fromisoformat(event.data["instant"])
            return replace(alert, state=State.VERIFIED, determined_at=instant, ended_at=None)
        case Kind.ENDED:
            return replace(alert, ended_at=datetime.fromisoformat(event.data["instant"]))
        case Kind.ENDED_PROPOSED:
            return replace(alert, end_proposed_at=event.at)
        case Kind.ESCALATED:
            return replace(alert, escalated_at=event.at)
    return alert


def fold_all(events: Iterable[AlertEvent]) -> Alert:
    """An alert from all its events, in order.

    Raises:
        ValueError: there is no event, or as fold.
    """
    alert: Alert | None = None
    for event in events:
        alert = fold(alert, event)
    if alert is None:
        raise ValueError("an alert has at least one event")
    return alert


def _born(event: AlertEvent) -> Alert:
    if event.kind is not Kind.RAISED or event.verdict is None or event.number != 1:
        raise ValueError(f"an alert begins with a verdict that raises it, not with {event.kind}")
    return Alert(
        alert_id=event.alert_id,
        rule_id=event.verdict["rule"],
        disease=event.verdict["disease"],
        area_id=event.verdict["area_id"],
        state=State.RAISED,
        level=Level(event.verdict["level"]),
        verdict=event.verdict,
        is_met=True,
        periods=(),
        raised_at=event.at,
        waiting_since=event.at,
        changed_at=event.at,
        events=0,
    )


def _with_verdict(alert: Alert, event: AlertEvent) -> Alert:
    verdict = event.verdict or {}
    if event.kind is Kind.ENDED_PROPOSED:
        # Another rule's answer: it says nothing of the periods of this one.
        return alert
    is_met = event.kind is not Kind.NO_LONGER_MET
    fact = PeriodFact(
        _day(verdict["period_start"]),
        _day(verdict["period_end"]),
        Level(verdict["level"]) if is_met else alert.level,
        _size(verdict),
        is_met,
    )
    others = tuple(known for known in alert.periods if not known.overlaps(fact.start, fact.end))
    alert = replace(alert, periods=(*others, fact), is_met=is_met)
    if not is_met:
        return alert
    return replace(alert, level=fact.level, verdict=verdict, end_proposed_at=None)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


_CASES: Final = ("cases", "confirmed", "deaths", "overdue")
"""The cases that a rule looks at, by the name that it gives them; of group A the confirmed ones."""


def _cases(verdict: Mapping[str, Any]) -> int:
    numbers = verdict["numbers"]
    return int(next((numbers[name] for name in _CASES if numbers.get(name) is not None), 0))


def _size(verdict: Mapping[str, Any]) -> int:
    """Of a rule that counts no cases: communes or districts with an outbreak, facilities that are silent."""
    numbers = verdict["numbers"]
    return _cases(verdict) or int(numbers.get("areas") or len(numbers.get("silent") or ()))


# Judgements ----------------------------------------------------------------------------------------------


def judged(alerts: Sequence[Alert], verdict: Verdict, at: datetime, life: Life) -> AlertEvent | None:
    """What a verdict does to the alerts of its rule, disease and area; None where it says nothing new.

    Args:
        alerts: All alerts of `verdict.key`, oldest first, settled ones included.
        verdict: What the rule answers.
        at: When it was judged.
        life: Cool-down and loudness.
    """
    alert = next((known for known in alerts if known.is_open), None)
    if verdict.is_raised:
        return _met(alert, alerts, verdict, at, life)
    # A plain "no" is about another period: a new week, a window that has moved on.
    if alert is None or verdict.verdict is not Outcome.NO_LONGER_MET:
        return None
    known = _known(alert, verdict)
    if known is None or not known.is_met:
        return None
    return _event(alert, Kind.NO_LONGER_MET, at, verdict, Loudness.DIGEST)


def end_proposed(alert: Alert, verdict: Verdict, at: datetime) -> AlertEvent | None:
    """What the answer of a rule for endings does to an open alert of an outbreak; None where nothing."""
    is_news = verdict.verdict is Outcome.ENDED_PROPOSED and alert.end_proposed_at is None
    if not (is_news and alert.is_open and alert.level is Level.OUTBREAK):
        return None
    return _event(alert, Kind.ENDED_PROPOSED, at, verdict, Loudness.IMMEDIATE)


def escalated(alert: Alert, at: datetime, life: Life) -> AlertEvent | None:
    """The escalation of an alert that nobody has acknowledged in time; None where it is not due."""
    patience = life.escalate_after.get(alert.level)
    if alert.state is not State.RAISED or alert.escalated_at is not None or patience is None:
        return None
    if alert.is_digest_only or at < alert.waiting_since + patience:
        return None
    return _event(alert, Kind.ESCALATED, at, None, Loudness.IMMEDIATE)


def _met(
    alert: Alert | None, alerts: Sequence[Alert], verdict: Verdict, at: datetime, life: Life
) -> AlertEvent | None:
    fact = (verdict.level.rank, _size(verdict.document()))
    if alert is not None:
        known = _known(alert, verdict)
        if known is None or fact > (known.level.rank, known.size):
            kind = Kind.JOINED if known is None or known.is_met else Kind.MET_AGAIN
        elif not known.is_met:
            kind = Kind.MET_AGAIN
        elif fact < (known.level.rank, known.size):
            kind = Kind.REVISED
        else:
            return None
        return _event(alert, kind, at, verdict, _loudness(alert, kind, verdict, at, life))
    for settled in reversed(alerts):
        known = _known(settled, verdict)
        if known is not None and known.is_met and fact <= (known.level.rank, known.size):
            # Somebody has dealt with just this.
            return None
    latest = max(alerts, key=lambda known: known.settled_at or known.raised_at, default=None)
    if latest is not None and latest.settled_at is not None and at - latest.settled_at <= life.cool_down:
        return _event(latest, Kind.REOPENED, at, verdict, _first_loudness(verdict))
    return _raised(verdict, at)


def _raised(verdict: Verdict, at: datetime) -> AlertEvent:
    alert_id = uuid5(_NAMESPACE, "|".join([*verdict.key, at.isoformat()]))
    return AlertEvent(
        alert_id,
        1,
        at,
        SYSTEM,
        Kind.RAISED,
        verdict=verdict.document(),
        data={"loudness": _first_loudness(verdict).value},
    )


def _event(alert: Alert, kind: Kind, at: datetime, verdict: Verdict | None, loudness: Loudness) -> AlertEvent:
    if loudness is Loudness.IMMEDIATE and alert.is_digest_only:
        loudness = Loudness.DIGEST
    return AlertEvent(
        alert.alert_id,
        alert.events + 1,
        at,
        SYSTEM,
        kind,
        verdict=None if verdict is None else verdict.document(),
        data={"loudness": loudness.value},
    )


def _known(alert: Alert, verdict: Verdict) -> PeriodFact | None:
    for fact in reversed(alert.periods):
        if fact.overlaps(verdict.period_start, verdict.period_end):
            return fact
    return None


def _first_loudness(verdict: Verdict) -> Loudness:
    if verdict.is_digest_only or verdict.level.rank < Level.ALERT.rank:
        return Loudness.DIGEST
    return Loudness.IMMEDIATE


def _loudness(alert: Alert, kind: Kind, verdict: Verdict, at: datetime, life: Life) -> Loudness:
    """A higher level and many more cases are told at once; what goes to and fro is told once."""
    if _first_loudness(verdict) is Loudness.DIGEST:
        return Loudness.SILENT if kind is Kind.REVISED else Loudness.DIGEST
    if verdict.level.rank > alert.told_level.rank:
        return Loudness.IMMEDIATE
    has_grown = _cases(verdict.document()) >= life.louder_at * max(alert.told_cases, 1)
    if kind is Kind.JOINED and has_grown:
        return Loudness.IMMEDIATE
    is_cool = alert.told_at is None or at - alert.told_at > life.cool_down
    if kind in (Kind.JOINED, Kind.MET_AGAIN):
        return Loudness.IMMEDIATE if is_cool else Loudness.DIGEST
    return Loudness.SILENT


# People --------------------------------------------------------------------------------------------------

Action = Literal["acknowledge", "verify", "dismiss", "close", "reopen", "determine", "end", "note"]

_FROM: Final[Mapping[Action, frozenset[State]]] = {
    "acknowledge": frozenset({State.RAISED}),
    "verify": frozenset({State.RAISED, State.ACKNOWLEDGED}),
    "dismiss": OPEN,
    "close": OPEN,
    "reopen": frozenset({State.DISMISSED, State.CLOSED}),
    "determine": OPEN,
    "end": OPEN,
    "note": frozenset(State),
}
_KINDS: Final[Mapping[Action, Kind]] = {
    "acknowledge": Kind.ACKNOWLEDGED,
    "verify": Kind.VERIFIED,
    "dismiss": Kind.DISMISSED,
    "close": Kind.CLOSED,
    "reopen": Kind.REOPENED,
    "determine": Kind.DETERMINED,
    "end": Kind.ENDED,
    "note": Kind.NOTED,
}
NEEDS_NOTE: Final[frozenset[Action]] = frozenset({"dismiss", "close", "reopen", "note"})
"""What must be said why."""
_WITH_INSTANT: Final = frozenset({"determine", "end"})


def possible_actions(alert: Alert) -> tuple[Action, ...]:
    """What a person may do to an alert as it stands."""
    return tuple(
        action
        for action, states in _FROM.items()
        if alert.state in states and (action != "end" or alert.determined_at is not None)
    )


def acted(
    alert: Alert, action: Action, actor: str, at: datetime, note: str | None, instant: datetime | None = None
) -> AlertEvent:
    """What a person does to an alert.

    Args:
        alert: As it stands.
        action: What.
        actor: Who.
        at: When.
        note: Why; wanted for what settles or reopens it.
        instant: When the station determined, for `determine` and `end`; by default `at`.

    Raises:
        RefusedAction: it is not possible from this state, or something is missing; says what.
    """
    if alert.state not in _FROM[action]:
        raise RefusedAction(
            f"Cảnh báo đang ở trạng thái “{alert.state}”, không làm được việc này. / "
            f"The alert is {alert.state}: `{action}` wants {' or '.join(sorted(_FROM[action]))}."
        )
    if actor.strip() in ("", SYSTEM):
        raise RefusedAction(f"Hãy ghi ai làm việc này. / Say who does it; “{SYSTEM}” is nobody.")
    if action in NEEDS_NOTE and not (note or "").strip():
        raise RefusedAction(f"Hãy ghi lý do. / `{action}` wants a note that says why.")
    data: dict[str, Any] = {"loudness": Loudness.DIGEST.value}
    if action in _WITH_INSTANT:
        determined = instant or at
        if determined.tzinfo is None:
            raise RefusedAction("Thời điểm cần có múi giờ. / The instant wants an offset, e.g. +07:00.")
        if determined > at:
            raise RefusedAction("Thời điểm ở tương lai. / The instant is in the future.")
        if action == "end" and (alert.determined_at is None or determined < alert.determined_at):
            raise RefusedAction(
                "Chưa xác định “có dịch” trước thời điểm này. / "
                "`end` wants an outbreak that was determined before."
            )
        data["instant"] = determined.isoformat()
        # Somebody has to write the notice within 24 hours.
        data["loudness"] = Loudness.IMMEDIATE.value
    return AlertEvent(
        alert.alert_id, alert.events + 1, at, actor, _KINDS[action], (note or "").strip() or None, None, data
    )


@dataclass(frozen=True, slots=True)
class Precision:
    """How often a rule was right: verified of those that people have judged.

    Attributes:
        verified: Alerts that somebody verified (closed ones included).
        dismissed: Alerts that somebody dismissed.
        open: Not judged yet.
    """

    rule_id: str
    verified: int
    dismissed: int
    open: int

    @property
    def share(self) -> float | None:
        """verified / (verified + dismissed); None where nothing was judged."""
        judged_alerts = self.verified + self.dismissed
        return self.verified / judged_alerts if judged_alerts else None
