"""Statements from which nothing follows owe nothing, and what comes later finds them all the same."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha1
from pathlib import Path

import msgspec
import pytest

from lrs.competency import listed
from lrs.competency.evidence import evidence_from
from lrs.competency.rebuild import rebuild
from lrs.competency.rules import rulesets
from lrs.competency.rules.rules import index_rules
from lrs.competency.uncompletions import UNCOMPLETED
from lrs.composition.kinds import TENANT
from lrs.kernel.errors import Refused
from lrs.kernel.memo import Memo
from lrs.kernel.settings import Settings
from lrs.people import joins
from lrs.people.persons import unlearn
from lrs.storage import Record, each, open_store
from lrs.tenancy.tenants import open_tenant
from lrs.transfer import forwards
from lrs.xapi.statements.identity import SAME_PERSON
from lrs.xapi.statements.keys import activity_key, keys_of
from lrs.xapi.statements.write import store_in
from tests.competency.storing import ACTIVITIES, AT_ONCE, LEARNER, did, plan_of, store, write
from tests.competency.world import ANN_ACCOUNT, GOWNING, RULES, World
from tests.programs import until

READ = "https://vle.example/reading"
EXPERIENCED = "http://adlnet.gov/expapi/verbs/experienced"
LEAST_READS = 5
"""Records that storing one statement looks at if its learner is known: it, who awaits it, rules, learners, forwards."""
RULES_V1 = ("ruleset", "v1")
ROOT = Path(__file__).parents[2]


def owing(world):
    """The statements that owe ``match``."""
    claims = world.store.claim(["match"], limit=1_000, lease=60_000_000)
    world.store.release(claims)
    return {claim.record.id for claim in claims if claim.record.kind == "statement"}


def assert_nothing_is_missing(world):
    world.work()
    assert rebuild(world.tenant, TENANT, apply=False).lines() == []


def forget_learner(tx):
    (identifier,) = each(tx, "identifier")
    tx.delete("identifier", identifier.id)
    unlearn(tx)


@pytest.fixture
def known(world):
    """A world in which the learner is known, and nothing is owed."""
    store(world.tenant, did(READ))
    world.work()
    return world


def test_what_a_known_learner_did_that_no_rule_is_about_owes_nothing(known):
    ids = [store(known.tenant, did(READ), did(GOWNING, verb={"id": EXPERIENCED})) for _ in range(3)]

    assert owing(known) == set()
    assert known.store.count("statement") == 1 + 2 * len(ids)
    assert_nothing_is_missing(known)


TOUCHED = {
    "a rule": did(GOWNING),
    "another learner": did(READ, actor={"mbox": "mailto:bob@example.org"}),
    "another name": did(READ, actor=LEARNER | {"name": "Ann Other"}),
    "a group": did(READ, actor={"objectType": "Group", "member": [ANN_ACCOUNT]} | LEARNER),
    "a join": did(READ, context={"extensions": {SAME_PERSON: [ANN_ACCOUNT]}}),
    "a mark that is taken off": did(READ, verb={"id": min(UNCOMPLETED)}),
    "a reference": did(READ, object={"objectType": "StatementRef", "id": did(READ)["id"]}),
}


@pytest.mark.parametrize("why", TOUCHED)
def test_what_something_may_follow_from_is_owed_among_what_owes_nothing(known, why):
    store(known.tenant, did(READ))

    store(known.tenant, did(READ), TOUCHED[why], did(READ))

    assert owing(known) == {TOUCHED[why]["id"]}
    assert_nothing_is_missing(known)


def test_another_source_is_news_once(known):
    first = store(known.tenant, did(READ), source="centre")
    owed = owing(known)
    known.work()

    store(known.tenant, did(READ), source="centre")
    store(known.tenant, did(READ), source="centre")

    assert owed == set(first)
    assert owing(known) == set()


def test_a_statement_that_is_voided_as_it_comes_and_one_that_is_voided_later_are_owed(known):
    early, late = did(READ), did(READ)
    voiding = [
        did(READ, verb={"id": "http://adlnet.gov/expapi/verbs/voided"}, object={"objectType": "StatementRef", "id": id})
        for id in (early["id"], late["id"])
    ]
    store(known.tenant, late, voiding[0])
    known.work()

    store(known.tenant, early)
    store(known.tenant, voiding[1])

    assert owing(known) == {early["id"], late["id"], voiding[1]["id"]}
    assert_nothing_is_missing(known)


def test_a_mailbox_of_which_only_the_hash_was_known_is_news(world):
    hashed = {"mbox_sha1sum": sha1(LEARNER["mbox"].encode()).hexdigest(), "name": "Ann"}
    store(world.tenant, did(READ, actor=hashed))
    world.work()

    (id,) = store(world.tenant, did(READ))

    assert owing(world) == {id}


def test_who_is_parted_from_others_is_looked_up_again(known):
    store(known.tenant, did(READ, actor=ANN_ACCOUNT), did(READ))
    known.work()
    ann, account = known.person(LEARNER), known.person(ANN_ACCOUNT)
    known.write(lambda tx: joins.merge(tx, ann, account, "test"))
    store(known.tenant, did(READ))
    known.work()
    store(known.tenant, did(READ))
    assert owing(known) == set()

    known.write(lambda tx: joins.unmerge(tx, ann, "test"))
    (before,) = store(known.tenant, did(READ))

    assert owing(known) == {before}


def test_a_name_that_the_list_no_longer_has_is_news_again(known, monkeypatch):
    monkeypatch.setattr(listed, "_MOST_CALLED", 1)
    store(known.tenant, did(READ))
    store(known.tenant, did(READ, actor=LEARNER | {"name": "Ann Other"}))
    known.work()

    ids = store(known.tenant, did(READ))

    assert owing(known) == set(ids)


def test_a_learner_who_is_no_longer_there_is_new_again(known):
    store(known.tenant, did(READ))

    known.write(forget_learner)
    ids = store(known.tenant, did(READ))

    assert owing(known) == set(ids)


@pytest.mark.parametrize("review", [0, 24])
def test_rules_that_another_process_puts_in_force_are_seen_by_the_next_commit(known, tmp_path, review):
    """Both had nothing owed for the activity; the walk finds what came before, the commit what comes after."""
    row = f"{READ},passed,GOWN,1,,,vle\n"
    store(known.tenant, did(READ))
    there = open_store(f"sqlite:///{tmp_path / 'store.db'}", clock=known.clock, secret=bytes(32))
    other = World.of(replace(known.tenant, store=there), known.clock)
    try:
        other.apply(RULES + row, review)
        (after,) = store(known.tenant, did(READ))
        owed = owing(known)
        assert_nothing_is_missing(known)
        other.apply(RULES, review)
        (later,) = store(known.tenant, did(READ))
    finally:
        there.close()

    assert owed == {after}
    assert owing(known) == ({later} if review else set())
    assert_nothing_is_missing(known)


def test_a_statement_that_cannot_be_read_is_put_aside_once_a_rule_is_about_it(known):
    """It owed nothing: its verb was in no rule."""
    sent = did(READ, result={"score": {"raw": 1}})
    body = json.dumps(sent | {"result": {"score": {"raw": "one"}}}).encode()
    known.write(lambda tx: tx.insert(Record("statement", sent["id"], body, {"source": "vle"}, keys_of(sent))))

    known.apply(RULES + f"{READ},passed,GOWN,1,,,vle\n")
    known.work()

    assert [record.id for record, _ in known.store.parked("match")] == [sent["id"]]


def test_as_long_as_a_forward_rests_everything_owes_the_step_that_wakes_it(known):
    known.write(lambda tx: tx.insert(Record(*forwards.RESTING)))

    ids = store(known.tenant, did(READ))

    assert owing(known) == set(ids)


@pytest.mark.parametrize("rests", [False, True])
def test_what_was_found_by_a_decision_that_is_rolled_back_is_not_remembered(known, rests):
    """It saw a revision that another commit has later. *rests*: it runs again, and then is not asked."""
    plan = plan_of(known.tenant, did(READ))

    def roll_back(tx):
        unlearn(tx)
        store_in(tx, plan)
        raise Refused("rolled back")

    with pytest.raises(Refused, match="rolled back"):
        known.write(roll_back)
    if rests:
        known.write(lambda tx: tx.insert(Record(*forwards.RESTING)))
        write(known.tenant, plan)
        known.write(lambda tx: tx.delete(*forwards.RESTING))
        known.work()
    known.write(forget_learner)
    ids = store(known.tenant, did(READ))

    assert owing(known) == set(ids)


def test_the_commit_parses_no_rules_and_once_they_are_parsed_nothing_is_owed_again(known, monkeypatch):
    parsed_by, may_end = [], threading.Event()

    def index(ruleset):
        assert may_end.wait(60)
        parsed_by.append(threading.current_thread().name)
        return index_rules(ruleset)

    monkeypatch.setattr(rulesets, "index_rules", index)
    monkeypatch.setattr(rulesets, "_parsed", Memo())
    ids = {id for _ in range(2) for id in store(known.tenant, did(READ))}
    owed = owing(known)
    may_end.set()
    until(lambda: store(known.tenant, did(READ)) and rulesets.at_hand(known.store), "the rules to be parsed")
    known.work()
    store(known.tenant, did(READ))

    assert owed == ids
    assert owing(known) == set()
    assert parsed_by == ["rules_0"]


@pytest.mark.parametrize("damaged", [RULES_V1, rulesets.CURRENT])
def test_rules_that_cannot_be_read_stop_no_statement(known, monkeypatch, damaged):
    monkeypatch.setattr(rulesets, "_parsed", Memo())
    whole = known.store.get(*damaged)
    meta = whole.meta if damaged == RULES_V1 else {"version": 1}

    known.write(lambda tx: tx.replace(msgspec.structs.replace(whole, body=b'{"damaged"', meta=meta)))
    ids = store(known.tenant, did(READ))
    owed = owing(known)
    known.write(lambda tx: tx.replace(msgspec.structs.replace(whole, rev=tx.get(*damaged).rev)))
    known.work()
    store(known.tenant, did(READ))

    assert owed == set(ids)
    assert owing(known) == set()


def test_those_who_are_not_found_are_looked_up_more_and_more_seldom_and_again_once_they_are(world):
    plans = []
    for _ in range(200):
        plans.append(plan_of(world.tenant, did(READ)))
        write(world.tenant, plans[-1])
    looked_up = [len(plan.reads) > LEAST_READS for plan in plans]
    world.work()
    while True:
        (id,) = store(world.tenant, did(READ))
        if id not in owing(world):
            break

    assert looked_up[:6] == [True] * 6
    assert sum(looked_up) < 10


@contextmanager
def another_stores(data):
    """A process that stores into *data* until the block ends; killed then, or sooner."""
    command = [sys.executable, "-m", "tests.competency.storing", str(data)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def several_stored(world):
    before = world.store.count("statement")
    until(lambda: world.store.count("statement") > before + AT_ONCE, "the other process to store")


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("lives", "changes"), [(1, 3), pytest.param(5, 4, marks=pytest.mark.soak)])
def test_nothing_lacks_evidence_where_one_process_applies_rules_while_another_stores_and_is_killed(
    tmp_path, lives, changes
):
    tenant = open_tenant(Settings(data=tmp_path))
    world = World.of(tenant, tenant.clock)
    try:
        world.begin(RULES)
        store(tenant, did(ACTIVITIES[0]))
        world.work()
        for _ in range(lives):
            with another_stores(tmp_path):
                for change in range(changes):
                    several_stored(world)
                    named = ACTIVITIES[change % len(ACTIVITIES)]
                    world.apply(RULES + f"{named},passed,GOWN,1,,,vle\n")
                several_stored(world)
            assert tenant.store.count("statement") > sum(one.waiting for one in tenant.store.backlog())
            world.work()

        found = [one for one in map(evidence_from, each(tenant.store, "evidence")) if one.reason is None]
        assert len(found) == tenant.store.count("statement", [activity_key(named)])
        assert_nothing_is_missing(world)
    finally:
        tenant.store.close()
