"""Refusals: every kind, its status, and its words (RFC 9457, with the sentences also in Vietnamese)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from fastapi import Response

from services.intake.documents import EventOutcome, FieldError, Problem

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of refusal.

    Attributes:
        status: The HTTP status.
        title: A few words, the same every time.
        message_vi: What is wrong and what to do.
        message_en: The same in English.
    """

    status: int
    title: str
    message_vi: str
    message_en: str


KINDS: Mapping[str, Kind] = {
    "not-json": Kind(
        400,
        "The request cannot be read",
        "Nội dung gửi lên không đọc được (không phải JSON đúng chuẩn UTF-8). Hãy gửi lại từ phần mềm, "
        "không sửa tay.",
        "The body is not well-formed JSON in UTF-8. Send it again from the program that made it.",
    ),
    "wrong-shape": Kind(
        400,
        "The request is no event",
        "Nội dung phải là một sự kiện CloudEvents (đối tượng JSON) hoặc một danh sách sự kiện, đúng với "
        "Content-Type: application/cloudevents+json cho một sự kiện, application/cloudevents-batch+json "
        "cho danh sách, application/json cho cả hai; application/x-ndjson: mỗi dòng một sự kiện.",
        "The body must be one CloudEvent (a JSON object) or a list of them, as its Content-Type says: "
        "application/cloudevents+json for one, application/cloudevents-batch+json for a list, "
        "application/json for either; application/x-ndjson: one event a line.",
    ),
    "not-signed-in": Kind(
        401,
        "Nobody is signed in",
        "Chưa đăng nhập, hoặc phiên làm việc đã hết, hoặc khoá API không đúng, đã hết hạn, đã thu hồi. Hãy "
        "đăng nhập lại; phần mềm thì gửi khoá trong Authorization: Bearer.",
        "Nobody is signed in, the session is over, or the API key is wrong, expired or revoked. Sign in; "
        "a program sends its key as Authorization: Bearer.",
    ),
    "not-allowed": Kind(
        403,
        "Not with this account",
        "Tài khoản này không có quyền làm việc đó, hoặc địa bàn, ca bệnh này thuộc đơn vị khác. Không có gì "
        "thay đổi. Nếu cần, hãy hỏi quản trị hệ thống.",
        "This account may not do that, or the area or the case belongs to somebody else. Nothing was "
        "changed. Ask the administrator if you need to.",
    ),
    "password-to-change": Kind(
        403,
        "The password must be changed first",
        "Mật khẩu hiện tại do người khác đặt: hãy đổi mật khẩu trước khi làm việc khác.",
        "Somebody else has made the present password: change it before anything else.",
    ),
    "forged-form": Kind(
        403,
        "The form is not one of ours, or too old",
        "Biểu mẫu này không còn dùng được (trang mở quá lâu, cookie bị tắt, hoặc không phải do hệ thống này "
        "gửi). Không có gì thay đổi. Hãy tải lại trang rồi làm lại.",
        "This form cannot be used any more: the page was open for too long, cookies are off, or another site "
        "sent it. Nothing was changed. Load the page again and repeat.",
    ),
    "wrong-host": Kind(
        403,
        "Not under this name",
        "Máy chủ không phục vụ dưới tên này. Hãy dùng đúng địa chỉ do quản trị hệ thống cung cấp.",
        "This service does not answer to that name. Use the address that the administrator gave you.",
    ),
    "not-here": Kind(
        403,
        "Only this machine is served",
        "Cổng này chỉ phục vụ các chương trình trên chính máy này (http://127.0.0.1 hoặc http://localhost).",
        "This service answers programs on this machine only, under the names 127.0.0.1, [::1] or localhost.",
    ),
    "not-found": Kind(
        404,
        "There is nothing here",
        "Không có trang này. Xem danh sách ở /docs.",
        "There is no such page. /docs lists what there is.",
    ),
    "event-not-found": Kind(
        404,
        "Nothing is known of this event",
        "Chưa biết: hoặc chưa từng được nhận, hoặc đã được nhận nhưng luồng xử lý chưa đọc tới (cổng đã khởi "
        "động lại, một cổng khác đã nhận, hoặc đang có rất nhiều bản ghi chờ). Hỏi lại sau "
        f"{RETRY_AFTER_SECONDS} giây; gửi lại y nguyên cũng được: không bị tính hai lần.",
        "Unknown here: either it was never accepted, or it was and the stream has not come to it yet (this "
        "service was started anew, another one took it, or very many events are waiting). Ask again in "
        f"{RETRY_AFTER_SECONDS} seconds, or send the same again: it is never counted twice.",
    ),
    "alert-not-found": Kind(
        404,
        "There is no such alert",
        "Không có cảnh báo này. Xem danh sách ở GET /v1/alerts.",
        "There is no such alert. GET /v1/alerts lists them.",
    ),
    "method-not-allowed": Kind(
        405,
        "Not with this method",
        "Địa chỉ này không dùng với phương thức đó. Xem /docs.",
        "This address does not take that method. /docs says which it takes.",
    ),
    "too-slow": Kind(
        408,
        "The request did not arrive",
        "Nội dung không đến đủ trong 30 giây. Không sự kiện nào được nhận; hãy gửi lại.",
        "The body did not arrive within 30 seconds. Nothing was accepted; send it again.",
    ),
    "conflict": Kind(
        409,
        "An event id was used before with other content",
        "Có mã sự kiện (id) đã dùng cho một nội dung khác của cùng ca; bản đến trước được giữ. Không sự "
        "kiện nào của lần gửi này được nhận. Hãy gửi thay đổi với mã sự kiện mới.",
        "An event id was used before, for the same subject, with other content; the earlier version "
        "stands. Nothing of this request was accepted. Send the change with a new id.",
    ),
    "action-refused": Kind(
        409,
        "The alert does not allow it",
        "Cảnh báo không cho phép việc này; errors ghi lý do. Không có gì thay đổi.",
        "The alert does not allow it; errors says why. Nothing was changed.",
    ),
    "too-large": Kind(
        413,
        "The request is too large",
        "Gửi quá nhiều một lần: nhiều nhất 5 MB, 1.000 sự kiện (NDJSON: 10.000 dòng), mỗi sự kiện "
        "64 kB. Không sự kiện nào được nhận; hãy chia nhỏ rồi gửi lại.",
        "Too much at once: at most 5 MB, 1,000 events (NDJSON: 10,000 lines), 64 kB each. Nothing was "
        "accepted; send it in parts.",
    ),
    "upload-too-large": Kind(
        413,
        "The file is too large",
        "Tệp lớn hơn 200 MB. Hãy chia nhỏ, hoặc lưu thành CSV. Không có gì được nhận.",
        "The file is larger than 200 MB. Split it, or save it as CSV. Nothing was accepted.",
    ),
    "unsupported-media-type": Kind(
        415,
        "The content type is not taken",
        "Content-Type phải là application/cloudevents+json, application/cloudevents-batch+json, "
        "application/json hoặc application/x-ndjson, mã hoá UTF-8, không nén.",
        "The Content-Type must be application/cloudevents+json, application/cloudevents-batch+json, "
        "application/json or application/x-ndjson, in UTF-8, without compression.",
    ),
    "invalid": Kind(
        422,
        "An event is invalid",
        "Có sự kiện chưa đúng; danh sách errors ghi từng lỗi và cách sửa. Không sự kiện nào của lần gửi "
        "này được nhận: hãy sửa rồi gửi lại tất cả.",
        "An event is not valid; errors lists every fault and what to do. Nothing of this request was "
        "accepted: mend it and send all of it again.",
    ),
    "invalid-request": Kind(
        422,
        "A field or parameter is wrong",
        "Có trường hoặc tham số chưa đúng; errors ghi từng lỗi. Không có gì thay đổi.",
        "A field or parameter is not valid; errors lists them. Nothing was changed.",
    ),
    "too-many-attempts": Kind(
        429,
        "Too many attempts to sign in",
        "Đăng nhập sai quá nhiều lần. Hãy chờ rồi thử lại, hoặc nhờ quản trị hệ thống cấp lại mật khẩu.",
        "Too many attempts to sign in have failed. Wait and try again, or ask the administrator for a new "
        "password.",
    ),
    "internal": Kind(
        500,
        "The service failed",
        "Dịch vụ gặp lỗi. Hãy gửi lại (gửi lại không bị tính hai lần) và báo cho quản trị hệ thống.",
        "The service failed. Send it again (a repeat is never counted twice) and tell the administrator.",
    ),
    "busy": Kind(
        503,
        "Too many requests at once",
        "Dịch vụ đang nhận quá nhiều dữ liệu cùng lúc. Không sự kiện nào của lần gửi này được nhận; hãy "
        f"gửi lại sau {RETRY_AFTER_SECONDS} giây.",
        "The service is receiving too much at the same time. Nothing of this request was accepted; send it "
        f"again in {RETRY_AFTER_SECONDS} seconds.",
    ),
    "database-down": Kind(
        503,
        "The database does not answer",
        f"Cơ sở dữ liệu không trả lời. Hãy thử lại sau {RETRY_AFTER_SECONDS} giây. Nếu vừa lưu gì, xem đã "
        "lưu được chưa trước khi làm lại.",
        f"The database does not answer. Try again in {RETRY_AFTER_SECONDS} seconds. If you were saving "
        "something, look whether it was saved before you repeat it.",
    ),
    "kafka-down": Kind(
        503,
        "Kafka has not acknowledged",
        "Hệ thống lưu trữ (Kafka) chưa xác nhận. Những sự kiện ghi accepted trong events đã an toàn, còn "
        f"lại thì chưa chắc. Hãy gửi lại tất cả sau {RETRY_AFTER_SECONDS} giây: gửi lại không bị tính hai "
        "lần.",
        "Kafka has not acknowledged. What events lists as accepted is safe, of the rest nobody knows. Send "
        f"all of it again in {RETRY_AFTER_SECONDS} seconds: a repeat is never counted twice.",
    ),
}


