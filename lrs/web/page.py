"""Every page that people see: a template, filled in, with the policy that its line in the table of rights stands for.

Templates lie in ``templates/<audience>/``, what they share in ``templates/shared/``: the frame (``base.html``) and the
parts that pages are made of (``ui.html``, ``table.html``). Knows no room: a room calls
``page`` with the name of its template, and hands in its ``Pages``. Nothing that is shown is markup: the one environment
escapes every value, and a value that is missing is an error.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from lrs.kernel.errors import Refused
from lrs.web.exchange import exchange_of
from lrs.web.frame import PRODUCT, Frame, FrameOf
from lrs.web.language import ENGLISH, catalogue
from lrs.web.page_policy import PagePolicy
from lrs.web.static_files import asset

TEMPLATES = Path(__file__).parent / "templates"
MAILS = Path(__file__).parent / "mails"
"""Templates of mails (``lrs.web.letter``), which are rendered by the same rules."""
RefusalPage = Callable[[Request, Refused], Response]


def plain_frame(request: Request) -> Frame:
    """The frame of a page for which nobody needs to be signed in: the organisation's name leads to the first page."""
    exchange = exchange_of(request)
    tenant = exchange.tenant
    name = tenant.record.name if tenant is not None else ""
    return Frame(name or PRODUCT, f"{server_root(request)}{exchange.place.base}/")


@dataclass(frozen=True, slots=True)
class Pages:
    """What pages of one name in the table of rights (``PolicyLine.pages``) have in common, as a room hands it in.

    *refused* makes the page that says no. *negotiated*: programs ask at these addresses, too, and get JSON unless they
    would rather have a page. *frame* is what stands round each of them.
    """

    policy: PagePolicy
    refused: RefusalPage
    negotiated: bool = False
    frame: FrameOf = plain_frame


def page(request: Request, template: str, status: int = 200, /, **shown: Any) -> Response:
    """The answer with *template* (``<audience>/<name>.html``), filled in with what is *shown*.

    It is in the exchange's language, and in the frame of the pages at this address.
    """
    policy, exchange, nonce = policy_of(request), exchange_of(request), secrets.token_urlsafe(18)
    told = {"nonce": nonce, "language": exchange.language, "asset": functools.partial(asset, server_root(request))}
    frame = exchange.frame(request) if exchange.frame is not None else Frame()
    html = environment(exchange.language).get_template(template).render(frame=frame, **told, **shown)
    return HTMLResponse(html, status, policy.headers(nonce) | {"Content-Language": exchange.language})


def refusal_page(request: Request, refused: Refused, template: str, /, **shown: Any) -> Response:
    """The page that says why not: what happened, where, and what to do. Nobody keeps it.

    *template* extends ``shared/refused.html``. The headers of *refused* go along, but for the one by which a browser
    would ask for a login of its own.
    """
    exchange = exchange_of(request)
    exchange.policy = replace(policy_of(request), caching="no-store")
    headers = {name: value for name, value in refused.headers if name.lower() != "www-authenticate"}
    told = {"status": refused.status, "message": refused.message, "wait": headers.get("retry-after")}
    answer = page(request, template, refused.status, **told, place=request.url.path, request_id=exchange.id, **shown)
    answer.headers.update(headers)
    return answer


def redirect(request: Request, address: str) -> RedirectResponse:
    """Leads the browser on to *address*, by GET."""
    return RedirectResponse(address, 303, policy_of(request).of_redirect())


def policy_of(request: Request) -> PagePolicy:
    """The policy of the pages at this address. Raises ``RuntimeError`` where there are to be none."""
    exchange = exchange_of(request)
    if exchange.policy is None:
        raise RuntimeError(f"the line of {exchange.place.route} in the table of rights names no pages")
    return exchange.policy


def server_root(request: Request) -> str:
    """The path in front of every address of this server: that of ``LRS_PUBLIC_URL``, or nothing."""
    root: str = request.scope.get("root_path", "")
    return root.removesuffix(exchange_of(request).place.base)


def environment(language: str = ENGLISH) -> jinja2.Environment:
    """The one environment of all templates, with the texts of *language*."""
    return _environment(language)


@functools.cache
def _environment(language: str) -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.FileSystemLoader(TEMPLATES), jinja2.PrefixLoader({"mails": jinja2.FileSystemLoader(MAILS)})]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    texts = catalogue(language)
    made.install_gettext_callables(texts.gettext, texts.ngettext, newstyle=True)  # type: ignore[attr-defined] # by i18n
    return made
