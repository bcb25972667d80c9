"""Keys of the installation's operators, who belong to no tenant: made, checked, revoked. Kept in the register.

They open what is the installation's, ``/metrics`` and what ``/health`` tells of each tenant, and no tenant's data.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

import msgspec

from lrs.access import ALL, OPERATOR, Caller
from lrs.access.keys import NAME, NewKey
from lrs.kernel.errors import Misconfigured
from lrs.storage import Record, Tx, pages
from lrs.storage.kinds import Kind
from lrs.tenancy.control import Control

KIND = "operator-key"
PREFIX = "_operator."
"""What these keys begin with, and no tenant's id can."""
RIGHTS = {"metrics.read": ALL}


class _Kept(msgspec.Struct, frozen=True):
    name: str
    hash: str
    created: int
    revoked: int | None = None
    v: int = 1


_decoder = msgspec.json.Decoder(_Kept)
_NOBODY = _Kept("", "00" * 32, 0)
"""Read in the place of a key that is not there, so that it takes as long."""


def create_operator_key(control: Control, name: str) -> NewKey:
    """Makes a key for the operator *name*. Raises ``Misconfigured`` for an unusable name."""
    if not NAME.fullmatch(name):
        raise Misconfigured(f"key name {name!r}: use 1 to 80 letters, digits, spaces, dots, hyphens, underscores")
    new = NewKey(f"{PREFIX}{secrets.token_hex(8)}", secrets.token_urlsafe(32))
    body = msgspec.json.encode(_Kept(name, _hash(new.secret), control.clock()))
    control.store.write(lambda tx: tx.insert(Record(KIND, new.key, body))).result()
    return new


def revoke_operator_key(control: Control, key: str) -> bool:
    """Takes *key* out of use at once, in every process; ``False`` if there is no such key."""
    now = control.clock()

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
    found = [(record.id, _decoder.decode(record.body)) for record in pages(control.store, KIND)]
    return [{"id": id, "name": kept.name, "state": "revoked" if kept.revoked else "active"} for id, kept in found]


def check_operator_key(control: Control, key: str, secret: str) -> Caller | None:
    """The operator behind *key*, or ``None``; an unknown key takes as long as a wrong secret."""
    record = control.store.get(KIND, key)
    kept = _decoder.decode(record.body) if record else _NOBODY
    is_right = hmac.compare_digest(_hash(secret).encode(), kept.hash.encode())
    if not is_right or record is None or kept.revoked is not None:
        return None
    return Caller(f"operator {key}", "", b"", RIGHTS, "", OPERATOR)


def _hash(secret: str) -> str:
    # The secret has 256 random bits, so one hash is enough; a slow one is for what people think up.
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


KINDS = (Kind(KIND, "fact", _Kept, 1, subjects=None, retention="configuration", exported=False),)
