"""Keys of the installation's operators, who belong to no tenant: made, checked, revoked. Kept in the control store.

They give access to ``/metrics`` and to what ``/health`` tells of each tenant, and to no tenant's data. What is done
with them stands in the record of actions of the default tenant, which every installation has. That is another store:
the entry comes first, as for changes of tenants (``lrs.tenancy.states``).
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

import msgspec

from lrs.access import ALL, OPERATOR, Caller
from lrs.access.keys import NAME, NewKey
from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.storage import Record, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy.control import Control
from lrs.tenancy.states import put_down
from lrs.tenancy.tenants import DEFAULT

KIND = "operator-key"
PREFIX = "_operator."
"""Operators' keys begin with this. The id of a tenant cannot."""
RIGHTS = {"metrics.read": ALL}


class _Kept(msgspec.Struct, frozen=True):
    name: str
    hash: str
    created: int
    revoked: int | None = None
    v: int = 1


_decoder = msgspec.json.Decoder(_Kept)
_NOBODY = _Kept("", "00" * 32, 0)
"""Checked instead of a key that does not exist, so that both take equally long."""


def create_operator_key(settings: Settings, control: Control, name: str) -> NewKey:
    """Makes a key for the operator *name*. Raises ``Misconfigured`` for an unusable name."""
    if not NAME.fullmatch(name):
        raise Misconfigured(f"key name {name!r}: use 1 to 80 letters, digits, spaces, dots, hyphens, underscores")
    new = NewKey(f"{PREFIX}{secrets.token_hex(8)}", secrets.token_urlsafe(32))
    body = msgspec.json.encode(_Kept(name, _hash(new.secret), control.clock()))
    put_down(settings, DEFAULT, "operator-key.created", {"key": new.key})
    control.store.write(lambda tx: tx.insert(Record(KIND, new.key, body))).result()
    return new


def revoke_operator_key(settings: Settings, control: Control, key: str) -> bool:
    """Revokes *key* at once, in every process; ``False`` if there is no such key."""
    now = control.clock()
    record = control.store.get(KIND, key)
    if record is not None and _decoder.decode(record.body).revoked is None:
        put_down(settings, DEFAULT, "operator-key.revoked", {"key": key})

    def decide(tx: Tx) -> bool:
        record = tx.get(KIND, key)
        if record is None:
            return False
        kept = _decoder.decode(record.body)
        if kept.revoked is None:
            body = msgspec.json.encode(msgspec.structs.replace(kept, revoked=now))
            tx.replace(msgspec.structs.replace(record, body=body))
        return True

    return control.store.write(decide).result()


def list_operator_keys(control: Control) -> list[dict[str, str]]:
    """Every key without its hash, oldest first."""
    found = [(record.id, _decoder.decode(record.body)) for record in each(control.store, KIND)]
    return [{"id": id, "name": kept.name, "state": "revoked" if kept.revoked else "active"} for id, kept in found]


def check_operator_key(control: Control, key: str, secret: str) -> Caller | None:
    """The operator with *key* and *secret*, or ``None``. An unknown key takes as long as a wrong secret."""
    record = control.store.get(KIND, key)
    kept = _decoder.decode(record.body) if record else _NOBODY
    is_right = hmac.compare_digest(_hash(secret).encode(), kept.hash.encode())
    if not is_right or record is None or kept.revoked is not None:
        return None
    return Caller(f"operator {key}", "", b"", RIGHTS, "", OPERATOR)


def _hash(secret: str) -> str:
    # The secret has 256 random bits, so one hash is enough; slow hashes are for passwords that people choose.
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


KINDS = (Kind(KIND, "fact", _Kept, 1, subjects=None, retention="configuration", exported=False),)
