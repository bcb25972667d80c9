"""The rules in force, with the former ones that still matter: which evidence counts. Knows no record of rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lrs.competency.rules.rules import Index, Rule, RuleCompetency
from lrs.competency.rules.walk import is_bringing
from lrs.competency.shapes import RuleRef
from lrs.storage import NEWEST, Reader


class FormerRuleset(NamedTuple):
    """A rule set that was replaced.

    What it gives for statements up to the place *replaced* stays held *until* then (microseconds UTC); *by* is the
    version that replaced it.
    """

    version: int
    rules: Index
    replaced: int
    until: int
    by: int


class Unread(NamedTuple):
    """A rule set that was replaced without a review, at the time *at* (microseconds UTC), by version *by*."""

    rules: Index
    at: int
    by: int


class InForce(NamedTuple):
    """The rules in force, the revision of the record they were read from (0: no rules yet), and former rule sets.

    *former* (newest first) are kept until rules change again, so evidence does not depend on the time. Whether their
    levels are still held does: see ``in_review``. *unread* are those replaced without a review, whose walk may not be
    over; ``None`` if that was not recorded (version 0.1.0).
    """

    rules: Index
    rev: int
    former: tuple[FormerRuleset, ...] = ()
    unread: tuple[Unread, ...] | None = ()

    def in_review(self, now: int) -> tuple[FormerRuleset, ...]:
        """The former rule sets under which something may still be held at *now* (microseconds UTC)."""
        return tuple(one for one in self.former if one.until > now)

    def bound(self, rule: Rule | RuleRef) -> int:
        """The place in the order up to which statements are evidence of this version of a rule; 0 for none."""
        version = (rule.item, rule.version)
        if version in self.rules.versions:
            return NEWEST
        return max((one.replaced for one in self.former if version in one.rules.versions), default=0)

    def counts(self, ref: RuleRef) -> bool:
        """Whether evidence of this version of a rule counts by the rules in force.

        Evidence of a former rule set does not, even while it is still stored. In a store of version 0.1.0 evidence of a
        changed rule counts until its statements were read again.
        """
        version = (ref.item, ref.version)
        known = self.unread is not None or any(version in one.rules.versions for one in self.former)
        return version in self.rules.versions or not known

    def on_its_way(self, reader: Reader) -> tuple[Unread, ...]:
        """Those *unread* rule sets whose successor's evidence is not all stored yet.

        Until then their levels stay held.
        """
        found = ((one, reader.get("rematch", f"v{one.by}")) for one in self.unread or ())
        return tuple(one for one, walk in found if walk and is_bringing(walk))

    def competencies(self) -> Mapping[str, RuleCompetency]:
        """All competencies named by the rules in force and the former ones, by ``RuleCompetency.key``."""
        every = (*self.every(), *(one.rules for one in self.unread or ()))
        if len(every) == 1:
            return self.rules.competencies
        return {key: one for index in reversed(every) for key, one in index.competencies.items()}

    def every(self) -> tuple[Index, ...]:
        """The rules in force, then the former ones."""
        return (self.rules, *(one.rules for one in self.former))
