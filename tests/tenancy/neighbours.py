"""Three tenants on one server: ``one`` has a record of every kind, ``two`` and ``three`` have keys and nothing else.

``two`` is only read, ``three`` is written to. Whatever a route names is looked up here by its part of the pattern, or
by the xAPI resource: a new one fails until it is entered.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from adapters.lms.catapult import clients
from adapters.lms.courses import numbers
from adapters.lms.lti import invitations, signed_in, users, words
from adapters.lms.lti import platforms as lti_platforms
from adapters.lms.lti.launch import LaunchMessage, take_in
from adapters.lms.lti.platforms import LtiPlatform
from adapters.lms.sessions.session import LaunchSession, put_session
from badges.held import stops
from badges.held.certificates import code_of
from badges.wallets import exchanges
from lrs.access import CONTENT, COURSE_CLIENT, KEY, LAUNCH, SESSION, TOKEN, one_time
from lrs.access.keys import create_key
from lrs.access.policy.table import OF_TENANT
from lrs.access.sessions import SigningIn
from lrs.composition.kinds import TENANT
from lrs.composition.steps import drain
from lrs.kernel.sealed import digest_of
from lrs.kernel.settings import Settings
from lrs.matching import registry, services
from lrs.matching.consent import answers, links
from lrs.people import minors
from lrs.storage import Tx, each
from lrs.storage.sqlite.keys import SegmentSizes
from lrs.storage.sqlite.store import SqliteStore
from lrs.tenancy import states
from lrs.tenancy.control import open_control
from lrs.tenancy.signing_keys import FIRST, FIRST_JWT
from lrs.tenancy.tenants import Tenant
from lrs.web.refusals import Refusals
from tests.everything import ANN, ANN_AT_WORK, GOWNING, Everything
from tests.matching.world import token
from tests.pages.conftest import forms_of
from tests.served import Lrs, new_id, serving, statement
from tests.watching import Asked, asked_of_sqlite

PUBLIC_URL = "https://lrs.example.org"
VERSION = {"X-Experience-API-Version": "1.0.3"}
Named = dict[str, str]


@dataclass
class Neighbour:
    """What somebody may hold of one tenant; *form* is the token of the forms of its pages."""

    id: str
    basic: tuple[str, str]
    bearer: str
    cookies: str
    form: str
    platform: str
    content: str
    launched: tuple[str, ...]

    def sent(self, via: str, to: str = "") -> dict[str, Any]:
        """What a request carries by this credential; cookies of launches are named as the tenant *to* reads them."""
        if via == KEY:
            return {"auth": self.basic}
        headers = {
            TOKEN: {"authorization": f"Bearer {self.bearer}"},
            SESSION: {"cookie": self.cookies},
            COURSE_CLIENT: {"authorization": f"Bearer {self.platform}"},
            CONTENT: {"authorization": f"Basic {self.content}"},
            LAUNCH: {"cookie": "; ".join(one.format(tenant=to or self.id) for one in self.launched)},
        }
        return {"headers": headers[via]}


class Neighbours:
    """The server, what *asked* of SQLite, who holds what, and what *names* things of ``one``."""

    def __init__(self, lrs: Lrs, asked: Asked, lived: dict[str, str], service: tuple[str, str]) -> None:
        self.lrs = lrs
        self.asked = asked
        self.client = httpx.Client(base_url=lrs.address, trust_env=False, timeout=30)
        self.tenants = {name: self._neighbour(name) for name in ("one", "two", "three")}
        self.tenants["one"].bearer = self._token("one", *service)
        self.names = lived | self._given_out()
        one = lrs.app.tenants.take("one")
        there, elsewhere = (long_ids_of(tenant) for tenant in (one, lrs.app.tenants.take("two")))
        self._ids = there - elsewhere - set(self.names.values())

    def ask(self, tenant: str, line: tuple[str, str], names: Named, *, via: str | None, **more: Any) -> httpx.Response:
        """The answer of *tenant* to a request of this *line* of the table, about what *names* says."""
        method, pattern = line
        own = pattern.removeprefix(OF_TENANT)
        names = names | {"t/{tenant}": tenant}
        path = re.sub(r"(\w+)/\{\w+\}", lambda found: f"{found[1]}/{OF_NOBODY.get(found[0]) or names[found[0]]}", own)
        path = path.replace("{other}", names["other"])
        address = path if pattern.endswith(OF_TENANT) else f"/t/{tenant}{path}"
        sent = self.tenants[tenant].sent(via) if via else {}
        headers = (
            (VERSION if own.startswith(("/xapi", "/cmi5/xapi")) else {})
            | sent.pop("headers", {})
            | more.pop("headers", {})
        )
        return self.client.request(method, address, headers=headers, **({"params": query(own, names)} | sent | more))

    def about(self, tenant: str, line: tuple[str, str], names: Named) -> dict[str, Any]:
        """The body that a request of *line* has, about what *names* says."""
        bodies: dict[tuple[str, str], dict[str, Any]] = {
            ("POST", "/xapi/statements"): {"json": {**STATEMENT, "id": names["statement"]}},
            ("PUT", "/xapi/statements"): {"json": {**STATEMENT, "id": names["statement"]}},
            ("POST", "/staff/learners"): {"data": {"who": names["who"]}},
            ("POST", "/staff/learners/{person}/invite"): {"data": {"email": ""}},
            ("POST", "/staff/learners/{person}/ask"): {"data": {"service": "own"}},
            ("POST", "/staff/learners/{person}/route"): {"data": {"route": "graduate", "district": "SG1"}},
            ("POST", "/staff/learners/{person}/name"): {"data": {"name": "Eve", "how": "passport", "sure": "yes"}},
            ("POST", "/staff/badge/{id}"): {"data": {"act": "suspend", "reason": "so", "sure": "yes"}},
            ("POST", "/staff/learners/{person}/correct"): {"data": {"statement": names["statement"], "why": "so"}},
            ("POST", "/staff/invitations"): {"data": {"list": names["who"]}},
            ("POST", "/staff/same-person/{one}/{other}"): {"data": {"act": "join"}},
            ("POST", "/staff/questions/{id}"): {"data": {"text": "Yes", "statement": names["statement"], "why": "so"}},
            ("POST", "/staff/consents/{receipt}"): {"data": {"act": "refused", "sure": "yes"}},
            ("POST", "/staff/services/{id}/test"): {"data": {}},
            ("POST", "/staff/services/{id}/webhook"): {"data": {"webhook": "http://127.0.0.1:9/hook"}},
            ("POST", "/staff/services/{id}/rotate"): {"data": {"overlap": "0"}},
            ("POST", "/staff/services/{id}/state"): {"data": {"state": "disabled"}},
            ("POST", "/staff/learners/{person}/withdraw"): {"data": {"service": names["service"]}},
            ("POST", "/staff/rules/drafts/{id}/apply"): {"data": {"expected": "0"}},
            ("POST", "/pages/work/retry"): {"data": {"step": "issue", "kind": "award", "id": names["award"]}},
            ("POST", "/pages/work/resend"): {"data": {"id": names["delivery"]}},
            ("POST", "/account/sessions"): {"data": {"id": names["session"]}},
            ("POST", "/staff/members/{id}/roles"): {"data": {"role": "steward"}},
            ("POST", "/staff/members/{id}/state"): {"data": {"state": "disabled"}},
            ("POST", "/staff/members/{id}/recovery"): {"data": {"without": "yes"}},
            ("POST", "/pages/sign-in"): {"data": {"key": names["key"], "secret": names["secret"]}},
            ("POST", "/oauth/token"): {"data": {"client_id": names["service"], "client_secret": names["secret"]}},
            ("POST", "/api/links"): {"json": {"agent": {"mbox": f"mailto:{names['who']}"}}},
            ("POST", "/links/{token}"): {"data": {"answer": "agree"}},
            ("POST", "/claim/{claim}"): {"data": {"act": "accept"}},
            ("POST", "/t/{tenant}/exchanges/{exchange}"): {"json": {}},
            ("POST", "/t/{tenant}/exchanges/{exchange}/request"): {"json": {}},
            ("POST", "/guardian/{guardian}"): {"data": {"answer": "agree"}},
        }
        body = bodies.get(line, {"content": b"other"} if line[0] in {"POST", "PUT"} else {})
        if "data" in body and line[1].startswith(("/pages", "/staff", "/account")):
            body["data"]["form"] = self.tenants[tenant].form
        return body

    def ids_of_one_in(self, answer: httpx.Response) -> list[str]:
        """Ids of records of ``one`` that *answer* tells, though it was not asked about them."""
        return [id for id in self._ids if id in answer.text]

    def _neighbour(self, name: str) -> Neighbour:
        tenant = self.lrs.app.tenants.take(name)
        key = create_key(tenant, "centre", ["all", "admin", "import", "courses"])
        platform, content = token_of_client(tenant, f"key {key.key}"), token_of_content(tenant)
        made = registry.register(
            tenant, "Own", webhook=None, scopes=services.SCOPES, purpose="To suggest jobs", by="test"
        )
        with httpx.Client(base_url=f"{self.lrs.address}/t/{name}", trust_env=False, timeout=30) as browser:

            def cookies() -> str:  # they are for https alone, and a client would keep them to itself here
                return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)

            (form,) = forms_of(browser.get("/pages/sign-in").text)
            signing_in = form["fields"] | {"key": key.key, "secret": key.secret}
            browser.post("/pages/sign-in", data=signing_in, headers={"cookie": cookies()})
            forms = forms_of(browser.get("/staff/learners", headers={"cookie": cookies()}).text)
            own = next(form["fields"]["form"] for form in forms if "form" in form["fields"])
            held = token(browser, made), cookies(), own, platform, content, launches_in(tenant)
            return Neighbour(name, (key.key, key.secret), *held)

    def _token(self, name: str, id: str, secret: str) -> str:
        form = {"grant_type": "client_credentials", "client_id": id, "client_secret": secret}
        return str(self.client.post(f"/t/{name}/oauth/token", data=form).json()["access_token"])

    def _given_out(self) -> dict[str, str]:
        """What ``one`` tells only to those who may know: a learner's name towards a service, a link."""
        sent = self.tenants["one"].sent(TOKEN)
        (profile, *_) = self.client.get("/t/one/api/profiles", **sent).json()["profiles"]
        shown = self.client.get(f"/t/one/api/profiles/{profile['subject']}", **sent).json()
        key, secret = self.tenants["one"].basic
        one = self.lrs.app.tenants.take("one")
        return {
            "profiles/{subject}": profile["subject"],
            "badges/{badge}": shown["badges"][0]["id"],
            "check/{certificate}": code_of(one, next(each(one.store, "credential")).id),
            "outcomes/{outcome}": "job-1",
            "key": key,
            "keys/{key}": key,
            "secret": secret,
        }


