"""Why, and why not."""

from datetime import date

import pytest
from msgspec.structs import replace

from lrs.competency.ending import ending_of
from lrs.competency.explain import explain
from lrs.competency.rules.differences import why_former, why_in_review
from lrs.competency.rules.in_force import FormerRuleset, InForce
from lrs.competency.rules.rules import Rule, Ruleset, index_rules
from lrs.competency.shapes import AboutCompetency, Award, Level, LevelScale, Proof, RuleRef
from lrs.kernel.errors import Refused
from lrs.people.identifiers import ULN_HOME_PAGE
from lrs.people.joins import merge
from tests.competency.world import ANN, ANN_ACCOUNT, ASEPTIC, GOWNING, PASSED, RULES, statement, statement_id
from tests.rows import each_of

GOOD = {"raw": 90, "min": 0, "max": 100}
POOR = {"raw": 79, "min": 0, "max": 100}


def reasons(world, who="ann@example.org", competency=None):
    found = explain(world.tenant, who, competency)
    return [one.reason or "counts" for answer in found.answers for one in answer.evidence]


def test_an_award_is_explained_by_its_evidence_and_what_did_not_count_by_its_reason(world):
    world.send(statement("good"))
    world.send(statement("poor", score=POOR, timestamp="2026-11-19T10:00:00Z"))
    world.send(statement("browser", timestamp="2026-11-18T10:00:00Z"), source="browser-content")
    world.work()

    found = explain(world.tenant, "ann@example.org")

    (answer,) = found.answers
    assert (answer.code, answer.level, found.rules) == ("GOWN", "1 Awareness", 1)
    assert [(one["state"], one["held_from"]) for one in answer.awards] == [("held", date(2026, 11, 20))]
    assert [(one.statement, one.score, one.reason) for one in answer.evidence] == [
        (statement_id("browser"), 90.0, "source not trusted"),
        (statement_id("poor"), 79.0, "below threshold"),
        (statement_id("good"), 90.0, None),
    ]
    assert {(one.trusted, one.threshold) for one in answer.evidence} == {(("vle",), 80.0)}


@pytest.mark.parametrize("who", ["mailto:ann@example.org", "https://vle.example|ann"])
def test_a_merged_person_is_explained_under_each_of_its_identifiers(world, who):
    world.send(statement("one"))
    world.send(statement("two", ANN_ACCOUNT))
    world.work()
    one, other = world.person(ANN), world.person(ANN_ACCOUNT)
    world.write(lambda tx: merge(tx, one, other, "test"))
    world.work()

    assert reasons(world, who) == ["counts", "counts"]


YEAR = Rule("year", 1, "activity", "urn:a", (PASSED,), "gown@1", 1, valid_for="P1Y")
WINDOW = replace(YEAR, window="P1M")


def held(days, until):
    """An award of the rule ``YEAR``, proven by a result on each of *days*."""
    proofs = tuple(Proof(day, "vle", f"{day}T10:00:00Z") for day in days)
    level, about = Level("L1", "Awareness", 1), AboutCompetency("gown", "Gowning", "urn:f", 1, "GOWN")
    start = date.fromisoformat(days[0])
    return Award(
        1, "ann", about, level, LevelScale("s", "Scale", (level,)), start, until, "held", proofs, RuleRef("year", 1)
    )


@each_of(
    ("rule", "days", "until", "since"),
    [
        (YEAR, ["2026-01-10"], date(2027, 1, 10), date(2026, 1, 10)),
        (YEAR, ["2026-01-10", "2026-12-20"], date(2027, 12, 20), date(2026, 12, 20)),
        (WINDOW, ["2026-01-10", "2026-12-20"], date(2028, 1, 10), date(2027, 1, 10)),
        (WINDOW, ["2026-01-10", "2026-12-09"], date(2027, 12, 9), date(2026, 12, 9)),
        (YEAR, ["2026-01-10"], date(2027, 6, 30), None),  # another rule gave it
        (YEAR, ["2026-01-10"], None, None),
        (replace(YEAR, valid_for=None), ["2026-01-10"], None, None),
        (replace(YEAR, version=2), ["2026-01-10"], date(2027, 1, 10), None),
    ],
)
def test_why_an_award_ends_on_its_day_is_known_where_its_own_rule_and_evidence_give_that_day(rule, days, until, since):
    found = ending_of(held(days, until), InForce(index_rules(Ruleset(1, (rule,))), 1), "Europe/London")

    assert found == (None if since is None else (since, "P1Y"))


def test_the_end_of_an_award_is_explained_by_the_validity_of_its_rule(world):
    world.send(statement("aseptic", activity=ASEPTIC, timestamp="2026-11-20T10:00:00Z"))
    world.work()

    [award] = explain(world.tenant, "ann@example.org").answers[0].awards

    assert award["valid_until"] == date(2027, 11, 20)
    assert (award["valid_for"], award["valid_since"]) == ("P12M", date(2026, 11, 20))


def test_one_competency_can_be_asked_for(world):
    world.send(statement("one"))
    world.send(statement("two", activity=ASEPTIC))
    world.work()

    found = explain(world.tenant, "ann@example.org", "asep")

    assert [answer.code for answer in found.answers] == ["ASEP"]


