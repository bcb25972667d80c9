"""A tenant in which every kind of record was written by the code that writes it: one learner, and others."""

from __future__ import annotations

import json
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec

from adapters.here import job_here
from adapters.run import Order
from badges import issuer
from lrs.access.keys import active_key, create_key
from lrs.access.sessions import open_session
from lrs.competency.frameworks.frameworks import keep, publish, published
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.competency.rules.mapping import Known, ruleset_from_table
from lrs.competency.rules.rulesets import current, put
from lrs.kernel.settings import Settings
from lrs.kinds import TENANT
from lrs.matching import links, registry, roles, services
from lrs.matching.consent import Grant, Subject, give
from lrs.matching.links import Wish
from lrs.people import joins, nobody
from lrs.people.ids import RENAMING, identified, ids_of
from lrs.renaming import Progress
from lrs.steps import drain
from lrs.storage import Record
from lrs.subscriptions import SUBSCRIPTIONS
from lrs.tenancy.tenants import Tenant, open_tenant
from lrs.transfer import forwards
from lrs.transfer.forwards import Filter
from lrs.work.sweep import sweep_blobs
from lrs.xapi.documents import change
from lrs.xapi.documents.concurrency import Conditions
from lrs.xapi.documents.content import INLINE
from lrs.xapi.documents.content import keep as content_of
from lrs.xapi.documents.resources import ACTIVITY_PROFILE, AGENT_PROFILE, STATE, Address, Description
from lrs.xapi.statements.attachments import Attachments
from lrs.xapi.statements.attachments import keep as keep_data
from lrs.xapi.statements.identity import SAME_PERSON, ifi_text
from lrs.xapi.statements.parts import Part, attached
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.write import store_in

ANN = {"name": "Ann", "mbox": "mailto:ann@example.org"}
ANN_AT_WORK = {"account": {"homePage": "https://vle.example", "name": "ann"}}
ANNE = {"mbox": "mailto:anne@example.org"}
RAY = {"mbox": "mailto:ray@centre.example"}
NEW = {"mbox": "mailto:new@example.org"}
SYSTEM = {"account": {"homePage": "https://lrs.example", "name": "vle"}}
AGENTS = {"ann": ANN, "ann at work": ANN_AT_WORK, "anne": ANNE, "ray": RAY, "new": NEW, "system": SYSTEM}

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
"""
PURPOSE = "To find roles that fit you"


class Everything:
    """The tenant, and what its records are about."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(data=folder, outbound_allow=("127.0.0.0/8",))
        self.tenant: Tenant = open_tenant(settings)
        self.caller = active_key(self.tenant, create_key(self.tenant, "vle", ["all", "import"]).key)
        open_session(self.tenant, self.caller.subject)
        self._rules()
        self._statements()
        self._documents()
        self._people()
        self._services()
        drain(self.tenant, ("refs", "match", "evaluate", "issue", "sync"))
        self._import(folder / "file.csv")
        issuer.rename(self.tenant, "Centre", None)
        self._rules("https://vle.example/gowning,passed,GOWN,1,70,,vle\n")  # owes a walk, which stays
        sweep_blobs(self.tenant, TENANT)
        self.write(
            lambda tx: tx.insert(Record(*RENAMING, msgspec.json.encode(Progress())))
        )  # as a store of before has it

    def _import(self, path: Path) -> None:
        """A file about a session alone: it is remembered, and no statement says anything of anybody."""
        path.write_text(FILE)
        job_here(self.tenant, Order("training-centre", "centre", path, path.name))
        drain(self.tenant, ("import",))

    def close(self) -> None:
        self.tenant.store.close()

    def identifier(self, who: str) -> str:
        """The id of the identifier of somebody in ``AGENTS``."""
        found = identified(AGENTS[who], ids_of(self.tenant))
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
        ruleset, _ = ruleset_from_table(table.encode(), Known(published(store)), current(store))
        assert ruleset
        self.write(lambda tx: put(tx, ruleset, "test"))

    def _statements(self) -> None:
        certificate = b"a certificate"
        headers = {"content-transfer-encoding": "binary", "x-experience-api-hash": sha256(certificate).hexdigest()}
        came = attached(Part(2, headers, BytesIO(certificate), len(certificate)), "2.0.0")
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
        put_document = change.Change(address, Conditions(none_match=frozenset({"*"})), "2.0.0", content, "vle")
        self.write(lambda tx: change.put(tx, put_document))

    def _people(self) -> None:
        drain(self.tenant, ("match",))
        self.write(lambda tx: nobody.put_names(tx, "vle", ["guest"], "test"))
        self.write(lambda tx: joins.trust(tx, "centre", "test"))
        one, other = self.person("ann"), self.person("ann at work")
        self.write(lambda tx: joins.merge(tx, one, other, "test"))

    def _services(self) -> None:
        hook = "http://127.0.0.1:9/hook"
        made = registry.register(
            self.tenant, "Careers", webhook=hook, scopes=services.SCOPES, purpose=PURPOSE, by="test"
        )
        other = ("http://127.0.0.1:9/xapi", ("key", "secret"))
        forwards.add(self.tenant, "national", *other, Filter(), since=0, by="test")
        (role,), _ = roles.read_roles(ROLES)
        self.write(lambda tx: roles.keep(tx, role))
        for whose in (Subject(person=self.person("ann")), Subject(identifier=self.identifier("new"))):
            grant = Grant(whose, made.service.id, services.CONSENTED, PURPOSE, "operator", "test")
            self.write(lambda tx, grant=grant: give(tx, grant))
        wish = Wish(Subject(identifier=self.identifier("new")))
        links.mint(self.tenant, made.service, wish, id="a-link", by="test")
