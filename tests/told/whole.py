"""The whole product as a told world: a tenant with a record of every kind, and whoever may ask for each of its pages."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from msgspec.structs import replace

from adapters.lms.importing import import_course
from adapters.lms.launching import launching
from adapters.lms.sessions.acts import enrol_in
from adapters.lms.sessions.place import LmsPlace
from badges.held import stops
from badges.held.certificates import code_of
from lrs.access import CONTENT, COURSE_CLIENT, KEY, LAUNCH, TOKEN, keys, learners, operators, staff, staff_acts
from lrs.access.keys import create_key
from lrs.access.operators import create_operator_key
from lrs.access.roles import LEARNER, ROLES, Granted
from lrs.access.roles import OPERATOR as OPERATOR_ROLE
from lrs.access.sessions import SigningIn, open_session
from lrs.access.staff import ACTIVE, Member
from lrs.app import Application, create_app
from lrs.composition.channels import CHANNELS
from lrs.composition.steps import drain
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.times import DAY, MINUTE
from lrs.matching import services
from lrs.outbox import deliveries, destinations, fate
from lrs.pages.operator import setup
from lrs.people import minors
from lrs.storage import each, put_aside
from lrs.tenancy import backups
from lrs.tenancy.backups import BackupTaken
from lrs.web.origins import session_cookie
from lrs.web.static_files import asset
from tests.adapters.lms import made
from tests.competency.world import Clock
from tests.everything import ANN_AT_WORK, ENROLLED, GOWNING, Everything
from tests.pages.conftest import Browser
from tests.tenancy import neighbours
from tests.told.writing import Form
from tests.told.wrong_requests import Asked

ROOT, CONTENT_ROOT = "https://skills.example.org", "https://content.example.org"
SOURCES = ("vle", "centre", "north")
"""Sources for which somebody with a narrow role is here."""
OPERATOR_KEY, LITTLE = "operator's key", "a key that writes statements"
LONG = 12
"""Characters of an id that cannot stand in a text by chance."""
QUERIES = {
    "/arrivals/course": {"activity": GOWNING},
    "/roles/one": {"role": "operator"},
    "/roles/embed": {"role": "operator"},
    "/t/{tenant}/lti/login": {
        "iss": "https://vle.example",
        "login_hint": "5",
        "target_link_uri": f"{ROOT}/t/default/lti/launch",
    },
}
_SETTINGS = {"public_url": ROOT, "content_url": CONTENT_ROOT}


class Whole:
    """The application over a tenant in which everything is; made by ``whole``."""

    def __init__(self, app: Application, names: dict[str, str], service: Any, person: str, *, clock: Clock) -> None:
        self.app, self.clock = app, clock
        self.app.refusals.note = lambda *_: None  # type: ignore[method-assign]  # what is refused to those who look
        self.tenant = self.app.tenants.take("default")
        self._service, self._person = service, person
        self._place = LmsPlace(self.tenant, SUBSCRIPTIONS, f"{ROOT}/t/default")
        self.names = names | self._given_out()
        self._token_of_content, of_content = self._launched_content()
        self._queries = QUERIES | of_content
        self._sent = dict(self._callers())

    def ask(self, asked: Iterable[tuple[str, str]]) -> dict[tuple[str, str], httpx.Response]:
        """What callers are answered at routes. Raises ``KeyError`` for a name that nothing has here."""

        async def run() -> dict[tuple[str, str], httpx.Response]:
            transport, found = httpx.ASGITransport(self.app), dict[tuple[str, str], httpx.Response]()
            async with httpx.AsyncClient(transport=transport, base_url=ROOT, trust_env=False) as client:
                for pattern, caller in asked:
                    client.cookies.clear()
                    found[pattern, caller] = await client.get(self._address(pattern), **self._sent_by(caller, pattern))
            return found

        return asyncio.run(run())

    def put(self, who: str, asked: Asked) -> httpx.Response:
        """What *who* is answered to a request whose body or address may be wrong."""
        sent = self._sent_by(who, asked.pattern)
        sent["params"] = {**(sent["params"] or {}), **asked.query}
        body = {} if asked.json is None else {"json": asked.json}
        return Browser(self.app, ROOT).ask(asked.method, self._address(asked.pattern), **sent, **body)

    def send(self, form: Form, fields: Mapping[str, Any]) -> httpx.Response:
        """What who sees *form* is answered to *fields*."""

        browser = Browser(self.app, ROOT)
        browser.cookies = form.cookies
        return browser.ask("POST", form.address, data=fields, **self._sent[form.who])

    def _address(self, pattern: str) -> str:
        names = self.names | {"t/{tenant}": "default"}
        plain = pattern.replace("{path:path}", "index.html")
        path = re.sub(r"(\w+)/\{\w+\}", lambda found: f"{found[1]}/{_named(names, plain, found)}", plain)
        return (CONTENT_ROOT if pattern.startswith(("/content/", "/scorm/")) else "") + path.replace(
            "{other}", names["other"]
        )

    def _sent_by(self, caller: str, pattern: str) -> dict[str, Any]:
        sent = dict(self._sent[caller])
        if "/xapi/" in pattern:
            sent["headers"] = neighbours.VERSION | sent.get("headers", {})
        return sent | {"params": self._queries.get(pattern) or neighbours.query(pattern, self.names)}

    @property
    def called(self) -> dict[str, str]:
        """What names of things stand for."""
        return {name: what for what, name in self.names.items() if len(name) >= LONG}

    def _callers(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What each caller sends with a request, by the credential or the role."""
        key = create_key(self.tenant, "centre", ["all", "admin", "import", "courses"])
        little = create_key(self.tenant, "little", ["statements/write"])
        new = create_operator_key(self.app.tenants.installation, "watcher")
        launched = [one.format(tenant=self.tenant.id) for one in neighbours.launches_in(self.tenant)]
        bearers = {
            TOKEN: self._token(),
            COURSE_CLIENT: neighbours.token_of_client(self.tenant, f"key {key.key}"),
        }
        yield "nobody", {}
        yield KEY, {"auth": (key.key, key.secret)}
        yield LITTLE, {"auth": (little.key, little.secret)}
        yield OPERATOR_KEY, {"auth": (new.key, new.secret)}
        yield CONTENT, {"headers": {"Authorization": f"Basic {self._token_of_content}"}}
        yield LAUNCH, {"headers": {"Cookie": "; ".join(launched)}}
        yield from ((via, {"headers": {"Authorization": f"Bearer {bearer}"}}) for via, bearer in bearers.items())
        yield from ((role, {"headers": {"Cookie": self._cookie(role)}}) for role in ROLES)

    def _token(self) -> str:
        form, auth = {"grant_type": "client_credentials"}, (self._service.service.id, self._service.client_secret)
        return str(Browser(self.app, ROOT).ask("POST", "/oauth/token", data=form, auth=auth).json()["access_token"])

    def _cookie(self, role: str) -> str:
        """The session of somebody with *role*."""
        if role == LEARNER:
            self._write(lambda tx: learners.open_account(tx, self._person, by="test"))
            opened = open_session(self.tenant, learners.SUBJECT + self._person, SigningIn("link", "Firefox"))
            return f"{session_cookie(self.tenant)}={opened}"
        there = self.app.tenants.installation if role == OPERATOR_ROLE else self.tenant
        bound = {"source": SOURCES, "service": (self._service.service.id,)}.get(ROLES[role].bound, ("",))
        roles = operators.ROLE if role == OPERATOR_ROLE else tuple(Granted(role, one) for one in bound)
        member = Member(f"{role}@centre.example", there.clock(), role.title(), roles, state=ACTIVE)
        there.store.write(lambda tx: staff.put(tx, role, member)).result()
        return f"{session_cookie(there)}={open_session(there, staff.SUBJECT + role)}"

    def _given_out(self) -> dict[str, str]:
        """Names of things that are only told to those who may know them."""
        tenant, service = self.tenant, self._service.service.id
        badge = next(each(tenant.store, "credential"))
        own = self.app.tenants.installation
        invited = staff_acts.invite(own, "otto@example.org", operators.ROLE, by="test", root=f"{ROOT}/operator")
        return {
            "with/{provider}": "nobody",
            "outcomes/{outcome}": "job-1",
            "static/{name}": asset("", "icon.svg").rpartition("/")[2],
            "profiles/{subject}": services.pairwise(tenant, service, self._person),
            "badges/{badge}": services.badge_reference(tenant, service, f"urn:uuid:{badge.id}"),
            "check/{certificate}": code_of(tenant, badge.id),
            "keys/{key}": next(each(tenant.store, keys.KIND)).id,
            "organisations/{id}": "default",
            "operator/invitation/{token}": invited.link.rpartition("/")[2],
            "reached/{token}": setup.change(own, lambda before: before).word,
            "scorm/{token}": self._played(),
        }

    def trouble(self) -> None:
        """What an operator has to look at: work that fails and that was given up, destinations and organisations that
        are shut, a worker that dies, and little else that goes well. A hundred minutes pass.
        """
        tenant, store, control = self.tenant, self.tenant.store, self.app.tenants.control
        self.clock.now += 100 * MINUTE
        for step, reason in (("match", "ValueError: no such date"), ("lti-score", "answered 503")):
            first, second, *others = store.claim([step], limit=9, lease=MINUTE)
            store.defer(first, due=tenant.clock() + 5 * MINUTE, error=reason)
            put_aside(store, second, lambda _, why=reason: f"given up after 10 tries: {why}", tenant.clock())
            store.release(others)
        for claim in store.claim(["deliver"], limit=9, lease=MINUTE):
            if claim.record.kind == deliveries.KIND:
                fate.give_up(tenant, claim, "answered 400")
            else:
                store.release([claim])
        destinations.pause(tenant, CHANNELS["xapi"], "national", by="test")
        self._write(lambda tx: services.disable(tx, self._service.service.id, "it told others", by="test"))
        for name, state in (("open-one", "open"), ("shut", "suspended"), ("leaving", "closing")):
            control.add(name, name.title())
            control.change(
                name,
                lambda record, now, state=state: replace(
                    record, state=state, since=now, stored=3_000_000, delete_at=now + DAY
                ),
            )
        control.beat("lrs-1@here")
        control.died("lrs-1", 3, "killed by signal 9", 30.0)
        for number, (ago, sealed, missing) in enumerate(((9, True, 0), (8, False, 2))):
            taken = BackupTaken(tenant.clock() - ago * DAY, 5_000_000 * (number + 1), sealed, missing)
            control.store.write(lambda tx, id=str(number), taken=taken: backups.note(tx, id, taken)).result()
        setup.skip(self.app.tenants.installation, "mail")
        setup.change(
            self.app.tenants.installation, lambda before: replace(before, address=ROOT, reached_at=1, mailed_at=2)
        )

    def _launch(self, registration: str) -> str:
        """The address at which Ann's browser gets the unit of a course."""
        return launching.launch(self._place, launching.LaunchOrder(registration, 0)).url

    def _played(self) -> str:
        """The token of a SCORM course that Ann was launched into."""
        zipped = BytesIO(made.zipped({"imsmanifest.xml": made.MANIFEST, "index.html": b"page"}))
        course = import_course(self.tenant, zipped, "gowns.zip", "test").course
        named = {"id": "55555555-5555-4555-8555-555555555551", "session": "55555555-5555-4555-8555-555555555552"}
        enrolled = self._write(lambda tx: enrol_in(tx, self._place, course, ANN_AT_WORK, **named))
        return urlsplit(self._launch(enrolled.id)).path.rpartition("/")[2]

    def _launched_content(self) -> tuple[str, dict[str, dict[str, str]]]:
        """What content that was launched for Ann shows, and what it asks for at each of its routes."""
        given = parse_qs(urlsplit(self._launch(ENROLLED)).query)
        fetched = urlsplit(given["fetch"][0]).path.rpartition("/")[2]
        token = self._write(lambda tx: launching.fetch_in(tx, fetched, "the secret of content"))
        activity, agent = {"activityId": given["activityId"][0]}, {"agent": given["actor"][0]}
        state = {"registration": given["registration"][0], "stateId": "LMS.LaunchData"}
        return b64encode(token.encode()).decode(), {
            "/cmi5/xapi/activities": activity,
            "/cmi5/xapi/agents": agent,
            "/cmi5/xapi/agents/profile": agent | {"profileId": "cmi5LearnerPreferences"},
            "/cmi5/xapi/activities/state": activity | agent | state,
            "/cmi5/xapi/activities/profile": activity,
            "/cmi5/xapi/statements": {"activity": activity["activityId"]} | agent,
        }

    def _write(self, decide: Any) -> Any:
        return self.tenant.store.write(decide).result()


