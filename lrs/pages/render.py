"""From a page's data to HTML and headers. Knows no store and no route; templates escape every value."""

from __future__ import annotations

import functools
import secrets
from pathlib import Path
from typing import Any

import jinja2
from fastapi.responses import HTMLResponse

from lrs.web.browsers import page_policy

_TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, status: int = 200, **shown: Any) -> HTMLResponse:
    """The answer with *template* filled in: never kept, never framed, no script, nothing from elsewhere."""
    nonce = secrets.token_urlsafe(18)
    html = _templates().get_template(template).render(nonce=nonce, **shown)
    return HTMLResponse(html, status, headers(nonce))


def headers(nonce: str) -> dict[str, str]:
    """What keeps a page to itself; *nonce* marks its only style."""
    return page_policy(nonce) | {
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


@functools.cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(_TEMPLATES)
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