def test_each_level_of_a_competency_is_explained_by_its_own_award(world):
    world.apply(RULES.replace("ASEP,2", "GOWN,2"))
    world.send(statement("one"))
    world.send(statement("two", activity=ASEPTIC, timestamp="2026-11-19T10:00:00Z"))
    world.work()

    found = explain(world.tenant, "ann@example.org")

    days = [(answer.level[0], [str(one["held_from"]) for one in answer.awards]) for answer in found.answers]
    assert days == [("1", ["2026-11-20"]), ("2", ["2026-11-19"])]


def test_an_instructor_who_turns_out_to_be_the_learner_is_self_assessment(world):
    world.send(statement("one", context={"instructor": ANN_ACCOUNT}))
    world.send(statement("hello", ANN_ACCOUNT, activity="urn:welcome"))
    world.work()
    assert (reasons(world), len(world.awards())) == (["counts"], 1)

    one, other = world.person(ANN), world.person(ANN_ACCOUNT)
    world.write(lambda tx: merge(tx, one, other, "test"))
    world.work()

    assert (reasons(world), world.awards()) == (["self-assessed"], [])


def test_each_member_of_a_group_can_see_why_the_group_s_pass_did_not_count(world):
    world.send(statement("one", {"objectType": "Group", "member": [ANN, ANN_ACCOUNT]}))
    world.work()

    assert reasons(world) == ["actor is a group"]
    assert reasons(world, "https://vle.example|ann") == ["actor is a group"]


def test_the_temporary_learner_number_identifies_nobody_and_the_report_says_so(world):
    world.send(statement("one", {"account": {"homePage": ULN_HOME_PAGE, "name": "9999999999"}}))
    world.work()

    assert world.all("person") == []
    assert reasons(world, "9999999999") == ["9999999999 is a temporary learner number and matches nobody"]
    assert explain(world.tenant, "9999999999").person is None


def test_somebody_never_heard_of_is_refused(world):
    with pytest.raises(Refused, match="nobody is known") as refusal:
        explain(world.tenant, "zoe@example.org")

    assert refusal.value.status == 404


def test_a_date_in_the_future_is_named(world):
    world.send(statement("one", timestamp="2027-11-20T10:00:00Z"))
    world.work()

    assert reasons(world) == ["in the future"]


def test_what_was_held_until_its_only_evidence_was_voided_is_still_explained(world):
    only = world.send(statement("only"))
    world.work()
    world.void(only)
    world.work()

    (answer,) = explain(world.tenant, "ann@example.org").answers

    assert (answer.code, answer.level, answer.evidence) == ("GOWN", "1 Awareness", ())
    assert [one["state"] for one in answer.awards] == ["withdrawn"]


@pytest.mark.parametrize("instructor", [{"name": "Team"}, {"mbox": "mailto:team@example.org"}])
def test_who_is_among_the_instructors_of_a_group_has_assessed_herself(world, instructor):
    tess = {"mbox": "mailto:tess@example.org"}
    world.send(statement("one", context={"instructor": {"objectType": "Group", "member": [tess, ANN], **instructor}}))
    world.send(statement("two", context={"instructor": {"objectType": "Group", "member": [tess], **instructor}}))
    world.work()

    found = explain(world.tenant, "ann@example.org").answers[0].evidence

    assert {one.statement: one.reason for one in found} == {
        statement_id("one"): "self-assessed",
        statement_id("two"): None,
    }


BEFORE = Rule("r", 1, "activity", GOWNING, (PASSED,), "gown@1", 1, 80.0, "P12M", "P1M", ("centre", "vle"))


@each_of(
    ("changed", "says"),
    [
        ({"sources": ("vle",)}, "trusts centre no longer"),
        ({"sources": ()}, "trusts centre, vle no longer"),
        ({"sources": ("centre", "other", "vle")}, "is another"),
        ({"threshold": None}, "asks for no score instead of 80 %"),
        ({"threshold": 82.5}, "asks for 82.5 % instead of 80 %"),
        ({"valid_for": None}, "is valid for ever instead of P12M"),
        ({"window": None}, "renews within no time instead of P1M"),
        ({"scaled_range": (-1.0, 1.0)}, "reads scaled scores by another range"),
        ({"competency": "gown@2"}, "is about a later version of the competency"),
        (
            {"threshold": 95.0, "valid_for": "P6M"},
            "asks for 95 % instead of 80 % and is valid for P6M instead of P12M",
        ),
    ],
)
def test_each_part_of_a_rule_that_was_changed_is_said(changed, says):
    former = FormerRuleset(1, index_rules(Ruleset(1, (BEFORE,))), replaced=9, until=9, by=2)
    rules = InForce(index_rules(Ruleset(2, (replace(BEFORE, version=2, **changed),))), 2, (former,))

    said = f"in rules version 2 the rule on {GOWNING} {says}"
    assert why_former(rules, RuleRef("r", 1)) == why_in_review(rules, ("gown@1", 1), 2) == said
    assert why_former(rules, RuleRef("r", 2)) is None
    assert why_in_review(rules, ("gown@1", 2), 2) == "rules version 2 no longer count its evidence"
