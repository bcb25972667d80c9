"""The issuer of a tenant's badges: its key, its DID, its name, and its public addresses. Knows no credential.

With an https ``LRS_PUBLIC_URL`` the issuer is ``did:web:<host>:t:<tenant>``. Without one it is the key itself
(did:key), and its name says that it is a demonstration. The key's id is ``<did>#<multikey>``, which every verifier we
know accepts. Sources: did:web method specification; W3C DID 1.0, section 5.3.2.
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
from lrs.web.frame import PRODUCT

DEMONSTRATION = " (demonstration)"
_UNPUBLISHED = uuid.UUID("0f0b6f3e-5b0e-5b57-9a1f-2f6a0d1f7c11")


@dataclass(frozen=True, slots=True)
class Issuer:
    """An identity that can sign. ``demonstration`` is true if nobody else can look it up."""

    id: str
    name: str
    url: str | None
    key: Ed25519PrivateKey
    demonstration: bool

    @property
    def method(self) -> str:
        """The absolute id of the key, as proofs name it."""
        return f"{self.id}#{multikey.multibase_of(self.key)}"

    def profile(self) -> dict[str, Any]:
        """The issuer in a badge: an object of type Profile, never only an address."""
        shown = self.name + DEMONSTRATION if self.demonstration else self.name
        profile = {"id": self.id, "type": ["Profile"], "name": shown}
        return {**profile, "url": self.url} if self.url else profile

    def did_document(self) -> dict[str, object]:
        """The document of its DID."""
        return multikey.did_document(self.id, multikey.multibase_of(self.key))


def issuer_of(tenant: Tenant) -> Issuer:
    """The issuer of *tenant*, with the name that ``rename`` set."""
    key = signing_keys.private_of(tenant, signing_keys.active(tenant.store))
    record = tenant.store.get("issuer", "profile")
    named = json.loads(record.body) if record else {}
    name, url = named.get("name", _first_name(tenant)), named.get("url")
    did = web_did(tenant)
    if did is None:
        return Issuer(key_did(key), name, url, key, demonstration=True)
    return Issuer(did, name, url or tenant.settings.public_url, key, demonstration=False)


def issuer_named(profile: dict[str, Any], key: Ed25519PrivateKey) -> Issuer:
    """The issuer that a badge of ours shows as *profile*, with *key*: the reverse of ``Issuer.profile``."""
    demonstration = profile["id"].startswith("did:key:")
    name = profile["name"].removesuffix(DEMONSTRATION) if demonstration else profile["name"]
    return Issuer(profile["id"], name, profile.get("url"), key, demonstration)


def _first_name(tenant: Tenant) -> str:
    return f"{PRODUCT}, {tenant.id}"


def fault_of(name: str, url: str | None) -> str | None:
    """Why badges with this name and home page of the issuer cannot be signed; ``None`` if they can."""
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
    """Sets the name of the issuer, its home page, or both. Raises ``Refused``.

    Badges show them from their next issue on.
    """
    record = tenant.store.get("issuer", "profile")
    before = json.loads(record.body) if record else {"name": _first_name(tenant)}
    name = before["name"] if name is None else name
    fault = fault_of(name, url)
    if fault:
        raise Refused(fault, error="bad_name")
    url = str(web_address(url)) if url else None  # normalised, so that it is valid in a badge
    body = json.dumps({"v": 1, "name": name, **({"url": url} if url else {})}, ensure_ascii=False).encode()

    def decide(tx: Tx) -> None:
        tx.put(Record("issuer", "profile", body))
        audit.append(tx, "operator", "issuer.named", {"issuer": tenant.id})

    tenant.store.write(decide).result()


def key_did(key: Ed25519PrivateKey) -> str:
    """The did:key for *key*."""
    return f"did:key:{multikey.multibase_of(key)}"


def web_did(tenant: Tenant) -> str | None:
    """The tenant's did:web, or ``None`` without an https ``LRS_PUBLIC_URL``."""
    parts = urlsplit((tenant.settings.public_url or "").rstrip("/"))
    if parts.scheme != "https":
        return None
    path = [quote(part, safe="") for part in parts.path.split("/") if part]
    return ":".join(["did:web", quote(parts.netloc, safe=""), *path, "t", tenant.id])


def did_url(did: str) -> str:
    """The address of the document of a did:web. Raises ``ValueError`` for another method or an invalid name."""
    method, _, name = did.partition("did:web:")
    host, *path = name.split(":")
    if method or not host or not all(path) or any(part in {".", ".."} or "/" in part or "?" in part for part in path):
        raise ValueError("not a did:web")
    netloc = host.replace("%3A", ":").replace("%3a", ":")
    return f"https://{netloc}/{'/'.join(path) if path else '.well-known'}/did.json"


def public_url(tenant: Tenant, path: str) -> str | None:
    """The permanent address of *path* (``status/…``, ``achievements/…``) under the tenant; ``None`` if it has none."""
    base = (tenant.settings.public_url or "").rstrip("/")
    return f"{base}/t/{tenant.id}/{path}" if base else None


def address(tenant: Tenant, path: str) -> str:
    """The public address of *path*; without ``LRS_PUBLIC_URL`` a ``urn:uuid:``."""
    return public_url(tenant, path) or uuid.uuid5(_UNPUBLISHED, f"{tenant.id}/{path}").urn


KINDS = (Kind("issuer", "fact", version=1, subjects=None, retention="configuration", exported=True),)
