"""What rules alone take away stays held, in review, until a time in the rule set's own record; on each engine."""

import pytest

from badges.issuing.issue import issue
from lrs.competency.evaluate import match
from lrs.competency.explain import explain
from lrs.competency.frameworks.frameworks import keep, publish
from lrs.competency.rebuild import rebuild
from lrs.competency.rules.rulesets import applied
from lrs.composition.kinds import TENANT
from lrs.kernel.errors import Refused
from lrs.people.joins import merge, unmerge
from lrs.storage import Owed, Walk
from tests.competency.world import ANN, ANN_ACCOUNT, ASEPTIC, GOWNING, HOUR, RULES, SHEET, URI, World, statement

pytestmark = pytest.mark.mongo_in_soak
BOB = {"mbox": "mailto:bob@example.org"}
WITHOUT_GOWNING = "\n".join(line for line in RULES.splitlines() if "gowning" not in line)
HARDER = RULES.replace(",80,", ",95,")
SHORTER = RULES.replace("P12M", "P6M")
DAY = 24


@pytest.fixture
def world(store_url, tmp_path):
    world = World(tmp_path, url=store_url)
    yield world
    world.close()


@pytest.fixture
def held(world):
    """Ann holds gowning, and has her badge."""
    world.send(statement("one"))
    done(world)
    return world


def done(world):
    """All that is due now is done, and a rebuild finds nothing different."""
    world.work()
    for _ in range(2):
        if claims := world.store.claim(["issue"], limit=100, lease=60_000_000):
            issue(world.tenant, claims)
    assert rebuild(world.tenant, TENANT, apply=True).lines() == []


def awards(world):
    """State, first and last day, and the rules in whose review it is."""
    return sorted(
        (
            one["competency"]["code"],
            one["state"],
            one["held_from"],
            one["valid_until"],
            one.get("review", {}).get("rules"),
        )
        for one in world.all("award")
    )


def badges(world):
    """All that is known of badges: their bytes, state and place, and the places taken."""
    return [
        (record.id, record.body, dict(record.meta))
        for kind in ("credential", "status", "status-list")
        for record in world.store.find(Walk(kind, limit=100)).records
    ]


def states(world):
    return [record.meta["state"] for record in world.store.find(Walk("credential", limit=100)).records]


def profile(world, person=None):
    (found,) = [one for one in world.all("profile") if one["person"] == (person or world.person(ANN))]
    return [(one["competency"]["code"], one["level"]["ordinal"], one["state"]) for one in found["competencies"]]


IN_REVIEW = [("GOWN", "held", "2026-11-20", None, 2)]
WITHDRAWN = [("GOWN", "withdrawn", "2026-11-20", None, None)]
HELD = [("GOWN", "held", "2026-11-20", None, None)]


@pytest.mark.parametrize("rules", [WITHOUT_GOWNING, HARDER, RULES.replace("vle\n", "centre\n", 1)])
def test_a_level_that_rules_take_away_is_held_with_its_badge_until_the_review_ends_and_then_withdrawn(held, rules):
    before, shown = badges(held), profile(held)

    held.apply(rules, review=DAY)
    done(held)
    in_review = (awards(held), badges(held), profile(held))
    held.clock.now = applied(held.store)[-1].until - 1_000
    done(held)
    at_the_end = (awards(held), badges(held), profile(held))
    held.clock.now = applied(held.store)[-1].until
    done(held)

    assert in_review == at_the_end == (IN_REVIEW, before, shown)
    assert (awards(held), states(held), profile(held)) == (WITHDRAWN, ["revoked"], [])


def test_the_end_of_the_review_stands_in_the_rule_set_and_not_in_a_setting(held):
    held.apply(WITHOUT_GOWNING, review=DAY)

    one = applied(held.store)[-1]

    assert one.until == one.at + DAY * HOUR
    done(held)
    (award,) = held.all("award")
    assert award["review"] == {"until": one.until, "rules": 2}


def test_rules_restored_during_a_review_bring_back_the_level_with_the_very_same_badge(held):
    before, award = badges(held), held.all("award")

    held.apply(WITHOUT_GOWNING, review=DAY)
    done(held)
    held.restore(1, review=DAY)
    done(held)
    held.clock.now += 3 * DAY * HOUR
    done(held)

    assert (badges(held), held.all("award")) == (before, award)