def _run_time(folder: Path) -> Path:
    """Looks like ``scorm-again``."""
    (folder / "dist").mkdir(parents=True)
    (folder / "package.json").write_text('{"name": "scorm-again", "version": "3.0.0"}')
    (folder / "dist/scorm12.min.js").write_text("// the run-time interface")
    return folder


def _named(names: Mapping[str, str], pattern: str, found: re.Match[str]) -> str:
    """What stands in an address for a part of *pattern*."""
    longer = pattern[1 : found.end()]
    return names.get(longer) or neighbours.OF_NOBODY.get(found[0]) or names[found[0]]


@contextmanager
def whole(folder: Path) -> Iterator[Whole]:
    """The world, in an empty *folder*."""
    given, clock = {**_SETTINGS, "scorm_again": _run_time(folder / "scorm-again")}, Clock()
    everything = Everything(folder, clock=clock, **given)
    names, ann = neighbours.lived_in(everything), everything.person("ann")
    stops.resume(everything.tenant, names["badges/{id}"], by="test")  # or nobody would be told of it
    everything.write(lambda tx: minors.clear(tx, ann, by="test"))  # or nothing would be shown
    drain(everything.tenant, ("issue", "publish", "sync"))
    everything.close()
    settings = everything.tenant.settings.model_copy(update={"worker": False})
    found = Whole(create_app(settings, clock=clock), names, everything.service, ann, clock=clock)
    try:
        yield found
    finally:
        found.app.tenants.close()
