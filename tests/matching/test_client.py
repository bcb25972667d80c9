"""A client that knows nothing but the OpenAPI document and its own secrets links, receives, reads, and is cut off."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import jsonschema
import pytest

from lrs.matching.consent import consent
from lrs.matching.consent.consent import Subject
from lrs.matching.roles import roles
from lrs.tenancy.tenants import Tenant
from tests.matching.world import (
    SECOND,
    Clock,
    Got,
    held,
    put_badge,
    put_person,
    put_profile,
    put_service,
    receiver,
    run_all,
    web,
)


@dataclass
class Stranger:
    """Finds its way by the document alone: no path, no field and no event is written down here without a look-up."""

    http: httpx.Client
    document: dict[str, Any]
    id: str
    secret: str
    webhook_secret: str

    def operation(self, *words: str, method: str = "get") -> tuple[str, dict[str, Any]]:
        """The one path of that *method* whose operation says all of *words*."""
        found = [
            (path, methods[method])
            for path, methods in self.document["paths"].items()
            if method in methods and all(word in methods[method].get("description", "").lower() for word in words)
        ]
        assert len(found) == 1, (words, [path for path, _ in found])
        return found[0]

    def schema_of(self, operation: dict[str, Any], status: str) -> dict[str, Any]:
        return operation["responses"][status]["content"]["application/json"]["schema"]

    def check(self, value: Any, schema: dict[str, Any]) -> None:
        """Whether *value* is what the document promises."""
        whole = {**schema, "components": self.document["components"]}
        jsonschema.Draft202012Validator(whole).validate(value)

    def authorize(self, scopes: list[str]) -> None:
        flow = self.document["components"]["securitySchemes"]["service"]["flows"]["clientCredentials"]
        assert set(scopes) <= set(flow["scopes"])
        form = {"grant_type": "client_credentials", "scope": " ".join(scopes)}
        answer = self.http.post(flow["tokenUrl"], data=form, auth=(self.id, self.secret))
        self.check(answer.json(), self.schema_of(self.document["paths"][flow["tokenUrl"]]["post"], "200"))
        self.http.headers["Authorization"] = f"{answer.json()['token_type']} {answer.json()['access_token']}"

    def call(self, path: str, operation: dict[str, Any], method: str = "GET", **more: Any) -> Any:
        """Calls and checks the answer, good or bad, against the document."""
        answer = self.http.request(method, path, **more)
        described = str(answer.status_code) if str(answer.status_code) in operation["responses"] else "default"
        self.check(answer.json(), self.schema_of(operation, described))
        return answer.status_code, answer.json()

    def accept(self, got: Got) -> dict[str, Any]:
        """Checks the signature as the document describes it, and the body against the event's schema."""
        told = got.json
        described = self.document["webhooks"][told["type"]]["post"]
        assert "id.timestamp.body" in described["description"]
        id, timestamp = got.headers["webhook-id"], got.headers["webhook-timestamp"]
        key = base64.b64decode(self.webhook_secret.removeprefix("whsec_"))
        mac = hmac.new(key, f"{id}.{timestamp}.".encode() + got.body, hashlib.sha256).digest()
        assert f"v1,{base64.b64encode(mac).decode()}" in got.headers["webhook-signature"].split()
        assert abs(int(timestamp) - dt.datetime.now(dt.UTC).timestamp()) < 300
        self.check(told, described["requestBody"]["content"]["application/json"]["schema"])
        return told


@pytest.fixture
def clock() -> Clock:
    """The real time of the start: receivers check it."""
    return Clock(round(dt.datetime.now(dt.UTC).timestamp()) * SECOND)


@pytest.fixture
def http(tenant: Tenant) -> Iterator[httpx.Client]:
    with web(tenant) as client:
        yield client


