"""The rule kernel on single statements: scores, anchors, trust and reasons."""

import msgspec
import pytest

from lrs.access import CONTENT_SOURCE
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.rules.rules import Rule, RuleCompetency, Ruleset, index_rules, matches
from lrs.competency.rules.scores import percent, shown
from lrs.competency.seen import Moment, Score, SeenStatement
from tests.competency.world import ASEPTIC, GOWNING, NOON, PASSED, micros, statement
from tests.rows import each_of

STORED = Moment(micros(NOON), "vle")


def seen(**parts):
    return msgspec.json.decode(msgspec.json.encode(statement("one", **parts)), type=SeenStatement)


def rule(**parts):
    given = {"match": "activity", "activity": GOWNING, "verbs": (PASSED,), "sources": ("vle",), **parts}
    return Rule(item="rule", version=1, competency="gown@1", level=1, **given)


def verdict(rule, seen, moment=STORED):
    return [match.reason or "counts" for match in matches(seen, moment, index_rules(Ruleset(1, (rule,))))]


@each_of(
    ("score", "scaled_range", "expected"),
    [
        ({"raw": 50, "min": 0, "max": 100, "scaled": 0.0}, (0.0, 1.0), 50),
        ({"raw": 7, "min": 2, "max": 12}, (0.0, 1.0), 50),
        ({"scaled": 0.57}, (0.0, 1.0), 57),
        ({"scaled": 0.0}, (-1.0, 1.0), 50),
        ({"scaled": 0.0}, (0.0, 1.0), 0),
        ({"raw": 50, "scaled": 0.8}, (0.0, 1.0), 80),
        ({"raw": 5, "min": 5, "max": 5, "scaled": 1}, (0.0, 1.0), 100),
        ({"raw": 50}, (0.0, 1.0), None),
        ({}, (0.0, 1.0), None),
    ],
)
def test_a_score_is_raw_within_min_and_max_first_then_scaled_in_the_source_s_range(score, scaled_range, expected):
    assert percent(msgspec.convert(score, Score), scaled_range) == expected


def test_a_shown_score_is_rounded_down():
    assert shown(percent(Score(scaled=0.799999))) == 79.99


def test_a_score_of_exactly_the_threshold_counts_although_binary_fractions_would_not():
    assert 0.57 * 100 < 57

    assert verdict(rule(threshold=57.0), seen(score={"scaled": 0.57})) == ["counts"]
    assert verdict(rule(threshold=33.3), seen(score={"scaled": 0.333})) == ["counts"]


def test_below_the_threshold_is_said_and_a_missing_score_is_unknown_not_a_failure():
    assert verdict(rule(threshold=80.0), seen(score={"scaled": 0.79})) == ["below threshold"]
    assert verdict(rule(threshold=80.0), seen(score={"raw": 90})) == ["no score"]
    assert verdict(rule(), seen(score={"raw": 90})) == ["counts"]


def test_a_source_the_rule_does_not_name_is_not_trusted_and_naming_none_trusts_none():
    assert verdict(rule(), seen(), Moment(STORED.stored, "browser")) == ["source not trusted"]
    assert verdict(rule(sources=()), seen()) == ["source not trusted"]


@pytest.mark.parametrize(
    "verb",
    [
        "http://id.tincanapi.com/verb/uncompleted",
        "https://xapi.edlm/profiles/edlm-lms/concepts/verbs/uncompleted",
    ],
)
def test_uncompleted_is_no_completion_in_moodles_older_words_and_in_those_of_today(verb):
    assert verdict(rule(verbs=(verb,)), seen(verb=verb)) == ["not completed"]


def test_the_authority_a_statement_claims_for_itself_is_never_trust():
    claimed = seen(authority={"account": {"homePage": "https://lrs.example", "name": "vle"}})

    assert verdict(rule(), claimed, Moment(STORED.stored, "browser")) == ["source not trusted"]


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"result": {"completion": False}}, "not completed"),
        ({"result": {"success": False}}, "not successful"),
        ({"actor": {"objectType": "Group", "member": [{"mbox": "mailto:a@example.org"}]}}, "actor is a group"),
        ({"timestamp": "2026-11-22T12:00:01Z"}, "in the future"),
        ({"timestamp": "2026-11-22T11:59:59Z"}, "counts"),
        ({"timestamp": "3026-11-22T11:59:59Z"}, "in the future"),
    ],
)
def test_each_reason_against_is_named(parts, reason):
    assert verdict(rule(), seen(**parts)) == [reason]


def test_attended_with_completion_false_is_an_absence():
    attended = "http://adlnet.gov/expapi/verbs/attended"

    assert verdict(rule(verbs=(attended,)), seen(verb=attended, result={"completion": False})) == ["not completed"]


@pytest.mark.parametrize("role", ["parent", "grouping", "category"])
@pytest.mark.parametrize("listed", [True, False])
def test_a_rule_finds_statements_by_what_surrounds_them_as_a_list_or_alone(role, listed):
    around = {"id": "https://vle.example/course"}
    one = seen(activity=ASEPTIC, context={"contextActivities": {role: [around] if listed else around}})

    assert verdict(rule(match=role, activity="https://vle.example/course"), one) == ["counts"]
    assert verdict(rule(match="activity", activity="https://vle.example/course"), one) == []


def test_a_rule_finds_statements_by_the_type_of_their_activity():
    one = seen(object={"id": ASEPTIC, "definition": {"type": "http://adlnet.gov/expapi/activities/assessment"}})

    assert verdict(rule(match="type", activity="http://adlnet.gov/expapi/activities/assessment"), one) == ["counts"]


ASSESSMENT = "http://adlnet.gov/expapi/activities/assessment"


@each_of(
    ("source", "outside", "type", "said"),
    [
        ("vle", (), "", "counts"),
        ("vle", (ASEPTIC,), "", "not about what was launched"),
        (f"{CONTENT_SOURCE} c1", (), ASSESSMENT, "counts"),
        (f"{CONTENT_SOURCE} c1", (ASEPTIC,), ASSESSMENT, "not about what was launched"),
        (f"{CONTENT_SOURCE} c1", (GOWNING,), ASSESSMENT, "counts"),
        (f"{CONTENT_SOURCE} c1", (), "", "not about what was launched"),
        (f"{CONTENT_SOURCE} c1", (), "http://adlnet.gov/expapi/activities/lesson", "not about what was launched"),
    ],
)
def test_a_rule_about_a_type_counts_what_was_launched_alone_and_of_content_the_type_of_its_package(
    source, outside, type, said
):
    one = seen(object={"id": ASEPTIC, "definition": {"type": ASSESSMENT}})
    moment = Moment(STORED.stored, source, outside=outside, type=type)

    assert verdict(rule(match="type", activity=ASSESSMENT, sources=(source,)), one, moment) == [said]


def test_another_verb_or_an_object_that_is_no_activity_matches_nothing():
    assert verdict(rule(), seen(verb="http://adlnet.gov/expapi/verbs/failed")) == []
    assert verdict(rule(), seen(object={"objectType": "StatementRef", "id": GOWNING})) == []


def test_a_rule_without_an_anchor_is_refused():
    with pytest.raises(ValueError, match="no anchor"):
        index_rules(Ruleset(1, (rule(activity=""),)))


def test_our_own_statements_match_nothing():
    assert verdict(rule(sources=("engraft",)), seen(), Moment(STORED.stored, "engraft")) == []


def test_a_competency_is_named_together_with_the_version_it_means():
    assert RuleCompetency("k7", "K7", "Cleanrooms", "urn:standard", 2, PRESETS["tiers"]).key == "k7@2"
