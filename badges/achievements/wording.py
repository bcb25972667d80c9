"""What stewards wrote about achievements, and which version of the words badges get now. Words nothing itself.

kind ``badge-wording``, id that of the achievement: the words that stewards wrote, the version that badges get now, and
the oldest version that a held badge may still show.
"""

from __future__ import annotations

import msgspec

from badges.content.attainment import Attainment
from lrs.competency.frameworks.levels import Level, LevelScale
from lrs.competency.shapes import AboutCompetency
from lrs.storage import Reader, Record
from lrs.storage.kinds import Kind

KIND = "badge-wording"
LANGUAGE = "en"


class OwnWords(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stewards wrote; an empty text stands for what the framework says. *criteria* is Markdown."""

    name: str = ""
    description: str = ""
    criteria: str = ""
    language: str = LANGUAGE
    tags: tuple[str, ...] = ()


class BadgeWording(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of a ``badge-wording`` record.

    *version* counts the versions of the words, *current* is the ``achievement`` record of the present one. A held badge
    with a version below *least* is issued anew.
    """

    v: int
    about: AboutCompetency
    level: Level
    scale: LevelScale
    words: OwnWords = OwnWords()
    version: int = 0
    current: str = ""
    least: int = 0

    @property
    def attainment(self) -> Attainment:
        """What it is about."""
        return Attainment(self.about, self.level, self.scale)


def wording_of(reader: Reader, attainment: Attainment) -> BadgeWording:
    """What is stored about *attainment*, or a wording without a version."""
    record = reader.get(KIND, attainment.id)
    return read(record) if record else BadgeWording(1, attainment.about, attainment.level, attainment.scale)


def read(record: Record) -> BadgeWording:
    """The wording in *record*."""
    return msgspec.json.decode(record.body, type=BadgeWording)


KINDS = (Kind(KIND, "fact", BadgeWording, 1, subjects=None, retention="evidence", exported=True),)
"""Words are about what is earned, never about who earned it."""