def test_days_that_other_rules_gave_before_those_of_a_level_go_with_their_review_and_the_level_stays(world):
    world.send(statement("early", score={"raw": 60, "min": 0, "max": 100}, timestamp="2026-11-19T10:00:00Z"))
    world.send(statement("one"))
    done(world)
    before = world.awards()

    world.apply(RULES.replace(",80,,", ",50,P1M,"), review=DAY)
    done(world)
    world.restore(1, review=DAY)
    done(world)
    assert awards(world) == [("GOWN", "held", "2026-11-19", None, 3)]

    world.clock.now += 25 * HOUR
    done(world)
    assert world.awards() == before


def test_the_same_table_applied_again_during_a_review_costs_no_badge_either(held):
    before, award = badges(held), held.all("award")

    held.apply(HARDER, review=DAY)
    done(held)
    held.apply(RULES, review=DAY)
    done(held)
    held.clock.now += 3 * DAY * HOUR
    done(held)

    assert (badges(held), held.all("award")) == (before, award)


def test_rules_restored_after_the_review_give_the_level_back_with_a_badge_in_a_new_place(held):
    held.apply(WITHOUT_GOWNING, review=DAY)
    done(held)
    held.clock.now += 2 * DAY * HOUR
    done(held)

    held.restore(1, review=DAY)
    done(held)

    assert (awards(held), states(held)) == (HELD, ["issued"])
    assert len(held.store.find(Walk("status")).records) == 2


def test_a_review_ends_although_nobody_was_evaluated_in_between(held):
    held.apply(WITHOUT_GOWNING, review=DAY)
    held.clock.now += 2 * DAY * HOUR

    done(held)

    assert (awards(held), states(held)) == (WITHDRAWN, ["revoked"])


def test_a_worker_that_dies_at_the_end_of_a_review_ends_it_later(held):
    held.apply(WITHOUT_GOWNING, review=DAY)
    done(held)
    held.clock.now += DAY * HOUR
    assert len(held.store.claim(["evaluate"], limit=10, lease=60_000_000)) == 1
    assert held.work() == 0

    held.clock.now += 60_000_001
    done(held)

    assert awards(held) == WITHDRAWN


def test_evidence_that_is_voided_during_a_review_withdraws_the_level_at_once(world):
    sent = world.send(statement("one"))
    done(world)
    world.apply(WITHOUT_GOWNING, review=DAY)
    done(world)

    world.void(sent)
    done(world)

    assert (awards(world), states(world)) == (WITHDRAWN, ["revoked"])


def test_what_comes_during_a_review_is_no_evidence_by_the_rules_that_are_gone(held):
    held.apply(WITHOUT_GOWNING, review=DAY)
    held.send(statement("late"))
    held.send(statement("new", BOB))
    done(held)

    (award,) = held.all("award")
    assert (award["person"], len(award["evidence"])) == (held.person(ANN), 1)
    assert len(held.all("evidence")) == 1


def test_who_was_never_awarded_before_the_rules_changed_is_not_awarded_by_them_after(held):
    held.send(statement("waiting", BOB))
    held.apply(WITHOUT_GOWNING, review=DAY)

    done(held)

    assert {award["person"] for award in held.all("award")} == {held.person(ANN)}


def test_of_two_changes_within_one_review_each_loss_keeps_its_own_time(world):
    world.send(statement("one"))
    world.send(statement("two", activity=ASEPTIC))
    done(world)
    gone = "activity,verb,competency,level,trusted source\n"

    world.apply(WITHOUT_GOWNING, review=DAY)
    world.clock.now += 10 * HOUR
    world.apply(gone, review=DAY)
    done(world)
    both = awards(world)
    world.clock.now += 14 * HOUR
    done(world)
    second = awards(world)
    world.clock.now += 10 * HOUR
    done(world)

    aseptic = ("ASEP", "held", "2026-11-20", "2027-11-20", 3)
    assert both == [aseptic, *IN_REVIEW]
    assert second == [aseptic, *WITHDRAWN]
    assert awards(world) == [("ASEP", "withdrawn", "2026-11-20", "2027-11-20", None), *WITHDRAWN]


