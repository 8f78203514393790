"""What somebody looks for among the cases, as the form asks it; never more than what is theirs."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from schemas.events.common import EARLIEST_DATE
from services.importing.outcome import BadCell
from services.intake.staff.case_form import AREA, DISEASE, in_language, read_day
from services.intake.staff.ports import CaseSearch
from services.intake.staff.vocabulary import Unclear, Vocabulary
from services.intake.staff.words import Language, say

SEARCH_DAYS: Final = 30
WITHIN: Final[Mapping[str, int | None]] = {"": SEARCH_DAYS, "year": 365, "all": None}
"""What the form offers: so many days back from today or from the last day asked for; None: all."""


def read_search(
    asked: Mapping[str, str],
    vocabulary: Vocabulary,
    codes: tuple[str, ...] | None,
    today: date,
    language: Language,
) -> tuple[CaseSearch, dict[str, str]]:
    """What a form asks for, and what is wrong with it by field.

    Args:
        asked: The fields of the form.
        vocabulary: Diseases and places.
        codes: Present codes of the areas that somebody may see; None: all.
        today: The local day.
        language: Of the sentences.
    """
    errors: dict[str, str] = {}
    disease = None
    if asked.get(DISEASE):
        try:
            disease = vocabulary.find_disease(asked[DISEASE]).code
        except Unclear as unclear:
            errors[DISEASE] = in_language((unclear.message_vi, unclear.message_en), language)
    if asked.get(AREA):
        try:
            area = vocabulary.find_present_place(asked[AREA], today)
        except Unclear as unclear:
            errors[AREA] = in_language((unclear.message_vi, unclear.message_en), language)
        else:
            if codes is None or vocabulary.codes_around(area) & set(codes):
                codes = (area.code,)
            else:
                # More than what is theirs was asked for: what is theirs of it, perhaps nothing.
                codes = tuple(code for code in codes if vocabulary.lies_in(code, area, today))
    last = _asked_day(asked, "to", today, errors, language) or today
    # Who knows its code or number need not know its days.
    days = WITHIN.get(asked.get("within") or ("all" if asked.get("q") else ""), SEARCH_DAYS)
    first = _asked_day(asked, "from", today, errors, language) or (
        EARLIEST_DATE if days is None else max(EARLIEST_DATE, last - timedelta(days=days - 1))
    )
    if first > last:
        errors["from"] = say(language, "cases.first_after_last")
    return (
        CaseSearch(codes, asked.get("q", "")[:64], disease, first, last, asked.get("days") == "onset"),
        errors,
    )


def _asked_day(
    asked: Mapping[str, str], name: str, today: date, errors: dict[str, str], language: Language
) -> date | None:
    if not asked.get(name):
        return None
    try:
        return read_day(asked[name], today)
    except BadCell:
        errors[name] = say(language, "cases.no_date")
        return None


def page_address(asked: Mapping[str, str], page: int) -> str:
    """The address of another page of what the same form found."""
    return "?" + urlencode({**{name: value for name, value in asked.items() if value}, "page": page})
