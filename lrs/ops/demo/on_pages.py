"""What staff of the demonstration do on its pages: a trainer makes the session of today, a planner has it counted."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode, urlsplit

import httpx2

from lrs.ops.demo.course import people

ATTENDING = 6
PLACE, PLANNING = "/staff/sessions", "/planning"


def make_session(base: str, link: str, day: str) -> None:
    """Signs in by *link*, which works once, and makes the session of *day* (ISO) with its roster and its checklist.

    One that is there already stays. Raises ``httpx2.HTTPError`` and ``RuntimeError`` for an answer that is no page.
    """
    with httpx2.Client(base_url=base, timeout=10, trust_env=False) as browser:
        trainer = _Member(browser, link)
        page = trainer.open("/staff/new-session")
        checklist = re.search(r'value="([^"]+)"[^>]*>Gowning for grade B', page)
        made = trainer.send(
            page,
            PLACE,
            kind="practical",
            title="Gowning for grade B (made up)",
            number=f"TODAY-{day}",
            date=day,
            starts="09:00",
            ends="17:00",
            place="Clean room 2",
            checklist=html.unescape(checklist[1]) if checklist else "",
        )
        if made.status_code == 303:
            place = urlsplit(made.headers["location"]).path
            names = "\n".join(f"{one['name']}, {one['email']}" for one in people()[:ATTENDING])
            trainer.send(trainer.open(place), f"{place}/people", people=names)


def count(base: str, link: str) -> None:
    """Signs in by *link*, which works once, and has the numbers of planning worked out. Raises as ``make_session``."""
    with httpx2.Client(base_url=base, timeout=10, trust_env=False) as browser:
        planner = _Member(browser, link)
        planner.send(planner.open(PLANNING), PLANNING)


class _Member:
    """A browser in which somebody signed in by *link*.

    It sends its cookies back to this machine also where the pages are at an https address.
    """

    def __init__(self, browser: httpx2.Client, link: str) -> None:
        self._browser = browser
        self._cookies: dict[str, str] = {}
        entrance = urlsplit(link).path
        self.send(self.open(entrance), entrance)

    def open(self, path: str) -> str:
        """The page at *path*."""
        answer = self._browser.get(path, headers=self._headers())
        self._keep(answer)
        return answer.raise_for_status().text

    def send(self, page: str, path: str, **fields: str) -> httpx2.Response:
        """Sends a form of *page* to *path*."""
        form = re.search(r'name="form" value="([^"]+)"', page)
        if form is None:
            raise RuntimeError(f"the page in front of {path} has no form")
        body = urlencode({"form": html.unescape(form[1]), **fields})
        headers = self._headers() | {"content-type": "application/x-www-form-urlencoded"}
        answer = self._browser.post(path, content=body, headers=headers)
        self._keep(answer)
        return answer

    def _headers(self) -> dict[str, str]:
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}

    def _keep(self, answer: httpx2.Response) -> None:
        for told in answer.headers.get_list("set-cookie"):
            name, _, value = told.partition(";")[0].partition("=")
            self._cookies[name] = value
