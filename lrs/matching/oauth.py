"""The rules of the token endpoint: OAuth 2.0 client credentials (RFC 6749 sections 2.3.1, 4.4, 5).

Knows no web framework.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from lrs.access.throttle import Throttle
from lrs.kernel.errors import Refused
from lrs.matching import services, tokens
from lrs.matching.services import Service
from lrs.tenancy.tenants import Tenant

_ONE_EACH = ("grant_type", "scope", "client_id", "client_secret")


def answer(
    tenant: Tenant, authorization: str | None, content_type: str, body: bytes, guesses: Throttle, client: str
) -> dict[str, Any]:
    """The answer to a token request with these headers and this form, from the address *client*.

    Raises ``Refused`` with an error of section 5.2, or 429 for too many wrong secrets, which *guesses* counts.
    """
    form = _form(content_type, body)
    id, secret = _credentials(authorization, form)
    service = services.authenticate(tenant, id, secret)
    if service is None:
        why = "unknown client, wrong secret, or a client that was disabled"
        raise guesses.wrong(tenant.id, client) or _wrong("invalid_client", why, 401)
    if form.get("grant_type") != "client_credentials":
        raise _wrong("unsupported_grant_type", "the grant_type can only be client_credentials")
    scopes = _scopes(service, form.get("scope"))
    token = tokens.issue(tenant, service, scopes)
    return {"access_token": token, "token_type": "Bearer", "expires_in": tokens.LASTS, "scope": " ".join(scopes)}


def _wrong(error: str, why: str, status: int = 400) -> Refused:
    challenge = (("WWW-Authenticate", 'Basic realm="engraft"'),) if status == 401 else ()
    return Refused(why, status=status, error=error, headers=challenge)


def _form(content_type: str, body: bytes) -> dict[str, str]:
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise _wrong("invalid_request", "send application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        raise _wrong("invalid_request", "the form cannot be read") from error
    form: dict[str, str] = {}
    for name, value in pairs:
        if name in form and name in _ONE_EACH:
            raise _wrong("invalid_request", f"{name} was sent twice")
        form[name] = value
    if not form.get("grant_type"):
        raise _wrong("invalid_request", "grant_type is missing")
    return form


def _credentials(authorization: str | None, form: Mapping[str, str]) -> tuple[str, str]:
    """The client id and secret: by header (client_secret_basic) or form (client_secret_post), never both (2.3)."""
    scheme, _, told = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    if "client_secret" in form:
        raise _wrong("invalid_request", "send the client's secret in the header or in the form, not in both")
    try:
        id, colon, secret = base64.b64decode(told.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise _wrong("invalid_client", "the Authorization header cannot be read", 401) from error
    if not colon or form.get("client_id", unquote_plus(id)) != unquote_plus(id):
        raise _wrong("invalid_client", "the header and the form name different clients", 401)
    return unquote_plus(id), unquote_plus(secret)


def _scopes(service: Service, asked: str | None) -> tuple[str, ...]:
    """The requested scopes; by default all that the service has (section 3.3)."""
    wanted = (asked or "").split()
    if not set(wanted) <= set(service.scopes):
        raise _wrong("invalid_scope", f"this client has: {' '.join(service.scopes)}")
    return tuple(scope for scope in service.scopes if not wanted or scope in wanted)
