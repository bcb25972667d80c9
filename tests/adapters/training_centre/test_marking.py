"""What a mark does to somebody on a roster, without a store: each refusal by its name, and what is complete."""

from functools import partial

import pytest
from msgspec.structs import replace

from adapters.reading.people import mailbox
from adapters.training_centre.attendees import AttendanceMark, Attendee, Signature, StepMark
from adapters.training_centre.centre_sessions import CentreSession, PinnedChecklist
from adapters.training_centre.checklists import Checklist, ChecklistVersion
from adapters.training_centre.marking import (
    is_complete,
    observer,
    with_attempt,
    with_attendance,
    with_signature,
    with_step,
)
from adapters.training_centre.told import result_of
from lrs.kernel.errors import Refused
from lrs.kernel.times import HOUR, MINUTE
from tests.adapters.training_centre.made import NINE, STEPS, signer
from tests.rows import each_of

SESSION = CentreSession("north", "S1", "Gowning", "practical", NINE, NINE + HOUR, "Europe/London", NINE, "test")
ANN = Attendee("s", "ann", (mailbox("ann@learners.example"),), "Ann Arden", "added", NINE, "test")
KNOWN = ChecklistVersion(1, Checklist("north", "gowning", "Gowning", STEPS, signatures=2), NINE, "test")


def step(name, value, *, at=NINE, by="tess", attempt=1, why=""):
    return StepMark(attempt, name, value, at, signer(by), why)


def came(value, *, at=NINE, by="tess", why=""):
    return AttendanceMark(value, at, signer(by), why)


def told(act):
    """What the refusal of *act* says, with its status and its name."""
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.status, refused.value.error, refused.value.message


def test_a_step_that_another_trainer_marked_meanwhile_is_not_overwritten_and_the_same_again_changes_nothing():
    one = with_step(SESSION, ANN, step("hands", "fail", by="ray"), 0, KNOWN)

    assert with_step(SESSION, one, step("hands", "fail", at=NINE + 1), 0, KNOWN) is one
    status, error, message = told(lambda: with_step(SESSION, one, step("hands", "pass"), 0, KNOWN))
    assert (status, error) == (409, "changed")
    assert message.startswith("Meanwhile Ray marked Ann Arden here: Failed. Nothing of yours was stored for it")
    changed = with_step(SESSION, one, step("hands", "pass"), 1, KNOWN)
    assert [mark.value for mark in changed.steps] == ["fail", "pass"]
    assert with_step(SESSION, one, step("hood", "pass"), 0, KNOWN).step(1, "hands").value == "fail"


@each_of(("name", "attempt"), [("mask", 1), ("hands", 0), ("hands", 2)])
def test_a_step_or_an_attempt_that_is_not_there_is_not_marked(name, attempt):
    assert told(lambda: with_step(SESSION, ANN, step(name, "pass", attempt=attempt), 0, KNOWN))[:2] == (
        404,
        "not_found",
    )


MANY = replace(ANN, steps=(step("hood", "pass"),) * 600, attendance=(came("present"),) * 400)
CLOSED = replace(SESSION, state="closed")


@each_of(
    ("session", "one", "mark", "error"),
    [
        (replace(SESSION, state="cancelled"), ANN, {}, "session_cancelled"),
        (SESSION, replace(ANN, seat="waiting"), {}, "no_seat"),
        (SESSION, replace(ANN, seat="cancelled"), {}, "no_seat"),
        (SESSION, ANN, {"at": NINE - HOUR - 1}, "in_the_future"),
        (CLOSED, ANN, {"why": " "}, "why"),
        (CLOSED, ANN, {"why": "x" * 301}, "why"),
        (SESSION, MANY, {}, "too_many"),
        (SESSION, ANN, {"by": "ann"}, "self_assessed"),
    ],
)
def test_neither_a_step_nor_whether_somebody_came_is_marked_where_it_may_not_be(session, one, mark, error):
    one = replace(one, identifiers=(*one.identifiers, mailbox("Ann@Centre.example")))

    assert told(lambda: with_attendance(session, one, came("late", **mark), len(one.attendance)))[1] == error
    assert told(lambda: with_step(session, one, step("hands", "pass", **mark), 0, KNOWN))[1] == error


def test_marks_are_taken_from_an_hour_before_and_after_the_end_with_a_reason():
    assert with_attendance(SESSION, ANN, came("late", at=NINE - HOUR), 0).mark.value == "late"
    assert with_step(CLOSED, ANN, step("hands", "pass", why="x" * 300), 0, KNOWN).seen()
    fewer = replace(MANY, attendance=MANY.attendance[1:])
    assert with_step(SESSION, fewer, step("hands", "pass"), 0, KNOWN).seen_of(1, "hands") == 1


