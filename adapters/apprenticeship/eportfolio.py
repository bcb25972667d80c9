"""An e-portfolio export as a ``Source``: the columns of a generic provider file, through a mapping profile. Pure.

One row may say several things; each part is read where its columns are filled:

===========  =========================================================================================================
learner      uln | learner_ref | email (at least one), given_names, family_name (only to notice self-assessment)
enrolment    standard_ref*, standard_version, option, start_date, planned_end_date, status (learning, break, withdrawn,
             completed), break_start, withdrawal_date
evidence     evidence_id, ksb_code* (``K 1``, ``k1, k2; S3``), ksb_guid, evidence_title, evidence_date*,
             evidence_status* (draft, submitted, accepted, rejected), assessor, grade; needs standard_version
off the job  otj_date*, otj_minutes or otj_hours*, otj_category, otj_countable, otj_ref (for two of a day and category)
end          gateway_date; assessment_outcome, assessment_date*, assessment_grade (or grade), resit_no
===========  =========================================================================================================

Nothing is done before the learner started on the standard, as this file or else an earlier one of the provider says.
Only accepted evidence counts; evidence that was accepted and no longer is, is withdrawn. A row is taken whole or not at
all. What a later file leaves out stays as it is: leaving out is not deleting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Literal, cast

from tincan import Statement

from adapters.apprenticeship import facts, ksb
from adapters.apprenticeship.facts import Standard
from adapters.cells import choice, day, midnight, minutes, needed, not_ahead, text, yes
from adapters.people import Learner, Learners, Same, apart, names_of, staff
from adapters.profile import Profile
from adapters.source import Earlier, Fact, Mapped, Table
from lrs.tables.row import Row, Unusable

STATUSES = {"learning": "learning", "in learning": "learning", "live": "learning", "active": "learning"} | {
    "continuing": "learning",
    "on programme": "learning",
    "break": "break",
    "on break": "break",
    "break in learning": "break",
    "withdrawn": "withdrawn",
    "left": "withdrawn",
    "completed": "completed",
    "achieved": "completed",
}
EVIDENCE = {"accepted": "accepted", "approved": "accepted", "signed off": "accepted", "passed": "accepted"} | {
    "draft": "draft",
    "submitted": "submitted",
    "awaiting review": "submitted",
    "in review": "submitted",
    "rejected": "rejected",
    "referred": "rejected",
}
OUTCOMES = {"pass": "pass", "passed": "pass", "merit": "pass", "distinction": "pass"} | {
    "fail": "fail",
    "failed": "fail",
}
COLUMNS = frozenset(
    {"uln", "learner_ref", "email", "given_names", "family_name"}
    | {"standard_ref", "standard_version", "option", "start_date", "planned_end_date", "status", "break_start"}
    | {"withdrawal_date"}
    | {"evidence_id", "ksb_code", "ksb_guid", "evidence_title", "evidence_date", "evidence_status", "assessor"}
    | {"grade"}
    | {"otj_date", "otj_minutes", "otj_hours", "otj_category", "otj_countable", "otj_ref"}
    | {"gateway_date", "assessment_outcome", "assessment_date", "assessment_grade", "resit_no"}
)
SUMMARY = re.compile(r"(grand |sub ?-?)?totals?\b.*|summary|count|sum|end of (file|report)", re.IGNORECASE)
MAX_DAY = 24 * 60


class EPortfolio:
    """One provider's export."""

    name = "eportfolio"
    template = 1
    columns = COLUMNS
    worded: Mapping[str, Mapping[str, str]] = {
        "status": STATUSES,
        "evidence_status": EVIDENCE,
        "assessment_outcome": OUTCOMES,
    }

    def __init__(self, provider: str, profile: Profile, now: datetime) -> None:
        self._provider = provider
        self._profile = profile
        self._now = now
        self._zone = profile.clock()
        self._starts: dict[tuple[str, str], date] = {}
        self._days: dict[tuple[str, date], int] = {}
        self._earlier: Earlier = lambda _kind, _key: ""

    def read(self, table: Table, earlier: Earlier, /) -> Iterator[Mapped]:
        """Every row of *table*, after a first walk that notes when each learner started."""
        home = self._profile.home(self._provider)
        self._days = {}
        self._earlier = earlier
        self._starts = self._find_starts(table, Learners(home))
        learners = Learners(home)
        for row in table.rows():
            try:
                yield self._row(row, learners)
            except Unusable as problem:
                yield Mapped((row.place,), problem=problem)

    def statements(self, fact: Fact) -> list[Statement]:
        """The statement of one fact."""
        content = fact.content
        if isinstance(content, Same):
            return [content.statement(self._provider)]
        return [facts.statement_of(content)]

    def _find_starts(self, table: Table, learners: Learners) -> dict[tuple[str, str], date]:
        starts: dict[tuple[str, str], date] = {}
        for row in table.rows() if "start_date" in table.columns else ():
            try:
                learner, standard = learners.read(row), self._standard(row)
                start = day(row, "start_date", self._profile.dates)
            except Unusable:
                continue
            if standard and start:
                for known in learner.names:
                    starts.setdefault((known, standard.ref), start)
        return starts

    def _row(self, row: Row, learners: Learners) -> Mapped:
        if row.trouble is not None:
            raise row.trouble
        if is_summary(row):
            return Mapped((row.place,), skipped="a summary, not a learner")
        learner = learners.read(row)
        evidence, why = self._evidence(row, learner)
        told = (*self._enrolment(row, learner), *evidence, *self._otj(row, learner), *self._end(row, learner))
        self._count(told, learner)
        if not told:
            return Mapped(
                (row.place,), skipped=why or "nothing to record: no start date, evidence, hours or assessment"
            )
        return Mapped((row.place,), (*learner.same(), *told), skipped=why)

    def _standard(self, row: Row) -> Standard | None:
        ref = re.sub(r"\s+", "", text(row, "standard_ref")).upper()
        if ref and not re.fullmatch(r"[A-Z0-9][A-Z0-9./-]{0,19}", ref):
            raise Unusable("no_standard", "standard_ref", ref, "this is no reference of a standard, such as ST1406")
        return Standard(ref, text(row, "standard_version").lower().removeprefix("v").strip()) if ref else None

    def _on(self, row: Row) -> Standard:
        standard = self._standard(row)
        if standard is None:
            raise Unusable("no_standard", "standard_ref", "", "say which standard: a column or a constant")
        return standard

    def _day(self, row: Row, column: str, learner: Learner, standard: Standard) -> datetime:
        """A day something was done on: not in the future, not before the learner started."""
        needed(row, column)
        on = cast("date", day(row, column, self._profile.dates))
        at = not_ahead(midnight(on, self._zone), self._now, column, text(row, column))
        start = self._started(learner, standard)
        if start and on < start:
            message = "this was before the learner started on the standard"
            raise Unusable("before_enrolment", column, text(row, column), message)
        return at

    def _started(self, learner: Learner, standard: Standard) -> date | None:
        """When a learner started on a standard: as this file says, else an earlier one of this provider."""
        keys = [(name, standard.ref) for name in (learner.key, *sorted(learner.names - {learner.key}))]
        here = next((self._starts[key] for key in keys if key in self._starts), None)
        if here:
            return here
        kept = next(filter(None, (self._earlier("enrolment", key) for key in keys)), None)
        return date.fromisoformat(kept) if kept else None

    def _enrolment(self, row: Row, learner: Learner) -> Iterator[Fact]:
        start = day(row, "start_date", self._profile.dates)
        status = choice(row, "status", self._profile.words("status", STATUSES), "")
        if start is None and not status:
            return
        standard = self._on(row)
        key = (learner.key, standard.ref)
        if start:
            planned = day(row, "planned_end_date", self._profile.dates)
            if planned and planned < start:
                raise Unusable("ends_before_start", "planned_end_date", str(planned), "planned to end before it starts")
            ends = planned.isoformat() if planned else ""
            starts = midnight(start, self._zone)
            content = facts.Enrolled(learner.actor, standard, starts, ends, text(row, "option"))
            yield Fact("enrolment", key, content, kept=start.isoformat())
        if status in {"break", "withdrawn"}:
            on = day(row, "break_start" if status == "break" else "withdrawal_date", self._profile.dates)
            kind = cast("Literal['break', 'withdrawn']", status)
            at = midnight(on, self._zone) if on else None
            yield Fact("status", key, facts.Interrupted(learner.actor, standard, kind, at))
        elif status:
            yield Fact("status", key, None)

    def _evidence(self, row: Row, learner: Learner) -> tuple[tuple[Fact, ...], str]:
        """Facts, and why the evidence does not count if it does not."""
        if not text(row, "evidence_id") and not text(row, "ksb_code"):
            return (), ""
        standard, evidence = self._on(row), needed(row, "evidence_id")
        status = choice(row, "evidence_status", self._profile.words("evidence_status", EVIDENCE))
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
        assessor = staff(row, "assessor", self._profile.home(self._provider))
        apart(learner, assessor, "assessor", names_of(row))
        guid, title, grade = text(row, "ksb_guid"), text(row, "evidence_title"), text(row, "grade")
        who = learner.actor
        return tuple(
            Fact("evidence", key, facts.Evidenced(who, standard, key[3], guid, evidence, title, at, assessor, grade))
            for key in keys
        ), ""

    def _otj(self, row: Row, learner: Learner) -> Iterator[Fact]:
        told = minutes(row, "otj_minutes", "minutes")
        spent = told if told is not None else minutes(row, "otj_hours", self._profile.hours)
        if spent is None:
            return
        standard = self._on(row)
        at = self._day(row, "otj_date", learner, standard)
        total = self._days.get((learner.key, at.date()), 0) + spent
        if total > MAX_DAY:
            raise Unusable("over_a_day", "otj_date", text(row, "otj_date"), f"{total} minutes on one day")
        category = text(row, "otj_category")
        key = (learner.key, standard.ref, at.date().isoformat(), category.casefold(), text(row, "otj_ref"))
        countable = yes(row, "otj_countable", default=True)
        yield Fact("otj", key, facts.OffTheJob(learner.actor, standard, at, spent, category, countable))

    def _count(self, told: tuple[Fact, ...], learner: Learner) -> None:
        """Adds the off-the-job minutes of a row that is taken to its day's; a refused row's count for nothing."""
        for fact in told:
            if isinstance(fact.content, facts.OffTheJob):
                on = (learner.key, fact.content.at.date())
                self._days[on] = self._days.get(on, 0) + fact.content.minutes

    def _end(self, row: Row, learner: Learner) -> Iterator[Fact]:
        if text(row, "gateway_date"):
            standard = self._on(row)
            at = self._day(row, "gateway_date", learner, standard)
            yield Fact("gateway", (learner.key, standard.ref), facts.Gateway(learner.actor, standard, at))
        outcome = choice(row, "assessment_outcome", self._profile.words("assessment_outcome", OUTCOMES), "")
        if outcome:
            standard = self._on(row)
            at = self._day(row, "assessment_date", learner, standard)
            resit = text(row, "resit_no") or "0"
            if not re.fullmatch(r"[0-9]{1,2}", resit):
                raise Unusable("no_number", "resit_no", resit, "use a whole number")
            grade = text(row, "assessment_grade") or ("" if text(row, "evidence_id") else text(row, "grade"))
            content = facts.Assessed(learner.actor, standard, at, outcome == "pass", grade, int(resit))
            yield Fact("assessment", (learner.key, standard.ref, resit), content)


def is_summary(row: Row) -> bool:
    """Whether *row* is the total that many exports end with."""
    first = next((cell for cell in row.cells.values() if cell), "")
    others = {row.cells.get(column, "") for column in ("uln", "learner_ref", "email")} - {first, ""}
    return bool(SUMMARY.fullmatch(first)) and not others
