"""The told network: one organisation with many learners, whose rules changed twice, as it is on 21 November 2026."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from adapters.training_centre import centre_sessions
from adapters.training_centre.centre_sessions import CentreSession
from lrs.access import keys, learners, staff
from lrs.access.keys import active_key, create_key
from lrs.access.sessions import SigningIn, open_session
from lrs.app import create_app
from lrs.competency.frameworks.frameworks import keep, publish, published
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.competency.rules.applying import ruleset_in
from lrs.competency.rules.rulesets import put
from lrs.composition.steps import drain
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.settings import Settings
from lrs.kernel.times import HOUR
from lrs.matching.consent import answers, links
from lrs.people import questions
from lrs.storage import Owed, Record, Store, each
from lrs.tenancy.tenants import Tenant
from lrs.web.origins import session_cookie
from lrs.xapi.statements.keys import keys_of, source_key
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.validate import VOIDED as VOIDS
from lrs.xapi.statements.write import store_in
from tests.certainty import certain
from tests.competency.world import Clock, micros
from tests.pages.conftest import Browser
from tests.told import dealings, learning
from tests.told.learning import ATMP, DID, GMP, GMP_SHEET, SHEET, Did, slug, statements_of

ROOT = "https://skills.example.org"
SOURCES = ("vle", "centre", "moodle", "stranger")
TOKENS = "sessions.json"
SIGNED_IN = (
    *("Much Held", "Both Levels", "Exactly Eighty", "In Review", "Joined By Row", "All Ended", "Minor Unknown"),
    *("Minor Until Tomorrow", "Of Age Today", "Twenty-one Times", "Below Eighty", "Ended Yesterday", "Ends Today"),
    *("Warned Today", "Two Frameworks", "Three Levels", "Legal Name"),
)
"""Learners who sign in."""
TODAY = ("Ends Today", "Ends Tomorrow", "Warned Today", "Not Warned Yet")
"""Of whom something came today, so that what they hold was worked out today."""
OPENED = (
    *(("Much Held", f"badge of much-held {number}") for number in (1, 2)),
    *((name, f"badge of {slug(name)} 1") for name in ("Minor Unknown", "Of Age Today", "Legal Name")),
)
"""Badges whose page their holders have opened."""
STEPS = ("refs", "match", "evaluate", "issue", "sync", "list")


def settings_in(folder: Path) -> Settings:
    return Settings(
        data=folder, store_url=f"sqlite:///{folder}/store.db", outbound_allow=("127.0.0.0/8",), public_url=ROOT
    )


class Network:
    """The application over the stores in *folder*, with everything in them that is told; made by ``network``."""

    def __init__(self, folder: Path, now: int) -> None:
        self.folder, self.clock = folder, Clock(now)
        self.app = create_app(settings_in(folder), clock=self.clock)
        self.app.refusals.note = _forgotten  # what is refused to those who only look
        self.tenant: Tenant = self.app.tenants.take("default")

    def close(self) -> None:
        self.app.tenants.close()

    def browser(self) -> Browser:
        return Browser(self.app, ROOT)

    def staff(self, name: str) -> Browser:
        """A browser in which a member of staff is signed in."""
        return self._signed_in(staff.SUBJECT + dealings.member_id(name))

    def learner(self, name: str) -> Browser:
        """A browser in which one of ``SIGNED_IN`` is signed in."""
        return self._signed_in(learners.SUBJECT + self.person(name))

    def _signed_in(self, subject: str) -> Browser:
        tokens = json.loads((self.folder / TOKENS).read_text())
        browser = self.browser()
        browser.cookies.set(session_cookie(self.tenant), tokens[subject])
        return browser

    def sign_all_in(self) -> None:
        """Opens a session for everybody: whoever only looks writes nothing."""
        tokens = {}
        for name in dealings.STAFF:
            subject = staff.SUBJECT + dealings.member_id(name)
            tokens[subject] = open_session(self.tenant, subject)
        for name in SIGNED_IN:
            person = self.person(name)
            self.write(lambda tx, who=person: learners.open_account(tx, who, by="test"))
            subject = learners.SUBJECT + person
            tokens[subject] = open_session(self.tenant, subject, SigningIn("link", "Firefox"))
        (self.folder / TOKENS).write_text(json.dumps(tokens))

    def write(self, decide: Any) -> Any:
        return self.tenant.store.write(decide).result()

    def work(self, *steps: str) -> None:
        drain(self.tenant, steps or STEPS)

    def person(self, name: str) -> str:
        """The id of the person of a mailbox by the *name* of its learner, or of an account (``... at vle``)."""
        return self.people[slug(name.removesuffix(" at vle")) + (" at vle" if name.endswith(" at vle") else "")]

    @property
    def people(self) -> dict[str, str]:
        """The ids of persons, by the mailbox or the account that each was minted for."""
        found = {}
        for record in each(self.tenant.store, "identifier"):
            found[_told_name(json.loads(record.body)["ifi"])] = record.meta["person"]
        return found

    def called(self, name: str) -> str:
        """What stands in an address for what a table calls *name*."""
        known, number = self._called, name.rpartition(", ")
        if name in known:
            return known[name]
        return (
            str(statements_of(number[0], DID[number[0]])[int(number[2]) - 1]["id"]) if number[0] else self.person(name)
        )

    @functools.cached_property
    def _called(self) -> dict[str, str]:
        store, found = self.tenant.store, dict[str, str]()
        whose = {id: name for name, id in self.people.items()}
        for record in each(store, questions.KIND):
            who = f"question of {whose[json.loads(record.body)['person']]}"
            found[f"{who} {1 + sum(name.startswith(who) for name in found)}"] = record.id
        for record in each(store, links.KIND):
            one = msgspec.json.decode(record.body, type=links.ConsentLink)
            found[one.id] = links.address(self.tenant, one, "").rpartition("/")[2]
            found[f"receipt of {one.id.removeprefix('link ')}"] = one.receipt
            if one.guardian:
                found["guardian"] = answers.guardian_address(self.tenant, one, "").rpartition("/")[2]
        found |= {f"key of {json.loads(record.body)['name']}": record.id for record in each(store, keys.KIND)}
        for record in each(store, "credential"):
            who = f"badge of {whose[str(record.meta['person'])]}"
            found[f"{who} {1 + sum(name.startswith(who + ' ') for name in found)}"] = record.id
        found |= {f"member {name}": dealings.member_id(name) for name in dealings.STAFF}
        found |= {f"item {item.code}": item.id for one in published(store) for item in one.items}
        return found | {f"session {one.number}": id for id, one in _sessions(store)}

    @functools.cached_property
    def names(self) -> dict[str, str]:
        """What ids stand for."""
        persons: dict[str, list[str]] = {}
        for name, id in self.people.items():
            persons.setdefault(id, []).append(name)
        found = {id: f"person {'/'.join(names)}" for id, names in persons.items()}
        sent = [(name, one) for name, things in DID.items() for one in statements_of(name, things)]
        found |= {one["id"]: f"{name}, {one['timestamp'][:10]}" for name, one in sent}
        found |= {item.id: item.code for one in published(self.tenant.store) for item in one.items}
        return found | {id: name for name, id in self._called.items()}


def _sessions(store: Store) -> Iterator[tuple[str, CentreSession]]:
    for record in each(store, centre_sessions.KIND):
        yield record.id, centre_sessions.session_of(record)


def _forgotten(*_: Any) -> None:
    """Notes no refusal."""


def _told_name(ifi: dict[str, Any]) -> str:
    account = ifi.get("account", {})
    if account:
        return f"{account['name']} at vle" if "vle" in account["homePage"] else str(account["name"])
    return str(next(iter(ifi.values()))).removeprefix("mailto:").removesuffix("@example.org")


def built(folder: Path) -> int:
    """Makes the network in *folder*; what its clock says then."""
    made = Network(folder, micros("2026-11-09T12:00:00Z"))
    try:
        _organisation(made)
        dealings.staff_of(made)
        _frameworks(made)
        callers = {source: active_key(made.tenant, create_key(made.tenant, source, ["all"]).key) for source in SOURCES}
        sending = Sending(made, callers)
        _rules(made, learning.FIRST_RULES)
        sending.send("Rule Gone", DID["Rule Gone"])
        made.work()
        made.clock.set("2026-11-12T12:00:00Z")
        _rules(made, learning.SECOND_RULES)
        made.work()
        made.clock.set("2026-11-16T12:00:00Z")
        for name, things in DID.items():
            if name not in {"Rule Gone", *TODAY}:
                sending.send(name, things)
        for name in learning.VOIDED:
            sending.void(name)
        made.work()
        dealings.names_of_learners(made, sending)
        dealings.one_or_two(made)
        dealings.told_again(made, sending)
        made.clock.set("2026-11-21T11:00:00Z")
        _rules(made, learning.THIRD_RULES)
        for name in TODAY:
            sending.send(name, DID[name])
        made.work()
        dealings.agreements(made)
        dealings.plans(made)
        dealings.said(made)
        dealings.refused(made)
        made.clock.set("2026-11-21T12:01:30Z")
        made.work()
        made.sign_all_in()
        made.staff("Emma Employer").get("/employer")  # that it got this is noted once a day
        for name, badge in OPENED:  # that it was opened is noted once
            made.learner(name).get(f"/me/badges/{made.called(badge)}/take")
        return made.clock.now
    finally:
        made.close()


class Sending:
    """Sends what learners did, each by its source."""

    def __init__(self, made: Network, callers: dict[str, Any]) -> None:
        self.made, self.callers = made, callers

    def send(self, name: str, things: list[Did], who: dict[str, Any] | None = None, called: str | None = None) -> None:
        for one in statements_of(name, things, who, called):
            if one.meta:
                self._launched(one)
            else:
                self._sent(one, one.source)

    def void(self, name: str) -> None:
        first = statements_of(name, DID[name])[0]
        target = {"objectType": "StatementRef", "id": first["id"]}
        told = {"id": first["id"][:-4] + "0000", "actor": first["actor"], "verb": {"id": VOIDS}, "object": target}
        self._sent(told, "vle")

    def _sent(self, told: dict[str, Any], source: str) -> None:
        terms = Terms(self.made.tenant.settings, SUBSCRIPTIONS)
        plan = prepare(self.callers[source], "2.0.0", json.dumps(told).encode(), terms)
        self.made.write(lambda tx: store_in(tx, plan))

    def _launched(self, one: Did) -> None:
        meta = {"source": one.source, "version": "2.0.0", **one.meta}
        keys = (*keys_of(one), source_key(one.source))
        record = Record("statement", one["id"], json.dumps(one).encode(), meta, keys, owed=(Owed("match"),))
        self.made.write(lambda tx: tx.insert(record))


def _organisation(made: Network) -> None:
    told = {"name": "Skills Centre", "contact": "skills@centre.example", "consent_age": 18}
    made.app.tenants.control.change("default", lambda record, _: msgspec.structs.replace(record, **told))
    made.tenant = made.app.tenants.take("default")


def _frameworks(made: Network) -> None:
    for uri, title, sheet, scale in ((ATMP, "Advanced therapies", SHEET, "tiers"), (GMP, "GMP", GMP_SHEET, "dreyfus")):
        framework, faults = framework_from_sheet(sheet.encode(), uri=uri, title=title, scale=PRESETS[scale])
        assert faults == ()
        made.write(lambda tx, one=framework: (keep(tx, one), publish(tx, one.id, dealings.SAM)))


def _rules(made: Network, table: str) -> None:
    ruleset, faults = ruleset_in(made.tenant, table.encode())
    assert [str(one) for one in faults if not one.warning] == []
    made.write(lambda tx: put(tx, ruleset, dealings.SAM, review=24 * HOUR))


@functools.cache
def _files() -> tuple[dict[str, bytes], int]:
    with tempfile.TemporaryDirectory() as made, certain("the told network"):
        folder = Path(made)
        now = built(folder)
        return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}, now


@contextmanager
def network(folder: Path) -> Iterator[Network]:
    """The network, in an empty *folder*; it is made once in each process."""
    files, now = _files()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    made = Network(folder, now)
    try:
        yield made
    finally:
        made.close()


def holders(made: Network) -> list[str]:
    """The ids of all learners, in the order in which they came; of those who are one, the oldest."""
    return [record.id for record in each(made.tenant.store, "person") if not record.meta["into"]]
