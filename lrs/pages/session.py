"""An administrator's session: signed in with an API key, kept in a cookie, over as soon as the key is.

The cookie is the token of a session (``lrs.access.sessions``). Every request looks the session and its key up again, so
that ending the one, or revoking the other, holds at once. Every form carries a token bound to the session (before there
is one, to a cookie of its own), so that no other site can send it (OWASP, signed double submit). Knows no page and no
HTTP framework.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from lrs.access import SESSION, Caller, sessions
from lrs.access.basic import Door
from lrs.access.keys import active_key
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import NotOurs, seal, unseal
from lrs.tenancy.tenants import Tenant

COOKIE = "engraft-pages"
FORM_COOKIE = "engraft-sign-in"
OPEN = "sessions.open"
"""The right to sign in."""
_PLACES = r"(?:/learners(?:/[A-Za-z0-9-]{1,64})?|/work)?"


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in; *nonce* is the session's id, and in the token of each of its forms."""

    caller: Caller
    nonce: str

    @property
    def by(self) -> str:
        """Who did something, for the audit chain."""
        return self.caller.subject


def sign_in(tenant: Tenant, door: Door, form: Mapping[str, str], client: str) -> Caller:
    """Who *form* (key, secret) proves to be, slowed down like HTTP Basic. Raises ``Refused`` (401, 403, 429)."""
    credentials = f"{form.get('key', '').strip()}:{form.get('secret', '').strip()}"
    header = "Basic " + base64.b64encode(credentials.encode("utf-8", "replace")).decode()
    try:
        caller = door.caller(tenant, header, client)
    except Refused as refused:
        if refused.status != 401:
            raise
        raise Refused("The key or its secret is wrong.", status=401, error="unauthorized") from None
    if not caller.may(OPEN):
        message = "This key cannot open these pages: it lacks the scope admin."
        raise Refused(message, status=403, error="forbidden")
    return caller


def session_in(tenant: Tenant, cookie: str | None) -> Session | None:
    """The session that *cookie* stands for, or ``None``: not ours, ended, or its key may no longer."""
    found = sessions.find_session(tenant, cookie) if cookie else None
    caller = active_key(tenant, found.subject.removeprefix("key ")) if found else None
    if found is None or caller is None or not caller.may(OPEN):
        return None
    return Session(replace(caller, via=SESSION), found.id)


def form_token(tenant: Tenant, nonce: str) -> str:
    """What a form sends back to show that it is ours."""
    return seal(tenant.secret("pages-form"), nonce)


def fields(tenant: Tenant, body: bytes, nonce: str | None) -> dict[str, str]:
    """The fields of a form that was shown under *nonce*. Raises ``Refused`` (403) for any other."""
    try:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=10))
        told = unseal(tenant.secret("pages-form"), form.get("form", ""), str)
    except (ValueError, NotOurs):
        told = None
    if nonce is None or told != nonce:
        message = "This form did not come from a page shown to you, or you signed in again since. Go back and reload."
        raise Refused(message, status=403, error="bad_form")
    return form


def safe_return(base: str, then: str | None) -> str:
    """*then* if it is a page of ours under *base*, else the first one: nobody is sent anywhere else."""
    if then and re.fullmatch(re.escape(base) + _PLACES, then, re.ASCII):
        return then
    return f"{base}/learners"
