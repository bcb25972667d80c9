"""Withdraws consents: those that hold, and those that wait for a guardian. Knows no page and no form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from lrs.kernel.keys import key
from lrs.matching.consent import consent, links
from lrs.matching.consent.consent import Subject
from lrs.matching.consent.links import REFUSED, WAITING, ConsentLink
from lrs.matching.services import PROFILES
from lrs.storage import Reader, Tx, each
from lrs.tenancy import audit


class Ended(NamedTuple):
    """A consent that a service had, or would have got from a guardian."""

    service: str
    scope: str


def withdraw(
    tx: Tx, subjects: Sequence[Subject], *, by: str, service: str | None = None, scope: str | None = None
) -> list[Ended]:
    """Withdraws as ``consent.withdraw``, also from links that wait for a guardian. Gives what ended now."""
    gone = [
        Ended(one.service, one.scope) for one in consent.withdraw(tx, subjects, by=by, service=service, scope=scope)
    ]
    asked = [link for link in waiting_of(tx, subjects) if service in {None, link.service}]
    return list(dict.fromkeys([*gone, *(one for link in asked for one in _take_from(tx, link, scope, by))]))


def waiting_of(reader: Reader, subjects: Sequence[Subject]) -> list[ConsentLink]:
    """The links that wait for a guardian: about *subjects*, or answered by them while signed in."""
    state = key("consent-link.state", WAITING)
    found = [record for subject in subjects for record in each(reader, links.KIND, key(*subject.parts), state)]
    bodies = {record.id: record.body for record in found}
    return [msgspec.json.decode(body, type=ConsentLink) for body in bodies.values()]


def _take_from(tx: Tx, link: ConsentLink, scope: str | None, by: str) -> list[Ended]:
    """Removes *scope* from what *link* would give. With ``profiles:read``, or without a scope, the link is closed."""
    is_whole = scope in {None, PROFILES}
    gone = [one for one in link.agreed if is_whole or one == scope]
    if gone:
        kept = tuple(one for one in link.agreed if one not in gone)
        links.put(tx, msgspec.structs.replace(link, agreed=kept or link.agreed, state=WAITING if kept else REFUSED))
        kind, id = link.subject.parts
        audit.append(tx, by, "consent.taken-back", {kind: id, "service": link.service, "link": link.id})
    return [Ended(link.service, one) for one in gone]
