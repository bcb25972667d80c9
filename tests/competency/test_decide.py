"""From evidence to periods: pure, and the same in every order."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.competency.completion import Completion, Uncompletion
from lrs.competency.decide import CITED, Evidence, Span, cited, decide, taken_back, why_not
from lrs.competency.rules.review import FormerDecision, reviewed
from lrs.competency.rules.rules import Rule
from lrs.competency.shapes import RuleRef
from lrs.competency.tallies import tallied
from tests.competency.world import micros
from tests.rows import each_of

YEAR = Rule("year", 1, "activity", "urn:a", ("urn:v",), "gown@1", 1, valid_for="P12M")
WINDOW = Rule("window", 1, "activity", "urn:a", ("urn:v",), "gown@1", 1, valid_for="P12M", window="P3M")
EVER = Rule("ever", 1, "activity", "urn:a", ("urn:v",), "gown@1", 1)
OTHER = Rule("other", 1, "activity", "urn:b", ("urn:v",), "asep@1", 2, valid_for="P1M")
RULES = {rule.item: rule for rule in (YEAR, WINDOW, EVER, OTHER)}


def evidence(day, rule=YEAR, name=None, **parts):
    timestamp = f"{day}T10:00:00Z"
    given = {"identifier": "me", "source": "vle", **parts}
    statement = name or f"{day} {rule.item}"
    return Evidence(1, statement, rule=RuleRef(rule.item, 1), timestamp=timestamp, event=micros(timestamp), **given)


def spans(*found):
    standings = decide(tallied(found, "Europe/London"), RULES, {"me"})
    return [
        (one.held_from.isoformat(), one.valid_until.isoformat() if one.valid_until else None)
        for standing in standings
        for one in standing.periods
    ]


def test_a_year_from_a_leap_day_ends_on_the_twenty_eighth():
    assert spans(evidence("2028-02-29")) == [("2028-02-29", "2029-02-28")]


def test_more_evidence_before_the_end_extends_from_its_own_day():
    assert spans(evidence("2025-01-10"), evidence("2025-11-10")) == [("2025-01-10", "2026-11-10")]


def test_evidence_inside_the_requalification_window_extends_from_the_old_end():
    assert spans(evidence("2025-01-10", WINDOW), evidence("2025-11-10", WINDOW)) == [("2025-01-10", "2027-01-10")]


def test_evidence_on_the_last_day_of_the_window_extends_from_the_old_end_and_a_day_later_from_its_own():
    assert spans(evidence("2025-01-10", WINDOW), evidence("2026-01-10", WINDOW)) == [("2025-01-10", "2027-01-10")]
    assert spans(evidence("2025-01-10", WINDOW), evidence("2026-01-11", WINDOW)) == [("2025-01-10", "2027-01-11")]
    assert spans(evidence("2025-01-10", WINDOW), evidence("2026-01-12", WINDOW)) == [
        ("2025-01-10", "2026-01-10"),
        ("2026-01-12", "2027-01-12"),
    ]


def test_rules_in_review_hold_a_level_no_longer_than_it_was_awarded_by_them():
    more = decide(tallied([evidence("2025-01-10"), evidence("2025-11-10")], "Europe/London"), RULES, {"me"})
    awarded = {("gown@1", 1): [Span(date(2025, 1, 10), date(2026, 1, 10))]}

    (standing,) = reviewed((), [FormerDecision(more, until=1, by=2)], awarded)

    assert [(one.held_from, one.valid_until) for one in standing.periods] == [(date(2025, 1, 10), date(2026, 1, 10))]


def test_the_first_day_of_the_window_is_inside_it_and_the_day_before_is_not():
    assert spans(evidence("2025-01-10", WINDOW), evidence("2025-10-10", WINDOW)) == [("2025-01-10", "2027-01-10")]
    assert spans(evidence("2025-01-10", WINDOW), evidence("2025-10-09", WINDOW)) == [("2025-01-10", "2026-10-09")]


def test_evidence_before_the_window_extends_from_its_own_day():
    assert spans(evidence("2025-01-10", WINDOW), evidence("2025-06-10", WINDOW)) == [("2025-01-10", "2026-06-10")]


def test_five_passes_in_one_week_of_the_window_extend_once():
    week = [evidence(f"2025-11-{day}", WINDOW) for day in range(10, 15)]

    assert spans(evidence("2025-01-10", WINDOW), *week) == [("2025-01-10", "2027-01-10")]


def test_the_day_after_the_last_is_still_unbroken_and_the_day_after_that_is_not():
    assert spans(evidence("2025-01-10"), evidence("2026-01-11")) == [("2025-01-10", "2027-01-11")]
    assert spans(evidence("2025-01-10"), evidence("2026-01-12")) == [
        ("2025-01-10", "2026-01-10"),
        ("2026-01-12", "2027-01-12"),
    ]


def test_evidence_without_an_end_makes_the_period_endless():
    assert spans(evidence("2025-01-10"), evidence("2025-03-01", EVER)) == [("2025-01-10", None)]


def test_a_statement_that_meets_two_rules_is_one_piece_of_evidence():
    both = [evidence("2025-01-10", YEAR, "s"), evidence("2025-01-10", EVER, "s")]

    (standing,) = decide(tallied(both, "Europe/London"), RULES, {"me"})

    (held,) = standing.periods
    assert ([one.statement for one in held.evidence], held.count) == (["s"], 1)


def test_an_instructor_who_is_the_learner_under_another_identifier_does_not_count():
    one = evidence("2025-01-10", instructors=("another", "my other name"))

    assert why_not(one, {"me"}, {}) is None
    assert why_not(one, {"me", "my other name"}, {}) == "self-assessed"
    assert decide(tallied([one], "Europe/London"), RULES, {"me", "my other name"}) == ()


def test_evidence_that_was_refused_or_of_rules_no_longer_in_force_proves_nothing():
    assert decide(tallied([evidence("2025-01-10")], "Europe/London"), {}, {"me"}) == ()


pieces = st.builds(
    evidence,
    st.dates(date(2020, 1, 1), date(2026, 1, 1)).map(date.isoformat),
    st.sampled_from(list(RULES.values())),
    st.sampled_from([f"s{n}" for n in range(40)]),
)


@given(st.lists(pieces, max_size=60, unique_by=lambda one: (one.statement, one.rule)), st.randoms())
def test_the_same_evidence_in_any_order_decides_and_names_the_same(found, random):
    shuffled = list(found)
    random.shuffle(shuffled)

    decided = decide(tallied(found, "Europe/London"), RULES, {"me"})

    assert decide(tallied(shuffled, "Europe/London"), RULES, {"me"}) == decided
    for standing in decided:
        for before, after in zip(standing.periods, standing.periods[1:], strict=False):
            assert before.valid_until is not None
            assert (after.held_from - before.valid_until).days > 1
        for held in standing.periods:
            assert len(held.evidence) == min(held.count, 20)
            assert list(held.evidence) == sorted(held.evidence)


def test_of_much_evidence_the_ten_oldest_and_the_ten_newest_are_named_and_all_is_counted():
    days = [f"2025-01-{day:02d}" for day in range(1, 32)]

    (standing,) = decide(tallied([evidence(day) for day in days], "Europe/London"), RULES, {"me"})

    (held,) = standing.periods
    assert [one.statement[:10] for one in held.evidence] == days[:10] + days[-10:]
    assert held.count == 31


def test_a_period_names_the_identifier_and_the_rule_of_its_oldest_evidence():
    found = [
        evidence("2025-03-10", WINDOW, identifier="other me"),
        evidence("2025-01-10", YEAR),
        evidence("2025-02-10", WINDOW),
    ]

    (standing,) = decide(tallied(found, "Europe/London"), RULES, {"me", "other me"})

    (held,) = standing.periods
    assert (held.founder, held.rule) == ("me", RuleRef("year", 1))


# -- spans ----------------------------------------------------------------------------------------------------------


def span(text):
    """``"10-20"``: from the tenth to the twentieth of January; ``"10-"``: without an end."""
    first, _, last = text.partition("-")
    return Span(date(2025, 1, int(first)), date(2025, 1, int(last)) if last else None)


@each_of(
    ("one", "other", "common"),
    [
        ("10-20", "20-30", True),
        ("10-20", "21-30", False),
        ("20-30", "10-20", True),
        ("21-30", "10-20", False),
        ("10-20", "12-14", True),
        ("10-", "20-30", True),
        ("10-", "1-9", False),
        ("10-", "1-10", True),
        ("10-20", "20-", True),
        ("10-20", "21-", False),
        ("10-", "20-", True),
    ],
)
def test_two_spans_meet_where_they_have_a_day_in_common(one, other, common):
    assert span(one).meets(span(other)) is common
    assert span(other).meets(span(one)) is common


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [("10-20", "15-30", "10-30"), ("10-30", "15-20", "10-30"), ("10-20", "15-", "10-"), ("15-", "10-20", "10-")],
)
def test_two_spans_joined_are_the_shortest_that_holds_both(one, other, both):
    assert span(one).joined(span(other)) == span(both)


# -- what takes evidence back -----------------------------------------------------------------------------------------


def completed(at="2025-01-10", *, activity="https://vle.example/unit", seq=5, **parts):
    return evidence(at, completes=Completion(activity, seq), **parts)


def marks(one, **other):
    """An uncompletion of just what *one* completes, at the same moment, but for what is *other*."""
    given = {"source": one.source, "activity": "https://vle.example/unit", "event": one.event, "seq": 5, **other}
    mark = Uncompletion(1, "u1", one.identifier, timestamp="2025-01-10T11:00:00Z", **given)
    return {(mark.source, mark.activity): mark}


@pytest.mark.parametrize(
    ("event", "seq", "back"), [(1, 0, True), (0, 1, True), (0, 0, False), (0, -1, False), (-1, 1, False)]
)
def test_a_completion_is_taken_back_by_what_comes_after_it_by_time_then_by_place(event, seq, back):
    one = completed()
    later = marks(one, event=one.event + event, seq=5 + seq)

    assert (taken_back(one, later) is not None) is back
    told = "taken back by statement u1 on 2025-01-10T11:00:00Z" if back else None
    assert why_not(one, {"me"}, later) == told


@pytest.mark.parametrize("other", [{"source": "centre"}, {"activity": "https://vle.example/another"}])
def test_a_mark_of_another_source_or_activity_takes_nothing_back(other):
    one = completed()

    assert taken_back(one, marks(one, event=one.event + 1, **other)) is None


def test_what_is_no_completion_is_taken_back_by_nothing():
    one = evidence("2025-01-10")

    assert taken_back(one, marks(one, event=one.event + 1)) is None


def test_a_reason_against_comes_first_then_who_assessed():
    refused, own = evidence("2025-01-10", reason="below the threshold"), evidence("2025-01-10", instructors=("me",))

    assert why_not(refused, {"me"}, {}) == "below the threshold"
    assert why_not(own, {"me"}, {}) == "self-assessed"


def test_as_many_pieces_as_may_be_named_are_all_named_and_of_one_more_that_in_the_middle_is_not():
    numbers = tuple(range(CITED + 1))

    assert cited(numbers[:CITED]) == numbers[:20]
    assert cited(numbers) == (*range(10), *range(11, 21))
