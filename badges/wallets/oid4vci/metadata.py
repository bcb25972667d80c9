"""What a wallet reads before it asks: the issuer, its authorization server, and an offer. Pure; knows no route.

Sources: OpenID4VCI 1.0, 4.1 (offer), 12.2 (metadata), A.1.2 (``ldp_vc``), A.3 (``dc+sd-jwt``); RFC 8414. ``issuer`` and
``token_endpoint`` stand in the issuer's metadata, too, because oid4-client reads them there.
"""

from __future__ import annotations

from typing import Any

from badges.forms import sd_jwt
from badges.keys.did_keys import ALGORITHMS
from badges.keys.issuer import Issuer
from badges.keys.jose import key_for_jwt
from badges.proofs.contexts import CREDENTIALS_V2, OPEN_BADGES
from badges.proofs.sign import SUITE

LDP, SD_JWT = "OpenBadgeCredential", "OpenBadgeCredential.sd-jwt"
"""The credential configurations, which are also the credential identifiers."""
FORMATS = {LDP: "ldp_vc", SD_JWT: "dc+sd-jwt"}
GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
DETAILS = "openid_credential"
CODE_LENGTH = 6


def issuer_metadata(base: str, issuer: Issuer) -> dict[str, Any]:
    """The metadata of the credential issuer *base*."""
    return {
        "credential_issuer": base,
        "authorization_servers": [base],
        **_endpoints(base),
        "display": [{"name": issuer.profile()["name"], "locale": "en"}],
        "credential_configurations_supported": _configurations(issuer),
        "issuer": base,
        "token_endpoint": f"{base}/oid4vci/token",
    }


def server_metadata(base: str) -> dict[str, Any]:
    """The metadata of its authorization server, which is itself."""
    return {
        "issuer": base,
        "token_endpoint": f"{base}/oid4vci/token",
        "grant_types_supported": [GRANT],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["none"],
        "pre-authorized_grant_anonymous_access_supported": True,
        "authorization_details_types_supported": [DETAILS],
    }


def configurations(issuer: Issuer) -> list[str]:
    """The credential configurations that *issuer* can give: an SD-JWT only while a key signs JWTs."""
    return [LDP] if key_for_jwt(issuer) is None else [LDP, SD_JWT]


def offer(base: str, code: str, issuer: Issuer) -> dict[str, Any]:
    """The offer of *issuer* with the pre-authorized *code*."""
    asked = {
        "input_mode": "numeric",
        "length": CODE_LENGTH,
        "description": "The six digits on the page of your badge.",
    }
    return {
        "credential_issuer": base,
        "credential_configuration_ids": configurations(issuer),
        "grants": {GRANT: {"pre-authorized_code": code, "tx_code": asked}},
    }


def _endpoints(base: str) -> dict[str, str]:
    return {f"{name}_endpoint": f"{base}/oid4vci/{name}" for name in ("credential", "nonce", "notification")}


def _configurations(issuer: Issuer) -> dict[str, Any]:
    key = key_for_jwt(issuer)
    proof = {"proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": list(ALGORITHMS)}}}
    shown = {"credential_metadata": {"display": [{"name": "Open Badge", "locale": "en"}]}}
    definition = {"@context": [CREDENTIALS_V2, OPEN_BADGES], "type": ["VerifiableCredential", "OpenBadgeCredential"]}
    found: dict[str, Any] = {
        LDP: {
            "format": FORMATS[LDP],
            "scope": LDP,
            "credential_definition": definition,
            "cryptographic_binding_methods_supported": ["did:key", "did:jwk"],
            "credential_signing_alg_values_supported": [SUITE],
            **proof,
            **shown,
        }
    }
    if key is not None:
        found[SD_JWT] = {
            "format": FORMATS[SD_JWT],
            "scope": SD_JWT,
            "vct": sd_jwt.TYPE,
            "cryptographic_binding_methods_supported": ["jwk"],
            "credential_signing_alg_values_supported": [key.jws_algorithm],
            **proof,
            **shown,
        }
    return found
