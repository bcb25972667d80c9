"""The shared parts of all ways of signing in: forms without a session, and the cookies after signing in.

Such a form, a link or a code is bound to the browser by a cookie with a random token.
"""

import secrets
from typing import Any

from fastapi import Request, Response

from lrs.access.sessions import LASTS, SigningIn, find_session
from lrs.access.signed_in import subject_of
from lrs.kernel.errors import Refused
from lrs.kernel.times import DAY, SECOND
from lrs.pages import session
from lrs.pages.visit import ACCOUNT, home_of
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import in_language
from lrs.web.language import LEARNERS
from lrs.web.origins import base_of, drop_cookie, form_cookie, session_cookie, set_cookie, then_cookie
from lrs.web.page import page, redirect

FORM_LASTS = LASTS // SECOND
DEVICE_LASTS = 180 * DAY // SECOND
"""Seconds for which a browser remembers who signed in there last."""
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android")),
    *(("Windows", "Windows"), ("Mac OS", "Mac"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


def browser_token(request: Request, tenant: Tenant) -> str | None:
    """The random token in the cookie of this browser."""
    return request.cookies.get(form_cookie(tenant))


def known_or_new(request: Request, tenant: Tenant) -> str:
    """The token of this browser, or a new one for it."""
    return browser_token(request, tenant) or secrets.token_urlsafe(24)


def form_page(
    request: Request,
    tenant: Tenant,
    template: str,
    refused: Refused | None = None,
    /,
    *,
    browser: str = "",
    **shown: Any,
) -> Response:
    """A page with a form for somebody who is not signed in, and the reason if the form before was *refused*.

    One cookie serves all tabs of a browser. *browser* is its token, if that is known.
    """
    nonce = browser or known_or_new(request, tenant)
    told = {"root": base_of(request), "form": session.form_token(tenant, nonce)}
    told |= {"problem": refused.message if refused else ""}
    answer = page(request, template, refused.status if refused else 200, **told | shown)
    answer.headers.update(dict(refused.headers) if refused else {})
    set_cookie(answer, tenant, form_cookie(tenant), nonce, FORM_LASTS)
    return answer


def learners_page(
    request: Request, tenant: Tenant, template: str, refused: Refused | None = None, /, **shown: Any
) -> Response:
    """The same for a learner, in the language that they chose or their browser prefers."""
    in_language(request)
    told: dict[str, Any] = {"why": refused.status if refused else 0, "languages": LEARNERS}
    return form_page(request, tenant, template, refused, **told | shown)


def fields(request: Request, tenant: Tenant, body: bytes) -> dict[str, str]:
    """The fields of such a form.

    Raises ``Refused`` (403) if this browser was not shown the form, or keeps no cookies.
    """
    nonce = browser_token(request, tenant)
    if nonce is None:
        message = "Your browser kept no cookie of ours. Allow cookies for this site, go back, reload, and try again."
        raise Refused(message, status=403, error="no_cookie")
    return session.fields(tenant, body, nonce)


def way(request: Request, tenant: Tenant, how: str) -> SigningIn:
    """How this browser signs in."""
    return SigningIn(
        how, browser_of(request.headers.get("user-agent", "")), request.cookies.get(session_cookie(tenant))
    )


def entered(request: Request, tenant: Tenant, token: str, then: str = "", home: str = "") -> Response:
    """Sets the session *token* in the browser, and redirects to *then*, to *home*, or to the first page.

    A learner returns to the page from which they asked for a message. The browser also gets a new token for forms.
    """
    root = base_of(request)
    found = find_session(tenant, token)
    caller = subject_of(tenant, found.subject) if found else None
    first = home or (home_of(caller) if caller else ACCOUNT)
    if not then and caller is not None and caller.person:
        then = request.cookies.get(then_cookie(tenant), "")
    answer = redirect(request, session.safe_return(root, then) or f"{root}{first}")
    set_cookie(answer, tenant, session_cookie(tenant), token, FORM_LASTS)
    drop_cookie(answer, tenant, form_cookie(tenant))
    drop_cookie(answer, tenant, then_cookie(tenant))
    return answer


def browser_of(agent: str) -> str:
    """The name of a browser in two words that its owner knows."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    return " on ".join(filter(None, (browser, system))) or "an unknown browser"
