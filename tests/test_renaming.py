"""A store in which identifiers stand under names that anybody computes is brought to ids, a page at a time."""

import threading
from dataclasses import replace

import msgspec
import pytest

from lrs.competency.explain import explain
from lrs.competency.rebuild import rebuild
from lrs.competency.rules.losses import look_at
from lrs.competency.rules.rulesets import current
from lrs.composition import renaming
from lrs.composition.kinds import TENANT
from lrs.composition.steps import STEPS, drain, steps_of
from lrs.kernel.errors import Refused
from lrs.matching import registry
from lrs.matching.consent import links
from lrs.matching.consent.commands import subjects_named
from lrs.matching.consent.consent import Grant, Subject, everything, give, of_subject
from lrs.matching.consent.links import Wish
from lrs.people import joins, nobody
from lrs.people.ids import RENAMING, identified, ids_of, is_name
from lrs.people.persons import person_named
from lrs.storage import Owed, Record, Walk, each, open_store
from lrs.tenancy import audit
from lrs.tenancy.root_keys import FROM_MASTER, Secrets
from lrs.tenancy.tenants import Remembered
from lrs.work.rounds import Work
from lrs.xapi.statements.identity import SAME_PERSON, identifier_of
from tests.competency.world import ANN, ANN_ACCOUNT, World, statement

KEPT = {purpose: purpose.ljust(32)[:32].encode() for purpose in FROM_MASTER}
BEFORE, AFTER = Secrets(None, KEPT), Secrets(b"r" * 32, KEPT)
RAY, EVE = {"mbox": "mailto:ray@centre.example"}, {"mbox": "mailto:Eve@example.org"}
GUEST = {"account": {"homePage": "https://vle.example", "name": "guest"}}
NEW, KNOWN_LATE = {"mbox": "mailto:new@example.org"}, {"mbox": "mailto:late@example.org"}
AGENTS = (ANN, ANN_ACCOUNT, RAY, EVE, GUEST, NEW, KNOWN_LATE)
UNCOMPLETED = "http://id.tincanapi.com/verb/uncompleted"
BEFORE_WORK = ("refs", "rename", "match", "evaluate", "issue", "publish", "sync")
"""Steps that releases had whose identifiers had names."""
WORK = (*BEFORE_WORK, "list")


def named(agent):
    return identifier_of(agent).id


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def old(url, tmp_path):
    """A world as 0.2.0 left it."""
    world = old_world(tmp_path, url)
    yield world
    world.close()


@pytest.fixture
def old_on_each(store_url, tmp_path):
    """The same on each engine."""
    world = old_world(tmp_path, store_url)
    yield world
    world.close()


def old_world(folder, url):
    """With all that names an identifier."""
    world = World(folder, url=url)
    world.tenant = replace(world.tenant, secrets=BEFORE)
    world.write(lambda tx: nobody.put_names(tx, "vle", ["guest"], "test"))
    world.send(statement("one", context={"instructor": RAY, "extensions": {SAME_PERSON: [EVE]}}))
    world.send(statement("two", ANN_ACCOUNT, context={"instructor": ANN}, timestamp="2026-11-18T10:00:00Z"))
    world.send(statement("three", {"mbox": "mailto:eve@example.org"}))
    world.send(statement("four", EVE, context={"instructor": {"objectType": "Group", "member": [RAY, ANN]}}))
    world.send(statement("five", GUEST))
    world.send(statement("six", ANN, verb=UNCOMPLETED, activity="https://vle.example/other"))
    drain(world.tenant, BEFORE_WORK)
    one, other = (person_named(world.tenant, who) for who in ("ann@example.org", "https://vle.example|ann"))
    world.write(lambda tx: joins.merge(tx, one, other, "test"))
    made = registry.register(
        world.tenant, "Careers", webhook=None, scopes=["profiles:read"], purpose="To suggest jobs", by="test"
    ).service
    for whose in (NEW, KNOWN_LATE, EVE):
        grant = Grant(Subject(identifier=named(whose)), made.id, ("profiles:read",), "Why", "operator", "test")
        world.write(lambda tx, grant=grant: give(tx, grant))
    links.mint(world.tenant, made, Wish(Subject(identifier=named(NEW))), id="a-link", by="test")
    drain(world.tenant, BEFORE_WORK)
    world.write(without_days_and_keys)
    return world


def without_days_and_keys(tx):
    for record in tx.find(Walk("suggestion")).records:
        tx.replace(msgspec.structs.replace(record, keys=()))
    for record in tx.find(Walk("evidence", limit=1000)).records:
        body = msgspec.json.decode(record.body)
        del body["day"]
        tx.replace(msgspec.structs.replace(record, body=msgspec.json.encode(body)))


