"""Verifies a badge, ours or anybody's, with a reason for every check.

Knows no network and no store: DID documents, keys and status lists come from functions that are passed in. A check that
cannot be made fails. Sources: 1EdTech "Open Badges 3.0", section "Verification"; W3C Data Integrity 1.0, section 4.4;
W3C Bitstring Status List 1.0, section 3.2. Each check is a module of ``badges.verifying``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from badges.proofs.unsafe import Unsafe
from badges.verifying import hosted, sd_jwt, signed_assertions
from badges.verifying.containers import MAX_BADGE, taken_from
from badges.verifying.dates import check_dates
from badges.verifying.endorsements import check_endorsements, has_endorsements
from badges.verifying.presentations import check_holder, shown_in
from badges.verifying.proofs import check_proofs
from badges.verifying.recipients import check_recipient
from badges.verifying.schema import check_schema
from badges.verifying.shape import check_badge, check_plain, is_assertion, is_presentation, issuer_id
from badges.verifying.statuses import check_status, check_token_status
from badges.verifying.tokens import SignedToken, check_times, check_token, credential_in, read_token
from badges.verifying.verdict import Check, Invalid, Passed, Unavailable, Verdict
from badges.verifying.verification import Fetch, Resolve, Verification, read
from lrs.kernel.strict_json import Json

_Question = tuple[str, Callable[[], str | Passed]]
"""The name of a check, and what makes it."""


def verify(document: bytes, *, at: int, resolve: Resolve, fetch: Fetch, address: str = "") -> Verdict:
    """The verdict on *document* at the time *at* (microseconds UTC). Never raises.

    *document* is a badge as JSON, JWT or SD-JWT, an image with one in it, a presentation of several, or the address of
    a hosted one. With an e-mail *address*, it is also checked whether the badge was issued to it.
    """
    asked = Verification(at, resolve, fetch)
    try:
        taken = taken_from(document)
        return _of_text(taken.text, asked, address, is_inside=False)
    except (Invalid, Unsafe, Unavailable) as error:
        return Verdict((_failed("form", error),))


def _of_text(text: bytes, asked: Verification, address: str, *, is_inside: bool) -> Verdict:
    if text.startswith(b"https://") and not is_inside:
        fetched = taken_from(asked.body(text[:2048].decode("ascii", "replace"))).text
        if fetched.startswith(b"https://"):
            raise Invalid("at the address is no badge, but another address", "no_badge_in_file")
        return _of_text(fetched, asked, address, is_inside=False)
    if text.startswith(b"http://") and not is_inside:
        raise Invalid("an address of a badge begins with https://", "no_badge_in_file")
    if text[:1] in (b"{", b"[", b"") or not _is_token(text):
        if text[:1] not in b"{[" and text.isascii():
            raise Invalid("this is neither JSON nor a JWT, an image, a certificate or an address", "not_json")
        return _of_json(read(text, MAX_BADGE), asked, address, is_inside=is_inside)
    plain = text.decode()
    if "~" in plain:
        return _of_sd_jwt(plain, asked, address)
    token = read_token(plain, MAX_BADGE)
    if is_assertion(token.claims):
        is_signed = hosted.is_said_to_be_signed(token.claims)
        return _of_signed_assertion(token, asked, address) if is_signed else _of_assertion(token.claims, asked, address)
    if ("vp" in token.claims or is_presentation(token.claims)) and not is_inside:
        return _of_presentation(token.claims, token, asked, address)
    return _of_jwt(token, asked, address)


def _is_token(text: bytes) -> bool:
    return text.isascii() and text.count(b".") >= 2 and b" " not in text and text[:2] == b"ey"


def _of_json(document: Json, asked: Verification, address: str, *, is_inside: bool = False) -> Verdict:
    if is_presentation(document) and not is_inside:
        return _of_presentation(document, None, asked, address)
    if is_assertion(document):
        return _of_assertion(document, asked, address)
    return Verdict(
        _answers(
            asked,
            ("form", lambda: check_plain(document, asked)),
            ("badge", lambda: check_badge(document)),
            ("signature", lambda: check_proofs(document, issuer_id(document), asked)),
            ("dates", lambda: check_dates(document, asked.at)),
            ("status", lambda: check_status(document, asked)),
            *_further(document, asked, address),
        ),
        document,
        format="vc",
    )


def _of_jwt(token: SignedToken, asked: Verification, address: str) -> Verdict:
    credential = credential_in(token.claims)

    def dates() -> str:
        check_times(token.claims, asked.at)
        return check_dates(credential, asked.at)

    return Verdict(
        _answers(
            asked,
            ("form", lambda: check_plain(credential, asked)),
            ("badge", lambda: check_badge(credential)),
            ("signature", lambda: check_token(token, issuer_id(credential), asked)),
            ("dates", dates),
            ("status", lambda: check_status(credential, asked)),
            *_further(credential, asked, address),
        ),
        credential,
        format="vc+jwt",
    )


def _further(credential: Json, asked: Verification, address: str) -> list[_Question]:
    """The checks of what only some badges have, and of whose it is."""
    found: list[_Question] = []
    if "credentialSchema" in credential:
        found.append(("schema", lambda: check_schema(credential)))
    if has_endorsements(credential):
        found.append(("endorsements", lambda: check_endorsements(credential, asked)))
    return [*found, *_recipient(credential, address)]


def _recipient(credential: Json, address: str) -> list[_Question]:
    return [("recipient", lambda: check_recipient(credential, address))] if address else []


def _of_sd_jwt(text: str, asked: Verification, address: str) -> Verdict:
    token, claims = sd_jwt.read_sd_jwt(text, MAX_BADGE)
    credential = sd_jwt.as_credential(claims)

    def dates() -> str:
        check_times(claims, asked.at)
        return "valid at this time"

    return Verdict(
        _answers(
            asked,
            ("form", lambda: "SD-JWT with nothing in it that is not signed"),
            ("badge", lambda: sd_jwt.check_claims(claims)),
            ("signature", lambda: sd_jwt.check_issuer(token, asked)),
            ("dates", dates),
            ("status", lambda: check_token_status(claims, sd_jwt.list_issuer(token, claims), asked)),
            *_recipient(credential, address),
        ),
        credential,
        format="dc+sd-jwt",
        withheld=sd_jwt.withheld(token.claims, claims),
    )


def _of_assertion(shown: Json, asked: Verification, address: str) -> Verdict:
    """A badge of Open Badges 2: what counts is what is at its address."""
    assertion = hosted.check_hosted(shown, asked)
    return Verdict(
        _answers(
            asked,
            ("form", lambda: "Open Badges 2, as it is at its address"),
            ("badge", lambda: hosted.check_assertion(assertion)),
            ("signature", lambda: hosted.check_site(assertion)),
            ("dates", lambda: hosted.check_hosted_dates(assertion, asked.at)),
            ("status", lambda: hosted.check_not_revoked(assertion)),
            *_recipient(assertion, address),
        ),
        assertion,
        format="ob2",
    )


def _of_signed_assertion(token: SignedToken, asked: Verification, address: str) -> Verdict:
    assertion = signed_assertions.assertion_in(token, asked)
    return Verdict(
        _answers(
            asked,
            ("form", lambda: "Open Badges 2, signed"),
            ("badge", lambda: hosted.check_assertion(assertion)),
            ("signature", lambda: signed_assertions.check_signed(assertion, token, asked)),
            ("dates", lambda: hosted.check_hosted_dates(assertion, asked.at)),
            ("status", lambda: signed_assertions.check_not_listed(assertion, asked)),
            *_recipient(assertion, address),
        ),
        assertion,
        format="ob2",
    )


def _of_presentation(document: Json, token: SignedToken | None, asked: Verification, address: str) -> Verdict:
    badges = tuple(_inside(text, asked, address) for text in shown_in(document))
    return Verdict(
        _answers(
            asked,
            ("form", lambda: f"a presentation of {len(badges)}"),
            ("holder", lambda: check_holder(document, token, asked)),
        ),
        badges=badges,
        format="vp" if token is None else "vp+jwt",
    )


def _inside(text: bytes, asked: Verification, address: str) -> Verdict:
    try:
        return _of_text(text, asked, address, is_inside=True)
    except (Invalid, Unsafe, Unavailable) as error:
        return Verdict((_failed("form", error),))


def _answers(asked: Verification, *questions: _Question) -> tuple[Check, ...]:
    """The checks in their order. Once the signature has failed, nothing that the badge names is asked for."""
    found = []
    for name, question in questions:
        found.append(_answer(name, question))
        asked.may_ask = asked.may_ask and (found[-1].ok or name != "signature")
    asked.may_ask = True
    return tuple(found)


def _answer(name: str, question: Callable[[], str | Passed]) -> Check:
    try:
        found = question()
    except (Invalid, Unsafe, Unavailable) as error:
        return _failed(name, error)
    passed = Passed(found) if isinstance(found, str) else found
    return Check(name, ok=True, why=passed.why, code=passed.code)


def _failed(name: str, error: Invalid | Unsafe | Unavailable) -> Check:
    return Check(name, ok=False, why=str(error), code=error.code)


def failures(verdict: Verdict) -> Iterable[Check]:
    """The checks that did not pass, also those of badges inside."""
    yield from (check for check in verdict.checks if not check.ok)
    for badge in verdict.badges:
        yield from failures(badge)
