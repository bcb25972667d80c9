"""The picture of one apprenticeship, on a made-up standard of six criteria: what counts, and what is missing."""

from __future__ import annotations

import json
from datetime import date

import pytest

from adapters.apprenticeship.facts import Standard
from adapters.apprenticeship.progress import picture, registered
from adapters.apprenticeship.standard_records import read_standards
from adapters.apprenticeship.told_of_standard import StandardPlace, ToldOfStandard, place_of
from adapters.pages.apprenticeship_view import NOT_READY, OVER, OVERDUE, READY, THROUGH, spoken, state_on
from adapters.reading.vocabulary import (
    BASE,
    COMPLETED,
    DEMONSTRATED,
    EXITED,
    EXPERIENCED,
    EXTENSIONS,
    FAILED,
    PASSED,
    PROGRESSED,
    REGISTERED,
)
from tests.adapters.apprenticeship.standard_files import guid, record
from tests.rows import each_of

V1 = Standard("ST1406", "1.0")
RECORD = read_standards(json.dumps(record()).encode())[0][0]
DAY = date(2026, 3, 2)


def told(verb, part="", code="", *, standard=V1, on=DAY, success=None, minutes=0, known="", **extensions):
    named = {EXTENSIONS + name.replace("_", "-"): value for name, value in extensions.items()}
    return ToldOfStandard(verb, StandardPlace(standard, part, code), on, success, minutes, known, named)


def start(on=date(2025, 9, 15), standard=V1, **extensions):
    return told(REGISTERED, on=on, standard=standard, **extensions)


def proof(code, **more):
    return told(DEMONSTRATED, "ksb", code, success=True, **more)


def seen(*statements, record=RECORD):
    return picture(registered(statements), statements, record)


ALL = tuple(proof(code) for code in ("K1", "K2", "K3", "S1", "S2", "B1"))


def states(one):
    return {it.criterion.code: it.state for it in one.covered}


@each_of(
    ("below", "place"),
    [
        ("ST1406/1.0", StandardPlace(V1)),
        ("ST1406", StandardPlace(Standard("ST1406"))),
        ("ST1406/1.0/ksb/K1", StandardPlace(V1, "ksb", "K1")),
        ("ST1406/off-the-job", StandardPlace(Standard("ST1406"), "off-the-job")),
        ("ST1406/1.0/gateway", StandardPlace(V1, "gateway")),
        ("ST1406/1.0/ksb", None),
        ("ST1406/1.0/gateway/K1", None),
        ("ST1406/1.0/other", None),
        ("ST1406/1.0/ksb/K1/more", None),
    ],
)
def test_an_activity_of_a_standard_says_what_it_is_and_any_other_is_none(below, place):
    assert place_of(f"{BASE}standards/{below}") == place
    assert place_of(f"https://elsewhere.example/standards/{below}") is None


@pytest.mark.parametrize("below", ["ST1406%00/1.0", "ST1406/1.0%0A", "ST1406/1.0/ksb/K1%1B"])
def test_an_activity_with_a_control_character_in_its_address_is_none_of_a_standard(below):
    assert place_of(f"{BASE}standards/{below}") is None


@each_of(
    ("told_as", "end"),
    [("2027-03-14", "2027-03-14"), ("2027-03-14T00:00:00Z", "2027-03-14"), ("2027-03", "2027-03")]
    + [(wrong, "") for wrong in ("soon", "\x00", 20270314, {"day": "2027-03-14"}, True)],
)
def test_a_planned_end_is_a_day_or_a_month_and_anything_else_is_none(told_as, end):
    assert registered([start(planned_end=told_as)]).planned_end == end


def test_accepted_evidence_counts_once_for_a_criterion_and_what_was_only_begun_is_in_progress():
    begun = told("http://adlnet.gov/expapi/verbs/attempted", "ksb", "S1")
    not_met = told(DEMONSTRATED, "ksb", "B1", success=False)

    one = seen(start(), proof("K1"), proof("K1", on=date(2026, 4, 1)), begun, not_met)

    assert states(one) == {
        "K1": "evidenced",
        "K2": "missing",
        "K3": "missing",
        "S1": "in_progress",
        "S2": "missing",
        "B1": "in_progress",
    }
    assert (one.covered[0].pieces, one.covered[0].last) == (2, date(2026, 4, 1))


def test_evidence_of_another_version_counts_for_nothing_and_is_said():
    one = seen(start(), proof("K2"), proof("K1", standard=Standard("ST1406", "1.1")), proof("K10"), proof("K9"))

    assert [code for code, state in states(one).items() if state != "missing"] == ["K2"]
    assert one.foreign == (("1.0", ("K9", "K10")), ("1.1", ("K1",)))


def test_the_identifier_of_a_criterion_is_stronger_than_its_code():
    one = seen(start(), proof("K1", known=guid(3).upper()), proof("K2", known=guid(77)))

    assert [code for code, state in states(one).items() if state == "evidenced"] == ["K3"]
    assert one.foreign == (("1.0", ("K2",)),)