def test_a_validity_that_gets_shorter_ends_the_period_earlier_only_after_the_review(world):
    world.send(statement("one", activity=ASEPTIC))
    done(world)
    before = badges(world)

    world.apply(SHORTER, review=DAY)
    done(world)
    in_review = (awards(world), badges(world))
    world.clock.now += DAY * HOUR
    done(world)

    assert in_review == ([("ASEP", "held", "2026-11-20", "2027-11-20", 2)], before)
    assert awards(world) == [("ASEP", "held", "2026-11-20", "2027-05-20", None)]
    assert len(world.store.find(Walk("status")).records) == 2


def test_a_validity_that_gets_longer_is_no_loss(world):
    world.send(statement("one", activity=ASEPTIC))
    done(world)

    world.apply(RULES.replace("P12M", "P24M"), review=DAY)
    done(world)

    assert awards(world) == [("ASEP", "held", "2026-11-20", "2028-11-20", None)]


def test_a_level_that_is_lowered_shows_the_higher_one_until_the_review_ends(world):
    high = RULES.replace("passed,GOWN,1", "passed,GOWN,2")
    world.apply(high)
    world.send(statement("one"))
    done(world)

    world.apply(RULES, review=DAY)
    done(world)
    in_review = profile(world)
    world.clock.now += DAY * HOUR
    done(world)

    assert (in_review, profile(world)) == ([("GOWN", 2, "held")], [("GOWN", 1, "held")])


def test_a_level_that_expires_during_a_review_has_expired(world):
    world.send(statement("one", activity=ASEPTIC, timestamp="2025-11-21T10:00:00Z"))
    done(world)

    world.apply(RULES.splitlines()[0] + "\n", review=7 * DAY)
    done(world)
    world.clock.now += DAY * HOUR
    done(world)
    assert awards(world) == [("ASEP", "expired", "2025-11-21", "2026-11-21", 2)]
    world.clock.now += 7 * DAY * HOUR
    done(world)

    assert awards(world) == [("ASEP", "withdrawn", "2025-11-21", "2026-11-21", None)]


def test_persons_merged_and_parted_during_a_review_keep_what_each_was_awarded(held):
    held.send(statement("hello", ANN_ACCOUNT, activity=ASEPTIC))
    done(held)
    held.apply(WITHOUT_GOWNING, review=DAY)
    done(held)
    one, other = held.person(ANN), held.person(ANN_ACCOUNT)

    held.write(lambda tx: merge(tx, one, other, "test"))
    done(held)
    merged = profile(held, one)
    held.write(lambda tx: unmerge(tx, other, "test"))
    done(held)

    assert sorted(merged) == [("ASEP", 2, "held"), ("GOWN", 1, "held")]
    assert (profile(held, one), profile(held, other)) == ([("GOWN", 1, "held")], [("ASEP", 2, "held")])
    held.clock.now += DAY * HOUR
    done(held)
    assert (profile(held, one), profile(held, other)) == ([], [("ASEP", 2, "held")])


def test_without_a_review_a_level_goes_at_once(held):
    held.apply(WITHOUT_GOWNING)
    done(held)

    assert (awards(held), states(held)) == (WITHDRAWN, ["revoked"])


def test_explaining_says_until_when_and_because_of_which_rules(held):
    held.apply(HARDER, review=DAY)
    done(held)

    (answer,) = explain(held.tenant, "ann@example.org").answers

    assert [(one["state"], one["because"]) for one in answer.awards] == [
        ("in review", f"in rules version 2 the rule on {GOWNING} asks for 95 % instead of 80 %")
    ]
    assert [one.reason for one in answer.evidence] == ["below threshold"]


def test_explaining_evidence_of_a_rule_that_is_gone_says_so(held):
    held.apply(WITHOUT_GOWNING, review=DAY)
    done(held)

    (answer,) = explain(held.tenant, "ann@example.org").answers

    gone = f"rules version 2 no longer has the rule on {GOWNING}"
    assert [(one["state"], one["because"]) for one in answer.awards] == [("in review", gone)]
    assert [one.reason for one in answer.evidence] == [gone]


