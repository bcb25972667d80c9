"""A session of a training centre run on the pages: marks, closing, corrections, and the file of the same day."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace as with_parts
from threading import Barrier

import pytest
from msgspec.structs import replace

from adapters.ledger.apply import VERSION
from adapters.reading.people import Ifi, mailbox
from adapters.reading.vocabulary import VOIDED, iri
from adapters.training_centre import acts, attendees, centre_sessions, hosts, known_people, learner_routes, marks
from adapters.training_centre.attendees import AttendanceMark, StepMark
from adapters.training_centre.checklists import ChecklistStep
from adapters.training_centre.filed import KeptFiled, filed
from adapters.training_centre.planning import FormFault, people_in
from lrs.access import Caller
from lrs.competency.listed import CalledBy, KnownBy, ListedLearner
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.errors import Refused
from lrs.kernel.times import DAY
from lrs.storage.about import Whose
from lrs.xapi.statements.identity import identifier_of
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.write import store_in
from tests.adapters.conftest import sender
from tests.adapters.training_centre.made import PEOPLE, signer

FILE = """record,session_id,title,starts_at,ends_at,kind,instructor,uln,learner_ref,email,attendance,\
checklist_id,step_id,result,critical,observed_at,observer
session,S1,Gowning,2026-11-21 11:00,11:40,practical,tess@centre.example,,,,,,,,,,
roster,S1,,,,,,,,ann@learners.example,present,,,,,,
roster,S1,,,,,,,L2,,late,,,,,,
roster,S1,,,,,,1000000108,,cleo@learners.example,absent,,,,,,
observation,S1,,,,,,,,ann@learners.example,,gowning@1,hands,pass,yes,11:05,tess@centre.example
observation,S1,,,,,,,,ann@learners.example,,gowning@1,hood,fail,,11:06,tess@centre.example
observation,S1,,,,,,,L2,,,gowning@1,hands,pass,yes,11:07,tess@centre.example
observation,S1,,,,,,,L2,,,gowning@1,hood,pass,,11:08,tess@centre.example
"""


def held(centre):
    """The session of ``FILE``, marked minute by minute from 11:00 and closed."""
    session = centre.session(centre.checklist())
    centre.came(session, "Ann", "present")
    centre.came(session, "Ben", "late")
    centre.came(session, "Cleo", "absent")
    centre.now[0] += 60_000_000
    centre.saw(session, "Ann", "hands", "pass")
    centre.saw(session, "Ann", "hood", "fail")
    centre.saw(session, "Ben", "hands", "pass")
    centre.saw(session, "Ben", "hood", "pass")
    acts.close(centre.day(), session.id)
    return session


def verbs(endpoint):
    return sorted(one["verb"]["id"].rpartition("/")[2] for one in endpoint.valid())


def test_nothing_is_told_before_a_session_is_closed_and_all_of_it_then(centre, endpoint):
    session = centre.session(centre.checklist())
    centre.came(session, "Ann", "present")
    assert endpoint.statements == {}

    acts.close(centre.day(), session.id)

    assert verbs(endpoint) == ["attended", "registered"]
    assert centre.read(session).open_then == (
        "Ann Arden: 2 of 2 steps not marked, 1 of them critical",
        "Ben Birch: not marked present or absent",
        "Ben Birch: 2 of 2 steps not marked, 1 of them critical",
        "Cleo Cade: not marked present or absent",
        "Cleo Cade: 2 of 2 steps not marked, 1 of them critical",
    )


def test_a_mark_that_is_made_while_a_session_is_being_closed_is_told_and_nothing_of_who_left(
    centre, endpoint, monkeypatch
):
    session, store_with = centre.session(), acts.store_with
    marks.leave(centre.day(), session.id, centre.who(session, "Cleo").id, "")

    def beside(*given):
        if centre.who(session, "Ben").mark is None:
            centre.came(session, "Ben", "late")
        return store_with(*given)

    monkeypatch.setattr(acts, "store_with", beside)
    acts.close(centre.day(), session.id)

    assert verbs(endpoint) == ["attended"]
    assert centre.read(session).open_then == ("Ann Arden: not marked present or absent",)


def test_the_same_session_by_page_and_then_by_file_is_one_session(centre, endpoint, bring):
    held(centre)
    before = endpoint.statements

    report = bring("training-centre", FILE)

    assert [(row.outcome, row.reason) for row in report.rows] == [("unchanged", "")] * 8
    assert endpoint.statements == before
    assert verbs(endpoint) == ["attended", "attended", "attended", "failed", "passed", "registered"]


def test_the_same_session_by_file_and_then_by_page_is_one_session(centre, endpoint, bring):
    bring("training-centre", FILE)
    before = endpoint.statements

    held(centre)

    assert endpoint.statements == before


def test_a_file_that_says_otherwise_corrects_what_the_page_told_and_the_page_corrects_it_back(centre, endpoint, bring):
    session = held(centre)
    bring("training-centre", FILE.replace("ann@learners.example,present", "ann@learners.example,late"))
    assert [one["result"]["extensions"][iri("extensions", "attendance")] for one in came(endpoint, "ann")] == ["late"]

    centre.came(session, "Ann", "left_early", why="went at 11:30")

    assert [one["result"]["completion"] for one in came(endpoint, "ann")] == [False]
    assert len(endpoint.voided) == 2


def came(endpoint, name):
    return [
        one
        for one in endpoint.valid()
        if one["verb"]["id"].endswith("/attended") and one["actor"].get("mbox", "").startswith(f"mailto:{name}")
    ]


def test_a_session_of_a_file_is_listed_as_it_is_once_an_earlier_row_is_taken_back(centre, bring):
    kept = KeptFiled()
    rows = "".join(FILE.splitlines(keepends=True)[:4])  # of Ann and Ben
    bring("training-centre", rows)
    before = filed(centre.tenant, ["north"], kept)

    bring("training-centre", rows.replace("present", "unmarked"))

    assert [one.people for one in (*before, *filed(centre.tenant, ["north"], kept))] == [2, 1]


def test_a_session_of_a_file_is_listed_as_it_is_once_somebody_else_voided_a_statement_of_it(centre, endpoint, bring):
    kept = KeptFiled()
    bring("training-centre", "".join(FILE.splitlines(keepends=True)[:4]))
    before = filed(centre.tenant, ["north"], kept)
    (ann,) = came(endpoint, "ann")
    told = {"actor": ann["actor"], "verb": {"id": VOIDED}, "object": {"objectType": "StatementRef", "id": ann["id"]}}
    rights = {"statements.write": "all", "statements.void": "all"}
    office = Caller("key office", "office", sender("office").authority, rights, "default", "key")
    plan = prepare(office, VERSION, json.dumps([told]).encode(), Terms(centre.tenant.settings, SUBSCRIPTIONS))

    centre.tenant.store.write(lambda tx: store_in(tx, plan)).result()

    assert [one.people for one in (*before, *filed(centre.tenant, ["north"], kept))] == [2, 1]
    filed(with_parts(centre.tenant, id="another"), ["north"], kept)
    assert len(kept) == 2


def test_a_mark_that_is_taken_back_is_told_no_more(centre, endpoint):
    session = held(centre)

    centre.came(session, "Cleo", "", why="it was somebody else")

    assert centre.who(session, "Cleo").mark is None
    assert verbs(endpoint) == ["attended", "attended", "failed", "passed", "registered"]


def test_a_correction_after_closing_adds_and_says_who_when_and_why(centre, endpoint):
    session = held(centre)
    with pytest.raises(Refused, match="Say why you correct it"):
        centre.came(session, "Cleo", "late")

    centre.came(session, "Cleo", "late", by="ray", why="signed the paper list")

    one = centre.who(session, "Cleo")
    assert [(mark.value, mark.by.said, mark.why) for mark in one.attendance] == [
        ("absent", "Tess", ""),
        ("late", "Ray", "signed the paper list"),
    ]
    (void,) = endpoint.voided
    (now,) = [one for one in endpoint.valid() if one["context"].get("statement", {}).get("id") == void]
    assert now["result"]["completion"] is True


def test_a_step_that_is_corrected_after_closing_tells_the_checklist_anew(centre, endpoint):
    session = held(centre)

    centre.saw(session, "Ann", "hood", "pass", why="wrong line")

    assert verbs(endpoint).count("passed") == 2
    assert "failed" not in verbs(endpoint)


def test_a_mark_that_another_trainer_made_meanwhile_is_not_overwritten(centre):
    session = centre.session(centre.checklist())
    centre.came(session, "Ann", "present", by="ray")

    with pytest.raises(Refused, match="Meanwhile Ray marked Ann Arden here: Present") as refused:
        centre.came(session, "Ann", "absent", seen=0)

    assert refused.value.status == 409
    centre.came(session, "Ann", "present", seen=0)
    assert len(centre.who(session, "Ann").attendance) == 1


def test_two_trainers_at_once_lose_no_mark(centre):
    steps = [ChecklistStep(f"s{number}", f"Step {number}") for number in range(12)]
    session = centre.session(centre.checklist(*steps))
    centre.came(session, "Ann", "present")
    one, start = centre.who(session, "Ann"), Barrier(2)

    def work(who, own):
        start.wait()
        for step in own:
            mark = StepMark(1, step.id, "pass", centre.now[0], signer(who))
            marks.mark_step(centre.day(who), session.id, one.id, mark, seen=0, version=1)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, ("tess", "ray"), (steps[:6], steps[6:])))

    made = centre.who(session, "Ann")
    assert {step.id: made.step(1, step.id).by.said for step in steps} == {
        step.id: "Tess" if number < 6 else "Ray" for number, step in enumerate(steps)
    }


def test_two_corrections_at_once_are_both_told(centre, endpoint):
    session = held(centre)
    start = Barrier(2)

    def correct(name, value):
        one = centre.who(session, name)
        mark = AttendanceMark(value, centre.now[0], signer("ray"), "paper list")
        start.wait()
        marks.mark_attendance(centre.day("ray"), session.id, one.id, mark, 1)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(correct, ("Ann", "Cleo"), ("left_early", "excused")))

    told = sorted(
        one["result"]["extensions"][iri("extensions", "attendance")]
        for one in endpoint.valid()
        if one["verb"]["id"].endswith("/attended")
    )
    assert told == ["excused", "late", "left_early"]


def test_a_closed_session_stays_as_it_is_when_it_is_closed_again_and_one_that_has_not_begun_cannot_be(centre):
    session = held(centre)
    assert acts.close(centre.day("ray"), session.id) == centre.day().session(centre.tenant.store, session.id)[1]

    later = centre.session(number="S2", date="2026-12-21")

    with pytest.raises(Refused, match="has not taken place"):
        acts.close(centre.day(), later.id)


def test_an_open_session_needs_somebody_from_its_day_until_it_is_closed(centre):
    today, later = centre.session(), centre.session(number="S2", date="2026-12-21")

    def open_at(now):
        return [one.id for one in centre_sessions.unclosed(centre.tenant.store, None, now, 10)]

    assert (open_at(today.starts - DAY), open_at(today.starts - 1)) == ([], [today.id])
    assert open_at(later.ends) == [later.id, today.id]


def test_a_checklist_that_asks_for_two_signatures_is_told_once_somebody_else_signed(centre, endpoint):
    session = centre.session(centre.checklist(signatures=2))
    centre.came(session, "Ann", "present")
    with pytest.raises(Refused, match="every step of a checklist"):
        centre.signs(session, "Ann", "anja")
    centre.saw(session, "Ann", "hands", "pass")
    centre.saw(session, "Ann", "hood", "pass", by="ray")
    acts.close(centre.day(), session.id)
    assert "passed" not in verbs(endpoint)
    assert "Ann Arden: the second signature is missing" in centre.read(session).open_then
    for same in ("tess", "ray"):
        with pytest.raises(Refused, match="Somebody else has to sign"):
            centre.signs(session, "Ann", same)

    centre.signs(session, "Ann", "anja")

    (passed,) = [one for one in endpoint.valid() if one["verb"]["id"].endswith("/passed")]
    assert passed["context"]["instructor"]["mbox"] == "mailto:ray@centre.example"
    second = passed["context"]["extensions"][iri("extensions", "second-observer")]
    assert second["mbox"] == "mailto:anja@centre.example"

    centre.saw(session, "Ann", "hood", "fail", by="ray", why="seen again on the film")

    assert "passed" not in verbs(endpoint)
    assert "failed" not in verbs(endpoint)
    centre.signs(session, "Ann", "anja")
    assert "failed" in verbs(endpoint)


def test_a_mark_takes_back_the_second_signature_of_its_own_attempt_and_of_no_other(centre):
    session = centre.session(centre.checklist(signatures=2))
    centre.came(session, "Ann", "present")
    ann = centre.who(session, "Ann").id
    for attempt in (1, 2):
        for step in ("hands", "hood"):
            centre.saw(session, "Ann", step, "fail")
        centre.signs(session, "Ann", "anja", attempt)
        if attempt == 1:
            marks.begin_attempt(centre.day(), session.id, ann)

    centre.saw(session, "Ann", "hood", "pass")

    assert [one.attempt for one in centre.who(session, "Ann").signatures] == [1]


def test_a_second_attempt_is_told_beside_the_first(centre, endpoint):
    session = centre.session(centre.checklist())
    centre.came(session, "Ann", "present")
    with pytest.raises(Refused, match="Mark every step"):
        marks.begin_attempt(centre.day(), session.id, centre.who(session, "Ann").id)
    centre.saw(session, "Ann", "hands", "fail")
    centre.saw(session, "Ann", "hood", "pass")
    marks.begin_attempt(centre.day(), session.id, centre.who(session, "Ann").id)
    centre.saw(session, "Ann", "hands", "pass")
    centre.saw(session, "Ann", "hood", "pass")

    acts.close(centre.day(), session.id)

    told = {
        one["result"]["extensions"][iri("extensions", "attempt")]: one["result"]["success"]
        for one in endpoint.valid()
        if "success" in one.get("result", {})
    }
    assert told == {1: False, 2: True}


def test_a_new_version_of_the_checklist_does_not_change_a_session_that_has_marks(centre):
    session = centre.session(centre.checklist())
    centre.checklist(ChecklistStep("hands", "Hands washed twice", critical=True))
    assert acts.use_version(centre.day(), session.id) == 2
    centre.came(session, "Ann", "present")
    centre.saw(session, "Ann", "hands", "pass")
    centre.checklist(ChecklistStep("hands", "Hands washed three times", critical=True))

    with pytest.raises(Refused, match="stays on the version"):
        acts.use_version(centre.day(), session.id)
    mark = StepMark(1, "hands", "fail", centre.now[0], signer("tess"))
    with pytest.raises(Refused, match=r"works with version 2 .* which showed version 1"):
        marks.mark_step(centre.day(), session.id, centre.who(session, "Ann").id, mark, seen=1, version=1)

    assert centre.who(session, "Ann").step(1, "hands").value == "pass"


def test_who_is_marked_absent_is_not_seen_and_who_was_seen_is_not_absent(centre):
    session = centre.session(centre.checklist())
    centre.came(session, "Ann", "absent")
    with pytest.raises(Refused, match="marked as absent"):
        centre.saw(session, "Ann", "hands", "pass")
    centre.came(session, "Ben", "present")
    centre.saw(session, "Ben", "hands", "pass")

    with pytest.raises(Refused, match="so they were there"):
        centre.came(session, "Ben", "absent")


def test_nobody_marks_themselves_and_who_runs_a_session_does_not_attend_it(centre):
    session = centre.session(centre.checklist())
    acts.enrol(centre.day(), session.id, people(session, "Ray, ray@centre.example"))

    with pytest.raises(Refused, match="Nobody marks themselves"):
        centre.came(session, "Ray", "present", by="ray")
    with pytest.raises(Refused, match="runs this session"):
        acts.enrol(centre.day(), session.id, people(session, "Tess, TESS@centre.example"))


def people(session, text):
    return people_in(text, iri("providers", "north"), session.id, 5, "test")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Ann Arden, ann@learners.example", "Ann Arden is on this roster already"),
        ("Dan, dan@x.example\nDaniel, DAN@x.example", "Line 2: Dan is in this list twice"),
        ("Dan, dan@x.example\nEve", r"Line 2 \(Eve\): no ULN, learner reference or e-mail address"),
        ("Dan, 9999999999", "no ULN, learner reference"),
        ("Dan, 1234567890", "check digit"),
        ("Dan, dan@", "no e-mail address"),
        ("Eve\nDan, dan@x.example\nFay, 1234567890", r"Line 1 \(Eve\): .* Line 3 \(Fay, 1234567890\): .*check digit"),
        ("\n \n", "Write at least one person"),
    ],
)
def test_people_who_cannot_be_taken_are_named_and_nobody_is_added(centre, text, told):
    session = centre.session()

    with pytest.raises(Refused, match=told):
        acts.enrol(centre.day(), session.id, people(session, text))

    assert len(centre.everybody(session)) == 3


def test_a_person_is_read_as_a_mail_program_writes_them(centre):
    session = centre.session()

    [one, other] = people(session, "Dan <dan@x.example>\nEve, <eve@x.example>")

    assert [one.name, one.identifiers[0].written] == ["Dan", "dan@x.example"]
    assert [other.name, other.identifiers[0].written] == ["Eve", "eve@x.example"]


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"date": ""}, "date", "A session needs its day."),
        ({"starts": "25:00"}, "starts", "The beginning, 2026-11-21 25:00: there is no such time of day."),
        ({"starts": ""}, "starts", "The beginning needs its time, such as 09:30."),
        (
            {"date": "2027-03-28", "starts": "01:30"},
            "starts",
            "The beginning, 2027-03-28 01:30: Europe/London clocks never showed this time.",
        ),
        ({"date": "2027-10-31", "starts": "01:30"}, "starts", "clocks showed this time twice"),
        ({"date": "2026-02-30"}, "date", "The beginning, 2026-02-30 11:00: there is no such date."),
        ({"date": "1990-11-21"}, "date", "This is more than a year ago."),
        ({"ends": "10:00"}, "ends", "A session ends after it begins."),
        ({"kind": "party"}, "kind", "Choose what kind of session it is."),
        ({"title": " "}, "title", "Say what the session is about."),
        ({"number": "a b"}, "number", "no blanks"),
        ({"seats": "-3"}, "seats", "whole number from 1"),
        ({"hours": "many"}, "hours", "such as 37.5"),
        ({"course": "my course"}, "course", "named by its address"),
    ],
)
def test_a_session_that_cannot_be_is_refused_with_the_field_and_the_reason(centre, fields, field, told):
    with pytest.raises(FormFault) as fault:
        centre.session(**fields)

    assert fault.value.field == field
    assert told in fault.value.message


def test_a_number_that_the_centre_used_already_is_refused(centre):
    centre.session()

    with pytest.raises(Refused, match="There is a session S1 of north already"):
        centre.session()


@pytest.mark.parametrize("name", ["", "engraft", "Engraft Courses", "../north", "x" * 81])
def test_no_session_is_of_a_centre_whose_statements_would_have_our_own_source_or_none(centre, name):
    one = replace(centre.session(), centre=name, number="S9")

    with pytest.raises(Refused, match="A training centre is called as its files call it"):
        acts.make(centre.day(centres=None), one)


def test_nobody_is_marked_before_a_session_but_for_those_who_come_early(centre):
    coming = centre.session(number="S2", starts="12:02", ends="14:00")
    soon = centre.session(number="S3", starts="12:02", ends="14:00")

    with pytest.raises(Refused, match="This session begins on 21 November 2026, 12:02: marks are taken from an hour"):
        centre.came(coming, "Ann", "present")

    assert centre.who(coming, "Ann").attendance == ()
    assert centre.came(soon, "Ann", "present").mark.value == "present"


def test_a_session_of_another_centre_is_not_there(centre):
    session = centre.session()

    with pytest.raises(Refused, match="no such session among yours"):
        acts.close(centre.day(centres=frozenset({"south"})), session.id)


def test_everybody_without_a_mark_is_present_with_one_act_and_passes_a_step_with_another(centre):
    session = centre.session(centre.checklist(), PEOPLE)
    centre.came(session, "Cleo", "absent")
    assert marks.all_present(centre.day(), session.id) == 2
    centre.saw(session, "Ann", "hands", "fail")

    assert marks.pass_others(centre.day(), session.id, "hands", 1) == 1

    values = [
        (one.mark.value, one.step(1, "hands") and one.step(1, "hands").value) for one in centre.everybody(session)
    ]
    assert values == [("present", "fail"), ("present", "pass"), ("absent", None)]


def test_a_route_takes_the_place_of_what_was_kept_under_another_identifier_of_the_same_person(centre):
    store, ann, number = centre.tenant.store, mailbox("ann@learners.example"), Ifi("https://north.example", "L2")

    for who, kind, others in ((number, "graduate", ()), (ann, "apprentice", (number,))):
        told = ("north", who, {"route": kind}, centre.now[0], "test", others)
        store.write(lambda tx, told=told: learner_routes.keep(tx, *told)).result()

    found = [learner_routes.route_of(store, "north", who) for who in (number, ann)]
    assert [one and one.kind for one in found] == [None, "apprentice"]
    elsewhere = [learner_routes.routes_elsewhere(store, centre, ann) for centre in ("north", "south")]
    assert elsewhere == [[], [found[1]]]


def test_what_another_source_told_of_a_learner_is_not_known_to_a_centre(centre, monkeypatch):
    told = {"north": "Ann Arden", "south": "Annie Secret"}
    known = [KnownBy(name, {"mbox": f"mailto:{source}@learners.example"}, (source,)) for source, name in told.items()]
    one = ListedLearner(tuple(CalledBy(name, (source,)) for source, name in told.items()), tuple(known))
    monkeypatch.setattr(known_people.listed, "chosen", lambda *_, **__: ([("1", one)], True))

    said = [
        each.said for own in ({"north"}, None) for each in known_people.known_people(centre.tenant.store, "north", own)
    ]

    everything = "Ann Arden (north@learners.example, south@learners.example)"
    assert said == ["Ann Arden (north@learners.example)", everything]


def test_who_has_no_mark_can_be_taken_off_a_roster_and_put_on_it_again(centre):
    session = centre.session(centre.checklist())
    marks.leave(centre.day(), session.id, centre.who(session, "Ann").id, "")
    assert not centre.who(session, "Ann").is_expected
    acts.enrol(centre.day(), session.id, people(session, "Ann, ann@learners.example"))
    assert centre.who(session, "Ann").is_expected
    centre.came(session, "Ann", "present")
    centre.saw(session, "Ben", "hands", "pass")

    for name in ("Ann", "Ben"):
        with pytest.raises(Refused, match=f"The marks of {name} [A-Z].* in this session stay"):
            marks.leave(centre.day(), session.id, centre.who(session, name).id, "")


def test_a_supervisor_who_never_answers_is_found_by_their_address_and_shown_what_is_kept_of_them(centre):
    session = centre.session(None, "Ann, ann@learners.example", kind="placement", host="Works")
    one = centre.who(session, "Ann")
    hosts.ask(centre.day(), session.id, one.id, ("Sue Sand", "Sue@works.example"), "http://lrs.test")
    sue = {"mbox": "mailto:sue@works.example"}
    whose = Whose(("sue",), (), (sue,))
    (kind,) = attendees.KINDS
    record, _ = attendees.attendee(centre.tenant.store, session.id, one.id)

    assert identifier_of(sue).id in kind.subjects(record).identifiers
    assert [found.id for found in kind.find(centre.tenant.store, whose)] == [record.id]
    shown = kind.shown(record, whose)
    assert shown["asked_to_sign_off"] == {"name": "Sue Sand", "address": "Sue@works.example"}
    assert "Ann" not in str(shown)


def test_the_store_has_one_record_of_each_person_at_a_session(centre):
    session = held(centre)

    found = attendees.of_session(centre.tenant.store, session.id)

    assert len(found) == 3
    assert centre.now[0] < session.starts + DAY


def test_whoever_can_be_put_onto_a_roster_can_be_told_of_when_the_session_is_closed(centre, endpoint):
    odd = ("<script>", "a%2Fb", "é" * 100, "o'brien@x.example", "a+b{c}|d@x.example", "ü@bücher.example", "#1", "0")
    session = centre.session(centre.checklist(), "\n".join(f"Person {at}, {one}" for at, one in enumerate(odd)))
    marks.all_present(centre.day(), session.id)
    for step in ("hands", "hood"):
        assert marks.pass_others(centre.day(), session.id, step, 1) == len(odd)

    acts.close(centre.day(), session.id)

    assert verbs(endpoint) == [*["attended"] * len(odd), *["passed"] * len(odd)]
