"""Simulated line lists of Lai Châu for 2022 and 2023, as the events that each case would have posted.

Pure: the same seed gives the same bytes. Every case is a history (suspected at a commune station, sampled,
admitted, result days later, corrected, moved, retracted…) whose end reproduces `figures.py`. Cases keep their
year on the onset and on the report basis alike: a case with onset in December is reported in December, though
its event may be posted in January (late entry, with `reported_on` given).
"""

import datetime as dt
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.catalogue import Catalogue, load_catalogue
from schemas.events import CASE_REPORTED, CASE_RETRACTED, CASE_UPDATED, LOCAL_TIMEZONE, build_event
from services.demo.figures import DISTRICTS, FIGURES, PROVINCE, YearFigures
from services.demo.ids import DEFAULT_SEED, uuid7


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """One CloudEvent as it was posted.

    Attributes:
        order: Place in the order of posting, from 0; a repeat has its original's.
        subject: The case's code, which is the Kafka key.
        raw: The event as canonical JSON in UTF-8.
    """

    order: int
    subject: str
    raw: bytes


def demo_events(seed: int = DEFAULT_SEED, *, catalogue: Catalogue | None = None) -> list[DemoEvent]:
    """All events of the demo in the order of posting, which is not quite the order of their times.

    Args:
        seed: Of the pseudo-random choices; every seed gives the same figures.
        catalogue: Where the communes come from; default: the packaged one.
    """
    rng = random.Random(seed)  # noqa: S311 - simulated data, not secrets
    writer = _HistoryWriter(rng, _communes(catalogue or load_catalogue()))
    histories = [writer.write(plan) for figures in FIGURES for plan in _plans(figures, rng)]
    histories += _mistakes(histories, writer, rng)
    _number(histories)
    posted = sorted(
        ((post, history) for history in histories for post in history.posts),
        key=lambda pair: (pair[0].time + pair[0].delay, pair[1].subject, pair[0].time),
    )
    return [
        DemoEvent(order, history.subject, _cloud_event(post, history.subject, rng))
        for order, (post, history) in enumerate(posted)
    ]


def repeat_and_shuffle(
    events: Sequence[DemoEvent], seed: int = DEFAULT_SEED, *, share: float = 0.15
) -> list[DemoEvent]:
    """The same events in any order, a share of them sent twice.

    Half of the repeats are the same byte for byte; the other half say the same in other words: keys in
    another order, local time, letters escaped, the id in capitals. By the contract both count once.
    """
    rng = random.Random(seed)  # noqa: S311 - simulated data, not secrets
    repeats = rng.sample(events, round(share * len(events)))
    half = len(repeats) // 2
    sent = [*events, *repeats[:half], *(_in_other_words(event) for event in repeats[half:])]
    rng.shuffle(sent)
    return sent


def _in_other_words(event: DemoEvent) -> DemoEvent:
    content = json.loads(event.raw)
    content["id"] = content["id"].upper()
    content["time"] = dt.datetime.fromisoformat(content["time"]).astimezone(LOCAL_TIMEZONE).isoformat()
    content["data"] = dict(reversed(content["data"].items()))
    raw = json.dumps(dict(reversed(content.items())), ensure_ascii=True).encode()
    return DemoEvent(event.order, event.subject, raw)


# --- What each case must end as ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Plan:
    """The end of one case: what the counts will see."""

    disease: str
    year: int
    district: str
    lab: Mapping[str, str]
    classification: str
    died: bool
    death_agent: str | None
    imported: bool


# Agents that the laboratory is asked for; a disease that is not here is tested for its own agent.
_PANELS: Mapping[str, tuple[str, ...]] = {
    "rash_fever_susp_measles": ("measles", "rubella"),
    "viral_encephalitis": ("je",),
    "malaria": ("p_vivax",),
}


