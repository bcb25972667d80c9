"""The issuers whose badges an organisation believes, and the registry in which it says so.

The registry has the form of the Digital Credentials Consortium's (``{"meta", "registry": {did: {...}}}``), so that
verifiers that read theirs can read ours. Knows no badge.

kind ``trusted-issuer``, id made of the issuer's id.
"""

from __future__ import annotations

from typing import Any

import msgspec

from badges.keys.issuer import issuer_of
from lrs.kernel.addresses import web_address
from lrs.kernel.errors import Refused
from lrs.kernel.names import name
from lrs.kernel.plain_text import hidden_character
from lrs.kernel.times import timestamp_of_micros
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND = "trusted-issuer"
LONGEST = 200
"""Characters of a name; of an id and an address ten times as many."""


class TrustedIssuer(msgspec.Struct, frozen=True):
    """The body: the issuer's *id* (a DID or an https address), what it is called here, its home page, since when."""

    id: str
    name: str
    at: int
    url: str = ""
    v: int = 1


_decode = msgspec.json.Decoder(TrustedIssuer).decode


def trust(tx: Tx, issuer: TrustedIssuer, *, by: str) -> None:
    """Names *issuer* as trusted, or changes what it is called. Raises ``Refused``."""
    if not issuer.id.startswith(("did:key:", "did:web:", "did:jwk:", "https://")) or len(issuer.id) > 10 * LONGEST:
        raise Refused(
            "An issuer is a did:key, a did:web, a did:jwk or an https address.", error="bad_issuer", pointer="/id"
        )
    if not issuer.name.strip() or len(issuer.name) > LONGEST or hidden_character(issuer.name + issuer.id):
        raise Refused(f"Say who the issuer is, in 1 to {LONGEST} characters.", error="bad_name", pointer="/name")
    try:
        if issuer.url:
            web_address(issuer.url)
    except ValueError as error:
        message = "The home page is no address: write it like https://centre.example.org"
        raise Refused(message, error="bad_url", pointer="/url") from error
    tx.put(Record(KIND, _id(issuer.id), msgspec.json.encode(issuer)))
    audit.append(tx, by, "issuer.trusted", {"issuer": issuer.id})


def distrust(tx: Tx, issuer: str, *, by: str) -> bool:
    """Takes *issuer* (id) out. ``False`` if it was not in. Badges of it that were recorded stay as they are."""
    if not tx.delete(KIND, _id(issuer)):
        return False
    audit.append(tx, by, "issuer.distrusted", {"issuer": issuer})
    return True


def trusted(reader: Reader) -> list[TrustedIssuer]:
    """All of them, by name."""
    return sorted((_decode(record.body) for record in each(reader, KIND)), key=lambda one: (one.name, one.id))


def trusted_issuer(reader: Reader, issuer: str) -> TrustedIssuer | None:
    """The trusted issuer with the id *issuer*."""
    record = reader.get(KIND, _id(issuer))
    found = _decode(record.body) if record else None
    return found if found is not None and found.id == issuer else None


def known_issuers(tenant: Tenant) -> dict[str, str]:
    """What this organisation itself, and those that it trusts, are called here, by their ids."""
    own = issuer_of(tenant)
    return {one.id: one.name for one in trusted(tenant.store)} | {own.id: str(own.profile()["name"])}


def registry(tenant: Tenant) -> dict[str, Any]:
    """The registry: the issuer of this organisation, and those that it trusts."""
    own, listed = issuer_of(tenant), trusted(tenant.store)
    times = [one.at for one in listed] or [tenant.clock()]
    entries = {own.id: _entry(own.profile()["name"], own.url or "")}
    entries |= {one.id: _entry(one.name, one.url) for one in listed}
    meta = {"created": timestamp_of_micros(min(times)), "updated": timestamp_of_micros(max(times))}
    return {"meta": meta, "registry": entries}


def _entry(name: str, url: str) -> dict[str, str]:
    return {"name": name, **({"url": url} if url else {})}


def _id(issuer: str) -> str:
    return name("trusted-issuer", issuer)


KINDS = (Kind(KIND, "fact", TrustedIssuer, 1, subjects=None, retention="configuration", exported=True),)
"""Organisations, not people."""
