"""Signed statements: compares a JSON web signature with the statement it is attached to. Knows no store, no clock.

Rules: xAPI 1.0.3 Data 2.6; IEEE 9274.1.1 4.2.8; RFC 7515 (JWS), RFC 7518 3.3 (RS256, RS384, RS512). A signature that
contradicts the statement is refused. Whether the signer is trusted is a verdict, which is stored with the statement and
refuses nothing.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import structlog
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.x509 import Certificate, load_der_x509_certificate, load_pem_x509_certificates
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.settings import Settings
from lrs.kernel.strict_json import parse
from lrs.kernel.times import SECOND
from lrs.xapi.citations import rule
from lrs.xapi.statements.equality import same

USAGE_TYPE = "http://adlnet.gov/expapi/attachments/signature"
CONTENT_TYPE = "application/octet-stream"
VALID_TRUSTED = "valid-trusted"
VALID_UNTRUSTED = "valid-untrusted"
UNVERIFIABLE = "unverifiable"
VERDICTS = (VALID_TRUSTED, VALID_UNTRUSTED, UNVERIFIABLE)
"""From best to worst."""

_log = structlog.get_logger()
_HASHES: dict[str, type[HashAlgorithm]] = {"RS256": SHA256, "RS384": SHA384, "RS512": SHA512}
LARGEST = 4 * 1024 * 1024
"""Bytes of the largest signature, which contains the whole statement."""
_MOST_CERTIFICATES = 10
_LEAST_KEY_BITS = 2_048


class _Signed(msgspec.Struct, frozen=True):
    """A JWS in its parts: *head* and *payload* decoded, *text* the bytes that were signed."""

    head: dict[str, Any]
    payload: dict[str, Any]
    text: bytes
    signature: bytes


def check_signature(
    statement: Mapping[str, Any],
    attachment: Mapping[str, Any],
    signature: bytes | None,
    version: str,
    trust: Sequence[Certificate],
    *,
    at: int | None,
) -> str:
    """The verdict on *signature*, the data of *attachment* of *statement*, a valid statement as received.

    *signature* is ``None`` if the data is only linked to.

    ``valid-trusted``: made with the certificate in ``x5c``, whose chain leads to one of *trust* and was valid *at* that
    time (microseconds UTC; without a time nothing is trusted). ``valid-untrusted``: made with it, but its chain leads
    to no trusted certificate. ``unverifiable``: no data, or no certificate to verify it with. Refuses (400) a signature
    that is malformed, uses another algorithm, signs another statement, or was not made with its certificate; the
    pointer is relative to *attachment*.
    """
    try:
        if attachment["contentType"].partition(";")[0].strip().lower() != CONTENT_TYPE:
            raise Refused(f"a signature must have the contentType {CONTENT_TYPE}")
        if signature is None:
            return UNVERIFIABLE
        signed = _read(signature)
        if not (_same_id(statement, signed.payload) and same(*_comparable(dict(statement), signed.payload))):
            raise Refused("the signature signs another statement than the one it is attached to")
        chain = _certificates(signed.head.get("x5c"))
        if not chain:
            return UNVERIFIABLE
        _verify(signed, chain[0])
    except Refused as refused:
        raise Refused(refused.message, error="invalid_signature", pointer="", rule=rule("Data 2.6", version)) from None
    return VALID_TRUSTED if at is not None and _leads_to(chain, trust, at) else VALID_UNTRUSTED


def check_trust(settings: Settings) -> None:
    """Raises ``Misconfigured`` if a file in the folder ``LRS_SIGNATURE_TRUST`` has no certificate."""
    for path in _trusted_files(settings):
        _known[path] = _stamp(path), _certificates_in(path)


def trust_anchors(settings: Settings) -> tuple[Certificate, ...]:
    """The certificates in the ``*.pem`` files of the folder ``LRS_SIGNATURE_TRUST``; none if it is not set.

    A file that has changed is read again. One that cannot be read then, such as one that is just being copied, counts
    as it was before; the log says so once.
    """
    return tuple(one for path in _trusted_files(settings) for one in _present(path))


def _trusted_files(settings: Settings) -> list[Path]:
    return sorted(settings.signature_trust.glob("*.pem")) if settings.signature_trust is not None else []


_known: dict[Path, tuple[tuple[int, int] | None, tuple[Certificate, ...]]] = {}
"""By file: its stamp when it was read, and the certificates that it had when it could last be read."""


def _present(path: Path) -> tuple[Certificate, ...]:
    stamp = _stamp(path)
    before, certificates = _known.get(path, (None, ()))
    if path in _known and stamp == before:
        return certificates
    try:
        certificates = _certificates_in(path)
    except Misconfigured as error:
        _log.error("a file of trusted certificates counts as it was before", reason=str(error))
    _known[path] = stamp, certificates
    return certificates


def _stamp(path: Path) -> tuple[int, int] | None:
    """Changes with the file; ``None`` if it is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _certificates_in(path: Path) -> tuple[Certificate, ...]:
    try:
        return tuple(load_pem_x509_certificates(path.read_bytes()))
    except (ValueError, UnsupportedAlgorithm, OSError) as error:
        raise Misconfigured(f"LRS_SIGNATURE_TRUST: {path} holds no certificate in PEM form") from error


