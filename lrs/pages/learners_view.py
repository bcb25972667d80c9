"""The rows of the list of learners, within the visitor's reach. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple

from lrs.competency.listed import ListedLearner, ListedSkill
from lrs.pages.lacking import WantedLevel, has_ended, lacks
from lrs.pages.views import NO_NAME, identifier_shown, known_by
from lrs.people.search import folded
from lrs.web.dates import written_day
from lrs.web.listing import ListColumn, ListRow

COLUMNS = (
    ListColumn("name", "Name"),
    ListColumn("known", "Known by", sortable=False),
    ListColumn("skill", "Skills", sortable=False, facet=True),
    ListColumn("level", "Level", sortable=False, facet=True, seen=False),
    ListColumn("until", "Next to end"),
    ListColumn("ends", "Ends", sortable=False, facet=True, seen=False),
    ListColumn("provider", "Told by", sortable=False, facet=True, sources=True),
    ListColumn("lacks", "Lacks", sortable=False, facet=True, seen=False),
    ListColumn("held", "Each skill with its level and end", sortable=False, seen=False),
)
SHOWN = 3
"""Skills and identifiers of one learner that a row of the page shows."""
OVER, SOON, LATER, WITHIN_YEAR, NEVER, NOTHING = (
    "Over already",
    "Within 30 days",
    "Within 90 days",
    "Within a year",
    "Later, or never",
    "Holds nothing",
)
_LIMITS = ((30, SOON), (90, LATER), (365, WITHIN_YEAR))

Found = Sequence[tuple[str, ListedLearner]]
"""Learners by the id of the person."""


def rows(
    found: Iterable[tuple[str, ListedLearner]],
    *,
    today: date,
    root: str,
    sources: Collection[str] | None,
    chosen: Mapping[str, str],
    wanted: WantedLevel | None = None,
) -> list[ListRow]:
    """The rows of the list. *sources* are those within reach, ``None`` for all; a skill counts if they proved it.

    If a skill or level is *chosen*, the other columns are about the matching skills. *wanted* is the level that is
    chosen under ``lacks``.
    """
    return [
        ListRow(_Values(_Told(one, today, sources, chosen, wanted)), links={"name": f"{root}/staff/learners/{id}"})
        for id, one in found
    ]


class _Told(NamedTuple):
    """A learner, and the choices that the row depends on."""

    learner: ListedLearner
    today: date
    sources: Collection[str] | None
    chosen: Mapping[str, str]
    wanted: WantedLevel | None

    @property
    def meant(self) -> list[ListedSkill]:
        """The skills that the row shows."""
        skills, wanted = self.skills, self.chosen
        return [skill for skill in skills if _fits(skill, wanted)] or skills

    @property
    def skills(self) -> list[ListedSkill]:
        """The skills within reach: one of the sources sent evidence."""
        return [one for one in self.learner.skills if self.sources is None or _within(one.sources, self.sources)]


class _Values(dict[str, Any]):
    """The values of a row. Each is made on demand, because a page needs few values of most rows."""

    def __init__(self, told: _Told) -> None:
        super().__init__()
        self.told = told

    def __missing__(self, name: str) -> Any:
        value = self[name] = _VALUES[name](self.told)
        return value


def _name(told: _Told) -> str | None:
    return next(iter(_names(told.learner, told.sources)), None)


def called(learner: ListedLearner, sources: Collection[str] | None, given: str = "") -> str:
    """What *sources* (``None``: all) call a learner: the newest name, else an identifier, addresses first.

    *given* is a name that whoever asks knows already: it comes before an identifier.
    """
    texts = known_by(one.ifi for one in learner.known if _within(one.sources, sources))
    name = "" if given in texts else given
    return next(filter(None, [*_names(learner, sources), name, *texts]), NO_NAME)


def _names(learner: ListedLearner, sources: Collection[str] | None) -> tuple[str, ...]:
    """The names that *sources* gave; all names for ``None``."""
    if sources is None:
        return learner.names
    return tuple(one.text for one in learner.called if _within(one.sources, sources))


def _known(told: _Told) -> tuple[str, ...]:
    return known_by(one.ifi for one in told.learner.known if _within(one.sources, told.sources))


def _skill(told: _Told) -> tuple[str, ...]:
    """Those at the chosen level, if one is chosen; so a chosen skill has to be held at that very level."""
    return tuple([skill.text for skill in told.skills if told.chosen.get("level") in {None, skill.level}])


def _level(told: _Told) -> tuple[str, ...]:
    """Those of the chosen skill, if one is chosen."""
    return tuple(
        dict.fromkeys([skill.level for skill in told.skills if told.chosen.get("skill") in {None, skill.text}])
    )


def _until(told: _Told) -> str | None:
    until = _next_end(told)
    return until.isoformat() if until else None


def _when(told: _Told) -> str:
    return _ends(_next_end(told), told.today) if told.skills else NOTHING


def _provider(told: _Told) -> tuple[str, ...]:
    return tuple(sorted({one for known in told.learner.known for one in _within(known.sources, told.sources)}))


def _lacks(told: _Told) -> tuple[str, ...]:
    """The level that is chosen, if the learner lacks it."""
    if told.wanted is None or not lacks(told.skills, told.wanted, told.today):
        return ()
    return (told.chosen["lacks"],)


def _held(told: _Told) -> tuple[str, ...]:
    """Each skill that the row is about, with its level and its last day."""
    return tuple(
        f"{skill.text}: {skill.level}{f', until {skill.until.isoformat()}' if skill.until else ''}"
        for skill in told.meant
    )


def _next_end(told: _Told) -> date | None:
    return min([skill.until for skill in told.meant if skill.until is not None], default=None)


_VALUES: Mapping[str, Callable[[_Told], Any]] = {
    "name": _name,
    "known": _known,
    "skill": _skill,
    "level": _level,
    "until": _until,
    "ends": _when,
    "provider": _provider,
    "lacks": _lacks,
    "held": _held,
}


def dressed(row: ListRow) -> ListRow:
    """*row* in the form of the page."""
    if not isinstance(row.values, _Values):
        return row
    told, known = row.values.told, row.values["known"]
    until = _next_end(told)
    mood = "" if until is None else "bad" if until < told.today else "warn" if row.values["ends"] == SOON else ""
    shown = {
        "name": row.values["name"] or next(iter(known), NO_NAME),
        "known": _some(known),
        "skill": _some([_shown(skill, told.today) for skill in told.meant]) or "None yet",
        "until": written_day(until) if until else "",
    }
    return replace(row, shown=shown, moods={"until": mood})


def _shown(skill: ListedSkill, today: date) -> str:
    return f"{skill.text}: {skill.level}{', ended' if has_ended(skill, today) else ''}"


def _fits(skill: ListedSkill, chosen: Mapping[str, str]) -> bool:
    return chosen.get("skill") in {None, skill.text} and chosen.get("level") in {None, skill.level}


def _within(told: Sequence[str], sources: Collection[str] | None) -> tuple[str, ...]:
    return tuple(source for source in told if sources is None or source in sources)


def _ends(until: date | None, today: date) -> str:
    if until is None:
        return NEVER
    if until < today:
        return OVER
    return next((text for days, text in _LIMITS if until <= today + timedelta(days)), NEVER)


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - SHOWN
    return "; ".join(texts[:SHOWN]) + (f"; and {more} more" if more > 0 else "")


def named(found: Found, wanted: str, sources: Collection[str] | None) -> list[tuple[str, ListedLearner]]:
    """The learners whose names or identifiers contain each word of *wanted*, ignoring case and accents.

    A name or identifier counts if one of *sources* gave it. If somebody has exactly this identifier, only they are
    found.
    """
    sought = folded(wanted)
    words = sought.split()
    near: list[tuple[str, ListedLearner]] = []
    same: list[tuple[str, ListedLearner]] = []
    for id, one in found if words else ():
        known = [folded(identifier_shown(each.ifi)[1]) for each in one.known if _within(each.sources, sources)]
        if sought in known:
            same.append((id, one))
        text = "\n".join([*map(folded, _names(one, sources)), *known])
        if all(word in text for word in words):
            near.append((id, one))
    return same or near
