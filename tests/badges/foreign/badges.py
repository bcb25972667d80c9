"""Badges of others by name, good and hostile, and the addresses that they name. Nothing here asks a network."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from openbadgeslib import baking
from openbadgeslib.ob2.models import Assertion, BadgeClass, IdentityObject, Profile, Verification
from openbadgeslib.ob2.signer import OB2Signer

from badges.content.medal import Medal, png
from badges.keys.issuer import did_url
from badges.verifying.verdict import Unavailable

_MADE = json.loads((Path(__file__).parent / "js.json").read_text())
DOCUMENTS: dict[str, str] = _MADE["documents"]
WEB: dict[str, bytes] = {url: text.encode() for url, text in _MADE["web"].items()}
MAYZE = "mayze@example.org"
SITE = "https://college.example.org"
ISSUED = datetime(2026, 1, 10, 9, tzinfo=UTC)
Json = dict[str, Any]


def fetch(url: str) -> bytes:
    if url not in WEB:
        raise Unavailable(f"{url} does not answer")
    return WEB[url]


def resolve(did: str) -> Json:
    found: Json = json.loads(fetch(did_url(did)))
    return found


def changed(name: str, change: Callable[[Json], object]) -> bytes:
    """The badge *name* after a change that its issuer did not sign."""
    badge = json.loads(DOCUMENTS[name])
    change(badge)
    return json.dumps(badge).encode()


def jwt_changed(name: str, change: Callable[[Json], object]) -> bytes:
    """The same for a JWT."""
    head, body, signature = DOCUMENTS[name].split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    change(claims)
    made = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{head}.{made}.{signature}".encode()


def unsigned(name: str) -> bytes:
    """The JWT *name* with the algorithm ``none``, and no signature."""
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    return f"{head}.{DOCUMENTS[name].split('.')[1]}.".encode()


def headed(name: str, **parts: Any) -> bytes:
    """The JWT *name* with *parts* in its header that its issuer did not sign."""
    head, rest = DOCUMENTS[name].split(".", 1)
    told = json.loads(base64.urlsafe_b64decode(head + "==")) | parts
    return f"{base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip('=')}.{rest}".encode()


def baked_png(name: str) -> bytes:
    plain = png(Medal("Pipetting", "", "College"))
    return bytes(baking.bake_png(plain, DOCUMENTS[name], keyword=b"openbadgecredential"))


def with_chunk(kind: bytes, data: bytes, times: int = 1) -> bytes:
    """A PNG with a chunk of its own behind the header."""
    return with_chunks(*[(kind, data)] * times)


def with_chunks(*told: tuple[bytes, bytes]) -> bytes:
    """The same with several: kind and data of each."""
    plain = png(Medal("Pipetting", "", "College"))
    chunks = [len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4) for kind, data in told]
    return plain[:33] + b"".join(chunks) + plain[33:]


DAMAGED = (b"iTXt", b"openbadgecredential\0\1\0\0\0no zlib")
"""A chunk whose text does not unpack."""


def packed(text: bytes) -> bytes:
    """An iTXt chunk whose text is compressed."""
    return with_chunk(b"iTXt", b"openbadgecredential\0\1\0\0\0" + zlib.compress(text, 9))


def svg(text: str, around: str = "") -> bytes:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0">'
        f"<openbadges:credential>{text}</openbadges:credential>{around}</svg>"
    ).encode()


def cdata(name: str) -> str:
    return f"<![CDATA[{DOCUMENTS[name]}]]>"


def hosted(name: str, **changes: Any) -> bytes:
    """A hosted badge of Open Badges 2, made with openbadgeslib; *changes* are of what is at its address."""
    issuer = Profile(f"{SITE}/issuer", "College of the Example", url=SITE)
    badge = BadgeClass(f"{SITE}/badge", "Pipetting", "Pipettes", f"{SITE}/image", f"{SITE}/criteria", issuer.id)
    who = IdentityObject.create(MAYZE, "deadsea")
    made = Assertion(who, badge.id, Verification("HostedBadge"), id=f"{SITE}/assertions/{name}", issued_on=ISSUED)
    told = made.to_dict()
    for part in (issuer, badge):
        WEB[part.id] = json.dumps(part.to_dict()).encode()
    WEB[told["id"]] = json.dumps(told | changes).encode()
    return json.dumps(told).encode()


RSA_KEY = rsa.generate_private_key(65_537, 2_048)
P256_KEY = ec.generate_private_key(ec.SECP256R1())
"""Made anew each time: nothing depends on which keys they are."""


def signed(name: str, key: Any = RSA_KEY, **changes: Any) -> bytes:
    """A signed badge of Open Badges 2, made with openbadgeslib. *changes* are of the issuer's profile."""
    home, creator = f"{SITE}/{name}/issuer", f"{SITE}/{name}/key"
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    issuer = Profile(home, "College of the Example", url=SITE).to_dict()
    told = {"publicKey": creator, "revocationList": f"{SITE}/{name}/revoked"}
    badge = BadgeClass(f"{SITE}/{name}/badge", "Pipetting", "Pipettes", f"{SITE}/image", f"{SITE}/criteria", home)
    id = f"urn:uuid:00000000-0000-4000-8000-{len(name):012}"
    listed = {"type": "RevocationList", "id": told["revocationList"], "issuer": home}
    WEB[home] = json.dumps(issuer | told | changes).encode()
    WEB[creator] = json.dumps({"type": "CryptographicKey", "id": creator, "owner": home, "publicKeyPem": pem}).encode()
    WEB[badge.id] = json.dumps(badge.to_dict()).encode()
    revoked = [{"id": id, "revocationReason": "A mistake"}] if name == "revoked-signed" else []
    WEB[told["revocationList"]] = json.dumps(listed | {"revokedAssertions": revoked}).encode()
    who = IdentityObject.create(MAYZE, "deadsea")
    made = Assertion(who, badge.id, Verification("SignedBadge", creator), id=id, issued_on=ISSUED)
    return OB2Signer(key, "RS256" if key is RSA_KEY else "ES256").sign(made).encode()


