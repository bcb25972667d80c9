"""Who would gain and lose what, and whether that still holds when rules are put in force; on each engine."""

from dataclasses import replace
from datetime import date

import pytest

from lrs.competency import completion
from lrs.competency.frameworks.frameworks import keep, publish
from lrs.competency.rules.losses import PAGE, Changed, Swing, look_at, look_on, swings, swings_now, unchanged
from lrs.competency.rules.printed_swings import print_swings
from lrs.people.joins import merge
from lrs.tenancy import audit
from tests.competency.world import ANN, ANN_ACCOUNT, ASEPTIC, HOUR, RULES, SHEET, URI, World, statement

pytestmark = pytest.mark.mongo_in_soak

BOB = {"mbox": "mailto:bob@example.org"}
HARDER = RULES.replace(",80,", ",95,")
TODAY = date(2026, 11, 21)
UNCOMPLETED = min(completion.UNCOMPLETED)


@pytest.fixture
def world(store_url, tmp_path):
    world = World(tmp_path, url=store_url)
    yield world
    world.close()


def found(world, table):
    return swings(world.store, look_at(world.tenant, world.ruleset(table)))


def swing(*told, **more):
    """Two are alike whatever key their competency has: it is looked at by what asks for awards."""
    return Swing(*told, **more, competency="")


def loss(person, code="GOWN", label="Gowning", level=1, ends=None):
    return swing(person, code, label, level, gained=False, ends=ends)


def test_a_level_proven_by_another_rule_as_well_is_no_loss(world):
    both = RULES + "https://vle.example/exam,passed,GOWN,1,,,vle\n"
    world.apply(both)
    world.send(statement("one"))
    world.send(statement("two", BOB))
    world.send(statement("three", BOB, activity="https://vle.example/exam"))
    world.work()

    ann = world.person(ANN)

    assert found(world, both.replace(",80,", ",95,")) == [loss(ann)]


def test_a_rule_for_another_activity_that_was_passed_too_takes_the_place_of_the_old_one(world):
    world.send(statement("one"))
    world.send(statement("two", activity="https://vle.example/exam"))
    world.work()

    assert found(world, RULES.replace("vle.example/gowning", "vle.example/exam")) == []


def test_each_level_of_a_person_is_one_loss(world):
    world.apply(RULES + "https://vle.example/exam,passed,GOWN,2,,,vle\n")
    world.send(statement("one"))
    world.send(statement("two", activity="https://vle.example/exam"))
    world.work()
    ann = world.person(ANN)

    assert found(world, RULES.splitlines()[0] + "\n") == [loss(ann), loss(ann, level=2)]


def test_a_period_that_gets_shorter_is_a_loss_with_its_new_end_and_a_longer_one_is_none(world):
    world.send(statement("one", activity=ASEPTIC))
    world.work()
    ann = world.person(ANN)

    shorter = loss(ann, "ASEP", "Aseptic technique", 2, ends=date(2027, 5, 20))
    assert found(world, RULES.replace("P12M", "P6M")) == [shorter]
    gone = loss(ann, "ASEP", "Aseptic technique", 2)
    assert found(world, RULES.replace("P12M", "P1D")) == [loss(ann, "ASEP", "Aseptic technique", 2, date(2026, 11, 21))]
    world.clock.now += 24 * HOUR
    assert found(world, RULES.replace("P12M", "P1D")) == [gone]
    assert found(world, RULES.replace("P12M", "P24M")) == []
    assert found(world, RULES.replace("P12M", "")) == []


def test_a_level_without_an_end_that_would_get_one_is_a_loss(world):
    world.send(statement("one"))
    world.work()
    ann = world.person(ANN)

    assert found(world, RULES.replace(",80,,", ",80,P12M,")) == [loss(ann, ends=date(2027, 11, 20))]


def test_what_has_expired_is_no_loss(world):
    world.send(statement("one", activity=ASEPTIC, timestamp="2024-01-01T10:00:00Z"))
    world.work()

    assert found(world, RULES.splitlines()[0] + "\n") == []


def test_a_lower_level_is_a_loss_of_the_higher_and_a_gain(world):
    world.send(statement("one", activity=ASEPTIC))
    world.work()
    ann = world.person(ANN)

    assert found(world, RULES.replace("ASEP,2", "ASEP,1")) == [
        swing(ann, "ASEP", "Aseptic technique", 1, gained=True),
        loss(ann, "ASEP", "Aseptic technique", 2),
    ]


def test_a_competency_that_means_something_else_in_a_framework_s_next_version_is_lost_and_gained(world):
    world.send(statement("one"))
    world.work()
    renamed = world.framework(SHEET.replace("Gowning,GOWN", "Gowning and masks,GOWN"))
    world.write(lambda tx: keep(tx, renamed))
    world.write(lambda tx: publish(tx, URI, "test"))
    ann = world.person(ANN)

    assert found(world, RULES) == [loss(ann), swing(ann, "GOWN", "Gowning and masks", 1, gained=True)]


def test_what_is_in_review_already_is_no_loss_of_the_next_rules(world):
    world.send(statement("one"))
    world.send(statement("two", activity=ASEPTIC))
    world.work()
    world.apply(HARDER, review=24)
    ann = world.person(ANN)

    assert found(world, RULES.splitlines()[0] + "\n") == [loss(ann, "ASEP", "Aseptic technique", 2)]


