"""The keys with which the tool signs what it sends to platforms, and their rotation. Knows no platform.

There are two: one signs, and the next one is already published, so that a platform that keeps our keys for a day knows
it when it begins to sign. A key that was replaced stays published for ``AFTER``. Records: ``lti-key`` (id: the ``kid``;
the private key is hidden by a secret of the tenant). Source: 1EdTech Security Framework 1.1, 6.3.
"""

from __future__ import annotations

import secrets
from typing import Any, Literal, cast

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.jwk import RSAKey

from lrs.kernel.errors import Refused
from lrs.kernel.sealed import NotOurs, hide, reveal
from lrs.kernel.times import DAY
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND = "lti-key"
ALGORITHM = "RS256"
BITS = 2_048
AFTER = 30 * DAY
"""Microseconds for which a key that signs no more stays published."""


class LtiKey(msgspec.Struct, frozen=True):
    """A key: *public* is its JWK, *private* its PEM, hidden. *ended* is when it was replaced (microseconds UTC)."""

    state: Literal["next", "signing", "ended"]
    public: dict[str, Any]
    private: str
    created: int
    ended: int = 0
    v: int = 1


_decoder = msgspec.json.Decoder(LtiKey)


def published(reader: Reader, now: int) -> list[dict[str, Any]]:
    """The public keys as JWKs, each with ``kid`` and ``alg``."""
    found = (_decoder.decode(record.body) for record in each(reader, KIND))
    return [one.public for one in found if one.state != "ended" or now < one.ended + AFTER]


def ensure(tenant: Tenant) -> None:
    """Makes the first two keys, if there are none. It takes a tenth of a second, so it is not done in a commit."""
    if next(iter(each(tenant.store, KIND)), None) is not None:
        return
    made = [_make(tenant, state) for state in ("signing", "next")]

    def decide(tx: Tx) -> None:
        if next(iter(each(tx, KIND)), None) is None:
            for record in made:
                tx.insert(record)

    tenant.store.write(decide).result()


def rotate(tenant: Tenant, *, by: str) -> str:
    """The next key signs from now on, and another one is published after it. Gives the ``kid`` that signs."""
    ensure(tenant)
    made = _make(tenant, "next")

    def decide(tx: Tx) -> str:
        now, signing = tenant.clock(), ""
        for record in list(each(tx, KIND)):
            one = _decoder.decode(record.body)
            if one.state == "ended" and now >= one.ended + AFTER:
                tx.delete(KIND, record.id)
            elif one.state == "signing":
                _put(tx, record, msgspec.structs.replace(one, state="ended", ended=now))
            elif one.state == "next":
                _put(tx, record, msgspec.structs.replace(one, state="signing"))
                signing = record.id
        tx.insert(made)
        audit.append(tx, by, "lti-key.rotated", {"key": signing})
        return signing

    return tenant.store.write(decide).result()


def sign(tenant: Tenant, claims: dict[str, Any]) -> str:
    """*claims* as a JWT, signed by the key that signs now. Raises ``Refused`` (503) if it cannot be read."""
    for record in each(tenant.store, KIND):
        one = _decoder.decode(record.body)
        if one.state == "signing":
            header = {"alg": ALGORITHM, "kid": record.id, "typ": "JWT"}
            return jwt.encode(header, claims, _read(_private(tenant, record.id, one)))
    raise Refused("There is no key to sign with yet: register a platform first.", status=503, error="unavailable")


def _private(tenant: Tenant, kid: str, one: LtiKey) -> str:
    try:
        named, pem = reveal(_secret(tenant), one.private, tuple[str, str])
    except NotOurs:
        named, pem = "", ""
    if named != kid:
        message = "The key of this tool was kept by another installation: lrs lms rotate makes a new one."
        raise Refused(message, status=503, error="unavailable")
    return pem


def _read(pem: str) -> RSAKey:
    """The key in *pem*, which this tool made and hid: that its numbers fit together, 60 ms of CPU, is not tried."""
    private = cast("RSAPrivateKey", load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True))
    return RSAKey(private, private)


def _make(tenant: Tenant, state: Literal["next", "signing"]) -> Record:
    kid = secrets.token_urlsafe(12)
    made = RSAKey.generate_key(BITS, {"kid": kid, "alg": ALGORITHM, "use": "sig"}, private=True)
    hidden = hide(_secret(tenant), (kid, made.as_pem(private=True).decode()))
    public = dict(made.as_dict(private=False))
    return Record(KIND, kid, msgspec.json.encode(LtiKey(state, public, hidden, tenant.clock())))


def _put(tx: Tx, record: Record, one: LtiKey) -> None:
    tx.put(msgspec.structs.replace(record, body=msgspec.json.encode(one)))


def _secret(tenant: Tenant) -> bytes:
    return tenant.secret("lti-key")


KINDS = (Kind(KIND, "fact", LtiKey, 1, subjects=None, retention="configuration", exported=False),)
"""Not exported: what hides the private keys is this installation's own."""
