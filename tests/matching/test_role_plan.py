"""A plan for a role in order of what things need first, with what nothing offered opens."""

from __future__ import annotations

import msgspec

from lrs.competency.shapes import ProfileEntry
from lrs.matching.roles.gap import Requirement, Role
from lrs.matching.roles.role_plan import NeededFirst, Offered, plan_for
from tests.matching.world import held

ROLE = Role("operator", "Operator", (Requirement("fill", "Filling", level=2), Requirement("weld", "Welding")))
GOWNING = NeededFirst("Gowning", ("gown",), 1)
ISOLATORS = NeededFirst("Isolators", ("iso",))
OFFERED = (
    Offered("a-fill", "Filling in depth", 5.0, (("fill", 2),), (GOWNING,)),
    Offered("b-weld", "Welding", 2.0, (("weld", 1),), (ISOLATORS,)),
    Offered("z-gown", "Gowning", 1.0, (("gown", 1),)),
)


def plan(*known: ProfileEntry):
    return plan_for(ROLE, known, OFFERED, lambda requirement: requirement.competency)


def entry(id: str, ordinal: int) -> ProfileEntry:
    return msgspec.convert(held(id, ordinal), ProfileEntry, strict=False)


def test_what_something_needs_comes_before_it_and_what_nothing_opens_is_said() -> None:
    found = plan()

    assert [(one.offered.id, [each.label for each in one.closes], one.opens) for one in found.steps] == [
        ("z-gown", [], ("Gowning",)),
        ("a-fill", ["Filling"], ()),
    ]
    assert [(one.id, needs) for one, needs in found.blocked] == [("b-weld", ("Isolators",))]
    assert ([each.label for each in found.left], found.hours) == (["Welding"], 6.0)


def test_who_holds_what_is_needed_takes_nothing_for_it() -> None:
    found = plan(entry("gown", 1), entry("iso", 1))

    assert [one.offered.id for one in found.steps] == ["b-weld", "a-fill"]
    assert (found.blocked, found.left) == ((), ())


def test_a_level_below_the_one_that_is_needed_is_not_enough() -> None:
    offered = (Offered("deep", "Deep", 1.0, (("fill", 2),), (NeededFirst("Gowning", ("gown",), 2),)), OFFERED[2])

    found = plan_for(ROLE, [entry("gown", 1)], offered, lambda requirement: requirement.competency)

    assert (found.steps, [one.id for one, _ in found.blocked]) == ((), ["deep"])


def test_a_thousand_entries_that_lead_nowhere_change_nothing() -> None:
    noise = [
        Offered(f"n-{n}", "Other", 1.0, ((f"other-{n}", 1),), (NeededFirst("Other", (f"other-{n + 1}",)),))
        for n in range(1_000)
    ]

    assert plan_for(ROLE, (), (*noise, *OFFERED), lambda requirement: requirement.competency) == plan()
