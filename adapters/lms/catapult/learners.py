"""Which registration a client's learner has, or gets."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from adapters.lms.courses import courses
from adapters.lms.courses.courses import Course
from adapters.lms.sessions.acts import checked_actor, enrol_in
from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.session import REGISTRATION, Registration, agent_text, registration_of
from lrs.kernel.errors import Refused
from lrs.storage import ROWS, Store, Tx
from lrs.xapi.statements.formats import is_uuid


class ClientDesk(msgspec.Struct, frozen=True):
    """Where a client is served: its number, and what it is called in the record of actions."""

    place: LmsPlace
    client: str
    by: str

    @property
    def store(self) -> Store:
        """The tenant's store."""
        return self.place.tenant.store

    def course(self, id: str) -> Course:
        """A course of the client. Refuses (404), also one that was withdrawn."""
        found = courses.course_in(self.store, id, self.client)
        if found.withdrawn:
            raise Refused(f"the course {id} was deleted: import it again", status=404, error="not_found")
        return found


def enrolled(desk: ClientDesk, course: Course, actor: Mapping[str, Any], code: str | None) -> Registration:
    """The registration with the UUID *code*, made if there is none; a new one without *code*.

    Refuses (409) a *code* that is that of another learner or course.
    """
    if code is not None and not is_uuid(code):
        raise Refused("reg must be a UUID", pointer="/reg")
    id = code.lower() if code else str(uuid.uuid4())
    decide = partial(_enrolled, desk=desk, course=course, actor=checked_actor(actor), names=(id, str(uuid.uuid4())))
    weight = 4 * ROWS
    return desk.store.write(decide, weight=weight).result()


def _enrolled(
    tx: Tx, *, desk: ClientDesk, course: Course, actor: dict[str, Any], names: tuple[str, str]
) -> Registration:
    id, session = names
    record = tx.get(REGISTRATION, id)
    if record is None:
        return enrol_in(tx, desk.place, course, actor, id=id, session=session)
    found = registration_of(record)
    if found.course != course.id or agent_text(found.actor) != agent_text(actor):
        raise Refused("this registration is of another learner or course", status=409, error="conflict")
    return found
