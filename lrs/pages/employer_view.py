"""The skills of an employer's staff as a table: a row a person, a column a skill. Pure; knows no store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import Any

from starlette.requests import Request

from lrs.competency.shapes import ProfileEntry
from lrs.matching.consent.links import LASTS, ConsentLink
from lrs.matching.employers import NO_NAME, Employee
from lrs.web.dates import written_day, written_moment
from lrs.web.listing import Asked, ListColumn, ListRow, asked_of

AT_ONCE = 5
"""Skills that the page shows beside one another; the files have all of them."""
_MOODS = {"held": "good", "expiring": "warn", "expired": "bad"}
_ENDS = {"expiring": "ends soon,", "expired": "ended"}
_WHO = (ListColumn("called", "Who"), ListColumn("employer", "Employer", facet=True), ListColumn("next", "Ends next"))


@dataclass(frozen=True, slots=True)
class SkillMatrix:
    """The rows, and their columns: who, what ends next, then the skills that are *shown*; *first* is their place."""

    rows: tuple[ListRow, ...]
    skills: tuple[str, ...]
    first: int = 0
    shown: int = 0

    @property
    def columns(self) -> tuple[ListColumn, ...]:
        """The columns: the employer is one only where there are several."""
        several = len({row.values["employer"] for row in self.rows}) > 1
        who = _WHO if several else (_WHO[0], _WHO[2])
        end = self.first + (self.shown or len(self.skills))
        places = range(self.first, min(end, len(self.skills)))
        return (*who, *(ListColumn(f"skill{place}", self.skills[place]) for place in places))

    @property
    def of_file(self) -> tuple[ListColumn, ...]:
        """The columns of the files: for each skill its level, and the day on which it ends."""
        who = [one for one in self.columns if one in _WHO]
        pairs = ((f"level{place}", f"until{place}", label) for place, label in enumerate(self.skills))
        skills = ((ListColumn(level, label), ListColumn(until, f"{label}, until")) for level, until, label in pairs)
        return (*who, *chain.from_iterable(skills))

    @property
    def of_objects(self) -> tuple[ListColumn, ...]:
        """The same for programs: a skill is a key by what it is called."""
        return tuple(replace(one, name=_key(one)) for one in self.of_file)

    @property
    def objects(self) -> list[ListRow]:
        """The rows for programs: nothing instead of an empty text."""
        keys = {one.name: _key(one) for one in self.of_file}
        return [ListRow({key: row.values[name] or None for name, key in keys.items()}) for row in self.rows]


def matrix(found: Sequence[Employee]) -> SkillMatrix:
    """The table of *found*: skills that most people hold come first."""
    count = Counter((skill.competency.id, _label(skill)) for one in found for skill in one.skills)
    order = sorted(count, key=lambda one: (-count[one], one[1].casefold(), one[0]))
    places = {id: place for place, (id, _) in enumerate(order)}
    return SkillMatrix(tuple(_row(one, places) for one in found), tuple(_apart(label for _, label in order)))


def _apart(labels: Iterable[str]) -> Iterator[str]:
    """The *labels* of skills; another skill with a label that was there has a number behind it."""
    seen: Counter[str] = Counter()
    for label in labels:
        seen[label] += 1
        yield label if seen[label] == 1 else f"{label} ({seen[label]})"


def _key(one: ListColumn) -> str:
    return one.name if one in _WHO else one.label


def part_of(whole: SkillMatrix, first: str) -> SkillMatrix:
    """*whole* with ``AT_ONCE`` skills from the place *first* on, which somebody wrote into the address."""
    place = int(first) if first.isascii() and first.isdigit() and len(first) < 5 else 0
    return replace(whole, first=place - place % AT_ONCE if place < len(whole.skills) else 0, shown=AT_ONCE)


def parts(whole: SkillMatrix, part: SkillMatrix, place: str) -> list[dict[str, Any]]:
    """The links to the parts of the skills, if there are several."""
    firsts = range(0, len(whole.skills), AT_ONCE)
    return [
        {
            "text": f"{whole.skills[first]} to {whole.skills[min(first + AT_ONCE, len(whole.skills)) - 1]}",
            "address": f"{place}?skills={first}",
            "current": first == part.first,
        }
        for first in firsts
        if len(firsts) > 1
    ]


def asked(request: Request, part: SkillMatrix) -> Asked:
    """The parameters of the page: who has something that ends next comes first."""
    beside = {"skills": str(part.first)} if part.first else {}
    return replace(asked_of(request, part.columns, sort="next"), beside=beside)


def requests(found: Iterable[tuple[str, Iterable[ConsentLink]]], zone: str) -> list[dict[str, str]]:
    """Whom each employer asked, and when; the newest first. Whether they answered is not said."""
    rows = [(link, name) for name, links in found for link in links]
    return [
        {"called": link.reference or NO_NAME, "employer": name, "at": written_moment(link.expires - LASTS, zone)}
        for link, name in sorted(rows, key=lambda row: row[0].expires, reverse=True)
    ]


def _label(one: ProfileEntry) -> str:
    return one.competency.label or one.competency.code


def _row(one: Employee, places: dict[str, int]) -> ListRow:
    values: dict[str, Any] = {"called": one.called, "employer": one.employer.name, "next": _next(one.skills)}
    values |= {f"{what}{place}": "" for place in places.values() for what in ("skill", "level", "until")}
    moods, shown = {}, {"next": written_day(values["next"]) if values["next"] else "Nothing"}
    for skill in one.skills:
        place, day = places[skill.competency.id], skill.valid_until
        name = f"skill{place}"
        values[f"level{place}"], values[f"until{place}"] = _level(skill), day.isoformat() if day else ""
        values[name], moods[name] = _held(skill, str(day)), _MOODS.get(skill.state, "")
        shown[name] = _held(skill, written_day(day) if day else "")
    return ListRow(values, shown, moods=moods)


def _next(skills: Iterable[ProfileEntry]) -> str | None:
    ends: list[date] = [one.valid_until for one in skills if one.valid_until and one.state != "expired"]
    return min(ends).isoformat() if ends else None


def _held(one: ProfileEntry, day: str) -> str:
    """The level and until when; its last *day* as programs read it, or as people do."""
    if one.valid_until is None:
        return _level(one)
    return f"{_name(one)}, {_ENDS.get(one.state, 'until')} {day}"


def _name(one: ProfileEntry) -> str:
    return one.level.label or one.level.code or str(one.level.ordinal)


def _level(one: ProfileEntry) -> str:
    """The level alone; of one that ended on no day that is known, that it ended."""
    return f"{_name(one)}, ended" if one.state == "expired" and one.valid_until is None else _name(one)
