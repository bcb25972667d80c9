"""Every system of the network once, with one made-up learner, on both engines.

A session at a centre is marked, an apprenticeship return is read, a course is passed in the LMS: levels and badges
follow, the nearest role says what is missing and the catalogue what leads there. Once that is done, a matching service
is told, a planner sees one more, the badge goes into a wallet, the service tells of a job, the employer sees it all.
Each system by itself is tried in its room. ``make test`` goes the way on SQLite, ``make soak`` on MongoDB; how soon
the service is told is measured by ``make bench``.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from adapters.catalogue import offerings
from adapters.catalogue.offerings import Offering
from adapters.catalogue.role_planning import plan_here
from adapters.imports.here import job_here
from adapters.imports.run import Order
from adapters.lms.courses.courses import version_in
from adapters.lms.courses.structure import activities_in
from adapters.lms.launching import launching
from adapters.lms.launching.launching import LaunchOrder
from adapters.lms.sessions.acts import enrol_in
from adapters.lms.sessions.place import LmsPlace
from adapters.planning import counting, figures
from adapters.planning.counts import Count
from adapters.reading.vocabulary import iri
from adapters.training_centre import acts
from adapters.training_centre.centre_sessions import Gives
from badges.wallets import exchanges
from lrs.access import CONTENT_SOURCE
from lrs.competency.frameworks.frameworks import keep, publish, published
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.competency.rules.mapping import KnownNames, ruleset_from_table
from lrs.competency.rules.rulesets import current, put
from lrs.competency.shapes import Profile
from lrs.composition.steps import STEPS, drain
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.matching import employers, registry
from lrs.matching.consent import consent
from lrs.matching.consent.consent import Grant, Subject
from lrs.matching.registry import EMPLOYERS_PURPOSE, AboutService
from lrs.matching.roles import roles
from lrs.people import joins
from lrs.people.persons import person_named
from lrs.storage import each
from tests.adapters.apprenticeship.returns import learner as apprentice
from tests.adapters.apprenticeship.returns import made as a_return
from tests.adapters.lms.launched import Content
from tests.adapters.lms.made import imported, package, structure, unit
from tests.adapters.training_centre.made import Centre
from tests.badges.wallet import Wallet
from tests.matching.world import PURPOSE, put_service, receiver
from tests.served import new_id, serving

pytestmark = pytest.mark.mongo_in_soak
URI = "https://example.org/frameworks/atmp"
SHEET = """domain,domain code,capability,capability code,statement,statement code,tier
Clean working,D1,Gowning,GOWN,Gowns without touching the outside,GOWN-1,1
,,Aseptic technique,ASEP,Works in a laminar flow cabinet,ASEP-1,1
,,Records,RECO,Writes a batch record that others can follow,RECO-1,1
"""
UNIT, RECORDS = "https://publisher.example/aseptic", "https://vle.example/records"
CHECKLIST = iri("centres", "north", "checklists", "gowning")
RULES = f"""activity,verb,competency,level,threshold,valid for,trusted source
{CHECKLIST},passed,GOWN,1,,P12M,north
UNIT,passed,ASEP,1,,,{CONTENT_SOURCE}
{RECORDS},passed,RECO,1,,,tests
https://vle.example/gowning,passed,GOWN,1,,,tests
https://vle.example/aseptic,passed,ASEP,1,,,tests
"""
ROLE = f"""role,role_label,competency,framework,level,valid_from
operator,Aseptic operator,GOWN,{URI},1,2026-01-01
operator,Aseptic operator,ASEP,{URI},1,2026-01-01
operator,Aseptic operator,RECO,{URI},1,2026-01-01
future,Operator of 2090,GOWN,{URI},1,2090-01-01
"""
ULN = "1000000108"
ACCOUNT = {"account": {"homePage": "https://lms.example", "name": "cleo-7"}}
SCOPES = ("profiles:read", "gap:read", "outcomes:write")


class Network:
    """One organisation of the network, served, and the tenant behind it."""

    def __init__(self, lrs: Any, receiving: Any, folder: Any) -> None:
        self.lrs, self.tenant, self.receiver, self.folder = lrs, lrs.tenant, receiving, folder
        self.centre = Centre(lrs.tenant)
        self.service = put_service(lrs.tenant, receiving.url, scopes=SCOPES)
        self.employer = registry.add_employer(lrs.tenant, "Cell Works", AboutService(), by="test")
        self._configure()

    def _configure(self) -> None:
        framework, _ = framework_from_sheet(SHEET.encode(), uri=URI, title="ATMP", scale=PRESETS["tiers"])
        self.write(lambda tx: (keep(tx, framework), publish(tx, URI, "test")))
        store = self.tenant.store
        content = structure(unit(UNIT, "https://content.example/index.html"))
        self.course = imported(self.tenant, package(content)).course
        ours = activities_in(version_in(store, self.course.id, 1).structure)[f"au {UNIT}"]
        rules = RULES.replace("UNIT,", f"{ours},")
        ruleset, problems = ruleset_from_table(rules.encode(), KnownNames(published(store)), current(store))
        assert (ruleset is not None, [str(one) for one in problems]) == (True, [])
        self.write(lambda tx: put(tx, ruleset, "test"))
        found, faults = roles.read_roles(ROLE.encode())
        assert faults == []
        records = Offering("records", "Batch records", gives=(Gives("RECO", 1),), hours=6.0)
        self.write(lambda tx: ([roles.keep(tx, one) for one in found], offerings.keep(tx, records, "test")))
        self.write(lambda tx: joins.trust(tx, "north", "test"))

    def write(self, decide: Any) -> Any:
        return self.tenant.store.write(decide).result()

    def work(self) -> None:
        drain(self.tenant, tuple(STEPS))

    def passes(self, who: dict[str, Any], *activities: str) -> None:
        """What the online platform sends of somebody."""
        told = [
            {
                "id": new_id(),
                "actor": who,
                "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
                "object": {"id": one},
            }
            for one in activities
        ]
        self.lrs.store(told)

    @property
    def person(self) -> str:
        found = person_named(self.tenant, ULN)
        assert found
        return found

    def held(self) -> dict[str, str]:
        """The codes and the states of what Cleo holds."""
        record = self.tenant.store.get("profile", self.holder)
        assert record
        return {one["competency"]["code"]: one["state"] for one in json.loads(record.body)["competencies"]}

    @property
    def holder(self) -> str:
        record = self.tenant.store.get("person", self.person)
        assert record
        return str(record.meta["into"] or self.person)

    def planned(self) -> dict[Count, int | None]:
        """What a planner is shown now."""
        return dict(figures.shown(counting.count(self.tenant)).counts)

    def ask(self, path: str, method: str = "GET", **more: Any) -> Any:
        form = {"grant_type": "client_credentials"}
        client, auth = self.lrs.clients[0], (self.service.service.id, self.service.client_secret)
        token = client.post(f"{self.lrs.address}/oauth/token", data=form, auth=auth).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return client.request(method, f"{self.lrs.address}{path}", headers=headers, **more)

    def wallet_takes(self, wallet: Wallet) -> dict[str, Any]:
        """One of Cleo's badges, given to *wallet* by an exchange as wallets make it."""
        badge = next(one for one in each(self.tenant.store, "credential") if one.meta["state"] == "issued")
        token = self.write(lambda tx: exchanges.make(tx, self.tenant, badge))
        client, address = self.lrs.clients[0], f"{self.lrs.address}/t/default/exchanges/{token}"
        asked = client.post(address, json={}).json()["verifiablePresentationRequest"]
        shown = wallet.presented(asked["challenge"], asked["domain"])
        answer = client.post(address, json={"verifiablePresentation": shown})
        assert answer.status_code == 200, answer.text
        (credential,) = answer.json()["verifiablePresentation"]["verifiableCredential"]
        return credential


