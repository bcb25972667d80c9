"""The address in the code of a certificate: whoever has the paper sees there whether the badge still counts.

Its holder hands a certificate to somebody so that it is believed; so the address shows the state of the badge, and what
is printed, and nothing else: no evidence and no signed badge. It has the number of the badge under a MAC, so nobody
finds it who has no certificate, and no record is needed for it. The holder can make the codes of all certificates that
were given out void; a new certificate then has another code.

kind ``badge-certificate``, id that of the badge: how often its codes were made void. Without it they never were.
"""

from __future__ import annotations

import hmac
import uuid

import msgspec

from badges.keys.issuer import public_url
from lrs.kernel.base64url import base64url, from_base64url
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.storage import Reader, Record, Tx
from lrs.storage.about import by_person
from lrs.storage.kinds import Kind, of_person
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND = "badge-certificate"
_ID, _MAC = 16, 12
"""Bytes of the two parts of a code: the number of the badge, and 96 bits that nobody guesses."""
_UNKNOWN = "This code of a certificate is not known. Perhaps a part of it is missing, or its holder made it void."


class VoidCodes(msgspec.Struct, frozen=True):
    """The body of a ``badge-certificate`` record."""

    person: str
    times: int
    v: int = 1


_decode = msgspec.json.Decoder(VoidCodes).decode


def check_address(tenant: Tenant, badge: str) -> str | None:
    """The address that the certificate of the *badge* (id) has now; ``None`` if this server has no address."""
    path = f"check/{code_of(tenant, badge)}"
    root = tenant.settings.pages_root
    return public_url(tenant, path) or (f"{root}/t/{tenant.id}/{path}" if root else None)


def code_of(tenant: Tenant, badge: str) -> str:
    """The code that certificates of the *badge* (id, a UUID) have now."""
    times = _times(tenant.store, badge)
    mac = hmac.digest(tenant.secret(KIND), f"{badge} {times}".encode(), "sha256")[:_MAC]
    return base64url(uuid.UUID(badge).bytes + mac)


def found_by(tenant: Tenant, code: str) -> Record:
    """The badge whose certificates have this *code*. Raises ``Refused`` (404)."""
    try:
        raw = from_base64url(code)
        badge = str(uuid.UUID(bytes=raw[:_ID]))
    except ValueError:
        raise _unknown() from None
    record = tenant.store.get("credential", badge)
    known = code_of(tenant, badge)
    if record is None or not hmac.compare_digest(known.encode(), code.encode()):
        raise _unknown()
    return record


def handed_in(tenant: Tenant, content: bytes, root: str) -> bytes | None:
    """The badge, if *content* is the address of a certificate of ours, under *root*. Raises ``Refused`` (404)."""
    begin = f"{root}/t/{tenant.id}/check/".encode()
    if not content.startswith(begin) or len(content) > len(begin) + 200:
        return None
    return found_by(tenant, content.removeprefix(begin).decode("ascii", "replace").strip()).body


def make_void(tx: Tx, badge: Record, *, by: str) -> None:
    """Makes the codes of all certificates of *badge* void with this commit."""
    person = str(badge.meta["person"])
    body = msgspec.json.encode(VoidCodes(person, _times(tx, badge.id) + 1))
    tx.put(Record(KIND, badge.id, body, keys=(key("badge-certificate.person", person),)))
    audit.append(tx, by, "badge.certificates_void", {"badge": badge.id})


def _times(reader: Reader, badge: str) -> int:
    record = reader.get(KIND, badge)
    return _decode(record.body).times if record else 0


def _unknown() -> Refused:
    return Refused(_UNKNOWN, status=404, error="certificate_unknown")


KINDS = (
    Kind(
        KIND,
        "fact",
        VoidCodes,
        1,
        subjects=of_person(_decode),
        retention="consent",
        exported=True,
        find=by_person(KIND, "badge-certificate.person"),
    ),
)