def upgraded(world):
    """As opening the tenant leaves it."""
    world.tenant = replace(world.tenant, secrets=AFTER, seen=Remembered(50_000))
    world.write(lambda tx: tx.insert(Record(*RENAMING, owed=(Owed("rename"),))))


def one_page(world):
    """What one commit of a process does that is killed after it; whether there was one to do."""
    claims = world.store.claim(["rename"], limit=1, lease=60_000_000)
    for claim in claims:
        renaming.rename(world.tenant, [claim])
    return bool(claims)


def effects(world):
    """All that people hold, are sent and are called."""
    kinds = ("person", "award", "award-lineage", "profile", "profile-head", "credential", "delivery", "change", "link")
    return [(one.kind, one.id, one.body, one.meta, one.rev) for kind in kinds for one in each(world.store, kind)]


def shown(world):
    """What is told of everybody."""
    who = ("ann@example.org", "https://vle.example|ann", "ray@centre.example", "Eve@example.org", "eve@example.org")
    explained = [explain(world.tenant, one) for one in (*who[:2], *who[3:], "https://vle.example|guest")]
    persons = [person_named(world.tenant, one) for one in who]
    agreed = [
        (one, [consent.scope for subject in subjects_named(world.tenant, one) for consent in agreed_by(world, subject)])
        for one in (*who, "new@example.org")
    ]
    return explained, persons, agreed


def agreed_by(world, subject):
    return of_subject(world.store, subject)


def names_left(world):
    """Records that a name of one of ``AGENTS`` is read in, but for what was received."""
    names = [named(agent) for agent in AGENTS]
    received = {"statement", "agent_name"}
    return [
        (record.kind, record.id)
        for kind in TENANT
        for record in each(world.store, kind)
        if kind not in received and any(name in record.id or name.encode() in record.body for name in names)
    ]


def test_afterwards_nobody_finds_a_name_and_all_that_people_hold_is_as_before(old_on_each):
    old = old_on_each
    before, told = effects(old), shown(old)
    assert names_left(old)
    upgraded(old)

    drain(old.tenant, WORK)

    assert names_left(old) == []
    assert effects(old) == before
    assert shown(old) == told
    assert [one for one in old.store.backlog() if one.waiting and one.step not in {"evaluate", "sync"}] == []
    assert old.store.get(*RENAMING) is None
    assert not rebuild(old.tenant, TENANT, apply=False)


@pytest.mark.mongo_in_soak
def test_afterwards_suggestions_are_found_by_the_identifiers_that_they_are_about(old_on_each):
    old = old_on_each
    suggested = joins.suggestions(old.store)
    upgraded(old)

    drain(old.tenant, WORK)

    ids = ids_of(old.tenant)
    about = [set(one.identifiers) for one in joins.suggestions_about(old.store, [identified(EVE, ids).id])]
    assert [{ids(id) for id in one.identifiers} for one in suggested] == about
    assert about


@pytest.mark.mongo_in_soak
def test_the_record_of_actions_names_nobody_any_more_and_ends_as_before(old_on_each):
    old = old_on_each
    waiting = [one.id for one in everything(old.store) if one.subject.identifier]
    retried = {"step": "sync", "kind": "consent", "id": waiting[0]}
    old.write(lambda tx: audit.append(tx, "test", "work.retried", retried))
    head = audit.head_of(old.store)
    told = [(entry.action, entry.by, sorted(entry.about)) for entry, _ in audit.walk(old.store)]
    upgraded(old)

    drain(old.tenant, WORK)

    entries = [entry for entry, _ in audit.walk(old.store)]
    assert [(entry.action, entry.by, sorted(entry.about)) for entry in entries] == told
    assert audit.head_of(old.store) == head
    assert waiting
    assert not [entry for entry in entries for text in entry.about.values() if text in waiting]
    named_now = {entry.about["identifier"] for entry in entries if "identifier" in entry.about}
    assert named_now == {identified(who, ids_of(old.tenant)).id for who in (NEW, KNOWN_LATE, EVE)}


def test_at_each_moment_all_is_told_as_before_and_a_kill_in_between_loses_nothing(old, monkeypatch):
    monkeypatch.setattr(renaming, "PAGE", 2)
    told, before = shown(old), effects(old)
    upgraded(old)
    commits = 0

    while one_page(old):
        commits += 1
        assert shown(old) == told

    assert commits > 20
    assert names_left(old) == []
    assert effects(old) == before
    assert not rebuild(old.tenant, TENANT, apply=False)