@pytest.fixture(scope="module", params=["sqlite", "mongo"])
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder, more = tmp_path_factory.mktemp("network"), {}
    if request.param == "mongo":
        server = urlsplit(request.getfixturevalue("mongo_server"))
        more = {"store_url": server._replace(path=f"/network_{secrets.token_hex(6)}").geturl()}
    with ExitStack() as stack:
        receiving = stack.enter_context(receiver())
        served = stack.enter_context(serving(folder / "data", outbound_allow=("127.0.0.0/8",), **more))
        yield Network(served, receiving, folder)


def mark_a_session(network: Network) -> None:
    """At the centre: Cleo comes, and is seen to do each step."""
    centre = network.centre
    session = centre.session(centre.checklist())
    centre.came(session, "Cleo", "present")
    for step in ("hands", "hood"):
        centre.saw(session, "Cleo", step, "pass")
    acts.close(centre.day(), session.id)


def read_a_return(network: Network) -> None:
    """From the provider: Cleo is on ST1406, in Stevenage."""
    path = network.folder / "return.xml"
    path.write_text(a_return([apprentice("L7", ULN)]))
    job_here(network.tenant, Order("ilr", "college", path, "return.xml"))
    network.work()


def pass_a_course(network: Network) -> None:
    """In the LMS: Cleo is launched into a unit, and the content says that it was passed."""
    tenant = network.tenant
    place = LmsPlace(tenant, SUBSCRIPTIONS, f"{network.lrs.address}/t/default")
    enrolled = network.write(lambda tx: enrol_in(tx, place, network.course, ACCOUNT, id=new_id(), session=new_id()))
    launched = launching.launch(place, LaunchOrder(enrolled.id, 0))
    content = Content(network.lrs.clients[0], {"url": launched.url}).start()
    assert content.send("passed").status_code == 204
    assert content.send("terminated").status_code == 204
    network.work()
    at_work = person_named(tenant, "https://lms.example|cleo-7")
    assert at_work
    network.write(lambda tx: joins.merge(tx, network.person, at_work, "test"))  # a steward says that they are one
    network.work()