def test_the_registered_version_is_the_one_told_last_and_a_return_without_a_version_takes_none_away():
    one = registered(
        [start(), start(on=date(2026, 1, 5), standard=Standard("ST1406", "1.1")), start(DAY, Standard("ST1406"))]
    )

    assert (one.standard, one.since) == (Standard("ST1406", "1.1"), date(2025, 9, 15))
    assert registered([proof("K1")]) is None


def test_of_two_standards_the_one_begun_last_counts_from_its_own_start_with_its_own_end_and_hours():
    other = Standard("ST0248", "1.0")
    first = start(date(2024, 9, 2), other, planned_end="2026-08-31", planned_off_the_job_hours=300)

    one = registered([start(planned_end="2027-03-14", planned_off_the_job_hours=400), first])

    assert one == (V1, date(2025, 9, 15), "2027-03-14", 400)
    assert seen(first, start()).hours.minimum == 187


def test_an_apprenticeship_is_overdue_from_the_day_after_its_planned_end_until_the_gateway_or_its_end():
    begun, last = start(planned_end="2027-03-14"), date(2027, 3, 14)
    gone = told(PROGRESSED, "gateway", on=date(2027, 4, 1))
    passed, failed = (told(verb, "assessment", on=date(2027, 4, 2)) for verb in (PASSED, FAILED))
    left, part = told(EXITED, on=date(2027, 4, 3)), told(COMPLETED, "off-the-job", on=date(2027, 4, 3))

    assert [seen(begun).is_overdue(day) for day in (last, date(2027, 3, 15))] == [False, True]
    assert [seen(begun, one).is_overdue(date(2028, 1, 1)) for one in (gone, passed, left)] == [False] * 3
    assert [seen(begun, one).is_overdue(date(2028, 1, 1)) for one in (failed, part)] == [True] * 2
    assert (seen(begun, passed).over, seen(begun, left).over) == (date(2027, 4, 2), date(2027, 4, 3))


def test_hours_are_those_that_count_until_the_return_tells_the_actual_ones():
    days = [
        told(EXPERIENCED, "off-the-job", minutes=90),
        told(EXPERIENCED, "off-the-job", minutes=60, otj_countable=False),
    ]
    begun = start(planned_off_the_job_hours=400)
    done = told(COMPLETED, standard=Standard("ST1406"), actual_off_the_job_hours=390)

    assert seen(begun, *days).hours == (90, 400, 187)
    assert seen(begun, *days, done).hours == (390 * 60, 400, 187)
    assert seen(start(planned_off_the_job_hours="many")).hours == (0, None, 187)


@each_of(
    ("minutes", "said"),
    [(0, "0"), (1, "0.01"), (59, "0.98"), (60, "1"), (90, "1.5"), (187 * 60 - 1, "186.98"), (6_000, "100")],
)
def test_hours_are_said_to_the_hundredth_and_never_more_than_were_done(minutes, said):
    assert spoken(minutes) == said


def test_an_apprenticeship_is_ready_overdue_through_or_ended_on_a_day():
    begun, day = start(planned_end="2027-03-14"), date(2027, 3, 14)
    enough = (begun, *ALL, told(EXPERIENCED, "off-the-job", minutes=187 * 60))
    gone, left = told(PROGRESSED, "gateway", on=day), told(EXITED, on=day)

    states = [
        state_on(seen(*some), day) for some in ((begun,), enough, (begun, gone), (begun, gone, left), (begun, left))
    ]

    assert states == [NOT_READY, READY, THROUGH, OVER, OVER]
    assert [state_on(seen(*some), date(2027, 3, 15)) for some in ((begun,), enough, (begun, gone))] == [
        OVERDUE,
        OVERDUE,
        THROUGH,
    ]


@each_of(
    ("statements", "lacks"),
    [
        ((start(), *ALL, told(EXPERIENCED, "off-the-job", minutes=187 * 60)), ()),
        ((start(), *ALL, told(EXPERIENCED, "off-the-job", minutes=187 * 60 - 1)), ("hours",)),
        ((start(), *ALL[:5], told(EXPERIENCED, "off-the-job", minutes=187 * 60)), ("criteria",)),
        ((start(date(2025, 7, 31)), *ALL), ("planned",)),
        ((start(date(2025, 7, 31), planned_off_the_job_hours=150), *ALL), ("hours",)),
        ((start(date(2025, 7, 31), planned_off_the_job_hours=0), *ALL), ()),
        ((start(date(2025, 8, 1)), *ALL), ("hours",)),
        ((start(standard=Standard("ST1406")), *ALL), ("version", "hours")),
    ],
)
def test_the_gateway_is_ready_or_says_what_is_missing(statements, lacks):
    of = registered(statements)

    assert picture(of, statements, RECORD if of.standard.version else None).lacks == lacks


def test_a_version_whose_record_is_not_here_is_said_and_whoever_went_through_the_gateway_lacks_nothing():
    gone = told(PROGRESSED, "gateway", on=date(2026, 9, 1))

    assert seen(start(), *ALL, record=None).lacks == ("record", "hours")
    assert seen(start(), *ALL, record=None).foreign == ()
    assert (seen(start(), gone).lacks, seen(start(), gone).through) == ((), date(2026, 9, 1))
