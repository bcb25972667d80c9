"""The way to a provider and back: authorization code flow with PKCE, state and nonce. Knows no cookie and no account.

What has to be remembered meanwhile stands, hidden, in a text that the browser keeps. Sources: OpenID Connect Core 1.0
3.1; RFC 7636; RFC 9207 (``iss``); RFC 9700 (Best Current Practice for OAuth 2.0 Security).
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from lrs.access.oidc import providers
from lrs.access.oidc.documents import Discovery, Documents, calling, lie, unreachable
from lrs.access.oidc.id_token import Claims, header_of, verified
from lrs.access.oidc.providers import Provider
from lrs.kernel import outbound, strict_json
from lrs.kernel.base64url import base64url
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import NotOurs, hide, reveal
from lrs.kernel.times import SECOND
from lrs.tenancy.tenants import Tenant

LASTS = 10 * 60
"""Seconds that somebody may take at the provider."""
SCOPES = "openid email profile"


class Begun(msgspec.Struct, frozen=True):
    """A sign-in that is under way: for which *audience*, where it leads *then*, and which *invitation* it uses."""

    provider: str
    state: str
    nonce: str
    verifier: str
    until: int
    redirect_uri: str
    audience: str
    then: str = ""
    invitation: str = ""


class Returned(msgspec.Struct, frozen=True):
    """Somebody who came back: what the provider says of them, and what was *begun*."""

    provider: Provider
    claims: Claims
    begun: Begun


def begin(
    tenant: Tenant,
    documents: Documents,
    name: str,
    redirect_uri: str,
    audience: str,
    *,
    then: str = "",
    invitation: str = "",
) -> tuple[str, str]:
    """The address at the provider *name* to go to, and the text that the browser keeps. Raises ``Refused``."""
    provider = providers.provider(tenant.store, name)
    if not provider.is_for(audience):
        raise Refused("This sign-in is not for you.", status=404, error="not_found")
    discovery = documents.discovery(tenant, provider)
    state, nonce, verifier = (secrets.token_urlsafe(size) for size in (24, 24, 48))
    until = tenant.clock() + LASTS * SECOND
    begun = Begun(name, state, nonce, verifier, until, redirect_uri, audience, then, invitation)
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": SCOPES,
        "state": state,
        "nonce": nonce,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    between = "&" if "?" in discovery.authorization else "?"
    return f"{discovery.authorization}{between}{urlencode(asked)}", hide(_key(tenant), begun)


def finish(tenant: Tenant, documents: Documents, kept: str | None, query: Mapping[str, str]) -> Returned:
    """Who came back with *query*, to the browser that *kept* the text of ``begin``. Raises ``Refused``."""
    begun = _begun(tenant, kept, query.get("state", ""))
    provider = providers.provider(tenant.store, begun.provider)
    if query.get("iss", provider.issuer) != provider.issuer:
        raise lie(provider, "the answer is another provider's")
    if "code" not in query:
        raise _not_let_through(provider, query.get("error", ""))
    discovery = documents.discovery(tenant, provider)
    token = _token(tenant, provider, discovery, begun, query["code"])
    kid = header_of(token).get("kid")
    keys = documents.keys(tenant, provider, discovery, kid if isinstance(kid, str) else None)
    return Returned(provider, verified(token, keys, provider, begun.nonce, tenant.clock() // SECOND), begun)


def _begun(tenant: Tenant, kept: str | None, state: str) -> Begun:
    try:
        begun = reveal(_key(tenant), kept or "", Begun)
    except NotOurs:
        begun = None
    is_ours = begun is not None and hmac.compare_digest(begun.state.encode(), state.encode("utf-8", "replace"))
    if begun is None or not is_ours or begun.until <= tenant.clock():
        message = "This sign-in was not begun in this browser, or took longer than ten minutes. Begin again."
        raise Refused(message, status=403, error="bad_state")
    return begun


def _not_let_through(provider: Provider, error: str) -> Refused:
    if error == "access_denied":
        return Refused(f"You, or {provider.label}, stopped the sign-in.", status=403, error="forbidden")
    return Refused(
        f"The provider {provider.label} did not sign you in. Try again.", status=502, error="untrusted_provider"
    )


def _token(tenant: Tenant, provider: Provider, discovery: Discovery, begun: Begun, code: str) -> str:
    """The ID token that the provider gives for *code* (OpenID Connect Core 3.1.3)."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": begun.redirect_uri,
        "code_verifier": begun.verifier,
    }
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    secret = providers.secret_of(tenant, provider)
    if secret is None:
        form["client_id"] = provider.client_id
    elif discovery.is_posting_secret:
        form |= {"client_id": provider.client_id, "client_secret": secret}
    else:
        pair = f"{quote(provider.client_id, safe='')}:{quote(secret, safe='')}".encode()  # RFC 6749 2.3.1
        headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    try:
        with calling():
            answer = outbound.post(discovery.token, urlencode(form).encode(), headers, tenant.settings)
    except outbound.Blocked as blocked:
        raise lie(provider, f"the settings of this server allow no call to it ({blocked})") from blocked
    except outbound.Unreachable as error:
        raise unreachable(provider.label) from error
    if answer.status >= 500:
        raise unreachable(provider.label)
    if answer.status != 200:
        raise lie(provider, f"it answered {answer.status} when it was asked who signed in")
    return _id_token(provider, answer.body)


def _id_token(provider: Provider, body: bytes) -> str:
    try:
        told: Any = strict_json.parse(body)
    except Refused as error:
        raise lie(provider, "its answer is no JSON") from error
    token = told.get("id_token") if isinstance(told, dict) else None
    if not isinstance(token, str):
        raise lie(provider, "it did not say who signed in")
    return token


def _challenge(verifier: str) -> str:
    return base64url(sha256(verifier.encode()).digest())


def _key(tenant: Tenant) -> bytes:
    return tenant.secret("oidc-begun")
