"""Level scales, and the presets that are built in. Knows no framework and no rule.

Levels of two scales are never compared here, because that needs an explicit map between the scales.
"""

from __future__ import annotations

import msgspec


class Level(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a scale. *ordinal* gives the order, *code* is written in tables, *label* is shown to people."""

    ordinal: int
    code: str
    label: str
    description: str | None = None


class LevelScale(msgspec.Struct, frozen=True):
    """Levels in ascending order. Ordinals are unique, and so are codes."""

    id: str
    name: str
    levels: tuple[Level, ...]

    def named(self, text: str) -> Level | None:
        """The level with this code, label or ordinal, in upper or lower case; also ``Tier 2`` or ``Level 2`` for 2."""
        wanted = " ".join(text.casefold().split())
        for prefix in ("", "tier ", "level "):
            stripped = wanted.removeprefix(prefix)
            for level in self.levels:
                if stripped in {level.code.casefold(), level.label.casefold(), str(level.ordinal)}:
                    return level
        return None

    def at(self, ordinal: int) -> Level | None:
        """The level with this ordinal."""
        return next((level for level in self.levels if level.ordinal == ordinal), None)


def scale(id: str, name: str, *labels: str, first: int = 1) -> LevelScale:
    """A scale whose codes are its ordinals; the first ordinal is *first*."""
    return LevelScale(id, name, tuple(Level(n, str(n), label) for n, label in enumerate(labels, first)))


PRESETS = {
    preset.id: preset
    for preset in (
        scale("tiers", "Skills for Health tiers", "Awareness", "Practitioner", "Lead or expert"),
        scale("awareness-expert", "Awareness to expert", "Awareness", "Practitioner", "Expert"),
        scale("dreyfus", "Dreyfus", "Novice", "Advanced beginner", "Competent", "Proficient", "Expert"),
        scale("bloom", "Bloom, revised", "Remember", "Understand", "Apply", "Analyse", "Evaluate", "Create"),
        scale("pass-fail", "Pass or fail", "Fail", "Pass", first=0),
        scale("moodle", "Moodle default competence scale", "Not yet competent", "Competent"),
        scale("ilr-outgrade", "ILR outcome grades", "Fail", "Pass", "Merit", "Distinction", first=0),
    )
}
