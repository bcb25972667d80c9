"""Of whom, of when and of what launched content may speak, and what of it proves something."""

import json
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from adapters.lms.courses.structure import AssignableUnit, Block, Structure
from adapters.lms.sessions.reach import faults, outside, trial_mark
from adapters.lms.sessions.session import LaunchSession
from lrs.competency.evidence import meaning_of
from lrs.competency.rules.rules import Rule, judge
from lrs.competency.rules.rulesets import in_force
from lrs.competency.seen import look, moment_of
from lrs.competency.uncompletions import uncompletions_in
from lrs.kernel.names import name
from lrs.kernel.times import HOUR, MINUTE, micros_of_timestamp
from lrs.people.ids import ids_of
from lrs.xapi.statements.identity import SAME_PERSON
from tests.adapters.lms.launched import VERBS, learner, verbs_of
from tests.adapters.lms.made import block, structure, unit
from tests.rows import each_of
from tests.served import new_id

COURSE, EASY, EXAM = "https://p.example/c", "https://p.example/c/easy", "https://p.example/c/exam"
FIRST, SECOND = "https://p.example/block-1", "https://p.example/block-2"
UNCOMPLETED = "https://xapi.edlm/profiles/edlm-lms/concepts/verbs/uncompleted"
OTHER, RECIPE, OWN = "https://other.example/exam", "https://recipe.example/1", "https://publisher.example/reach"
WHOLE = [FIRST, COURSE, EASY, "urn:us:block-1", "urn:us:course", "urn:us:easy"]
LAUNCHED = micros_of_timestamp("2026-11-18T11:00:00Z")


def made_unit(id, activity):
    return AssignableUnit(id, {}, {}, "index.html", activity)


STRUCTURE = Structure(
    COURSE,
    {},
    {},
    (
        Block(FIRST, {}, {}, (made_unit(EASY, "urn:us:easy"),), "urn:us:block-1"),
        Block(SECOND, {}, {}, (made_unit(EXAM, "urn:us:exam"),), "urn:us:block-2"),
    ),
    "urn:us:course",
)
SESSION = LaunchSession(
    id="22222222-2222-4222-8222-222222222222",
    number=1,
    registration="11111111-1111-4111-8111-111111111111",
    course="1",
    index=0,
    activity="urn:us:easy",
    actor={"account": {"homePage": "https://lms.example", "name": "ann"}},
    template={"contextActivities": {"grouping": [{"id": EASY}]}, "extensions": {}},
    mode="Normal",
    move_on="Passed",
    fetch="",
    launched=LAUNCHED,
    last=LAUNCHED,
)
CMI5 = {"id": "https://w3id.org/xapi/cmi5/context/categories/cmi5"}


def told(object="urn:us:easy", verb="experienced", **around):
    activities = {"grouping": [{"id": EASY}]} | {sort: [{"id": one} for one in ids] for sort, ids in around.items()}
    target = {"id": object} if isinstance(object, str) else object
    return {"verb": {"id": VERBS + verb}, "object": target, "context": {"contextActivities": activities}}


def at(timestamp):
    return told() | {"timestamp": timestamp}


def with_context(**more):
    plain = told()
    return plain | {"context": plain["context"] | more}


FURTHER = "/context/extensions/https:~1~1w3id.org~1engraft~1extensions~1identifiers"
BOB = {"objectType": "Agent", "mbox": "mailto:bob@x.example"}


@each_of(
    ("place", "statement"),
    [
        ("/timestamp", at("2026-11-18T09:29:59Z")),
        ("/timestamp", at("2026-11-18T14:31:00Z")),
        ("/context/instructor", with_context(instructor=BOB)),
        ("/context/team", with_context(team=BOB | {"objectType": "Group"})),
        ("/context/contextAgents", with_context(contextAgents=[{"agent": BOB}])),
        ("/context/contextGroups", with_context(contextGroups=[])),
        (FURTHER, with_context(extensions={SAME_PERSON: [BOB]})),
        (FURTHER, with_context(extensions={SAME_PERSON: []})),
        ("/object", told(BOB)),
        ("/object", told({"objectType": "Group", "member": [BOB]})),
        ("/object", told({"objectType": "SubStatement", "actor": BOB})),
    ],
)
def test_content_names_nobody_else_and_no_other_time(place, statement):
    assert [pointer for pointer, _ in faults(SESSION, statement, LAUNCHED + 2 * HOUR)] == [place]


