"""Attempts at units of SCORM courses: what content is begun with, and what a commit stores.

An attempt goes on until it has ended with a result; then the next launch begins another. Its state is State of xAPI, as
the SCORM profile says, and one document of ours with the rest (``CMI``). Knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from adapters.lms.scorm import progress, statements
from adapters.lms.scorm.cmi import FINAL, Cmi, ScormCommit
from adapters.lms.scorm.statements import ScormAttempt
from adapters.lms.sessions.acts import satisfy_in, structure_of, unit_at
from adapters.lms.sessions.credentials import caller_of_session
from adapters.lms.sessions.own_statements import Statement
from adapters.lms.sessions.place import VERSION, LmsPlace
from adapters.lms.sessions.reach import trial_mark
from adapters.lms.sessions.session import (
    LaunchSession,
    Registration,
    agent_text,
    put_registration,
    put_session,
    registration_in,
    session_in,
)
from adapters.lms.sessions.standing import SessionStanding
from lrs.competency.seen import PACKAGE_TYPE
from lrs.kernel.durations import duration_of
from lrs.kernel.errors import Refused
from lrs.kernel.names import name
from lrs.kernel.times import timestamp_of_micros
from lrs.storage import ROWS, Reader, Tx
from lrs.xapi.documents import change
from lrs.xapi.documents.change import DocumentChange
from lrs.xapi.documents.concurrency import Conditions
from lrs.xapi.documents.content import small
from lrs.xapi.documents.resources import STATE, Address
from lrs.xapi.request import JSON
from lrs.xapi.statements.plan import KIND, Prepared
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.write import store_in

CMI = "https://engraft.invalid/scorm/cmi"
"""The State document with what the profile has no place for: status, score, objectives."""
MOST_ATTEMPTS = 100
WEIGHT = 20 * ROWS
_OVER = "This window is out of date: the course was opened again, or its launch is over. Close it, and open it again."


class KeptAttempt(msgspec.Struct, frozen=True):
    """The document ``CMI``: the last commit, and whether the attempt ended with it."""

    cmi: Cmi
    ended: bool = False


def last_attempt(reader: Reader, session: LaunchSession) -> tuple[str, KeptAttempt | None]:
    """The activity id of the attempt that *session* is part of, and what is kept of it.

    It is a new one in the mode Browse, before there is one, and after the last one ended with a result; the mode Review
    shows the last.
    """
    own = f"{session.activity}?attemptId={name('scorm-attempt', session.id)}"
    if session.mode == "Browse":
        return own, None
    found = _attempts(reader, session)
    kept = _kept(reader, session, found[-1]) if found else None
    if kept is None or found[-1] == own:
        return own, kept
    is_over = kept.ended and kept.cmi.status in FINAL and kept.cmi.left != "suspend"
    return (found[-1], kept) if session.mode == "Review" or not is_over else (own, None)


def commit_in(tx: Tx, place: LmsPlace, session: str, commit: ScormCommit) -> None:
    """Stores a *commit* of the content of *session*, and what follows. Refuses (409) where its session is over."""
    found = session_in(tx, session)
    if not found.is_open:
        raise Refused(_OVER, status=409, error="session_over")
    registration, now = registration_in(tx, found.registration), place.tenant.clock()
    structure = structure_of(tx, registration)
    unit = unit_at(structure, found.index)
    id, kept = last_attempt(tx, found)
    attempt = ScormAttempt(found, structure, unit, id, timestamp_of_micros(now))
    before = standing = SessionStanding(found, registration.unit(found.activity))
    cmi = _judged(commit, found, now)
    said = [] if found.initialized else [statements.begun(attempt, resumed=not id.endswith(_own(found)))]
    if cmi is not None:
        said += _said(attempt, before, commit, cmi, kept)
        standing = progress.after(before, cmi, now, ended=commit.ended)
        if found.mode == "Normal":
            _keep(tx, found, id, KeptAttempt(cmi, commit.ended))
    else:
        standing = SessionStanding(msgspec.structs.replace(found, last=now, initialized=now), before.progress)
    _store(tx, place, (found, registration), said)
    put_session(tx, standing.session)
    if standing.progress != before.progress:
        registration = registration.with_unit(found.activity, standing.progress)
        if standing.progress.satisfied and not before.progress.satisfied:
            registration = satisfy_in(tx, place, structure, registration, found.id)
        put_registration(tx, registration)
    if cmi is not None and commit.ended:
        _store(tx, place, (found, registration), [statements.ended(attempt, cmi, suspended=cmi.left == "suspend")])


def _own(session: LaunchSession) -> str:
    return name("scorm-attempt", session.id)


def _judged(commit: ScormCommit, session: LaunchSession, now: int) -> Cmi | None:
    """What was committed, judged by the pass mark; content that tells no time was there since it began."""
    if commit.cmi is None:
        return None
    cmi = progress.as_judged(commit.cmi, session.mastery_score, ended=commit.ended and not commit.gone)
    if commit.gone and not cmi.left:
        cmi = msgspec.structs.replace(cmi, left="suspend")
    if commit.ended and not cmi.session and session.initialized:
        cmi = msgspec.structs.replace(cmi, session=(now - session.initialized) / 1e6)
    return cmi


def _said(
    attempt: ScormAttempt, before: SessionStanding, commit: ScormCommit, cmi: Cmi, kept: KeptAttempt | None
) -> list[Statement]:
    is_counted = attempt.session.mode == "Normal"
    is_first = not attempt.session.initialized
    known = () if is_first or kept is None else kept.cmi.interactions
    said = list(statements.responded(attempt, cmi.interactions, known)) if is_counted else []
    if is_counted:
        ended = commit.ended and not commit.gone
        said += [statements.judged(attempt, verb, cmi) for verb in progress.news(cmi, before.progress, ended=ended)]
    if commit.ended and is_counted and cmi.comments:
        said.append(statements.commented(attempt, cmi.comments))
    return said


def _store(tx: Tx, place: LmsPlace, of: tuple[LaunchSession, Registration], said: Sequence[Statement]) -> None:
    """Stores the statements that are not there yet."""
    known = tx.get_many(KIND, [one["id"] for one in said])
    new = [one for one in said if one["id"] not in known]
    if new:
        terms = Terms(place.tenant.settings, place.subscriptions)
        caller, mark = caller_of_session(place.tenant, of[0]), trial_mark(*of)
        plan = prepare(caller, VERSION, msgspec.json.encode(new), terms)
        told = [msgspec.structs.replace(one, meta=one.meta | mark | _type_of(one, of[0])) for one in plan.statements]
        store_in(tx, msgspec.structs.replace(plan, statements=told))


def _type_of(said: Prepared, session: LaunchSession) -> dict[str, str]:
    """The mark with the type of the unit, for a statement about it: in SCORM all statements are made here."""
    target = said.tree["object"]
    return {PACKAGE_TYPE: target["definition"]["type"]} if target.get("id") == session.activity else {}


# -- State ------------------------------------------------------------------------------------------------------------


def _keep(tx: Tx, session: LaunchSession, id: str, kept: KeptAttempt) -> None:
    found = _attempts(tx, session)
    if id not in found:
        attempts = {"attempts": [*found, id][-MOST_ATTEMPTS:]}
        _put(tx, session, session.activity, statements.ACTIVITY_STATE, attempts)
    cmi = kept.cmi
    _put(tx, session, id, statements.ATTEMPT_STATE, _state(cmi, session))
    _put(tx, session, id, statements.SUSPEND_DATA, cmi.suspend_data)
    rest = msgspec.structs.replace(kept, cmi=msgspec.structs.replace(cmi, suspend_data=""))
    _put(tx, session, id, CMI, msgspec.to_builtins(rest))


def _state(cmi: Cmi, session: LaunchSession) -> dict[str, Any]:
    """The document ``attempt-state`` of the profile."""
    numbers = {"audio": "audio_level", "speed": "delivery_speed"}
    preferences: dict[str, Any] = {
        other: float(cmi.preferences[one])
        for one, other in numbers.items()
        if cmi.preferences.get(one, "").isascii() and cmi.preferences.get(one, "").isdigit()
    }
    told = {
        "credit": "credit",
        "mode": session.mode.lower(),
        "location": cmi.location,
        "preferences": preferences,
        "total_time": duration_of(round((cmi.total or cmi.session) * 1e6)),
    }
    return {name: value for name, value in told.items() if value not in ("", {})}


def _put(tx: Tx, session: LaunchSession, activity: str, document: str, told: object) -> None:
    text = told.encode() if isinstance(told, str) else msgspec.json.encode(told)
    content = small("text/plain" if isinstance(told, str) else JSON, text)
    address = _address(session, activity, document)
    change.put(tx, DocumentChange(address, Conditions(), VERSION, content, session.source))


def _attempts(reader: Reader, session: LaunchSession) -> list[str]:
    record = reader.get(STATE.kind, _address(session, session.activity, statements.ACTIVITY_STATE).id)
    try:
        told = msgspec.json.decode(record.body, type=dict[str, list[str]]) if record else {}
    except msgspec.DecodeError:  # whoever may write State may write this
        return []
    return told.get("attempts", [])


def _kept(reader: Reader, session: LaunchSession, id: str) -> KeptAttempt | None:
    record = reader.get(STATE.kind, _address(session, id, CMI).id)
    data = reader.get(STATE.kind, _address(session, id, statements.SUSPEND_DATA).id)
    try:
        kept = msgspec.json.decode(record.body, type=KeptAttempt) if record else None
        suspended = data.body.decode() if data else ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return (
        msgspec.structs.replace(kept, cmi=msgspec.structs.replace(kept.cmi, suspend_data=suspended)) if kept else None
    )


def _address(session: LaunchSession, activity: str, document: str) -> Address:
    return Address(STATE.kind, activity, agent_text(session.actor), session.registration, document)
