"""What travels the whole way: a small programme, three learners under three names each, and who sends and receives.

Statements of an online course come over HTTP by ``tincan``, a training centre's and an apprenticeship provider's files
by their adapters.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx
import msgspec
from tincan import (
    Activity,
    Agent,
    AgentAccount,
    Context,
    Extensions,
    RemoteLRS,
    Result,
    Score,
    Statement,
    Verb,
)

from adapters.reading.profile import MappingProfile
from badges.verifying.lookup import resolver, status_lists
from badges.verifying.verify import verify
from lrs.access.keys import NewKey, create_key
from lrs.competency.frameworks.frameworks import keep, publish, published
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.competency.rules.mapping import KnownNames, ruleset_from_table
from lrs.competency.rules.rulesets import current, put
from lrs.composition.steps import drain
from lrs.kernel.keys import key
from lrs.matching import registry
from lrs.matching.registry import Registered
from lrs.matching.roles import roles
from lrs.people import joins
from lrs.people.persons import members_of, person_named
from lrs.storage import Store, each
from lrs.tenancy.tenants import Tenant
from tests.interop.conftest import node  # noqa: F401 (a fixture)
from tests.matching.world import Receiver, answer_form, bearer
from tests.served import Lrs

VERBS = "http://adlnet.gov/expapi/verbs/"
SAME_PERSON = "https://w3id.org/engraft/extensions/identifiers"
URI = "https://example.org/frameworks/advanced-therapies"
GOWNING, CULTURE = "https://vle.example/gowning", "https://vle.example/cell-culture"
FRAMEWORK = """domain code,domain,capability code,capability,statement code,statement,tier
A,Aseptic practice,A1,Gowning,A1.1,Knows why gowning protects the product,1
A,Aseptic practice,A1,Gowning,A1.2,Gowns into grade B without touching the outside,2
B,Cell processing,B1,Cell culture,B1.1,Describes how primary cells are expanded,1
B,Cell processing,B1,Cell culture,B1.2,Expands cells to a batch record,2
C,Quality,C1,Good manufacturing practice,C1.1,Knows the principles of GMP,1
"""
RULES = """activity,verb,competency,level,threshold,valid for,trusted source
https://vle.example/gowning,passed,A1,1,80,,vle
https://vle.example/cell-culture,passed,B1,1,70,,vle
https://centre.example/checklists/gowning,passed,A1,2,,,centre
https://w3id.org/engraft/standards/ST1406/1.0/ksb/S4,demonstrated,B1,2,,,provider
"""
ROLES = """role,role_label,competency,framework,level,importance,weight
operator,Aseptic operator,A1,https://example.org/frameworks/advanced-therapies,2,essential,3
operator,Aseptic operator,B1,https://example.org/frameworks/advanced-therapies,1,essential,2
operator,Aseptic operator,C1,https://example.org/frameworks/advanced-therapies,1,optional,1
"""
CENTRE = """\
record,session_id,title,kind,starts_at,ends_at,instructor,activity_id,email,\
attendance,checklist_id,step_id,result,critical,attempt,observer,pass_percent
session,D1,Gowning day,practical,2026-10-06 09:00,2026-10-06 17:00,ray@centre.example,https://centre.example/courses/gmp,,,,,,,,,
"""
CENTRE_ROWS = """roster,D1,,,,,,,{name}@example.org,present,,,,,,,
observation,D1,,,,,,,{name}@example.org,,https://centre.example/checklists/gowning,hood,pass,no,1,ray@centre.example,80
observation,D1,,,,,,,{name}@example.org,,https://centre.example/checklists/gowning,gown,pass,yes,1,ray@centre.example,80
"""
PORTFOLIO = (
    "ULN;Email;Standard;Version;Start date;Status;Evidence ID;Criteria;Title;Evidence date;Evidence status;Assessor\n"
)
PORTFOLIO_ROW = """\
{uln};{name}@example.org;ST1406;1.0;01/09/2025;Live;E-{name};S4;Batch record;12/10/2026;Signed off;m@provider.example
"""
MAPPING = MappingProfile(
    headers={
        "standard_ref": ("Standard",),
        "standard_version": ("Version",),
        "ksb_code": ("Criteria",),
        "evidence_title": ("Title",),
    },
    dates=("%d/%m/%Y",),
)
LEARNERS = {"ann": "1000001376", "cara": "1000002119", "dan": "1000002852"}
PURPOSE = "To find roles that fit you"


@dataclass
class Journey:
    """A running server, the keys of those who send, and a matching service with its receiver."""

    lrs: Lrs
    receiver: Receiver
    folder: Path
    keys: dict[str, NewKey] = field(default_factory=dict)
    service: Registered | None = None

    @property
    def tenant(self) -> Tenant:
        return self.lrs.tenant

    @property
    def store(self) -> Store:
        return self.tenant.store

    def write(self, decide: Any) -> Any:
        return self.store.write(decide).result()

    def drain(self) -> None:
        """One drain: everything that is due, until nothing is."""
        drain(self.tenant)

    def online(self, *statements: Statement, source: str = "vle") -> None:
        """Sends statements as an online course does: with ``tincan``, over HTTP."""
        new = self.keys[source]
        client = RemoteLRS(endpoint=f"{self.lrs.address}/xapi/", version="1.0.3", username=new.key, password=new.secret)
        answer = client.save_statements(list(statements))
        assert answer.success, answer.data
        assert answer.response.status == 200

    def file(
        self,
        adapter: str,
        provider: str,
        text: str,
        profile: MappingProfile = MappingProfile(),  # noqa: B008
    ) -> dict[str, int]:
        """Sends a file with the provider's key and follows the import; how many rows came to what."""
        new = self.keys[provider]
        files = {"file": (f"{adapter}.csv", text.encode()), "profile": msgspec.json.encode(profile)}
        with httpx.Client(base_url=self.lrs.address, auth=(new.key, new.secret), trust_env=False) as sender:
            sent = sender.post("/api/imports", params={"adapter": adapter}, files=files)
            assert sent.status_code == 202, sent.text
            drain(self.tenant, ["import"])
            job = sender.get(sent.headers["location"]).json()
        assert (job["state"], job["id"], job["provider"]) == ("done", sent.json()["id"], provider)
        return {result: count for result, count in job["counts"].items() if count}

    def ask(self, path: str) -> httpx.Response:
        """What the matching service is answered, with an access token of its own."""
        with httpx.Client(base_url=self.lrs.address, trust_env=False) as service:
            return service.get(path, headers=bearer(service, self.service))

    def agree(self, name: str) -> None:
        """The service asks for a link, and the learner opens it and agrees."""
        with httpx.Client(base_url=self.lrs.address, trust_env=False) as browser:
            wish = {
                "learner": {"mbox": f"mailto:{name}@example.org"},
                "scopes": ["profiles:read", "gap:read"],
                "reference": f"our-{name}",
            }
            link = browser.post("/api/links", json=wish, headers=bearer(browser, self.service))
            assert link.status_code == 201, link.text
            assert answer_form(browser, link.json()["link"]).status_code == 200

    def subject(self, name: str) -> str:
        """What the service calls the learner: learnt from ``consent.given``, by the service's own reference."""
        given = [one.json["data"] for one in self.receiver.of("consent.given")]
        return next(data["subject"] for data in given if data["reference"] == f"our-{name}")

    def told(self, name: str) -> list[str]:
        """The types of all events about the learner; services are promised that ``consent.given`` comes first."""
        subject = self.subject(name)
        return [one.json["type"] for one in self.receiver.got if one.json["data"]["subject"] == subject]

    def shown(self, name: str) -> dict[str, tuple[int, str]]:
        """Level and first day by competency, as the newest ``profile.updated`` says."""
        subject = self.subject(name)
        profiles = [one.json["data"] for one in self.receiver.of("profile.updated")]
        newest = max((one for one in profiles if one["subject"] == subject), key=lambda one: one["version"])
        return {one["competency"]["code"]: (one["level"]["ordinal"], one["since"]) for one in newest["competencies"]}

    def person(self, who: str) -> str:
        found = person_named(self.tenant, who)
        assert found, f"nobody is known as {who}"
        return members_of(self.store, found)[0]

    def awards(self, who: str) -> list[dict[str, Any]]:
        """The awards of a learner, whatever their state."""
        found = each(self.store, "award", key("award", self.person(who)))
        return [{"id": record.id, **json.loads(record.body)} for record in found]

    def badges(self, who: str) -> dict[str, Any]:
        """The badges of a learner (whoever it is one with), by name and state."""
        members = members_of(self.store, self.person(who))
        found = [
            record for member in members for record in each(self.store, "credential", key("credential.person", member))
        ]
        return {f"{json.loads(record.body)['name']} ({record.meta['state']})": record for record in found}

    def verdict(self, body: bytes) -> dict[str, bool]:
        """What our own verifier says of a badge: each check, and whether it passed."""
        said = verify(
            body, at=self.tenant.clock(), resolve=resolver(self.tenant, None), fetch=status_lists(self.tenant, None)
        )
        return {check.name: check.ok for check in said.checks}


