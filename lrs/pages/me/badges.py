"""A learner's own badges: what each of them says, and the files of it.

Knows no form of a badge: the application gives them as ``BadgeForm``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.storage import Reader, Record, Walk
from lrs.tenancy.tenants import Tenant
from lrs.web.late import Router

MOST = 100
STORED = "json"
"""The form of a badge's file if the address names none."""
_LONGEST = 120
_PLAIN = re.compile(r"[^\w .,-]+")


class BadgeForm(msgspec.Struct, frozen=True):
    """One form of a badge. *make* takes the tenant, the badge's id and its stored bytes."""

    media_type: str
    ending: str
    make: Callable[[Tenant, str, bytes], bytes]


BadgeForms = Mapping[str, BadgeForm]
"""The forms by name."""


class SharedBadge(msgspec.Struct, frozen=True):
    """A badge that its holder shows to whoever has the *address*, since *at* (microseconds UTC).

    *holder* is the name that is shown there, empty if none is.
    """

    id: str
    name: str
    address: str
    at: int
    holder: str


class GoneBadge(msgspec.Struct, frozen=True):
    """Why a badge does not count: the *reason* of whoever stopped it, and when (microseconds UTC).

    Without a reason its level is not held any more. *is_shared*: whoever has its address still sees that it was given;
    *has_code*: so does whoever has a certificate, by its code.
    """

    is_suspended: bool
    reason: str
    at: int
    is_shared: bool
    has_code: bool
    is_stopped: bool


class BadgesTold(msgspec.Struct, frozen=True):
    """What the application tells of badges: their *forms*; what the joined persons share; why some do not count.

    *shared* takes the address of this server's public pages, too; *gone* the ids of badges. *add_taking* adds the page
    on which a badge is taken, to a router. *of_award* gives the id of an award's badge.
    """

    forms: BadgeForms
    shared: Callable[[Tenant, Sequence[str], str], Sequence[SharedBadge]]
    gone: Callable[[Tenant, Sequence[str]], Mapping[str, GoneBadge]]
    add_taking: Callable[[Router], None]
    of_award: Callable[[str], str]


class _Level(msgspec.Struct, frozen=True):
    id: str = ""
    name: str = ""


class _Scale(msgspec.Struct, frozen=True, rename="camel"):
    required_level: str = ""
    rubric_criterion_level: tuple[_Level, ...] = ()


class _Achievement(msgspec.Struct, frozen=True, rename="camel"):
    id: str = ""
    name: str = ""
    description: str = ""
    result_description: tuple[_Scale, ...] = ()


class _Subject(msgspec.Struct, frozen=True):
    achievement: _Achievement = _Achievement()


class _Named(msgspec.Struct, frozen=True):
    name: str = ""


class _Credential(msgspec.Struct, frozen=True, rename="camel"):
    issuer: _Named | str = _Named()
    awarded_date: str = ""
    valid_from: str = ""
    valid_until: str = ""
    credential_subject: _Subject = _Subject()


_decode = msgspec.json.Decoder(_Credential).decode


class OwnBadge(msgspec.Struct, frozen=True):
    """What a badge says. *awarded*, *signed* and *until* are ISO 8601, or empty; *state* is that of its record.

    *level* is empty if the badge has none; *page* is the permanent address of what it stands for.
    """

    id: str
    name: str
    level: str
    description: str
    issuer: str
    awarded: str
    signed: str
    until: str
    page: str
    state: str


def of_members(reader: Reader, members: Sequence[str]) -> tuple[OwnBadge, ...]:
    """The newest badges of the joined persons *members*, newest first."""
    found = [
        record
        for member in members
        for record in reader.find(
            Walk("credential", [key("credential.person", member)], newest_first=True, limit=MOST)
        ).records
    ]
    return tuple(_read(record) for record in sorted(found, key=lambda one: (-one.seq, one.id))[:MOST])


def file_of(tenant: Tenant, members: Sequence[str], id: str, form: BadgeForm) -> tuple[bytes, str]:
    """The badge *id* in this form, and its ``Content-Disposition``.

    Raises ``Refused``: 404 unless it is a badge of *members*, 406 if it is not available in the form.
    """
    record = tenant.store.get("credential", id)
    if record is None or record.meta["person"] not in members:
        raise Refused("You have no such badge.", status=404, error="not_found")
    return form.make(tenant, id, record.body), saved_as(_read(record).name, form.ending)


def form_named(forms: BadgeForms, name: str) -> BadgeForm:
    """The form called *name*. Raises ``Refused`` (404)."""
    if name not in forms:
        raise Refused(f"A badge is to be had as {', '.join(forms)}.", status=404, error="not_found")
    return forms[name]


def saved_as(name: str, ending: str) -> str:
    """The ``Content-Disposition`` of a file that is called *name* (RFC 6266), in any script."""
    whole = " ".join(_PLAIN.sub(" ", name).split())[:_LONGEST].strip(" .") or "badge"
    plain = unicodedata.normalize("NFKD", whole).encode("ascii", "ignore").decode().strip() or "badge"
    return f"attachment; filename=\"{plain}{ending}\"; filename*=UTF-8''{quote(whole, safe='')}{ending}"


def _read(record: Record) -> OwnBadge:
    said = _decode(record.body)
    achievement = said.credential_subject.achievement
    scale = next(iter(achievement.result_description), _Scale())
    return OwnBadge(
        id=record.id,
        name=achievement.name,
        level=next((one.name for one in scale.rubric_criterion_level if one.id == scale.required_level), ""),
        description=achievement.description,
        issuer=said.issuer.name if isinstance(said.issuer, _Named) else "",
        awarded=said.awarded_date or said.valid_from,
        signed=said.valid_from,
        until=said.valid_until,
        page=achievement.id if achievement.id.startswith("https://") else "",
        state=str(record.meta["state"]),
    )
