"""How to send events, for programmers. It loads nothing from anywhere: a province's network may be closed."""

from html import escape
from typing import Any

import orjson

from schemas.events.messages import field_info
from schemas.events.parse import EVENT_MODELS
from services.intake.body import LINES, MAX_EVENTS, MAX_LINES, ONE
from services.intake.openapi import reported_example
from services.intake.problems import KINDS

# Nothing may be loaded or run, whatever a page might one day contain.
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b1b1b; background: #fff }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { border: 1px solid #c4c4c4; padding: .3rem .5rem; text-align: left; vertical-align: top }
th { background: #f0f3f6 }
pre { background: #f0f3f6; padding: 1rem; white-space: pre-wrap }
pre, code, td { overflow-wrap: anywhere }
.en { color: #4a4a4a }
:target { outline: 3px solid #b35c00 }
"""


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="vi">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _en(text: str) -> str:
    """English beside the Vietnamese; `text` is HTML."""
    return f'<span class="en" lang="en">{text}</span>'


def docs_page(openapi: dict[str, Any]) -> str:
    """How to send events: an example, every field of every event, every answer."""
    example = orjson.dumps(reported_example(), option=orjson.OPT_INDENT_2).decode()
    kinds = "".join(
        f'<tr id="{name}"><td>{kind.status}</td><td><code>{name}</code></td>'
        f"<td>{escape(kind.message_vi)}<br>{_en(escape(kind.message_en))}</td></tr>"
        for name, kind in KINDS.items()
    )
    sending = _en(
        f"""<code>POST /v1/events</code> with one CloudEvent (1.0, structured JSON) or a list of at most
{MAX_EVENTS:,}. A request is accepted as a whole or not at all; of NDJSON (<code>{LINES}</code>, one event a
line, at most {MAX_LINES:,}) each line is: 207 where some are refused. 202 means that everything is safely
stored; <code>GET /v1/events/{{id}}</code> says what became of an event. After a 503 or a broken
connection send the same again: it is never counted twice, even where the first attempt did arrive."""
    )
    outcomes = _en(
        """<code>accepted</code>: stored. <code>unchanged</code>: was there already, the same.
<code>repeat</code>: the same as an earlier event of the list. <code>refused</code>
(NDJSON): not taken, <code>errors</code> says why. <code>warnings</code>: accepted, but look at it."""
    )
    return _page(
        "Canh Dịch: cách gửi sự kiện",
        f"""<h1>Cách gửi sự kiện {_en("/ How to send events")}</h1>
<p><code>POST /v1/events</code>, một sự kiện CloudEvents 1.0 hoặc một danh sách (tối đa {MAX_EVENTS}). Một
lần gửi
được nhận tất cả hoặc không nhận gì; với NDJSON (<code>{LINES}</code>, mỗi dòng một sự kiện, tối đa
{MAX_LINES})
thì từng dòng một: 207 khi có dòng bị từ chối. Trả lời 202 nghĩa là đã lưu chắc chắn; <code>GET
/v1/events/{{id}}</code> cho biết sự kiện đã ra sao. Gặp 503 hoặc mất kết nối thì cứ
gửi
lại y nguyên: không bị tính hai lần, kể cả khi lần gửi trước thật ra đã đến.</p>
<p>{sending}</p>
<p><a href="/openapi.json">OpenAPI</a> · <a href="/">Canh Dịch</a></p>
<pre>curl -i -H 'Content-Type: {ONE}' --data-binary @event.json http://127.0.0.1:…/v1/events</pre>
<pre>{escape(example)}</pre>
{"".join(_event_table(name, openapi) for name in EVENT_MODELS)}
<h2>Trả lời {_en("/ Answers")}</h2>
<p><code>accepted</code>: đã lưu. <code>unchanged</code>: đã có từ trước, y nguyên. <code>repeat</code>:
trùng với
sự kiện đứng trước trong danh sách. <code>refused</code> (NDJSON): không nhận, <code>errors</code> ghi lý do.
<code>warnings</code>: đã nhận nhưng cần xem lại.<br>{outcomes}</p>
<table><tr><th>HTTP</th><th>type</th><th>Ý nghĩa và cách xử lý {_en("/ Meaning and what to do")}</th></tr>
{kinds}</table>""",
    )


def _event_table(event_type: str, openapi: dict[str, Any]) -> str:
    schemas = openapi["components"]["schemas"]
    reference = schemas["Event"]["discriminator"]["mapping"][event_type]
    event = schemas[reference.rpartition("/")[2]]
    data = schemas[event["properties"]["data"]["$ref"].rpartition("/")[2]]
    rows = "".join(
        f"<tr><td><code>{name}</code>{' *' if name in data.get('required', ()) else ''}</td>"
        f"<td>{escape(info.label_vi)}<br>{_en(escape(info.label_en))}</td>"
        f"<td>{escape(info.expected_vi)}<br>{_en(escape(info.expected_en))}</td></tr>"
        for name in data["properties"]
        for info in (field_info(f"data.{name}", event_type),)
    )
    return (
        f"<h2><code>{event_type}</code></h2>\n<table><tr><th>data</th><th>Tên {_en('/ Name')}</th>"
        f"<th>Giá trị {_en('/ Value')} (* bắt buộc {_en('/ required')})</th></tr>{rows}</table>\n"
    )