def test_one_learner_through_every_system_of_the_network(network: Network) -> None:
    others = [{"mbox": f"mailto:other{place}@example.org"} for place in range(4)]
    for other in others:
        network.passes(other, "https://vle.example/gowning", "https://vle.example/aseptic", RECORDS)
    mark_a_session(network)
    read_a_return(network)
    pass_a_course(network)
    for service, scopes, purpose in (
        (network.service.service.id, SCOPES, PURPOSE),
        (network.employer.id, ("profiles:read",), EMPLOYERS_PURPOSE),
    ):
        grant = Grant(Subject(person=network.holder), service, scopes, purpose, "operator", "test", "Cleo C.")
        network.write(lambda tx, grant=grant: consent.give(tx, grant))
    network.work()

    # levels and badges, the nearest role, what is missing and what leads there
    assert network.held() == {"GOWN": "held", "ASEP": "held"}
    subject = network.ask("/api/profiles").json()["profiles"][0]["subject"]
    near = network.ask(f"/api/profiles/{subject}/roles").json()["roles"]
    assert [(one["role"]["id"], [row["competency"] for row in one["lacking"]]) for one in near] == [
        ("operator", ["RECO"])
    ]
    plan = plan_here(network.tenant, roles.get(network.tenant.store, "operator"), profile_of(network).competencies)
    assert [step.offered.title for step in plan.steps] == ["Batch records"]
    before = network.planned()
    told_before = Counter(network.receiver.events)

    network.passes({"account": {"homePage": "https://www.gov.uk/uln", "name": ULN}}, RECORDS)
    network.work()

    # the service is told, and a planner sees one more
    assert (Counter(network.receiver.events) - told_before)["profile.updated"] == 1
    last = network.receiver.of("profile.updated")[-1].json["data"]
    assert {one["competency"]["code"] for one in last["competencies"]} == {"GOWN", "ASEP", "RECO"}
    supply = Count("supply", "operator", "held")
    assert (before[supply], network.planned()[supply]) == (None, 5)  # four are kept back
    assert network.planned()[Count("path", "", "starts")] is None  # one is kept back, too

    # the badge is in a wallet, and a job is told
    wallet = Wallet()
    assert network.wallet_takes(wallet)["credentialSubject"]["id"] == wallet.did
    hired = {"id": "job-1", "subject": subject, "outcome": "hired", "date": "2026-11-20", "role": "operator"}
    assert network.ask("/api/outcomes", "POST", json=hired).status_code == 201
    jobs = [one.number for one in counting.count(network.tenant).counts if one.what == Count("path", "", "jobs")]
    assert jobs == [1]
    (seen,) = employers.employees(network.tenant, network.employer).people
    assert (seen.called, len(seen.skills)) == ("Cleo C.", 3)


def profile_of(network: Network) -> Profile:
    record = network.tenant.store.get("profile", network.holder)
    return msgspec.json.decode(record.body, type=Profile)
