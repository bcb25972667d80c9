"""Whether the issuer has revoked or suspended a badge, by the lists that the badge names.

Sources: W3C Bitstring Status List 1.0, 3.2; W3C CCG "Status List 2021"; 1EdTech "Revocation List Status Method" (VCRL);
IETF "Token Status List" (draft-ietf-oauth-status-list), 8. A list that cannot be had or believed makes a badge invalid.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from badges.credentials import status
from badges.proofs.unsafe import Unsafe
from badges.verifying.dates import check_dates
from badges.verifying.proofs import check_proofs
from badges.verifying.shape import issuer_id, types_of
from badges.verifying.tokens import check_times, check_token, credential_in, read_token
from badges.verifying.verdict import Invalid, Passed
from badges.verifying.verification import MAX_LIST, Verification, read
from lrs.kernel.base64url import from_base64url
from lrs.kernel.plain_text import sized
from lrs.kernel.strict_json import Json, JsonView

MOST_ENTRIES = 4
BITSTRING, LIST_2021, REVOCATION_LIST = "BitstringStatusListEntry", "StatusList2021Entry", "1EdTechRevocationList"
_STOPPED = {status.REVOCATION: "revoked", status.SUSPENSION: "suspended"}


def check_status(credential: JsonView, asked: Verification) -> Passed:
    """Checks each entry of ``credentialStatus``. Raises ``Invalid`` and ``Unavailable``."""
    if "credentialStatus" not in credential:
        return Passed("the issuer keeps no status list for it", "no_status")
    entries = credential["credentialStatus"]
    listed = entries if isinstance(entries, list) else [entries]
    if not 0 < len(listed) <= MOST_ENTRIES:
        raise Invalid(f"credentialStatus has none or more than {MOST_ENTRIES} entries", "bad_status")
    return Passed("; ".join(dict.fromkeys(_check_entry(one, credential, asked) for one in listed)))


def _check_entry(entry: Any, credential: JsonView, asked: Verification) -> str:
    kinds = types_of(entry) if isinstance(entry, Mapping) else set()
    if REVOCATION_LIST in kinds:
        return _revocation_list(entry, credential, asked)
    if not kinds & {BITSTRING, LIST_2021}:
        raise Invalid(f"credentialStatus is not one object of type {BITSTRING}", "status_not_supported")
    purpose, index, url = (entry.get(n) for n in ("statusPurpose", "statusListIndex", "statusListCredential"))
    if not isinstance(purpose, str) or purpose not in _STOPPED or not isinstance(url, str):
        if purpose in ("message", "refresh"):
            return f"its list about {purpose} says nothing about whether it is valid"
        raise Invalid("neither a revocation nor a suspension list is named", "status_not_supported")
    if not isinstance(index, str) or not index.isascii() or not index.isdigit() or len(index) > 9:
        raise Invalid("statusListIndex is not a whole number in a string", "bad_status")
    bits = _bits(url, issuer_id(credential), purpose, asked)
    try:
        held = status.is_set(bits, int(index))
    except IndexError as error:
        raise Invalid(f"status list: {error}", "bad_status") from error
    if held:
        raise Invalid(_STOPPED[purpose], _STOPPED[purpose])
    return f"not on the {purpose} list"


def _bits(url: str, issuer: str, purpose: str, asked: Verification) -> bytes:
    """The bits of the list at *url* of *issuer*, once it is checked."""
    listed = _list(asked.body(url), url, issuer, asked)
    try:
        return status.bits_of(listed, purpose)
    except ValueError as error:
        raise Invalid(f"status list: {error}", "bad_status_list") from error


def _list(body: bytes, url: str, issuer: str, asked: Verification) -> Json:
    """The list credential in *body*, JSON with a proof or a JWT, whose signature and dates are right."""
    try:
        token = None if body.lstrip()[:1] in (b"{", b"[", b"") else read_token(_text(body), MAX_LIST)
        listed = read(body, MAX_LIST) if token is None else credential_in(token.claims)
    except Invalid as error:
        raise _unread(error) from error
    if listed.get("id") != url or issuer_id(listed) != issuer:
        raise Invalid("the status list is another one, or another issuer's", "status_list_not_issuers")
    try:
        if token is None:
            check_proofs(listed, issuer, asked)
        else:
            check_token(token, issuer, asked)
    except (Invalid, Unsafe) as error:
        raise _unsigned(error) from error
    try:
        if token is not None:
            check_times(token.claims, asked.at)
        check_dates(listed, asked.at)
    except Invalid as error:
        raise Invalid(f"the status list is stale: {error}", "status_list_stale") from error
    return listed


def _unread(error: Invalid) -> Invalid:
    return Invalid(f"the status list cannot be read: {error}", "bad_status_list")


def _unsigned(error: Invalid | Unsafe) -> Invalid:
    return Invalid(f"the status list is not shown to be signed by the issuer ({error.code})", "bad_status_list")


def _text(body: bytes) -> str:
    if len(body) > 2 * MAX_LIST:
        raise Invalid(f"larger than {sized(2 * MAX_LIST)}", "too_large")
    return body.decode("ascii", "replace").strip()


def _revocation_list(entry: JsonView, credential: JsonView, asked: Verification) -> str:
    """The former list of 1EdTech, which names what was revoked and is not signed: https is what it is believed by."""
    url = entry.get("id")
    if not isinstance(url, str) or not url.startswith("https://"):
        raise Invalid("the revocation list has no https address", "bad_status")
    listed = asked.document(url)
    if listed.get("id") != url or listed.get("issuer") not in (issuer_id(credential), credential.get("issuer")):
        raise Invalid("the status list is another one, or another issuer's", "status_list_not_issuers")
    revoked = listed.get("revokedCredential", listed.get("revokedCredentials", []))
    for one in revoked if isinstance(revoked, list) else [revoked]:
        is_told = isinstance(one, Mapping) and one.get("revoked", True) is True
        if one == credential.get("id") or (is_told and one.get("id") == credential.get("id")):
            raise Invalid("revoked", "revoked")
    return "not on the revocation list"


def check_token_status(claims: JsonView, issuer: str, asked: Verification) -> Passed:
    """Checks the place in a token status list that an SD-JWT names; *issuer* signs the list, too."""
    entry = claims.get("status")
    entry = entry.get("status_list") if isinstance(entry, Mapping) else None
    if entry is None:
        return Passed("the issuer keeps no status list for it", "no_status")
    index, url = (entry.get("idx"), entry.get("uri")) if isinstance(entry, Mapping) else (None, None)
    if type(index) is not int or index < 0 or not isinstance(url, str):
        raise Invalid("the status of the token has no place and address", "bad_status")
    body = asked.body(url)
    if body[:1] == b"{":  # the address of ours gives JSON to whoever names no form, with the same bits
        return _told_by_bits(_bits(url, issuer, status.REVOCATION, asked), index)
    try:
        token = read_token(_text(body), MAX_LIST)
    except Invalid as error:
        raise _unread(error) from error
    if token.header.get("typ") != "statuslist+jwt" or token.claims.get("sub") != url:
        raise Invalid("the status list is another one, or another issuer's", "status_list_not_issuers")
    try:
        check_token(token, issuer, asked)
    except Invalid as error:
        raise _unsigned(error) from error
    try:
        check_times(token.claims, asked.at)
    except Invalid as error:
        raise Invalid(f"the status list is stale: {error}", "status_list_stale") from error
    value = _token_value(token.claims.get("status_list"), index)
    if value == 0:
        return Passed("not on the status list")
    raise Invalid(*{1: ("revoked", "revoked"), 2: ("suspended", "suspended")}.get(value, ("not valid", "revoked")))


def _told_by_bits(bits: bytes, index: int) -> Passed:
    try:
        is_set = status.is_set(bits, index)
    except IndexError as error:
        raise Invalid(f"status list: {error}", "bad_status") from error
    if is_set:
        raise Invalid("revoked", "revoked")
    return Passed("not on the revocation list")


def _token_value(listed: Any, index: int) -> int:
    told = listed if isinstance(listed, Mapping) else {}
    bits, packed = told.get("bits"), told.get("lst")
    if type(bits) is not int or bits not in (1, 2, 4, 8) or not isinstance(packed, str):
        raise Invalid("not a token status list", "bad_status_list")
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(from_base64url(packed), status.MAX_BYTES)
    except (ValueError, zlib.error) as error:
        raise Invalid("the status list is not zlib in base64url", "bad_status_list") from error
    if not unpacker.eof:
        raise Invalid("the status list is cut off, or unpacks to more than 4 MiB", "bad_status_list")
    place = index * bits
    if place // 8 >= len(raw):
        raise Invalid(f"status list: place {index} is not in it", "bad_status")
    return int(raw[place // 8] >> place % 8 & (1 << bits) - 1)
