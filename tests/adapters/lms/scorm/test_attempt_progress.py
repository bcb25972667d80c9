"""What a commit of SCORM content comes to, without a store: the pass mark, what is told, and how far the unit is."""

from msgspec.structs import replace

from adapters.lms.scorm.cmi import Cmi, ScormScore
from adapters.lms.scorm.progress import after, as_judged, news
from adapters.lms.sessions.session import UnitProgress
from adapters.lms.sessions.standing import SessionStanding
from tests.adapters.lms.launching.test_reach import SESSION
from tests.rows import each_of

PASSED = UnitProgress(attempted=True, completed=True, passed=True, satisfied=True, score=0.85)


@each_of(
    ("mastery", "raw", "status"),
    [(0.8, 80, "passed"), (0.8, 79.99, "failed"), (0.57, 57, "passed"), (0.0, 0, "passed"), (None, 3, "incomplete")],
)
def test_at_the_end_the_score_against_the_pass_mark_is_what_counts(mastery, raw, status):
    cmi = Cmi("incomplete", ScormScore(raw))

    assert as_judged(cmi, mastery, ended=True).status == status
    assert as_judged(cmi, mastery, ended=False) == cmi
    assert as_judged(replace(cmi, score=None), mastery, ended=True).status == "incomplete"


@each_of(
    ("status", "before", "ended", "verbs"),
    [
        ("passed", UnitProgress(), False, ["completed", "passed"]),
        ("passed", UnitProgress(completed=True), True, ["passed"]),
        ("completed", PASSED, True, []),
        ("failed", UnitProgress(), False, []),
        ("failed", UnitProgress(), True, ["failed"]),
        ("failed", UnitProgress(failed=True), True, ["failed"]),
        ("failed", PASSED, True, []),
        ("incomplete", UnitProgress(), True, []),
        ("browsed", UnitProgress(), True, []),
    ],
)
def test_what_is_new_is_told_and_a_failure_once_the_attempt_has_ended(status, before, ended, verbs):
    assert list(news(Cmi(status), before, ended=ended)) == verbs


def reached(status, raw, before=UnitProgress(), *, ended=True, **session):  # noqa: B008 (it is frozen)
    cmi = Cmi(status, ScormScore(raw), session=60.0)
    return after(SessionStanding(replace(SESSION, **session), before), cmi, 9, ended=ended)


def test_who_passed_stays_so_with_their_score_until_they_pass_again_and_a_failure_is_over_with_a_pass():
    failed = reached("failed", 40).progress

    assert (failed.failed, failed.passed, failed.score, failed.satisfied) == (True, False, 0.4, False)
    passed = reached("passed", 85, failed).progress
    assert (passed.failed, passed.passed, passed.score, passed.satisfied) == (False, True, 0.85, True)
    assert reached("failed", 10, passed).progress == replace(passed, seconds={"Normal": 180.0})
    assert reached("passed", 70, passed).progress.score == 0.7
    assert reached("failed", 10, failed, ended=False).progress == failed
    assert reached("incomplete", 90, failed, ended=False).progress.score == 0.4


def test_time_counts_at_the_end_of_an_attempt_and_a_look_at_it_counts_for_nothing():
    begun, ended = (reached("incomplete", 10, ended=end) for end in (False, True))
    looked = reached("passed", 90, mode="Browse")

    assert (begun.progress.seconds, ended.progress.seconds) == ({}, {"Normal": 60.0})
    assert (begun.session.terminated, ended.session.terminated, ended.session.last) == (0, 9, 9)
    assert (looked.progress, looked.session.terminated) == (UnitProgress(), 9)


@each_of(
    ("before", "ended", "times"),
    [
        ((0, 0), False, (9, 0)),
        ((0, 0), True, (9, 9)),
        ((5, 0), False, (5, 0)),
        ((5, 0), True, (5, 9)),
        ((5, 7), False, (5, 7)),
    ],
)
def test_a_session_begins_with_its_first_commit_and_ends_with_the_one_that_says_so(before, ended, times):
    now = reached("incomplete", 10, ended=ended, initialized=before[0], terminated=before[1]).session

    assert (now.initialized, now.terminated, now.last) == (*times, 9)