def _plans(figures: YearFigures, rng: random.Random) -> list[_Plan]:
    """One plan per case: laboratory results, then districts, then deaths, so that each figure is met."""
    labs = _labs(figures)
    districts = _districts(figures, rng)
    dead = _dead(figures, labs, districts)
    discarded = figures.discarded
    plans = []
    for number, (lab, district) in enumerate(zip(labs, districts, strict=True)):
        result = _overall(lab)
        classification = {"positive": "confirmed", "pending": "suspected"}.get(result or "", "probable")
        if result == "negative":
            classification = "suspected"
            if discarded > 0 and number not in dead:
                classification, discarded = "discarded", discarded - 1
        plans.append(
            _Plan(
                disease=figures.disease,
                year=figures.year,
                district=district,
                lab=lab,
                classification=classification,
                died=number in dead,
                death_agent=figures.death_agent if number in dead else None,
                imported=number < figures.imported,
            )
        )
    return plans


def _labs(figures: YearFigures) -> list[dict[str, str]]:
    """Final results per case. Cases beyond positive, negative and pending were not tested."""
    panel = _PANELS.get(figures.disease, (figures.disease,))
    labs = [
        {agent: "positive" if agent == found else "negative" for agent in panel}
        for found, count in figures.positive_by_agent.items()
        for _ in range(count)
    ]
    labs += [dict.fromkeys(panel, "negative") for _ in range(figures.negative)]
    # A first agent that is answered while the second is still open is pending all the same.
    labs += [
        {agent: "negative" if place < number % len(panel) else "pending" for place, agent in enumerate(panel)}
        for number in range(figures.pending)
    ]
    labs += [dict.fromkeys(panel, "not_tested") for _ in range(figures.notified - len(labs))]
    return labs


def _districts(figures: YearFigures, rng: random.Random) -> list[str]:
    """Final district per case: as the report states, else drawn."""
    if figures.cases_by_district:
        districts = [code for code, count in figures.cases_by_district.items() for _ in range(count)]
        rng.shuffle(districts)
        return districts
    weights = _PROFILES[figures.disease].district_weights
    return rng.choices(list(DISTRICTS), [weights[code] for code in DISTRICTS], k=figures.notified)


def _dead(figures: YearFigures, labs: Sequence[Mapping[str, str]], districts: list[str]) -> set[int]:
    """Which cases died. Places one in each district of a death, by an exchange of districts where needed."""
    wanted = "negative" if figures.death_agent else None
    dead: set[int] = set()
    for district, count in figures.deaths_by_district.items():
        for _ in range(count):
            allowed = [
                number
                for number, lab in enumerate(labs)
                if number not in dead and (wanted is None or _overall(lab) == wanted)
            ]
            number = next((n for n in allowed if districts[n] == district), allowed[0])
            if districts[number] != district and district in districts:
                other = districts.index(district)
                districts[other], districts[number] = districts[number], district
            districts[number] = district
            dead.add(number)
    return dead


def _overall(lab: Mapping[str, str]) -> str | None:
    results = set(lab.values())
    return next((result for result in ("positive", "pending", "negative") if result in results), None)


# --- What is usual for each disease -----------------------------------------------------------------------