def token_of_client(tenant: Tenant, by: str) -> str:
    """The token of the course client that there is, or of one that is made."""
    record = next(each(tenant.store, clients.KIND), None)
    if record is None:
        tenant.store.write(lambda tx: [numbers.draw(tx, "client") for _ in range(40)]).result()  # none of one's number
        made = tenant.store.write(lambda tx: clients.open_in(tx, tenant, "own", by)).result()
    else:
        made = clients.client_of(record)
    return clients.issue(tenant, made, "tests")


def token_of_content(tenant: Tenant) -> str:
    """The token of content that was launched there, of a registration that nobody else names."""
    id, secret = new_id(), "a secret"
    told = {"mode": "Normal", "move_on": "Passed", "launched": 1, "last": 1, "token": digest_of(secret)}
    session = LaunchSession(
        id, 999_999, new_id(), "none", 0, "https://none.example", ANNE_AT_WORK, {}, fetch=id, **told
    )
    tenant.store.write(lambda tx: put_session(tx, session)).result()
    return b64encode(f"{id}:{secret}".encode()).decode()


def launches_in(tenant: Tenant) -> tuple[str, ...]:
    """The cookies of a learner and of a teacher whom a learning platform launched: Ann, where she is known."""
    known = lti_platforms.platform(tenant.store, lti_platforms.platform_id("https://vle.example", "1"))
    platform, learner, course = known or own_platform(tenant), "ann" if known else "own", "2" if known else "own"

    def decide(tx: Tx) -> tuple[str, ...]:
        way, now = SigningIn("platform"), tenant.clock()
        claims = {words.DEPLOYMENT: "1", words.CONTEXT: {"id": course, "title": "Gowning"}}
        if known is None:
            take_in(tx, tenant, LaunchMessage(platform, claims | {"sub": learner, words.LINK: {"id": "3"}}))
        teaching = {"sub": "teacher", words.LINK: {"id": "9"}, words.ROLES: ["Instructor"]}
        there = take_in(tx, tenant, LaunchMessage(platform, claims | teaching)).course
        found = users.user(tx, users.user_id(platform.id, learner))
        assert found
        tokens = {
            signed_in.ME: signed_in.open_learner(tx, platform.id, found.person, now, way),
            there: signed_in.open_teacher(tx, users.user_id(platform.id, "teacher"), there, now, way),
        }
        named = signed_in.cookie_name(tenant, "").replace(f".{tenant.id}.", ".{tenant}.")
        return tuple(f"{named}{of}={token}" for of, token in tokens.items())

    return tenant.store.write(decide).result()


