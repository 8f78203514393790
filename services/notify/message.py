"""What a message says: what, where, since when, how many against which expectation, by which rule of which
law, what is to be done by when, and where to look. Counts and a link, never a case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, Literal
from unicodedata import combining, normalize
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from streams.domain.calendar import LOCAL_ZONE
from streams.domain.recipients import DeliveryKind
from streams.stores.deliveries import Claimed

Language = Literal["vi", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("vi", "en")

SMS_LENGTH: Final = 160
"""What fits into one text message when every letter is of the plain alphabet; with đ or ệ it would be 70."""

ID_LENGTH: Final = 8
"""So many first characters of an alert's id are enough for `canhdich alerts show`."""

_LEVELS: Final[Mapping[Language, Mapping[str, str]]] = {
    "vi": {
        "outbreak": "CÓ DỊCH (đạt tiêu chí)",
        "above_band": "Cảnh báo dịch, trên ngưỡng",
        "alert": "Cảnh báo dịch",
        "attention": "Chú ý",
        "none": "Thông tin",
    },
    "en": {
        "outbreak": "OUTBREAK (criterion met)",
        "above_band": "Alert, above the band",
        "alert": "Alert",
        "attention": "Attention",
        "none": "Information",
    },
}
_KINDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "vi": {
        "raised": "mới",
        "joined": "thêm ca",
        "revised": "số ca giảm",
        "no_longer_met": "không còn đạt tiêu chí (ca bị loại hoặc rút)",
        "met_again": "lại đạt tiêu chí",
        "ended_proposed": "đề xuất kết thúc dịch, chờ Trạm Y tế xác định",
        "escalated": "CHƯA AI TIẾP NHẬN",
        "reopened": "mở lại",
        "acknowledged": "đã tiếp nhận",
        "verified": "đã xác minh",
        "dismissed": "đã bác bỏ",
        "closed": "đã đóng",
        "determined": "Trạm Y tế đã xác định có dịch",
        "ended": "Trạm Y tế đã xác định hết dịch",
        "noted": "ghi chú",
    },
    "en": {
        "raised": "new",
        "joined": "more cases",
        "revised": "fewer cases",
        "no_longer_met": "criterion no longer met (a case was discarded or withdrawn)",
        "met_again": "met again",
        "ended_proposed": "end proposed, the station decides",
        "escalated": "NOBODY HAS ACKNOWLEDGED IT",
        "reopened": "reopened",
        "acknowledged": "acknowledged",
        "verified": "verified",
        "dismissed": "dismissed",
        "closed": "closed",
        "determined": "the station has determined an outbreak",
        "ended": "the station has determined the end",
        "noted": "note",
    },
}
_DUTIES: Final[Mapping[Language, Mapping[str, str]]] = {
    "vi": {
        "determine": "Trạm Y tế xác minh và xác định có dịch hay không; nếu có, ra thông báo “có dịch” trong "
        "24 giờ kể từ khi Trạm Y tế xác định (TT 15/2026/TT-BYT, Điều 26.1b).",
        "notice": "Thông báo “có dịch” trước {due} (24 giờ kể từ khi Trạm Y tế xác định; "
        "TT 15/2026/TT-BYT, Điều 26.1b).",
        "end": "Trạm Y tế xác định hết dịch và ra thông báo trong 24 giờ kể từ khi xác định "
        "(TT 15/2026/TT-BYT, Điều 26.1c).",
        "verify": "Xác minh, tiếp nhận cảnh báo và ghi kết quả.",
    },
    "en": {
        "determine": "The health station verifies and determines whether there is an outbreak; if so its "
        "notice is due within 24 h of its own determination (TT 15/2026/TT-BYT, Art. 26.1b).",
        "notice": "The notice is due by {due} (24 h from the station's determination; TT 15/2026/TT-BYT, "
        "Art. 26.1b).",
        "end": "The station determines the end; its notice is due within 24 h of that (TT 15/2026/TT-BYT, "
        "Art. 26.1c).",
        "verify": "Verify, acknowledge the alert and record the result.",
    },
}