_BY_POPULATION = {"105": 9, "106": 11, "107": 10, "108": 17, "109": 17, "110": 15, "111": 13, "112": 8}
_FOREST = {"105": 0, "106": 1, "107": 78, "108": 6, "109": 4, "110": 0, "111": 1, "112": 10}
_TOWN = {"105": 38, "106": 13, "107": 5, "108": 7, "109": 10, "110": 12, "111": 11, "112": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Profile:
    """Invented but lifelike habits of one disease.

    Attributes:
        ages: Youngest, usual and oldest age in years.
        months: Weight of each month of onset, January first.
        male: Share of males.
        report_days: Fewest and most days from onset to report.
        result_days: Fewest and most days from sample to result; (0, 0) is a test at the station.
        admitted: Share of cases in hospital.
        test_type: Of the laboratory result.
        first_taken_for: Disease under which some cases were reported first; None: no mistake is usual.
        onset_known: Share of cases with a date of onset.
    """

    ages: tuple[float, float, float]
    months: tuple[int, ...]
    male: float = 0.5
    report_days: tuple[int, int] = (1, 4)
    result_days: tuple[int, int] = (3, 12)
    admitted: float
    test_type: str
    first_taken_for: str | None = None
    onset_known: float = 1.0
    district_weights: Mapping[str, int] = field(default_factory=lambda: _BY_POPULATION)


_PROFILES: Mapping[str, _Profile] = {
    "covid19": _Profile(
        ages=(0.5, 34, 92),
        months=(2, 2, 4, 22, 34, 18, 6, 4, 3, 2, 2, 2),
        report_days=(0, 3),
        result_days=(0, 0),
        admitted=0.08,
        test_type="rapid",
        district_weights=_TOWN,
    ),
    "hfmd": _Profile(
        ages=(0.5, 2, 8),
        months=(1, 1, 3, 6, 8, 6, 4, 4, 8, 9, 5, 2),
        male=0.58,
        admitted=0.4,
        test_type="pcr",
        first_taken_for="chickenpox",
        district_weights=_TOWN,
    ),
    "rabies": _Profile(
        ages=(4, 30, 62),
        months=(1, 2, 3, 3, 4, 4, 4, 3, 2, 2, 1, 1),
        male=0.6,
        report_days=(1, 3),
        admitted=1.0,
        test_type="pcr",
    ),
    "dengue": _Profile(
        ages=(16, 27, 55),
        months=(0, 0, 0, 1, 2, 3, 5, 8, 10, 10, 6, 2),
        male=0.65,
        report_days=(2, 6),
        result_days=(1, 5),
        admitted=0.8,
        test_type="serology",
        first_taken_for="malaria",
    ),
    "streptococcus_suis": _Profile(
        ages=(32, 48, 66),
        months=(5, 5, 2, 1, 1, 2, 2, 1, 1, 1, 1, 3),
        male=0.9,
        result_days=(3, 6),
        admitted=1.0,
        test_type="culture",
    ),
    "anthrax": _Profile(
        ages=(22, 38, 60),
        months=(0, 0, 0, 1, 6, 8, 3, 1, 0, 0, 0, 0),
        male=0.7,
        admitted=0.75,
        test_type="pcr",
    ),
    "rash_fever_susp_measles": _Profile(
        ages=(0.5, 4, 19),
        months=(4, 6, 9, 8, 6, 3, 2, 1, 1, 1, 2, 3),
        admitted=0.35,
        test_type="serology",
        first_taken_for="chickenpox",
    ),
    "viral_encephalitis": _Profile(
        ages=(1, 7, 45),
        months=(1, 1, 2, 3, 8, 10, 8, 5, 2, 1, 1, 1),
        male=0.57,
        report_days=(2, 6),
        result_days=(5, 14),
        admitted=1.0,
        test_type="serology",
        first_taken_for="je",
    ),
    "pertussis": _Profile(
        ages=(0.1, 0.3, 3),
        months=(1, 1, 3, 4, 5, 4, 3, 2, 1, 1, 1, 1),
        report_days=(4, 10),
        admitted=0.9,
        test_type="pcr",
    ),
    "malaria": _Profile(
        ages=(5, 29, 64),
        months=(2, 2, 3, 5, 9, 10, 9, 7, 6, 6, 4, 3),
        male=0.7,
        report_days=(1, 5),
        result_days=(0, 0),
        admitted=0.2,
        test_type="microscopy",
        district_weights=_FOREST,
    ),
    "tuberculosis": _Profile(
        ages=(15, 52, 84),
        months=(1,) * 12,
        male=0.7,
        report_days=(5, 40),
        result_days=(1, 4),
        admitted=0.25,
        test_type="microscopy",
        onset_known=0.4,
    ),
}

_HAMLETS = (
    "bản Nậm Khao",
    "bản Huổi Luông",
    "bản Nà Phát",
    "bản Tả Xin",
    "bản Phìn Khò",
    "bản Pắc Ma",
    "bản Nà Đon",
    "bản Thèn Thầu",
    "bản Sì Choang",
    "bản Nậm Pục",
    "bản Hua Bó",
    "bản Vàng Pheo",
    "bản Can Hồ",
    "bản Lao Chải",
    "bản Co Mú",
    "bản Nà Ban",
)
# Provinces where people of Lai Châu work or study (codes before 2025-07-01).
_WORK_PROVINCES = ("01", "24", "27", "79", "74", "19")


# --- The histories ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Commune:
    code: str
    district: str
    is_urban: bool


def _communes(catalogue: Catalogue) -> dict[str, list[_Commune]]:
    """Communes by district, in the structure of the two years."""
    by_id = {area.id: area for area in catalogue.areas}
    communes: dict[str, list[_Commune]] = {code: [] for code in DISTRICTS}
    for area in catalogue.areas:
        district = by_id.get(area.parent_id or "")
        if (
            area.kind == "commune"
            and district is not None
            and district.kind == "district"
            and by_id[district.parent_id or ""].code == PROVINCE
            and (area.valid_from is None or area.valid_from <= dt.date(2022, 1, 1))
        ):
            urban = area.name_vi.startswith(("Phường", "Thị trấn"))
            communes[district.code].append(_Commune(area.code, district.code, urban))
    return communes


@dataclass(slots=True)
class _Post:
    """One event to be; `delay` is how long after its time it was posted."""

    type: str
    facility: str
    time: dt.datetime
    data: dict[str, Any]
    delay: dt.timedelta = dt.timedelta()


@dataclass(slots=True)
class _History:
    """One case: its posts, the first report first, and its code once it is numbered."""

    plan: _Plan
    posts: list[_Post]
    duplicate_of: "_History | None" = None
    subject: str = ""

    @property
    def report(self) -> _Post:
        return self.posts[0]

    @property
    def last_time(self) -> dt.datetime:
        return max(post.time for post in self.posts)


@dataclass(frozen=True, slots=True)
class _Days:
    """The true dates of a case; both in its year."""

    onset: dt.date
    reported: dt.date


class _HistoryWriter:
    """Writes the lifelike sequence of events that ends as a plan."""

    def __init__(self, rng: random.Random, communes: Mapping[str, Sequence[_Commune]]) -> None:
        self._rng = rng
        self._communes = communes

    def write(self, plan: _Plan) -> _History:
        """One case from its first report to its last correction."""
        rng = self._rng
        profile = _PROFILES[plan.disease]
        days = self._days(plan, profile)
        home = rng.choice(self._communes[plan.district])
        first = self._first_commune(home)
        station = f"LC-TYT-{first.code}"
        history = _History(plan, [])

        report = self._report(plan, profile, days, first)
        late_entry = dt.timedelta(days=rng.randint(5, 12) if rng.random() < 0.03 else 0)
        time = self._office_hour(days.reported) + late_entry
        if late_entry or rng.random() < 0.7:
            report["reported_on"] = days.reported.isoformat()
        right = self._mistaken(report, plan, profile, days)
        history.posts.append(_Post(CASE_REPORTED, station, time, report))

        time = self._laboratory(history, plan, profile, station, time)
        time = self._stay(history, plan, profile, home, days, time)
        if first is not home:
            right |= {"area_code": home.code, "hamlet": self._hamlet(home)}
        self._corrections(history, home, right, time)
        for post in history.posts:
            # A line was down or a form lay on a desk: posted days after it was recorded.
            if not post.delay and rng.random() < 0.03:
                post.delay = dt.timedelta(days=rng.randint(1, 10), minutes=rng.randint(0, 300))
        return history

    def duplicate(self, original: _History) -> _History:
        """The same patient reported again by the hospital, followed up, then retracted as a duplicate."""
        rng = self._rng
        seen = original.report.data
        time = original.report.time + dt.timedelta(days=rng.randint(1, 3), minutes=rng.randint(1, 300))
        hospital = f"LC-TTYT-{original.plan.district}"
        data = {
            name: seen[name]
            for name in ("disease", "area_code", "onset_on", "sex", "age_years")
            if name in seen
        }
        history = _History(
            original.plan,
            [_Post(CASE_REPORTED, hospital, time, data | {"reported_on": time.date().isoformat()})],
        )
        time += dt.timedelta(days=rng.randint(1, 3), minutes=rng.randint(1, 200))
        agent = next(iter(original.plan.lab))
        history.posts.append(_Post(CASE_UPDATED, hospital, time, {"lab": {agent: "pending"}}))
        retracted_at = time + dt.timedelta(days=rng.randint(1, 8), minutes=rng.randint(1, 200))
        history.posts.append(_Post(CASE_RETRACTED, "LC-CDC", retracted_at, {"reason": "duplicate"}))
        if rng.random() < 0.5:
            # The laboratory answers although the case is retracted; only a report may reinstate it.
            answered_at = retracted_at + dt.timedelta(days=rng.randint(1, 4))
            result = {"lab": {agent: "negative"}}
            history.posts.append(_Post(CASE_UPDATED, "LC-CDC-XN", answered_at, result))
        history.duplicate_of = original
        return history

    def mistake(self, like: _History) -> _History:
        """A report that never was a case, retracted days later."""
        post = like.report
        later = post.time + dt.timedelta(hours=self._rng.randint(2, 60), minutes=7)
        data = {name: value for name, value in post.data.items() if name not in ("lab", "external_ids")}
        return _History(
            like.plan,
            [
                _Post(CASE_REPORTED, post.facility, post.time + dt.timedelta(minutes=9), data),
                _Post(CASE_RETRACTED, post.facility, later, {"reason": "entered_in_error"}),
            ],
        )

    def reinstate(self, history: _History) -> None:
        """Retract a true case by mistake, and report it again."""
        time = history.last_time + dt.timedelta(days=1, minutes=self._rng.randint(1, 90))
        history.posts.append(_Post(CASE_RETRACTED, "LC-CDC", time, {"reason": "entered_in_error"}))
        last: dict[str, Any] = {}
        for post in sorted(history.posts, key=lambda post: post.time):
            last |= post.data
        again = {name: last[name] for name in ("disease", "area_code")}
        time += dt.timedelta(days=1, minutes=self._rng.randint(1, 90))
        history.posts.append(_Post(CASE_REPORTED, history.report.facility, time, again))

    def _days(self, plan: _Plan, profile: _Profile) -> _Days:
        rng = self._rng
        month = rng.choices(range(1, 13), profile.months)[0]
        onset = dt.date(plan.year, month, rng.randint(1, 28))
        delay = rng.randint(*profile.report_days)
        if rng.random() < 0.05:
            delay += rng.randint(15, 35)
        # The year's last day caps the report and, for the dead, leaves room for the death.
        latest = dt.date(plan.year, 12, 20) if plan.died else dt.date(plan.year, 12, 31)
        onset = min(onset, latest)
        return _Days(onset, min(onset + dt.timedelta(days=delay), latest))

    def _first_commune(self, home: _Commune) -> _Commune:
        """Where the case was reported first: home, at times another commune, seldom another district."""
        chance = self._rng.random()
        if chance >= 0.06:
            return home
        districts = (
            [home.district] if chance < 0.04 else [code for code in DISTRICTS if code != home.district]
        )
        others = [
            commune
            for district in districts
            for commune in self._communes[district]
            if commune.code != home.code
        ]
        return self._rng.choice(others)

    def _report(self, plan: _Plan, profile: _Profile, days: _Days, commune: _Commune) -> dict[str, Any]:
        rng = self._rng
        age = rng.triangular(profile.ages[0], profile.ages[2], profile.ages[1])
        data: dict[str, Any] = {
            "disease": plan.disease,
            "area_code": commune.code,
            "hamlet": self._hamlet(commune),
            "classification": "suspected",
            "sex": "male" if rng.random() < profile.male else "female",
            "age_years": round(age, 1) if age < 3 else int(age),
        }
        if rng.random() < profile.onset_known:
            data["onset_on"] = days.onset.isoformat()
        if plan.imported:
            data |= {"origin": "imported", "origin_area_code": rng.choice(_WORK_PROVINCES)}
        elif rng.random() < 0.6:
            data["origin"] = "local"
        if rng.random() < 0.2:
            data["external_ids"] = {"ecds": f"{plan.year}-12-{rng.randint(1, 99999):06d}"}
        return data

    def _mistaken(
        self, report: dict[str, Any], plan: _Plan, profile: _Profile, days: _Days
    ) -> dict[str, Any]:
        """Put mistakes into a report; what comes back is what a later update will put right."""
        rng = self._rng
        right: dict[str, Any] = {}
        if rng.random() < 0.04:
            right["age_years"] = report["age_years"]
            report["age_years"] = min(report["age_years"] + rng.randint(1, 9), 100)
        if "onset_on" in report and rng.random() < 0.07:
            first = dt.date(plan.year, 1, 1)
            wrong = max(first, min(days.reported, days.onset + dt.timedelta(days=rng.randint(-6, 4))))
            if wrong != days.onset:
                right["onset_on"] = report["onset_on"]
                report["onset_on"] = wrong.isoformat()
        if profile.first_taken_for and rng.random() < 0.04:
            right["disease"] = plan.disease
            report["disease"] = profile.first_taken_for
        return right

    def _laboratory(
        self, history: _History, plan: _Plan, profile: _Profile, station: str, time: dt.datetime
    ) -> dt.datetime:
        """Sample and results; a test at the station itself is part of the report."""
        rng = self._rng
        if all(result == "not_tested" for result in plan.lab.values()):
            # Diagnosed without a laboratory (tuberculosis by X-ray): not tested, which is not a negative.
            time = self._later(time, 0, 4)
            diagnosed = {
                "lab": dict(plan.lab),
                "classification": plan.classification,
                "diagnosed_at": time.date().isoformat(),
            }
            history.posts.append(_Post(CASE_UPDATED, f"LC-TTYT-{plan.district}", time, diagnosed))
            return time
        if profile.result_days == (0, 0):
            history.report.data |= {
                "lab": dict(plan.lab),
                "test_type": profile.test_type,
                "classification": plan.classification,
            }
            return time

        sampled_at = self._later(time, 0, 2)
        pending = {
            "lab": dict.fromkeys(plan.lab, "pending"),
            "sampled_on": sampled_at.date().isoformat(),
            "test_type": profile.test_type,
        }
        history.posts.append(_Post(CASE_UPDATED, station, sampled_at, pending))
        time = sampled_at
        for number, lab in enumerate(self._answers(plan)):
            time = self._later(time, *(profile.result_days if number == 0 else (1, 6)))
            answer: dict[str, Any] = {"lab": lab}
            is_last = all(agent in lab for agent in plan.lab) or number > 0
            if "positive" in lab.values() or (is_last and plan.classification == "discarded"):
                answer["classification"] = plan.classification
            history.posts.append(_Post(CASE_UPDATED, "LC-CDC-XN", time, answer))
        if rng.random() < 0.06 and len(history.posts) > 2:
            # A tablet out of coverage: an older word arrives after the result, and must not win.
            stale_at = sampled_at + dt.timedelta(minutes=rng.randint(5, 50))
            stale = {"lab": dict.fromkeys(plan.lab, "pending"), "classification": "suspected"}
            history.posts.append(_Post(CASE_UPDATED, station, stale_at, stale, delay=dt.timedelta(days=16)))
        return time

    def _answers(self, plan: _Plan) -> list[dict[str, str]]:
        """Results in the order in which they come: positive first, each agent by itself or all together."""
        answered = {agent: result for agent, result in plan.lab.items() if result != "pending"}
        if len(answered) < 2 or (_overall(plan.lab) == "negative" and self._rng.random() < 0.5):
            return [answered] if answered else []
        first = sorted(answered.items(), key=lambda item: item[1] != "positive")
        return [{agent: result} for agent, result in first]

    def _stay(
        self,
        history: _History,
        plan: _Plan,
        profile: _Profile,
        home: _Commune,
        days: _Days,
        time: dt.datetime,
    ) -> dt.datetime:
        """Admission and outcome. Both happened at some time after the report, whatever the laboratory did."""
        rng = self._rng
        hospital = f"LC-TTYT-{home.district}"
        stay_from = history.report.time
        is_admitted = plan.died or rng.random() < profile.admitted
        if is_admitted:
            stay_from = self._later(stay_from, 0, 1)
            admitted = {
                "hospitalised": True,
                "admitted_on": days.reported.isoformat(),
                "treating_facility": hospital,
                "outcome": "in_care",
            }
            history.posts.append(_Post(CASE_UPDATED, hospital, stay_from, admitted))
            if not plan.died and rng.random() < 0.02:
                undone_at = stay_from + dt.timedelta(hours=1)
                undo = {"hospitalised": None, "admitted_on": None, "treating_facility": None, "outcome": None}
                history.posts.append(_Post(CASE_UPDATED, hospital, undone_at, undo))
                is_admitted = False
        if plan.died:
            died_at = self._later(self._office_hour(days.reported), 1, 6).replace(hour=rng.randint(0, 23))
            known_at = max(died_at, stay_from) + dt.timedelta(hours=rng.randint(2, 20))
            death: dict[str, Any] = {"outcome": "dead", "died_at": died_at.isoformat()}
            if plan.death_agent:
                death["death_agent"] = plan.death_agent
            history.posts.append(_Post(CASE_UPDATED, hospital, known_at, death))
            return max(time, known_at)
        if rng.random() < 0.75:
            ended_at = self._later(max(stay_from, time), 4, 14)
            recovered: dict[str, Any] = {"outcome": "recovered"}
            if is_admitted:
                recovered["discharged_on"] = ended_at.date().isoformat()
            history.posts.append(_Post(CASE_UPDATED, hospital, ended_at, recovered))
            return ended_at
        return max(time, stay_from)

    def _corrections(
        self, history: _History, home: _Commune, right: Mapping[str, Any], time: dt.datetime
    ) -> None:
        """Put right what was reported wrongly, in one update or in two."""
        items = list(right.items())
        cut = self._rng.randint(0, len(items)) if "area_code" not in right else 0
        for part in (items[:cut], items[cut:]):
            if part:
                time = self._later(time, 1, 6)
                history.posts.append(_Post(CASE_UPDATED, f"LC-TTYT-{home.district}", time, dict(part)))

    def _hamlet(self, commune: _Commune) -> str:
        if commune.is_urban:
            return f"tổ dân phố {self._rng.randint(1, 24)}"
        return self._rng.choice(_HAMLETS)

    def _office_hour(self, day: dt.date) -> dt.datetime:
        minutes = self._rng.randint(7 * 60 + 30, 17 * 60)
        seconds = self._rng.randint(0, 59)
        return dt.datetime.combine(day, dt.time(tzinfo=LOCAL_TIMEZONE)) + dt.timedelta(
            minutes=minutes, seconds=seconds
        )

    def _later(self, time: dt.datetime, fewest: int, most: int) -> dt.datetime:
        """Some days later in office hours, and at least a minute later."""
        day = time.date() + dt.timedelta(days=self._rng.randint(fewest, most))
        return max(self._office_hour(day), time + dt.timedelta(minutes=self._rng.randint(1, 30)))


def _mistakes(histories: Sequence[_History], writer: _HistoryWriter, rng: random.Random) -> list[_History]:
    """Histories that must not count, and true ones retracted and reinstated (which must)."""
    chosen = rng.sample(histories, 22)
    extra = [writer.duplicate(original) for original in chosen[:14]]
    extra += [writer.mistake(like) for like in chosen[14:18]]
    # A retraction may overtake its report on the way.
    extra[0].report.delay = dt.timedelta(days=20)
    extra[-1].report.delay = dt.timedelta(days=5)
    for history in chosen[18:]:
        writer.reinstate(history)
    return extra


def _number(histories: Sequence[_History]) -> None:
    """Give codes per year in the order of the first reports, then name the originals of duplicates."""
    numbers: dict[int, int] = {}
    for history in sorted(histories, key=lambda history: history.report.time):
        year = history.plan.year
        numbers[year] = numbers.get(year, 0) + 1
        history.subject = f"LC-{year}-{numbers[year]:06d}"
    for history in histories:
        if history.duplicate_of is not None:
            retraction = next(post for post in history.posts if post.type == CASE_RETRACTED)
            retraction.data["duplicate_of"] = history.duplicate_of.subject


def _cloud_event(post: _Post, subject: str, rng: random.Random) -> bytes:
    return build_event(
        subject=subject,
        type=post.type,
        data=post.data,
        time=post.time,
        source=f"/facilities/{post.facility}",
        id=uuid7(post.time, rng),
        # Judged by a clock that shows the event's own time: no date in it may be later.
        now=post.time,
        max_ahead=dt.timedelta(),
    )
