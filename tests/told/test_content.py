"""What launched content may say, and what comes of it: every rule of cmi5, Tin Can and SCORM with both its sides."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from adapters.lms.cmi5 import documents, rules
from adapters.lms.courses.structure import AssignableUnit, Block, Structure
from adapters.lms.scorm import progress as scorm_progress
from adapters.lms.scorm import statements as scorm_statements
from adapters.lms.scorm.attempts import KeptAttempt
from adapters.lms.scorm.cmi import read_commit, seconds_of, timespan_of
from adapters.lms.scorm.statements import ScormAttempt
from adapters.lms.scorm.told import told as told_of_begin
from adapters.lms.sessions import reach
from adapters.lms.sessions.acts import checked_actor
from adapters.lms.sessions.own_statements import abandoned, launched, newly_satisfied, satisfied, waived
from adapters.lms.sessions.session import LaunchSession, Registration, UnitProgress
from adapters.lms.sessions.standing import SessionStanding, meets
from adapters.lms.tincan import rules as tincan
from lrs.kernel.times import SECOND
from lrs.xapi.documents.resources import AGENT_PROFILE, STATE, Address
from lrs.xapi.statements.identity import ifi_text
from tests.adapters.lms.cmi5 import test_rules as made
from tests.adapters.lms.cmi5.test_rules import ACTIVITY, ACTOR, CMI5, MASTERY, MOVE_ON, OPEN, REGISTRATION, VERBS
from tests.told.story import Story, differing, inline, plain, tree, tried

NOW = 1_795_262_400_000_000
PLAIN = {"cmi5LearnerPreferences": "preferences"}
"""A name that looks like a token."""
FRESH = SessionStanding(replace(OPEN, verbs=(), initialized=0), UnitProgress())
BEGUN = SessionStanding(OPEN, UnitProgress(attempted=True))
PASSED_BEFORE = SessionStanding(OPEN, UnitProgress(attempted=True, passed=True, completed=True, score=0.95))
STANDINGS = {
    "new": FRESH,
    "begun": BEGUN,
    "passed before": PASSED_BEFORE,
    "no preferences read": SessionStanding(replace(OPEN, preferences=False), UnitProgress()),
    "no launch data read": SessionStanding(replace(OPEN, launch_data=False), UnitProgress()),
    "terminated": SessionStanding(replace(OPEN, terminated=5), UnitProgress()),
    "abandoned": SessionStanding(replace(OPEN, abandoned=5), UnitProgress()),
    "abandoned, then terminated": SessionStanding(replace(OPEN, abandoned=5, terminated=6), UnitProgress()),
    "Browse": SessionStanding(replace(OPEN, mode="Browse"), UnitProgress()),
    "Review": SessionStanding(replace(OPEN, mode="Review"), UnitProgress()),
    "passed in this session": SessionStanding(
        replace(OPEN, verbs=(*OPEN.verbs, f"{VERBS}passed")), UnitProgress(passed=True)
    ),
    "failed in this session": SessionStanding(
        replace(OPEN, verbs=(*OPEN.verbs, f"{VERBS}failed")), UnitProgress(failed=True)
    ),
    "completed in this session": SessionStanding(
        replace(OPEN, verbs=(*OPEN.verbs, f"{VERBS}completed")), UnitProgress()
    ),
    "no mastery score": SessionStanding(replace(OPEN, mastery_score=None), UnitProgress()),
    "template with more": SessionStanding(replace(OPEN, template={**OPEN.template, "revision": "2"}), UnitProgress()),
}
OF_UNITS = ("initialized", "completed", "passed", "failed", "terminated")


def statement(verb: str, *, defined: bool = True) -> dict[str, Any]:
    return copy.deepcopy(made.statement(verb, defined=defined))


def put_in(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Changes a part of a statement; ``None`` takes it out."""

    def change(one: dict[str, Any]) -> None:
        part: Any = one
        *way, last = path.split("|")
        for step in way:
            part = part[int(step)] if step.isdigit() else part.setdefault(step, {})
        if value is None:
            part.pop(int(last) if last.isdigit() else last, None)
        else:
            part[last] = value

    return change


