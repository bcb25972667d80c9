"""The operators of the installation, who belong to no tenant: their keys, and how the first of them comes in.

Keys give access to ``/metrics`` and to what ``/health`` tells of each tenant. People sign in to the pages under
``/operator``; they are members (``lrs.access.staff``) of the installation, with the role ``operator``. Neither reaches
any tenant's data. All of it is in the control store, with a record of actions of its own.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

import msgspec

from lrs.access import ALL, Caller, staff
from lrs.access import OPERATOR as BY_KEY
from lrs.access.keys import NAME, NewKey
from lrs.access.roles import OPERATOR, Granted
from lrs.access.staff import ACTIVE, INVITED, Member
from lrs.access.staff_acts import Invitation, linked
from lrs.kernel.errors import Misconfigured
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.control import Control
from lrs.tenancy.tenants import Tenant

KIND = "operator-key"
PREFIX = "_operator."
"""Operators' keys begin with this. The id of a tenant cannot."""
RIGHTS = {"metrics.read": ALL}
ROLE = (Granted(OPERATOR),)
"""What everybody is who is let in as an operator."""


class _Kept(msgspec.Struct, frozen=True):
    name: str
    hash: str
    created: int
    revoked: int | None = None
    v: int = 1


_decoder = msgspec.json.Decoder(_Kept)
_NOBODY = _Kept("", "00" * 32, 0)
"""Checked instead of a key that does not exist, so that both take equally long."""


def create_operator_key(installation: Tenant, name: str, *, by: str = BY_COMMAND) -> NewKey:
    """Makes a key for the operator *name*. Raises ``Misconfigured`` for an unusable name."""
    if not NAME.fullmatch(name):
        raise Misconfigured(f"key name {name!r}: use 1 to 80 letters, digits, spaces, dots, hyphens, underscores")
    new = NewKey(f"{PREFIX}{secrets.token_hex(8)}", secrets.token_urlsafe(32))
    body = msgspec.json.encode(_Kept(name, _hash(new.secret), installation.clock()))

    def decide(tx: Tx) -> None:
        tx.insert(Record(KIND, new.key, body))
        audit.append(tx, by, "operator-key.created", {"key": new.key})

    installation.store.write(decide).result()
    return new


def revoke_operator_key(installation: Tenant, key: str, *, by: str = BY_COMMAND) -> bool:
    """Revokes *key* at once, in every process; ``False`` if there is no such key."""
    now = installation.clock()

    def decide(tx: Tx) -> bool:
        record = tx.get(KIND, key)
        if record is None:
            return False
        kept = _decoder.decode(record.body)
        if kept.revoked is None:
            body = msgspec.json.encode(msgspec.structs.replace(kept, revoked=now))
            tx.replace(msgspec.structs.replace(record, body=body))
            audit.append(tx, by, "operator-key.revoked", {"key": key})
        return True

    return installation.store.write(decide).result()


def list_operator_keys(reader: Reader) -> list[dict[str, str]]:
    """Every key without its hash, oldest first."""
    found = [(record.id, _decoder.decode(record.body)) for record in each(reader, KIND)]
    return [{"id": id, "name": kept.name, "state": "revoked" if kept.revoked else "active"} for id, kept in found]


def check_operator_key(control: Control, key: str, secret: str) -> Caller | None:
    """The operator with *key* and *secret*, or ``None``. An unknown key takes as long as a wrong secret."""
    record = control.store.get(KIND, key)
    kept = _decoder.decode(record.body) if record else _NOBODY
    is_right = hmac.compare_digest(_hash(secret).encode(), kept.hash.encode())
    if not is_right or record is None or kept.revoked is not None:
        return None
    return Caller(f"operator {key}", "", b"", RIGHTS, "", BY_KEY)


def first_link(installation: Tenant, root: str) -> Invitation | None:
    """A link by which the first operator comes in, and says who they are; ``None`` once somebody has come.

    *root* is the address of the operator's pages. A link from before ends.
    """

    def decide(tx: Tx) -> Invitation | None:
        known = staff.everyone(tx)
        if any(one.state == ACTIVE for _, one in known):
            return None
        id = next((id for id, one in known if one.state == INVITED and not one.email), "")
        if not id:
            id = secrets.token_hex(8)
            staff.put(tx, id, Member("", installation.clock(), roles=ROLE))
            audit.append(tx, BY_COMMAND, "staff.invited", {"staff": id, "roles": OPERATOR})
        return linked(tx, installation, "staff-invitation", id, "", root)

    return installation.store.write(decide).result()


def _hash(secret: str) -> str:
    # The secret has 256 random bits, so one hash is enough; slow hashes are for passwords that people choose.
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


KINDS = (Kind(KIND, "fact", _Kept, 1, subjects=None, retention="configuration", exported=False),)
