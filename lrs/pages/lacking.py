"""Who lacks a level: the levels that rules can prove, by the text that people choose, and who does not hold one. Pure.

A higher level of the same skill holds the lower ones. What has ended is not held.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple

from lrs.competency.listed import ListedSkill
from lrs.competency.rules.in_force import InForce


class WantedLevel(NamedTuple):
    """A level of a skill: the *skill* as the list of learners calls it, and the *ordinal* of the level."""

    skill: str
    ordinal: int


def levels(rules: InForce, sources: Collection[str] | None) -> dict[str, WantedLevel]:
    """The levels that rules in force prove, by their texts (``GOWN Gowning: 2 Capable``), in order.

    Only those that one of *sources* can prove (``None``: all), for nobody sees what others proved.
    """
    known = rules.competencies()
    found = {
        (rule.competency, rule.level)
        for rule in rules.rules.by_item.values()
        if sources is None or not rule.sources or any(one in sources for one in rule.sources)
    }
    named: dict[str, WantedLevel] = {}
    for competency, ordinal in found:
        about = known[competency]
        level = about.scale.at(ordinal)
        skill = f"{about.code} {about.label or about.id}".strip()
        named[f"{skill}: {ordinal} {level.label if level else ''}".strip()] = WantedLevel(skill, ordinal)
    return dict(sorted(named.items(), key=lambda one: (one[1].skill.casefold(), one[1].ordinal)))


def lacks(skills: Iterable[ListedSkill], wanted: WantedLevel, today: date) -> bool:
    """Whether none of *skills* holds *wanted* on the day *today*."""
    return not any(_holds(one, wanted, today) for one in skills)


def choices(known: Mapping[str, WantedLevel], chosen: str) -> list[tuple[str, bool]]:
    """The texts that can be chosen, and which one is."""
    return [(text, text == chosen) for text in known]


def _holds(one: ListedSkill, wanted: WantedLevel, today: date) -> bool:
    return one.text == wanted.skill and _ordinal(one) >= wanted.ordinal and not has_ended(one, today)


def has_ended(one: ListedSkill, today: date) -> bool:
    """Whether the skill was held, and is not on the day *today*."""
    return one.state == "expired" or (one.until is not None and one.until < today)


def _ordinal(one: ListedSkill) -> int:
    """The number with which the list writes a level."""
    first, _, _ = one.level.partition(" ")
    return int(first) if first.isascii() and first.isdigit() and len(first) < 10 else 0