def scaled(number: float, **more: Any) -> Callable[[dict[str, Any]], None]:
    return put_in("result|score", {"scaled": number, **more})


CHANGES: list[tuple[str, str, str, Any]] = [
    # what, in which standing, which verb, how it is changed
    ("no timestamp", "begun", "completed", put_in("timestamp", None)),
    ("an offset of none", "begun", "completed", put_in("timestamp", "2026-11-18T11:06:40+00:00")),
    ("an offset", "begun", "completed", put_in("timestamp", "2026-11-18T12:06:40+01:00")),
    ("no offset", "begun", "completed", put_in("timestamp", "2026-11-18T11:06:40")),
    ("a group", "begun", "completed", put_in("actor|objectType", "Group")),
    ("a mailbox", "begun", "completed", put_in("actor", {"mbox": "mailto:ann@x.example"})),
    ("another account", "begun", "completed", put_in("actor|account|name", "ben")),
    ("another name", "begun", "completed", put_in("actor|name", "Ben")),
    ("no name", "begun", "completed", put_in("actor|name", None)),
    ("no context", "begun", "completed", put_in("context", None)),
    ("another registration", "begun", "completed", put_in("context|registration", "x")),
    ("the registration in capitals", "begun", "completed", put_in("context|registration", REGISTRATION.upper())),
    (
        "another session",
        "begun",
        "completed",
        put_in("context|extensions|https://w3id.org/xapi/cmi5/context/extensions/sessionid", "x"),
    ),
    ("an extension less", "begun", "completed", put_in("context|extensions|https://lms.example/room", None)),
    ("an extension otherwise", "begun", "completed", put_in("context|extensions|https://lms.example/room", 8)),
    ("no grouping", "begun", "initialized", put_in("context|contextActivities|grouping", [])),
    ("no context activities", "begun", "initialized", put_in("context|contextActivities", None)),
    ("a template with more", "template with more", "terminated", put_in("context|x", None)),
    ("a template with more, otherwise", "template with more", "terminated", put_in("context|revision", "3")),
    ("a template with more, as it is", "template with more", "terminated", put_in("context|revision", "2")),
    (
        "another in the grouping",
        "begun",
        "passed",
        put_in(
            "context|contextActivities|grouping", [{"id": "https://publisher.example/au"}, {"id": "https://o.example"}]
        ),
    ),
    (
        "another in the grouping of the end",
        "begun",
        "terminated",
        put_in(
            "context|contextActivities|grouping", [{"id": "https://publisher.example/au"}, {"id": "https://o.example"}]
        ),
    ),
    ("moveon at the end", "begun", "terminated", put_in("context|contextActivities|category", [CMI5, MOVE_ON])),
    ("no moveon", "begun", "completed", put_in("context|contextActivities|category", [CMI5])),
    ("moveon alone", "begun", "completed", put_in("context|contextActivities|category", [MOVE_ON])),
    ("no category", "begun", "completed", put_in("context|contextActivities|category", [])),
    (
        "no category, of a part",
        "begun",
        "completed",
        lambda one: (put_in("context|contextActivities|category", [])(one), put_in("object|id", f"{ACTIVITY}/1")(one)),
    ),
    ("one category, no list", "begun", "terminated", put_in("context|contextActivities|category", CMI5)),
    ("another verb, defined", "begun", "terminated", put_in("verb|id", f"{VERBS}experienced")),
    ("voided", "begun", "terminated", put_in("verb|id", f"{VERBS}voided")),
    ("about an agent", "begun", "terminated", put_in("object", {"objectType": "Agent", **ACTOR})),
    ("about another activity", "begun", "terminated", put_in("object|id", "https://other.example")),
    ("no duration", "begun", "terminated", put_in("result|duration", None)),
    ("completed without duration", "begun", "completed", put_in("result|duration", None)),
    ("passed without duration", "begun", "passed", put_in("result|duration", None)),
    ("failed without duration", "begun", "failed", put_in("result|duration", None)),
    ("initialized with a duration", "new", "initialized", put_in("result|duration", "PT1S")),
    ("completed, not", "begun", "completed", put_in("result|completion", False)),
    ("completed, nothing said", "begun", "completed", put_in("result|completion", None)),
    ("passed with completion", "begun", "passed", put_in("result|completion", True)),
    ("passed, not", "begun", "passed", put_in("result|success", False)),
    ("failed, not", "begun", "failed", put_in("result|success", True)),
    ("completed with success", "begun", "completed", put_in("result|success", True)),
    ("completed with a score", "begun", "completed", put_in("result|score", {"scaled": 1})),
    ("terminated with a score", "begun", "terminated", put_in("result|score", {"scaled": 1})),
    ("raw alone", "begun", "passed", scaled(0.95, raw=9)),
    ("raw with max", "begun", "passed", scaled(0.95, raw=9, max=10)),
    ("no scaled", "begun", "passed", put_in("result|score", {"raw": 9, "min": 0, "max": 10})),
    ("no score", "begun", "passed", put_in("result|score", None)),
    ("passed just below", "begun", "passed", scaled(0.8999)),
    ("passed just so", "begun", "passed", scaled(0.9)),
    ("failed just below", "begun", "failed", scaled(0.8999)),
    ("failed just so", "begun", "failed", scaled(0.9)),
    ("mastery score missing", "begun", "passed", put_in(f"context|extensions|{MASTERY}", None)),
    ("mastery score otherwise", "begun", "passed", put_in(f"context|extensions|{MASTERY}", 0.8)),
    (
        "mastery score missing, no score",
        "begun",
        "passed",
        lambda one: (put_in("result|score", None)(one), put_in(f"context|extensions|{MASTERY}", None)(one)),
    ),
    ("no mastery score, passed low", "no mastery score", "passed", scaled(0.1)),
    ("no mastery score, failed high", "no mastery score", "failed", scaled(1.0)),
    ("allowed", "begun", "experienced", None),
    ("allowed first", "new", "experienced", None),
    ("initialized, not defined", "new", "initialized", put_in("context|contextActivities|category", [])),
    ("allowed at the end", "terminated", "experienced", None),
    ("no id", "begun", "completed", "no id"),
]