@pytest.mark.parametrize(
    "statement",
    [
        told(),
        at("2026-11-18T09:30:00Z"),
        at("2026-11-18T12:29:00Z"),
        told(SESSION.actor | {"objectType": "Agent"}),
        told({"objectType": "StatementRef", "id": "33333333-3333-4333-8333-333333333333"}),
    ],
)
def test_what_is_of_the_learner_and_of_the_launch_may_be_said(statement):
    assert list(faults(SESSION, statement, LAUNCHED + MINUTE)) == []


@each_of(
    ("statement", "ids"),
    [
        (told(category=[CMI5["id"]]), []),
        (told("urn:us:easy/q/1"), []),
        (told(f"{EASY}#slide=2", parent=[EASY]), []),
        (told(parent=[FIRST], other=[COURSE]), []),
        (told(EXAM), [EXAM]),
        (told("urn:us:exam/q/1"), ["urn:us:exam/q/1"]),
        (told(COURSE), [COURSE]),
        (told(f"{EASY}ier"), [f"{EASY}ier"]),
        (told(parent=[SECOND], grouping=[EASY, EXAM, OTHER]), [EXAM, OTHER, SECOND]),
        (told(OTHER, category=[RECIPE]), [RECIPE, OTHER]),
        (told("urn:us:easy", "passed"), []),
        (told("urn:us:easy/q/1", "passed"), WHOLE),
        (told(EASY, "completed"), WHOLE),
    ],
)
def test_a_statement_proves_nothing_of_what_was_not_launched(statement, ids):
    assert list(outside(SESSION, statement, STRUCTURE)) == ids


def test_where_a_statement_names_its_unit_alone_the_structure_is_not_needed():
    assert outside(SESSION, told(category=[CMI5["id"]]), None) == ()
    assert outside(SESSION, told(EASY, "passed"), None) == (EASY, "urn:us:easy")


def test_tin_can_content_speaks_for_its_whole_package():
    session = replace(SESSION, format="tincan")

    found = outside(session, told(f"{EXAM}/q1", "passed", parent=[COURSE], grouping=[OTHER]), STRUCTURE)

    assert found == (OTHER,)


# -- on a running server ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def course(platform):
    parts = (block(unit(f"{OWN}/easy"), id=f"{OWN}/block"), unit(f"{OWN}/exam"))
    return platform.bring(structure(*parts, id=OWN))["id"]


def verdict(platform, statement, match, about):
    """Why a rule that trusts the source of the stored *statement* does not count it."""
    record = platform.lrs.tenant.store.get("statement", statement["id"])
    verbs, sources = (statement["verb"]["id"],), (record.meta["source"],)
    return judge(Rule("r", 1, match, about, verbs, "c@1", 1, sources=sources), look(record), moment_of(record)).reason


def around(statement, sort, id):
    activities = statement["context"]["contextActivities"]
    activities[sort] = [*activities.get(sort, ()), {"id": id}]
    return statement


def test_a_part_that_was_passed_or_another_activity_does_not_prove_the_unit(platform, course):
    content = platform.launch(course).start()
    part = content.statement("passed", defined=False, object={"id": f"{content.activity}/q1"})
    foreign = content.statement("attended", defined=False, object={"id": OTHER})
    beside = around(content.statement("scored", defined=False), "parent", f"{OWN}/exam")

    answers = [content.put(one) for one in (part, foreign, beside)]

    assert [one.status_code for one in answers] == [204, 204, 204]
    outside = "not about what was launched"
    assert verdict(platform, part, "grouping", f"{OWN}/easy") == outside
    assert verdict(platform, part, "activity", f"{content.activity}/q1") is None
    assert verdict(platform, foreign, "activity", OTHER) == outside
    assert verdict(platform, beside, "parent", f"{OWN}/exam") == outside
    assert verdict(platform, beside, "grouping", f"{OWN}/easy") is None


def test_what_was_only_looked_at_proves_nothing(platform, course):
    content = platform.launch(course, launchMode="Browse").start()
    answered = content.statement("answered", defined=False, object={"id": f"{content.activity}/q1"})

    assert content.put(answered).status_code == 204
    assert "nothing counts" in verdict(platform, answered, "grouping", f"{OWN}/easy")


def test_content_of_cmi5_says_nothing_of_others_nor_of_another_course(platform, course):
    exam = f"{OWN}-2/exam"
    platform.bring(structure(unit(exam), id=f"{OWN}-2"))
    content = platform.launch(course).start()
    sent = {
        "/timestamp": content.statement("passed") | {"timestamp": "2015-01-01T00:00:00Z"},
        "/context/instructor": content.statement("passed"),
        "": content.statement("passed", defined=False, object={"id": exam}),
        "/object": content.statement("experienced", defined=False, object=learner("somebody else")),
        FURTHER: content.statement("experienced", defined=False),
    }
    sent[FURTHER]["context"]["extensions"][SAME_PERSON] = [BOB]
    sent["/context/instructor"]["context"]["instructor"] = BOB

    answers = {place: content.put(one) for place, one in sent.items()}

    assert {place: one.status_code for place, one in answers.items()} == dict.fromkeys(sent, 403)
    assert {place: one.json().get("pointer") or "" for place, one in answers.items()} == {one: one for one in sent}
    assert f"the activity {exam} is one of another course here" in answers[""].text
    assert verbs_of(platform.lrs, content.registration) == ["satisfied", "satisfied", "launched", "initialized"]


