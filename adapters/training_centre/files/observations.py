"""Reads observation rows, and joins the steps of each checklist. Pure; knows columns, but no statements."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from itertools import count, product
from typing import Literal, NamedTuple, cast

import msgspec

from adapters.reading.cells import choice, needed, percent, text, whole, yes
from adapters.reading.people import FileLearner, Ifi, Learners, apart, names_of, staff
from adapters.reading.profile import ReadingTerms
from adapters.reading.source import Earlier, Mapped
from adapters.reading.times import moment, not_ahead
from adapters.reading.vocabulary import iri
from adapters.training_centre.files.facts import AttemptKey, Observed, ObservedStep, attempt_at
from adapters.training_centre.files.sessions import HeldSession
from lrs.kernel.tables.row import Row, RowPlace, Unusable

GroupKey = tuple[str, str, str, int]
"""Session, learner, checklist without its version, attempt."""


class ObservationRow(msgspec.Struct, frozen=True):
    """One parsed observation row."""

    place: RowPlace
    learner: FileLearner
    held: HeldSession
    version: str
    step: ObservedStep
    observer: Ifi
    second: Ifi | None
    percent: int
    at: datetime


class _Lost(NamedTuple):
    """A row whose checklist is not known: its place in the file, and its number among such rows."""

    number: int
    place: RowPlace


class Checklists:
    """Collects steps until the file was read, then gives the outcome of each checklist."""

    def __init__(self, terms: ReadingTerms) -> None:
        self._terms = terms
        self._groups: dict[GroupKey, list[ObservationRow]] = {}
        self._broken: dict[GroupKey, list[RowPlace]] = {}
        self._lost: dict[tuple[str, str], dict[str, _Lost]] = {}
        self._order = count()

    def add(self, row: Row, session_of: Callable[[Row], HeldSession], learners: Learners) -> None:
        """Adds one row. A row that is ``Unusable`` makes its checklist unusable."""
        try:
            held = session_of(row)
            learner = learners.read(row)
            name, _ = named(needed(row, "checklist_id"))
            key = (needed(row, "session_id"), learner.key, name, whole(row, "attempt", 1))
        except Unusable:
            self.lose(row)
            raise
        try:
            seen = self._read(row, held, learner)
        except Unusable:
            self._broken.setdefault(key, []).append(row.place)
            raise
        self._groups.setdefault(key, []).append(seen)

    def lose(self, row: Row) -> None:
        """Remembers a row whose checklist is not known. It may be the row that another checklist lacks.

        Of rows that name the same session, checklist and step, the first stands for all.
        """
        session, checklist, step = (row.cells.get(column, "") for column in ("session_id", "checklist_id", "step_id"))
        self._lost.setdefault((session, named(checklist)[0]), {}).setdefault(step, _Lost(next(self._order), row.place))

    def _named_twice(self) -> set[GroupKey]:
        """Checklists of one learner that the file has under two names. Each of them lacks rows."""
        pairs = [
            (key, (key[0], name, *key[2:]))
            for key, seen in self._groups.items()
            for name in {name for one in seen for name in one.learner.names}
        ]
        return {key for pair in pairs if pair[0] != pair[1] and self._is_told_of(pair[1]) for key in pair}

    def _is_told_of(self, key: GroupKey) -> bool:
        return key in self._groups or key in self._broken

    def _why_broken(self, key: GroupKey, seen: list[ObservationRow]) -> RowPlace | None:
        steps = {one.step.id for one in seen}
        among = product(("", key[0]), ("", key[2]))
        lost = (self._first_lost(session, checklist, steps) for session, checklist in among)
        first = min((one for one in lost if one), default=None)
        return first.place if first else next(iter(self._broken.get(key, ())), None)

    def _first_lost(self, session: str, checklist: str, steps: Collection[str]) -> _Lost | None:
        """The first row that names these, and none of *steps*. Passes over no more rows than there are *steps*."""
        lost = self._lost.get((session, checklist), {})
        return next((one for step, one in lost.items() if step not in steps), None)

    def _read(self, row: Row, held: HeldSession, learner: FileLearner) -> ObservationRow:
        home, names = self._terms.home, names_of(row)
        needed(row, "observer")
        observer = apart(learner, staff(row, "observer", home), "observer", names)
        second = apart(learner, staff(row, "second_observer", home), "second_observer", names)
        if second is not None and second == observer:
            raise Unusable("one_observer", "second_observer", text(row, "second_observer"), "the same person twice")
        result = choice(row, "result", self._terms.words["result"])
        if held.status == "cancelled":
            raise Unusable(
                "session_cancelled", "session_id", row.cells["session_id"], "nobody is seen at a cancelled session"
            )
        day = held.session.starts.date()
        at = moment(row, "observed_at", self._terms.calendar, on=day)
        at = not_ahead(at or held.session.ends, self._terms.now, "observed_at", text(row, "observed_at"))
        asked = percent(row, "pass_percent", 100)
        step = ObservedStep(
            needed(row, "step_id"),
            cast("Literal['pass', 'fail', 'na']", result),
            yes(row, "critical", default=False, known=self._terms.words["critical"]),
        )
        _, version = named(needed(row, "checklist_id"))
        return ObservationRow(row.place, learner, held, version, step, cast("Ifi", observer), second, asked, at)

    def outcomes(self, absent: Collection[tuple[str, ...]], earlier: Earlier) -> Iterator[Mapped]:
        """What every checklist says, without the rows that ``add`` refused.

        *absent* are sessions with a learner's key, where the file says that the learner was not there. The version of a
        checklist that the file does not name is the one that was told *earlier*.
        """
        twice = self._named_twice()
        told = earlier("checklist", [_fact_key(key, seen) for key, seen in self._groups.items() if not _version(seen)])
        for key, seen in self._groups.items():
            places = tuple(one.place for one in seen)
            if key in twice:
                reason = "rows of this checklist call the same learner by different names: use one in all of them"
                yield Mapped(places, problem=Unusable("two_names", "", "", reason))
            elif (seen[0].held.session.id, key[1]) in absent:
                reason = "the roster says that this learner was not there, so nobody can have seen it"
                yield Mapped(places, problem=Unusable("was_absent", "", "", reason))
            elif broken := self._why_broken(key, seen):
                reason = f"row {broken.row} may belong to the same checklist and cannot be used"
                yield Mapped(places, problem=Unusable("checklist_incomplete", "", "", reason))
            else:
                yield self._outcome(key, places, seen, _version(seen) or told[_fact_key(key, seen)])

    def _outcome(self, key: GroupKey, places: tuple[RowPlace, ...], seen: list[ObservationRow], version: str) -> Mapped:
        problem = contradiction(seen)
        if problem:
            return Mapped(places, problem=problem)
        first = seen[0]
        content = Observed(
            who=first.learner.actor,
            session=first.held.session,
            checklist=self._checklist(key[2]),
            title=key[2],
            revision=version,
            attempt=key[3],
            steps=tuple(sorted((one.step for one in seen), key=lambda step: step.id)),
            percent=first.percent,
            observer=first.observer,
            second=first.second,
            at=max(one.at for one in seen),
        )
        fact = attempt_at(_fact_key(key, seen), version, content, partial=bool(first.held.unread))
        return Mapped(places, (*first.learner.same(), fact), called=first.learner.called())

    def _checklist(self, name: str) -> str:
        return name if re.match(r"https?://", name) else iri("centres", self._terms.provider, "checklists", name)


def named(written: str) -> tuple[str, str]:
    """The name of a checklist and its version, of which ``gowning@2`` has both and ``gowning`` only the first."""
    found = re.fullmatch(r"(.*?)(?:@([^/]*))?", written, re.DOTALL)
    return (found[1], found[2] or "") if found else (written, "")


def _version(seen: list[ObservationRow]) -> str:
    return next((one.version for one in seen if one.version), "")


def _fact_key(key: GroupKey, seen: list[ObservationRow]) -> AttemptKey:
    return (seen[0].held.session.id, *key[1:3], str(key[3]))


def contradiction(seen: list[ObservationRow]) -> Unusable | None:
    """Why the rows of one checklist give no outcome; ``None`` if they do."""
    steps = [one.step.id for one in seen]
    if len({one.observer for one in seen}) > 1 or len({one.second for one in seen}) > 1:
        return Unusable("several_observers", "observer", "", "one attempt has one observer: use another attempt number")
    if len({one.version for one in seen} - {""}) > 1:
        why = "one attempt is at one version of a checklist: use another attempt number"
        return Unusable("told_twice", "checklist_id", "", why)
    if len(set(steps)) < len(steps):
        return Unusable("step_twice", "step_id", "", "a step stands twice in one attempt: use another attempt number")
    if len({one.percent for one in seen}) > 1:
        return Unusable("told_twice", "pass_percent", "", "the rows of one checklist ask for different percentages")
    if all(one.step.result == "na" for one in seen):
        return Unusable("nothing_observed", "result", "", "no step of the checklist applies")
    return None