def test_persons_who_are_one_are_asked_together(world):
    world.send(statement("one"))
    world.work()
    world.send(statement("two", ANN_ACCOUNT))
    world.work()
    one, other = world.person(ANN), world.person(ANN_ACCOUNT)
    world.write(lambda tx: merge(tx, one, other, "test"))

    assert found(world, HARDER) == [loss(one)]


def test_evidence_that_waits_to_be_matched_counts(world):
    world.send(statement("one"))

    (swing,) = found(world, HARDER)

    assert swing.gained is False


def _merged(world):
    world.write(lambda tx: merge(tx, world.person(ANN), world.person(BOB), "test"))


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda world: world.send(statement("further", BOB)),
        lambda world: world.send(statement("voiding", BOB, verb="http://adlnet.gov/expapi/verbs/voided")),
        _merged,
        lambda world: world.apply(RULES.replace("P12M", "P6M")),
        lambda world: world.send_all([statement(f"x{n}", BOB, activity="urn:x") for n in range(501)]),
        lambda world: world.send(statement("off", verb=UNCOMPLETED)),
        lambda world: world.write(lambda tx: [audit.append(tx, "test", "x", {}) for _ in range(PAGE + 1)]),
    ],
    ids=["evidence", "a void", "a merge", "other rules", "too much to look at", "a mark taken off", "too many acts"],
)
def test_what_may_have_changed_since_the_look_is_noticed(world, meanwhile):
    world.send(statement("one"))
    world.send(statement("two", BOB, activity="urn:x"))
    world.work()
    seen = look_at(world.tenant, world.ruleset(HARDER))
    world.write(lambda tx: unchanged(tx, seen, TODAY))

    meanwhile(world)

    with pytest.raises(Changed):
        world.write(lambda tx: unchanged(tx, seen, TODAY))


def test_what_no_rule_of_these_is_about_is_no_change_and_another_day_is(world):
    world.send(statement("one"))
    world.work()
    seen = look_at(world.tenant, world.ruleset(HARDER))

    world.send(statement("aseptic", activity=ASEPTIC))
    world.work()

    world.write(lambda tx: unchanged(tx, seen, TODAY))
    with pytest.raises(Changed):
        world.write(lambda tx: unchanged(tx, seen, date(2026, 11, 22)))


def test_evidence_that_comes_meanwhile_is_taken_in_without_looking_at_everything_again(world):
    world.send(statement("one"))
    world.work()
    ann = world.person(ANN)
    seen = look_at(world.tenant, world.ruleset(HARDER))
    before = swings(world.store, seen)
    world.send(statement("better", score={"raw": 97, "min": 0, "max": 100}))
    world.send(statement("two", BOB))
    world.work()
    bob = world.person(BOB)

    touched = look_on(world.tenant, seen)
    now = swings_now(world.store, seen, before, touched)
    nobody = look_on(world.tenant, seen)

    world.write(lambda tx: unchanged(tx, seen, TODAY))
    assert before == [loss(ann)]
    assert now == [loss(bob)]
    assert now == found(world, HARDER)
    assert (nobody, swings_now(world.store, seen, now, nobody)) == (set(), now)


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda world: world.apply(RULES.replace("P12M", "P6M")),
        _merged,
        lambda world: world.clock.set("2026-11-22T00:00:00Z"),
        lambda world: world.send(statement("voiding", BOB, verb="http://adlnet.gov/expapi/verbs/voided")),
        lambda world: world.send(statement("off", verb=UNCOMPLETED)),
        lambda world: world.write(lambda tx: [audit.append(tx, "test", "x", {}) for _ in range(PAGE + 1)]),
    ],
    ids=["rules", "persons", "the day", "a void", "a mark taken off", "too many acts to look at"],
)
def test_what_is_no_matter_of_evidence_alone_is_not_taken_in(world, meanwhile):
    world.send(statement("one"))
    world.send(statement("two", BOB))
    world.work()
    seen = look_at(world.tenant, world.ruleset(HARDER))

    meanwhile(world)

    with pytest.raises(Changed):
        look_on(world.tenant, seen)


def test_each_swing_is_printed_with_what_becomes_of_the_level(world, capsys):
    world.send(statement("one"))
    world.work()
    ann = world.person(ANN)
    world.apply(HARDER, review=24)
    world.work()
    (kept,) = found(world, RULES)
    new = swing(ann, "ASEP", "Aseptic technique", 2, gained=True)
    of_another_framework = replace(kept, competency="gowns-elsewhere@1")

    print_swings(
        world.tenant, [kept, of_another_framework, new, loss(ann), loss(ann, ends=date(2027, 5, 20))], err=False
    )

    who = f"{ann} (ann@example.org)"
    assert capsys.readouterr().out.splitlines() == [
        f"keeps  {who}  GOWN level 1 (Gowning)",
        f"gains  {who}  GOWN level 1 (Gowning)",
        f"gains  {who}  ASEP level 2 (Aseptic technique)",
        f"loses  {who}  GOWN level 1 (Gowning)",
        f"has shorter  {who}  GOWN level 1 (Gowning), until 2027-05-20",
    ]
