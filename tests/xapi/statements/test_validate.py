"""Statements against the rules of xAPI: their parts, keys and types.

The numbers are those of the project's xAPI checklist, section 2.
"""

import json

import pytest

from lrs.xapi.statements.validate import check
from tests.rows import each_of
from tests.xapi.statements.examples import (
    ACTIVITY,
    AGENT,
    ATTACHMENT,
    GROUP,
    ID,
    IRI,
    REALISTIC,
    REF,
    REGISTRATION,
    accepted,
    both_versions,
    changed,
    in_both,
    refused,
    statement,
    substatement,
    with_everything,
)


@both_versions
def test_a_realistic_statement_is_accepted(version):
    check(json.loads(REALISTIC), version)


@both_versions
def test_the_smallest_statement_and_the_fullest_one_are_accepted(version):
    check(statement(), version)
    check(
        statement(
            id=ID,
            stored="2026-11-21T10:00:00Z",
            timestamp="2026-11-21T10:00:00+01:00",
            version="1.0.3",
            authority=AGENT,
            attachments=[ATTACHMENT],
            object=substatement(
                timestamp="2030-01-01T00:00:00Z",
                attachments=[ATTACHMENT],
                result={"extensions": {}},
                context={"statement": REF, "team": GROUP, "language": "de-AT", "revision": "1", "platform": "x"},
            ),
        ),
        version,
    )


@pytest.mark.parametrize("name", ["actor", "verb", "object"])
def test_a_statement_and_a_substatement_need_actor_verb_and_object(name):
    for value, before in in_both(statement()):
        target = value["object"] if before else value
        del target[name]
        assert f'"{name}"' in refused(value, before).message


@pytest.mark.parametrize("value", [None, [], "text", 1, True, [statement()]])
def test_anything_but_an_object_is_no_statement(value):
    refused(value, "")


# --- what the LRS sets ---


def test_line_12_what_the_lrs_sets_may_be_sent():
    accepted(statement(id=ID, stored="2026-11-21T10:00:00Z", timestamp="2026-11-21T10:00:00Z", version="1.0.0"))
    accepted(statement(authority={"objectType": "Group", "member": [AGENT, AGENT]}))


@each_of("name", ["id", "stored", "timestamp", "version", "authority"])
@each_of("value", [None, 1, True, [], {}, "", "should fail"])
def test_line_12_what_the_lrs_sets_must_be_right_if_it_is_sent(name, value):
    refused(statement(**{name: value}), f"/{name}")


# --- null, keys, types ---

PLACES_OF_NULL = [
    *(
        "/actor",
        "/verb",
        "/object",
        "/result",
        "/context",
        "/timestamp",
        "/attachments",
        "/id",
        "/stored",
        "/authority",
    ),
    *("/version", "/actor/name", "/actor/mbox", "/actor/account", "/actor/objectType", "/verb/id", "/verb/display"),
    *("/verb/display/en-US", "/object/id", "/object/objectType", "/object/definition", "/object/definition/name"),
    *("/object/definition/name/en", "/object/definition/description", "/object/definition/type"),
    *("/object/definition/moreInfo", "/object/definition/interactionType", "/object/definition/choices"),
    *("/object/definition/correctResponsesPattern", "/object/definition/extensions", "/result/score"),
    *("/result/score/raw", "/result/success", "/result/completion", "/result/response", "/result/duration"),
    *("/result/extensions", "/context/registration", "/context/instructor", "/context/team", "/context/revision"),
    *("/context/platform", "/context/language", "/context/statement", "/context/extensions"),
    *("/context/contextActivities", "/context/contextActivities/parent", "/attachments/0", "/attachments/0/fileUrl"),
]


@each_of("pointer", PLACES_OF_NULL)
def test_line_15_null_is_refused_wherever_it_stands(pointer):
    value = statement(attachments=[ATTACHMENT]) if pointer.startswith("/attachments/") else statement()

    broken = changed(value, pointer, None)

    assert "null" in refused(broken, pointer).message or pointer.endswith("objectType")


