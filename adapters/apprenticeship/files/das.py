"""The bulk upload of the apprenticeship service (DAS) as a ``Source``: who starts on which standard, when. Pure.

The service has had four generations of headers, with 14, 13, 16 and 19 columns; the order of the last two differs
between its own template and its own tests. So columns are known by their headers, never by their places. Each row is
one apprenticeship, known by learner, standard and start. Days of birth, prices and the assessment organisation are not
read. Source: SkillsFundingAgency, das-commitments and das-provider-commitments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime

from tincan import Statement

from adapters.apprenticeship import lars
from adapters.apprenticeship.facts import Standard
from adapters.apprenticeship.ilr.facts import Apprenticeship, statement_of
from adapters.reading import words
from adapters.reading.cells import choice, needed, text
from adapters.reading.columns import ColumnWords
from adapters.reading.people import FileLearner, Learners, Same
from adapters.reading.profile import ReadingTerms
from adapters.reading.source import TABLES, Earlier, Fact, Mapped, RowTable
from adapters.reading.times import AHEAD, day, midnight
from adapters.reading.words import Words
from lrs.kernel.tables.row import Row, Unusable
from lrs.people.identifiers import TEMPORARY_ULN

STANDARD = "25"
"""The programme type of a standard in the first generation; others were frameworks, which have ended."""
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_OF_LEARNER = {"learner_ref": "provider_ref", "email": "email_address"}
"""Our columns of a learner, and what the service calls them."""

NAMED: Mapping[str, ColumnWords] = {
    "cohort_ref": ColumnWords("Service: cohort"),
    "agreement_id": ColumnWords("Service: agreement"),
    "email_address": ColumnWords("Service: e-mail address of the learner"),
    "provider_ref": ColumnWords("Service: your reference for the learner"),
    "prog_type": ColumnWords("Service: programme type"),
    "std_code": ColumnWords("Service: standard (LARS code)"),
    "end_date": ColumnWords("Service: planned end"),
    "training_total_hours": ColumnWords("Service: hours of training in total"),
    "training_hours_reduction": ColumnWords("Service: hours that prior learning saves"),
    "recognise_prior_learning": ColumnWords("Service: prior learning is recognised"),
}
"""The columns that only this upload has, in words."""


class Das:
    """The uploads of one provider."""

    name = "das"
    about = "Apprenticeship service: bulk upload (CSV)"
    files = TABLES
    template = 1
    columns = frozenset(NAMED) | {"uln", "family_name", "given_names", "start_date"}
    named = NAMED
    free = frozenset({"family_name", "given_names"})
    dated = frozenset({"start_date", "end_date"})
    hours: frozenset[str] = frozenset()
    worded: Mapping[str, Words] = {"recognise_prior_learning": words.YES_NO}

    def __init__(self, terms: ReadingTerms) -> None:
        self._terms = terms

    def read(self, table: RowTable, _: Earlier, /) -> Iterator[Mapped]:
        """Every row of *table*, once."""
        learners = Learners(self._terms.home)
        for row in table.rows():
            try:
                yield self._row(row, learners)
            except Unusable as problem:
                yield Mapped((row.place,), problem=problem)

    def statements(self, fact: Fact) -> list[Statement]:
        """``registered`` on the standard, or that two identifiers are one person."""
        if isinstance(fact.content, Same):
            return [fact.content.statement(self._terms.provider)]
        if isinstance(fact.content, Apprenticeship):
            return [statement_of(fact.content)]
        raise TypeError(fact.kind)

    def _row(self, row: Row, learners: Learners) -> Mapped:
        if row.trouble is not None:
            raise row.trouble
        if text(row, "prog_type") not in {"", STANDARD}:
            return Mapped((row.place,), skipped="on a framework, not on a standard", code="framework")
        learner = _learner(row, learners)
        code = needed(row, "std_code")
        if not re.fullmatch(r"[0-9]{1,5}", code):
            raise Unusable("no_standard", "std_code", code, "this is no code of a standard: a number, such as 755")
        starts, start_text = self._date(row, "start_date")
        _, end_text = self._date(row, "end_date")
        if end_text < start_text[: len(end_text)]:
            raise Unusable("ends_before_start", "end_date", end_text, "planned to end before it starts")
        at = midnight(starts, self._terms.calendar.zone)
        if at - self._terms.now > AHEAD:
            return Mapped((row.place,), skipped="the apprenticeship has not begun yet", code="not_yet")
        content = self._content(row, learner, (int(code), at, end_text))
        fact = Fact("enrolment", (learner.key, str(int(code)), start_text), content)
        return Mapped((row.place,), (*learner.same(), learner.under_each_name(fact)), called=learner.called())

    def _content(self, row: Row, learner: FileLearner, told: tuple[int, datetime, str]) -> Apprenticeship:
        code, at, ends = told
        standard = Standard(lars.reference_of(code, self._terms.standards))
        return Apprenticeship(learner.actor, standard, at, ends, str(code), self._hours(row), "")

    def _hours(self, row: Row) -> int | None:
        """Planned hours: in total, less those that prior learning saves."""
        recognised = choice(row, "recognise_prior_learning", self._terms.words["recognise_prior_learning"], "yes")
        total = _number(row, "training_total_hours")
        less = _number(row, "training_hours_reduction") if recognised == "yes" else 0
        if total is not None and (less or 0) > total:
            message = "more hours are taken off than there are in total"
            raise Unusable("no_number", "training_hours_reduction", text(row, "training_hours_reduction"), message)
        return None if total is None else total - (less or 0)

    def _date(self, row: Row, column: str) -> tuple[date, str]:
        """The day in *column*, and as it is told: a month without a day stays a month."""
        cell = needed(row, column)
        if month := _MONTH.fullmatch(cell):
            if not 1 <= int(month[2]) <= 12:
                raise Unusable("no_date", column, cell, "there is no such month: write it as yyyy-mm-dd")
            return date(int(month[1]), int(month[2]), 1), cell
        found = day(row, column, self._terms.calendar)
        if found is None:
            raise Unusable("no_date", column, cell, "write the date as yyyy-mm-dd")
        return found, found.isoformat()


def _learner(row: Row, learners: Learners) -> FileLearner:
    """The learner of *row*. The service wants a ULN that is one, so a temporary one is refused."""
    if "".join(needed(row, "uln").split()) == TEMPORARY_ULN:
        message = "9999999999 isn't valid here: the service wants the learner's own number"
        raise Unusable("bad_uln", "uln", TEMPORARY_ULN, message)
    return learners.read_from(row, _OF_LEARNER)


def _number(row: Row, column: str) -> int | None:
    cell = text(row, column)
    if cell and not re.fullmatch(r"[0-9]{1,5}", cell):
        raise Unusable("no_number", column, cell, "use a whole number of hours")
    return int(cell) if cell else None
