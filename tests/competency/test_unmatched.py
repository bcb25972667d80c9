"""What no rule is about, and what rules are about that never came."""

import json

import pytest

from lrs.competency.rules.rules import Ruleset, index_rules
from lrs.competency.rules.sightings import NeverSeen, never_seen
from lrs.competency.rules.unmatched import ATTEMPT, legible, unmatched, with_names
from lrs.storage import Record
from lrs.xapi.statements.definitions import side_records
from tests.competency.test_rules import rule
from tests.competency.world import ASEPTIC, GOWNING, PASSED, World, statement

FAILED = "http://adlnet.gov/expapi/verbs/failed"
QUIZ, COURSE = "https://vle.example/quiz", "https://vle.example/course"
INDEX = index_rules(Ruleset(1, (rule(),)))


def stored(*statements, **meta):
    return [Record("statement", one["id"], json.dumps(one).encode(), {"source": "vle", **meta}) for one in statements]


def found(*statements, index=INDEX, **meta):
    counted = unmatched(legible(stored(*statements, **meta)), index)
    return [(one.activity, one.verb, one.match, one.count, one.name, len(one.attempts)) for one in counted]


def about(activity, *, type=None, name=None, parents=(), verb=PASSED):
    one = statement(activity, activity=activity, verb=verb)
    one["object"]["definition"] = {
        **({"type": type} if type else {}),
        **({"name": {"en": name}} if name else {}),
    }
    return {**one, "context": {"contextActivities": {"parent": list(parents)}}} if parents else one


def attempt(number, *parents):
    return about(f"{QUIZ}/attempt/{number}", type=ATTEMPT, name=f"Attempt {number}", parents=parents)


def test_what_no_rule_is_about_is_counted_by_activity_and_verb():
    seen = [statement(name) for name in "ab"]
    other = [statement(name, verb=FAILED) for name in "cd"]

    assert found(*seen, *other, statement("e", activity=ASEPTIC)) == [
        (GOWNING, FAILED, "activity", 2, None, 0),
        (ASEPTIC, PASSED, "activity", 1, None, 0),
    ]


def test_attempts_stand_under_their_nearest_parent_that_is_no_attempt():
    quiz = {"id": QUIZ, "definition": {"name": {"de": "Kittel", "en-GB": "Gowning quiz"}}}
    inner = {"id": f"{QUIZ}/attempt/0", "definition": {"type": ATTEMPT}}

    assert found(attempt(1, quiz, {"id": COURSE}), attempt(1, quiz), attempt(2, inner, quiz)) == [
        (QUIZ, PASSED, "parent", 3, "Gowning quiz", 2)
    ]


def test_an_attempt_without_a_parent_stands_by_itself_and_so_does_what_is_no_attempt():
    module = about(f"{COURSE}/module", name="A module", parents=[{"id": COURSE}])

    assert found(attempt(1), module) == [
        (f"{COURSE}/module", PASSED, "activity", 1, "A module", 0),
        (f"{QUIZ}/attempt/1", PASSED, "activity", 1, "Attempt 1", 0),
    ]


def test_a_parent_that_stands_alone_is_no_list_in_what_was_stored_long_ago():
    one = attempt(1, {"id": QUIZ})
    one["context"]["contextActivities"]["parent"] = {"id": QUIZ}

    assert found(one) == [(QUIZ, PASSED, "parent", 1, None, 1)]


def test_attempts_at_what_a_rule_is_about_are_matched():
    index = index_rules(Ruleset(1, (rule(match="parent", activity=QUIZ),)))

    assert found(attempt(1, {"id": QUIZ}), index=index) == []


def test_what_is_voided_our_own_or_illegible_is_not_counted():
    broken = Record("statement", "broken", b'{"actor":', {"source": "vle"})

    assert found(about(ASEPTIC), voided="x") == []
    assert found(about(ASEPTIC), source="engraft") == []
    assert list(legible([broken])) == []


def test_a_name_may_be_odd_and_is_then_left_out():
    odd = about(ASEPTIC)
    odd["object"]["definition"]["name"] = {"en": 5}

    assert found(odd) == [(ASEPTIC, PASSED, "activity", 1, None, 0)]


@pytest.fixture
def world(tmp_path, store_url):
    made = World(tmp_path, url=store_url)
    yield made
    made.close()


def test_a_name_that_only_another_statement_told_is_found(world):
    for record in side_records(about(QUIZ, name="Told elsewhere")):
        world.write(lambda tx, record=record: tx.insert(record))
    nameless = unmatched(legible(stored(about(QUIZ))), INDEX)

    assert [one.name for one in with_names(world.store, nameless)] == ["Told elsewhere"]


def test_a_rule_of_each_role_is_seen_once_such_a_statement_came_from_its_source(world):
    kind = "https://vle.example/type"
    roles = {
        "activity": about(GOWNING),
        "type": about(f"{GOWNING}/1", type=kind),
        "parent": about(f"{GOWNING}/2", parents=[{"id": GOWNING}]),
        "grouping": {**about(f"{GOWNING}/3"), "context": {"contextActivities": {"grouping": [{"id": GOWNING}]}}},
        "category": {**about(f"{GOWNING}/4"), "context": {"contextActivities": {"category": [{"id": GOWNING}]}}},
    }
    for role, sent in roles.items():
        asked = rule(match=role, activity=kind if role == "type" else GOWNING)
        missing = [NeverSeen("vle", asked.activity, role, (PASSED,), partly=False)]
        assert never_seen(world.store, [asked]) == missing, role

        world.send(sent, source="centre")
        assert never_seen(world.store, [asked]) == missing, role

        world.send({**sent, "id": sent["id"].replace("-", "")}, source="vle")
        assert never_seen(world.store, [asked]) == [], role


def test_what_was_voided_or_sent_with_another_verb_was_not_seen(world):
    world.void(world.send(statement("one")))
    world.send(statement("two", verb=FAILED))
    world.send(statement("three", activity=ASEPTIC))

    asked = rule(verbs=(FAILED, PASSED))

    assert never_seen(world.store, [asked, asked]) == [NeverSeen("vle", GOWNING, "activity", (PASSED,), partly=True)]
