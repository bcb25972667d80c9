"""Which levels there are of a competency that an offering names: those of the published frameworks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from adapters.training_centre.centre_sessions import Gives
from lrs.competency.frameworks.framework import Framework, items_named
from lrs.competency.frameworks.levels import LevelScale
from lrs.kernel.errors import Refused

Scales = Mapping[str, tuple[LevelScale, ...]]
"""The scales of each competency, by its id and by its code: several where more than one framework has the code."""


def scales_of(frameworks: Iterable[Framework]) -> Scales:
    """The scales of the competencies in *frameworks*."""
    found: dict[str, tuple[LevelScale, ...]] = {}
    for framework in frameworks:
        for name in {name for item in framework.items for name in (item.id, item.code) if name}:
            found[name] = (*found.get(name, ()), framework.scale)
    return found


def named_in(text: str, frameworks: Sequence[Framework]) -> Gives:
    """A competency and its level, as ``GOWN, 2`` or ``Gowning, Practitioner``: by code, if one of *frameworks* has it.

    A name that no framework has, or more than one, stays as it is written. Raises ``Refused`` (400) for a level that
    is none.
    """
    plain = text.strip()
    if "," not in plain or items_named(frameworks, plain):
        return coded(Gives(plain), frameworks)
    name, _, said = (part.strip() for part in plain.rpartition(","))
    if len(said) < 4 and said.isascii() and said.isdigit() and 0 < int(said) < 100:
        return coded(Gives(name, int(said)), frameworks)
    levels = {level.ordinal for one, _ in items_named(frameworks, name) if (level := one.scale.named(said))}
    if len(levels) != 1:
        message = f"{plain[:60]}: a level is a whole number, such as: GOWN, 2, or its word where a framework has it"
        raise Refused(message, error="bad_offering")
    return coded(Gives(name, levels.pop()), frameworks)


def coded(one: Gives, frameworks: Iterable[Framework]) -> Gives:
    """*one* by its code, if it is named by words that one competency alone has."""
    found = items_named(frameworks, one.competency)
    if len(found) != 1 or one.competency == found[0][1].id:
        return one
    return Gives(found[0][1].code, one.level)


def off_scale(one: Gives, scales: Scales) -> str:
    """A sentence if no scale of the competency has the level of *one*, with the levels that there are; else empty.

    Of a competency that no framework has nobody knows the levels: it is let be.
    """
    known = scales.get(one.competency, ())
    if one.level is None or not known or any(scale.at(one.level) for scale in known):
        return ""
    return f"{one.competency} has no level {one.level}; there are {', or '.join(dict.fromkeys(map(_levels, known)))}"


def _levels(scale: LevelScale) -> str:
    told = ", ".join(f"{level.ordinal} ({level.label})" for level in scale.levels)
    return f"{told} on the scale {scale.name}"
