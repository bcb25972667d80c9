"""Every rule of cmi5 for statements of content: what breaks it is refused with the id of the requirement."""

import copy

import pytest
from msgspec.structs import replace

from adapters.lms.cmi5.rules import judged
from adapters.lms.sessions.session import LaunchSession, UnitProgress
from adapters.lms.sessions.standing import SessionStanding, meets
from lrs.kernel.durations import LONGEST, duration_of, seconds_of
from lrs.kernel.errors import Refused
from tests.rows import each_of

VERBS = "http://adlnet.gov/expapi/verbs/"
CMI5 = {"id": "https://w3id.org/xapi/cmi5/context/categories/cmi5"}
MOVE_ON = {"id": "https://w3id.org/xapi/cmi5/context/categories/moveon"}
SESSION_ID = "https://w3id.org/xapi/cmi5/context/extensions/sessionid"
MASTERY = "https://w3id.org/xapi/cmi5/context/extensions/masteryscore"
ACTIVITY, PUBLISHER = "https://lrs.example/au", {"id": "https://publisher.example/au"}
ACTOR = {"name": "Ann", "account": {"homePage": "https://lms.example", "name": "ann"}}
REGISTRATION = "11111111-1111-4111-8111-111111111111"
OPEN = LaunchSession(
    id="22222222-2222-4222-8222-222222222222",
    number=1,
    registration=REGISTRATION,
    course="1",
    index=0,
    activity=ACTIVITY,
    actor=ACTOR,
    template={
        "contextActivities": {"grouping": [PUBLISHER]},
        "extensions": {SESSION_ID: "22222222-2222-4222-8222-222222222222", "https://lms.example/room": 7},
    },
    mode="Normal",
    move_on="CompletedAndPassed",
    fetch="",
    launched=1,
    last=1,
    mastery_score=0.9,
    launch_data=True,
    preferences=True,
    verbs=(f"{VERBS}initialized",),
    initialized=2,
)
RESULTS = {
    "completed": {"completion": True, "duration": "PT1S"},
    "passed": {"success": True, "duration": "PT1S", "score": {"scaled": 0.95, "raw": 95, "min": 0, "max": 100}},
    "failed": {"success": False, "duration": "PT1S", "score": {"scaled": 0.1}},
    "terminated": {"duration": "PT1H2M3.5S"},
}


def statement(verb, *, defined=True):
    categories = [CMI5, *([MOVE_ON] if verb in {"completed", "passed", "failed"} else [])] if defined else []
    extensions = {**OPEN.template["extensions"], **({MASTERY: 0.9} if verb in {"passed", "failed"} else {})}
    return {
        "id": "33333333-3333-4333-8333-333333333333",
        "timestamp": "2026-11-18T11:06:40Z",
        "actor": ACTOR,
        "verb": {"id": VERBS + verb},
        "object": {"id": ACTIVITY},
        "context": {
            "registration": REGISTRATION,
            "contextActivities": {"grouping": [PUBLISHER], "category": categories},
            "extensions": extensions,
        },
        **({"result": copy.deepcopy(RESULTS[verb])} if defined and verb in RESULTS else {}),
    }


def changed(told, path, value=None):
    """*told* with another value at *path* (``a.b.c``); without one it is taken out."""
    told = copy.deepcopy(told)
    *parents, last = path.split(">")
    place = told
    for one in parents:
        place = place[one]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return told


def after(*verbs, progress=UnitProgress(), session=OPEN):  # noqa: B008 (it is frozen)
    standing = SessionStanding(session, progress)
    for verb in verbs:
        standing = judged(standing, statement(verb), 9, has_id=True)
    return standing