def own_platform(tenant: Tenant) -> LtiPlatform:
    """A learning platform of *tenant* alone, registered and approved."""
    issuer = f"https://{tenant.id}.example"
    addresses = [f"{issuer}/{one}" for one in ("auth", "token", "jwks")]
    id = lti_platforms.platform_id(issuer, "1")
    made = LtiPlatform(id, "Own", issuer, "1", *addresses, 0, "approved", ("1",))
    tenant.store.write(lambda tx: lti_platforms.add(tx, made, "test")).result()
    return made


def long_ids_of(tenant: Tenant) -> set[str]:
    """The ids of its records that are too long to stand in an answer by chance; not those that every tenant has."""
    found = {record.id for kind in TENANT for record in each(tenant.store, kind) if len(record.id) > 12}
    return found - {FIRST, FIRST_JWT}


ANNE_AT_WORK = {"account": {"homePage": "https://none.example", "name": "anne"}}
STATEMENT = statement()
OF_NOBODY = {
    "connect/{platform}": "moodle",
    "developers/{name}": "pull.py",
    "versions/{version}": "2",
    "steps/{step}": "hands",
    "url/{index}": "0",
    "au/{index}": "0",
}
"""What routes name that is the same for every tenant."""


def query(own: str, names: Named) -> dict[str, str]:
    """The parameters that a request has, by the path in its tenant."""
    agent = json.dumps(ANN_AT_WORK | {"account": ANN_AT_WORK["account"] | {"name": names["account"]}})
    of_xapi = {
        "statements": {"statementId": names["statement"]},
        "activities": {"activityId": names["activity"]},
        "agents": {"agent": agent},
        "activities/state": {"activityId": names["activity"], "agent": agent, "stateId": names["document"]},
        "activities/profile": {"activityId": names["activity"], "profileId": names["document"]},
        "agents/profile": {"agent": agent, "profileId": names["document"]},
        "about": {},
    }
    if own.startswith(("/xapi/", "/cmi5/xapi/")):
        return of_xapi[own.partition("/xapi/")[2]]
    if own.startswith("/claim/"):
        return {"form": "picture"}  # the badge itself is there once it was accepted
    return {"role": names["role"]} if own.endswith("/gap") else {}