_PLAIN: Final = str.maketrans(
    {"đ": "d", "Đ": "D", "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\xa0": " "}
)
_NOT_GSM: Final = frozenset("[]{}\\^~|`")
"""Of ASCII: they take two places in a text message, or there is none for them."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message in every form that a channel may want.

    Attributes:
        id: The same whenever the same deliveries are sent: receivers may drop a repeat by it.
        short: For chats: counts and a link.
        sms: For text messages: the letters of the plain alphabet, SMS_LENGTH of them at most.
        data: For programs.
    """

    id: UUID
    subject: str
    text: str
    html: str
    short: str
    sms: str
    data: dict[str, Any]


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("services.notify"),
        autoescape=select_autoescape(["html.j2", "html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def compose(claimed: Claimed, link: str) -> Message:
    """The message for one recipient about one or more alerts.

    Args:
        claimed: What is due; at least one alert, the loudest first.
        link: Where the alerts can be looked at; an alert's id is put behind it.
    """
    language: Language = claimed.recipient.language
    alerts = [_alert(row, language, link) for row in claimed.alerts]
    values = {
        "alerts": alerts,
        "is_digest": claimed.kind is DeliveryKind.DIGEST,
        "recipient": claimed.recipient.name,
        "link": link,
    }
    template = _templates().get_template
    return Message(
        id=claimed.ids[0],
        subject=_subject(alerts, claimed.kind, language),
        text=template(f"message.{language}.txt.j2").render(values),
        html=template(f"message.{language}.html.j2").render(values),
        short=template(f"short.{language}.txt.j2").render(values).strip(),
        sms=_sms(alerts, claimed.kind, language),
        data={
            "delivery_ids": [str(delivery_id) for delivery_id in claimed.ids],
            "kind": claimed.kind.value,
            "recipient": claimed.recipient.id,
            "alerts": [_data(row) for row in claimed.alerts],
        },
    )


def alert_text(row: Mapping[str, Any], language: Language, link: str) -> str:
    """An alert as plain text, to be pasted where no bot writes: what a message says of it, without notes.

    Args:
        row: Of schemas/sql/queries/delivered_alerts.sql: the alert and its last event.
        language: Of the text.
        link: Where the alerts can be looked at; the alert's id is put behind it.
    """
    alert = _alert(row, language, link) | {"note": None}
    if row["kind"] == "noted":
        alert["what"] = _KINDS[language][row["state"]]
    return _templates().get_template(f"copy.{language}.txt.j2").render(alert=alert).strip() + "\n"


def plain(text: str) -> str:
    """A text in the letters that every telephone has, without the marks of Vietnamese.

    >>> plain("Xã Bình Lư: 3 ca, đã đóng… “mới” – 2°")
    'Xa Binh Lu: 3 ca, da dong... "moi" - 2?'
    """
    changed = text.translate(_PLAIN)
    letters = (letter for letter in normalize("NFKD", changed) if not combining(letter))
    return "".join(letter if " " <= letter <= "~" and letter not in _NOT_GSM else "?" for letter in letters)


def _sms(alerts: Sequence[Mapping[str, Any]], kind: DeliveryKind, language: Language) -> str:
    """The loudest alert, and how many more there are; the place is cut where it is too long."""
    first = alerts[0]
    more = {"vi": f" (+{len(alerts) - 1} canh bao khac)", "en": f" (+{len(alerts) - 1} more)"}[language]
    tail = plain(f", {first['count']} ({first['what']}). ID {first['id']}") + (
        more if len(alerts) > 1 else ""
    )
    digest = {"vi": "Ban tin. ", "en": "Digest. "}[language] if kind is DeliveryKind.DIGEST else ""
    head = plain(f"Canh Dich: {digest}{first['level']}: {first['disease']}, {first['place']}")
    return head[: SMS_LENGTH - len(tail)] + tail


def _subject(alerts: Sequence[Mapping[str, Any]], kind: DeliveryKind, language: Language) -> str:
    if kind is DeliveryKind.DIGEST:
        return {
            "vi": f"[Canh Dịch] Bản tin cảnh báo: {len(alerts)} thay đổi",
            "en": f"[Canh Dịch] Alert digest: {len(alerts)} changes",
        }[language]
    first = alerts[0]
    more = {"vi": f" (và {len(alerts) - 1} cảnh báo khác)", "en": f" (and {len(alerts) - 1} more)"}
    subject = f"[Canh Dịch] {first['level']}: {first['disease']}, {first['place']}, {first['count']}"
    return subject + (more[language] if len(alerts) > 1 else "")


def _alert(row: Mapping[str, Any], language: Language, link: str) -> dict[str, Any]:
    verdict = row["verdict"]
    cases = row["cases"]
    place = ", ".join(
        name for name in (row["area_name"], row["district_name"], row["province_name"]) if name is not None
    )
    if row["area_name"] == row["province_name"]:
        place = row["area_name"]
    return {
        "level": _LEVELS[language][row["level"]],
        "what": _KINDS[language][row["kind"]],
        "disease": row["disease_vi" if language == "vi" else "disease_en"],
        "place": place,
        "count": f"{cases} ca" if language == "vi" else f"{cases} case{'' if cases == 1 else 's'}",
        "since": _local(row["raised_at"]),
        "why": verdict["why_vi" if language == "vi" else "why_en"],
        "rule": row["rule_vi" if language == "vi" else "rule_en"] or _rule(row["rule_id"], language),
        "citation": row["citation"],
        "period": _period(verdict),
        "duty": _duty(row, language),
        "note": row["note"],
        "actor": row["actor"],
        "id": str(row["alert_id"])[:ID_LENGTH],
        "link": f"{link.rstrip('/')}/{row['alert_id']}",
    }


def _rule(rule_id: str, language: Language) -> str:
    """A name for what is in no rule book: the detectors, `detector_ears_c2` being EARS C2."""
    kind, _, method = rule_id.partition("_")
    if kind != "detector":
        return rule_id
    name = method.replace("_", " ").replace("ears c", "EARS C").replace("farrington", "Farrington")
    return {"vi": f"Phát hiện thống kê: {name}", "en": f"Statistical detector: {name}"}[language]


def _duty(row: Mapping[str, Any], language: Language) -> str | None:
    duties = _DUTIES[language]
    if row["kind"] in ("ended", "dismissed", "closed", "no_longer_met"):
        return None
    if row["kind"] == "ended_proposed":
        return duties["end"]
    if row["determined_at"] is not None:
        return duties["notice"].format(due=_local(row["determined_at"] + timedelta(hours=24)))
    return duties["determine"] if row["level"] == "outbreak" else duties["verify"]


def _period(verdict: Mapping[str, Any]) -> str | None:
    start, end = verdict["period_start"], verdict["period_end"]
    if start is None or end is None:
        return None
    return " – ".join(f"{day[8:10]}/{day[5:7]}/{day[:4]}" for day in (start, end))


def _data(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "alert_id": str(row["alert_id"]),
        "event": row["kind"],
        "at": row["at"].isoformat(),
        "state": row["state"],
        "level": row["level"],
        "rule": row["rule_id"],
        "rule_version": row["verdict"]["rule_version"],
        "citation": row["citation"],
        "disease": row["disease"],
        "area_code": row["area_code"],
        "area_id": row["area_id"],
        "area_name": row["area_name"],
        "period_start": row["verdict"]["period_start"],
        "period_end": row["verdict"]["period_end"],
        "numbers": row["verdict"]["numbers"],
        "why_vi": row["verdict"]["why_vi"],
        "why_en": row["verdict"]["why_en"],
    }


def _local(at: datetime) -> str:
    return at.astimezone(LOCAL_ZONE).strftime("%H:%M %d/%m/%Y")