FRESH = after()
ALLOWED = statement("experienced", defined=False)
LATER = OPEN.last + 1_000_000
BEFORE = replace(OPEN, verbs=(), initialized=0)
EXTENSIONS = "context>extensions>"
CATEGORY = "context>contextActivities>category"
GROUP = ACTOR | {"objectType": "Group"}
MAILBOX = {"mbox": "mailto:ann@example.org"}
OTHER = {"account": {"homePage": "https://lms.example", "name": "bob"}}
BREACHES = [
    ("9.1.0.0-1", FRESH, changed(ALLOWED, "id")),
    ("9.7.0.0-1", FRESH, changed(ALLOWED, "timestamp")),
    ("9.7.0.0-2", FRESH, changed(ALLOWED, "timestamp", "2026-11-18T11:06:40-06:00")),
    ("9.7.0.0-2", FRESH, changed(ALLOWED, "timestamp", "2026-11-18T11:06:40")),
    ("9.2.0.0-2", FRESH, changed(statement("passed"), "actor", GROUP)),
    ("9.2.0.0-3", FRESH, changed(statement("passed"), "actor", MAILBOX)),
    ("8.1.3.0-3", FRESH, changed(ALLOWED, "actor", OTHER)),
    ("8.1.3.0-3", FRESH, changed(ALLOWED, "actor", ACTOR | {"name": "Somebody"})),
    ("6.3.0.0-1", FRESH, changed(ALLOWED, "verb", {"id": f"{VERBS}voided"})),
    ("9.6.0.0-1", FRESH, changed(statement("passed"), "context")),
    ("9.6.1.0-1", FRESH, changed(statement("passed"), "context>registration")),
    ("9.6.1.0-1", FRESH, changed(ALLOWED, "context>registration", "44444444-4444-4444-8444-444444444444")),
    ("9.6.3.1-4", FRESH, changed(ALLOWED, EXTENSIONS + SESSION_ID)),
    ("9.6.3.1-4", FRESH, changed(ALLOWED, EXTENSIONS + SESSION_ID, "another")),
    ("10.2.1.0-6", FRESH, changed(ALLOWED, "context>contextActivities")),
    ("10.2.1.0-6", FRESH, changed(ALLOWED, "context>contextActivities>grouping", [{"id": "https://x.example"}])),
    ("10.2.1.0-6", FRESH, changed(ALLOWED, f"{EXTENSIONS}https://lms.example/room")),
    ("10.2.1.0-7", FRESH, changed(ALLOWED, f"{EXTENSIONS}https://lms.example/room", 8)),
    ("9.6.2.2-2", FRESH, changed(ALLOWED, CATEGORY, [MOVE_ON])),
    ("9.6.2.2-2", FRESH, changed(statement("terminated"), CATEGORY, [CMI5, MOVE_ON])),
    ("9.6.2.1-1", FRESH, changed(statement("passed"), CATEGORY, [])),
    ("9.6.2.2-1", FRESH, changed(statement("completed"), CATEGORY, [CMI5])),
    ("9.6.2.2-1", FRESH, changed(statement("passed"), CATEGORY, CMI5)),
    ("9.6.2.2-1", FRESH, changed(statement("failed"), CATEGORY, [CMI5])),
    ("9.3.0.0-1", FRESH, changed(statement("terminated"), "verb", {"id": f"{VERBS}experienced"})),
    ("9.3.0.0-1", FRESH, changed(statement("terminated"), "verb", {"id": "https://w3id.org/xapi/adl/verbs/waived"})),
    ("9.4.0.0-1", FRESH, changed(statement("passed"), "object", ACTOR | {"objectType": "Agent"})),
    ("8.1.5.0-6", FRESH, changed(statement("passed"), "object", {"id": "https://x.example"})),
    ("9.5.4.1-1", FRESH, changed(statement("terminated"), "result")),
    ("9.5.4.1-1", FRESH, changed(statement("terminated"), "result>duration")),
    ("9.5.4.1-2", FRESH, changed(statement("completed"), "result>duration")),
    ("9.5.4.1-3", FRESH, changed(statement("passed"), "result>duration")),
    ("9.5.4.1-4", FRESH, changed(statement("failed"), "result>duration")),
    ("9.5.3.0-1", FRESH, changed(statement("completed"), "result>completion")),
    ("9.5.3.0-1", FRESH, changed(statement("completed"), "result>completion", value=0)),
    ("9.5.3.0-2", FRESH, changed(statement("passed"), "result>completion", value=True)),
    ("9.5.2.0-1", FRESH, changed(statement("passed"), "result>success")),
    ("9.5.2.0-2", FRESH, changed(statement("failed"), "result>success")),
    ("9.5.2.0-2", FRESH, changed(statement("failed"), "result>success", value=True)),
    ("9.5.2.0-3", FRESH, changed(statement("completed"), "result>success", value=True)),
    ("9.5.1.0-2", FRESH, changed(statement("completed"), "result>score", {"scaled": 0.5})),
    ("9.5.1.0-3", FRESH, changed(statement("passed"), "result>score>min")),
    ("9.5.1.0-3", FRESH, changed(statement("passed"), "result>score>max")),
    ("9.6.3.2-2", FRESH, changed(statement("passed"), EXTENSIONS + MASTERY)),
    ("9.6.3.2-2", FRESH, changed(statement("failed"), EXTENSIONS + MASTERY, 0.8)),
    ("9.3.4.0-2", FRESH, changed(statement("passed"), "result>score", {"scaled": 0.89})),
    ("9.3.5.0-2", FRESH, changed(statement("failed"), "result>score", {"scaled": 0.9})),
    ("9.3.2.0-3", FRESH, statement("initialized")),
    ("9.3.0.0-2", after("completed"), statement("completed")),
    ("9.3.0.0-2", after("passed"), statement("passed")),
    ("9.3.0.0-3", after("failed"), statement("passed")),
    ("9.3.0.0-3", after("passed"), statement("failed")),
    ("9.3.0.0-6", after(progress=UnitProgress(completed=True)), statement("completed")),
    ("9.3.0.0-7", after(progress=UnitProgress(passed=True)), statement("passed")),
    ("9.3.0.0-8", after(progress=UnitProgress(passed=True)), statement("failed")),
    ("9.3.0.0-4", after(session=BEFORE), ALLOWED),
    ("9.3.0.0-4", after(session=BEFORE), changed(statement("initialized"), CATEGORY, [])),
    ("9.3.0.0-5", after("terminated"), ALLOWED),
    ("9.3.6.0-2", after(session=replace(OPEN, abandoned=3)), ALLOWED),
    ("11.0.0.0-3", after(session=replace(BEFORE, preferences=False)), statement("initialized")),
    ("10.2.1.0-4", after(session=replace(BEFORE, launch_data=False)), statement("initialized")),
    *(("10.2.2.0-2", after(session=replace(OPEN, mode="Browse")), statement(one)) for one in RESULTS if one[0] != "t"),
    *(("10.2.2.0-3", after(session=replace(OPEN, mode="Review")), statement(one)) for one in RESULTS if one[0] != "t"),
]


