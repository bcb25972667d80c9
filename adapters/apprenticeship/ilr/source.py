"""An ILR return as a ``Source``: the filtered records of its apprenticeships on standards. Pure.

Each return is a snapshot of a teaching year. A learner with a fault is left out as a whole, with the rule, and the
others come in. What a return leaves out stays as it is (``adapters.ledger.snapshots``). A programme aim is known
again by the UKPRN and its own identifier (SWSupAimId), else by learner, sequence number and start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import groupby, islice
from typing import Literal, cast

from tincan import Statement

from adapters.apprenticeship import facts, lars
from adapters.apprenticeship.facts import Assessed, Interruption, Standard
from adapters.apprenticeship.ilr import kept
from adapters.apprenticeship.ilr.aims import (
    ACHIEVED,
    COMPLETED,
    CONTINUING,
    NOT_ACHIEVED,
    ON_BREAK,
    PROGRAMME,
    UNIT,
    WITHDRAWN,
    Aim,
    IlrReturn,
    aim_of,
    return_of,
)
from adapters.apprenticeship.ilr.checking import BrokenRule, broken_by
from adapters.apprenticeship.ilr.columns import NAMED
from adapters.apprenticeship.ilr.facts import Apprenticeship, Learnt, statement_of
from adapters.ledger.diff import key_of
from adapters.ledger.snapshots import Snapshot, seen_in
from adapters.reading.people import FileLearner, Learners, Same
from adapters.reading.profile import ReadingTerms
from adapters.reading.source import Earlier, Fact, LedgerNote, Mapped, RowTable
from adapters.reading.times import AHEAD, midnight
from adapters.reading.words import Words
from lrs.kernel.errors import Refused
from lrs.kernel.tables.row import Row, Unusable
from lrs.people.identifiers import TEMPORARY_ULN, uln_fault

BLOCK = 250
GRADES: Mapping[str, str] = {"PA": "pass", "CR": "credit", "ME": "merit", "DI": "distinction", "FL": "fail"}
"""Grades as e-portfolios write them. Others stay as the return has them."""
_STOPPED: Mapping[int, Literal["break", "withdrawn"]] = {ON_BREAK: "break", WITHDRAWN: "withdrawn"}
_DATES = ("start_date", "planned_end_date", "learning_end_date", "achievement_date", "ilr_prepared")


class IlrSource:
    """The returns of one provider."""

    name = "ilr"
    about = "Apprenticeship returns (ILR, XML)"
    files: Mapping[str, str] = {".xml": "an ILR return (XML)"}
    template = 1
    columns = frozenset(kept.COLUMNS)
    named = NAMED
    free = frozenset({"given_names", "family_name", "ilr_fault"})
    dated = frozenset(_DATES)
    hours: frozenset[str] = frozenset()
    worded: Mapping[str, Words] = {}

    def __init__(self, terms: ReadingTerms) -> None:
        self._terms = terms
        self._refs: Counter[str] = Counter()
        self._ulns: Counter[str] = Counter()
        self._ids: Counter[str] = Counter()
        self._kept: Mapping[tuple[str, ...], str] = {}
        self._learners: Counter[str] = Counter()

    def snapshot(self, table: RowTable) -> Snapshot:
        """The return as a whole (``adapters.ledger.snapshots``). Refuses one of a day after today (Header_2)."""
        self._count(table)
        keys: set[str] = set()
        of: IlrReturn | None = None
        for row in table.rows():
            try:
                of = of or return_of(row)
                aim = aim_of(row)
            except Unusable:
                continue
            if _is_told(aim):
                keys.add(key_of("enrolment", self._key(row, aim, of)))
        if of is None:
            raise Refused("the file is no ILR return: send the XML file that goes to the department", error="no_ilr")
        if of.prepared > self._terms.now.astimezone(self._terms.calendar.zone).date():
            message = "Header_2: the return was prepared after today: its date or this computer's clock is wrong"
            raise Refused(message, error="in_the_future")
        return Snapshot(of.year.code, of.year.spoken, of.ukprn, of.made, frozenset(keys))

    def read(self, table: RowTable, earlier: Earlier, /) -> Iterator[Mapped]:
        """Every row of *table*, learner by learner, after a walk that finds those that come twice."""
        self._count(table)
        self._learners.clear()
        learners = Learners(self._terms.home)
        records = (list(rows) for _, rows in groupby(table.rows(), key=_record))
        while block := list(islice(records, BLOCK)):
            self._kept = earlier("enrolment", set(self._keys(row for rows in block for row in rows)))
            for rows in block:
                yield from self._learner(rows, learners)

    def notes(self) -> tuple[str, ...]:
        """How many learners the return has, and what becomes of them: its rows are their learning deliveries."""
        read, fault, other = (self._learners[one] for one in ("read", "fault", "other"))
        told = (
            f"{read} with an apprenticeship that is read, {fault} left out with a fault, {other} with nothing read here"
        )
        return (f"learners of the return: {told}",)

    def statements(self, fact: Fact) -> list[Statement]:
        """The statement of one fact."""
        content = fact.content
        if isinstance(content, Same):
            return [content.statement(self._terms.provider)]
        if isinstance(content, Apprenticeship | Learnt):
            return [statement_of(content)]
        return [facts.statement_of(content)]

    def _count(self, table: RowTable) -> None:
        """Counts the learners of each reference and ULN, and those of each identifier of an aim."""
        self._refs, self._ulns, self._ids = Counter(), Counter(), Counter()
        for _, rows in groupby(table.rows(), key=_record):
            some = list(rows)
            cell = some[0].cells.get
            self._refs[cell("learner_ref", "").casefold()] += 1
            self._ulns[cell("uln", "")] += 1
            self._ids.update(
                {row.cells.get("aim_id", "").casefold() for row in some if row.cells.get("aim_type") == "1"}
            )

    def _key(self, row: Row, aim: Aim, of: IlrReturn) -> tuple[str, ...]:
        """By what an enrolment is known. Some programs write one identifier to the aims of several learners."""
        own = aim.id.casefold()
        if own and self._ids[own] <= 1:
            return (of.ukprn, own)
        return (of.ukprn, row.cells.get("learner_ref", ""), str(aim.number), aim.start.isoformat())

    def _keys(self, rows: Iterable[Row]) -> Iterator[tuple[str, ...]]:
        for row in rows:
            try:
                aim = aim_of(row)
                if _is_told(aim):
                    yield self._key(row, aim, return_of(row))
            except Unusable:
                continue

    def _learner(self, rows: list[Row], learners: Learners) -> Iterator[Mapped]:
        """The rows of one learner: all of them, or the reason why for each."""
        try:
            aims = self._checked(rows)
            learner = learners.read(rows[0])
        except Unusable as problem:
            self._learners["fault"] += 1
            for row in rows:
                yield Mapped((row.place,), problem=row.trouble or _in_row(problem, row), noted=tuple(self._noted(row)))
            return
        told = [self._aim(row, aim, learner) for row, aim in zip(rows, aims, strict=True)]
        self._learners["read" if any(one.facts for one in told) else "other"] += 1
        yield from told

    def _noted(self, row: Row) -> Iterator[LedgerNote]:
        """That the return has the apprenticeship of a row, although its learner is left out: it is not missing."""
        try:
            aim, of = aim_of(row), return_of(row)
        except Unusable:
            return
        if _is_told(aim):
            key = self._key(row, aim, of)
            yield LedgerNote("enrolment", key, seen_in(self._kept.get(key, ""), of.year.code, of.ukprn, of.made))

    def _checked(self, rows: list[Row]) -> list[Aim]:
        """The aims of a learner. Raises ``Unusable`` with the first rule that they break."""
        first = rows[0]
        of = return_of(first)
        if fault := first.cells.get("ilr_fault", ""):
            raise Unusable(fault.partition(":")[0], "", "", fault)
        if not first.cells.get("aim_type", ""):
            raise Unusable("Schema", "", "", "the learner has no learning delivery")
        aims = [aim_of(row) for row in rows]
        broken = [*self._of_learner(first), *broken_by(aims, of)]
        if broken:
            others = sorted({one.name for one in broken} - {broken[0].name})
            more = f"; also broken: {', '.join(others)}" if others else ""
            message = f"{broken[0].name}: {broken[0].says} (line {broken[0].line} of the return){more}"
            raise _Broken(broken[0], message)
        return aims

    def _of_learner(self, row: Row) -> Iterator[BrokenRule]:
        ref, uln = row.cells.get("learner_ref", ""), row.cells.get("uln", "")
        line = row.cells.get("ilr_line", "")
        if self._refs[ref.casefold()] > 1:
            yield BrokenRule("R_06", "learner_ref", "more than one learner has this learner reference number", line)
        if uln != TEMPORARY_ULN and uln_fault(uln):
            yield BrokenRule("ULN_04", "uln", "the ULN does not pass its check digit", line)
        if uln != TEMPORARY_ULN and self._ulns[uln] > 1:
            yield BrokenRule("R_59", "uln", "more than one learner has this ULN", line)

    def _aim(self, row: Row, aim: Aim, learner: FileLearner) -> Mapped:
        if aim.programme == UNIT:
            return Mapped((row.place,), skipped="an apprenticeship unit: these are on no standard", code="unit")
        if not aim.on_standard:
            return Mapped((row.place,), skipped="not on an apprenticeship standard", code="not_apprenticeship")
        if aim.type != PROGRAMME:
            return Mapped((row.place,), skipped="a part of the programme, which is told as a whole", code="part")
        zone = self._terms.calendar.zone
        if midnight(aim.start, zone) - self._terms.now > AHEAD:
            return Mapped((row.place,), skipped="the apprenticeship has not begun yet", code="not_yet")
        told = tuple(self._facts(row, aim, learner))
        return Mapped((row.place,), (*learner.same(), *told), called=learner.called())

    def _facts(self, row: Row, aim: Aim, learner: FileLearner) -> Iterator[Fact]:
        of, who = return_of(row), learner.actor
        key = self._key(row, aim, of)
        standard = Standard(lars.reference_of(cast("int", aim.standard), self._terms.standards))
        ended = self._at(aim.end) if aim.end else None
        enrolment = Apprenticeship(
            who,
            standard,
            self._at(aim.start),
            aim.planned_end.isoformat(),
            str(aim.standard),
            aim.planned_hours,
            aim.district,
        )
        seen = seen_in(self._kept.get(key, ""), of.year.code, of.ukprn, of.made)
        yield Fact("enrolment", key, enrolment, kept=seen)
        stopped = _STOPPED.get(aim.status)
        yield Fact("status", key, Interruption(who, standard, stopped, ended) if stopped else None)
        is_learnt = ended is not None and aim.status in {CONTINUING, COMPLETED}
        yield Fact("learning", key, Learnt(who, standard, ended, aim.actual_hours) if is_learnt and ended else None)
        yield Fact("assessment", key, self._assessed(aim, who=learner, standard=standard))

    def _assessed(self, aim: Aim, *, who: FileLearner, standard: Standard) -> Assessed | None:
        day = aim.achieved or aim.end
        is_failed = aim.outcome == NOT_ACHIEVED and aim.status == COMPLETED
        if day is None or not (aim.outcome == ACHIEVED or is_failed):
            return None
        grade = GRADES.get(aim.grade, aim.grade)
        return Assessed(who.actor, standard, self._at(day), aim.outcome == ACHIEVED, grade, 0)

    def _at(self, day: date) -> datetime:
        return midnight(day, self._terms.calendar.zone)


class _Broken(Unusable):
    """A rule that a learner breaks, with the line of the return that breaks it."""

    def __init__(self, rule: BrokenRule, message: str) -> None:
        super().__init__(rule.name, rule.column, "", message)
        self.line = rule.line


def _in_row(problem: Unusable, row: Row) -> Unusable:
    """*problem* as *row* has it: its column is named in the row whose line broke the rule, and in no other."""
    if isinstance(problem, _Broken) and row.cells.get("ilr_line", "") != problem.line:
        return Unusable(problem.code, "", "", problem.message)
    return problem


def _is_told(aim: Aim) -> bool:
    """Whether the aim is the programme aim of an apprenticeship on a standard."""
    return aim.on_standard and aim.type == PROGRAMME


def _record(row: Row) -> str:
    """Rows with the same one are of one learner of the return."""
    return row.cells.get("ilr_learner", "") or str(row.place.row)