def test_it_links_receives_reads_and_is_cut_off(tenant: Tenant, http: httpx.Client) -> None:
    person = put_person(tenant, "mailto:ana@example.org")
    put_profile(tenant, person, held("gown", 2))
    put_badge(tenant, person, "b1")
    table, _ = roles.read_roles(b"role,competency,level\ntechnician,gown,2\ntechnician,fill,1\n")
    tenant.store.write(lambda tx: [roles.keep(tx, role) for role in table]).result()
    with receiver() as inbox:
        made = put_service(tenant, inbox.url)
        document = http.get("/openapi.json").json()
        client = Stranger(http, document, made.service.id, made.client_secret, made.webhook_secret)
        client.authorize(["profiles:read", "roles:read", "gap:read"])

        # It links: the learner opens the page and agrees.
        path, operation = client.operation("link", "learner", method="post")
        wish = {"reference": "applicant 17", "learner": {"mbox": "mailto:ana@example.org"}}
        jsonschema.validate(wish, operation["requestBody"]["content"]["application/json"]["schema"])
        status, link = client.call(path, operation, "POST", json=wish)
        assert status == 201
        press_agree(link["link"])
        run_all(tenant)

        # It receives.
        told = {event["type"]: event["data"] for event in map(client.accept, inbox.got)}
        assert sorted(told) == ["consent.given", "profile.updated"]
        assert told["consent.given"]["reference"] == "applicant 17"
        subject = told["consent.given"]["subject"]
        assert told["profile.updated"]["subject"] == subject
        assert told["profile.updated"]["competencies"][0]["level"]["ordinal"] == 2
        assert told["profile.updated"]["badges"][0]["name"] == "Gowning"

        # It reads: the feed, the profile, the gap.
        feed_path, feed_operation = client.operation("changed since the cursor")
        _, feed = client.call(feed_path, feed_operation)
        assert [(entry["subject"], entry["deleted"]) for entry in feed["profiles"]] == [(subject, False)]
        one_path, one_operation = client.operation("one learner's profile")
        status, profile = client.call(one_path.format(subject=subject), one_operation)
        assert (status, profile) == (200, feed["profiles"][0]["profile"])
        roles_path, roles_operation = client.operation("all roles")
        _, known = client.call(roles_path, roles_operation)
        gap_path, gap_operation = client.operation("still needs")
        role = {"role": known["roles"][0]["id"]}
        _, gap = client.call(gap_path.format(subject=subject), gap_operation, params=role)
        assert (gap["match"], gap["full"]) == (50.0, False)
        assert [row["result"] for row in gap["requirements"]] == ["met", "missing"]

        # The learner withdraws: it is told, the feed has a tombstone, and nothing can be read any more.
        tenant.store.write(lambda tx: consent.withdraw(tx, [Subject(person=person)], by="learner")).result()
        run_all(tenant)
        last = client.accept(inbox.got[-1])
        assert (last["type"], last["data"]["subject"]) == ("consent.withdrawn", subject)
        _, feed = client.call(feed_path, feed_operation, params={"cursor": feed["cursor"]})
        assert [(entry["subject"], entry["deleted"]) for entry in feed["profiles"]] == [(subject, True)]
        assert client.call(one_path.format(subject=subject), one_operation)[0] == 404
        assert client.call(gap_path.format(subject=subject), gap_operation, params=role)[0] == 404
        put_profile(tenant, person, held("gown", 3))
        count = len(inbox.got)
        run_all(tenant)
        assert len(inbox.got) == count


def test_the_document_describes_no_422(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    ours = [
        operation
        for path in ("/oauth/token", "/api/links", "/api/profiles", "/api/profiles/{subject}", "/api/roles")
        for operation in document["paths"][path].values()
    ]

    assert all("422" not in operation["responses"] for operation in ours)
    assert len(ours) == 5


def press_agree(url: str) -> None:
    """What the learner's browser does, which is not the service's."""
    with httpx.Client(trust_env=False, follow_redirects=True) as browser:
        page = browser.get(url)
        form = re.search(r'name="form" value="([^"]+)"', page.text)
        assert form
        answer = browser.post(url, data={"form": form[1], "answer": "agree", "scope": "gap:read"})
        assert answer.status_code == 200
