"""Who works at a centre's sessions: which centres they reach, and who they are in statements. Knows no mark."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from adapters.reading.people import Ifi, mailbox
from adapters.reading.vocabulary import iri
from adapters.training_centre import centre_sessions, checklists
from adapters.training_centre.centre_sessions import CentreSession, Marker, PinnedChecklist
from adapters.training_centre.checklists import ChecklistVersion
from lrs.access import Caller, staff
from lrs.kernel.errors import Refused
from lrs.storage import Reader, Record
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.subscriptions import Subscriptions

RUN, SIGN, READ = "sessions.run", "sessions.sign", "sessions.read"


class CentreDay(msgspec.Struct, frozen=True):
    """Where somebody works: the *tenant*, who they are in statements, and the *centres* they reach (``None``: all)."""

    tenant: Tenant
    subscriptions: Subscriptions
    marker: Marker
    centres: frozenset[str] | None

    def session(self, reader: Reader, id: str) -> tuple[Record, CentreSession]:
        """A session within reach. Raises ``Refused`` (404)."""
        return centre_sessions.found(reader, id, self.centres)


def marker_of(reader: Reader, caller: Caller, centre: str) -> Marker:
    """*caller* in statements: by their address, as the files of centres name staff, or as the centre's own account."""
    member = staff.member(reader, caller.subject.removeprefix(staff.SUBJECT))
    if member is not None and member.email:
        return Marker(mailbox(member.email.lower()), member.name or member.email, caller.subject)
    name = caller.name or caller.subject
    return Marker(Ifi(iri("providers", centre or "staff"), caller.subject), name, caller.subject)


def known_checklist(reader: Reader, session: CentreSession) -> ChecklistVersion | None:
    """The version of the checklist with which *session* works."""
    pinned = session.checklist
    return checklists.version_in(reader, pinned.record, pinned.version) if pinned else None


def pinned(known: ChecklistVersion) -> PinnedChecklist:
    """*known* as a session keeps it."""
    return PinnedChecklist(known.content.record, known.content.id, known.number)


def reach(caller: Caller, right: str = READ) -> frozenset[str] | None:
    """The centres whose sessions *caller* may use *right* on; ``None`` for all."""
    return None if caller.may_all(right) else caller.owned(right)


def centre_of(caller: Caller, asked: str, known: Iterable[str]) -> str:
    """The centre for which *caller* makes something, who *asked* for it. Raises ``Refused`` (400, 403)."""
    own = reach(caller, RUN)
    if own is not None and len(own) == 1 and not asked:
        return next(iter(own))
    if own is not None and asked not in own:
        raise Refused("You may run sessions of your own centre only.", status=403, error="forbidden")
    if not asked:
        there = ", ".join(sorted(known)) or "none yet"
        raise Refused(f"Say for which centre it is. Known are: {there}.", error="bad_provider")
    return asked