# -- the signature itself -------------------------------------------------------------------------------------------


def _read(signature: bytes) -> _Signed:
    if len(signature) > LARGEST:
        raise Refused(f"the signature is larger than {LARGEST} bytes")
    parts = signature.strip().split(b".")
    if len(parts) != 3:
        raise Refused("the signature is not a JWS in compact form: three parts with a dot between")
    head = _object(_decoded(parts[0], "header"), "header")
    algorithm = head.get("alg")
    if not isinstance(algorithm, str) or algorithm not in _HASHES:
        raise Refused(f"the algorithm of the signature must be one of {', '.join(_HASHES)}")
    if "crit" in head:
        raise Refused("the signature's header demands an extension (crit) that is not supported")
    payload = _object(_decoded(parts[1], "payload"), "payload")
    return _Signed(head, payload, parts[0] + b"." + parts[1], _decoded(parts[2], "signature"))


def _decoded(part: bytes, what: str) -> bytes:
    try:
        return base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(f"the {what} of the signature is not base64url") from error


def _object(text: bytes, what: str) -> dict[str, Any]:
    try:
        value = parse(text)
    except Refused as refused:
        raise Refused(f"the {what} of the signature is not JSON: {refused.message}") from None
    if not isinstance(value, dict):
        raise Refused(f"the {what} of the signature is not a JSON object")
    return value


def _same_id(statement: Mapping[str, Any], payload: dict[str, Any]) -> bool:
    """Whether the two ids are equal, if both are there. Otherwise a signature could be moved to another statement."""
    one, other = statement.get("id"), payload.get("id")
    return one is None or other is None or (isinstance(other, str) and one.lower() == other.lower())


def _comparable(statement: dict[str, Any], payload: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both without signatures. Other attachments are kept if they were there when the statement was signed."""
    attachments = statement.pop("attachments", [])
    signed = payload.get("attachments")
    if not isinstance(signed, list):
        return statement, payload
    others = [attachment for attachment in attachments if attachment["usageType"] != USAGE_TYPE]
    left = [one for one in signed if not isinstance(one, dict) or one.get("usageType") != USAGE_TYPE]
    return {**statement, "attachments": others}, {**payload, "attachments": left}


# -- who made it ----------------------------------------------------------------------------------------------------


def _certificates(x5c: Any) -> list[Certificate]:
    """The chain in the header; the signer's certificate is the first (RFC 7515 4.1.6)."""
    if x5c is None:
        return []
    if not isinstance(x5c, list) or not 0 < len(x5c) <= _MOST_CERTIFICATES:
        raise Refused(f"x5c must be a list of 1 to {_MOST_CERTIFICATES} certificates")
    try:
        return [load_der_x509_certificate(base64.b64decode(text, validate=True)) for text in x5c]
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise Refused("x5c holds something that is not a certificate in base64") from error


def _verify(signed: _Signed, certificate: Certificate) -> None:
    try:
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise Refused("the certificate in x5c has no RSA key, but the signature is an RSA one")
        key.verify(signed.signature, signed.text, PKCS1v15(), _HASHES[signed.head["alg"]]())
    except (InvalidSignature, UnsupportedAlgorithm, ValueError) as error:
        raise Refused("the signature was not made with the certificate in its x5c header") from error


def _leads_to(chain: Sequence[Certificate], trust: Sequence[Certificate], at: int) -> bool:
    """Whether *chain* was valid *at* that time and ends at one of *trust*. A trusted certificate itself counts too."""
    when = dt.datetime.fromtimestamp(at / SECOND, dt.UTC)
    signer = chain[0]
    key = signer.public_key()
    if not trust or not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_KEY_BITS:
        return False
    if signer in trust:
        return signer.not_valid_before_utc <= when <= signer.not_valid_after_utc
    builder = (
        PolicyBuilder()
        .store(Store(list(trust)))
        .time(when)
        .extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca(),
            # A signer of statements is no web server, so no host name and no key usage are asked for.
            ee_policy=ExtensionPolicy.permit_all(),
        )
    )
    try:
        builder.build_client_verifier().verify(signer, list(chain[1:]))
    except VerificationError:
        return False
    return True
