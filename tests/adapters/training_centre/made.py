"""A training centre, made up: who works there, a checklist, a gowning session, and people who come to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.reading.people import mailbox
from adapters.reading.vocabulary import iri
from adapters.training_centre import acts, attendees, centre_sessions, checklists, marks
from adapters.training_centre.attendees import AttendanceMark, Attendee, StepMark
from adapters.training_centre.centre_sessions import CentreSession, Marker
from adapters.training_centre.checklists import Checklist, ChecklistStep, ChecklistVersion
from adapters.training_centre.day import CentreDay, pinned
from adapters.training_centre.planning import people_in, session_in
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.times import MINUTE
from lrs.tenancy.tenants import Tenant

NINE = 1_795_258_800_000_000
"""2026-11-21 11:00 UTC in microseconds, an hour before the files of these tests are read."""
NORTH = frozenset({"north"})
STEPS = (ChecklistStep("hands", "Hands washed", critical=True), ChecklistStep("hood", "Hood first"))
FIELDS = {
    "kind": "practical",
    "title": "Gowning",
    "number": "S1",
    "date": "2026-11-21",
    "starts": "11:00",
    "ends": "11:40",
}
PEOPLE = "Ann Arden, ann@learners.example\nBen Birch, L2\nCleo Cade, 1000000108, cleo@learners.example\n"


def signer(name: str) -> Marker:
    return Marker(mailbox(f"{name}@centre.example"), name.title(), f"staff {name}")


@dataclass
class Centre:
    """A centre in the store of *tenant*; *now* is what its clock shows."""

    tenant: Tenant
    now: list[int] = field(default_factory=lambda: [NINE])

    def day(self, who: str = "tess", centres: frozenset[str] | None = NORTH) -> CentreDay:
        return CentreDay(self.tenant, SUBSCRIPTIONS, signer(who), centres)

    def checklist(self, *steps: ChecklistStep, **more: object) -> ChecklistVersion:
        told = Checklist("north", "gowning", steps=steps or STEPS, **{"title": "Gowning"} | more)  # type: ignore[arg-type]
        return self.tenant.store.write(lambda tx: checklists.keep(tx, told, self.now[0], "test")).result()[0]

    def session(
        self, known: ChecklistVersion | None = None, people: str = PEOPLE, lead: str = "tess", **more: str
    ) -> CentreSession:
        one = session_in(
            FIELDS | more,
            centre="north",
            zone="Europe/London",
            lead=signer(lead),
            by=signer(lead).subject,
            number="X",
            checklist=pinned(known) if known else None,
            now=self.now[0],
        )
        acts.make(self.day(), one)
        if people:
            acts.enrol(self.day(), one.id, people_in(people, iri("providers", "north"), one.id, self.now[0], "test"))
        return one

    def everybody(self, session: CentreSession) -> list[Attendee]:
        return [one for _, one in attendees.of_session(self.tenant.store, session.id).values()]

    def who(self, session: CentreSession, name: str) -> Attendee:
        return next(one for one in self.everybody(session) if one.name.startswith(name))

    def came(self, session: CentreSession, name: str, value: str, *, by: str = "tess", why: str = "", seen: int = -1):
        one, self.now[0] = self.who(session, name), self.now[0] + MINUTE
        mark = AttendanceMark(value, self.now[0], signer(by), why)  # type: ignore[arg-type]
        return marks.mark_attendance(self.day(by), session.id, one.id, mark, len(one.attendance) if seen < 0 else seen)

    def saw(self, session: CentreSession, name: str, step: str, value: str, *, by: str = "tess", why: str = ""):
        one, self.now[0] = self.who(session, name), self.now[0] + MINUTE
        mark = StepMark(one.attempts, step, value, self.now[0], signer(by), why)  # type: ignore[arg-type]
        seen, version = one.seen_of(one.attempts, step), self.read(session).checklist.version
        return marks.mark_step(self.day(by), session.id, one.id, mark, seen=seen, version=version)

    def signs(self, session: CentreSession, name: str, by: str, attempt: int = 1):
        one = self.who(session, name)
        seen = sum(mark.attempt == attempt for mark in one.steps)
        return marks.sign(self.day(by), session.id, one.id, attempt, seen=seen)

    def read(self, session: CentreSession) -> CentreSession:
        return centre_sessions.found(self.tenant.store, session.id, None)[1]