def test_content_cannot_take_the_id_of_what_is_said_when_its_launch_ends(platform, course):
    actor = learner()
    content = platform.launch(course, actor=actor).start()
    taken = content.statement("experienced", defined=False) | {
        "id": name("lms-statement", "abandoned", content.session)
    }
    assert content.put(taken).status_code == 204

    platform.launch(course, actor=actor, reg=content.registration)

    assert verbs_of(platform.lrs, content.registration)[2:] == [
        *("launched", "initialized", "experienced", "abandoned", "launched"),
    ]


def test_who_of_staff_tries_a_course_becomes_no_learner_and_a_learner_who_looks_is_one(platform, course):
    content, tenant = platform.launch(course, launchMode="Browse").start(), platform.lrs.tenant
    looked = content.statement("experienced", defined=False)
    content.put(looked)
    record = tenant.store.get("statement", looked["id"])
    tried = replace(record, meta=record.meta | {"trial": "staff"})

    found = [meaning_of(one, in_force(tenant.store), ids_of(tenant), "UTC") for one in (record, tried)]

    assert [len(one.learners) for one in found] == [1, 0]


@each_of(
    ("mode", "trial", "mark"),
    [("Normal", False, None), ("Normal", True, "staff"), ("Browse", False, "Browse"), ("Browse", True, "staff")],
)
def test_whatever_staff_send_who_try_a_course_says_so(mode, trial, mark):
    session, registration = SimpleNamespace(mode=mode), SimpleNamespace(trial=trial)

    assert trial_mark(session, registration).get("trial") == mark


def test_content_that_is_looked_at_takes_no_completion_back(platform, course):
    tenant = platform.lrs.tenant
    told = []
    for mode in ("Normal", "Browse"):
        content = platform.launch(course, launchMode=mode).start()
        back = content.statement("experienced", defined=False) | {"verb": {"id": UNCOMPLETED}}
        foreign = back | {"id": new_id(), "object": {"id": OTHER}}
        assert [content.put(one).status_code for one in (back, foreign)] == [204, 204]
        records = [tenant.store.get("statement", one["id"]) for one in (back, foreign)]
        told += [len(list(uncompletions_in(one, look(one), ids_of(tenant)))) for one in records]

    assert told == [1, 0, 0, 0]


def test_a_rule_about_a_type_counts_that_of_the_package_and_not_what_content_says(platform):
    wanted, id = "https://types.example/assessment", f"{OWN}-types"
    typed = platform.bring(structure(unit(f"{id}/1", activityType=wanted), unit(f"{id}/2"), id=id))["id"]
    verdicts = []
    for index, part in ((0, ""), (0, "/q1"), (1, ""), (1, "/q1")):
        content = platform.launch(typed, index).start()
        target = {"id": f"{content.activity}{part}", "definition": {"type": wanted}}
        passed = content.statement("passed", defined=not part, object=target)
        assert content.put(passed).status_code == 204
        verdicts.append(verdict(platform, passed, "type", wanted))

    assert verdicts == [None, *["not about what was launched"] * 3]


def test_what_content_said_before_of_further_identifiers_joins_nobody(platform, course):
    content, tenant = platform.launch(course).start(), platform.lrs.tenant
    said = content.statement("experienced", defined=False)
    content.put(said)
    record = tenant.store.get("statement", said["id"])
    body = json.loads(record.body)
    body["context"]["extensions"][SAME_PERSON] = [BOB]
    stored = replace(record, body=json.dumps(body).encode())
    of_others = replace(stored, meta=stored.meta | {"source": "vle"})

    found = [meaning_of(one, in_force(tenant.store), ids_of(tenant), "UTC").same for one in (stored, of_others)]

    assert [len(one) for one in found] == [0, 1]


def test_a_program_cannot_add_further_identifiers_to_what_content_must_send(platform, course):
    asked = {"actor": learner(), "contextTemplateAdditions": {"extensions": {SAME_PERSON: [BOB]}}}

    answer = platform.ask("POST", f"course/{course}/launch-url/0", json=asked)

    assert (answer.status_code, "further identifiers" in answer.text) == (400, True)