def made_up(name: str, times: int) -> str:
    """A name of the same length and shape that stands for nothing: its last letters and digits are others.

    What stands in its place in each of the first eight *times* differs.
    """
    letters = list(name)
    places = [place for place, letter in enumerate(letters) if letter.isalnum()][-6:]
    for place in places:
        letter = letters[place]
        for alphabet in ("0123456789", "abcdef", "ghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
            if letter in alphabet:
                letters[place] = alphabet[(alphabet.index(letter) + times % 9 + 1) % len(alphabet)]
    return "".join(letters)


def all_made_up(names: Named, times: int) -> Named:
    """Each of *names* made up."""
    return {what: made_up(name, times) for what, name in names.items()}


def lived_in(everything: Everything) -> dict[str, str]:
    """What ``one`` calls what it has, by the word before it in a path, or by what it is."""
    store = everything.tenant.store
    first = {name: next(each(store, name), None) for name in TENANT}
    badge = json.loads(first["credential"].body)
    return {
        "imports/{id}": first["import"].id,
        "badges/{id}": first["credential"].id,
        "badge/{id}": first["credential"].id,
        "credentials/{id}": first["credential"].id,
        "achievements/{id}": first["achievement"].id,
        "criteria/{id}": first["achievement"].id,
        "badges/{achievement}": first["badge-wording"].id,
        "competencies/{id}": first["framework-item"].id,
        "status/{name}": badge["credentialStatus"]["statusListCredential"].rpartition("/")[2],
        "drafts/{id}": first["rules-draft"].id,
        "learners/{person}": everything.person("ann"),
        "person/{one}": everything.person("ann"),
        "other": everything.person("anne"),
        "questions/{id}": first["question"].id,
        "consents/{receipt}": answers.waiting(store)[0].receipt,
        "services/{id}": everything.service.service.id,
        "links/{token}": links.address(everything.tenant, everything.link, "").rpartition("/")[2],
        "claim/{claim}": everything.claim,
        "shared/{share}": everything.shared,
        "exchanges/{exchange}": everything.exchange,
        "offers/{offer}": exchanges.offer_code(everything.tenant, everything.exchange),
        "services/{service}": everything.service.service.id,
        "guardian/{guardian}": everything.for_guardian,
        "statement": first["statement"].id,
        "statements/{id}": first["statement"].id,
        "quarantine/{id}": everything.quarantined,
        "sources/{source}": everything.sends_wrong,
        "activity": GOWNING,
        "account": ANN_AT_WORK["account"]["name"],
        "role": first["role"].id,
        "document": "10",
        "who": ANN["mbox"].removeprefix("mailto:"),
        "service": everything.service.service.id,
        "delivery": first["delivery"].id,
        "award": first["award"].id,
        "with/{provider}": first["oidc-provider"].id,
        "link/{token}": everything.sign_in_link,
        "invitation/{token}": everything.invitation,
        "members/{id}": everything.member,
        "session": first["session"].id,
        "sessions/{id}": everything.session.id,
        "people/{who}": everything.attendee.id,
        "checklists/{id}": everything.session.checklist.record,
        "off/{token}": everything.sign_off,
        "catalogue/{id}": "gowning",
        "calendar/{token}": everything.calendar,
        "courses/{id}": everything.course.id,
        "course/{id}": everything.course.id,
        "registration/{id}": first["registration"].id,
        "learners/{registration}": first["registration"].id,
        "session/{id}": first["launch-session"].id,
        "tenant/{id}": everything.client.id,
        "content/{package}": everything.package,
        "fetch/{token}": "a-token",
        "scorm/{token}": "a-token",
        "platforms/{id}": first["lti-platform"].id,
        "register/{invite}": _invitation(everything.tenant),
        "learn/{link}": everything.lti_link[0],
        "courses/{course}": everything.lti_link[1].course,
        "try/{link}": everything.lti_link[0],
    }


@contextmanager
def neighbours(folder: Path) -> Iterator[Neighbours]:
    """The three of them, served from *folder*."""
    everything = Everything(folder, "one", public_url=PUBLIC_URL)
    lived, service = lived_in(everything), everything.service
    stops.resume(everything.tenant, lived["badges/{id}"], by="test")  # or nobody would be told of it
    everything.write(lambda tx: minors.clear(tx, everything.person("ann"), by="test"))  # or nothing would be shown
    drain(everything.tenant, ("issue", "publish", "sync"))
    everything.close()
    settings = Settings(data=folder)
    control = open_control(settings)
    control.add("one")
    for name in ("two", "three"):
        states.create(settings, control, name, "")
    control.close()
    # A new segment of search keys, and a merge, are no request's work: they would be counted for one by chance.
    unmerged = patch.dict(SqliteStore.__init__.__kwdefaults__, segments=SegmentSizes(entries=10**9))
    with asked_of_sqlite() as asked, unmerged, serving(folder, public_url=PUBLIC_URL) as lrs:
        lrs.app.refusals = Refusals(folder)  # that keeps none in the stores, a moment later, while others are counted
        held = Neighbours(lrs, asked, lived, (service.service.id, service.client_secret))
        try:
            yield held
        finally:
            held.client.close()


def _invitation(tenant):
    """The token of an invitation for a learning platform."""
    return tenant.store.write(lambda tx: one_time.make(tx, tenant, invitations.PURPOSE, "Own")).result().token
