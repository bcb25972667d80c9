"""Backpressure: what each limit lets in, what it refuses and why, and what a client is told."""

from pathlib import Path

import pytest

from lrs.kernel.admission import (
    AGE,
    ANSWERS,
    ANSWERS_BYTES,
    CAUSES,
    COUNTED,
    CREDENTIALS,
    FILES_BYTES,
    FIRST,
    LEAST,
    MEMORY,
    ROWS,
    WORK,
    AdaptiveLimit,
    Admission,
    Cause,
    Limit,
    OutcomeUnknown,
    Overloaded,
    QueueLimit,
    RetryLater,
    Share,
)

ROOT = Path(__file__).parents[2]


class Now:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def work(now):
    return AdaptiveLimit(WORK, now)


def cause_of(function, *args):
    """Why *function* refuses."""
    with pytest.raises(Overloaded) as refused:
        function(*args)
    return refused.value.cause


def has_room_for_exactly(limit, size):
    assert cause_of(limit.enter, size + 1) is limit.cause
    limit.enter(size)
    return True


def test_a_limit_admits_what_fits_and_admits_more_when_something_has_left():
    limit = Limit(MEMORY, 10)
    limit.enter(7)

    assert cause_of(limit.enter, 4) is MEMORY
    limit.leave(7)
    limit.enter(10)

    assert limit.inside == 10


def test_what_does_not_fit_beside_others_is_refused_and_a_large_one_alone_is_not(work):
    since = work.enter(3 * FIRST)
    assert cause_of(work.enter, 1) is WORK

    work.leave(3 * FIRST, since)

    work.enter(FIRST)
    assert cause_of(work.enter, FIRST) is WORK


def test_late_answers_lower_the_bound_once_for_all_that_were_inside(work, now):
    since = [work.enter(1_000) for _ in range(4)]
    now.now += 0.6
    work.leave(1_000, since[0])
    work.leave(1_000, since[1])

    assert has_room_for_exactly(work, FIRST * 3 // 4 - 2_000)


def test_the_bound_never_falls_below_the_least(work, now):
    work.enter(1_000)
    for _ in range(20):
        since = work.enter(1_000)
        now.now += 1
        work.leave(1_000, since)

    assert has_room_for_exactly(work, LEAST - 1_000)


def test_answers_in_time_raise_the_bound_when_it_is_used(work):
    since = [work.enter(FIRST // 4) for _ in range(4)]
    assert cause_of(work.enter, 1) is WORK

    work.leave(FIRST // 4, since[0])

    assert has_room_for_exactly(work, FIRST // 4 + FIRST // 16)


def test_a_queue_refuses_for_its_rows_or_the_age_of_the_oldest():
    limit = QueueLimit(rows=5, age=1.0)

    limit.check(5, 1.0)

    assert cause_of(limit.check, 6, 1.0) is ROWS
    assert cause_of(limit.check, 5, 1.001) is AGE


def test_a_share_gives_back_all_that_it_has_inside_and_only_once():
    admission = Admission(memory_bytes=100)
    share, other = Share(admission), Share(admission)
    other.hold(10)
    for size in (60, 30):
        share.hold(size)
    share.begin(90)
    share.receive(FILES_BYTES)
    assert cause_of(other.hold, 1) is MEMORY
    assert cause_of(other.receive, 1).error == "imports_busy"

    share.give_back()
    share.give_back()

    assert (admission.memory.inside, admission.work.inside, admission.files.inside) == (10, 0, 0)


def test_a_share_that_was_refused_gives_back_what_it_had(now):
    admission = Admission(100, now)
    admission.work.enter(FIRST)
    share = Share(admission)
    share.hold(90)

    assert cause_of(share.check) is WORK
    assert cause_of(share.begin, 90) is WORK
    share.give_back()

    assert (admission.memory.inside, admission.work.inside) == (0, FIRST)


def test_only_large_answers_count_until_they_were_sent():
    admission = Admission()
    share = Share(admission)
    share.send(256 * 1024)
    assert admission.answers.inside == 0

    share.send(ANSWERS_BYTES)
    assert cause_of(Share(admission).send, 256 * 1024 + 1) is ANSWERS
    share.give_back()
    assert admission.answers.inside == ANSWERS_BYTES
    share.sent()
    share.sent()

    assert admission.answers.inside == 0


def test_a_body_of_any_size_counts_as_work_up_to_64_kib():
    admission = Admission()
    share = Share(admission)

    share.begin(16 * 1024 * 1024)

    assert (COUNTED, admission.work.inside) == (65_536, 65_536)


def test_a_client_is_told_status_code_message_and_seconds_of_the_cause():
    told = RetryLater(Cause("thing", 7, 503, "busy", "later"))
    other = RetryLater(Cause("thing", 7, 503, "busy", "later"), "much later", seconds=9)

    assert (told.status, told.error, told.message, told.headers) == (503, "busy", "later", (("retry-after", "7"),))
    assert (other.message, other.headers) == ("much later", (("retry-after", "9"),))


def test_causes_have_names_of_their_own_and_ask_for_at_least_a_second():
    assert len({cause.name for cause in CAUSES}) == len(CAUSES)
    assert all(cause.seconds >= 1 and cause.status in {429, 503, 507} for cause in CAUSES)


def test_the_docs_tell_of_each_cause_with_its_answer_and_seconds():
    lines = [line for line in (ROOT / "docs" / "limits.md").read_text().splitlines() if line.startswith("| `")]

    for cause in CAUSES:
        (line,) = [line for line in lines if line.startswith(f"| `{cause.name}` |")]
        seconds = "up to 61, or 900" if cause is CREDENTIALS else cause.seconds
        assert line.endswith(f"| {cause.status} `{cause.error}` | {seconds} |")


def test_an_unknown_outcome_is_a_cause_of_its_own():
    assert OutcomeUnknown().cause.error == "outcome_unknown"