def test_a_page_that_fails_in_its_commit_leaves_all_as_it_was_and_is_done_again(old, monkeypatch):
    monkeypatch.setattr(renaming, "PAGE", 2)
    upgraded(old)
    for _ in range(4):
        one_page(old)
    kept = {(kind, one.id, one.rev) for kind in TENANT for one in each(old.store, kind)}

    def dying(act):
        def dies(tx, records, ids):
            act(tx, records, ids)
            raise ZeroDivisionError

        return dies

    for stage, (kind, act) in renaming.STAGES.items():
        monkeypatch.setitem(renaming.STAGES, stage, (kind, dying(act)))
    with pytest.raises(ZeroDivisionError):
        one_page(old)

    assert {(kind, one.id, one.rev) for kind in TENANT for one in each(old.store, kind)} == kept


def test_two_processes_that_work_at_once_end_as_one_alone(old, url, monkeypatch):
    monkeypatch.setattr(renaming, "PAGE", 1)
    before, told = effects(old), shown(old)
    upgraded(old)
    other = open_store(url, clock=old.clock, secret=bytes(32))
    tenants = (old.tenant, replace(old.tenant, store=other, seen=Remembered(50_000)))

    def work(tenant):
        while tenant.store.get(*RENAMING) is not None:
            drain(tenant, WORK)

    threads = [threading.Thread(target=work, args=(tenant,)) for tenant in tenants]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()

    assert names_left(old) == []
    assert effects(old) == before
    assert shown(old) == told


def test_statements_that_arrive_meanwhile_are_matched_afterwards_for_the_persons_there_are(old, monkeypatch):
    monkeypatch.setattr(renaming, "PAGE", 2)
    persons = old.store.count("person")
    upgraded(old)
    work = Work(old.tenant, steps_of(("match", "evaluate")))
    for _ in range(9):
        one_page(old)
    old.send(statement("seven", ANN_ACCOUNT, timestamp="2026-11-19T10:00:00Z"))
    while work.turn() is None:
        pass
    waiting = {one.step: one.waiting for one in old.store.backlog()}

    drain(old.tenant, WORK)

    assert waiting["match"] == 1
    assert old.store.count("person") == persons
    assert "seven" not in str(names_left(old))
    assert names_left(old) == []
    assert not rebuild(old.tenant, TENANT, apply=False)


def test_what_an_identifier_agreed_to_meanwhile_reaches_its_person(old, monkeypatch):
    monkeypatch.setattr(renaming, "PAGE", 2)
    upgraded(old)
    one_page(old)
    service = next(iter(registry.services.everyone(old.store)))
    subject = Subject(identifier=identified(ANN_ACCOUNT, ids_of(old.tenant)).id)
    grant = Grant(subject, service.id, ("profiles:read",), "Why", "link", "test")
    old.write(lambda tx: give(tx, grant))
    drain(old.tenant, ("sync",))
    person = person_named(old.tenant, "https://vle.example|ann")
    assert list(of_subject(old.store, Subject(person=person))) == []

    drain(old.tenant, WORK)

    assert [one.scope for one in of_subject(old.store, Subject(person=person))] == ["profiles:read"]


def test_what_compares_statements_with_what_is_stored_waits_until_all_is_renamed(old):
    upgraded(old)

    for ask in (
        lambda: rebuild(old.tenant, TENANT, apply=False),
        lambda: look_at(old.tenant, current(old.store)),
    ):
        with pytest.raises(Refused, match="still being renamed; let lrs work finish first") as refused:
            ask()
        assert refused.value.status == 409

    drain(old.tenant, WORK)
    assert not rebuild(old.tenant, TENANT, apply=False)


def test_an_id_is_a_uuid_that_follows_from_the_tenants_secret_and_stays_itself(old):
    one, other = ids_of(replace(old.tenant, secrets=AFTER)), ids_of(replace(old.tenant, secrets=Secrets(b"s" * 32)))
    name = named(ANN)

    assert is_name(name)
    assert one(name) == "3bb41232-43d3-8124-b2cb-0979ef16078c"
    assert one(one(name)) == one(name) != other(name)
    assert ids_of(replace(old.tenant, secrets=BEFORE))(name) == name
    assert not is_name(one(name))


def test_a_step_is_not_claimed_until_it_is_ready(old):
    upgraded(old)

    assert [name for name in STEPS if STEPS[name].ready and not STEPS[name].ready(old.tenant)] == [
        "match",
        "evaluate",
        "list",
    ]