def judged(standing: SessionStanding, one: dict[str, Any], *, now: int = NOW, has_id: bool = True) -> str:
    def shown(found: SessionStanding) -> str:
        return inline(differing(plain(standing), plain(found)))

    return tried(lambda: rules.judged(standing, one, now, has_id=has_id), shown)


def test_cmi5(told):
    told.names |= PLAIN
    story = Story()
    for name, standing in STANDINGS.items():
        story.head(f"in a session that is: {name}")
        story.extend(f"{verb}: {judged(standing, statement(verb))}" for verb in OF_UNITS)
    story.head("one thing otherwise")
    for case, where, verb, change in CHANGES:
        one = statement(verb, defined=verb in OF_UNITS)
        if callable(change):
            change(one)
        story.say(f"{case} ({verb}): {judged(STANDINGS[where], one, has_id=change != 'no id')}")
    story.head("allowed statements, one after the other")
    for ago in (0, 999_999, SECOND, SECOND + 1):
        standing = SessionStanding(replace(OPEN, last=NOW - ago), UnitProgress())
        story.say(f"{ago} microseconds after the last: {judged(standing, statement('experienced', defined=False))}")
    story.head("what moves on")
    for rule in ("NotApplicable", "Passed", "Completed", "CompletedAndPassed", "CompletedOrPassed"):
        some = [
            UnitProgress(),
            UnitProgress(passed=True),
            UnitProgress(completed=True),
            UnitProgress(completed=True, passed=True),
            UnitProgress(failed=True),
            UnitProgress(waived="x"),
        ]
        story.say(f"{rule}: {inline([meets(rule, one) for one in some])}")
        for progress, verb in (
            (UnitProgress(completed=True), "passed"),
            (UnitProgress(passed=True), "completed"),
            (UnitProgress(), "passed"),
            (UnitProgress(), "completed"),
            (UnitProgress(), "failed"),
        ):
            standing = SessionStanding(replace(OPEN, move_on=rule, mastery_score=None), progress)
            story.say(f"  {verb} after {inline(progress)}: {judged(standing, statement(verb))}")

    told(str(story))


