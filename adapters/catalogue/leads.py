"""Which entries of the catalogue lead to what a role asks for, in the framework's words. Pure: no store, no clock.

A requirement is looked up in the published frameworks as ``lrs.matching.roles.gap`` does: by the id of an item, or by
its code where the requirement names the framework. What no framework has, no entry leads to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from adapters.catalogue.entries import CatalogueEntry
from lrs.competency.frameworks.framework import Framework, Item
from lrs.competency.frameworks.levels import Level
from lrs.matching.roles.gap import Requirement


class Lead(msgspec.Struct, frozen=True):
    """An entry that gives the competency of a requirement: at which *level*, and whether that is *enough* for it."""

    entry: CatalogueEntry
    level: int | None
    enough: bool


class AskedFor(msgspec.Struct, frozen=True):
    """A requirement in the framework's words. *item* and *framework* are ``None`` where no published framework has it.

    *statements* say what somebody at the asked level can do: those of the level and of the levels below it.
    """

    requirement: Requirement
    framework: Framework | None = None
    item: Item | None = None
    level: Level | None = None
    statements: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What people read: the role's own words, else the framework's, else the code."""
        return self.requirement.label or (self.item.label if self.item else self.requirement.competency)


def asked_for(requirement: Requirement, frameworks: Iterable[Framework]) -> AskedFor:
    """*requirement* in the words of the published *frameworks*."""
    for framework in frameworks:
        if requirement.framework in {None, framework.id}:
            names = {requirement.competency}
            for item in framework.items:
                if item.id in names or (requirement.framework and item.code in names):
                    return _in_words(requirement, framework, item)
    return AskedFor(requirement)


def _in_words(requirement: Requirement, framework: Framework, item: Item) -> AskedFor:
    level = framework.scale.at(requirement.level) if requirement.level else None
    told = [
        (one.level, one.order, one.label)
        for one in framework.items
        if one.parent == item.id and one.level is not None and one.level <= (requirement.level or 0)
    ]
    return AskedFor(requirement, framework, item, level, tuple(label for _, _, label in sorted(told)))


def leads(asked: AskedFor, entries: Sequence[CatalogueEntry]) -> list[Lead]:
    """The *entries* that give what is asked: first those that are enough, then the higher level, the title, the id."""
    if asked.item is None:
        return []
    found = [_lead(asked.requirement, one, asked.item.id) for one in entries]
    return sorted((one for one in found if one), key=lambda one: (not one.enough, -(one.level or 0), _named(one.entry)))


def _named(one: CatalogueEntry) -> tuple[str, str]:
    return one.title.casefold(), one.id


def _lead(requirement: Requirement, one: CatalogueEntry, id: str) -> Lead | None:
    given = [each.level for each in one.given if id in each.ids]
    if not given:
        return None
    level = max((each for each in given if each is not None), default=None)
    return Lead(one, level, not requirement.level or (level or 0) >= requirement.level)
