"""An empty domain or capability means the one above: also where the row above it is left out."""

from __future__ import annotations

import pytest

from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet

HEADER = "domain,capability,statement,tier\n"


def read(rows: str) -> tuple[list[str], list[str]]:
    content = (HEADER + rows).encode()
    framework, faults = framework_from_sheet(content, uri="https://f.example/1", title="F", scale=PRESETS["tiers"])
    labels = {item.id: item.label for item in framework.items}
    placed = [f"{labels.get(item.parent or '', '')}/{item.label}" for item in framework.items]
    return placed, [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A,#REF!,two,", "row 3, capability: the cell shows #REF!: a formula failed there"),
        ("A,C,=x,", "row 3, statement: the cell holds a formula, not a value: paste its value over it"),
    ],
)
def test_a_statement_does_not_go_under_the_capability_before_the_one_that_cannot_be_read(row, reason):
    placed, faults = read(f"A,B,one,\n{row}\n,,three,\n,D,four,\n")

    assert placed == ["/A", "A/B", "B/one", "A/D", "D/four"]
    assert faults == [
        reason,
        "row 4, capability: the statement stands under no capability: row 3 above, which names one, is left out",
    ]


def test_nor_under_the_one_before_a_row_with_a_tier_that_is_none():
    placed, faults = read("A,B,one,\nZ,C,two,9th\n,,three,\n,D,four,\n")

    assert placed == ["/A", "A/B", "B/one"]
    assert [fault.partition(":")[0] for fault in faults] == ["row 3, tier", "row 4, capability", "row 5, domain"]


def test_a_row_that_is_left_out_and_names_no_capability_takes_nothing_from_those_below():
    placed, faults = read("A,B,one,\n,,#N/A,\n,,three,\n")

    assert placed == ["/A", "A/B", "B/one", "B/three"]
    assert faults == ["row 3, statement: the cell shows #N/A: a formula failed there"]