OTHER = {"account": {"homePage": "https://lms.example", "name": "ben"}}
PREFERENCES = [
    {"languagePreference": "en-GB,cy", "audioPreference": "on"}, {"languagePreference": "en, cy", "audioPreference": "off"},
    {"languagePreference": "", "audioPreference": "on"}, {"languagePreference": "english!", "audioPreference": "on"},
    {"languagePreference": "en"}, {"audioPreference": "on"}, {"languagePreference": "en", "audioPreference": "loud"},
    {"languagePreference": 1, "audioPreference": "on"}, [], {},
]  # fmt: skip


def test_documents_of_content(told):
    told.names |= PLAIN
    story = Story()
    own, other = ifi_text(ACTOR), ifi_text(OTHER)
    story.head("State")
    for agent in (own, other):
        for registration in ("", REGISTRATION, "22222222-2222-4222-8222-222222222221"):
            for activity in (ACTIVITY, "https://other.example"):
                for document in ("bookmark", "LMS.LaunchData", None):
                    address = Address(STATE.kind, activity, agent or "", registration, document)
                    said = [
                        tried(lambda address=address, method=method: documents.check_state(OPEN, address, method))
                        for method in ("GET", "HEAD", "PUT", "POST", "DELETE")
                    ]
                    who = "own" if agent == own else "another's"
                    story.say(
                        f"{who} {registration[-3:] or 'none'} {activity[-7:]} {document}: {' | '.join(one.partition(': ')[0].replace('REFUSED 403 cmi5 ', '') for one in said)}"
                    )
    story.head("Agent Profile")
    for agent, document in (
        (own, "cmi5LearnerPreferences"),
        (own, "other"),
        (own, None),
        (other, "cmi5LearnerPreferences"),
    ):
        address = Address(AGENT_PROFILE.kind, "", agent or "", "", document)
        story.extend(
            f"{document} {method}: {tried(lambda address=address, method=method: documents.check_agent_profile(OPEN, address, method))}"
            for method in ("GET", "PUT", "POST", "DELETE")
        )
    story.head("preferences")
    for one in PREFERENCES:
        text = json.dumps(one).encode()
        said = [
            tried(lambda text=text, whole=whole: documents.check_preferences("application/json", text, is_whole=whole))
            for whole in (True, False)
        ]
        story.say(f"{inline(one)}: {' | '.join(said)}")
    story.say(
        tried(lambda: documents.check_preferences("text/plain", b"{}", is_whole=False)),
        tried(lambda: documents.check_preferences("application/json", b"{", is_whole=False)),
    )
    story.head("actors")
    account = {"homePage": "https://lms.example", "name": "ann"}
    for actor in ({"account": account}, {"account": account, "name": "Ann", "objectType": "Agent", "mbox": "mailto:a@x.example"}, {"mbox": "mailto:a@x.example"}, {"account": {"name": "ann"}},
                  {"account": {**account, "homePage": "lms"}}, {"account": {**account, "name": ""}}, {"account": account, "objectType": "Group"}, {"account": account, "name": 1}):  # fmt: skip
        story.say(f"{inline(actor)}: {tried(lambda actor=actor: checked_actor(actor))}")

    told(str(story))


PACKAGE = frozenset({"https://p.example/course", "https://p.example/course/1"})
TIN_CAN = LaunchSession(
    id="22222222-2222-4222-8222-222222222222", number=1, registration=REGISTRATION, course="1", index=0, activity="https://p.example/course",
    actor=ACTOR, template={"contextActivities": {"grouping": [{"id": "https://p.example/course"}]}, "extensions": {}}, mode="Normal",
    move_on="CompletedOrPassed", fetch="", launched=NOW, last=NOW, format="tincan", source="content",
)  # fmt: skip


