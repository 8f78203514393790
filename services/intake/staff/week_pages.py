"""My area's week: how many, beside before and last year; what came late, what is missing, who is silent."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from fastapi import FastAPI, Request, Response

from schemas.events.fields import FIELDS
from services.intake.people.access import allow, areas_of
from services.intake.staff.answers import answered, shown_day
from services.intake.staff.chart import week_bars
from services.intake.staff.rendering import language_of, render
from services.intake.staff.week_figures import DiseaseWeek, WeekFigures, week_days
from services.intake.staff.words import Language, say
from streams.domain.calendar import LOCAL_ZONE, iso_week, week_name

_FIELDS_SHOWN = 6


def add_week_pages(app: FastAPI, figures: WeekFigures, clock: Callable[[], datetime]) -> None:
    """Serve /week.

    Args:
        app: The application.
        figures: Where they come from.
        clock: Gives an aware datetime.
    """

    @app.get("/week", name="week_page")
    async def week_page(request: Request) -> Response:
        person = allow(request, "week_page")
        areas = areas_of(request, "week_page")
        today = clock().astimezone(LOCAL_ZONE).date()
        days = week_days(asked_week(request.query_params.get("week", ""), today), today)
        week = await answered(figures.read(days, areas, person.facility))
        language = language_of(request)
        following = days.whole.last + timedelta(days=1)
        return render(
            request,
            "week/week.html",
            week=week,
            areas=areas,
            first=shown_day(days.whole.first),
            last=shown_day(days.days.last),
            previous=week_name(days.before.first),
            next=week_name(following) if following <= today else None,
            rows=[
                {
                    "name": row.name_vi if language == "vi" else row.name_en,
                    "row": row,
                    "chart": week_bars(row.weeks, _chart_label(row, language)),
                }
                for row in week.diseases
            ],
            late=[(vi if language == "vi" else en, number) for vi, en, number in week.lateness.by_disease],
            gaps=[(_field(name, language), number) for name, number in week.gaps.fields[:_FIELDS_SHOWN]],
            silent=[
                (reporter.reporter, reporter.place or "", shown_day(reporter.last_active), reporter.weeks)
                for reporter in week.silent
            ],
        )


def asked_week(text: str, today: date) -> date:
    """The Monday of a week as a week field sends it (2023-W27); this week's where it is none, or to come.

    >>> asked_week("2023-W27", date(2024, 1, 1)), asked_week("x", date(2024, 1, 3))
    (datetime.date(2023, 7, 3), datetime.date(2024, 1, 1))
    """
    this_week = today - timedelta(days=today.weekday())
    year, _, number = text.partition("-W")
    if not (year.isdecimal() and number.isdecimal() and len(year) == 4):
        return this_week
    try:
        monday = iso_week(int(year), int(number)).first
    except ValueError:
        return this_week
    return min(monday, this_week)


def _chart_label(row: DiseaseWeek, language: Language) -> str:
    counts = ", ".join("?" if count is None else str(count) for count in row.weeks)
    return say(language, "week.chart", counts=counts)


def _field(name: str, language: Language) -> str:
    if name == "commune":
        return say(language, "week.commune")
    info = FIELDS[name]
    return info.label_vi if language == "vi" else info.label_en
