"""The words of an achievement: what stewards wrote, or else what the framework says. Pure; knows no store.

A description says in a paragraph what the holder can do; the criteria, in Markdown, what the level asks for and how
it is shown. Both are bounded, and say how much more the framework says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from badges.achievements.framework_words import FrameworkWords, LevelStatements
from badges.achievements.wording import OwnWords
from badges.content.attainment import Attainment
from lrs.competency.frameworks.levels import Level
from lrs.kernel.plain_text import cleaned, counted

LONGEST_DESCRIPTION = 1_000
"""Characters of a description that is made here. Wallets show all of it on a phone."""
LONGEST_CRITERIA = 6_000
LONGEST_LINE = 300
HOW_SHOWN = (
    "It is shown by results that trusted people and systems recorded. The badge names some of them, and says how many"
    " there are."
)


class BadgeWords(msgspec.Struct, frozen=True):
    """The words of one version as they stand in badges. *criteria* is Markdown."""

    name: str
    description: str
    criteria: str
    language: str
    tags: tuple[str, ...]


def words(attainment: Attainment, framework: FrameworkWords | None, own: OwnWords) -> BadgeWords:
    """The words of *attainment*: those of stewards, and where they wrote none those of its *framework*."""
    about = attainment.about
    title = framework.title if framework else about.framework
    tags = own.tags or tuple(dict.fromkeys(filter(None, (about.code, title, *(framework.within if framework else ())))))
    return BadgeWords(
        name=own.name or default_name(attainment),
        description=own.description or _description(attainment, framework),
        criteria=own.criteria or _criteria(attainment, framework),
        language=own.language,
        tags=tuple(cleaned(tag, LONGEST_LINE) for tag in tags),
    )


def default_name(attainment: Attainment) -> str:
    """The name of a badge of *attainment* if stewards gave it none."""
    return cleaned(attainment.title, LONGEST_LINE)


def _description(attainment: Attainment, framework: FrameworkWords | None) -> str:
    """What somebody with the badge can do, in a paragraph."""
    about, level = attainment.about, attainment.level
    own = next((one.statements for one in framework.levels if one.level == level), ()) if framework else ()
    own = own or (framework.levels[0].statements if framework and framework.levels else ())
    lead = f"{_line(about.label)} at the level {_line(level.label)}{_place(attainment)}."
    meaning = f" {_line(level.description)}" if level.description else ""
    if not own:
        return f"{lead}{meaning}"
    return _fitted(f"{lead}{meaning} The holder has shown this: ", [f"{_line(one)}" for one in own], "; ", ".")


def _place(attainment: Attainment) -> str:
    levels = attainment.scale.levels
    number = next((n for n, one in enumerate(levels, 1) if one.ordinal == attainment.level.ordinal), 0)
    return f" ({number} of {len(levels)})" if number else ""


def _fitted(lead: str, parts: Sequence[str], between: str, end: str) -> str:
    """*lead* and as many *parts* as the description takes, with the number of those left out."""
    kept: list[str] = []
    for part in parts:
        if len(lead) + sum(map(len, kept)) + len(part) > LONGEST_DESCRIPTION - 40:
            break
        kept.append(part.rstrip(" .;"))
    left = len(parts) - len(kept)
    return f"{lead}{between.join(kept)}{f'; and {left} more' if left and kept else ''}{end}"


def _criteria(attainment: Attainment, framework: FrameworkWords | None) -> str:
    """What it takes, as Markdown: the statements of the level and of those below, then how it is shown."""
    lines = list(_statements(attainment, framework)) if framework else []
    kept: list[str] = []
    for line in lines:
        if sum(map(len, kept)) + len(line) > LONGEST_CRITERIA:
            left = sum(one.startswith("- ") for one in lines[len(kept) :])
            kept.append(f"- … and {counted(left, 'more statement')} of the framework")
            break
        kept.append(line)
    if not kept:
        kept = [f"{_line(attainment.about.label)}, at the level {_line(attainment.level.label)}."]
    version = framework.version if framework else attainment.about.version
    source = f"From {_line(framework.title if framework else attainment.about.framework)}, version {version}."
    return "\n".join([*kept, "", HOW_SHOWN, "", source])


def _statements(attainment: Attainment, framework: FrameworkWords) -> Iterator[str]:
    for one in framework.levels:
        yield f"**{_heading(one, attainment.level)}**"
        yield ""
        yield from (f"- {_line(statement)}" for statement in one.statements)
        yield ""


def _heading(one: LevelStatements, reached: Level) -> str:
    if one.level is None:
        return "At every level"
    return f"{_line(one.level.label)} {'(this level)' if one.level == reached else '(included)'}"


def _line(text: str) -> str:
    return cleaned(text, LONGEST_LINE)