def tin_can(verb: str, target: str = "https://p.example/course", **more: Any) -> dict[str, Any]:
    one = {
        "actor": ACTOR,
        "verb": {"id": VERBS + verb},
        "object": {"id": target},
        "context": {"registration": REGISTRATION},
    }
    return {**one, **more}


SAID_BY_TIN_CAN: list[tuple[str, int, dict[str, Any]]] = [
    # what, so many seconds after what was before, the statement
    ("attempted", 10, tin_can("attempted")),
    ("experienced a slide", 29 * 60, tin_can("experienced", "https://p.example/course/slide")),
    ("after 30 minutes", 30 * 60, tin_can("experienced", "https://p.example/course/slide")),
    ("after 31 minutes", 31 * 60, tin_can("experienced", "https://p.example/course#slide")),
    ("completed a slide", 5, tin_can("completed", "https://p.example/course/slide")),
    ("an activity of others", 5, tin_can("completed", "https://p.example/courses")),
    ("failed", 5, tin_can("failed", result={"score": {"raw": 3, "max": 10}})),
    ("failed with a range", 5, tin_can("failed", result={"score": {"raw": 60, "min": 50, "max": 100}})),
    ("failed, a range that is none", 5, tin_can("failed", result={"score": {"raw": 60, "min": 50, "max": 50}})),
    ("passed", 5, tin_can("passed", result={"score": {"scaled": 0.8}})),
    ("failed after that", 5, tin_can("failed", result={"score": {"scaled": 0.1}})),
    ("completed", 5, tin_can("completed")),
    ("mastered", 5, tin_can("mastered", result={"score": {"raw": 10}})),
    ("the clock goes back", -60, tin_can("experienced")),
    ("another registration", 5, tin_can("experienced", context={"registration": "x"})),
    ("no context", 5, {name: one for name, one in tin_can("experienced").items() if name != "context"}),
    ("somebody else", 5, tin_can("experienced", actor=OTHER)),
    ("another name", 5, tin_can("experienced", actor={**ACTOR, "name": "Ben"})),
    ("a group", 5, tin_can("experienced", actor={**ACTOR, "objectType": "Group"})),
    ("voided", 5, tin_can("voided")),
    ("about an agent", 5, tin_can("experienced", object={"objectType": "Agent", **ACTOR})),
]


def test_tin_can(told):
    story = Story()
    for title, session in {
        "Normal": TIN_CAN,
        "Browse": replace(TIN_CAN, mode="Browse"),
        "over": replace(TIN_CAN, abandoned=NOW),
        "left": replace(TIN_CAN, left=NOW),
        "Passed alone": replace(TIN_CAN, move_on="Passed"),
    }.items():
        story.head(title)
        standing, now = SessionStanding(session, UnitProgress()), NOW
        for case, seconds, one in SAID_BY_TIN_CAN:
            now += seconds * SECOND
            found: list[SessionStanding] = []
            said = tried(
                lambda standing=standing, one=one, now=now, found=found: found.append(
                    tincan.judged(standing, one, now, PACKAGE)
                ),
                lambda _: "",
            )
            shown = inline(differing(plain(standing), plain(found[0]))) if found else said
            story.say(f"{case}: {shown}")
            standing = found[0] if found else standing

    told(str(story))


UNITS = tuple(
    AssignableUnit(f"https://p.example/{at}", {"en": f"Unit {at}"}, {}, "x", f"https://lrs.example/{at}", move_on=rule)
    for at, rule in enumerate(("Passed", "Completed", "NotApplicable", "Passed"))
)
STRUCTURE = Structure(
    "https://p.example/course",
    {"en": "Course"},
    {},
    (
        UNITS[0],
        Block(
            "https://p.example/b",
            {},
            {},
            (UNITS[1], Block("https://p.example/c", {}, {}, (UNITS[2],), "https://lrs.example/c")),
            "https://lrs.example/b",
        ),
        UNITS[3],
    ),
    "https://lrs.example/course",
)
OF_CMI5 = replace(
    OPEN,
    template={
        **OPEN.template,
        "contextActivities": {"grouping": [{"id": "https://p.example/1"}], "other": [{"id": "https://c.example"}]},
    },
    activity="https://lrs.example/1",
    launched=NOW,
    last=NOW + 90 * SECOND,
    url="https://c.example/x",
)


