"""The achievements that stewards describe: those that have badges, and those that the rules in force prove.

Read with bounds; formats nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from badges.achievements import wording
from badges.achievements.achievements import is_up_to_date
from badges.achievements.counts import counts_of
from badges.achievements.wording import BadgeWording
from badges.achievements.words import default_name
from badges.content.attainment import of_rule
from badges.keys.issuer import issuer_of
from lrs.competency.frameworks.frameworks import frameworks
from lrs.competency.rules.rulesets import in_force
from lrs.kernel.errors import Refused
from lrs.storage import Reader, each
from lrs.tenancy.tenants import Tenant


class DescribedAchievement(msgspec.Struct, frozen=True):
    """One achievement in the list: its name, the title of its framework, and what became of its badges."""

    held: BadgeWording
    name: str
    framework: str
    counts: Mapping[str, int]


def described_achievements(tenant: Tenant) -> list[DescribedAchievement]:
    """All of them, by framework, competency and level."""
    reader = tenant.store
    titles = {one.id: one.title for one in frameworks(reader)}
    counted = counts_of(reader)
    found = [
        DescribedAchievement(
            held,
            held.words.name or default_name(held.attainment),
            titles.get(held.about.framework, held.about.framework),
            counted.get(held.attainment.id, {}),
        )
        for held in _wordings(reader).values()
    ]
    return sorted(found, key=lambda one: (one.framework, one.held.about.code, one.held.level.ordinal, one.held.version))


def wording_named(tenant: Tenant, id: str) -> BadgeWording:
    """The one with this id. Raises ``Refused`` (404)."""
    record = tenant.store.get(wording.KIND, id)
    held = wording.read(record) if record else _of_rules(tenant.store).get(id)
    if held is None:
        raise Refused("There is no such achievement.", status=404, error="not_found")
    return held


def is_current(tenant: Tenant, held: BadgeWording) -> bool:
    """Whether badges get what the framework, the words and the image are now."""
    return is_up_to_date(tenant, tenant.store, issuer_of(tenant), held)


def _wordings(reader: Reader) -> dict[str, BadgeWording]:
    stored = {record.id: wording.read(record) for record in each(reader, wording.KIND)}
    return {**_of_rules(reader), **stored}


def _of_rules(reader: Reader) -> dict[str, BadgeWording]:
    """A wording for each level that a rule in force proves."""
    rules = in_force(reader)
    known = rules.competencies()
    pairs = {(rule.competency, rule.level) for rule in rules.rules.by_item.values()}
    about = [of_rule(known[competency], level) for competency, level in pairs if competency in known]
    return {one.id: BadgeWording(1, one.about, one.level, one.scale) for one in about if one is not None}
