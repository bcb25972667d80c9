"""Puts rules in force once somebody has agreed to the losses that were seen: the same for the command and for pages.

Losses are counted outside the write lock, and again if something changed meanwhile. Knows no terminal and no page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from lrs.competency.dates import day_of
from lrs.competency.frameworks.frameworks import frameworks, published
from lrs.competency.known_sources import KnownSources
from lrs.competency.rules import rulesets
from lrs.competency.rules.losses import Changed, LossSurvey, Swing, look_at, look_on, swings, swings_now, unchanged
from lrs.competency.rules.mapping import KnownNames, ruleset_from_table, versioned
from lrs.competency.rules.rules import Ruleset
from lrs.competency.tables import RowFault
from lrs.kernel.errors import Refused
from lrs.kernel.times import SECOND
from lrs.storage import Tx
from lrs.tenancy.tenants import Tenant

T = TypeVar("T")
ATTEMPTS = 50
"""How often the losses are counted again because something changed meanwhile. After the first time only what changed is
read, unless something else than evidence changed.
"""


class AddedRules(NamedTuple):
    """The rules in force with *added* more rules; *known* are so many that were among them already."""

    ruleset: Ruleset
    added: int
    known: int
    faults: tuple[RowFault, ...]


def ruleset_in(tenant: Tenant, file: Path | bytes) -> tuple[Ruleset, tuple[RowFault, ...]]:
    """The rule set that results from the table in *file* and the rules in force, and the faults of its rows."""
    ready = published(tenant.store)
    every = frameworks(tenant.store)
    drafts = [one for one in every if one not in ready]
    known = KnownNames([one for one in every if one.status == "published"], drafts, KnownSources(tenant.store))
    return ruleset_from_table(file, known, rulesets.current(tenant.store), rulesets.in_review(tenant.store))


def with_added(tenant: Tenant, file: Path | bytes) -> AddedRules:
    """The rules in force, and those of the table in *file* that are not among them: none is changed or added twice.

    Two rules are the same if they name the same activity, verbs, competency and level.
    """
    before, (told, faults) = rulesets.current(tenant.store), ruleset_in(tenant, file)
    there = {rule.item for rule in before.rules}
    new = [rule for rule in told.rules if rule.item not in there]
    proven = {rule.competency for rule in new}
    competencies = {one.key: one for one in before.competencies}
    competencies |= {one.key: one for one in told.competencies if one.key in proven}
    known = (before, *rulesets.in_review(tenant.store))
    ruleset = versioned(known, (*before.rules, *new), tuple(competencies.values()))
    return AddedRules(ruleset, len(new), len(told.rules) - len(new), faults)


def look(tenant: Tenant, ruleset: Ruleset, act: Callable[[LossSurvey, list[Swing]], T]) -> T:
    """What *act* makes of who gains and loses; it is asked again if it raises ``Changed``, with what is so then.

    Raises ``Refused`` (409) if that kept changing.
    """
    seen: LossSurvey | None = None
    found: list[Swing] = []
    for _ in range(ATTEMPTS):
        try:
            seen, found = _looked(tenant, ruleset, seen, found)
            return act(seen, found)
        except Changed:
            continue
    raise Refused(
        f"statements that these rules are about, or persons, changed during each of {ATTEMPTS} attempts; nothing was"
        " changed: run it again when fewer statements arrive",
        status=409,
        error="busy",
    )


def lost(found: Sequence[Swing]) -> int:
    """How many held levels go, or end earlier."""
    return sum(not one.gained for one in found)


def put_in(tx: Tx, tenant: Tenant, seen: LossSurvey, by: str, restores: int | None) -> bool:
    """Puts the rules that were *seen* in force. ``False`` if they already are. Raises ``Changed``."""
    unchanged(tx, seen, day_of(tenant.clock(), tenant.settings.zone))
    review = round(tenant.settings.rules_review * SECOND)
    return rulesets.put(tx, seen.after, by, review=review, restores=restores)


def _looked(
    tenant: Tenant, ruleset: Ruleset, seen: LossSurvey | None, found: list[Swing]
) -> tuple[LossSurvey, list[Swing]]:
    """Who gains and loses: by reading everything, or from *seen* and *found* and what has changed since.

    Raises ``Changed``.
    """
    if seen:
        try:
            touched = look_on(tenant, seen)
        except Changed:
            pass  # more than evidence changed, so everything is read again
        else:
            return seen, swings_now(tenant.store, seen, found, touched)
    seen = look_at(tenant, ruleset)
    return seen, swings(tenant.store, seen)
