"""A tenant in which every kind of record was written by the code that writes it: one learner, and others."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import date
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image

from adapters.apprenticeship import standard_records
from adapters.apprenticeship.standard_records import read_standards
from adapters.catalogue import feed, offerings
from adapters.catalogue.offerings import Offering
from adapters.imports.here import job_here
from adapters.imports.mappings import SavedProfile, save
from adapters.imports.run import Order
from adapters.lms.catapult import clients
from adapters.lms.courses import openings
from adapters.lms.courses.courses import version_in
from adapters.lms.importing import import_course
from adapters.lms.launching import launching
from adapters.lms.lti import courses as lti_courses
from adapters.lms.lti import enrolments, grades, launch, login, platforms, tool_keys, users, words
from adapters.lms.lti.platforms import LtiPlatform
from adapters.lms.sessions.acts import enrol_in
from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.preferences import save_in
from adapters.planning import demand, figures
from adapters.planning.demand import Demand
from adapters.reading.profile import MappingProfile
from adapters.training_centre import hosts, learner_routes
from badges.achievements import counts, editing, wording
from badges.claims import claims, event_codes
from badges.endorsing import endorsing
from badges.held import certificates, holders, shares, shown_names, stops
from badges.issuing import rotation
from badges.keys import issuer
from badges.prior import prior, trusted
from badges.prior.trusted import TrustedIssuer
from badges.verifying.lookup import resolver
from badges.verifying.verify import verify
from badges.wallets import exchanges
from badges.wallets.oid4vci import nonces
from lrs.access import CODES_SOURCE, learners, one_time, source_names, staff_acts, switches, tries
from lrs.access.keys import active_key, authority_of, create_key
from lrs.access.oidc import providers
from lrs.access.roles import Granted
from lrs.access.sessions import open_session
from lrs.competency.frameworks.frameworks import keep, publish, published
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.competency.rules import drafts
from lrs.competency.rules.mapping import KnownNames, ruleset_from_table
from lrs.competency.rules.rulesets import current, put
from lrs.composition.kinds import TENANT
from lrs.composition.renaming import RenamingProgress
from lrs.composition.steps import drain
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.kernel.times import DAY
from lrs.matching import changes, declared, disclosures, occupations, outcomes, registry, resync, services
from lrs.matching.consent import answers, links
from lrs.matching.consent.answers import ConsentAnswer, GuardianWanted, Posted
from lrs.matching.consent.consent import Grant, Subject, give
from lrs.matching.consent.links import Wish
from lrs.matching.occupations import Occupation, OccupationSkill
from lrs.matching.roles import roles
from lrs.outbox.turns import HeldTurns
from lrs.people import confirmed_names, joins, minors, nobody, questions, told_names
from lrs.people.confirmed_names import ConfirmedName
from lrs.people.ids import RENAMING, identified, ids_of
from lrs.people.told_names import Called
from lrs.storage import Clock, Record, each, wall_clock
from lrs.tenancy.tenants import DEFAULT, Tenant, open_tenant
from lrs.transfer import forwards
from lrs.web import kept_refusals
from lrs.web.refusals import refusal_of
from lrs.work.sweep import sweep_blobs
from lrs.xapi.documents import change
from lrs.xapi.documents.concurrency import Conditions
from lrs.xapi.documents.content import INLINE
from lrs.xapi.documents.content import keep as content_of
from lrs.xapi.documents.resources import ACTIVITY_PROFILE, AGENT_PROFILE, STATE, Address, Description
from lrs.xapi.statements.attachments import Attachments
from lrs.xapi.statements.attachments import keep as keep_data
from lrs.xapi.statements.identity import SAME_PERSON, ifi_text
from lrs.xapi.statements.parts import BodyPart, attached
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.write import store_in
from tests.adapters.apprenticeship.standard_files import RECORD
from tests.adapters.lms import made
from tests.adapters.training_centre.made import Centre
from tests.badges.foreign.badges import DOCUMENTS, fetch
from tests.transfer import forwarding

ANN = {"name": "Ann", "mbox": "mailto:ann@example.org"}
ANN_AT_WORK = {"account": {"homePage": "https://vle.example", "name": "ann"}}
ANNE = {"mbox": "mailto:anne@example.org"}
RAY = {"mbox": "mailto:ray@centre.example"}
SUE = {"mbox": "mailto:sue@host.example"}
NEW = {"mbox": "mailto:new@example.org"}
SYSTEM = {"account": {"homePage": "https://lrs.example", "name": "vle"}}
AGENTS = {"ann": ANN, "ann at work": ANN_AT_WORK, "anne": ANNE, "ray": RAY, "sue": SUE, "new": NEW, "system": SYSTEM}

PASSED, COMMENTED = "http://adlnet.gov/expapi/verbs/passed", "http://adlnet.gov/expapi/verbs/commented"
UNCOMPLETED = "http://id.tincanapi.com/verb/uncompleted"
GOWNING = "https://vle.example/gowning"
URI = "https://example.org/frameworks/atmp"
SHEET = """domain,domain code,capability,capability code,statement,statement code,tier
Clean working,D1,Gowning,GOWN,Gowns without touching the outside,GOWN-1,1
"""
RULES = """activity,verb,competency,level,threshold,valid for,trusted source
https://vle.example/gowning,passed,GOWN,1,80,,vle
"""
ROLES = b"role,competency\noperator,GOWN\n"
FILE = """record,session_id,title,starts_at,ends_at
session,S-1,Gowning,2026-11-02T09:00,2026-11-02T12:00
session,S-2,Gowning,some day,2026-11-03T12:00
"""
ENROLLED = "33333333-3333-4333-8333-333333333333"
"""The registration of Ann in a course."""
PURPOSE = "To find roles that fit you"


class Everything:
    """The tenant, and what its records are about."""

    def __init__(self, folder: Path, tenant: str = DEFAULT, *, clock: Clock = wall_clock, **settings: Any) -> None:
        wanted = Settings(data=folder, outbound_allow=("127.0.0.0/8",), **settings)
        self.tenant: Tenant = open_tenant(wanted, tenant, clock=clock)
        self.caller = active_key(self.tenant, create_key(self.tenant, "vle", ["all", "import", "courses"]).key)
        open_session(self.tenant, self.caller.subject)
        self._rules()
        self._statements()
        self._documents()
        self._people()
        self._services()
        drain(self.tenant, ("refs", "match", "evaluate", "issue", "sync", "list"))
        self._outcome()
        self._import(folder / "file.csv")
        issuer.rename(self.tenant, "Centre", None)
        self._keys()
        self._stop()
        self._rules("https://vle.example/gowning,passed,GOWN,1,70,,vle\n")  # owes a walk, which stays
        self._signing_in()
        self._courses()
        self._platform()
        self._enrolled()
        self._refused()
        self._centre()
        self._aside()
        sweep_blobs(self.tenant, TENANT)
        self.write(
            lambda tx: tx.insert(Record(*RENAMING, msgspec.json.encode(RenamingProgress())))
        )  # as a store of before has it

    def _centre(self) -> None:
        """A session that Ray runs, with a checklist, and Ann on its roster."""
        centre = Centre(self.tenant)
        session = centre.session(centre.checklist(), "Ann, ann@example.org", lead="ray")
        centre.came(session, "Ann", "present", by="ray")
        self.session, self.attendee = session, centre.who(session, "Ann")
        host = centre.session(None, "Ann, ann@example.org", lead="ray", number="S2", kind="placement", host="Works")
        ann = centre.who(host, "Ann")
        asked = hosts.ask(centre.day(), host.id, ann.id, ("Sue", "sue@host.example"), "")
        self.sign_off = asked.token
        self.write(lambda tx: [standard_records.keep(tx, one, by="test") for one in read_standards(RECORD.encode())[0]])
        self.write(lambda tx: offerings.keep(tx, Offering("gowning", "Gowning basics"), "test"))
        self.calendar = self.write(lambda tx: feed.renew(tx, self.tenant, self.person("ann"), "test"))
        self.write(lambda tx: demand.keep_regions(tx, {"SG1": "East"}, "test"))
        self.write(lambda tx: demand.keep(tx, [Demand("operator", "East", 2028, 40)], "test"))
        self.write(lambda tx: figures.ask(tx, "test"))
        self.write(lambda tx: learner_routes.keep(tx, "north", ann.learner.actor, {"route": "graduate"}, 1, "test"))

    def _keys(self) -> None:
        """A second key, kept here. It needs an https address, which the rest of this world does not have."""
        settings = self.tenant.settings.model_copy(update={"public_url": "https://skills.example.org"})
        rotation.rotate(replace(self.tenant, settings=settings), "ES256", by="test")

    def _stop(self) -> None:
        badge = next(
            one.id for one in each(self.tenant.store, "credential") if one.meta["person"] == self.person("ann")
        )
        self.write(lambda tx: counts.count(tx, badge, "opened", self.tenant.clock()))
        self._shown(badge)
        self._words()
        self._endorsed(badge)
        self._prior()
        stops.stop(self.tenant, [badge], "suspended", reason="An assessor asked for it", by="test")
        drain(self.tenant, ("issue", "publish"))

    def _shown(self, badge: str) -> None:
        """A link by which Ann gets the badge, and an address at which others see it; she was of age for a moment."""
        record = self.tenant.store.get("credential", badge)
        assert record
        self.claim = self.write(lambda tx: claims.make(tx, self.tenant, record, "ann@example.org")).token
        self.write(lambda tx: minors.clear(tx, self.person("ann"), by="test"))
        self.write(lambda tx: joins.trust(tx, "vle", "test"))
        self.write(lambda tx: certificates.make_void(tx, record, by="learner x"))
        self.shared = self.write(lambda tx: shares.share(tx, self.tenant, record, with_name=True, by="learner x")).token
        self.write(lambda tx: shown_names.put_in(tx, self.tenant, record, by="learner x"))
        self.write(lambda tx: minors.note(tx, self.person("ann"), None, by="test"))
        event = event_codes.EventCode(
            "https://centre.example/open-day", "Open day", self.tenant.clock() + DAY, 9, "test"
        )
        event_codes.use(self.tenant, SUBSCRIPTIONS, self.person("ann"), event_codes.create(self.tenant, event).code)
        self.write(lambda tx: nonces.use(tx, self.tenant, nonces.make(self.tenant)))
        self.exchange = self.write(lambda tx: exchanges.make(tx, self.tenant, record))
        holder = holders.BadgeHolder("did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH", "vcapi", 1)
        self.write(lambda tx: holders.hold(tx, record, holder))

    def _endorsed(self, badge: str) -> None:
        thing = endorsing.thing_named(self.tenant, badge)
        endorsing.endorse(self.tenant, thing, "I saw it", id="55555555-5555-4555-8555-555555555555", by="test")

    def _prior(self) -> None:
        """A badge of another issuer that the organisation trusts, and that staff have seen to be Ann's."""
        content, ann = DOCUMENTS["eddsa-did-key"].encode(), self.person("ann")
        verdict = verify(content, at=self.tenant.clock(), resolve=resolver(self.tenant, None), fetch=fetch)
        issuer = TrustedIssuer(json.loads(content)["issuer"]["id"], "College", self.tenant.clock())
        self.write(lambda tx: trusted.trust(tx, issuer, by="test"))
        given = {"by": "staff", "is_theirs": True, "subscriptions": SUBSCRIPTIONS}
        kept = prior.ready(self.tenant, ann, content, verdict, **given)
        self.write(lambda tx: prior.keep(tx, kept))

    def _words(self) -> None:
        """A steward's image, which makes a second version of the achievement."""
        drawn = BytesIO()
        Image.new("RGB", (600, 600), "teal").save(drawn, "PNG")
        about = wording.read(next(each(self.tenant.store, wording.KIND))).attainment
        editing.set_picture(self.tenant, about, "framework", drawn.getvalue(), by="test")
        drain(self.tenant, ("repicture",))

    def _signing_in(self) -> None:
        tenant, person = self.tenant, self.person("ann")
        invited = staff_acts.invite(
            tenant, "ann@example.org", [Granted("steward")], by="test", root="https://lrs.example"
        )
        tries.count(tenant, tries.Try(("account", "ann@example.org"), tries.TryLimit(10, 60)))
        self.member, self.invitation = invited.id, invited.link.rpartition("/")[2]
        self.write(lambda tx: learners.open_account(tx, person, address="ann@example.org", by="test"))
        made = self.write(lambda tx: one_time.make(tx, tenant, "learner-sign-in", person, browser="a browser"))
        self.sign_in_link = made.token
        about, text = questions.Matter(f"{URI}#GOWN", "Gowning, level 1", ("vle",)), "I passed it on another day"
        asked = self.write(lambda tx: questions.ask(tx, person, about, text, by="test"))
        self.write(lambda tx: questions.answer(tx, asked.id, "It is right", by="test"))
        provider = providers.Provider("uni", "University", "https://uni.example", "engraft", tenant.clock())
        providers.add(tenant, provider, "secret", by="test")

    def _courses(self) -> None:
        """A course of a program, which somebody is in; content of it was launched."""
        tenant, place = self.tenant, LmsPlace(self.tenant, SUBSCRIPTIONS, "https://lrs.example/t/one")
        self.client = self.write(lambda tx: clients.open_in(tx, tenant, "moodle", self.caller.subject))
        text = made.structure(made.unit(url="https://content.example/"))
        files = {"cmi5.xml": text, "index.html": b"page"}
        self.course = import_course(tenant, BytesIO(made.zipped(files)), "course.zip", "test", self.client.id).course
        found = version_in(self.tenant.store, self.course.id, 1)
        self.package = found.package
        session = "44444444-4444-4444-8444-444444444444"
        enrolled = self.write(lambda tx: enrol_in(tx, place, self.course, ANN_AT_WORK, id=ENROLLED, session=session))
        self.launched = launching.launch(place, launching.LaunchOrder(enrolled.id, 0)).session
        told = {"languagePreference": "en", "audioPreference": "on"}
        self.write(lambda tx: save_in(tx, ANN_AT_WORK, told, Conditions()))

    def _platform(self) -> None:
        """A learning platform, from which Ann was launched, and another login that waits."""
        tenant, root = self.tenant, "https://skills.example.org/t/default/lti"
        tool_keys.ensure(tenant)
        issuer = "https://vle.example"
        addresses = [f"{issuer}/{one}" for one in ("auth", "token", "jwks")]
        made = LtiPlatform(platforms.platform_id(issuer, "1"), "Moodle", issuer, "1", *addresses, 0, "approved", ("1",))
        self.write(lambda tx: platforms.add(tx, made, "test"))
        login.begin(tenant, {"iss": issuer, "login_hint": "5", "target_link_uri": f"{root}/launch"}, root)
        claims = {
            "sub": "ann",
            words.DEPLOYMENT: "1",
            words.CONTEXT: {"id": "2", "title": "Gowning"},
            words.LINK: {"id": "3"},
            words.ROLES: ["Learner"],
            words.GRADES: {"lineitem": f"{issuer}/item", "scope": [words.WRITE_SCORE]},
        }
        there = self.write(lambda tx: launch.take_in(tx, tenant, launch.LaunchMessage(made, claims)))
        self.lti_link = (there.link, lti_courses.link(tenant.store, there.link))
        user, reached = users.user_id(made.id, "ann"), grades.Reached(8.0, 10.0, tenant.clock())
        self.write(lambda tx: grades.owe(tx, there.link, user, reached, tenant.clock()))

    def _enrolled(self) -> None:
        """Ann in the course, by a link of the platform."""
        tenant, (link, there) = self.tenant, self.lti_link
        text = made.structure(made.unit(url="https://content.example/index.html"), id="https://publisher.example/own")
        own = import_course(tenant, BytesIO(text), "cmi5.xml", "test").course
        self.write(lambda tx: openings.open_for_in(tx, own, [self.person("ann")], "staff x", 1))
        opens = msgspec.structs.replace(there, opens=f"course:{own.id}")
        self.write(lambda tx: lti_courses.put_link(tx, link, opens))
        (member,) = lti_courses.members_of_course(tenant.store, there.course)
        account = ANN_AT_WORK["account"]
        place = LmsPlace(tenant, SUBSCRIPTIONS, "https://lrs.example/t/default")
        self.write(lambda tx: enrolments.enrol(tx, place, link, member, (account, str(uuid.uuid4()))))

    def _refused(self) -> None:
        refused = Refused("no mailbox", pointer="/actor/mbox", rule="xAPI 1.0.3 Data 2.4.2.1")
        one = refusal_of(refused, tenant="", source="vle", method="POST", resource="statements", request="r")
        self.write(lambda tx: kept_refusals.add(tx, "vle", [one]))

    def _aside(self) -> None:
        """A batch whose second statement is in quarantine, of a source with both switches on."""
        self.sends_wrong = "sends-wrong"
        self.write(lambda tx: switches.put_switches(tx, self.sends_wrong, switches.SWITCHES, "test"))
        self.write(lambda tx: source_names.put_name(tx, self.sends_wrong, "Sends wrong things", by="test"))
        sender = active_key(self.tenant, create_key(self.tenant, self.sends_wrong, ["all", "import"]).key)
        assert sender
        said = {"actor": ANN_AT_WORK, "verb": {"id": COMMENTED}, "object": {"id": "https://vle.example/other"}}
        said["authority"] = SYSTEM
        sent = [said, {**said, "object": {**said["object"], "objectType": "GroupActivity"}}]
        plan = prepare(sender, "1.0.3", json.dumps(sent).encode(), Terms(self.tenant.settings, SUBSCRIPTIONS))
        self.quarantined = plan.aside[0].id
        self.write(lambda tx: store_in(tx, plan))

    def _outcome(self) -> None:
        """What the service told became of Ann."""
        subject = services.pairwise(self.tenant, self.service.service.id, self.person("ann"))
        hired = outcomes.WhatCameOfIt("hired", date(2026, 11, 2), "operator")
        outcomes.tell(self.tenant, self.service.service.id, "job-1", subject, hired)
        brewer = Occupation("https://esco.example/brewer", "Brewer", (), (OccupationSkill("s1", "Brews", True),))
        occupations.keep_all(self.tenant.store, [brewer], "test")
        self.write(lambda tx: declared.declare(tx, self.person("ann"), brewer, ["s1"], 1, by="test"))

    def _import(self, path: Path) -> None:
        """A file about sessions alone, one with a row to repair: no statement says anything of anybody."""
        path.write_text(FILE)
        job_here(self.tenant, Order("training-centre", "centre", path, path.name))
        drain(self.tenant, ("import",))
        saved = SavedProfile("Ours", "centre", "training-centre", MappingProfile(), self.tenant.clock(), "test")
        self.write(lambda tx: save(tx, saved))
        draft = drafts.RulesDraft(current(self.tenant.store), self.tenant.clock(), "test")
        self.write(lambda tx: drafts.add(tx, "a-draft", draft))
        drain(self.tenant, ("weigh",))

    def close(self) -> None:
        self.tenant.store.close()

    def identifier(self, who: str) -> str:
        """The id of the identifier of somebody in ``AGENTS``, or of the authority of what we say ourselves (``us``)."""
        us = msgspec.json.decode(authority_of(self.tenant, f"{self.tenant.id}.engraft", "engraft"))
        codes = msgspec.json.decode(authority_of(self.tenant, f"{self.tenant.id}.codes", CODES_SOURCE))
        found = identified({**AGENTS, "us": us, "codes": codes}[who], ids_of(self.tenant))
        assert found
        return found.id

    def person(self, who: str) -> str:
        """The id of the person that the identifier was minted for."""
        record = self.tenant.store.get("identifier", self.identifier(who))
        assert record
        return str(record.meta["person"])

    def write(self, decide: Any) -> Any:
        return self.tenant.store.write(decide).result()

    def _rules(self, further: str = "") -> None:
        framework, _ = framework_from_sheet(SHEET.encode(), uri=URI, title="ATMP", scale=PRESETS["tiers"])
        assert framework
        self.write(lambda tx: (keep(tx, framework), publish(tx, URI, "test")))
        table = RULES.rpartition("https://")[0] + further if further else RULES
        store = self.tenant.store
        ruleset, _ = ruleset_from_table(table.encode(), KnownNames(published(store)), current(store))
        assert ruleset
        self.write(lambda tx: put(tx, ruleset, "test"))

    def _statements(self) -> None:
        certificate = b"a certificate"
        headers = {"content-transfer-encoding": "binary", "x-experience-api-hash": sha256(certificate).hexdigest()}
        came = attached(BodyPart(2, headers, BytesIO(certificate), len(certificate)), "2.0.0")
        attachment = {
            "usageType": "http://example.org/certificate",
            "display": {"en": "certificate"},
            "contentType": "text/plain",
            "length": len(certificate),
            "sha2": came.sha2,
        }
        self._send(
            Attachments({came.sha2: came}, (), 0),
            actor=ANN,
            verb={"id": PASSED},
            object={"id": GOWNING, "definition": {"name": {"en": "Gowning"}}},
            result={"score": {"raw": 90, "min": 0, "max": 100}},
            context={"instructor": RAY, "extensions": {SAME_PERSON: [ANNE]}},
            attachments=[attachment],
        )
        self._send(actor=ANN, verb={"id": UNCOMPLETED}, object={"id": "https://vle.example/other"})
        late = {"objectType": "StatementRef", "id": "00000000-0000-4000-8000-00000000000f"}
        self._send(actor=ANN_AT_WORK, verb={"id": COMMENTED}, object=late)

    def _send(self, data: Attachments | None = None, **statement: Any) -> None:
        text = json.dumps({**statement, "authority": SYSTEM}).encode()
        assert self.caller
        plan = prepare(self.caller, "2.0.0", text, Terms(self.tenant.settings, SUBSCRIPTIONS), data)
        if data:
            keep_data(self.tenant.store.blobs, data)
        self.write(lambda tx: store_in(tx, plan))

    def _documents(self) -> None:
        for description in (STATE, ACTIVITY_PROFILE, AGENT_PROFILE):
            self._keep(description, b"a document")
            self._keep(description, b"a large one" * INLINE)

    def _keep(self, about: Description, body: bytes) -> None:
        activity = GOWNING if "activityId" in about.context else ""
        agent = ifi_text(ANN_AT_WORK) or "" if "agent" in about.context else ""
        content = content_of(self.tenant.store, "text/plain", body)
        address = Address(about.kind, activity, agent, document=str(len(body)))
        put_document = change.DocumentChange(address, Conditions(none_match=frozenset({"*"})), "2.0.0", content, "vle")
        self.write(lambda tx: change.put(tx, put_document))

    def _people(self) -> None:
        drain(self.tenant, ("match",))
        self.write(lambda tx: nobody.put_names(tx, "vle", ["guest"], "test"))
        self.write(lambda tx: joins.trust(tx, "centre", "test"))
        one, other = self.person("ann"), self.person("ann at work")
        self.write(lambda tx: joins.merge(tx, one, other, "test"))

    def _services(self) -> None:
        hook = "http://127.0.0.1:9/hook"
        self.service = made = registry.register(
            self.tenant, "Careers", webhook=hook, scopes=services.SCOPES, purpose=PURPOSE, by="test"
        )
        forwarding.add(self.tenant, "national", "http://127.0.0.1:9/xapi")
        self.write(lambda tx: tx.insert(Record(*forwards.RESTING)))
        HeldTurns().take(self.tenant, ["xapi/national"], 20)
        (role,), _ = roles.read_roles(ROLES)
        self.write(lambda tx: roles.keep(tx, role))
        for whose in (Subject(person=self.person("ann")), Subject(identifier=self.identifier("new"))):
            grant = Grant(whose, made.service.id, services.CONSENTED, PURPOSE, "operator", "test")
            self.write(lambda tx, grant=grant: give(tx, grant))
        self.write(lambda tx: resync.begin(tx, made.service.id))
        wish = Wish(Subject(identifier=self.identifier("new")))
        self.write(lambda tx: changes.raise_versions(tx, 0))
        disclosures.note(self.tenant, made.service.id, [self.person("ann")], "profile")
        self.link = links.mint(self.tenant, made.service, wish, id="a-link", by="test")
        asked = links.mint(self.tenant, made.service, wish, id="for-a-guardian", by="service test")
        token, posted = links.address(self.tenant, asked, "").rpartition("/")[2], Posted("http://127.0.0.1:9", "en")
        answer = ConsentAnswer(agree=True, guardian=GuardianWanted("New", "mum@example.org"))
        waits = answers.decide(self.tenant, token, answer, posted)
        self.for_guardian = answers.guardian_address(self.tenant, waits, "").rpartition("/")[2]
        self.write(lambda tx: minors.note(tx, self.person("ann"), None, by="test"))
        called = Called(identified(AGENTS["ann"], ids_of(self.tenant)), "Ann Example")
        self.write(lambda tx: told_names.keep(tx, "centre", [called]))
        confirmed = ConfirmedName("Ann Example", "passport, at the centre", self.tenant.clock(), "test")
        self.write(lambda tx: confirmed_names.confirm(tx, self.person("ann"), confirmed))