def test_line_15_null_in_lists_is_refused():
    activity = ACTIVITY | {"definition": {"interactionType": "choice", "correctResponsesPattern": [None]}}
    refused(statement(object=activity), "/object/definition/correctResponsesPattern/0")
    refused(statement(actor=GROUP | {"member": [AGENT, None]}), "/actor/member/1")
    refused(statement(context={"contextActivities": {"other": [None]}}), "/context/contextActivities/other/0")


@pytest.mark.parametrize("content", [None, "", {}, [], 0, False, {"null": None, "en": {"a b": [None]}}])
def test_line_15_anything_is_fine_inside_extensions(content):
    extensions = {IRI: content}
    value = statement(
        object=ACTIVITY | {"definition": {"extensions": extensions}},
        result={"extensions": extensions},
        context={"extensions": extensions},
    )
    for case, _ in in_both(value):
        accepted(case)


@pytest.mark.parametrize("holder", ["/object/definition", "/result", "/context"])
def test_line_15_extensions_may_be_empty_but_are_objects_with_iris_as_keys(holder):
    for value, before in in_both(statement()):
        pointer = f"{before}{holder}/extensions"
        accepted(changed(value, pointer, {}))
        refused(changed(value, pointer, []), pointer)
        refused(changed(value, pointer, {"plain": 1}), pointer + "/plain")
        refused(changed(value, pointer, {IRI: 1, "ab=c://should.fail.com": 1}), pointer + "/ab=c:~1~1should.fail.com")
        refused(changed(value, pointer, {"": 1}), pointer + "/")


OBJECTS_WITH_FIXED_KEYS = [
    *("", "/actor", "/actor/account", "/verb", "/object", "/object/definition", "/object/definition/choices/0"),
    *("/result", "/result/score", "/context", "/context/statement", "/context/contextActivities", "/context/team"),
    *("/context/contextActivities/parent/0", "/attachments/0", "/context/instructor", "/context/team/member/0"),
    *("/authority", "/context/contextActivities/parent/0/definition"),
]


@each_of("place", OBJECTS_WITH_FIXED_KEYS)
def test_line_16_unknown_keys_are_refused_in_every_object(place):
    accepted(with_everything())
    refused(changed(with_everything(), f"{place}/surplus", 1), f"{place}/surplus")


@each_of(
    ("pointer", "right"),
    [
        ("/Actor", "actor"),
        ("/iD", "id"),
        ("/timeStamp", "timestamp"),
        ("/attachmentS", "attachments"),
        ("/actor/Mbox", "mbox"),
        ("/actor/account/homepage", "homePage"),
        ("/verb/Display", "display"),
        ("/object/definition/moreinfo", "moreInfo"),
        ("/result/score/Raw", "raw"),
        ("/context/contextactivities", "contextActivities"),
        ("/context/contextActivities/Parent", "parent"),
        ("/attachments/0/fileURL", "fileUrl"),
    ],
)
def test_line_16_keys_in_the_wrong_case_are_refused_and_the_right_one_is_named(pointer, right):
    assert f'Write "{right}"' in refused(changed(with_everything(), pointer, 1), pointer).message


@each_of(
    ("pointer", "value"),
    [
        ("/actor/objectType", "agent"),
        ("/actor/objectType", "group"),
        ("/context/team/objectType", "group"),
        ("/object/objectType", "activity"),
        ("/object/objectType", "Statementref"),
        ("/context/statement/objectType", "statementRef"),
        *(
            ("/object/definition/interactionType", word)
            for word in (
                *("true-faLse", "choiCe", "fill-iN", "long-fiLl-in", "matchIng", "perfOrmance", "seqUencing", "liKert"),
                *("nUmeric", "Other", "", "should fail"),
            )
        ),
    ],
)
def test_line_16_words_of_a_fixed_list_are_case_sensitive(pointer, value):
    refused(changed(with_everything(), pointer, value), pointer)


