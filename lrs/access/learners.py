"""Accounts of learners: which person somebody sees who signs in with an address or at a sign-in provider.

Records: ``learner-account`` (id: that of a person). A learner has no password. What makes an account is told by
``lrs.people.sign_in``: this module knows no identifier and no rule of joins.
"""

from __future__ import annotations

import msgspec

from lrs.access import SESSION, Caller, sessions
from lrs.access.roles import LEARNER, Granted, rights_of_roles
from lrs.access.staff import Login
from lrs.kernel.keys import key
from lrs.kernel.names import mailbox_name
from lrs.storage import Reader, Record, Tx, Walk
from lrs.storage.about import by_ids
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy import audit

KIND = "learner-account"
SUBJECT = "learner "
"""How the subject of a learner's session begins; the id of the person follows."""


class LearnerAccount(msgspec.Struct, frozen=True):
    """What a learner signs in with: mailboxes that were proven, and accounts at sign-in providers."""

    addresses: tuple[str, ...] = ()
    logins: tuple[Login, ...] = ()
    v: int = 1

    @property
    def comes_back(self) -> bool:
        """Whether its learner can sign in again without a new invitation."""
        return bool(self.addresses or self.logins)


_decoder = msgspec.json.Decoder(LearnerAccount)


def account_of(reader: Reader, person: str) -> LearnerAccount | None:
    """The account of *person*."""
    record = reader.get(KIND, person)
    return _decoder.decode(record.body) if record else None


def person_with_address(reader: Reader, address: str) -> str | None:
    """The person who signs in with this mailbox, in whatever case it is written."""
    return _first(reader, key("learner.address", address.strip().casefold()))


def person_with_login(reader: Reader, login: Login) -> str | None:
    """The person who signs in with this account at a provider."""
    return _first(reader, key("learner.login", login.issuer, login.sub))


def open_account(tx: Tx, person: str, *, address: str = "", login: Login | None = None, by: str) -> bool:
    """Lets *person* sign in with *address* or *login* from this commit on.

    ``False``, and nothing is changed, if somebody else signs in with it.
    """
    taken = [person_with_address(tx, address)] if address else []
    taken += [person_with_login(tx, login)] if login else []
    if any(one not in {None, person} for one in taken):
        return False
    record = tx.get(KIND, person)
    before = _decoder.decode(record.body) if record else LearnerAccount()
    known = {one.casefold() for one in before.addresses}
    addresses = before.addresses if not address or address.casefold() in known else (*before.addresses, address)
    logins = before.logins if login is None or login in before.logins else (*before.logins, login)
    now = LearnerAccount(addresses, logins)
    if record is None or now != before:
        _put(tx, person, now, record)
        audit.append(tx, by, "learner.account", {"person": person})
    return True


def close_account(tx: Tx, person: str, *, by: str) -> bool:
    """Lets *person* sign in no more, and ends their sessions. ``False`` if there was no account."""
    if not tx.delete(KIND, person):
        return False
    sessions.end_sessions_of(tx, SUBJECT + person)
    audit.append(tx, by, "learner.account-closed", {"person": person})
    return True


def caller_of(reader: Reader, person: str, tenant: str) -> Caller | None:
    """The learner *person* as a caller; ``None`` without an account."""
    if account_of(reader, person) is None:
        return None
    rights, _ = rights_of_roles((Granted(LEARNER),))
    own = dict.fromkeys(rights, frozenset({person}))
    return Caller(SUBJECT + person, "", b"", rights, tenant, SESSION, person=person, own=own)


def _put(tx: Tx, person: str, now: LearnerAccount, record: Record | None) -> None:
    keys = [key("learner.address", one.casefold()) for one in now.addresses]
    keys += [key("learner.login", one.issuer, one.sub) for one in now.logins]
    body = msgspec.json.encode(now)
    if record is None:
        tx.insert(Record(KIND, person, body, keys=tuple(keys)))
    else:
        tx.replace(msgspec.structs.replace(record, body=body, keys=tuple(keys)))


def _first(reader: Reader, index: int) -> str | None:
    found = reader.find(Walk(KIND, [index], limit=1)).records
    return found[0].id if found else None


def _about(record: Record) -> Subjects:
    kept = _decoder.decode(record.body)
    return subjects(persons=[record.id], identifiers=[mailbox_name(f"mailto:{one}") for one in kept.addresses])


KINDS = (
    Kind(
        KIND,
        "fact",
        LearnerAccount,
        1,
        subjects=_about,
        retention="configuration",
        exported=True,
        find=by_ids(KIND),
    ),
)