def about(target: Any, *around: str, verb: str = "completed", **context: Any) -> dict[str, Any]:
    activities = {"contextActivities": {"parent": [{"id": one} for one in around]}} if around else {}
    return {
        "actor": ACTOR,
        "verb": {"id": VERBS + verb},
        "object": target if isinstance(target, dict) else {"id": target},
        "context": {**activities, **context},
    }


REACHING = [
    about("https://lrs.example/1"), about("https://lrs.example/1/slide"), about("https://lrs.example/1/slide", verb="experienced"), about("https://p.example/1"),
    about("https://lrs.example/1", "https://lrs.example/b"), about("https://lrs.example/1", "https://p.example/b", "https://p.example/course"), about("https://lrs.example/1", "https://p.example/c"),
    about("https://lrs.example/1", "https://lrs.example/0"), about("https://lrs.example/1", "https://other.example"), about("https://other.example"), about({"objectType": "Agent", **ACTOR}),
    about({"objectType": "Agent", **OTHER}), about({"objectType": "SubStatement"}), about("https://lrs.example/1", instructor=ACTOR), about("https://lrs.example/1", team=ACTOR),
    about("https://lrs.example/1", contextAgents=[]), about("https://lrs.example/1", extensions={"https://w3id.org/engraft/extensions/identifiers": []}), about("https://lrs.example/10"),
]  # fmt: skip


def test_what_content_may_reach_and_what_the_lms_says_itself(told):
    story = Story()
    story.head("reach")
    for one in REACHING:
        target, found = (
            one["object"].get("id") or one["object"].get("objectType"),
            list(reach.faults(OF_CMI5, one, NOW)),
        )
        story.say(f"{target} {inline(one['context'])}: faults {inline(found)}")
        if target != "SubStatement":
            story.say(f"  outside, cmi5: {inline(reach.outside(OF_CMI5, one, STRUCTURE))}")
            story.say(f"  outside, Tin Can: {inline(reach.outside(replace(OF_CMI5, format='tincan'), one, STRUCTURE))}")
            story.say(f"  beside: {inline(sorted(reach.named_beside(OF_CMI5, one)))}")
            story.say(
                f"  of a part: {reach.is_of_a_part(OF_CMI5, one)}, type {reach.type_in_package(replace(OF_CMI5, activity_type='t'), one, STRUCTURE)!r}"
            )
    for minutes in (-91, -90, 90, 91):
        at = {"timestamp": f"2026-11-21T{12 + minutes // 60:02}:{minutes % 60:02}:00Z"}
        story.say(
            f"{minutes} minutes: {inline(list(reach.faults(OF_CMI5, {**about('https://lrs.example/1'), **at}, NOW)))}"
        )
    story.head("statements of the LMS")
    registration = Registration(REGISTRATION, 1, "1", 1, ACTOR, NOW)
    for said in (launched(OF_CMI5, UNITS[1], "a=1"), launched(replace(OF_CMI5, mastery_score=None, format="tincan", activity_type="https://t.example"), UNITS[1], ""), abandoned(OF_CMI5, "https://p.example/1"),
                 waived(registration, UNITS[1], "Done before", "s"), waived(replace(registration, format="scorm"), UNITS[1], "Done", "s"), satisfied(registration, STRUCTURE, "s"),
                 satisfied(registration, STRUCTURE.children[1], "s"), satisfied(registration, replace(STRUCTURE, activity_type="https://t.example"), "s")):  # fmt: skip
        story.say(tree(said))
    story.head("what is satisfied")
    done = UnitProgress(satisfied=True)
    for some in ((), (0,), (1,), (0, 1), (0, 1, 3), (3,)):
        known = replace(registration, units={UNITS[at].activity: done for at in some})
        story.say(
            f"units {some}: {[one.id for one in newly_satisfied(STRUCTURE, known)]}; once more: {[one.id for one in newly_satisfied(STRUCTURE, replace(known, satisfied=('https://lrs.example/c', 'https://lrs.example/b')))]}"
        )

    told(str(story))