def test_who_was_seen_is_not_absent_until_those_marks_are_taken_back():
    seen = with_step(SESSION, with_attendance(SESSION, ANN, came("late"), 0), step("hands", "pass"), 0, KNOWN)
    back = with_step(SESSION, seen, step("hands", ""), 1, KNOWN)

    for value in ("absent", "excused", ""):
        assert told(lambda value=value: with_attendance(SESSION, seen, came(value), 1))[1] == "was_seen"
        gone = with_attendance(SESSION, back, came(value), 1)
        assert (gone.mark.value if gone.mark else "") == value


def test_an_attempt_is_complete_once_each_step_is_marked_and_one_applies_and_whoever_marked_last_answers_for_it():
    hands, hood = step("hands", "pass", at=NINE + 2 * MINUTE), step("hood", "na", at=NINE + MINUTE, by="ray")
    of_other = step("hood", "pass", attempt=2, at=NINE + 3 * MINUTE, by="ray")

    def complete(*marks):
        return is_complete(replace(ANN, steps=marks, attempts=2), 1, KNOWN)

    assert complete(hands, hood)
    assert not complete(hands, of_other)
    assert not complete(step("hands", "na"), hood)
    assert not complete(hands, hood, step("hood", ""))
    assert observer(replace(ANN, steps=(hands, hood, of_other)), 1, KNOWN) is hands


def test_a_second_signature_is_of_somebody_who_marked_nothing_of_the_attempt_and_is_not_the_learner():
    whole = replace(ANN, steps=(step("hands", "pass", by="ray"), step("hood", "pass")))
    mine = replace(whole, identifiers=(*ANN.identifiers, mailbox("anja@centre.example")))
    signed = with_signature(whole, Signature(1, NINE, signer("anja")), KNOWN, 2)
    alone = replace(KNOWN, content=replace(KNOWN.content, signatures=1))

    assert signed.signature(1).by == signer("anja")
    refusals = (
        (replace(whole, steps=(*whole.steps, step("hood", "fail"))), "anja", KNOWN, 409, "changed"),
        (whole, "ray", KNOWN, 403, "one_observer"),
        (mine, "anja", KNOWN, 403, "self_assessed"),
        (signed, "zoe", KNOWN, 409, "signed"),
        (whole, "anja", alone, 409, "not_complete"),
        (replace(whole, steps=whole.steps[:1]), "anja", KNOWN, 409, "not_complete"),
    )
    for one, who, known, status, error in refusals:
        act = partial(with_signature, one, Signature(1, NINE, signer(who)), known, 2)
        assert told(act)[:2] == (status, error)


def test_a_further_attempt_is_begun_in_an_open_session_five_times_at_most():
    def done(attempts):
        steps = tuple(step(each.id, "fail", attempt=n) for n in range(1, attempts + 1) for each in STEPS)
        return replace(ANN, attempts=attempts, steps=steps)

    assert with_attempt(SESSION, done(4), KNOWN).attempts == 5
    assert told(lambda: with_attempt(SESSION, done(5), KNOWN))[1] == "too_many"
    assert told(lambda: with_attempt(CLOSED, done(1), KNOWN))[1] == "closed"
    assert told(lambda: with_attempt(SESSION, replace(done(2), attempts=3), KNOWN))[1] == "not_complete"


def test_the_outcome_of_a_checklist_is_that_of_the_last_attempt_that_is_told():
    pinned = replace(SESSION, checklist=PinnedChecklist("r", "gowning", 1))
    one = replace(KNOWN, content=replace(KNOWN.content, signatures=1))

    def seen(*results, mark="present"):
        steps = [step(each.id, value, attempt=n) for n, value in enumerate(results, 1) for each in STEPS if value]
        return replace(ANN, attempts=len(results), steps=tuple(steps), attendance=(came(mark),))

    assert result_of(pinned, seen("fail", "pass"), one) == "passed"
    assert result_of(pinned, seen("pass", "fail"), one) == "failed"
    assert result_of(pinned, seen("pass", ""), one) == "passed"
    assert result_of(pinned, seen("pass", mark="absent"), one) == ""
    assert result_of(pinned, seen("pass"), KNOWN) == ""
    assert result_of(pinned, replace(seen("pass"), signatures=(Signature(1, NINE, signer("anja")),)), KNOWN) == "passed"
