"""Tokens of our forms, and addresses that a sign-in may lead to. Knows no page and no route."""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl

from starlette.requests import HTTPConnection

from lrs.access import Caller
from lrs.access.basic import BasicAuth
from lrs.access.policy.operators import OPERATOR
from lrs.access.policy.table import TABLE
from lrs.access.signed_in import OPEN, SignedIn, session_in
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import NotOurs, seal, unseal
from lrs.tenancy.tenants import Tenant
from lrs.web.addresses import Addresses
from lrs.web.exchange import exchange_of
from lrs.web.origins import session_cookie

_PLAIN = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]{1,200}){1,6}", re.ASCII)
"""A path without query, blanks, empty parts and dots."""
MOST_FIELDS = 30
NOT_WHOLE = "This form is not whole: open the page again."
_NOT_OURS = "This form did not come from a page shown to you, or you signed in again since. Go back and reload."


def signed_in(request: HTTPConnection) -> SignedIn | None:
    """Who is signed in in this browser, also on pages that do not ask for it."""
    tenant = exchange_of(request).tenant
    return session_in(tenant, request.cookies.get(session_cookie(tenant))) if tenant is not None else None


def sign_in(tenant: Tenant, basic: BasicAuth, form: Mapping[str, str], client: str) -> Caller:
    """The caller that *form* (key, secret) identifies, throttled as HTTP Basic is.

    Raises ``Refused`` (401, 403, 429).
    """
    credentials = f"{form.get('key', '').strip()}:{form.get('secret', '').strip()}"
    header = "Basic " + base64.b64encode(credentials.encode("utf-8", "replace")).decode()
    try:
        caller = basic.caller(tenant, header, client)
    except Refused as refused:
        if refused.status != 401:
            raise
        raise Refused("The key or its secret is wrong.", status=401, error="unauthorized") from None
    if not caller.may(OPEN):
        message = "This key cannot open these pages: it lacks the scope admin."
        raise Refused(message, status=403, error="forbidden")
    return caller


def form_token(tenant: Tenant, nonce: str) -> str:
    """The token of a form, which shows that it is ours."""
    return seal(tenant.secret("pages-form"), nonce)


def fields(tenant: Tenant, body: bytes, nonce: str | None) -> dict[str, str]:
    """The fields of a form that was shown with *nonce*. Raises ``Refused`` (403) for any other form."""
    return dict(pairs(tenant, body, nonce))


def pairs(tenant: Tenant, body: bytes, nonce: str | None, *, most: int = MOST_FIELDS) -> list[tuple[str, str]]:
    """The same for a form in which a field may occur more than once, with at most *most* fields."""
    try:
        form = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=most)
    except ValueError:
        form = []
    check_token(tenant, dict(form).get("form", ""), nonce)
    return form


def chosen(form: Mapping[str, str], field: str, among: Collection[str]) -> str:
    """What *field* of a form says, which is one of *among*. Raises ``Refused`` (400): no page of ours sends another."""
    value = form.get(field, "")
    if value not in among:
        raise not_whole()
    return value


def not_whole() -> Refused:
    """What is said of a form that no page of ours sends."""
    return Refused(NOT_WHOLE, error="bad_form")


def check_token(tenant: Tenant, token: str, nonce: str | None) -> None:
    """Refuses (403) a form whose *token* does not belong to *nonce*."""
    try:
        told = unseal(tenant.secret("pages-form"), token, str)
    except (ValueError, NotOurs):
        told = None
    if nonce is None or told != nonce:
        raise Refused(_NOT_OURS, status=403, error="bad_form")


def safe_return(root: str, then: str | None) -> str:
    """*then* if it is a page of this tenant behind the sign-in, otherwise empty.

    *root* is the path in front of the tenant's pages.
    """
    if not then or not then.startswith(f"{root}/"):
        return ""
    path = then[len(root) :]
    own = OPERATOR if root.endswith(OPERATOR) and not root.endswith(f"/t{OPERATOR}") else ""  # it may be a tenant
    place = _addresses().place(own + path) if _PLAIN.fullmatch(path) else None
    line = TABLE.get(("GET", place.route)) if place is not None and not place.base else None
    return then if line is not None and line.pages and not line.is_public else ""


@functools.cache
def _addresses() -> Addresses:
    return Addresses(TABLE)
