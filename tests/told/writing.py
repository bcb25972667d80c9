"""Every form that pages of a told world show, sent with each of its fields wrong and then as it should be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx
from lxml import html

from lrs.access.policy.table import TABLE
from lrs.storage import NEWEST, Reader, Walk, newest_place, walked
from tests.telling import answer
from tests.told.story import inline
from tests.told.test_forms import said

WRONG = {"empty": "", "-1": "-1", "long": "x" * 3000}
"""What each field is in turn: nothing is a number, a day, an address, a choice and a text of any length at once."""
RIGHT = {
    "activity": "https://vle.example/open-day",
    "again": "four words in a row",
    "centre": "centre",
    "client_id": "engraft",
    "code": "ABCD-EFGH",
    "comment": "I saw it",
    "competency-0": "GOWN",
    "criteria": "Be seen to do it",
    "date": "2026-11-24",
    "day": "2026-11-20",
    "deployment": "9",
    "deployments": "1",
    "description": "What it is",
    "district": "SG1",
    "email": "new@home.example",
    "employer_contact": "hr@new.example",
    "employer_name": "New Works",
    "employer_notice": "https://new.example/privacy",
    "ends": "16:00",
    "gives": "GOWN, 1",
    "hours": "6",
    "how": "Passport",
    "id": "new-one",
    "issuer": "https://new.example",
    "language": "en",
    "list": "new@home.example",
    "most": "5",
    "name": "New One",
    "one": "ann@example.org",
    "other": "ben@example.org",
    "password": "four words in a row",
    "people": "ann@example.org\nnew@home.example New One",
    "percent": "80",
    "privacy_notice": "https://new.example/privacy",
    "purpose": "To suggest work",
    "reason": "It was asked for",
    "role": "auditor",
    "said": "All went well",
    "score": "90",
    "seats": "4",
    "shown": "The VLE",
    "starts": "09:00",
    "steps": "hands Hands washed\nmask Mask on",
    "sure": "yes",
    "text": "What is it?",
    "title": "New title",
    "until": "2026-11-30",
    "url": "https://new.example",
    "webhook": "https://new.example/hook",
    "who": "ann@example.org",
    "why": "It was seen wrongly",
}
"""What is typed into a field that a page shows empty."""
LAST = (
    *("/staff/members", "/account", "/sign-out"),
    *("/operator", "/operator/organisations/{id}/state", "/operator/account", "/operator/sign-out"),
)
"""These forms shut out whoever would send the others, the last of them the most."""
_BUTTONS = {"act", "state", "value"}


class Form(NamedTuple):
    """A form of a page as *who* sees it, with one of its buttons."""

    who: str
    cookies: httpx.Cookies
    pattern: str
    address: str
    fields: Mapping[str, Any]

    @property
    def sort(self) -> tuple[str, ...]:
        """Forms of one sort do one thing: of a route, with the same fields, and the same button."""
        fixed = [f"{name}={self.fields[name]}" if name in _BUTTONS else name for name in sorted(self.fields)]
        return (self.pattern, *fixed)

    def wrong(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each way of being wrong in one field, with what is sent."""
        for name, value in self.fields.items():
            ways = {} if name == "form" else WRONG
            yield from (
                (f"{name} {how}", {**self.fields, name: wrong}) for how, wrong in ways.items() if wrong != value
            )


_PATTERNS = [
    (path, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))) for method, path in TABLE if method == "POST"
]


def forms_of(answers: Mapping[tuple[str, str], httpx.Response]) -> tuple[list[Form], list[Form]]:
    """One form of each sort of the pages in *answers*, and those that may shut somebody out."""
    found: dict[tuple[str, ...], Form] = {}
    for (_, who), got in answers.items():
        if got.content and got.headers.get("content-type", "").startswith("text/html"):
            for form in html.document_fromstring(got.text).iter("form"):
                if (form.get("method") or "").lower() == "post":
                    for one in _with_buttons(who, got, form):
                        found.setdefault(one.sort, one)
    ranked = sorted(found.values(), key=lambda one: (_lateness(one.pattern), one.sort))
    late = sum(_lateness(one.pattern) > 0 for one in ranked)
    return ranked[: len(ranked) - late], ranked[len(ranked) - late :]


def _lateness(pattern: str) -> int:
    return max((place for place, prefix in enumerate(LAST, 1) if pattern.startswith(prefix)), default=0)


def _with_buttons(who: str, got: httpx.Response, form: Any) -> Iterator[Form]:
    address = urljoin(str(got.url), form.get("action") or "")
    path = urlsplit(address).path
    pattern = next((pattern for pattern, fits in _PATTERNS if fits.fullmatch(path)), path)
    shown = {one.name: "" for one in form.inputs if one.name} | {name: one or "" for name, one in form.form_values()}
    typed = {name: one or RIGHT.get(name, "") for name, one in shown.items()}
    buttons = {(one.get("name"), one.get("value") or "") for one in form.iter("button") if one.get("name")}
    for name, value in sorted(buttons) or [("", "")]:
        yield Form(who, got.cookies, pattern, address, typed | ({name: value} if name else {}))


def outcome(got: httpx.Response) -> list[str]:
    """What a form led to: the status, where to, and what is said."""
    lines = [f"{got.status_code} {got.headers.get('location', '')}".strip()]
    if got.status_code in {302, 303}:
        return lines
    if got.headers.get("content-type", "").startswith("text/html"):
        title, *notes = said(got.text)
        return [*lines, *(_OF_CHANCE.sub("<token>", note.strip()) for note in notes or [title])]
    if "json" in got.headers.get("content-type", "") and got.content:
        told = got.json()
        if isinstance(told, dict):
            told.pop("requestId", None)
        return [*lines, re.sub("x{100,}", "xxx…", inline(told))[:SHORT]]
    return lines + answer(got).splitlines()[1:4]


SHORT = 600
"""Characters that are told of an answer in JSON."""
_OF_CHANCE = re.compile(r"(?<=/)[\w-]{43}(?=`)")


class Record:
    """The record of actions in *stores*: what was written since it was last read."""

    def __init__(self, stores: Iterable[Reader]) -> None:
        self._read = {store: newest_place(store, "audit") for store in stores}

    def news(self) -> list[str]:
        found: list[str] = []
        for store, before in self._read.items():
            self._read[store] = newest_place(store, "audit")
            for record in walked(store, Walk("audit", after=before, until=NEWEST, limit=100)):
                done = json.loads(record.body)
                found.append(f"done: {done['action']} by {done['by']} {json.dumps(done['about'], sort_keys=True)}")
        return found