class Refused(Exception):
    """A request that is not accepted. Its text names the kind only, never anything that was sent."""

    def __init__(
        self, kind: str, errors: Sequence[FieldError] = (), events: Sequence[EventOutcome] | None = None
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.errors = errors
        self.events = events


def passes(kind: str) -> bool:
    """Whether the same request may be answered otherwise after RETRY_AFTER_SECONDS."""
    return KINDS[kind].status == 503 or kind == "event-not-found"


def problem_document(
    kind: str, errors: Sequence[FieldError] = (), events: Sequence[EventOutcome] | None = None
) -> Problem:
    """The document of a refusal; a fault of the request as a whole is listed like any other."""
    info = KINDS[kind]
    document: Problem = {
        "type": f"/docs#{kind}",
        "title": info.title,
        "status": info.status,
        "detail": info.message_en,
        "message_vi": info.message_vi,
        "message_en": info.message_en,
        "errors": list(errors)
        or [
            {
                "index": None,
                "field": "",
                "code": kind.replace("-", "_"),
                "message_vi": info.message_vi,
                "message_en": info.message_en,
            }
        ],
    }
    if events is not None:
        document["events"] = list(events)
    return document


def problem_response(
    kind: str,
    errors: Sequence[FieldError] = (),
    events: Sequence[EventOutcome] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer to a request that is refused."""
    document = problem_document(kind, errors, events)
    sent = dict(headers or {})
    if passes(kind):
        sent["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return Response(orjson.dumps(document), document["status"], sent, MEDIA_TYPE)
