"""The training centre's file as a ``Source``: which reader takes which row, and in what order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from tincan import Statement

from adapters.reading import words
from adapters.reading.cells import choice, needed, text
from adapters.reading.people import Learners, Same
from adapters.reading.profile import ReadingTerms
from adapters.reading.source import TABLES, Earlier, Fact, Mapped, RowTable
from adapters.reading.words import Words, folded_word
from adapters.training_centre.files.columns import NAMED
from adapters.training_centre.files.facts import THERE, Attended, Observed, OnRoster, attended, observed, on_roster
from adapters.training_centre.files.observations import Checklists
from adapters.training_centre.files.rosters import read_jisc, read_roster
from adapters.training_centre.files.sessions import HeldSession, jisc_session, read_session
from lrs.kernel.tables.row import Row, Unusable

JISC_COLUMNS = {"student_id", "event_id", "event_attended"}
COLUMNS = frozenset(NAMED) | {"uln", "learner_ref", "email", "given_names", "family_name", "status"}


FREE = frozenset(
    {"given_names", "family_name", "title", "event_name", "event_type", "event_description", "attendance_category"}
)
DATED = frozenset({"starts_at", "ends_at", "check_in_at", "check_out_at", "observed_at", "start_time", "end_time"})


class TrainingCentre:
    """Sessions, rosters and observations of one provider."""

    name = "training-centre"
    about = "A training centre: sessions, attendance, checklists"
    files = TABLES
    template = 1
    columns = COLUMNS
    named = NAMED
    free = FREE
    dated = DATED
    hours: frozenset[str] = frozenset()
    worded: Mapping[str, Words] = {
        "record": words.RECORD,
        "kind": words.KIND,
        "status": words.SESSION,
        "attendance": words.ATTENDANCE,
        "result": words.RESULT,
        "critical": words.YES_NO,
        "event_attended": words.YES_NO,
        "attendance_late": words.YES_NO,
    }

    def __init__(self, terms: ReadingTerms) -> None:
        self._terms = terms

    def read(self, table: RowTable, earlier: Earlier, /) -> Iterator[Mapped]:
        """Every row of *table*. Checklists come last, when all their steps were read."""
        if set(table.columns) >= JISC_COLUMNS:
            return self._read_jisc(table)
        return self._read_own(table, earlier)

    def statements(self, fact: Fact) -> list[Statement]:
        """The statement of an attendance or a checklist. A session alone has none."""
        if isinstance(fact.content, Attended):
            return [attended(fact.content)]
        if isinstance(fact.content, OnRoster):
            return [on_roster(fact.content)]
        if isinstance(fact.content, Observed):
            return [observed(fact.content)]
        if isinstance(fact.content, Same):
            return [fact.content.statement(self._terms.provider)]
        return []

    def _read_jisc(self, table: RowTable) -> Iterator[Mapped]:
        learners = Learners(self._terms.home)
        for row in table.rows():
            try:
                usable(row)
                cells = {**row.cells, "learner_ref": text(row, "student_id")}
                known = msgspec.structs.replace(row, cells=cells)
                yield read_jisc(known, jisc_session(known, self._terms), learners, self._terms)
            except Unusable as problem:
                yield Mapped((row.place,), problem=problem)

    def _read_own(self, table: RowTable, earlier: Earlier) -> Iterator[Mapped]:
        sessions: dict[str, HeldSession | Unusable] = {}
        for row in table.rows():
            if row.trouble is None and self._record(row) == "session":
                yield self._session(row, sessions)
        learners = Learners(self._terms.home)
        checklists = Checklists(self._terms)
        absent: set[tuple[str, ...]] = set()
        for row in table.rows():
            try:
                usable(row)
                record = choice(row, "record", self._terms.words["record"], self._sheet(row) or None)
                if record == "roster":
                    told = read_roster(row, _held(row, sessions), learners, self._terms)
                    absent.update(fact.key for fact in told.facts if _is_absence(fact))
                    yield told
                elif record == "observation":
                    checklists.add(row, lambda one: _held(one, sessions), learners)
            except Unusable as problem:
                if self._is_lost_step(row):
                    checklists.lose(row)
                yield Mapped((row.place,), problem=problem)
        yield from checklists.outcomes(absent, earlier)

    def _session(self, row: Row, sessions: dict[str, HeldSession | Unusable]) -> Mapped:
        name = row.cells.get("session_id", "")
        try:
            held = read_session(row, self._terms)
        except Unusable as problem:
            sessions.setdefault(name, problem)
            return Mapped((row.place,), problem=problem)
        if sessions.setdefault(name, held) != held:
            twice = Unusable("told_twice", "session_id", name, "the file describes this session in two ways")
            return Mapped((row.place,), problem=twice)
        if held.unread:
            told = f"{held.unread}; who was there is told without the instructor until this is repaired"
            unread = Unusable("no_instructor", "instructor", row.cells.get("instructor", ""), told)
            return Mapped((row.place,), problem=unread)
        return Mapped((row.place,), (Fact("session", (held.session.id,), held, parts=0),))

    def _record(self, row: Row) -> str:
        """The type of *row*, by its cell or else its sheet; ``""`` if neither names it."""
        cell = row.cells.get("record", "")
        return self._terms.words["record"].get(folded_word(cell), "") if cell else self._sheet(row)

    def _sheet(self, row: Row) -> str:
        return self._terms.words["record"].get(folded_word(row.place.sheet), "")

    def _is_lost_step(self, row: Row) -> bool:
        """Whether a row that no reader took may be a step of a checklist, because it does not say what it is."""
        record = self._record(row)
        if row.trouble is not None:
            return record in {"", "observation"}
        return not record and bool(row.cells.get("step_id"))


def usable(row: Row) -> None:
    """Raises the fault of *row*, if it has one."""
    if row.trouble is not None:
        raise row.trouble


def _is_absence(fact: Fact) -> bool:
    return isinstance(fact.content, Attended) and fact.content.attendance not in THERE


def _held(row: Row, sessions: dict[str, HeldSession | Unusable]) -> HeldSession:
    name = needed(row, "session_id")
    held = sessions.get(name)
    if held is None:
        raise Unusable("unknown_session", "session_id", name, "no session row of this file has this session_id")
    if isinstance(held, Unusable):
        told = f"its session row cannot be used: {held.column}: {held.message}"
        raise Unusable("unknown_session", "session_id", name, told)
    return held