def signed_for(issuer: str) -> bytes:
    """A signed badge of *issuer*, for what is described at our site, with the issuer's own key."""
    token = signed("foreign-class")
    WEB[issuer] = WEB[f"{SITE}/foreign-class/issuer"].replace(f"{SITE}/foreign-class/issuer".encode(), issuer.encode())
    described = json.loads(WEB[f"{SITE}/foreign-class/badge"]) | {"issuer": issuer}
    WEB[f"{SITE}/foreign-class/badge"] = json.dumps(described).encode()
    return token


def pdf(attached: bytes, *, packed: bool = True, times: int = 1) -> bytes:
    """A PDF with *attached* files, as far as a reader of those looks at it."""
    data = zlib.compress(attached, 9) if packed else attached
    entry = b"/Type /EmbeddedFile /Length %d %s" % (len(data), b"/Filter /FlateDecode" if packed else b"")
    return b"%PDF-1.7\n" + b"7 0 obj <<%s>>\nstream\r\n%s\nendstream endobj\n" % (entry, data) * times


def grown(part: Any, count: int) -> list[Any]:
    return [deepcopy(part) for _ in range(count)]


def own_tree(depth: int) -> Json:
    """A binary tree of nodes without names that nothing tells apart."""
    below = [own_tree(depth - 1) for _ in range(2)] if depth else []
    return {"type": ["VerifiableCredential"], **({"relatedResource": below} if below else {})}


def presentation(*held: Any) -> bytes:
    context = ["https://www.w3.org/ns/credentials/v2"]
    return json.dumps(
        {"@context": context, "type": ["VerifiablePresentation"], "verifiableCredential": list(held)}
    ).encode()
