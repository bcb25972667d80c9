"""A client of xAPI that tells what it asks and how that is answered, headers too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from lrs.access.keys import create_key
from lrs.app import create_app
from tests.competency.world import Clock
from tests.pages.conftest import Browser, settings_of
from tests.told.story import Story, tree
from tests.xapi.statements.examples import statement
from tests.xapi.statements.multipart import attached, first, mixed, part

LEFT_OUT = {"content-length", "x-request-id", "date", "server"}
ANN, BEN = '{"mbox":"mailto:ann@a.example"}', '{"mbox":"mailto:ben@a.example"}'
COURSE, OTHER = "https://a.example/course", "https://a.example/other"
STATE = {"activityId": COURSE, "agent": ANN, "stateId": "place"}
PROFILE, ABOUT = {"activityId": COURSE, "profileId": "how"}, {"agent": ANN, "profileId": "likes"}
JSON = {"Content-Type": "application/json"}
VOIDED = {"id": "http://adlnet.gov/expapi/verbs/voided"}


def ids(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def of(number: int, **parts: Any) -> dict[str, Any]:
    return (
        statement(id=ids(number), actor=json.loads(ANN), object={"id": COURSE}, timestamp="2026-11-20T10:00:00Z")
        | parts
    )


def void(number: int, what: int) -> dict[str, Any]:
    return of(number, verb=VOIDED, object={"objectType": "StatementRef", "id": ids(what)})


def multipart(count: int, length: int) -> tuple[bytes, dict[str, str]]:
    """The body of a statement with so many attachments, and its headers."""
    body = mixed(
        first(attached(*(bytes([n]) * length for n in range(count))) | {"id": ids(80)}),
        *(part(bytes([n]) * length) for n in range(count)),
    )
    return body, {"Content_Type": "multipart/mixed; boundary=the-boundary"}


class Client:
    """Asks in the name of one key after the other, and tells what was asked and answered."""

    def __init__(self, folder: Path) -> None:
        limits = {"max_batch": 4, "default_page": 2, "max_page": 3, "max_document": 900, "max_body": 2_000}
        more = {"max_body_with_attachments": 3_000, "max_attachments": 2, "max_header": 2_500}
        self.app = create_app(settings_of(folder, **limits, **more), clock=Clock())
        self.tenant = self.app.tenants.take("default")
        self.browser = Browser(self.app)
        scopes = {"all": ["all"], "vle": ["statements/write"], "mine": ["statements/read/mine"], "state": ["state"]}
        self.keys = {name: create_key(self.tenant, name, some) for name, some in scopes.items()}
        self.story, self.is_told = Story(), True

    def brief(self, what: str, *asked: Any, **more: Any) -> None:
        """Tells only the status, and what a refusal says."""
        self.is_told = False
        got = self.ask(*asked, **more)
        self.is_told = True
        self.story.say(f"{what}: {got.status_code} {got.json().get('message', '') if got.content[:1] == b'{' else ''}")

    def ask(
        self,
        method: str,
        path: str,
        query: Any = (),
        body: Any = b"",
        *,
        by: str = "all",
        version: str = "1.0.3",
        **more: str,
    ) -> Any:
        """*more* are headers; a lower line in their names is a hyphen."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {name.replace("_", "-"): value for name, value in more.items()} | {
            "X-Experience-API-Version": version
        }
        headers = {name: value for name, value in headers.items() if value}
        if content and not any(name.lower() == "content-type" for name in headers):
            headers |= JSON
        key = self.keys.get(by)
        address = f"/xapi/{path}{'?' * bool(query)}{query if isinstance(query, str) else urlencode(query)}"
        got = self.browser.ask(
            method, address, content=content, headers=headers, auth=(key.key, key.secret) if key else None
        )
        if not self.is_told:
            return got
        said = {name: value for name, value in headers.items() if name != "X-Experience-API-Version"}
        asked = f"{method} /{path} {query if isinstance(query, str) else ' '.join(f'{k}={v}' for k, v in dict(query).items())}"
        self.story.head(
            f"{asked} {said or ''} {'' if by == 'all' else f'by {by}'} {'' if version == '1.0.3' else version}"
        )
        if content:
            self.story.say(f"> {content.decode('utf-8', 'replace')[:200]}")
        self.story.extend(lines(got))
        return got


def lines(got: Any) -> Iterator[str]:
    yield str(got.status_code)
    yield from (f"{name}: {value}" for name, value in sorted(got.headers.items()) if name not in LEFT_OUT)
    if "json" in got.headers.get("content-type", "") and got.content:
        body = got.json()
        yield tree({name: one for name, one in body.items() if name != "requestId"} if isinstance(body, dict) else body)
    elif got.content:
        yield got.text
