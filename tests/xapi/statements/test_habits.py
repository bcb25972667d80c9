"""What known senders get wrong by habit: what is recognised, and the mend of each, written out."""

import json

import pytest

from lrs.kernel.errors import Refused
from lrs.xapi.statements.habits import HABITS, mended_text, recognised
from lrs.xapi.statements.validate import check
from tests.rows import each_of

ID = "37e0953c-fa85-5435-8c53-723909ab81d9"
PROBLEM = "http://lms.example/xblock/problem"
BARE = {
    "actor": {"account": {"homePage": "http://lms.example", "name": "32e08e30"}},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
    "object": {"id": PROBLEM},
}


def of(**parts):
    return {**BARE, **parts}


def parents(*activities):
    return {"contextActivities": {"parent": list(activities)}}


def within(statement):
    """A statement whose object is *statement*."""
    return of(object={"objectType": "SubStatement", **statement})


def seen(statement, version="1.0.3"):
    """The habits of *statement* and what it is after their mends; ``None`` if it is invalid otherwise."""
    with pytest.raises(Refused) as refused:
        check(statement, version)
    found = recognised(statement, refused.value, version, ID)
    if found is None:
        return None
    names, mended = found
    assert json.loads(mended_text(json.dumps(statement).encode(), names, ID)) == mended
    return list(names), mended


GROUP = {"objectType": "GroupActivity", "id": PROBLEM}
CASES = {
    "H5P, content without tasks": (
        of(result={"completion": True, "score": {"min": 0, "max": 0, "raw": 0}}),
        ["empty-score-range"],
        of(result={"completion": True}),
    ),
    "a problem of no weight": (
        of(result={"score": {"max": 0.0, "min": 0.0, "raw": 0.0, "scaled": 0.0}, "success": True}),
        ["empty-score-range"],
        of(result={"success": True}),
    ),
    "a group of problems as object": (
        of(object=GROUP),
        ["group-activity"],
        of(object={"objectType": "Activity", "id": PROBLEM}),
    ),
    "a group of problems around a problem": (
        of(context=parents(GROUP, {"id": "http://lms.example/course"})),
        ["group-activity"],
        of(context=parents({"objectType": "Activity", "id": PROBLEM}, {"id": "http://lms.example/course"})),
    ),
    "a special exam": (
        of(context=parents({"id": "438AD672-DE2C-4F0B-8876-35444E7DD746"})),
        ["no-iri"],
        of(context=parents({"id": "urn:uuid:438ad672-de2c-4f0b-8876-35444e7dd746"})),
    ),
    "another id without a scheme": (
        of(object={"id": "exam 1/2"}),
        ["no-iri"],
        of(object={"id": "https://w3id.org/engraft/activities/unnamed/exam%201%2F2"}),
    ),
    "no id": (
        of(object={"definition": {"name": {"en": "a problem"}}}),
        ["no-object-id"],
        of(
            object={
                "definition": {"name": {"en": "a problem"}},
                "id": f"https://w3id.org/engraft/activities/unnamed/{ID}",
            }
        ),
    ),
    "two habits at once": (
        of(object=GROUP, result={"score": {"min": 1, "max": 1}}),
        ["group-activity", "empty-score-range"],
        of(object={"objectType": "Activity", "id": PROBLEM}, result={}),
    ),
    "in a SubStatement": (
        within(of(result={"success": True, "score": {"min": 0, "max": 0}})),
        ["empty-score-range"],
        within(of(result={"success": True})),
    ),
}


@each_of("case", CASES)
@each_of("version", ["1.0.3", "2.0.0"])
def test_a_known_habit_is_recognised_and_its_mend_changes_nothing_else(case, version):
    sent, names, mended = CASES[case]

    assert seen(sent, version) == (names, mended)
    check(mended, version)


@each_of(
    "wrong",
    [
        of(verb={"id": "no-iri"}),
        of(object={"objectType": "StatementRef", "id": "no-iri"}),
        of(object={"id": ""}),
        of(object={"id": 7}),
        of(object={"objectType": "groupactivity", "id": PROBLEM}),
        of(actor={"objectType": "GroupActivity", "mbox": "mailto:a@example.org"}),
        of(result={"score": {"min": 1, "max": 0}}),
        of(result={"score": {"min": "0", "max": "0"}}),
        of(result={"score": 0}),
        of(result="passed"),
        of(object=PROBLEM),
        of(object={"objectType": "SubStatement", **BARE, "result": {"score": []}}),
        of(result={"score": {"min": 0, "max": 10, "raw": 11}}),
        of(object=GROUP, verb={"id": "no-iri"}),
        of(object=GROUP, zoe=1),
        of(object={"id": PROBLEM, "definition": {"type": "no-iri"}}),
        {"actor": BARE["actor"], "verb": BARE["verb"]},
        {**of(object=GROUP), "attachments": []},
        [],
        "text",
    ],
    ids=repr,
)
def test_whatever_else_is_wrong_is_no_habit(wrong):
    assert seen(wrong) is None


def test_what_a_mend_does_not_touch_keeps_its_text():
    text = (
        b'{"object":{"objectType":"GroupActivity","id":"http://a.example"},"x":1e2,'
        b'"result":{"score":{"raw":0.10}}, "verb":{"id":"http://v.example"}}'
    )

    mended = mended_text(text, ["group-activity"], ID)

    assert mended == (
        b'{"object":{"objectType":"Activity","id":"http://a.example"},"x":1e2,'
        b'"result":{"score":{"raw":0.10}},"verb":{"id":"http://v.example"}}'
    )


def test_a_mend_has_the_name_of_its_habit():
    assert list(HABITS) == ["group-activity", "no-iri", "empty-score-range", "no-object-id"]
