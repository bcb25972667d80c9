"""Who signs a tenant's badges: its key, its DID, its name, and where its public pages are. Knows no credential.

With an https ``LRS_PUBLIC_URL`` the issuer is ``did:web:<host>:t:<tenant>``; without, it is the key itself (did:key),
and its name says that it is a demonstration. The key's id is ``<did>#<multikey>``, which every verifier we know of
takes (badges.md, section 1.3). Sources: did:web method specification; W3C DID 1.0, section 5.3.2.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from badges import multikey
from lrs.kernel.addresses import web_address
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import control_character
from lrs.storage import Record, Tx
from lrs.storage.kinds import Kind
from lrs.tenancy import audit, signing_keys
from lrs.tenancy.tenants import Tenant

DEMONSTRATION = " (demonstration)"
_UNPUBLISHED = uuid.UUID("0f0b6f3e-5b0e-5b57-9a1f-2f6a0d1f7c11")


@dataclass(frozen=True, slots=True)
class Issuer:
    """An identity that can sign. ``demonstration`` is true while nobody can look it up."""

    id: str
    name: str
    url: str | None
    key: Ed25519PrivateKey
    demonstration: bool

    @property
    def method(self) -> str:
        """The absolute id of the key, as a proof names it."""
        return f"{self.id}#{multikey.multibase_of(self.key)}"

    def profile(self) -> dict[str, Any]:
        """The issuer as a badge shows it: an object of type Profile, never a bare address."""
        shown = self.name + DEMONSTRATION if self.demonstration else self.name
        profile = {"id": self.id, "type": ["Profile"], "name": shown}
        return {**profile, "url": self.url} if self.url else profile

    def did_document(self) -> dict[str, object]:
        """What its DID resolves to."""
        return multikey.did_document(self.id, multikey.multibase_of(self.key))


def issuer_of(tenant: Tenant) -> Issuer:
    """The issuer of *tenant*, under the name that ``rename`` gave it."""
    key = signing_keys.private_of(tenant, signing_keys.active(tenant.store))
    record = tenant.store.get("issuer", "profile")
    named = json.loads(record.body) if record else {}
    name, url = named.get("name", _first_name(tenant)), named.get("url")
    did = web_did(tenant)
    if did is None:
        return Issuer(key_did(key), name, url, key, demonstration=True)
    return Issuer(did, name, url or tenant.settings.public_url, key, demonstration=False)


def issuer_named(profile: dict[str, Any], key: Ed25519PrivateKey) -> Issuer:
    """The issuer that a badge of ours shows as *profile*, with *key*: ``Issuer.profile`` the other way round."""
    demonstration = profile["id"].startswith("did:key:")
    name = profile["name"].removesuffix(DEMONSTRATION) if demonstration else profile["name"]
    return Issuer(profile["id"], name, profile.get("url"), key, demonstration)


def _first_name(tenant: Tenant) -> str:
    return f"Engraft, {tenant.id}"


def fault_of(name: str, url: str | None) -> str | None:
    """Why no badge could be signed with this name and home page of the issuer; ``None`` if one can."""
    found = control_character(name)
    if found:
        return f"the issuer's name has the control character {found} in it: type it anew"
    if not name.strip():
        return "the issuer's name is empty"
    try:
        if url is not None:
            web_address(url)
    except ValueError as error:
        return f"the issuer's home page {url!r} is no address ({error}): write it like https://centre.example.org"
    return None


def rename(tenant: Tenant, name: str | None = None, url: str | None = None) -> None:
    """Gives the issuer a name, with or without a home page, or only another home page. Raises ``Refused``.

    Badges show them from their next issue on.
    """
    record = tenant.store.get("issuer", "profile")
    before = json.loads(record.body) if record else {"name": _first_name(tenant)}
    name = before["name"] if name is None else name
    fault = fault_of(name, url)
    if fault:
        raise Refused(fault, error="bad_name")
    url = str(web_address(url)) if url else None  # as an address is written in a badge, without blanks
    body = json.dumps({"v": 1, "name": name, **({"url": url} if url else {})}, ensure_ascii=False).encode()

    def decide(tx: Tx) -> None:
        tx.put(Record("issuer", "profile", body))
        audit.append(tx, "operator", "issuer.named", {"issuer": tenant.id})

    tenant.store.write(decide).result()


def key_did(key: Ed25519PrivateKey) -> str:
    """The did:key that *key* is."""
    return f"did:key:{multikey.multibase_of(key)}"


def web_did(tenant: Tenant) -> str | None:
    """The tenant's did:web, or ``None`` without an https ``LRS_PUBLIC_URL``."""
    parts = urlsplit((tenant.settings.public_url or "").rstrip("/"))
    if parts.scheme != "https":
        return None
    path = [quote(part, safe="") for part in parts.path.split("/") if part]
    return ":".join(["did:web", quote(parts.netloc, safe=""), *path, "t", tenant.id])


def did_url(did: str) -> str:
    """Where the document of a did:web is. Raises ``ValueError`` for another method or an impossible name."""
    method, _, name = did.partition("did:web:")
    host, *path = name.split(":")
    if method or not host or not all(path) or any(part in {".", ".."} or "/" in part or "?" in part for part in path):
        raise ValueError("not a did:web")
    netloc = host.replace("%3A", ":").replace("%3a", ":")
    return f"https://{netloc}/{'/'.join(path) if path else '.well-known'}/did.json"


def public_url(tenant: Tenant, path: str) -> str | None:
    """The permanent address of *path* (``status/…``, ``achievements/…``) under the tenant, if it has one."""
    base = (tenant.settings.public_url or "").rstrip("/")
    return f"{base}/t/{tenant.id}/{path}" if base else None


def address(tenant: Tenant, path: str) -> str:
    """The public address of *path*, or a ``urn:uuid:`` of its own while there is no ``LRS_PUBLIC_URL``."""
    return public_url(tenant, path) or uuid.uuid5(_UNPUBLISHED, f"{tenant.id}/{path}").urn


KINDS = (Kind("issuer", "fact", version=1, subjects=None, retention="configuration", exported=True),)