@each_of(("requirement", "standing", "told"), BREACHES, ids=[f"{place} {one[0]}" for place, one in enumerate(BREACHES)])
def test_a_statement_that_breaks_a_rule_is_refused_with_the_requirement(requirement, standing, told):
    with pytest.raises(Refused) as caught:
        judged(standing, told, 9, has_id="id" in told)

    assert (caught.value.status, caught.value.rule) == (403, f"cmi5 {requirement}")
    assert caught.value.message.startswith(requirement)


def test_statements_by_the_book_are_taken_in_their_order_and_what_they_say_is_kept():
    standing = after("initialized", session=BEFORE)
    for told in (ALLOWED, statement("failed")):
        standing = judged(standing, told, 9, has_id=True)
    again = SessionStanding(replace(OPEN, verbs=(), initialized=2), standing.progress)
    for verb in ("completed", "passed", "terminated"):
        again = judged(again, statement(verb), 10, has_id=True)

    assert standing.progress == UnitProgress(attempted=True, failed=True, score=0.1)
    assert again.progress == UnitProgress(
        attempted=True, completed=True, passed=True, satisfied=True, score=0.95, seconds={"Normal": 3_723.5}
    )
    assert (again.session.terminated, again.session.last) == (10, 10)


@pytest.mark.parametrize(
    "timestamp", ["2026-11-18T11:06:40Z", "2026-11-18T11:06:40.5+00:00", "2026-11-18T11:06:40+0000"]
)
def test_utc_has_several_forms(timestamp):
    assert judged(FRESH, changed(ALLOWED, "timestamp", timestamp), LATER, has_id=True).session.last == LATER