def learnt(name: str, verb: str, activity: str, day: str, *, points: int | None = None, **more: Any) -> Statement:
    """A statement of the online course about the learner it calls ``<name>-7``."""
    result = Result(score=Score(raw=points, min=0, max=100), success=points >= 50) if points is not None else None
    return Statement(
        id=uuid5(NAMESPACE_URL, f"{name} {verb} {activity} {day}"),
        actor=known_as(name),
        verb=Verb(id=VERBS + verb),
        object=Activity(id=activity),
        timestamp=f"{day}T10:00:00Z",
        **({"result": result} if result else {}),
        **more,
    )


def known_as(name: str) -> Agent:
    """How the course names a learner; one whose name is an address, by that."""
    if "@" in name:
        return Agent(mbox=f"mailto:{name}")
    return Agent(account=AgentAccount(home_page="https://vle.example", name=f"{name}-7"))


def registered(name: str) -> Statement:
    """The online course says which mailbox its learner has."""
    same = Extensions({SAME_PERSON: [{"mbox": f"mailto:{name}@example.org"}]})
    return learnt(name, "registered", "https://vle.example/", "2026-09-01", context=Context(extensions=same))


def prepare(journey: Journey) -> None:
    """Keys, identity authorities, a framework, rules, a role and a service."""
    scopes = {
        "vle": ["statements/write"],
        "centre": ["statements/write", "profile"],
        "provider": ["statements/write", "profile"],
        "browser-content": ["statements/write"],
        "operator": ["admin"],
    }
    journey.keys = {name: create_key(journey.tenant, name, wanted) for name, wanted in scopes.items()}
    for source in ("vle", "provider"):
        journey.write(lambda tx, source=source: joins.trust(tx, source, "test"))
    framework, faults = framework_from_sheet(
        FRAMEWORK.encode(), uri=URI, title="Advanced therapies", scale=PRESETS["tiers"]
    )
    assert faults == ()
    journey.write(lambda tx: keep(tx, framework))
    journey.write(lambda tx: publish(tx, URI, "test"))
    known = KnownNames(published(journey.store), sources=set(scopes))
    rules, faults = ruleset_from_table(RULES.encode(), known, current(journey.store))
    assert faults == ()
    journey.write(lambda tx: put(tx, rules, "test"))
    found, problems = roles.read_roles(ROLES.encode())
    assert problems == []
    journey.write(lambda tx: [roles.keep(tx, role) for role in found])
    journey.service = registry.register(
        journey.tenant,
        "Career Converter",
        webhook=journey.receiver.url,
        scopes=["profiles:read", "roles:read", "gap:read"],
        purpose=PURPOSE,
        by="test",
    )


def send_all(journey: Journey) -> None:
    """What the three doors bring of all learners."""
    for name in LEARNERS:
        journey.online(
            registered(name),
            learnt(name, "passed", GOWNING, "2026-09-10", points=92),
            learnt(name, "passed", CULTURE, "2026-09-11", points=88),
        )
    rows = "".join(CENTRE_ROWS.format(name=name) for name in LEARNERS)
    assert journey.file("training-centre", "centre", CENTRE + rows) == {"new": 10}
    rows = "".join(PORTFOLIO_ROW.format(name=name, uln=uln) for name, uln in LEARNERS.items())
    assert journey.file("eportfolio", "provider", PORTFOLIO + rows, MAPPING) == {"new": 3}
