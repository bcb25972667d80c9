"""The issuer of a tenant's badges: its keys, its DID, its name, and its public addresses. Knows no credential.

With an https ``LRS_PUBLIC_URL`` the issuer is ``did:web:<host>:t:<tenant>``. Without one it is a key itself (did:key),
and its name says that it is a demonstration. The id of a key is ``<did>#<multikey>``, which every verifier we know
accepts. Sources: did:web method specification; W3C DID 1.0, section 5.3.2.
"""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from badges.keys.multikey import DID_CONTEXT, KEY_CONTEXTS
from badges.keys.ring import Key, KeyRing, ring_of
from lrs.kernel.addresses import web_address
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import hidden_character
from lrs.storage import Owed, Record, Tx
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant
from lrs.web.frame import PRODUCT

DEMONSTRATION = " (demonstration)"
REWORD = "reword"
"""The step by which badges that are held are issued anew, because of what they say or what their issuer is called."""
_UNPUBLISHED = uuid.UUID("0f0b6f3e-5b0e-5b57-9a1f-2f6a0d1f7c11")


class KeyLost(Exception):
    """Something has to be signed with a key that this store and this master key do not give."""


class Issuer(msgspec.Struct, frozen=True):
    """An identity that can sign. ``demonstration`` is true if nobody else can look it up."""

    id: str
    name: str
    url: str | None
    ring: KeyRing
    demonstration: bool

    @property
    def key(self) -> Key:
        """The key that signs credentials. Raises ``KeyLost`` for a demonstration whose key is not here."""
        found = self.ring.of_did_key(self.id) if self.demonstration else self.ring.active()
        if found is None:
            raise KeyLost(f"the key of {self.id} is not here: bring back the master key that gave it")
        return found

    @property
    def method(self) -> str:
        """The absolute id of that key, as proofs name it."""
        return self.method_of(self.key)

    def method_of(self, key: Key) -> str:
        """The absolute id of *key*."""
        return f"{self.id}#{key.fragment}"

    def answers_for(self, method: str) -> bool:
        """Whether what a proof names as *method* is a key that the issuer publishes."""
        return any(method == self.method_of(key) for key in self.published)

    @property
    def published(self) -> tuple[Key, ...]:
        """The keys in its DID document. A demonstration has one, its identity, so it can never have another."""
        return (self.key,) if self.demonstration else self.ring.published

    def profile(self) -> dict[str, Any]:
        """The issuer in a badge: an object of type Profile, never only an address."""
        shown = self.name + DEMONSTRATION if self.demonstration else self.name
        profile = {"id": self.id, "type": ["Profile"], "name": shown}
        return {**profile, "url": self.url} if self.url else profile

    def did_document(self) -> dict[str, object]:
        """The document of its DID: every published key, for assertions only; ``assertionMethod`` holds strings."""
        methods = [key.verification_method(self.id) for key in self.published]
        kinds = {str(method["type"]) for method in methods}
        return {
            "@context": [DID_CONTEXT, *(context for kind, context in KEY_CONTEXTS.items() if kind in kinds)],
            "id": self.id,
            "verificationMethod": methods,
            "assertionMethod": [method["id"] for method in methods],
        }

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Every published key as a JWK Set (RFC 7517), each with its issuer (Open Badges 3.0 guide, "Key Provenance").

        ``kid`` is the absolute id of the key, as in the header of a JWT.
        """
        return {"keys": [{**key.jwk(), "kid": self.method_of(key), "iss": self.id} for key in self.published]}


def issuer_of(tenant: Tenant) -> Issuer:
    """The issuer of *tenant*, with the name that ``rename`` set."""
    ring = ring_of(tenant)
    record = tenant.store.get("issuer", "profile")
    named = json.loads(record.body) if record else {}
    name, url = named.get("name", _first_name(tenant)), named.get("url")
    did = web_did(tenant)
    if did is None:
        key = ring.active()
        if key is None:
            raise KeyLost("no key for badges is active: lrs badges keys rotate")
        return Issuer(f"did:key:{key.fragment}", name, url, ring, demonstration=True)
    return Issuer(did, name, url or tenant.settings.public_url, ring, demonstration=False)


def issuer_named(profile: dict[str, Any], ring: KeyRing) -> Issuer:
    """The issuer that a badge of ours shows as *profile*, with the keys *ring*: the reverse of ``Issuer.profile``."""
    demonstration = profile["id"].startswith("did:key:")
    name = profile["name"].removesuffix(DEMONSTRATION) if demonstration else profile["name"]
    return Issuer(profile["id"], name, profile.get("url"), ring, demonstration)


def _first_name(tenant: Tenant) -> str:
    return f"{PRODUCT}, {tenant.id}"


def fault_of(name: str, url: str | None) -> str | None:
    """Why badges with this name and home page of the issuer cannot be signed; ``None`` if they can."""
    found = hidden_character(name)
    if found:
        return f"the issuer's name has the hidden character {found} in it: type it anew"
    if not name.strip():
        return "the issuer's name is empty"
    try:
        if url is not None:
            web_address(url)
    except ValueError as error:
        return f"the issuer's home page {url!r} is no address ({error}): write it like https://centre.example.org"
    return None


def rename(tenant: Tenant, name: str | None = None, url: str | None = None) -> None:
    """Sets the name of the issuer, its home page, or both; an empty *url* takes it away. Raises ``Refused``.

    Badges that are held are issued anew with them, by the step "reword"; copies from before stay valid.
    """
    record = tenant.store.get("issuer", "profile")
    before = json.loads(record.body) if record else {"name": _first_name(tenant)}
    name = before["name"] if name is None else name
    url = (before.get("url") if url is None else url) or None
    fault = fault_of(name, url)
    if fault:
        raise Refused(fault, error="bad_name")
    url = str(web_address(url)) if url else None  # normalised, so that it is valid in a badge
    body = json.dumps({"v": 1, "name": name, **({"url": url} if url else {})}, ensure_ascii=False).encode()

    def decide(tx: Tx) -> None:
        tx.put(Record("issuer", "profile", body, owed=(Owed(REWORD),)))
        audit.append(tx, audit.BY_COMMAND, "issuer.named", {"issuer": tenant.id})

    tenant.store.write(decide).result()


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
