"""An e-portfolio export as a ``Source``: the columns of a generic provider file, through a mapping profile. Pure.

One row may say several things; each part is read where its columns are filled:

===========  =========================================================================================================
learner      uln | learner_ref | email (at least one), given_names, family_name (in no statement)
enrolment    standard_ref*, standard_version, option, start_date, planned_end_date, status (learning, break, withdrawn,
             completed), break_start, withdrawal_date
evidence     evidence_id, ksb_code* (``K 1``, ``k1, k2; S3``), ksb_guid, evidence_title, evidence_date*,
             evidence_status* (draft, submitted, accepted, rejected), assessor, grade; needs standard_version
off the job  otj_date*, otj_minutes or otj_hours*, otj_start, otj_category, otj_countable, otj_ref, otj_correction (see
             ``off_the_job``)
end          gateway_date; assessment_outcome or assessment_grade (or grade), assessment_date*, resit_no
===========  =========================================================================================================

A date before the learner's start on the standard is refused; the start is in this file or an earlier one of the
provider. Only accepted evidence counts; evidence that is no longer accepted is withdrawn. A row is taken as a whole or
not at all. What a later file leaves out stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Literal, cast

from msgspec import structs
from tincan import Statement

from adapters.apprenticeship import facts, ksb
from adapters.apprenticeship.facts import Standard
from adapters.apprenticeship.files.columns import NAMED
from adapters.apprenticeship.files.off_the_job import Hours
from adapters.apprenticeship.standards import on_standard, standard_of
from adapters.reading import words
from adapters.reading.cells import also_missing, choice, needed, text
from adapters.reading.people import FileLearner, Learners, Same, apart, names_of, staff
from adapters.reading.profile import ReadingTerms
from adapters.reading.source import TABLES, Earlier, Fact, Loose, Mapped, RowTable
from adapters.reading.times import day, midnight, not_ahead
from adapters.reading.words import Words, folded_word
from lrs.kernel.tables.row import Row, Unusable

COLUMNS = (
    frozenset(NAMED)
    | {"uln", "learner_ref", "email", "given_names", "family_name"}
    | {"status", "start_date", "planned_end_date"}
)
OF_EVIDENCE = {
    column: NAMED[column]
    for column in ("standard_ref", "standard_version", "evidence_id", "evidence_status", "ksb_code", "evidence_date")
}
"""The columns without which no evidence counts."""
FREE = frozenset({"given_names", "family_name", "option", "evidence_title", "otj_category"})
DATED = frozenset(
    {"start_date", "planned_end_date", "break_start", "withdrawal_date", "evidence_date", "otj_date", "gateway_date"}
    | {"assessment_date", "otj_start"}
)
_RESIT = "number it under resit_no: 0 for the first assessment, which this row then corrects, 1 for the first resit"
SUMMARY = re.compile(r"(grand |sub ?-?)?totals?\b.*|summary|count|sum|end of (file|report)", re.IGNORECASE)


BLOCK = 250
"""Rows for which the starts that earlier files told are looked up together."""


class EPortfolio:
    """The export of one provider."""

    name = "eportfolio"
    about = "Apprenticeships: learners, evidence, hours, assessments"
    files = TABLES
    template = 1
    columns = COLUMNS
    named = NAMED
    free = FREE
    dated = DATED
    hours = frozenset({"otj_hours"})
    worded: Mapping[str, Words] = {
        "status": words.ENROLMENT,
        "evidence_status": words.EVIDENCE,
        "assessment_outcome": words.OUTCOME,
        "assessment_grade": words.GRADE,
        "otj_countable": words.YES_NO,
        "otj_correction": words.YES_NO,
    }

    def __init__(self, terms: ReadingTerms) -> None:
        self._terms = terms
        self._starts: dict[tuple[str, str], date] = {}
        self._hours = Hours(terms)
        self._earlier_starts: Mapping[tuple[str, ...], str] = {}

    def read(self, table: RowTable, earlier: Earlier, /) -> Iterator[Mapped]:
        """Every row of *table*, after a first walk that finds when each learner started."""
        self._hours = Hours(self._terms)
        self._starts = self._find_starts(table, Learners(self._terms.home))
        learners, ahead = Learners(self._terms.home), Learners(self._terms.home)
        rows = iter(table.rows())
        while block := list(islice(rows, BLOCK)):
            self._earlier_starts = earlier("enrolment", set(self._without_start(block, ahead)))
            for row in block:
                try:
                    yield self._row(row, learners)
                except Unusable as problem:
                    yield Mapped((row.place,), problem=problem)

    def statements(self, fact: Fact) -> list[Statement]:
        """The statement of one fact."""
        content = fact.content
        if isinstance(content, Same):
            return [content.statement(self._terms.provider)]
        return [facts.statement_of(content)]

    def _find_starts(self, table: RowTable, learners: Learners) -> dict[tuple[str, str], date]:
        starts: dict[tuple[str, str], date] = {}
        for row in table.rows() if "start_date" in table.columns else ():
            try:
                learner, standard = learners.read(row), standard_of(row)
                start = day(row, "start_date", self._terms.calendar)
            except Unusable:
                continue
            if standard and start:
                for known in learner.names:
                    starts.setdefault((known, standard.ref), start)
        return starts

    def _without_start(self, rows: Sequence[Row], learners: Learners) -> Iterator[tuple[str, ...]]:
        """The keys of enrolments of which the file does not tell the start, and which *rows* may need."""
        for row in rows:
            if row.trouble is not None or is_summary(row):
                continue
            try:
                keys = _enrolments(learners.read(row), standard_of(row))
            except Unusable:
                continue
            if not any(key in self._starts for key in keys):
                yield from keys

    def _row(self, row: Row, learners: Learners) -> Mapped:
        if row.trouble is not None:
            raise row.trouble
        if is_summary(row):
            return Mapped((row.place,), skipped="a summary, not a learner", code="summary")
        learner = learners.read(row)
        try:
            evidence, not_accepted = self._evidence(row, learner)
        except Unusable as problem:
            raise also_missing(problem, row, OF_EVIDENCE) from problem
        told = [*self._enrolment(row, learner), *evidence]
        told += self._hours.read(row, learner, self._day) if self._hours.is_told(row) else ()
        end, no_outcome = self._end(row, learner)
        told += end
        self._hours.count(told)
        why = not_accepted or no_outcome
        if not told and not why:
            nothing = "nothing to record: no start date, evidence, hours or assessment"
            return Mapped((row.place,), skipped=nothing, code="nothing")
        remark = (
            "" if self._hours.is_told(row) or not text(row, "otj_date") else "otj_date is filled, and the time is not"
        )
        all_told = (*learner.same(), *map(learner.under_each_name, told)) if told else ()
        called = learner.called() if told else ()
        return Mapped((row.place,), all_told, skipped=why, remark=remark, code="not_yet" if why else "", called=called)

    def _day(self, row: Row, column: str, learner: FileLearner, standard: Standard) -> datetime:
        """The day on which something was done: not in the future, and not before the learner started."""
        needed(row, column)
        on = cast("date", day(row, column, self._terms.calendar))
        at = not_ahead(midnight(on, self._terms.calendar.zone), self._terms.now, column, text(row, column))
        start = self._started(learner, standard)
        if start and on < start:
            message = "this was before the learner started on the standard"
            raise Unusable("before_enrolment", column, text(row, column), message)
        return at

    def _started(self, learner: FileLearner, standard: Standard) -> date | None:
        """The day on which a learner started on a standard, by this file, else by an earlier one of this provider."""
        keys = _enrolments(learner, standard)
        here = next((self._starts[key] for key in keys if key in self._starts), None)
        if here:
            return here
        kept = next(filter(None, (self._earlier_starts.get(key) for key in keys)), None)
        return date.fromisoformat(kept) if kept else None

    def _enrolment(self, row: Row, learner: FileLearner) -> Iterator[Fact]:
        calendar = self._terms.calendar
        start = day(row, "start_date", calendar)
        status = choice(row, "status", self._terms.words["status"], "")
        if start is None and not status:
            return
        standard = on_standard(row)
        key = (learner.key, standard.ref)
        if start:
            planned = day(row, "planned_end_date", calendar)
            if planned and planned < start:
                raise Unusable("ends_before_start", "planned_end_date", str(planned), "planned to end before it starts")
            ends = planned.isoformat() if planned else ""
            content = facts.Enrolled(learner.actor, standard, midnight(start, calendar.zone), ends, text(row, "option"))
            yield Fact("enrolment", key, content, kept=start.isoformat())
        if status in {"break", "withdrawn"}:
            on = day(row, "break_start" if status == "break" else "withdrawal_date", calendar)
            kind = cast("Literal['break', 'withdrawn']", status)
            at = midnight(on, calendar.zone) if on else None
            yield Fact("status", key, facts.Interruption(learner.actor, standard, kind, at))
        elif status:
            yield Fact("status", key, None)

    def _evidence(self, row: Row, learner: FileLearner) -> tuple[tuple[Fact, ...], str]:
        """The facts, and why the evidence does not count, if so."""
        if not text(row, "evidence_id") and not text(row, "ksb_code"):
            return (), ""
        standard, evidence = on_standard(row), needed(row, "evidence_id")
        status = choice(row, "evidence_status", self._terms.words["evidence_status"])
        listed = needed(row, "ksb_code")
        try:
            codes = ksb.codes(listed)
        except ValueError as error:
            raise Unusable("no_ksb", "ksb_code", listed, "expected codes such as K1, S2, B3") from error
        keys = [(learner.key, standard.ref, evidence, code) for code in codes]
        if status != "accepted":
            return tuple(Fact("evidence", key, None) for key in keys), f"evidence is {status}, not accepted"
        if not standard.version:
            message = "codes change their meaning between versions of a standard: say which one"
            raise Unusable("no_version", "standard_version", "", message)
        at = self._day(row, "evidence_date", learner, standard)
        assessor = staff(row, "assessor", self._terms.home)
        apart(learner, assessor, "assessor", names_of(row))
        guid, title, grade = text(row, "ksb_guid"), text(row, "evidence_title"), text(row, "grade")
        who = learner.actor
        return tuple(
            Fact("evidence", key, facts.Evidenced(who, standard, key[3], guid, evidence, title, at, assessor, grade))
            for key in keys
        ), ""

    def _end(self, row: Row, learner: FileLearner) -> tuple[list[Fact], str]:
        """The facts of gateway and assessment, and why the assessment does not count, if so."""
        told: list[Fact] = []
        if text(row, "gateway_date"):
            standard = on_standard(row)
            at = self._day(row, "gateway_date", learner, standard)
            told.append(Fact("gateway", (learner.key, standard.ref), facts.Gateway(learner.actor, standard, at)))
        outcome = self._outcome(row)
        if not outcome:
            return told, ""
        standard, resit = on_standard(row), text(row, "resit_no") or "0"
        if not re.fullmatch(r"[0-9]{1,2}", resit):
            raise Unusable("no_number", "resit_no", resit, "use a whole number")
        key = (learner.key, standard.ref, resit)
        if outcome == "pending":
            return [*told, Fact("assessment", key, None)], "the assessment has no outcome yet"
        at = self._day(row, "assessment_date", learner, standard)
        grade = text(row, "assessment_grade") or ("" if text(row, "evidence_id") else text(row, "grade"))
        content = facts.Assessed(learner.actor, standard, at, outcome == "pass", grade, int(resit))
        alike = tuple(structs.replace(content, who=who) for who in learner.identifiers[1:])
        both = f"of {{}} there, of {at.date().isoformat()} here"
        corrects: Literal["yes", ""] = "yes" if text(row, "resit_no") else ""
        loose = Loose(key, (), alike, corrects, _RESIT, "assessment_date", both=both)
        return [*told, Fact("assessment", key, content, kept=at.date().isoformat(), loose=loose)], ""

    def _outcome(self, row: Row) -> str:
        """Pass, fail, pending or nothing, by the outcome, else by the grade of the assessment."""
        outcome = choice(row, "assessment_outcome", self._terms.words["assessment_outcome"], "")
        graded = self._terms.words["assessment_grade"].get(folded_word(text(row, "assessment_grade")), "")
        if outcome in {"pass", "fail"} and graded and graded != outcome:
            told = f"the outcome says {outcome}, and the grade {graded}"
            raise Unusable("told_twice", "assessment_grade", text(row, "assessment_grade"), told)
        return outcome or choice(row, "assessment_grade", self._terms.words["assessment_grade"], "")


def is_summary(row: Row) -> bool:
    """Whether *row* is the total at the end, which many exports have."""
    first = next((cell for cell in row.cells.values() if cell), "")
    others = {row.cells.get(column, "") for column in ("uln", "learner_ref", "email")} - {first, ""}
    return bool(SUMMARY.fullmatch(first)) and not others


def _enrolments(learner: FileLearner, standard: Standard | None) -> list[tuple[str, str]]:
    """The keys that the enrolment of a learner may have: by the learner's key first, then by each other name."""
    names = (learner.key, *sorted(learner.names - {learner.key}))
    return [(name, standard.ref) for name in names] if standard else []
