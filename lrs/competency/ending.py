"""Why an award is valid until its day: from which day on, and for how long. Pure."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from lrs.competency.dates import add, day_of, micros_in, parse_period
from lrs.competency.decide import starts_on
from lrs.competency.rules.in_force import InForce
from lrs.competency.rules.rules import Rule
from lrs.competency.shapes import Award, RuleRef


class Ending(NamedTuple):
    """The newest result counts *valid_for* (ISO 8601 duration) from the day *since* on, and nothing counts longer."""

    since: date
    valid_for: str


def ending_of(award: Award, rules: InForce, zone: str) -> Ending | None:
    """Why *award* ends on its day, by the version of the rule that it names and the evidence that it cites.

    Days are days in *zone*. ``None`` if it has no end, if its rule is not kept any more, or if these alone do not give
    that day: other rules then have their share in it.
    """
    rule = _rule(award.rule, rules)
    if rule is None or not rule.valid_for:
        return None
    since, until = date.min, date.min
    for day in sorted(day_of(at, zone) for one in award.evidence if (at := micros_in(one.timestamp)) is not None):
        start = starts_on(until, day, rule)
        end = add(start, parse_period(rule.valid_for))
        if end > until:
            since, until = start, end
    return Ending(since, rule.valid_for) if until == award.valid_until else None


def _rule(ref: RuleRef, rules: InForce) -> Rule | None:
    found = (index.by_item.get(ref.item) for index in rules.every())
    return next((one for one in found if one and one.version == ref.version), None)
