"""Which checklists wait for the second signature of somebody. Reads; changes nothing."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from adapters.training_centre import attendees, centre_sessions
from adapters.training_centre.centre_sessions import CentreSession
from adapters.training_centre.day import known_checklist, marker_of
from adapters.training_centre.marking import may_be_signed
from lrs.access import Caller
from lrs.storage import Reader

SESSIONS = 200
"""The newest sessions of somebody's centres that are looked at."""


class Unsigned(msgspec.Struct, frozen=True):
    """A *session*, and how *many* checklists of it somebody can sign as the second."""

    session: CentreSession
    many: int


def unsigned(reader: Reader, caller: Caller, centres: Collection[str] | None) -> list[Unsigned]:
    """What waits for the second signature of *caller*, who marked no step of it, in sessions of *centres* or of all."""
    found = []
    for session in centre_sessions.of_centres(reader, centres, SESSIONS):
        known = known_checklist(reader, session) if session.state != "cancelled" else None
        if known and known.content.signatures > 1:
            by = marker_of(reader, caller, session.centre)
            people = [one for _, one in attendees.of_session(reader, session.id).values() if one.is_expected]
            tries = ((one, attempt) for one in people for attempt in range(1, one.attempts + 1))
            many = sum(may_be_signed(one, attempt, by, known) for one, attempt in tries)
            if many:
                found.append(Unsigned(session, many))
    return found
