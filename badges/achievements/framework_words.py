"""What a framework says about a level of a competency, in its own words. Pure; knows no store and no badge.

A competency is an item of the framework; what somebody can do is said by the statements below it. A statement belongs
to a level by its tier; one without a tier is asked for at every level.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from badges.content.attainment import Attainment
from lrs.competency.frameworks.framework import Framework, Item
from lrs.competency.frameworks.levels import Level


class LevelStatements(msgspec.Struct, frozen=True):
    """What the framework asks for at *level*; ``None`` for what it asks for at every level."""

    level: Level | None
    statements: tuple[str, ...]


class FrameworkWords(msgspec.Struct, frozen=True):
    """What the framework *title* says. *within* are the labels of the items around it, the widest first.

    *levels* has the level itself first, then those below it from high to low, then what is asked for at every level;
    none without statements.
    """

    title: str
    version: int
    within: tuple[str, ...]
    levels: tuple[LevelStatements, ...]


def words_of(versions: Sequence[Framework], attainment: Attainment) -> FrameworkWords | None:
    """The words of the latest of *versions*, oldest first, in which the competency has the meaning that was reached.

    ``None`` if none of them has it: the rules may name a competency whose framework is not here.
    """
    about = attainment.about
    for framework in reversed(versions):
        items = {item.id: item for item in framework.items}
        item = items.get(about.id)
        if framework.status == "published" and item is not None and item.since == about.version:
            below = list(_below(framework.items, item.id))
            within = tuple(reversed([one.label for one in _above(items, item)]))
            return FrameworkWords(framework.title, framework.version, within, tuple(_levels(below, attainment)))
    return None


def _levels(statements: Sequence[Item], attainment: Attainment) -> Iterator[LevelStatements]:
    reached = [level for level in attainment.scale.levels if level.ordinal <= attainment.level.ordinal]
    for level in reversed(reached):
        said = tuple(item.label for item in statements if item.level == level.ordinal)
        if said:
            yield LevelStatements(level, said)
    always = tuple(item.label for item in statements if item.level is None)
    if always:
        yield LevelStatements(None, always)


def _below(items: Iterable[Item], root: str) -> Iterator[Item]:
    """The statements in the tree below the item *root*, in the order of the sheet: parents stand before children."""
    inside = {root}
    for item in items:
        if item.parent in inside:
            inside.add(item.id)
            if item.sort == "statement":
                yield item


def _above(items: dict[str, Item], item: Item) -> Iterator[Item]:
    while item.parent is not None and item.parent in items:
        item = items[item.parent]
        yield item