CORE = {
    "lesson_status": "incomplete",
    "score": {"raw": "", "min": "", "max": ""},
    "session_time": "0000:10:00",
    "total_time": "0000:20:00",
    "exit": "",
}


def commit(
    status: str = "incomplete",
    *,
    ended: bool = False,
    gone: bool = False,
    raw: str = "",
    least: str = "",
    most: str = "",
    **more: Any,
) -> bytes:
    core = {**CORE, "lesson_status": status, "score": {"raw": raw, "min": least, "max": most}, **more.pop("core", {})}
    return json.dumps({"cmi": {"core": core, **more}, "ended": ended, "gone": gone}).encode()


ANSWERS = {"0": {"id": "q 1", "type": "choice", "student_response": "a", "result": "wrong", "correct_responses": {"0": {"pattern": "b"}}, "latency": "0000:00:05", "weighting": "1"},
           "10": {"id": "q10", "type": "true-false", "student_response": "t", "result": "correct"}, "2": {"id": "q2", "type": "fill-in", "student_response": "x", "result": "neutral"},
           "3": {"id": "", "student_response": "x"}, "4": {"id": "q4", "type": "none", "result": "unanticipated"}, "x": {"id": "q5"}}  # fmt: skip
COMMITS: list[tuple[str, bytes]] = [
    ("nothing", b"{}"), ("no object", b"[]"), ("begun", b'{"began": true}'), ("no JSON", b"{"), ("plain", commit()), ("a status that is none", commit("done")),
    ("everything", commit("passed", raw="80", least="0", most="100", ended=True, suspend_data="x" * 10, comments="Well", objectives={"0": {"id": "o", "status": "passed", "score": {"raw": "1", "min": ""}}},
                          interactions=ANSWERS, student_preference={"audio": "5", "speed": "", "language": "en"}, core={"lesson_location": "p3", "exit": "suspend"})),
    ("numbers as numbers", json.dumps({"cmi": {"core": {"score": {"raw": 80.5, "min": 0, "max": True}}}}).encode()),
    ("a score of words", commit(raw="many")), ("a score of too many digits", commit(raw="1234567890")), ("gone", commit(gone=True)), ("a long location", commit(core={"lesson_location": "x" * 1001})),
]  # fmt: skip
SCORES = [
    ("", "", ""),
    ("80", "", ""),
    ("80", "0", "100"),
    ("80", "50", "100"),
    ("80", "", "200"),
    ("101", "", ""),
    ("-1", "", ""),
    ("-1", "-10", ""),
    ("5", "5", "5"),
    ("0", "0", "0"),
    ("100", "", ""),
]
TIMES = ["0000:00:00", "00:00:30", "0001:30:15.5", "12345:00:00", "1:00:00", "0000:60:00", "9999:59:59.99", "", "PT1H"]
UNIT = AssignableUnit(
    "https://p.example/sco",
    {"en": "SCO", "cy": ""},
    {},
    "index.html",
    "https://lrs.example/sco",
    move_on="CompletedOrPassed",
    mastery_score=0.8,
    launch_parameters="room=2",
    longest="0001:00:00",
    when_over="exit,message",
)
SCORM = replace(
    TIN_CAN,
    activity="https://lrs.example/sco",
    format="scorm",
    mastery_score=0.8,
    template={"contextActivities": {"grouping": [{"id": "https://p.example/sco"}]}, "extensions": {}},
    url="https://c.example/index.html",
    return_url="https://b.example",
)
ONE_BY_ONE: list[tuple[str, bytes]] = [
    ("incomplete", commit()), ("failed, goes on", commit("failed", raw="20")), ("failed, ended", commit("failed", raw="20", ended=True)), ("completed", commit("completed", raw="50")),
    ("passed", commit("passed", raw="90")), ("failed after that", commit("failed", raw="10", ended=True)), ("browsed", commit("browsed")), ("passed again, lower", commit("passed", raw="85", ended=True)),
]  # fmt: skip
MARKED = [
    ("passed", "79.9", True),
    ("passed", "80", True),
    ("failed", "80", True),
    ("failed", "80", False),
    ("incomplete", "79", True),
    ("completed", "", True),
    ("completed", "95", True),
]


