"""Takes the statements of launched content in: judged one after the other, stored with what follows, in one commit.

A statement that is stored already is not judged again, so sending one once more is safe. After terminated that holds
for terminated alone: whatever else comes then is refused (9.3.0.0-5). Knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from adapters.lms.cmi5.rules import judged
from adapters.lms.courses.parts import first_of_another
from adapters.lms.sessions.acts import satisfy_in, structure_of
from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.session import LaunchSession, put_registration, put_session, registration_in, session_in
from adapters.lms.sessions.standing import SessionStanding
from adapters.lms.sessions.vocabulary import TERMINATED
from adapters.lms.tincan import rules as tincan
from lrs.competency.rules.rulesets import in_force
from lrs.kernel.errors import Refused
from lrs.storage import ROWS, Tx
from lrs.xapi.statements.plan import KIND, Plan, in_batch
from lrs.xapi.statements.write import store_in

BESIDE = 6 * ROWS
"""About how many rows are written beside the statements: session, registration, what is satisfied."""


def take_in(tx: Tx, plan: Plan, *, place: LmsPlace, session: str, numbered: bool) -> None:
    """Stores *plan*, which the content of *session* sent; its statements have their ids from it if they are *numbered*.

    Refuses (403) the first that breaks a rule of cmi5, and then stores none; else as ``store_in``.
    """
    found = session_in(tx, session)
    registration = registration_in(tx, found.registration)
    known = tx.get_many(KIND, plan.ids)
    before = now = SessionStanding(found, registration.unit(found.activity))
    package = tincan.ids_of(structure_of(tx, registration)) if found.format == "tincan" else frozenset()
    for one in plan.statements:
        if one.id in known and (not found.terminated or one.tree["verb"]["id"] == TERMINATED):
            continue
        try:
            if found.format == "tincan":
                now = tincan.judged(now, one.tree, place.tenant.clock(), package)
            else:
                now = judged(now, one.tree, place.tenant.clock(), has_id=numbered or "id" in one.tree)
        except Refused as refused:
            raise in_batch(refused, one.index) from refused
    if found.format == "tincan":
        _check_own(tx, plan, found, package)
    store_in(tx, plan)
    if now is before:
        return
    put_session(tx, now.session)
    if now.progress == before.progress:
        return
    registration = registration.with_unit(found.activity, now.progress)
    if now.progress.satisfied and not before.progress.satisfied:
        registration = satisfy_in(tx, place, structure_of(tx, registration), registration, found.id)
    put_registration(tx, registration)


def _check_own(tx: Tx, plan: Plan, session: LaunchSession, package: Collection[str]) -> None:
    """Refuses (403) a statement about an activity of another course here: it would count as that course's.

    Rules find an activity by such an id, so else a course that anybody can open would prove what an examination proves.
    So is one refused that has in its context what a rule is about and the *package* does not have.
    """
    ids = dict.fromkeys(id for one in plan.statements for id in tincan.activities_in(one.tree))
    if found := first_of_another(tx, ids, session.course):
        why = "is one of another course here: this launch is not for it"
        raise tincan.refused(f"the activity {found[:200]} {why}", plain=f"an activity {why}")
    if others := {id for id in ids if not tincan.is_within(id, package)}:
        for rule in in_force(tx).rules.by_item.values():
            if rule.match != "type" and rule.activity in others:
                why = "in the context is none of the launched package, and a rule is about it"
                message, plain = f"the activity {rule.activity[:200]} {why}", f"an activity {why}"
                raise tincan.refused(message, "/context/contextActivities", plain=plain)


def note_in(tx: Tx, session: str, *, launch_data: bool = False, preferences: bool = False) -> None:
    """Notes that the content of *session* has read its launch data, or the learner's preferences."""
    found = session_in(tx, session)
    seen = {"launch_data": launch_data or found.launch_data, "preferences": preferences or found.preferences}
    put_session(tx, msgspec.structs.replace(found, **seen))
