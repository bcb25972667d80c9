"""The catalogue as one list: offerings, imported courses that no offering names, and sessions with seats.

What a course or a session gives is said by the rules in force: which competency, at which level, its activity proves.
Pure but for reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import msgspec

from adapters.catalogue import offerings
from adapters.catalogue.offerings import Offering
from adapters.lms.courses import courses
from adapters.lms.courses.courses import Course
from adapters.lms.courses.in_use import opens
from adapters.lms.courses.structure import activities_in, shown_title, units_of
from adapters.reading.vocabulary import iri
from adapters.training_centre import attendees, centre_sessions
from adapters.training_centre.centre_sessions import KINDS_SAID, CentreSession, Gives
from lrs.competency.frameworks.framework import Framework
from lrs.competency.frameworks.frameworks import published
from lrs.competency.rules.rules import Ruleset
from lrs.competency.rules.rulesets import current
from lrs.storage import Reader, Store

MOST = 1_000
"""Offerings, courses and sessions that the list looks at: the newest ones of each. The page says if there are more."""


class DatedSeats(msgspec.Struct, frozen=True):
    """A session with its seats: how many are *left*, ``None`` where nobody counts them."""

    session: CentreSession
    left: int | None


class Given(msgspec.Struct, frozen=True):
    """A competency that an entry gives: what it is called, its level where there is one, and the *ids* of its items.

    There is no id where no published framework and no rule knows it, and several where more than one has its code.
    """

    label: str
    level: int | None = None
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One entry."""

    id: str
    title: str
    sort: str
    given: tuple[Given, ...] = ()
    needed: tuple[Given, ...] = ()
    text: str = ""
    provider: str = ""
    hours: float | None = None
    place: str = ""
    online: bool = False
    language: str = ""
    cost: int | None = None
    enrol_at: str = ""
    is_course: bool = False
    opens: bool = False
    dates: tuple[DatedSeats, ...] = field(default=())

    @property
    def gives(self) -> tuple[tuple[str, int | None], ...]:
        """The names of the competencies it gives, with a level where there is one."""
        return tuple(dict.fromkeys((one.label, one.level) for one in self.given))

    @property
    def next_date(self) -> int | None:
        """When it is next, in microseconds UTC."""
        return min((one.session.starts for one in self.dates), default=None)


class CatalogueList(msgspec.Struct, frozen=True):
    """The entries that were *found*; *is_cut* says that there are more offerings, courses or sessions than are read."""

    found: list[CatalogueEntry]
    is_cut: bool


def looked_at(reader: Store, now: int, most: int = MOST) -> CatalogueList:
    """The entries of the newest *most* offerings, courses and sessions each, with the dates still to come at *now*."""
    opened = centre_sessions.opened(reader, most)
    dated = _dated(reader, opened, now)
    of: dict[str, list[DatedSeats]] = {}
    for one in dated:
        of.setdefault(one.session.offering, []).append(one)
    offered = {one.id: one for one in offerings.newest(reader, most)}
    read = list(courses.newest(reader, most))
    by_number = {one.id: one for one in read if _is_usable(one)}
    named = {one.course for one in offered.values() if one.course}
    rules = _Rules(current(reader), published(reader))
    found = [
        *(_of_offering(reader, one, by_number.get(one.course), rules, of.get(id, ())) for id, one in offered.items()),
        *(_of_course(reader, one, rules) for id, one in by_number.items() if one.in_catalogue and id not in named),
        *(_of_session(one, rules) for one in dated if one.session.offering not in offered),
    ]
    is_full = [kind for kind, size in ((offerings.KIND, offered), (courses.KIND, read)) if len(size) == most]
    return CatalogueList(found, len(opened) == most or any(reader.count(kind) > most for kind in is_full))


def entries(reader: Store, now: int) -> list[CatalogueEntry]:
    """Every entry of the list, with the dates that are still to come at *now*."""
    return looked_at(reader, now).found


def entry(reader: Store, id: str, now: int) -> CatalogueEntry | None:
    """One entry, read by itself: also one that stands beyond the newest ones of the list."""
    rules = _Rules(current(reader), published(reader))
    offered = offerings.offering(reader, id)
    if offered is not None:
        dates = _dated(reader, centre_sessions.opened(reader, MOST, offered.id), now)
        return _of_offering(reader, offered, _course(reader, offered.course), rules, dates)
    kind, _, number = id.partition("-")
    if kind == "course":
        course = _course(reader, number)
        return _of_course(reader, course, rules) if course and course.in_catalogue else None
    record = reader.get(centre_sessions.KIND, number) if kind == "session" else None
    if record is None:
        return None
    session = centre_sessions.session_of(record)
    return next((_of_session(one, rules) for one in _dated(reader, [session], now)), None) if session.opened else None


def _dated(reader: Store, opened: Iterable[CentreSession], now: int) -> list[DatedSeats]:
    coming = sorted((one for one in opened if one.is_ahead(now)), key=lambda one: one.starts)
    return [DatedSeats(one, left_in(reader, one)) for one in coming]


