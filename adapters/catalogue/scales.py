"""Which levels there are of a competency that an offering names: those of the published frameworks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from adapters.training_centre.centre_sessions import Gives
from lrs.competency.frameworks.framework import Framework
from lrs.competency.frameworks.levels import LevelScale

Scales = Mapping[str, tuple[LevelScale, ...]]
"""The scales of each competency, by its id and by its code: several where more than one framework has the code."""


def scales_of(frameworks: Iterable[Framework]) -> Scales:
    """The scales of the competencies in *frameworks*."""
    found: dict[str, tuple[LevelScale, ...]] = {}
    for framework in frameworks:
        for name in {name for item in framework.items for name in (item.id, item.code) if name}:
            found[name] = (*found.get(name, ()), framework.scale)
    return found


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