def test_scorm(told):
    story = Story()
    story.head("commits")
    story.extend(f"{case}: {tried(lambda text=text: read_commit(text), tree)}" for case, text in COMMITS)
    story.head("scores")
    for raw, least, most in SCORES:
        found = read_commit(commit(raw=raw, least=least, most=most)).cmi
        assert found
        story.say(f"{raw} from {least} to {most}: {found.score.scaled if found.score else None} {inline(found.score)}")
    story.head("times")
    story.extend(f"{one!r}: {seconds_of(one)} {timespan_of(seconds_of(one))}" for one in TIMES)
    story.say(" ".join(timespan_of(one) for one in (-1, 0, 0.004, 0.005, 59.996, 3_600, 35_999_999.99, 10**9)))
    story.head("judged by the pass mark of 80")
    for status, raw, ended in MARKED:
        cmi = read_commit(commit(status, raw=raw)).cmi
        assert cmi
        story.say(
            f"{status} {raw} {'at the end' if ended else ''}: {scorm_progress.as_judged(cmi, 0.8, ended=ended).status}, without a mark {scorm_progress.as_judged(cmi, None, ended=ended).status}"
        )
    for mode in ("Normal", "Browse"):
        story.head(f"one after the other, {mode}")
        standing = SessionStanding(replace(SCORM, mode=mode), UnitProgress())
        for case, text in ONE_BY_ONE:
            told_now = read_commit(text)
            assert told_now.cmi
            after = scorm_progress.after(standing, told_now.cmi, NOW, ended=told_now.ended)
            news = list(scorm_progress.news(told_now.cmi, standing.progress, ended=told_now.ended))
            story.say(f"{case}: {news} {inline(differing(plain(standing), plain(after)))}")
            standing = after
    tell_statements(story)

    told(str(story))


def tell_statements(story: Story) -> None:
    attempt = ScormAttempt(SCORM, STRUCTURE, UNIT, "https://lrs.example/sco?attemptId=1", "2026-11-21T12:00:00Z")
    story.head("statements")
    for resumed in (False, True):
        story.say(tree(scorm_statements.begun(attempt, resumed=resumed)))
    for status in ("passed", "completed", "failed", "incomplete", "browsed"):
        cmi = read_commit(commit(status, raw="90")).cmi
        assert cmi
        story.say(f"{status}: {tree(scorm_statements.ended(attempt, cmi, suspended=status == 'incomplete'))}")
    cmi = read_commit(commit("passed", raw="101")).cmi
    assert cmi
    story.extend(
        f"{verb}: {inline(scorm_statements.judged(attempt, verb, cmi)['result'])}"
        for verb in ("passed", "completed", "failed")
    )
    story.say(tree(scorm_statements.commented(attempt, "Well")))
    full = read_commit(COMMITS[6][1]).cmi
    assert full
    story.head("answers")
    story.extend(map(tree, scorm_statements.responded(attempt, full.interactions, ())))
    changed = (replace(full.interactions[0], response="b"), *full.interactions[1:])
    story.say(f"changed: {[one['result'] for one in scorm_statements.responded(attempt, changed, full.interactions)]}")
    story.head("what the player begins with")
    for session, kept in (
        (SCORM, None),
        (replace(SCORM, mode="Review"), KeptAttempt(full)),
        (SCORM, KeptAttempt(full, ended=True)),
        (SCORM, KeptAttempt(replace(full, left=""), ended=True)),
        (replace(SCORM, mastery_score=None), KeptAttempt(cmi)),
    ):
        story.say(tree(told_of_begin(session, UNIT, kept)))
