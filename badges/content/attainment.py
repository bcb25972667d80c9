"""What an achievement is for: a level of a competency, whoever reaches it. Pure; knows no words and no badge."""

from __future__ import annotations

import msgspec

from lrs.competency.frameworks.levels import Level, LevelScale
from lrs.competency.rules.rules import RuleCompetency
from lrs.competency.shapes import AboutCompetency, Award
from lrs.kernel.names import name


class Attainment(msgspec.Struct, frozen=True):
    """*level* of *about*, one of the levels of *scale*."""

    about: AboutCompetency
    level: Level
    scale: LevelScale

    @property
    def id(self) -> str:
        """The id of the achievement, the same for everybody who reaches it, and for all versions of its words."""
        about = self.about
        return name("achievement", about.framework, about.version, about.id, self.scale.id, self.level.code)

    @property
    def title(self) -> str:
        """What it is called if nobody gives it a name."""
        return f"{self.about.label}: {self.level.label}"


def of_award(award: Award) -> Attainment:
    """What the award stands for."""
    return Attainment(award.competency, award.level, award.scale)


def of_rule(competency: RuleCompetency, ordinal: int) -> Attainment | None:
    """What a rule proves; ``None`` for a level that its scale does not have."""
    level = competency.scale.at(ordinal)
    about = AboutCompetency(competency.id, competency.label, competency.framework, competency.version, competency.code)
    return Attainment(about, level, competency.scale) if level else None
