"""The facts of a session, and how they become statements: the same as those of a file of the centre.

Facts are compared with the ledger of ``training-centre`` and the centre, so what a file has told already is not told
again, and what differs from it is a correction. Statements, ledger, and the records that they follow from are stored in
one commit. Knows no page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from adapters.imports.job import Sender
from adapters.ledger.apply import ImportChunk, ImportTarget, committed, named, prepared, rows_of_facts
from adapters.ledger.diff import hash_of, key_of
from adapters.ledger.ledger import Ledger, LedgerWrite, Overtaken
from adapters.ledger.pipeline import FactWrite, FileNames, plan, statements_of
from adapters.ledger.recognise import FactsOfFile
from adapters.reading.profile import MappingProfile
from adapters.reading.source import Fact, Mapped
from adapters.reading.vocabulary import iri
from adapters.training_centre.attendees import Attendee
from adapters.training_centre.centre_sessions import CentreSession
from adapters.training_centre.checklists import ChecklistVersion
from adapters.training_centre.files.facts import THERE, Attended, Observed, ObservedStep, attempt_at, is_passed
from adapters.training_centre.files.source import TrainingCentre
from adapters.training_centre.marking import is_complete, observer
from lrs.access.keys import authority_of
from lrs.kernel.errors import Refused
from lrs.kernel.tables.row import RowPlace, Unusable
from lrs.kernel.times import MINUTE, SECOND
from lrs.storage import Reader, RecordName, Stale, Tx
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.subscriptions import Subscriptions
from lrs.xapi.statements.write import learn

T = TypeVar("T")
TRIES = 8
"""How often a commit is decided anew because somebody else wrote meanwhile."""


def facts(session: CentreSession, one: Attendee, known: ChecklistVersion | None) -> Iterator[Fact]:
    """What is told of somebody at a session: who they are, whether they came, and each attempt at the checklist.

    A fact without content does not hold: it is withdrawn if it was told.
    """
    about, mark = session.training(), one.mark
    yield from one.learner.same()
    yield _attendance(session, one)
    if known is None or session.checklist is None:
        return
    there = mark is not None and mark.value in THERE
    for attempt in range(1, one.attempts + 1):
        seen = _observed(session, one, known, attempt) if there else None
        yield attempt_at((about.id, one.key, known.content.id, str(attempt)), str(known.number), seen)


def result_of(session: CentreSession, one: Attendee, known: ChecklistVersion | None) -> str:
    """What the last attempt that is told of somebody came to: ``passed`` or ``failed``; empty if none is told."""
    if known is None or one.mark is None or one.mark.value not in THERE:
        return ""
    told = (_observed(session, one, known, attempt) for attempt in range(one.attempts, 0, -1))
    last = next(filter(None, told), None)
    return "" if last is None else "passed" if is_passed(last.steps, last.percent) else "failed"


def checklist_activity(session: CentreSession, known: ChecklistVersion) -> str:
    """The IRI under which results of the checklist *known* are told: the activity that a rule names."""
    return iri("centres", session.centre, "checklists", known.content.id)


def _attendance(session: CentreSession, one: Attendee) -> Fact:
    mark, about = one.mark, session.training()
    came = Attended(one.learner.actor, about, mark.value, mark.minutes) if mark and mark.value else None
    return Fact("attendance", (about.id, one.key), came)


def _observed(session: CentreSession, one: Attendee, known: ChecklistVersion, attempt: int) -> Observed | None:
    """An attempt, once every step is marked and, where two sign, both did."""
    second = one.signature(attempt)
    if not is_complete(one, attempt, known) or (known.content.signatures > 1 and second is None):
        return None
    last = observer(one, attempt, known)
    found = one.seen()
    marks = [(step, found.get((attempt, step.id))) for step in known.content.steps]
    steps = [ObservedStep(step.id, mark.value, step.critical) for step, mark in marks if mark and mark.value]
    return Observed(
        who=one.learner.actor,
        session=session.training(),
        checklist=checklist_activity(session, known),
        title=known.content.id,
        revision=str(known.number),
        attempt=attempt,
        steps=tuple(sorted(steps, key=lambda step: step.id)),
        percent=known.content.percent,
        observer=last.by.who,
        second=second.by.who if second else None,
        at=session.at(last.at // MINUTE * MINUTE),
    )


class Telling(msgspec.Struct, frozen=True):
    """What is told: of *people* at a *session*, who were seen by the checklist *known*."""

    session: CentreSession
    known: ChecklistVersion | None
    people: Sequence[Attendee]

    def facts(self) -> Iterator[Fact]:
        """The facts of all of them."""
        for one in self.people:
            yield from facts(self.session, one, self.known)

    def names(self) -> FileNames:
        """What they are called, where that is a name."""
        return {one.learner.actor: one.name for one in self.people if one.name not in one.learner.names}


def target(tenant: Tenant, subscriptions: Subscriptions, centre: str, by: str) -> ImportTarget:
    """Where the statements of *centre* go: as those of a file that it sends."""
    authority = authority_of(tenant, f"{tenant.id}.import", centre).decode()
    caller = Sender(centre, authority, subject=by).caller(tenant.id)
    return ImportTarget(tenant, caller, subscriptions, f"{TrainingCentre.name}/{centre}", "")


def store_with(place: ImportTarget, telling: Telling, decide: Callable[[Tx], T], reads: Sequence[RecordName]) -> T:
    """Runs *decide* and stores what follows, in one commit. Raises ``Overtaken`` and what *decide* raises.

    A statement that the store does not take refuses everything.
    """
    chunk = _chunk(place, telling)
    results: list[T] = []

    def commit(also: Callable[[Tx], None], some: ImportChunk) -> None:
        def decided(tx: Tx) -> T:
            result = decide(tx)
            also(tx)
            return result

        weight, wanted = some.weight, [*reads, *some.reads(place)]
        results.append(place.tenant.store.write(decided, weight=weight, reads=wanted).result())

    chunk = committed(place, chunk, commit)
    if chunk.plan is not None:
        learn(place.tenant, chunk.plan)
    return results[-1]


def anew(act: Callable[[], T]) -> T:
    """The result of *act*, which is tried again as long as somebody else wrote meanwhile. Raises ``Refused`` (503)."""
    for _ in range(TRIES):
        try:
            return act()
        except (Stale, Overtaken):
            continue
    message = "Many people write here at the moment. Nothing was stored: try it again."
    raise Refused(message, status=503, error="busy")


def _chunk(place: ImportTarget, telling: Telling) -> ImportChunk:
    tenant, session = place.tenant, telling.session
    now = datetime.fromtimestamp(tenant.clock() // SECOND, UTC)
    terms = MappingProfile(zone=session.zone).terms(session.centre, TrainingCentre.worded, TrainingCentre.free, now)
    source, ledger, seen = (
        TrainingCentre(terms),
        Ledger(tenant.store, TrainingCentre.name, session.centre),
        FactsOfFile(),
    )
    held = Fact("session", (session.iri,), session.held(), parts=0)
    changes = plan(source, Mapped((RowPlace("", 0),), (held, *telling.facts())), ledger, seen)
    if isinstance(changes, Unusable):
        raise Refused(changes.message, status=409, error=changes.code)
    due = [
        FactWrite(LedgerWrite(one.key, one.decision.settled, one.before), statements_of(source, one, ledger.source))
        for one in changes
        if one.decision.changes
    ]
    chunk, refused = prepared(place, rows_of_facts(due))
    if refused:
        why = next(iter(refused.values()))
        raise Refused(f"The statements of this session are refused: {why.message}", status=why.status, error="refused")
    return replace(chunk, names=tuple(one for part in named(place, telling.names()) for one in part.names))


def differing(reader: Reader, telling: Telling) -> set[str]:
    """Who of the people (by the ids of their records) is told of otherwise by a file than by their mark here.

    Before a session is closed that is everybody of whom a file told anything else than what is marked.
    """
    ledger = Ledger(reader, TrainingCentre.name, telling.session.centre)
    came = {one.id: _attendance(telling.session, one) for one in telling.people}
    ledger.look_up(key_of(fact.kind, fact.key) for fact in came.values())
    found = {id: (ledger.get(key_of(fact.kind, fact.key)), fact) for id, fact in came.items()}
    newest = {id: (entry.newest, fact) for id, (entry, fact) in found.items() if entry is not None}
    return {id for id, (told, fact) in newest.items() if told and told.hash != hash_of(fact, TrainingCentre.template)}