def test_of_two_meanings_of_a_skill_at_one_level_the_profile_names_the_one_that_is_not_in_review(held):
    renamed = held.framework(SHEET.replace("Gowning,GOWN", "Gowning and masks,GOWN"))
    held.write(lambda tx: keep(tx, renamed))
    held.write(lambda tx: publish(tx, URI, "test"))
    held.apply(RULES, review=DAY)
    done(held)

    (entry,) = held.all("profile")[0]["competencies"]
    in_review = {one["competency"]["label"]: "review" in one for one in held.awards()}

    assert in_review == {"Gowning": True, "Gowning and masks": False}
    assert (entry["competency"]["label"], entry.get("review")) == ("Gowning and masks", None)


def test_twenty_changes_may_be_in_review_and_one_more_is_refused(held):
    for threshold in range(60, 80):
        held.apply(RULES.replace(",80,", f",{threshold},"), review=DAY)

    with pytest.raises(Refused, match="20 changes of rules are in review already"):
        held.apply(HARDER, review=DAY)
    held.clock.now += DAY * HOUR
    held.apply(HARDER, review=DAY)


def test_the_rule_set_of_a_store_from_before_reviews_is_reviewed_too(held):
    def strip(tx):
        for id in ("v1", "current"):
            record = tx.get("ruleset", id)
            meta = {name: record.meta[name] for name in ("version", "digest")}
            tx.replace(type(record)(record.kind, id, record.body, meta, rev=record.rev, seq=record.seq))

    held.write(strip)

    held.apply(WITHOUT_GOWNING, review=DAY)
    done(held)

    assert awards(held) == IN_REVIEW
    assert [(one.ruleset.version, one.until is None) for one in applied(held.store)] == [(1, True), (2, False)]


def test_what_came_after_a_former_rule_set_goes_with_the_rules_that_counted_it_last(held):
    """Found by any history: the rule on gowning is in both tables, the review only of the first change."""
    held.apply("\n".join(line for line in RULES.splitlines() if "aseptic" not in line), review=DAY)
    held.send(statement("between", timestamp="2026-11-19T10:00:00Z"))
    done(held)
    assert awards(held) == [("GOWN", "held", "2026-11-19", None, None)]

    held.apply(RULES.splitlines()[0] + "\n")
    done(held)

    assert len(held.all("evidence")) == 1
    assert awards(held) == [("GOWN", "held", "2026-11-20", None, 2)]


def test_what_a_review_ended_does_not_come_back_while_the_walk_of_a_later_change_is_on_its_way(held):
    held.apply(HARDER, review=DAY)
    done(held)
    held.clock.now = applied(held.store)[-1].until
    done(held)
    before = badges(held)

    held.apply(HARDER + "https://vle.example/other,passed,GOWN,2,80,,vle\n", review=DAY)
    held.write(lambda tx: tx.owe("person", held.person(ANN), Owed("evaluate")))
    held.work("evaluate")

    assert awards(held) == WITHDRAWN
    done(held)
    assert (awards(held), badges(held)) == (WITHDRAWN, before)


EXAM = RULES.replace("vle.example/gowning", "vle.example/exam")


@pytest.mark.parametrize(
    ("rules", "signed"),
    [
        (RULES.replace(",80,", ",85,"), (1, True)),
        (RULES.replace(",80,,", ",80,P99Y,"), (2, False)),  # the badge promised more
        (EXAM, (2, True)),  # it names other evidence
    ],
)
def test_a_level_that_both_rules_give_is_held_all_the_while_statements_are_read_again_without_a_review(
    held, rules, signed
):
    held.send(statement("exam", activity="https://vle.example/exam"))
    done(held)
    (before,) = held.store.find(Walk("credential", limit=100)).records

    held.apply(rules)
    held.write(lambda tx: tx.owe("person", held.person(ANN), Owed("evaluate")))
    held.work("evaluate")
    seen = [one["state"] for one in held.all("award")]
    while claims := held.store.claim(["match"], limit=1, lease=60_000_000):
        match(held.tenant, claims)
        held.work("evaluate")
        seen += [one["state"] for one in held.all("award")]
    done(held)

    (badge,) = held.store.find(Walk("credential", limit=100)).records
    assert set(seen) == {"held"}
    assert (badge.rev, badge.meta["index"] == before.meta["index"]) == signed
