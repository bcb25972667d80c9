"""The addresses by which a wallet begins: of the exchange, of the offer, and the links that open an app. Pure.

Sources: W3C CCG "VC API", "Interaction URL"; OpenID4VCI 1.0, 4.1 (credential offer); the deep links of the Learner
Credential Wallet.
"""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode


def base_of_tenant(root: str, tenant: str) -> str:
    """The address that all those of *tenant* begin with; it is also its name as a credential issuer."""
    return f"{root.rstrip('/')}/t/{tenant}"


def exchange(base: str, token: str) -> str:
    """The address of a VC-API exchange."""
    return f"{base}/exchanges/{token}"


def interaction(base: str, token: str) -> str:
    """The interaction URL, which lists the protocols: for QR codes and links."""
    return f"{exchange(base, token)}?iuv=1"


def offer(base: str, code: str) -> str:
    """The link that opens a wallet of OpenID4VCI, for the offer with *code*."""
    return f"openid-credential-offer://?{urlencode({'credential_offer_uri': f'{base}/oid4vci/offers/{code}'})}"


def protocols(base: str, token: str, code: str) -> dict[str, dict[str, str]]:
    """What the interaction URL answers for the exchange with *token* and the offer with *code*."""
    return {"protocols": {"vcapi": exchange(base, token), "OID4VCI": offer(base, code)}}


def deep_link(base: str, token: str, code: str) -> str:
    """The link that opens the Learner Credential Wallet."""
    return f"dccrequest://?request={quote(json.dumps(protocols(base, token, code), separators=(',', ':')), safe='')}"


def old_deep_link(base: str, token: str, issuer: str, challenge: str) -> str:
    """The link for older editions of it: the presentation is posted bare, and the badge comes back bare."""
    told = {
        "issuer": issuer,
        "vc_request_url": f"{exchange(base, token)}/request",
        "challenge": challenge,
        "auth_type": "bearer",
    }
    return f"dccrequest://request?{urlencode(told)}"
