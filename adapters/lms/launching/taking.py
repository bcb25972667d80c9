"""Takes the statements of launched content in: judged one after the other, stored with what follows, in one commit.

A statement that is stored already is not judged again, so sending one once more is safe. After terminated that holds
for terminated alone: whatever else comes then is refused (9.3.0.0-5). Knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from adapters.lms.cmi5.rules import judged
from adapters.lms.courses.parts import first_of_another
from adapters.lms.courses.structure import Structure
from adapters.lms.sessions import reach
from adapters.lms.sessions.acts import satisfy_in, structure_of
from adapters.lms.sessions.credentials import session_now
from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.session import (
    LaunchSession,
    put_registration,
    put_session,
    registration_in,
    session_in,
)
from adapters.lms.sessions.standing import SessionStanding
from adapters.lms.sessions.vocabulary import TERMINATED
from adapters.lms.tincan import rules as tincan
from lrs.competency.seen import OUTSIDE, PACKAGE_TYPE
from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import Json
from lrs.storage import ROWS, Tx
from lrs.xapi.statements.plan import KIND, Plan, Prepared, in_batch
from lrs.xapi.statements.write import store_in

BESIDE = 6 * ROWS
"""About how many rows are written beside the statements: session, registration, what is satisfied."""


def take_in(tx: Tx, plan: Plan, *, place: LmsPlace, session: str, numbered: bool) -> None:
    """Stores *plan*, which the content of *session* sent; its statements have their ids from it if they are *numbered*.

    Refuses (403) once the session is over, and the first that breaks a rule of cmi5 or speaks of more than its launch,
    and then stores none; else as ``store_in``.
    """
    at = place.tenant.clock()
    found = session_now(tx, session, at)
    registration = registration_in(tx, found.registration)
    beside = [reach.named_beside(found, one.tree) for one in plan.statements]
    # most statements of cmi5 name their unit alone, and need no structure
    structure = structure_of(tx, registration) if found.format == "tincan" or any(beside) else None
    package = reach.ids_of(structure) if structure and found.format == "tincan" else frozenset()
    known = tx.get_many(KIND, plan.ids)
    before = now = SessionStanding(found, registration.unit(found.activity))
    for one, others in zip(plan.statements, beside, strict=True):
        if one.id in known and (not found.terminated or one.tree["verb"]["id"] == TERMINATED):
            continue
        try:
            now = _judged(now, one, at, package, has_id=numbered or "id" in one.tree)
            _check_own(tx, others, found)
        except Refused as refused:
            raise in_batch(refused, one.index) from refused
    store_in(tx, _marked(plan, found, structure, reach.trial_mark(found, registration)))
    if now is before:
        return
    put_session(tx, now.session)
    if now.progress == before.progress:
        return
    registration = registration.with_unit(found.activity, now.progress)
    if now.progress.satisfied and not before.progress.satisfied:
        registration = satisfy_in(tx, place, structure_of(tx, registration), registration, found.id)
    put_registration(tx, registration)


def _judged(
    standing: SessionStanding, one: Prepared, now: int, package: Collection[str], *, has_id: bool
) -> SessionStanding:
    session, statement = standing.session, one.tree
    if session.format == "tincan":
        after = tincan.judged(standing, statement, now, package)
    else:
        after = judged(standing, statement, now, has_id=has_id)
    for pointer, why in reach.faults(session, statement, now):
        raise reach.refused(session, why, pointer)
    return after


def _check_own(tx: Tx, beside: Collection[str], session: LaunchSession) -> None:
    """Refuses (403) a statement that names an activity of another course here: it would speak of that course."""
    if found := first_of_another(tx, sorted(beside), session.course):
        why = "is one of another course here: this launch is not for it"
        raise reach.refused(session, f"the activity {found[:200]} {why}", plain=f"an activity {why}")


def _marked(plan: Plan, session: LaunchSession, structure: Structure | None, trial: Json) -> Plan:
    """*plan* with marks: of what a statement proves nothing, that it proves nothing (*trial*), the type of its unit."""
    found = []
    for one in plan.statements:
        marks = dict(trial)
        if (structure or reach.is_of_a_part(session, one.tree)) and (
            beyond := reach.outside(session, one.tree, structure)
        ):
            marks[OUTSIDE] = list(beyond)
        if type := reach.type_in_package(session, one.tree, structure):
            marks[PACKAGE_TYPE] = type
        found.append(msgspec.structs.replace(one, meta=one.meta | marks) if marks else one)
    return msgspec.structs.replace(plan, statements=found)


def note_in(tx: Tx, session: str, *, launch_data: bool = False, preferences: bool = False) -> None:
    """Notes that the content of *session* has read its launch data, or the learner's preferences."""
    found = session_in(tx, session)
    seen = {"launch_data": launch_data or found.launch_data, "preferences": preferences or found.preferences}
    put_session(tx, msgspec.structs.replace(found, **seen))