def test_the_time_of_the_last_statement_is_kept_to_the_second_so_that_a_burst_writes_no_session():
    just = judged(FRESH, ALLOWED, LATER - 1, has_id=True)
    defined = judged(FRESH, statement("completed"), LATER - 1, has_id=True)

    assert just is FRESH
    assert defined.session.last == LATER - 1


def test_an_agent_without_the_name_of_the_launch_and_a_lone_category_are_the_same():
    told = changed(statement("terminated"), "actor", {"account": ACTOR["account"]})

    assert judged(FRESH, changed(told, CATEGORY, CMI5), 9, has_id=True).session.terminated == 9


def test_without_a_mastery_score_any_score_will_do():
    standing = SessionStanding(replace(OPEN, mastery_score=None), UnitProgress())
    told = changed(statement("passed"), "result>score", {"scaled": 0.0})

    assert judged(standing, told, 9, has_id=True).progress.score == 0.0


def test_a_mastery_score_of_zero_is_one():
    standing = SessionStanding(replace(OPEN, mastery_score=0.0), UnitProgress())
    told = changed(changed(statement("failed"), "result>score", {"scaled": 0.0}), EXTENSIONS + MASTERY, value=0)

    with pytest.raises(Refused, match=r"9\.3\.5\.0-2"):
        judged(standing, told, 9, has_id=True)


def test_in_browse_and_review_a_session_begins_and_ends_and_nothing_is_attempted():
    for mode in ("Browse", "Review"):
        standing = after("initialized", "terminated", session=replace(BEFORE, mode=mode))

        assert standing.progress == UnitProgress(seconds={mode: 3_723.5})


@pytest.mark.parametrize(
    ("move_on", "by"),
    [
        ("Passed", {"passed", "both", "waived"}),
        ("Completed", {"completed", "both", "waived"}),
        ("CompletedAndPassed", {"both", "waived"}),
        ("CompletedOrPassed", {"passed", "completed", "both", "waived"}),
        ("NotApplicable", {"nothing", "failed", "passed", "completed", "both", "waived"}),
    ],
)
def test_what_satisfies_a_unit(move_on, by):
    progress = {
        "nothing": UnitProgress(),
        "failed": UnitProgress(failed=True),
        "passed": UnitProgress(passed=True),
        "completed": UnitProgress(completed=True),
        "both": UnitProgress(completed=True, passed=True),
        "waived": UnitProgress(waived="known"),
    }

    assert {name for name, one in progress.items() if meets(move_on, one)} == by


def test_durations_are_seconds():
    assert seconds_of("P1Y2M3DT4H5M6.5S") == 365 * 86_400 + 60 * 86_400 + 3 * 86_400 + 4 * 3_600 + 5 * 60 + 6.5
    assert seconds_of("P2W") == 14 * 86_400
    assert seconds_of("soon") == 0
    assert seconds_of(f"PT{'9' * 400}S") == LONGEST
    assert [duration_of(micros) for micros in (0, 1_234_567, -5)] == ["PT0.00S", "PT1.23S", "PT0.00S"]
