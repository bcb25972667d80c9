"""Rows of evidence that no rule knows say so, with what rules know, and come in all the same."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.apprenticeship.facts import Evidenced, Standard
from adapters.apprenticeship.files.criteria import KnownCriteria
from adapters.reading.people import Ifi
from adapters.reading.source import Fact, Mapped
from adapters.reading.vocabulary import COMPETENCY
from lrs.kernel.tables.row import RowPlace

RULED = [("activity", Standard("ST1406", "1.0").iri("ksb", code)) for code in ("K1", "K10", "K2")]


def warned(anchors, *told):
    """The remarks of one row for each of *told*, and the notes on all."""
    known, at = KnownCriteria(anchors), datetime(2026, 11, 1, tzinfo=UTC)
    rows = [
        Mapped(
            (RowPlace("", row),),
            (Fact("evidence", ("p",), Evidenced(Ifi("h", "p"), Standard(ref, version), code, "", "E", "", at, None)),),
        )
        for row, (ref, version, code) in enumerate(told, 2)
    ]
    return [one.remark for one in known.warned(iter(rows))], known.notes()


def test_what_a_rule_knows_has_no_remark():
    assert warned(RULED, ("ST1406", "1.0", "K1")) == ([""], ())


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (("ST1406", "1", "K1"), "no rule knows version 1 of ST1406: {}. Known are 1.0, 1.1"),
        (("ST1406", "1.0", "S99"), "no rule knows S99 of ST1406 1.0: {}. Known are K1, K2, K10"),
        (("ST1406", "1.1", "K10"), "no rule knows K10 of ST1406 1.1 (version 1.0 has it): {}. Known are S5"),
        (("ST0001", "1.0", "K1"), "no rule knows ST0001: {}. Known are ST1406"),
    ],
)
def test_a_version_or_a_code_that_no_rule_knows_is_named_with_those_known_and_counted(told, said):
    said = said.format("it comes in, and counts once a rule does")

    rules = [*RULED, ("activity", Standard("ST1406", "1.1").iri("ksb", "S5"))]
    assert warned(rules, told, ("ST1406", "1.0", "K2"), told) == ([said, "", said], (f"{said} (2 rows)",))


@pytest.mark.parametrize(
    "anchors",
    [
        [],
        [*RULED, ("parent", Standard("ST1406", "1.0").iri())],
        [*RULED, ("type", COMPETENCY)],
        [("activity", "https://vle.example/gowning")],
    ],
)
def test_nothing_is_said_where_rules_take_everything_or_are_about_no_standard(anchors):
    assert warned(anchors, ("ST1406", "1.0", "S99")) == ([""], ())
