"""Applying rules: what a change touches is looked at again, in bounded pages, and nothing is lost by a kill."""

from hashlib import sha256

import msgspec
import pytest

from lrs.competency.evaluate import match
from lrs.competency.frameworks.frameworks import published
from lrs.competency.rules import rematch, rulesets
from lrs.competency.rules.applying import with_added
from lrs.competency.rules.mapping import KnownNames, ruleset_from_table
from lrs.competency.rules.rules import Rule, Ruleset
from lrs.competency.rules.rulesets import current, put
from lrs.kernel.errors import Refused
from lrs.storage import Record, Walk
from tests.competency.world import GOWNING, PASSED, RULES, World, statement

EASY = RULES.replace(",80,", ",50,")
WITHOUT_GOWNING = "\n".join(line for line in RULES.splitlines() if "gowning" not in line)


def test_a_lower_threshold_gives_the_award_to_whoever_was_below_it(world):
    world.send(statement("one", score={"raw": 60, "min": 0, "max": 100}))
    world.work()
    assert world.awards() == []

    world.apply(EASY)
    world.work()

    (award,) = world.awards()
    assert award["rule"]["version"] == 2
    assert world.store.find(Walk("rematch")).records == ()


def test_a_rule_that_is_gone_takes_its_evidence_and_its_awards_with_it(world):
    world.send(statement("one"))
    world.work()

    world.apply(WITHOUT_GOWNING)
    world.work()

    assert world.all("evidence") == []
    assert [award["state"] for award in world.all("award")] == ["withdrawn"]


class OneRulesetReader:
    """Reads two rules of one version, all of another tenant's."""

    def __init__(self, tenant: str) -> None:
        rules = tuple(Rule(f"{tenant}-{n}", 1, "activity", GOWNING, (PASSED,), "GOWN", 1) for n in range(2))
        body = msgspec.json.encode(Ruleset(1, rules))
        head = Record(*rulesets.CURRENT, meta={"version": 1, "digest": sha256(body).hexdigest()})
        self.records = {rulesets.CURRENT: head, ("ruleset", "v1"): Record("ruleset", "v1", body)}

    def get(self, kind, id):
        return self.records[kind, id]


def test_of_the_rules_of_many_tenants_those_used_least_lately_are_no_longer_in_memory(monkeypatch):
    monkeypatch.setattr("lrs.competency.rules.rulesets._parsed._most", 7)
    tenants = [OneRulesetReader(name) for name in "abc"]
    found = []

    for used in (0, 1, 0, 2):
        rulesets.in_force(tenants[used])
        found.append([rulesets.at_hand(tenants[index]) is not None for index in (1, 0, 2)])

    assert found == [[False, True, False], [True, True, False], [True, True, False], [False, True, True]]


def test_rules_come_to_statements_that_were_there_before_them(tmp_path):
    world = World(tmp_path, WITHOUT_GOWNING)
    world.send(statement("one"))
    world.work()
    assert world.all("evidence") == []

    world.apply(RULES)
    world.work()

    assert len(world.awards()) == 1
    world.close()


def test_rules_by_type_find_what_was_there_before(world):
    quiz = "http://adlnet.gov/expapi/activities/assessment"
    world.send(statement("one", object={"id": "urn:quiz", "definition": {"type": quiz}}))
    world.work()

    world.apply(f"activity,match,verb,competency,level,trusted source\n{quiz},type,passed,GOWN,2,vle\n")
    world.work()

    assert [award["level"]["ordinal"] for award in world.awards()] == [2]


def test_a_walk_over_many_statements_is_settled_page_by_page_and_survives_a_kill(world, monkeypatch):
    monkeypatch.setattr(rematch, "PAGE", 3)
    for n in range(10):
        world.send(statement(f"s{n}", score={"raw": 60, "min": 0, "max": 100}))
    world.work()
    world.apply(EASY)

    def claim():
        found = world.store.claim(["match"], limit=1, lease=60_000_000)
        return found or [one for one in [world.store.claim_lost(["match"], lease=60_000_000)] if one]

    pages = 0
    while claims := claim():
        if claims[0].record.kind == "rematch":
            pages += 1
        if pages != 2:
            match(world.tenant, claims)
        else:
            pages += 1
            world.clock.now += 60_000_001
    world.work()

    assert pages > 3
    assert [len(award["evidence"]) for award in world.awards()] == [10]


@pytest.mark.mongo_in_soak
def test_a_walk_over_large_statements_takes_no_more_at_once_than_may_be_asked_for(store_url, tmp_path, monkeypatch):
    monkeypatch.setattr("lrs.storage.records.PAGE_BYTES", 30_000)
    monkeypatch.setattr("lrs.storage.sizes.MOST_AT_ONCE", 60_000)
    world = World(tmp_path, url=store_url)
    large = {"extensions": {"https://vle.example/notes": "x" * 9_000}}
    for n in range(10):
        who = {"mbox": f"mailto:learner{n}@example.org"}
        world.send(statement(f"s{n}", who, activity="https://vle.example/other", context=large))
    world.work()

    world.apply(RULES + "https://vle.example/other,passed,ASEP,1,,,vle\n")
    world.work()

    assert len(world.awards()) == 10
    assert world.store.find(Walk("rematch")).records == ()
    world.close()


def test_a_rule_that_came_back_keeps_the_evidence_the_older_walk_would_take(world):
    world.send(statement("one"))
    world.work()
    world.apply(WITHOUT_GOWNING)
    (slow,) = world.store.claim(["match"], limit=10, lease=60_000_000)
    world.apply(RULES)
    world.work()
    assert len(world.awards()) == 1

    match(world.tenant, [slow])
    world.work()

    assert len(world.awards()) == 1
    assert len(world.all("evidence")) == 1


def test_a_rule_that_is_added_to_others_during_its_review_is_the_one_that_it_was(world):
    before = current(world.store).rules
    world.apply(WITHOUT_GOWNING, review=1)

    added = with_added(world.tenant, RULES.encode())

    assert len(current(world.store).rules) == 1
    assert set(added.ruleset.rules) == set(before)


def test_applying_the_same_table_again_owes_nothing(world):
    world.work()

    world.apply(RULES)

    assert current(world.store).version == 1
    assert world.store.backlog() == []


def test_rules_made_on_top_of_an_older_set_are_refused(world):
    older, _ = ruleset_from_table(EASY.encode(), KnownNames(published(world.store)), current(world.store))
    world.apply(WITHOUT_GOWNING)

    with pytest.raises(Refused, match="meanwhile"):
        world.write(lambda tx: put(tx, older, "test"))


def test_a_match_made_with_rules_that_changed_meanwhile_is_made_again(world, monkeypatch):
    sent = world.send(statement("one"))
    claims = world.store.claim(["match"], limit=10, lease=60_000_000)
    settle, calls = world.store.settle, []

    def settle_late(given, decide, **more):
        if not calls:
            world.apply(WITHOUT_GOWNING)
        calls.append(1)
        return settle(given, decide, **more)

    monkeypatch.setattr(world.store, "settle", settle_late)
    match(world.tenant, [claim for claim in claims if claim.record.id == sent])

    assert len(calls) == 2
    assert world.all("evidence") == []


def test_every_rule_set_that_was_in_force_is_kept(world):
    world.apply(EASY)

    kept = [msgspec.json.decode(world.store.get("ruleset", f"v{n}").body) for n in (1, 2)]
    assert [one["rules"][0]["threshold"] for one in kept] == [80.0, 50.0]
    assert GOWNING in {rule["activity"] for rule in kept[0]["rules"]}
