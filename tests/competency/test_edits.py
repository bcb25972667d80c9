"""What differs between two tables of rules, rule by rule."""

from lrs.competency.rules.rules import Ruleset
from lrs.competency.rules.table import edits
from tests.competency.world import RULES

ROW = "https://vle.example/other,passed,GOWN,1,70.5,P24M,vle\n"


def told(before, after):
    return [
        (one.does, one.cells["activity"], one.cells["threshold"], dict(one.was)) for one in edits(before, after, {})
    ]


def test_what_a_table_adds_changes_and_takes_out_is_told_rule_by_rule(world):
    before = world.ruleset(RULES + ROW)
    first, *others = [one.activity for one in world.ruleset(RULES).rules]

    after = world.ruleset(RULES.replace(",80,", ",95,"))

    assert ("gone", "https://vle.example/other", "70.5%", {}) in told(before, after)
    assert ("changed", first, "95%", {"threshold": "80%"}) in told(before, after)
    assert [does for does, *_ in told(Ruleset(0), after)] == ["added"] * (1 + len(others))
    assert told(after, after) == []
