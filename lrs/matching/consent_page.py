"""The page on which a learner decides, as HTML and headers. Knows no store; what it says comes from the link.

No script, no outside resource, readable on a phone and by a screen reader. A form is accepted only together with the
cookie that was set when the page was shown, so no other site can answer for the learner (OWASP, signed double submit).
"""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jinja2

from lrs.kernel.errors import Refused
from lrs.kernel.sealed import NotOurs, seal, unseal
from lrs.matching import links, services
from lrs.matching.links import Link
from lrs.matching.services import Service
from lrs.tenancy.tenants import Tenant
from lrs.web.browsers import page_policy

COOKIE = "consent"
_BROWSER = re.compile(r"[A-Za-z0-9_-]{24}")
_CLOSE = "You can close this page."
_TEMPLATES = Path(__file__).parent.parent / "pages" / "templates"
_SHOWN = {
    services.PROFILES: "Your competencies, how well you hold them and until when, and which badges you have",
    services.EVIDENCE: "How much evidence stands behind each competency",
    services.BADGES: "Your badges themselves, so that it can check who issued them",
    services.GAP: "What you would still need for a role it has in mind",
}


def shown(tenant: Tenant, token: str, browser: str, nonce: str) -> str:
    """The question, or what was decided. *browser* is what the cookie says; *nonce* marks the style.

    Raises ``Refused`` (404, 410).
    """
    link, service = links.opened(tenant, token)
    name = service.name if service else link.service
    if link.state == links.AGREED and not links.holds(tenant, link, service):
        return said("You agreed, and that has ended", f"{name} sees nothing of your profile. {_CLOSE}", nonce)
    if link.state == links.AGREED:
        return said(
            "You agreed", f"{name} can see what you agreed to, until you withdraw it or it ends. {_CLOSE}", nonce
        )
    if link.state == links.REFUSED or service is None:
        return said("You did not agree", f"Through this link {name} sees nothing of your profile. {_CLOSE}", nonce)
    return ask(tenant, link, service, browser, nonce)


def ask(tenant: Tenant, link: Link, service: Service, browser: str, nonce: str) -> str:
    """The question; its form says for which *browser* it was made."""
    return _render(
        nonce,
        title="Share your skill profile?",
        ask={
            "service": service.name,
            "purpose": link.purpose,
            "shown": [_SHOWN[scope] for scope in link.scopes],
            "duration": _duration(link.consent_days),
            "badges": services.BADGES in link.scopes,
            "form": form_token(tenant, link.id, browser),
        },
    )


def said(title: str, message: str, nonce: str) -> str:
    """A page that says one thing."""
    return _render(nonce, title=title, ask=None, message=message)


def headers(nonce: str) -> dict[str, str]:
    """What keeps the page to itself: no other site may frame it, feed it, keep it or learn its address."""
    return page_policy(nonce) | {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


def browser_of(cookie: str | None) -> str:
    """What the *cookie* of an earlier showing says, so that a second tab does not spoil the first one's form."""
    return cookie if cookie and _BROWSER.fullmatch(cookie) else secrets.token_urlsafe(18)


def form_token(tenant: Tenant, link: str, browser: str) -> str:
    """What the form sends back: this link and this browser, signed."""
    return seal(tenant.secret("consent-form"), (link, browser))


def decide(tenant: Tenant, token: str, body: bytes, cookie: str | None) -> None:
    """Takes the answer in the form *body*; what was decided already stays. Raises ``Refused`` (400, 404, 410)."""
    link, _ = links.opened(tenant, token)
    if link.state != links.OPEN:
        return
    form = _form(body)
    answer = form.get("answer", "")
    if answer not in {"agree", "refuse"} or not is_from_page(tenant, link, form.get("form", ""), cookie):
        raise Refused("The answer did not come from our page. Open the link again, and allow cookies.")
    links.decide(tenant, token, agree=answer == "agree")


def is_from_page(tenant: Tenant, link: Link, token: str, cookie: str | None) -> bool:
    """Whether the form's *token* was made for this link and for the browser that has the *cookie*."""
    try:
        return unseal(tenant.secret("consent-form"), token, tuple[str, str]) == (link.id, cookie)
    except NotOurs:
        return False


def _form(body: bytes) -> dict[str, str]:
    """The fields of the form; of one that is none of ours, nothing."""
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=10))
    except ValueError:
        return {}


def _render(nonce: str, **shown: str | Mapping[str, Any] | None) -> str:
    return _templates().get_template("consent.html").render(nonce=nonce, **shown)


@functools.cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(_TEMPLATES)
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)


def _duration(days: int | None) -> str:
    if days is None:
        return "Until you withdraw."
    return "For one day." if days == 1 else f"For {days} days, then it ends by itself."
