"""The gap between what is held and what a role asks for: expected values worked out by hand."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from lrs.competency.shapes import ProfileEntry
from lrs.matching.roles.gap import Requirement, Role, gap
from tests.matching.world import held as as_json
from tests.rows import each_of


def held(id: str, ordinal: int = 2, state: str = "held", **more: Any) -> ProfileEntry:
    return msgspec.convert(as_json(id, ordinal, state, **more), ProfileEntry)


def role(*requirements: Requirement) -> Role:
    return Role("technician", "GMP technician", requirements)


def results(found: dict[str, Any]) -> list[Any]:
    return [(row["competency"], row["result"], row["shortfall"]) for row in found["requirements"]]


def test_each_requirement_has_one_of_five_results() -> None:
    asked = role(
        Requirement("gown", level=2),
        Requirement("clean", level=2),
        Requirement("fill", level=3),
        Requirement("document", level=1),
        Requirement("inspect", framework="other", level=1),
    )
    have = [
        held("gown", 2),
        held("clean", 2, "expiring"),
        held("fill", 1),
        held("document", 1, "expired"),
        held("inspect", 1),
    ]

    found = gap(asked, have)

    assert results(found) == [
        ("gown", "met", None),
        ("clean", "expiring", None),
        ("fill", "shortfall", 2),
        ("document", "missing", None),
        ("inspect", "not comparable", None),
    ]
    # (1 + 1 + 1/3 + 0 + 0) / 5 = 46.67 %
    assert found["match"] == 46.7
    assert found["full"] is False


@each_of(
    ("have", "told"),
    [
        ([{"valid_until": "2027-09-30"}, {"valid_until": None}], (2, "met", None)),
        ([{"valid_until": None}, {"valid_until": "2027-09-30"}], (2, "met", None)),
        ([{"valid_until": "2027-09-30"}, {"valid_until": "2028-09-30"}], (2, "met", "2028-09-30")),
        ([{"state": "expiring", "valid_until": "2029-01-31"}, {}], (2, "met", "2027-09-30")),
        ([{}, {"ordinal": 3, "state": "expiring"}], (3, "expiring", "2027-09-30")),
        ([{"ordinal": 1}, {"ordinal": 4, "state": "expired"}], (1, "shortfall", "2027-09-30")),
    ],
)
def test_of_several_that_are_held_the_best_counts_by_level_then_by_how_long_it_lasts(have: Any, told: Any) -> None:
    found = gap(role(Requirement("gown", level=2)), [held("gown", **one) for one in have])

    (row,) = found["requirements"]
    assert (row["level"], row["result"], row["validUntil"]) == told


def test_weights_count_and_essentials_are_reported_apart() -> None:
    asked = role(
        Requirement("gown", level=2, essential=True, weight="3"),
        Requirement("fill", level=4, essential=True, weight="1"),
        Requirement("clean", level=1, essential=False, weight="0.5"),
    )

    found = gap(asked, [held("gown", 3), held("fill", 1), held("clean", 1)])

    # (3*1 + 1*1/4 + 0.5*1) / 4.5 = 3.75 / 4.5 = 83.33 %; essentials alone: 3.25 / 4 = 81.25 -> 81.3 %
    assert found["match"] == 83.3
    assert found["essentials"] == {"required": 2, "met": 1, "match": 81.3}
    assert found["full"] is False


def test_more_than_what_is_asked_for_is_never_worth_more_than_one() -> None:
    found = gap(role(Requirement("gown", level=1), Requirement("fill", level=1)), [held("gown", 5)])

    assert found["match"] == 50.0


def test_a_role_is_a_full_match_only_if_nothing_is_missing() -> None:
    asked = role(Requirement("gown", level=2), Requirement("clean", essential=False))

    assert gap(asked, [held("gown", 2), held("clean", 1)])["full"] is True
    assert gap(asked, [held("gown", 2)])["full"] is False
    assert gap(asked, [held("clean", 2)])["full"] is False


def test_the_best_of_several_counts() -> None:
    asked = role(Requirement("gown", level=3))

    assert results(gap(asked, [held("gown", 1), held("gown", 3), held("gown", 2)])) == [("gown", "met", None)]
    assert results(gap(asked, [held("gown", 3, "expiring"), held("gown", 3, "held")])) == [("gown", "met", None)]


def test_a_requirement_without_a_level_is_met_by_any() -> None:
    assert results(gap(role(Requirement("gown")), [held("gown", 1)])) == [("gown", "met", None)]


def test_a_code_names_a_competency_only_together_with_its_framework() -> None:
    about = {"id": "0a1b", "label": "Gowning", "framework": "ST0597", "version": 1, "code": "K7"}
    have = [held("0a1b", competency=about)]

    assert results(gap(role(Requirement("K7", framework="ST0597", level=1)), have)) == [("K7", "met", None)]
    assert results(gap(role(Requirement("K7", level=1)), have)) == [("K7", "missing", None)]
    assert results(gap(role(Requirement("K7", framework="ST1406", level=1)), have)) == [("K7", "not comparable", None)]


def test_the_order_of_what_is_held_does_not_matter() -> None:
    asked = role(Requirement("gown", level=2), Requirement("fill", level=2))
    have = [held("gown", 1), held("gown", 2, "expiring"), held("fill", 2), held("fill", 2, "expiring")]

    answers = [gap(asked, order) for order in itertools.permutations(have)]

    assert all(answer == answers[0] for answer in answers)
    assert results(answers[0]) == [("gown", "expiring", None), ("fill", "met", None)]


@pytest.mark.parametrize(("level", "percent"), [(1, 12.5), (3, 37.5), (8, 100.0)])
def test_percentages_have_one_decimal_with_halves_rounded_up(level: int, percent: float) -> None:
    assert gap(role(Requirement("gown", level=8)), [held("gown", level)])["match"] == percent


def test_a_role_that_asks_for_nothing_has_no_percentage() -> None:
    assert gap(role(), [held("gown")])["match"] is None