@each_of(
    ("pointer", "value"),
    [
        ("/result/score/raw", "100"),
        ("/result/score/scaled", True),
        ("/result/score/min", False),
        ("/result/score/max", [1]),
        ("/result/success", "false"),
        ("/result/success", 0),
        ("/result/completion", "true"),
        ("/result/completion", 1),
        ("/result/response", 12345),
        ("/result/response", True),
        ("/result/duration", 5),
        ("/context/revision", 1),
        ("/context/platform", {}),
        ("/context/language", 1),
        ("/context/registration", 12345),
        ("/actor/name", 5),
        ("/actor/account/name", 5),
        ("/actor/account/homePage", 5),
        ("/verb", "http://adlnet.gov/expapi/verbs/completed"),
        ("/verb/id", 1),
        ("/verb/display", "completed"),
        ("/verb/display/en", 1),
        ("/verb/display/en", {"a": "b"}),
        ("/object", "https://example.com"),
        ("/object/definition", "text"),
        ("/object/definition/correctResponsesPattern", "a"),
        ("/object/definition/correctResponsesPattern/0", 1),
        ("/object/definition/choices", {"id": "a"}),
        ("/object/definition/choices/0", "a"),
        ("/object/definition/choices/0/id", 1),
        ("/context/contextActivities", []),
        ("/context/contextActivities/parent", IRI),
        ("/attachments", ATTACHMENT),
        ("/attachments/0", "text"),
        ("/attachments/0/length", "27"),
        ("/attachments/0/length", True),
        ("/attachments/0/length", 27.5),
        ("/attachments/0/contentType", 12345),
        ("/actor/objectType", 1),
        ("/actor/objectType", ["Agent"]),
        ("/object/objectType", ["Activity"]),
        ("/object/objectType", {}),
    ],
)
def test_line_17_nothing_is_converted(pointer, value):
    broken = with_everything()
    broken["object"]["definition"]["correctResponsesPattern"] = ["a"]
    refused(changed(broken, pointer, value), pointer)


def test_line_18_numbers_of_any_precision_are_accepted():
    accepted(statement(result={"score": {"scaled": 0.12123434, "raw": 45.45, "min": -1e300, "max": 10**300}}))


# --- formats at their places ---

UUID_PLACES = ["/id", "/context/registration", "/context/statement/id", "/object/id"]


@each_of("pointer", UUID_PLACES)
@each_of(
    "value", ["AA97B177-9383-4934-8543-0F91A7A028368", "MA97B177-9383-4934-8543-0F91A7A02836", "", "should fail", 1, {}]
)
def test_line_19_uuids_have_36_characters_at_every_place(pointer, value):
    good = statement(object=REF, context={"registration": REGISTRATION, "statement": REF}, id=ID)
    accepted(changed(good, pointer, "AA97B177-9383-4934-8543-0F91A7A02836"))
    refused(changed(good, pointer, value), pointer)


IRI_PLACES = [
    *("/verb/id", "/object/id", "/object/definition/type", "/object/definition/moreInfo", "/attachments/0/usageType"),
    *("/attachments/0/fileUrl", "/context/contextActivities/parent/0/id", "/actor/account/homePage"),
]


@each_of("pointer", IRI_PLACES)
@each_of("value", ["ab=c://should.fail.com", "should fail", "plain", "", "/relative", 1, {}])
def test_line_20_iris_need_a_scheme_at_every_place(pointer, value):
    accepted(changed(with_everything(), pointer, "urn:example:1"))
    refused(changed(with_everything(), pointer, value), pointer)


def test_line_20_iris_need_a_scheme_in_a_substatement_too():
    refused(statement(object=substatement(verb={"id": "plain"})), "/object/verb/id")
    refused(statement(object=substatement(object={"id": "ab=c://should.fail.com"})), "/object/object/id")
