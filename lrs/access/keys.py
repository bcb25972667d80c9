"""API keys: made, checked, revoked. The secret is shown once and stored as a keyed hash. Knows no HTTP."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec

from lrs.access import CODES_SOURCE, KEY, OWN_SOURCE, PRIOR_SOURCE, RESULTS_SOURCE, Caller, is_of_content
from lrs.access.rights import SCOPES, rights_of_key
from lrs.access.sessions import end_sessions_of
from lrs.access.switches import switches_of
from lrs.kernel.errors import Misconfigured
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.pages import root_of_names
from lrs.tenancy.tenants import Tenant

KIND = "key"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,79}")
_NOBODY = msgspec.json.encode(
    {"v": 1, "name": "nobody", "scopes": ["all"], "hash": "00" * 32, "created": 1_795_000_000_000_000, "revoked": None}
)
"""Checked instead of a key that does not exist, so that both take equally long."""

FIRST_KEY = "first"
"""The source of the key that the first start makes: whoever runs the server, and no sender."""


class NewKey(msgspec.Struct, frozen=True):
    """A new key with its secret, which is shown only once."""

    key: str
    secret: str


class UnstoredKey(msgspec.Struct, frozen=True):
    """A new key that is not stored yet: as it is *shown* once, and its record, which has no secret."""

    shown: NewKey
    record: Record
    scopes: tuple[str, ...]


class KnownKey(msgspec.Struct, frozen=True):
    """A key without its secret. *source* is its name; *created* and *revoked* are microseconds UTC.

    *product* is what it was made for on our pages, if it was made there.
    """

    key: str
    source: str
    scopes: tuple[str, ...]
    created: int
    revoked: int | None
    product: str = ""


def create_key(tenant: Tenant, name: str, scopes: Iterable[str], *, by: str = BY_COMMAND, product: str = "") -> NewKey:
    """Makes a key as ``new_key`` does, and stores it in a commit of its own."""
    new = new_key(tenant, name, scopes, product=product)
    tenant.store.write(lambda tx: put_key(tx, new, by)).result()
    return new.shown


def new_key(
    tenant: Tenant, name: str, scopes: Iterable[str], *, product: str = "", reserved: bool = False
) -> UnstoredKey:
    """A key for the source *name*, for ``put_key``. Several keys may have the same source: one can replace another.

    *reserved*: the source is one of the product's own, whose statements the key reads. Raises ``Misconfigured`` for an
    unusable name or an unknown scope.
    """
    granted = sorted(set(scopes))
    if not reserved:
        check_source(name)
    if unknown := [scope for scope in granted if scope not in SCOPES]:
        raise Misconfigured(f"unknown scope {unknown[0]!r}: choose from {', '.join(sorted(SCOPES))}")
    if not granted:
        raise Misconfigured("a key without a scope can do nothing: name at least one")
    new = NewKey(f"{tenant.id}.{secrets.token_hex(8)}", secrets.token_urlsafe(32))
    body = msgspec.json.encode(
        {
            "v": 1,
            "name": name,
            "scopes": granted,
            "hash": _hash(tenant, new.secret).hex(),
            "created": tenant.clock(),
            "revoked": None,
            **({"product": product} if product else {}),
        }
    )
    return UnstoredKey(new, Record(KIND, new.key, body), tuple(granted))


def put_key(tx: Tx, new: UnstoredKey, by: str) -> None:
    """Stores *new*, and that *by* made it."""
    tx.insert(new.record)
    audit.append(tx, by, "key.created", {"key": new.shown.key, "scopes": " ".join(new.scopes)})


def check_source(name: str) -> None:
    """Raises ``Misconfigured`` if *name* cannot be the name of a source."""
    if not NAME.fullmatch(name):
        raise Misconfigured(f"key name {name!r}: use 1 to 80 letters, digits, spaces, dots, hyphens, underscores")
    if name.casefold() == OWN_SOURCE:
        raise Misconfigured(
            f"key name {name!r}: it stands for this store itself, whose statements never prove anything"
        )
    if name.casefold().startswith(RESULTS_SOURCE):
        raise Misconfigured(f"key name {name!r}: it stands for what learning platforms are told: see lrs lms results")
    if name.casefold() == CODES_SOURCE:
        raise Misconfigured(f"key name {name!r}: it stands for codes of events: see lrs badges codes")
    if is_of_content(name.casefold()):
        raise Misconfigured(f"key name {name!r}: it stands for courses that are launched here")
    if name.casefold() == PRIOR_SOURCE:
        raise Misconfigured(f"key name {name!r}: it stands for badges of others that learners brought along")


def revoke_key(tenant: Tenant, key: str, *, by: str = BY_COMMAND) -> bool:
    """Revokes *key*, in every process within a second, and ends the sessions that were opened with it.

    ``False`` if there is no such key.
    """
    now = tenant.clock()

    def decide(tx: Tx) -> bool:
        record = tx.get(KIND, key)
        if record is None:
            return False
        body = msgspec.json.decode(record.body)
        if not body["revoked"]:
            body["revoked"] = now
            tx.replace(msgspec.structs.replace(record, body=msgspec.json.encode(body)))
            end_sessions_of(tx, f"key {key}")
            audit.append(tx, by, "key.revoked", {"key": key})
        return True

    return tenant.store.write(decide).result()


def list_keys(reader: Reader) -> list[dict[str, Any]]:
    """Every key without its hash, oldest first, as commands show it."""
    return [
        {"key": one.key, "name": one.source, "scopes": list(one.scopes), "revoked": one.revoked}
        for one in known_keys(reader)
    ]


def known_keys(reader: Reader) -> list[KnownKey]:
    """Every key, oldest first."""
    return [_known(record) for record in each(reader, KIND)]


def find_key(reader: Reader, key: str) -> KnownKey | None:
    """The key, also one that was revoked; ``None`` if there is none."""
    record = reader.get(KIND, key)
    return _known(record) if record else None


def _known(record: Record) -> KnownKey:
    body = msgspec.json.decode(record.body)
    return KnownKey(
        record.id, body["name"], tuple(body["scopes"]), body["created"], body["revoked"], body.get("product", "")
    )


def check_key(tenant: Tenant, key: str, secret: str) -> Caller | None:
    """The caller with *key* and *secret*, or ``None``. An unknown key takes as long as a wrong secret."""
    record = tenant.store.get(KIND, key)
    body: dict[str, Any] = msgspec.json.decode(record.body if record else _NOBODY)
    right = hmac.compare_digest(_hash(tenant, secret), bytes.fromhex(body["hash"]))
    return _caller(tenant, key, body) if right and record else None


def active_key(tenant: Tenant, key: str) -> Caller | None:
    """The caller with *key*, whose secret was checked before; ``None`` if the key is revoked."""
    record = tenant.store.get(KIND, key)
    return _caller(tenant, key, msgspec.json.decode(record.body)) if record else None


def _caller(tenant: Tenant, key: str, body: dict[str, Any]) -> Caller | None:
    if body["revoked"]:
        return None
    authority = authority_of(tenant, key, body["name"])
    rights, on = rights_of_key(body["scopes"]), switches_of(tenant.store, body["name"])
    return Caller(f"key {key}", body["name"], authority, rights, tenant.id, KEY, switches=on)


def _hash(tenant: Tenant, secret: str) -> bytes:
    # The secret has 256 random bits, so one keyed hash is enough; slow hashes are for passwords that people choose.
    return hmac.digest(tenant.secret("api-key"), secret.encode("utf-8", "surrogatepass"), sha256)


def authority_of(tenant: Tenant, key: str, name: str) -> bytes:
    """The agent (JSON) that statements sent with *key* get as their authority; *name* is its source."""
    home = root_of_names(tenant.settings, tenant.id)
    agent = {"objectType": "Agent", "name": name, "account": {"homePage": home, "name": key}}
    return msgspec.json.encode(agent)


KINDS = (Kind(KIND, "fact", version=1, subjects=None, retention="configuration", exported=False),)
"""Keys are not exported: the hash of a secret is keyed with this installation's own secret."""
