"""The lines of the table of rights for badges: getting, showing and checking them, wallets, and their upkeep."""

from __future__ import annotations

from lrs.access import ALL, KEY, SESSION
from lrs.access.policy.lines import PUBLIC, PolicyLine, PolicyTable, listed

_OPEN = PolicyLine(PUBLIC)
_BADGE = PolicyLine(PUBLIC, any_origin=True)
_CLAIM = PolicyLine(PUBLIC, pages="claim")
_VERIFY = PolicyLine(PUBLIC, pages="verify")
_SHARED = PolicyLine(PUBLIC, pages="shared", any_origin=True)
_BADGE_PAGE = PolicyLine(PUBLIC, pages="achievement", any_origin=True)
_KEY = PolicyLine("badges.read", (KEY,), frozenset({ALL}))
_READERS = PolicyLine("badges.read", (SESSION,), frozenset({ALL}), pages="staff")
_WORDS = PolicyLine("badge-words.change", (SESSION,), frozenset({ALL}), pages="staff")
_STOPS = PolicyLine("badges.stop", (SESSION,), frozenset({ALL}), pages="staff")
_RULES = PolicyLine("rules.change", (SESSION,), frozenset({ALL}), pages="staff")
_KEYS = PolicyLine("badge-keys.change", (SESSION,), frozenset({ALL}), pages="staff")

BADGE_TABLE: PolicyTable = {
    # whoever has the link to a badge of theirs
    ("GET", "/claim/{claim}"): _CLAIM,
    ("POST", "/claim/{claim}"): _CLAIM,
    ("GET", "/claim/{claim}/file"): _CLAIM,
    # staff
    ("GET", "/pages/badges/{id}"): _READERS,
    **listed("/staff/badges", _WORDS),
    ("GET", "/staff/badges/{achievement}"): _WORDS,
    ("POST", "/staff/badges/{achievement}"): _WORDS,
    ("GET", "/staff/badges/{achievement}/image.svg"): _WORDS,
    ("POST", "/staff/badges/{achievement}/endorse"): _WORDS,
    ("POST", "/staff/badges/{achievement}/image"): _WORDS,
    ("POST", "/staff/badges/{achievement}/image/remove"): _WORDS,
    ("GET", "/staff/badge/{id}"): _STOPS,
    ("POST", "/staff/badge/{id}"): _STOPS,
    ("GET", "/staff/revoke-badges"): _STOPS,
    ("POST", "/staff/revoke-badges"): _STOPS,
    ("POST", "/staff/badge/{id}/endorse"): _WORDS,
    **listed("/staff/event-codes", _WORDS),
    ("POST", "/staff/event-codes"): _WORDS,
    ("POST", "/staff/event-codes/end"): _WORDS,
    # what counts as evidence is the matter of whoever looks after the rules
    **listed("/staff/issuers", _RULES),
    ("POST", "/staff/issuers"): _RULES,
    ("POST", "/staff/issuers/remove"): _RULES,
    **listed("/staff/badge-keys", _KEYS),
    ("POST", "/staff/badge-keys"): _KEYS,
    ("POST", "/staff/badge-keys/compromised"): _KEYS,
    # what badges point to for ever, and the badges
    ("GET", "/t/{tenant}/did.json"): _BADGE,
    ("GET", "/.well-known/jwks.json"): _BADGE,
    ("GET", "/.well-known/issuer-registry.json"): _BADGE,
    ("GET", "/.well-known/jwt-vc-issuer/t/{tenant}"): _BADGE,
    ("GET", "/t/{tenant}/status/{name}"): _BADGE,
    ("GET", "/t/{tenant}/achievements/{id}"): _BADGE_PAGE,
    ("GET", "/t/{tenant}/achievements/{id}/image.png"): _BADGE,
    ("GET", "/t/{tenant}/achievements/{id}/image.svg"): _BADGE,
    ("GET", "/t/{tenant}/criteria/{id}"): _BADGE_PAGE,
    ("GET", "/t/{tenant}/competencies/{id}"): _BADGE_PAGE,
    ("GET", "/t/{tenant}/credentials/{id}"): _KEY,
    # whoever checks a badge
    ("GET", "/verify"): _VERIFY,
    ("POST", "/verify"): _VERIFY,
    ("POST", "/api/verify"): _OPEN,
    # what a wallet asks
    ("GET", "/t/{tenant}/exchanges/{exchange}"): _SHARED,
    ("POST", "/t/{tenant}/exchanges/{exchange}"): _BADGE,
    ("POST", "/t/{tenant}/exchanges/{exchange}/request"): _BADGE,
    ("GET", "/.well-known/openid-credential-issuer/t/{tenant}"): _BADGE,
    ("GET", "/.well-known/oauth-authorization-server/t/{tenant}"): _BADGE,
    ("GET", "/t/{tenant}/.well-known/openid-credential-issuer"): _BADGE,
    ("GET", "/t/{tenant}/.well-known/oauth-authorization-server"): _BADGE,
    ("GET", "/t/{tenant}/oid4vci/offers/{offer}"): _BADGE,
    ("POST", "/t/{tenant}/oid4vci/token"): _BADGE,
    ("POST", "/t/{tenant}/oid4vci/nonce"): _BADGE,
    ("POST", "/t/{tenant}/oid4vci/credential"): _BADGE,
    ("POST", "/t/{tenant}/oid4vci/notification"): _BADGE,
    # what a holder shares, and whoever has a certificate
    ("GET", "/t/{tenant}/check/{certificate}"): PolicyLine(PUBLIC, pages="shared"),
    ("GET", "/t/{tenant}/shared/{share}"): _SHARED,
    ("GET", "/t/{tenant}/shared/{share}/badge.png"): _SHARED,
    ("GET", "/t/{tenant}/shared/{share}/badge.svg"): _SHARED,
}
