"""A browser without scripts: keeps cookies, fills in forms with what the page put into them."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import httpx

from tests.unit.intake.door import Doorstep

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


class Browser:
    """Somebody's browser in front of a door.

    Attributes:
        cookies: As the answers set them.
        page: The last answer.
    """

    def __init__(self, door: Doorstep, **headers: str) -> None:
        self._door = door
        self._headers = {"accept": "text/html", **headers}
        self.cookies: dict[str, str] = {}
        self.page = httpx.Response(0)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Look at a page."""
        return self._ask("GET", path, headers)

    def post(self, path: str, form: Mapping[str, str] | None = None, **headers: str) -> httpx.Response:
        """Send the first form that goes there of the page that is open, with its hidden fields."""
        before = self.page.text
        start = before.find(f'action="{path}"')
        hidden = dict(_HIDDEN.findall(before[start : before.find("</form>", start)])) if start >= 0 else {}
        values = {name: unescape(value) for name, value in hidden.items()} | dict(form or {})
        return self._ask("POST", path, headers, data=values)

    def sign_in(self, username: str, password: str) -> httpx.Response:
        """Through the page, as people do."""
        self.get("/sign-in")
        return self.post("/sign-in", {"username": username, "password": password})

    def _ask(self, method: str, path: str, headers: Mapping[str, str], **options: Any) -> httpx.Response:
        sent = self._headers | dict(headers)
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.page = self._door.request(method, path, headers=sent, **options)
        for line in self.page.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0]
            if "Max-Age=0" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return self.page