def _is_usable(one: Course) -> bool:
    """Whether an offering may name the course; whether it stands in the catalogue by itself is its own switch."""
    return not one.withdrawn and not one.client


def _course(reader: Reader, number: str) -> Course | None:
    record = reader.get(courses.KIND, number) if number else None
    found = courses.course_of(record) if record else None
    return found if found and _is_usable(found) else None


def left_in(store: Store, one: CentreSession) -> int | None:
    """How many seats are left in a session; where nobody counts them ``None``, or 0 once its roster is full."""
    left = max(0, (one.seats or attendees.MOST) - store.count(attendees.KIND, [attendees.expected_key(one.id)]))
    return left if one.seats or not left else None


class _Rules:
    """Which competencies an activity proves, at the highest level that a rule gives, by their names."""

    def __init__(self, ruleset: Ruleset, frameworks: Iterable[Framework]) -> None:
        self._of_key = {one.key: one for one in ruleset.competencies}
        self._named: dict[str, dict[str, str]] = {}
        told = [(one.id, one.code, one.label) for framework in frameworks for one in framework.items]
        for id, code, label in [*told, *((one.id, one.code, one.label) for one in ruleset.competencies)]:
            for name in (id, code):
                self._named.setdefault(name, {})[id] = label
        self._of: dict[str, dict[str, int]] = {}
        for rule in ruleset.rules:
            known = self._of.setdefault(rule.activity, {})
            known[rule.competency] = max(rule.level, known.get(rule.competency, rule.level))

    def proven(self, activities: Iterable[str]) -> Iterator[Given]:
        """What *activities* prove together."""
        best: dict[str, int] = {}
        for activity in activities:
            for competency, level in self._of.get(activity, {}).items():
                best[competency] = max(level, best.get(competency, level))
        for name, level in best.items():
            known = self._of_key.get(name)
            yield Given(known.label, level, (known.id,)) if known else Given(name, level)

    def named(self, gives: Iterable[Gives]) -> Iterator[Given]:
        """What an offering says itself, by the names of the frameworks that know it: each, where it means several."""
        for one in gives:
            items = self._named.get(one.competency, {})
            label = " / ".join(dict.fromkeys(items.values())) or one.competency
            yield Given(label, one.level, tuple(sorted(items)))


def _of_offering(
    reader: Reader, one: Offering, course: Course | None, rules: _Rules, dates: Iterable[DatedSeats]
) -> CatalogueEntry:
    told = tuple(dates)
    proven = [*_proven_by(reader, course, rules)] if course else []
    proven += [given for date in told for given in rules.proven(_activities(date.session))]
    return CatalogueEntry(
        one.id,
        one.title,
        one.sort,
        tuple(dict.fromkeys([*rules.named(one.gives), *proven])),
        tuple(rules.named(one.needs)),
        one.text,
        one.provider,
        one.hours,
        one.place,
        one.online,
        one.language,
        one.cost,
        one.enrol_at,
        course is not None,
        course is not None and opens(course),
        told,
    )


def _of_course(reader: Reader, one: Course, rules: _Rules) -> CatalogueEntry:
    version = courses.version_in(reader, one.id, one.version)
    text = shown_title(version.structure.description)
    given = tuple(_proven_by(reader, one, rules))
    title = shown_title(one.title)
    made = CatalogueEntry(f"course-{one.id}", title, "Course", given, text=text)
    return replace(made, online=True, place="Online", is_course=True, opens=opens(one))


def _proven_by(reader: Reader, one: Course, rules: _Rules) -> Iterator[Given]:
    return rules.proven(_activities_of(reader, one))


def _activities_of(reader: Reader, one: Course) -> set[str]:
    structure = courses.version_in(reader, one.id, one.version).structure
    return {one.publisher, *activities_in(structure).values(), *(unit.id for unit in units_of(structure))}


def offered_by_course(reader: Store) -> dict[str, set[str]]:
    """The items of frameworks that offerings say their imported courses give, by the activities of these courses."""
    rules, found = _Rules(current(reader), published(reader)), dict[str, set[str]]()
    for one in offerings.newest(reader, MOST):
        course = _course(reader, one.course) if one.gives else None
        if course is not None:
            items = {id for given in rules.named(one.gives) for id in given.ids}
            for activity in _activities_of(reader, course):
                found.setdefault(activity, set()).update(items)
    return found


def _of_session(one: DatedSeats, rules: _Rules) -> CatalogueEntry:
    session = one.session
    hours = session.hours or round((session.ends - session.starts) / 3_600_000_000, 1)
    return CatalogueEntry(
        f"session-{session.id}",
        session.title,
        KINDS_SAID[session.kind],
        tuple(rules.proven(_activities(session))),
        provider=session.centre,
        hours=hours,
        place=session.host or session.place,
        online=session.kind == "vr",
        dates=(one,),
    )


def _activities(session: CentreSession) -> Iterator[str]:
    """The activities whose results a session tells."""
    yield session.iri
    if session.course:
        yield session.course
    if session.checklist:
        yield iri("centres", session.centre, "checklists", session.checklist.id)
