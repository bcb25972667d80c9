"""Members of staff: the record of one, and how it is found. Who changes it stands in ``lrs.access.staff_acts``.

Records: ``staff`` (id: made up), found by its mailbox and by its accounts at sign-in providers. Knows no session.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from lrs.access import SESSION, Caller
from lrs.access.roles import ADMINISTRATOR, Granted, rights_of_roles
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import mailbox_name
from lrs.kernel.plain_text import hidden_character
from lrs.storage import Reader, Record, Tx, Walk, each
from lrs.storage.about import Whose, by_keys, without
from lrs.storage.kinds import Kind, Subjects, subjects

KIND = "staff"
SUBJECT = "staff "
"""How the subject of a member's session begins; the id follows."""
LONGEST_NAME = 300
LONGEST_EMAIL = 254
"""Characters of a mailbox (RFC 5321 4.5.3.1.3, without the angle brackets)."""
State = Literal["invited", "withdrawn", "active", "disabled"]
"""``withdrawn``: invited, and shut out before they came."""
INVITED: State = "invited"
ACTIVE: State = "active"
DISABLED: State = "disabled"
WITHDRAWN: State = "withdrawn"


class Login(msgspec.Struct, frozen=True, order=True):
    """An account at a sign-in provider: OpenID Connect Core 2, ``iss`` and ``sub``."""

    issuer: str
    sub: str


class Member(msgspec.Struct, frozen=True):
    """A member of staff. Times are microseconds UTC.

    *email* is empty where a provider told none. *roles* were given by hand, *by_group* follow from the groups that a
    sign-in provider told last. *password* is what ``passwords`` keeps of it, *factor* the hidden secret of the second
    factor, *factor_used* the counter of the last code, *recovery* the digests of recovery codes.
    """

    email: str
    created: int
    name: str = ""
    roles: tuple[Granted, ...] = ()
    by_group: tuple[Granted, ...] = ()
    state: State = INVITED
    password: str | None = None
    factor: str | None = None
    factor_used: int = 0
    recovery: tuple[str, ...] = ()
    logins: tuple[Login, ...] = ()
    v: int = 1

    @property
    def all_roles(self) -> tuple[Granted, ...]:
        """Those that hold, whoever gave them."""
        return tuple(dict.fromkeys((*self.roles, *self.by_group)))

    @property
    def cannot_return(self) -> bool:
        """Whether there is neither a password nor a provider: somebody came in by a link that works once."""
        return self.password is None and not self.logins

    @property
    def is_shut_out(self) -> bool:
        """Whether no link and no provider lets this member in."""
        return self.state in {DISABLED, WITHDRAWN}

    @property
    def is_administrator(self) -> bool:
        """Whether this member can let others in."""
        return self.state == ACTIVE and any(one.role == ADMINISTRATOR for one in self.all_roles)


_decoder = msgspec.json.Decoder(Member)


def member_of(record: Record) -> Member:
    """The member in a ``staff`` record."""
    return _decoder.decode(record.body)


def member(reader: Reader, id: str) -> Member | None:
    """The member with this *id*."""
    record = reader.get(KIND, id)
    return member_of(record) if record else None


def called(reader: Reader, subject: str) -> str:
    """What people call who did something, by the *subject* in the record of actions: a member's name or address."""
    found = member(reader, subject.removeprefix(SUBJECT)) if subject.startswith(SUBJECT) else None
    return (found.name or found.email) if found else subject


def existing(reader: Reader, id: str) -> tuple[Record, Member]:
    """The record of the member with this *id*. Raises ``Refused`` (404)."""
    record = reader.get(KIND, id)
    if record is None:
        raise Refused("There is no such member of staff.", status=404, error="not_found")
    return record, member_of(record)


def everyone(reader: Reader) -> list[tuple[str, Member]]:
    """All members with their ids, oldest first."""
    return [(record.id, member_of(record)) for record in each(reader, KIND)]


def with_email(reader: Reader, email: str) -> Record | None:
    """The member with this mailbox, in whatever case it is written."""
    return _first(reader, _email_key(email))


def with_login(reader: Reader, login: Login) -> Record | None:
    """The member with this account at a sign-in provider."""
    return _first(reader, key("staff.login", login.issuer, login.sub))


def named(reader: Reader, text: str) -> Record | None:
    """The member that *text* names: an id or a mailbox."""
    return reader.get(KIND, text) or with_email(reader, text)


def put(tx: Tx, id: str, now: Member, record: Record | None = None) -> None:
    """Writes the member; *record* is the one that was read."""
    keys = [key("staff.login", one.issuer, one.sub) for one in now.logins]
    keys += [_email_key(now.email)] if now.email else []
    body = msgspec.json.encode(now)
    if record is None:
        tx.insert(Record(KIND, id, body, keys=tuple(keys)))
    else:
        tx.replace(msgspec.structs.replace(record, body=body, keys=tuple(keys)))


def caller_of(reader: Reader, id: str, tenant: str) -> Caller | None:
    """The member *id* as a caller; ``None`` unless active."""
    found = member(reader, id)
    if found is None or found.state != ACTIVE:
        return None
    rights, own = rights_of_roles(found.all_roles)
    return Caller(SUBJECT + id, "", b"", rights, tenant, SESSION, name=found.name or found.email, own=own)


def accepted_name(text: str) -> str:
    """*text* as the name of a person. Raises ``Refused`` (400)."""
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or hidden_character(name):
        raise Refused(f"Write a name of 1 to {LONGEST_NAME} characters.")
    return name


def other_administrators(reader: Reader, id: str) -> bool:
    """Whether somebody else than the member *id* can let others in."""
    return any(one.is_administrator for other, one in everyone(reader) if other != id)


def _email_key(email: str) -> int:
    return key("staff.email", email.strip().casefold())


def _first(reader: Reader, index: int) -> Record | None:
    return next(iter(reader.find(Walk(KIND, [index], limit=1)).records), None)


def _about(record: Record) -> Subjects:
    email = member_of(record).email
    return subjects(identifiers=[mailbox_name(f"mailto:{email}")] if email else ())


def roles_shown(roles: Iterable[Granted]) -> list[str]:
    """*roles* as commands and lists write them."""
    return [str(one) for one in roles]


def _keys(whose: Whose) -> Iterable[int]:
    return (_email_key(agent["mbox"].removeprefix("mailto:")) for agent in whose.agents if "mbox" in agent)


KINDS = (
    Kind(
        KIND,
        "fact",
        Member,
        1,
        subjects=_about,
        retention="configuration",
        exported=False,
        find=by_keys(KIND, _keys),
        shown=without("password", "factor", "factor_used", "recovery"),
    ),
)
"""Members are not exported: what is kept of their passwords and second factors is for this installation alone."""
