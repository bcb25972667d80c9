"""Rows and parts of pages of records that no told world has: each state, none of it, one and several."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.catalogue import role_view
from adapters.imports.job import Job, JobError, JobResult, Sender
from adapters.imports.look import Look
from adapters.imports.mappings import SavedProfile
from adapters.lms.courses.courses import Course, CourseVersion, Imported
from adapters.lms.courses.structure import AssignableUnit, Objective, Structure
from adapters.lms.pages import view as of_courses
from adapters.lms.sessions import acts
from adapters.lms.sessions.session import Registration, UnitProgress
from adapters.pages import view
from adapters.reading.day_order import OF_DAYS
from adapters.reading.profile import MappingProfile
from adapters.reports.repairs import ShownRow
from adapters.training_centre.checklists import ChecklistStep
from adapters.training_centre.pages import view as of_centres
from lrs.competency.shapes import ProfileEntry
from lrs.kernel.times import DAY, HOUR, MINUTE
from lrs.matching.employers import Employee
from lrs.matching.roles.gap import Requirement, Role
from lrs.matching.services import SCOPES, FormerSecrets, Service
from lrs.outbox.channel import Destination
from lrs.outbox.listing import DestinationStatus
from lrs.pages import employer_view, quarantine_view, services_view
from tests.adapters.lms.cmi5.test_rules import OPEN
from tests.adapters.training_centre.made import PEOPLE, STEPS, Centre
from tests.badges.made import NOON, tenant_in
from tests.told.story import Story, inline, tree

CAREERS = Service("careers", "Careers", "To find a job", SCOPES, "salt", "secret", "https://c.example/hook")
SERVICES = {
    "active": CAREERS,
    "disabled": replace(CAREERS, state="disabled", reason="it told others"),
    "refused by itself": replace(CAREERS, state="disabled", reason="it answered 410", is_refused=True),
    "without a webhook": replace(CAREERS, webhook=None, scopes=SCOPES[:1]),
    "an employer": replace(CAREERS, webhook=None, employer=True, scopes=()),
    "with former secrets": replace(CAREERS, former=FormerSecrets("a", "b", NOON + 1)),
    "with former secrets that ended": replace(CAREERS, former=FormerSecrets("a", "b", NOON)),
}
AT = Destination("webhook", "careers")
STANDINGS = {
    "none": None,
    "nothing waits": DestinationStatus(AT, 0, None, "", "", ""),
    "3 wait for a moment": DestinationStatus(AT, 3, NOON, "", "", ""),
    "for a minute": DestinationStatus(AT, 3, NOON - MINUTE, "", "", ""),
    "for 3 hours": DestinationStatus(AT, 3, NOON - 3 * HOUR, "", "", ""),
}


def rows(story: Story, found: Any) -> None:
    for one in found:
        story.say(f"    {inline(one.values)}")
        story.say(f"    shown {inline(one.shown)} links {inline(one.links)} moods {inline(one.moods)}")


def test_services_in_each_state(told: Any) -> None:
    story = Story()
    for state, one in SERVICES.items():
        story.head(state)
        for name, standing in STANDINGS.items():
            story.say(f"- {name}")
            rows(story, services_view.rows([one], {"careers": standing} if standing else {}, NOON, ""))
        page = services_view.service(one, STANDINGS["for a minute"], 7, NOON, "Europe/London")
        story.say(f"page: {inline(page)}", f"sees: {services_view.sees(one)}")
    story.head("deliveries")
    for state in ("queued", "delivered", "superseded", "withheld", "held", "dead", "odd"):
        for more in ({}, {"status": 202}, {"reason": "answered 503; tried again", "again": "2026-11-21T12:05:00Z"}):
            told_of = {
                "queued": "2026-11-21T12:00:00Z",
                "what": "profile.updated",
                "id": "1",
                "status": None,
                "reason": None,
            }
            rows(story, services_view.delivery_rows([{**told_of, "state": state, **more}], "Europe/London"))
    told(str(story))


def held(
    id: str, label: str, ordinal: int = 1, state: str = "held", until: date | None = None, level: str = ""
) -> ProfileEntry:
    found: Any = SimpleNamespace(
        competency=SimpleNamespace(id=id, label=label, code=id.upper()),
        level=SimpleNamespace(label=level, code="", ordinal=ordinal),
        state=state,
        valid_until=until,
    )
    return found


def test_the_table_of_an_employer(told: Any) -> None:
    story, works, other = Story(), replace(CAREERS, name="Works"), replace(CAREERS, name="Other")
    soon, past = date(2026, 12, 1), date(2026, 11, 20)
    people = [
        Employee(
            "Ann",
            works,
            (held("gown", "Gowning", until=soon, state="expiring", level="Aware"), held("asep", "Aseptic", 2)),
        ),
        Employee(
            "Ben",
            works,
            (held("gown", "Gowning", until=past, state="expired"), held("cell", "", 3, until=date(2027, 1, 1))),
        ),
        Employee(
            "Cleo",
            works,
            (held("gown-2", "Gowning", state="expired"), *(held(f"s{n}", f"Skill {n}") for n in range(9))),
        ),
        Employee("Dan", works, ()),
    ]
    for some in (people[:1], people, [*people, Employee("Eve", other, (held("asep", "Aseptic"),))], []):
        whole = employer_view.matrix(some)
        story.head(f"{len(some)} people")
        story.say(f"skills {whole.skills}")
        rows(story, whole.rows)
        story.say(f"objects {inline([one.values for one in whole.objects])}")
        story.say(f"of a file {[one.name for one in whole.of_file]} {[one.label for one in whole.of_file]}")
        for first in ("", "0", "4", "5", "9", "10", "12", "13", "99999", "x"):
            part = employer_view.part_of(whole, first)
            names = [one.label for one in part.columns]
            story.say(f"from {first!r}: {part.first} {names} {inline(employer_view.parts(whole, part, '/employer'))}")
    told(str(story))


def test_roles_that_ask_for_much(told: Any) -> None:
    story = Story()
    wants = tuple(Requirement(f"c{n}", f"Skill {n}" if n % 2 else None, essential=n != 2) for n in range(6))
    operator = Role("operator", "Operator", wants[:4], source="ATMP")
    some = [
        operator,
        replace(operator, requirements=wants[:5]),
        replace(operator, requirements=wants, source=None, valid_from=date(2026, 11, 21)),
        replace(operator, requirements=(), valid_until=date(2026, 11, 21)),
        replace(operator, id="coming", valid_from=date(2026, 11, 22)),
        replace(operator, id="former", valid_until=date(2026, 11, 20)),
    ]
    for on in (None, date(2026, 11, 21)):
        story.head(f"on {on}")
        rows(story, role_view.listed(some, date(2026, 11, 21), "/t/one", on))
    story.say(inline(role_view.role(some[2], (), (), "")))
    told(str(story))


def test_imports_in_each_state(told: Any) -> None:
    story = Story()
    job = Job("j-1", "training-centre", "north", "file.csv", Sender("north", "{}"), NOON)
    good = JobResult({"new": 3, "updated": 2, "unchanged": 1}, usable=True)
    bad = JobResult({"new": 3, "quarantined": 2, "error": 1, "skipped": 4}, usable=True, notes=("The hours are h.mm",))
    look = Look(
        "csv",
        headers=("Session", "Start", "Odd"),
        guesses=("Odd",),
        known="Ours",
        before="2026-11-20",
        places=(("", 1), ("Two", 3)),
    )
    mended = replace(job, id="j-2", state="done", told=bad)
    some = {
        "waiting": job,
        "under way": replace(job, state="running", rows=5, written=9),
        "cannot be read": replace(
            job, state="refused", problem=JobError(400, "bad_file", "row 3, starts_at: no header row")
        ),
        "given up": replace(job, state="failed", error="KeyError: 'x'"),
        "checked": replace(job, state="done", dry_run=True, told=good, look=look),
        "in": replace(job, state="done", told=good, plan="j-9"),
        "with rows to repair": replace(job, state="done", told=bad, blobs={"repairs": "a", "returned": "b"}),
        "nothing could be used": replace(job, state="done", told=replace(bad, usable=False)),
        "done without a result": replace(job, state="done"),
        "repaired": mended,
        "repairs it": replace(job, state="done", told=good, mends="j-2"),
        "would repair it": replace(job, state="done", told=good, mends="j-1", dry_run=True),
        "of a source that is gone": replace(job, adapter="gone", state="done", told=good),
    }
    story.head("the list")
    rows(story, view.listed(list(some.values()), "Europe/London", "/t/one"))
    for name, one in some.items():
        story.head(name)
        for plan in (None, replace(job, dry_run=True, told=bad)):
            story.say(inline(view.detail(one, plan, "j-8" if plan else "", "Europe/London")))
    story.head("its columns")
    saved = [SavedProfile("Ours", "north", "training-centre", MappingProfile(), NOON, "test")]
    mapped = MappingProfile(constants={"centre": "north"}, dates=("%d.%m.%Y",), hours="minutes")
    for one in (some["checked"], replace(some["checked"], profile=mapped), some["waiting"]):
        found = view.columns(one, saved, {"Odd": ("E-1", "E-2")})
        story.say(tree({key: value for key, value in found.items() if key not in {"options", "adapters"}}))
    rows(story, view.saved([*saved, replace(saved[0], adapter="gone")], "Europe/London"))
    for outcome in ("new", "updated", "unchanged", "skipped", "quarantined", "error"):
        shown = ShownRow("", 3, outcome, "bad_time", "starts_at", "some day", f"in starts_at: {OF_DAYS}", "Ann")  # type: ignore[arg-type]
        rows(story, view.rows([shown]))
    told(str(story))


def test_figures_of_a_form_of_the_quarantine(told: Any) -> None:
    asked: list[dict[str, str]] = [
        {}, {"stored": "3"}, {"stored": "3", "refused": "0"}, {"stored": "99999", "refused": "1"}, {"stored": "100000", "refused": "1"}, {"stored": "-1", "refused": "1"}, {"stored": "٣", "refused": "1"},
    ]  # fmt: skip
    told("".join(f"{inline(one)}: {quarantine_view.figures(one)}\n" for one in asked))


def test_sessions_that_are_abandoned(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    monkeypatch.setattr(acts, "unit_at", lambda *_: SimpleNamespace(id="https://publisher.example/au"))
    monkeypatch.setattr(acts, "registration_in", lambda *_: None)
    monkeypatch.setattr(acts, "structure_of", lambda *_: None)
    monkeypatch.setattr(
        acts.own_statements, "abandoned", lambda session, publisher: f"abandoned {publisher} {session.abandoned}"
    )
    monkeypatch.setattr(acts, "store_own", lambda *given: story.say(f"    stored {given[-1]}"))
    monkeypatch.setattr(
        acts, "put_session", lambda _, one: story.say(f"    kept {one.abandoned - NOON} {one.abandoned_by}")
    )
    place: Any = SimpleNamespace(tenant=SimpleNamespace(clock=lambda: NOON))
    for format in ("cmi5", "tincan", "scorm"):
        for case, changed in {
            "open": {},
            "terminated": {"terminated": 5},
            "abandoned": {"abandoned": 6},
            "both": {"terminated": 5, "abandoned": 6},
        }.items():
            kept = replace(OPEN, format=format, **changed)
            monkeypatch.setattr(acts, "session_in", lambda *_, kept=kept: kept)
            story.say(f"{format}, {case}")
            ended = acts.abandon_in(None, place, OPEN, "idle")  # type: ignore[arg-type]
            story.say(f"    {'as it was' if ended == kept else f'abandoned by {ended.abandoned_by}'}")
    told(str(story))


def unit_of(number: int, move_on: Any = "Passed", **more: Any) -> AssignableUnit:
    activity = f"https://lrs.example/{number}"
    return AssignableUnit(
        f"https://p.example/{number}", {"en": f"Unit {number}"}, {}, "a.html", activity, move_on=move_on, **more
    )


UNITS = (
    unit_of(1, "Passed", mastery_score=0.8, objectives=("o1", "o2")),
    unit_of(2, "Completed", launch_method="OwnWindow"),
    unit_of(3, "CompletedAndPassed", mastery_score=0.755),
    unit_of(4, "CompletedOrPassed"),
    unit_of(5, "NotApplicable"),
)
OBJECTIVES = (Objective("o1", {"en": "Gowns"}, {}), Objective("o2", {"en": "Counts"}, {}))
STRUCTURE = Structure(
    "https://p.example/c", {"en": "Course"}, {"en": "All of it"}, UNITS, "https://lrs.example/c", OBJECTIVES
)
COURSE = Course("7", "https://p.example/c", {"en": "Course"}, NOON, "test")
VERSION = CourseVersion("7", 2, STRUCTURE, NOON, "test", "course.zip", "package")
ANN = {"name": "Ann", "account": {"homePage": "https://vle.example", "name": "ann"}}
THERE = Registration("r", 1, "7", 2, ANN, NOON)
SOME = {
    "not begun": THERE,
    "begun": replace(
        THERE, units={UNITS[0].activity: UnitProgress(attempted=True, seconds={"Normal": 89.0, "Browse": 999.0})}
    ),
    "failed": replace(THERE, units={UNITS[0].activity: UnitProgress(attempted=True, failed=True, score=0.4567)}),
    "waived": replace(THERE, units={UNITS[0].activity: UnitProgress(waived="done before", satisfied=True)}),
    "two done": replace(
        THERE,
        units={
            UNITS[0].activity: UnitProgress(
                attempted=True, passed=True, satisfied=True, score=0.9, seconds={"Normal": 60.0}
            ),
            UNITS[1].activity: UnitProgress(attempted=True, completed=True, satisfied=True, seconds={"Normal": 31.0}),
            UNITS[2].activity: UnitProgress(attempted=True, completed=True, score=0.5),
        },
    ),
    "done": replace(THERE, satisfied=(STRUCTURE.activity,), actor={"account": ANN["account"]}),
    "a part is done": replace(THERE, satisfied=(UNITS[0].activity,)),
}


ANN_THERE = of_courses.CourseLearner("Ann", "https://vle.example", "p1")


def test_courses_and_how_far_their_learners_are(told: Any) -> None:
    story = Story()
    story.head("courses")
    some = {
        "plain": COURSE,
        "withdrawn": replace(COURSE, withdrawn=True, open_to_learners=True),
        "of a program": replace(COURSE, client="3", open_to_learners=True),
        "not in the catalogue": replace(COURSE, in_catalogue=False),
        "open": replace(COURSE, open_to_learners=True, format="scorm"),
        "of an author": replace(COURSE, source="vle", format="tincan"),
    }
    for name, one in some.items():
        story.say(f"- {name}, its source is {one.content_source}")
        rows(story, of_courses.listed([(one, 3)], "Europe/London", ""))
        for is_served in (True, False):
            page = of_courses.detail(
                one, [VERSION, replace(VERSION, number=1, package="")], "Europe/London", is_served=is_served
            )
            story.say(f"    {inline({key: value for key, value in page.items() if key not in {'units', 'versions'}})}")
        story.extend(f"    rule {row}" for row in of_courses.proposed_rules(one, VERSION))
    page = of_courses.detail(COURSE, [VERSION, replace(VERSION, number=1)], "Europe/London", is_served=True)
    story.say(tree({key: page[key] for key in ("units", "versions")}))
    for is_new, is_back, number in ((False, False, 1), (True, True, 2), (True, False, 2), (True, False, 1)):
        story.say(of_courses.done_by(Imported(COURSE, replace(VERSION, number=number), is_new, is_back)))
    story.head("learners")
    for name, there in SOME.items():
        story.say(f"- {name}")
        rows(story, of_courses.learners([(there, STRUCTURE)], {there.id: ANN_THERE}, "Europe/London", "/t/one"))
        story.say(f"    own {[part['state'] for part in of_courses.own_parts(there, UNITS)]}")
    story.say(f"own {inline(of_courses.own_parts(None, UNITS[:2]))}")
    trying = [THERE, replace(THERE, actor={"account": ANN["account"]})]
    story.say(inline(of_courses.trials(trying, "Europe/London", lambda name: f"<{name}>")))
    told(str(story))


def test_sessions_of_a_centre(tmp_path: Path, told: Any, draws: Any) -> None:
    assert draws
    story, centre = Story(), Centre(tenant_in(tmp_path))
    known = centre.checklist(*STEPS, ChecklistStep("gloves", "Gloves on", critical=True), signatures=2, percent=60)
    session = centre.session(known, PEOPLE + "Dan Dare, dan@learners.example\n", seats="3")
    for name, value in (("Ann", "present"), ("Ben", "late"), ("Cleo", "absent")):
        centre.came(session, name, value)
    for name, step, value in (
        ("Ann", "hands", "pass"), ("Ann", "hood", "fail"), ("Ann", "gloves", "pass"),
        ("Ben", "hands", "fail"), ("Ben", "hood", "na"), ("Ben", "hands", "pass"),
    ):  # fmt: skip
        centre.saw(session, name, step, value)
    people, day = centre.everybody(session), session.starts
    moments = {
        "the day before": day - DAY,
        "at its begin": day,
        "in the evening": day + 11 * HOUR,
        "the day after": day + DAY,
    }
    states = {
        "planned": session,
        "open without seats": replace(session, opened=True, seats=0),
        "open": replace(session, opened=True),
        "closed": replace(session, state="closed", closed=day + HOUR, closed_by=session.lead),
        "cancelled": replace(session, state="cancelled", host="Works", hours=37.5),
        "of two days": replace(session, ends=session.ends + DAY),
    }
    for state, one in states.items():
        story.head(state)
        for moment, now in moments.items():
            story.say(f"{moment}: {of_centres.when(one, now)}, {of_centres.times(one)}")
        rows(story, of_centres.listed([(one, 4)], day, ""))
        story.say(inline(of_centres.about(one, day)))
        story.extend(inline(row) for row in of_centres.roster(one, people, known, (people[0].id,)))
        story.say(
            f"seats: {of_centres.seats_warning(one, people)!r}, with fewer {of_centres.seats_warning(one, people[:3])!r}"
        )
    story.head("what was seen")
    waits = replace(people[0], seat="waiting")
    story.say(f"{of_centres.tally(people)} {of_centres.waiting([*people, waits])}")
    story.say(inline(of_centres.steps(known, people)), inline(of_centres.steps(None, people)))
    for step in known.content.steps:
        story.say(inline(of_centres.one_step(session, step, people)))
    for one in people:
        story.say(inline(of_centres.attempts(session, one, known)), inline(of_centres.history(session, one, known)))
    rows(story, of_centres.checklists([known], "Europe/London", "/t/one"))
    told(str(story))
