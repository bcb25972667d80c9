"""A training centre, told whole: its files, and a day on its pages with every mark, signature, seat and refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapters.lms.sessions.place import LmsPlace
from adapters.reading.people import Ifi, mailbox
from adapters.reading.vocabulary import iri
from adapters.training_centre import acts, checklists, hosts, learner_routes, marks, seats
from adapters.training_centre.attendees import AttendanceMark
from adapters.training_centre.centre_sessions import Marker
from adapters.training_centre.checklist_table import read_checklists, typed, typed_steps
from adapters.training_centre.checklists import Checklist, ChecklistStep
from adapters.training_centre.filed import KeptFiled, filed
from adapters.training_centre.known_people import entries, known_people
from adapters.training_centre.marking import MOST_ATTEMPTS
from adapters.training_centre.planning import changed_in, people_in, session_in
from adapters.training_centre.told import result_of
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.times import DAY, HOUR, MINUTE
from lrs.people import persons
from lrs.people.ids import ids_of
from lrs.tenancy import audit
from lrs.xapi.statements.identity import Identifier, identifier_of
from tests.adapters.training_centre.made import NINE, Centre
from tests.told.office import Office, opened
from tests.told.story import Changes, Story, differing, inline, plain, rows, tree, tried

OBSERVER = "tess@centre.example"
SESSIONS: list[tuple[str, dict[str, str]]] = [
    ("as planned", {}),
    (
        "at another centre, of a course",
        {"session_id": "S2", "centre_id": "south", "activity_id": "https://x.example/c"},
    ),
    ("a course that is no IRI", {"session_id": "S3", "activity_id": "course 7"}),
    ("ends when it begins", {"session_id": "S4", "ends_at": "09:00"}),
    ("ends a minute later", {"session_id": "S5", "ends_at": "09:01"}),
    ("of another kind", {"session_id": "S6", "kind": "Seminar"}),
    ("of no kind", {"session_id": "S7", "kind": "party"}),
    ("cancelled", {"session_id": "S8", "status": "called off"}),
    ("scheduled", {"session_id": "S9", "status": "booked"}),
    ("instructor by name", {"session_id": "S10", "instructor": "Tess  Okoro"}),
    ("instructor at no address", {"session_id": "S11", "instructor": "tess@centre"}),
    ("no title", {"session_id": "S12", "title": ""}),
    ("described twice", {"title": "Other"}),
    ("the same again", {}),
    ("this afternoon", {"session_id": "S13", "starts_at": "2026-11-21 14:00", "ends_at": "15:00"}),
    ("in two days", {"session_id": "S14", "starts_at": "2026-11-23 14:00", "ends_at": "15:00"}),
    ("when clocks skip", {"session_id": "S15", "starts_at": "2026-03-29 01:30", "ends_at": "03:00"}),
    ("unusable, later told well", {"session_id": "S4", "ends_at": "10:00"}),
]
ROSTERS: list[tuple[str, dict[str, str]]] = [
    (
        "present",
        {
            "learner_ref": "L1",
            "uln": "1000000108",
            "attendance": "Present",
            "given_names": "Ada",
            "family_name": "Byrne",
        },
    ),
    ("late", {"learner_ref": "L2", "attendance": "late"}),
    ("left early", {"learner_ref": "L3", "attendance": "left", "minutes": "30"}),
    ("excused, with minutes", {"learner_ref": "L4", "attendance": "sick", "minutes": "30"}),
    ("absent, with times", {"learner_ref": "L5", "attendance": "DNA", "check_in_at": "09:00", "check_out_at": "09:30"}),
    ("unmarked", {"learner_ref": "L6"}),
    ("came and left", {"learner_ref": "L7", "attendance": "p", "check_in_at": "08:55", "check_out_at": "16:40"}),
    ("left as they came", {"learner_ref": "L8", "attendance": "p", "check_in_at": "09:00", "check_out_at": "09:00"}),
    (
        "left before they came",
        {"learner_ref": "L9", "attendance": "p", "check_in_at": "09:00", "check_out_at": "08:59"},
    ),
    (
        "minutes beside times",
        {"learner_ref": "L10", "attendance": "p", "check_in_at": "09:00", "check_out_at": "10:00", "minutes": "45"},
    ),
    ("only came", {"learner_ref": "L11", "attendance": "p", "check_in_at": "09:05"}),
    ("lives somewhere", {"learner_ref": "L12", "attendance": "p", "postcode_district": "sg1 2fx"}),
    ("lives nowhere", {"learner_ref": "L13", "attendance": "p", "postcode_district": "Leeds"}),
    ("came to a cancelled one", {"session_id": "S8", "learner_ref": "L1", "attendance": "p"}),
    ("absent at a cancelled one", {"session_id": "S8", "learner_ref": "L2", "attendance": "absent"}),
    ("came to a scheduled one", {"session_id": "S9", "learner_ref": "L1", "attendance": "p"}),
    ("session without an instructor", {"session_id": "S11", "learner_ref": "L1", "attendance": "p"}),
    ("session that is not there", {"session_id": "S99", "learner_ref": "L1", "attendance": "p"}),
    ("session that cannot be used", {"session_id": "S7", "learner_ref": "L1", "attendance": "p"}),
    ("the instructor attends", {"email": OBSERVER, "attendance": "p"}),
    ("today, to come", {"session_id": "S13", "learner_ref": "L1", "attendance": "p"}),
    ("not yet", {"session_id": "S14", "learner_ref": "L1", "attendance": "p"}),
    (
        "checked in too early to be true",
        {"session_id": "S13", "learner_ref": "L2", "attendance": "p", "check_in_at": "2026-11-22 12:01"},
    ),
    (
        "checked in within a day",
        {"session_id": "S13", "learner_ref": "L3", "attendance": "p", "check_in_at": "2026-11-22 12:00"},
    ),
    ("once more", {"learner_ref": "L2", "attendance": "late"}),
    ("once more, otherwise", {"learner_ref": "L2", "attendance": "present"}),
    ("nobody", {"attendance": "p"}),
]


def seen(learner: str, checklist: str, *steps: str, **more: str) -> list[dict[str, str]]:
    """The rows of a checklist; a step is its name, its result, and ``!`` if it is critical."""
    told = []
    for step in steps:
        name, result = step.rstrip("!").split("=")
        critical = "yes" if step.endswith("!") else "no"
        who = {"learner_ref": learner, "checklist_id": checklist, "step_id": name, "result": result}
        told.append({**who, "critical": critical, "observer": OBSERVER} | more)
    return told


SEEN: list[tuple[str, list[dict[str, str]]]] = [
    ("all passed", seen("L1", "gowning@2", "hands=pass!", "hood=pass", observed_at="09:30")),
    ("critical failed", seen("L1", "wash", "hands=fail!", "hood=pass")),
    ("critical does not apply", seen("L1", "mask", "hands=na!", "hood=pass", "gloves=fail", pass_percent="50%")),
    ("just enough", seen("L2", "gowning@2", "a=pass", "b=pass", "c=pass", "d=pass", "e=fail", pass_percent="80")),
    ("not enough", seen("L7", "gowning@2", "a=pass", "b=pass", "c=pass", "d=pass", "e=fail", pass_percent="81")),
    ("none of the others asked for", seen("L7", "wash", "a=fail", "b=pass!", pass_percent="0")),
    ("nothing applies", seen("L7", "mask", "a=na", "b=na")),
    ("a step twice", seen("L8", "gowning", "a=pass", "a=pass")),
    ("two percentages", [*seen("L8", "wash", "a=pass", pass_percent="80"), *seen("L8", "wash", "b=pass")]),
    ("two observers", [*seen("L8", "mask", "a=pass"), *seen("L8", "mask", "b=pass", observer="sue@centre.example")]),
    ("second observer", seen("L10", "gowning", "a=pass", second_observer="sue@centre.example")),
    ("the same observer twice", seen("L10", "wash", "a=pass", second_observer="Tess@Centre.example")),
    ("themselves", seen("L10", "mask", "a=pass", observer="l10")),
    ("by name", seen("L1", "visor", "a=pass", observer="Byrne, Ada", given_names="Ada", family_name="Byrne")),
    ("no observer", seen("L10", "visor", "a=pass", observer="")),
    ("second attempt", seen("L1", "gowning@2", "hands=fail!", "hood=pass", attempt="2")),
    ("attempt that is no number", seen("L1", "clock", "hands=fail!", attempt="last")),
    ("one step unreadable", [*seen("L11", "gowning", "a=pass"), *seen("L11", "gowning", "b=perhaps")]),
    ("a row without its step", [*seen("L11", "wash", "a=pass"), {**seen("L11", "wash", "b=pass")[0], "step_id": ""}]),
    ("a row of nobody", [*seen("L12", "lamp", "a=pass"), *seen("", "lamp", "c=pass")]),
    ("of who was absent", seen("L5", "gowning", "a=pass")),
    ("of who left early", seen("L3", "visor", "a=pass")),
    ("at a cancelled session", seen("L1", "gowning", "a=pass", session_id="S8")),
    ("after the session", seen("L1", "shoes", "a=pass", observed_at="2026-11-22 12:01")),
    ("without a time", seen("L2", "shoes", "a=pass", session_id="S5")),
    ("at a scheduled session", seen("L1", "shoes", "a=pass", session_id="S9")),
    ("two names", [*seen("L1", "belt", "a=pass"), {**seen("", "belt", "b=pass")[0], "uln": "1000000108"}]),
    ("under an address", seen("L1", "https://x.example/checklists/9@3", "a=pass")),
    ("a percentage that is none", seen("L2", "belt", "a=pass", pass_percent="0.8")),
]
USUAL = {
    "record": "session",
    "session_id": "S1",
    "title": "Gowning",
    "starts_at": "2026-11-20 09:00",
    "ends_at": "17:00",
    "instructor": OBSERVER,
}


def table(told: list[tuple[str, dict[str, str]]]) -> tuple[str, dict[int, str]]:
    names = sorted({name for _, row in told for name in row})
    lines = [names, *([f'"{row.get(name, "")}"' for name in names] for _, row in told)]
    return "\n".join(map(",".join, lines)) + "\n", {at: case for at, (case, _) in enumerate(told, 2)}


def whole(*, district: bool = True) -> list[tuple[str, dict[str, str]]]:
    told = [(f"session {case}", USUAL | row) for case, row in SESSIONS]
    told += [(f"roster {case}", {"record": "roster", "session_id": "S1"} | row) for case, row in ROSTERS]
    some = [(case, {"record": "observation", "session_id": "S1"} | row) for case, rows in SEEN for row in rows]
    told += some
    told += [("no record", {"session_id": "S1", "learner_ref": "L1"}), ("a record that is none", {"record": "bill"})]
    return (
        told if district else [(case, {n: c for n, c in row.items() if n != "postcode_district"}) for case, row in told]
    )


JISC = (
    "student_id,event_id,event_name,event_type,event_description,event_attended,attendance_late,attendance_category,"
    "start_time,end_time,staff_id\n"
    "s1,e 1,Lecture,lecture,About gowns,1,0,L,2026-11-20T09:00:00Z,2026-11-20T10:00:00Z,t1\n"
    "s2,e 1,Lecture,lecture,About gowns,1,1,,2026-11-20T09:00:00Z,2026-11-20T10:00:00Z,t1\n"
    "s3,e 1,Lecture,lecture,About gowns,0,1,,2026-11-20T09:00:00Z,2026-11-20T10:00:00Z,t1\n"
    "s4,e 1,Lecture,,,,,,2026-11-20T09:00:00Z,2026-11-20T10:00:00Z,\n"
    "s5,e 2,Lecture,,,1,,,2026-13-20T09:00:00Z,2026-11-20T10:00:00Z,t1\n"
    "s6,e 2,Lecture,,,1,,,2026-11-23T09:00:00Z,2026-11-23T10:00:00Z,t1\n"
    "t1,e 2,Lecture,,,1,,,2026-11-20T09:00:00Z,2026-11-20T10:00:00Z,t1\n"
    ",e 2,Lecture,,,1,,,2026-11-20T09:00:00Z,2026-11-20T10:00:00Z,t1\n"
)


def test_files_of_a_training_centre(told, office):
    story = Story()
    text, named = table(whole())
    bring(story, office, "the first", text, named)
    later = [
        ("session", USUAL | {"title": "Gowning, practical"}),
        ("late corrected", {"record": "roster", "session_id": "S1", "learner_ref": "L2", "attendance": "present"}),
        ("not marked any more", {"record": "roster", "session_id": "S1", "learner_ref": "L7"}),
        (
            "no district any more",
            {"record": "roster", "session_id": "S1", "learner_ref": "L12", "attendance": "p", "postcode_district": ""},
        ),
        *(
            ("a step corrected", {"record": "observation", "session_id": "S1"} | row)
            for row in seen("L1", "wash", "hands=pass!", "hood=pass")
        ),
    ]
    text, named = table(later)
    bring(story, office, "a later one", text, named)
    text, named = table(
        [
            *later[:1],
            (
                "as before, no column of districts",
                {"record": "roster", "session_id": "S1", "learner_ref": "L12", "attendance": "p"},
            ),
        ]
    )
    bring(story, office, "without districts", text, named)
    bring(story, office, "as Jisc has it", JISC, {}, provider="jisc")

    told(str(story))


def bring(story: Story, office: Office, title: str, text: str, named: dict[int, str], **more: str) -> None:
    story.head(title)
    story.say(tried(lambda: office.bring("training-centre", text, **more), lambda found: "\n".join(rows(found, named))))
    story.extend(office.statements.new())


class Day:
    """A centre whose acts are told: what each gives or why it is refused, what it changes, and what follows."""

    def __init__(self, office: Office, now: list[int]) -> None:
        self.office, self.tenant, self.now = office, office.tenant, now
        self.centre = Centre(office.tenant, now)
        self.story = Story()
        self.changes = Changes(
            office.tenant.store,
            ("centre-session", "attendee", "checklist", "checklist-version", "learner-route", "one-time-link"),
        )

    def act(self, title: str, act: Callable[[], Any]) -> Any:
        found: list[Any] = []
        said = tried(lambda: found.append(act()), lambda _: "done")
        self.story.say(f"- {title}: {said}")
        self.story.extend(f"    {line}" for told in self.changes.new() for line in told.splitlines())
        self.story.extend(f"    {line}" for told in self.office.statements.new() for line in told.splitlines())
        return found[0] if found else None

    def audited(self) -> None:
        self.story.head("recorded, newest first")
        self.story.extend(
            f"{one.action} by {one.by} {inline(one.about)}" for one in audit.newest(self.tenant.store, 500)
        )


@pytest.fixture
def day(tmp_path, draws):
    assert draws
    now = [NINE]
    with opened(tmp_path, clock=lambda: now[0]) as office:
        yield Day(office, now)


STEPS = (
    ChecklistStep("hands", "Hands washed", critical=True),
    ChecklistStep("hood", "Hood first"),
    ChecklistStep("belt", "Belt"),
)


def test_a_day_at_a_centre(told, day):
    centre, act, story = day.centre, day.act, day.story
    story.head("before")
    known = act("a checklist", lambda: centre.checklist(*STEPS, percent=50))
    session = act("a session", lambda: centre.session(known))
    act("the same number again", lambda: centre.session(known))
    act("of another centre", lambda: acts.make(centre.day(centres=frozenset({"south"})), session))

    def enrol(text: str) -> Callable[[], Any]:
        people = lambda: people_in(text, iri("providers", "north"), session.id, day.now[0], "test")
        return lambda: acts.enrol(centre.day(), session.id, people())

    act("one more", enrol("Dan Dale, dan@learners.example"))
    act("who is there", enrol("Anna, ANN@learners.example"))
    act("who teaches", enrol("Tess, tess@centre.example"))
    day.now[0] = session.starts - HOUR - 2 * MINUTE
    act("marked more than an hour early", lambda: centre.came(session, "Ann", "present"))
    day.now[0] = session.starts - HOUR - MINUTE
    act("an hour early", lambda: centre.came(session, "Ann", "present"))
    day.now[0] = session.starts
    story.head("marks")
    act("the same again, with nothing seen", lambda: centre.came(session, "Ann", "present", seen=0))
    act("another, with nothing seen", lambda: centre.came(session, "Ann", "late", seen=0))
    act("corrected", lambda: centre.came(session, "Ann", "late"))
    act("absent", lambda: centre.came(session, "Ben", "absent"))
    ann = Marker(mailbox("Ann@learners.example"), "Ann", "learner")
    own = AttendanceMark("present", session.starts, ann)
    act("by themselves", lambda: marks.mark_attendance(centre.day(), session.id, centre.who(session, "Ann").id, own, 2))
    act("a step of who is absent", lambda: centre.saw(session, "Ben", "hands", "pass"))
    act("a step that is none", lambda: centre.saw(session, "Ann", "boots", "pass"))
    act("hands", lambda: centre.saw(session, "Ann", "hands", "pass"))
    act("absent after a step", lambda: centre.came(session, "Ann", "absent"))
    act("hood", lambda: centre.saw(session, "Ann", "hood", "fail"))
    act(
        "an attempt before its end",
        lambda: marks.begin_attempt(centre.day(), session.id, centre.who(session, "Ann").id),
    )
    act("belt", lambda: centre.saw(session, "Ann", "belt", "na"))
    act("second attempt", lambda: marks.begin_attempt(centre.day(), session.id, centre.who(session, "Ann").id))
    act("hands again", lambda: centre.saw(session, "Ann", "hands", "fail"))
    act("all present", lambda: marks.all_present(centre.day(), session.id))
    act("hood of all others", lambda: marks.pass_others(centre.day(), session.id, "hood", 1))
    act("of another version", lambda: marks.pass_others(centre.day(), session.id, "hood", 2))
    act("leaves, with marks", lambda: marks.leave(centre.day(), session.id, centre.who(session, "Ben").id, ""))
    act("version, with marks", lambda: acts.use_version(centre.day(), session.id))
    act("changed, with marks", lambda: acts.change(centre.day(), session.id, {}, ""))
    act("cancelled, with marks", lambda: acts.cancel(centre.day(), session.id, ""))
    story.say(*acts.open_in(day.tenant.store, centre.read(session)))
    story.head("closed")
    act("closed", lambda: acts.close(centre.day(), session.id))
    act("closed again", lambda: acts.close(centre.day(), session.id))
    act("corrected without why", lambda: centre.came(session, "Ben", "present"))
    act("corrected", lambda: centre.came(session, "Ben", "present", why="He was in the other room"))
    act("corrected in many words", lambda: centre.came(session, "Ben", "late", why="x" * 301))
    for step, result in (("hands", "pass"), ("hood", "pass"), ("belt", "fail")):
        act(
            f"{step} of Ben",
            lambda step=step, result=result: centre.saw(session, "Ben", step, result, why="Seen there"),
        )
    act("taken back", lambda: centre.saw(session, "Ben", "hood", "", why="Another one"))
    act("all present", lambda: marks.all_present(centre.day(), session.id))
    act("attempt", lambda: marks.begin_attempt(centre.day(), session.id, centre.who(session, "Ann").id))
    act("of who was added after", enrol("Eve Ely, L9"))
    story.extend(f"{one.name}: {result_of(centre.read(session), one, known)}" for one in centre.everybody(session))
    story.head("sessions that statements tell of")
    story.say(tree(filed(day.tenant, ["north"], KeptFiled())))
    day.audited()

    told(str(story))


def test_signatures_and_attempts(told, day):
    centre, act = day.centre, day.act
    known = act("a checklist that two sign", lambda: centre.checklist(*STEPS[:2], signatures=2))
    session = act(
        "a session",
        lambda: centre.session(known, "Ann, ann@x.example\nBen, ben@x.example\nTess, tess@centre.example", lead="ray"),
    )
    day.now[0] = session.starts
    sign = lambda who, by, attempt=1: centre.signs(session, who, by, attempt)
    act("nothing to sign yet", lambda: sign("Ann", "sue"))
    act("marks", lambda: [centre.came(session, name, "present") for name in ("Ann", "Ben")])
    act("steps", lambda: [centre.saw(session, "Ann", step, "pass") for step in ("hands", "hood")])
    act("by who marked", lambda: sign("Ann", "tess"))
    act("of an attempt that is none", lambda: sign("Ann", "sue", 2))
    act("by another", lambda: sign("Ann", "sue"))
    act("signed again", lambda: sign("Ann", "kim"))
    act("a step is corrected", lambda: centre.saw(session, "Ann", "hood", "fail", by="kim"))
    act("by who marked of late", lambda: sign("Ann", "kim"))
    act("by another once more", lambda: sign("Ann", "sue"))
    for number in range(2, MOST_ATTEMPTS + 2):
        begin = lambda: marks.begin_attempt(centre.day(), session.id, centre.who(session, "Ben").id)
        act(
            f"steps of attempt {number - 1}",
            lambda: [
                centre.saw(session, "Ben", step, "na" if step == "hood" else "pass") for step in ("hands", "hood")
            ],
        )
        act(f"attempt {number}", begin)
    act("nothing applies", lambda: [centre.saw(session, "Tess", step, "na", by="ray") for step in ("hands", "hood")])
    act("of themselves", lambda: centre.came(session, "Tess", "present"))
    day.story.say(*acts.open_in(day.tenant.store, centre.read(session)))
    act("closed", lambda: acts.close(centre.day(), session.id))

    told(str(day.story))


def test_seats_that_learners_book(told, day):
    centre, act, place = day.centre, day.act, LmsPlace(day.tenant, SUBSCRIPTIONS, "https://lrs.example/t/default")
    people = {name: _person(day.tenant, mailbox(f"{name}@x.example")) for name in ("ann", "ben", "cleo", "dan")}
    write = lambda decide: day.tenant.store.write(decide).result()
    book = lambda who, one: lambda: write(lambda tx: seats.book(tx, place, one.id, people[who], who))
    back = lambda who, one: lambda: write(lambda tx: seats.give_back(tx, place, one.id, [people[who]], who))
    ahead = {"date": "2026-11-23", "opened": "yes", "seats": "2", "place": "Leeds"}
    session = act("a session with two seats", lambda: centre.session(None, "Zed, zed@x.example", **ahead))
    closed = centre.session(None, "", number="S2", date="2026-11-23")
    begun = centre.session(None, "", number="S3", opened="yes")
    act("not open", book("ann", closed))
    day.now[0] = begun.starts
    act("begun", book("ann", begun))
    day.now[0] -= 1
    act("not quite begun", book("ann", begun))
    act("a seat", book("ann", session))
    act("twice", book("ann", session))
    act("none left", book("ben", session))
    act("twice on the list", book("ben", session))
    act("none left", book("cleo", session))
    act("nobody's", back("dan", session))
    act("from the list", back("ben", session))
    act("gives back", back("ann", session))
    act("once more", book("ann", session))
    act("Zed leaves", lambda: marks.leave(centre.day(), session.id, centre.who(session, "Zed").id, place.root))
    act("three seats", lambda: acts.change(centre.day(), session.id, {**FORM, "seats": "3"}, place.root))
    act(
        "another day and place",
        lambda: acts.change(
            centre.day(), session.id, {**FORM, "seats": "3", "date": "2026-11-24", "place": "York"}, place.root
        ),
    )
    act(
        "nothing new",
        lambda: acts.change(
            centre.day(), session.id, {**FORM, "seats": "3", "date": "2026-11-24", "place": "York"}, place.root
        ),
    )
    act("book once more", book("dan", session))
    act("and wait", book("ben", session))
    act("cancelled", lambda: acts.cancel(centre.day(), session.id, place.root))
    act("of a cancelled one", back("ann", session))
    act("book a cancelled one", book("ben", session))
    act(
        "leaves a cancelled one",
        lambda: marks.leave(centre.day(), session.id, centre.who(session, "cleo").id, place.root),
    )
    act("close a cancelled one", lambda: acts.close(centre.day(), session.id))
    for name in ("cleo", "ben"):
        act(f"{name} is at a cancelled one", lambda name=name: centre.came(session, name, "present"))
    act("close one to come", lambda: acts.close(centre.day(), closed.id))
    day.now[0] = closed.starts - DAY
    act("close one of tomorrow", lambda: acts.close(centre.day(), closed.id))
    day.now[0] = begun.starts
    act("gives back what has begun", back("ann", begun))
    full = centre.session(
        None, "Zed, zed@x.example", number="S4", opened="yes", seats="1", starts="13:00", ends="14:00"
    )
    act("waits", book("ben", full))
    day.now[0] = full.starts
    act("who waits is there", lambda: centre.came(full, "ben", "present"))
    act("all present but who waits", lambda: marks.all_present(centre.day(), full.id))
    day.story.extend(f"{one.name}: {one.mark and one.mark.value}" for one in centre.everybody(full))
    day.story.head("mails")
    day.story.extend(tree(one) for one in day.office.mails())
    day.audited()

    told(str(day.story))


FORM = {"title": "Gowning", "date": "2026-11-23", "starts": "11:00", "ends": "11:40", "place": "Leeds"}


def _person(tenant, who: Ifi) -> str:
    ids, known = ids_of(tenant), identifier_of(who.agent().as_version())
    named = Identifier(ids(known.id), known.ifi, known.sort)
    name = who.written.partition("@")[0]
    tenant.store.write(lambda tx: persons.ensure(tx, [named], lambda _: name)).result()
    return name


def test_hours_at_a_host(told, day):
    centre, act, tenant = day.centre, day.act, day.tenant
    session = act(
        "a placement",
        lambda: centre.session(
            None,
            "Cleo, 1000000108\nBen, ben@x.example\nAnn, ann@x.example\nDan, dan@x.example",
            lead="ray",
            kind="placement",
            host="Cell Works",
            hours="37,5",
        ),
    )
    other = centre.session(None, "Ann, ann@x.example", number="S2")
    day.now[0] = session.starts
    ask = lambda who, name, address, one=session: (
        lambda: hosts.ask(centre.day("tess"), one.id, centre.who(one, who).id, (name, address), "https://h").token
    )
    act("hours elsewhere", ask("Ann", "Sue", "sue@host.example", other))
    act("nobody", ask("Ann", " ", "sue@host.example"))
    act("no address", ask("Ann", "Sue", "sue at host"))
    act("themselves", ask("Ann", "Ann", "ANN@x.example"))
    act("who asks", ask("Ann", "Tess", "tess@centre.example"))
    act("who runs it", ask("Ann", "Ray", "Ray@centre.example"))
    first = act("asked", ask("Ann", " Sue  Shaw ", "sue@host.example"))
    second = act("asked anew", ask("Ann", "Sue Shaw", "sue@host.example"))
    answer = lambda token, hours, said="": lambda: hosts.answer(tenant, SUBSCRIPTIONS, token, hours, said)
    act("by the first link", answer(first, 30.0))
    for hours in (0.0, -1.0, 2_000.1):
        act(f"{hours} hours", answer(second, hours))
    act("not, and why not", answer(second, None))
    act("not, in many words", answer(second, None, "x" * 301))
    act("30.25 hours", answer(second, 30.25, " Well done "))
    act("again", answer(second, 10.0))
    act("asked after that", ask("Ann", "Sue Shaw", "sue@host.example"))
    ben = act("asked of Ben", ask("Ben", "Sue Shaw", "sue@host.example"))
    act("not confirmed", answer(ben, None, "He never came"))
    dan = act("asked of Dan", ask("Dan", "Sue Shaw", "sue@host.example"))
    day.now[0] += 40 * DAY
    act("too late", answer(dan, 5.0))
    for given in (
        {"answer": "yes", "hours": "7:30"},
        {"answer": "yes", "hours": ""},
        {"answer": "no", "hours": "7"},
        {"answer": "yes", "hours": "many"},
    ):
        day.story.say(f"{inline(given)}: {tried(lambda given=given: hosts.hours_in(given))}")
    day.story.say(*acts.open_in(tenant.store, centre.read(session)))
    act("closed", lambda: acts.close(centre.day(), session.id))
    day.story.head("mails")
    day.story.extend(tree(one) for one in day.office.mails())
    day.audited()

    told(str(day.story))


CHECKLISTS = """checklist,title,step,text,critical,pass percent,signatures
gowning,Gowning,hands,Hands washed,yes,80,2
gowning,,hood,Hood first,no,,
wash,,,Soap,y,,
wash,,,Water,,90,
twice,Twice,a,One,,,
twice,,a,Two,,,
differ,Differ,,One,,80,
differ,,,Two,,90,
share,Share,,One,,0.8,
sign,Sign,,One,,,3
no text,No text,,,,,
blank name,Blank,,One,,,
empty,Empty,x y,One,,,
"""
FORMS: list[tuple[str, dict[str, str]]] = [
    ("as it is", {}),
    ("no title", {"title": " "}),
    ("title of 200", {"title": "x" * 200}),
    ("title of 201", {"title": "x" * 201}),
    ("no kind", {"kind": ""}),
    ("no day", {"date": ""}),
    ("no beginning", {"starts": ""}),
    ("no end", {"ends": ""}),
    ("25:00", {"starts": "25:00"}),
    ("no such day", {"date": "2026-02-30"}),
    ("ends at once", {"ends": "11:00"}),
    ("over night", {"until": "2026-11-22", "ends": "01:00"}),
    ("a year", {"until": "2027-11-22", "ends": "11:00"}),
    ("more than a year", {"until": "2027-11-23", "ends": "11:01"}),
    ("a year ago", {"date": "2025-11-20", "starts": "11:00", "ends": "12:00"}),
    ("more than a year ago", {"date": "2025-11-20", "starts": "10:59", "ends": "12:00"}),
    ("clocks skip", {"date": "2027-03-28", "starts": "01:30"}),
    ("a number of its own", {"number": "A.1_b-2"}),
    ("a number with a blank", {"number": "A 1"}),
    ("no number", {"number": ""}),
    ("a course", {"course": "https://vle.example/7"}),
    ("a course that is none", {"course": "7"}),
    ("1 seat", {"seats": "1"}),
    ("no seat", {"seats": "0"}),
    ("100 seats", {"seats": "100"}),
    ("101 seats", {"seats": "101"}),
    ("hours", {"hours": "37:30"}),
    ("no hours", {"hours": "0"}),
    ("open", {"opened": "yes", "place": " Room  4 ", "host": "Cell Works"}),
    ("opened otherwise", {"opened": "on"}),
]
ROSTER_LINES = [
    "Ann Arden, ann@x.example",
    "Ann Arden <ann@x.example>; 1000000108",
    "ann@x.example",
    "Ann Arden\tL 7",
    "L7",
    "Ann, L7, 1000000018",
    "Ann, 10000 00108",
    "Ann Arden",
    "ann at x.example",
    "Ann, a@x.example\nBen, A@x.example",
    "Ann, a@x.example\n\n Ben , b@x \nCleo",
    "",
    "x" * 801,
    "\n".join(f"Ann {at}, L{at}" for at in range(100)),
    "\n".join(f"Ann {at}, L{at}" for at in range(101)),
]


def test_what_is_typed_of_sessions_rosters_and_checklists(told, day):
    story = day.story
    story.head("sessions")
    usual = {
        "kind": "practical",
        "title": "Gowning",
        "number": "S1",
        "date": "2026-11-21",
        "starts": "11:00",
        "ends": "11:40",
    }
    more = {
        "centre": "north",
        "zone": "Europe/London",
        "lead": None,
        "by": "test",
        "number": "X",
        "checklist": None,
        "now": NINE,
    }
    first = session_in(usual, **more)
    for case, given in FORMS:
        made = lambda given=given: session_in(usual | given, **more)
        story.say(f"{case}: {tried(made, lambda one: inline(differing(plain(first), plain(one))))}"[:400])
    story.say(tree(first), tree(changed_in(usual | {"title": "Other", "seats": "4"}, first)))
    story.head("rosters")
    for text in ROSTER_LINES:
        read = lambda text=text: people_in(text, "https://home.example", "s", 1, "test")
        said = tried(
            read,
            lambda found: (
                f"{len(found)}: " + inline([[one.name, one.key, one.identifiers, one.at] for one in found[:3]])
            ),
        )
        story.say(f"{text[:60]!r}: {said}")
    story.head("checklists")
    made, lost = read_checklists(CHECKLISTS.encode(), "north")
    story.extend(map(tree, made))
    story.extend(f"row {one.row} {one.checklist}: {one.reason}" for one in lost)
    for text in ("checklist,text\n", "text\nOne\n", "checklist,text\n,One\n"):
        story.say(tried(lambda text=text: read_checklists(text.encode(), "north"), inline))
    steps = typed_steps("Hands !\n\n hood\nbelt!\n")
    story.say(
        inline(steps), inline(typed(steps)), inline(checklists.with_names(typed_steps("new\nhood!\nHands"), steps))
    )
    for one in (Checklist("n", "a b", "T", steps), Checklist("n", "a", "", steps), Checklist("n", "a", "T", ()), Checklist("n", "a", "T", steps * 34),
                Checklist("n", "a", "T", steps, 101), Checklist("n", "a", "T", steps, 100, 3), Checklist("n", "a", "T", steps, 0, 2)):  # fmt: skip
        story.say(tried(lambda one=one: checklists.checked(one), lambda _: "good"))

    told(str(story))


def test_routes_and_who_is_known(told, day):
    centre, act, tenant = day.centre, day.act, day.tenant
    keep = lambda who, at="north", others=(), **fields: (
        lambda: tenant.store.write(
            lambda tx: learner_routes.keep(tx, at, mailbox(who), fields, day.now[0], "test", others)
        ).result()
    )
    day.story.head("routes")
    act("apprentice", keep("a@x.example", route="apprentice", sector="Food"))
    act("reskilled, no sector", keep("b@x.example", route="reskilled"))
    act("reskilled", keep("b@x.example", route="reskilled", sector=" Food  industry", district="sg1 2fx"))
    act("a route that is none", keep("c@x.example", route="by chance"))
    act("a district alone", keep("c@x.example", district="LS1"))
    act("no district", keep("c@x.example", district="Leeds"))
    act("nothing", keep("d@x.example"))
    act("nothing any more", keep("a@x.example"))
    act("a sector of 101", keep("e@x.example", route="reskilled", sector="x" * 101))
    act("another name of the same", keep("f@x.example", route="graduate", others=[mailbox("b@x.example")]))
    act("another centre", keep("f@x.example", "south", route="placement"))
    story = day.story
    story.head("who is known of those typed")
    first = act(
        "a session", lambda: centre.session(None, "Ann Arden, ann@x.example, L1\nBen Birch, L2\nCleo Cade, 1000000108")
    )
    known = known_people(tenant.store, "north", None)
    story.extend(f"{one.said} key={one.key}" for one in known)
    text = "Ann Arden, ann@x.example\nAnna, l1\nBEN  birch, ben@x.example\nCleo, 1000000108\nZ, L9\nL2, L2"
    people = [people_in(line, iri("providers", "north"), first.id, 1, "test")[0] for line in text.splitlines()]
    for one in entries(people, known):
        story.say(
            inline(
                [
                    one.one.name,
                    one.one.key,
                    one.is_plain,
                    one.known and one.known.said,
                    [each.said for each in one.alike],
                ]
            )
        )

    told(str(story))
