"""Every page for people: a template, filled in, with the policy of its line in the table of rights.

Templates are in ``templates/<audience>/``, shared parts in ``templates/shared/``: the frame (``base.html``) and the
parts of pages (``ui.html``, ``table.html``). Knows no room: a room calls ``page`` with the name of its template, and
passes in its ``Pages``. No value is markup: the only environment escapes every value, and a missing value is an error.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from lrs.access.source_names import SourceNames
from lrs.kernel.errors import Refused
from lrs.kernel.mail_server import is_loopback
from lrs.kernel.plain_text import sentence
from lrs.web.exchange import exchange_of, in_language
from lrs.web.frame import PRODUCT, Frame, FrameOf
from lrs.web.language import (
    COOKIE,
    ENGLISH,
    LEARNERS,
    PARAMETER,
    addresses_in,
    catalogue,
    said_in,
    set_framed_cookie,
)
from lrs.web.listing import say_list, say_sources
from lrs.web.page_policy import PagePolicy
from lrs.web.static_files import asset

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).parent / "templates"
MAILS = Path(__file__).parent / "mails"
"""Templates of mails (``lrs.web.letter``), which are rendered in the same way."""
_CLOSED = "This organisation's pages are closed for now. Ask whoever runs them."
"""For the public; programs and the operator are told more."""
_KEPT = 365 * 24 * 3_600
"""Seconds for which a browser keeps the language that was chosen."""
RefusalPage = Callable[[Request, Refused], Response]


def plain_frame(request: Request) -> Frame:
    """The frame of a page without sign-in: the organisation's name links to the first page."""
    exchange = exchange_of(request)
    tenant = exchange.tenant
    name = tenant.record.name if tenant is not None else ""
    return Frame(name or PRODUCT, f"{server_root(request)}{exchange.place.base}/")


class Pages(msgspec.Struct, frozen=True):
    """The common part of all pages of one name in the table of rights (``PolicyLine.pages``), given by a room.

    *refused* makes the page of a refusal. *negotiated*: programs ask at these addresses, too, and get JSON unless they
    prefer a page. *frame* makes the frame of each page.
    """

    policy: PagePolicy
    refused: RefusalPage
    negotiated: bool = False
    frame: FrameOf = plain_frame


def page(request: Request, template: str, status: int = 200, /, **shown: Any) -> Response:
    """The answer with *template* (``<audience>/<name>.html``), filled in with *shown*.

    It has the language of the exchange and the frame of the pages at this address. Where it offers ``languages``, one
    that was chosen in its address is kept.
    """
    policy, exchange, nonce = policy_of(request), exchange_of(request), secrets.token_urlsafe(18)
    names = SourceNames(exchange.tenant.store if exchange.tenant is not None else None)
    told: dict[str, Any] = {"nonce": nonce, "language": exchange.language, "source_name": names.called}
    told |= {"source_said": names.said, "asset": functools.partial(asset, server_root(request))}
    if "list" in shown:
        say_sources(shown["list"], names.called)
        if exchange.language != ENGLISH:
            say_list(shown["list"], catalogue(exchange.language).gettext)
    offers = "languages" in shown
    if offers:
        shown["languages"] = addresses_in(request, shown["languages"])
    frame = exchange.frame(request) if exchange.frame is not None else Frame()
    html = environment(exchange.language).get_template(template).render(frame=frame, **told, **shown)
    answer = HTMLResponse(html, status, policy.headers(nonce) | {"Content-Language": exchange.language})
    if offers:
        _keep_choice(request, answer)
    return answer


def page_in_language(request: Request, template: str, status: int = 200, /, **shown: Any) -> Response:
    """As ``page``, in the language of learners that the reader chose, with the ``languages`` to choose from."""
    in_language(request)
    return page(request, template, status, languages=LEARNERS, **shown)


def _keep_choice(request: Request, answer: Response) -> None:
    """Sets a cookie with the language in this address, for all pages that learners read.

    Where another site shows the page in a frame, the browser keeps the cookie for that site alone.
    """
    chosen = request.query_params.get(PARAMETER)
    if chosen is None or chosen not in LEARNERS:
        return
    if policy_of(request).framed_by:
        set_framed_cookie(answer, COOKIE, chosen, _KEPT)
    else:
        is_secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, chosen, max_age=_KEPT, httponly=True, samesite="lax", secure=is_secure, path="/")


def refusal_page(request: Request, refused: Refused, template: str, /, **shown: Any) -> Response:
    """The page of a refusal: what happened, where, and what to do. It is not cached.

    *template* extends ``shared/refused.html``. It gets the headers of *refused*, except the one that would open the
    browser's own login.
    """
    exchange = exchange_of(request)
    exchange.policy = replace(policy_of(request), caching="no-store")
    headers = {name: value for name, value in refused.headers if name.lower() != "www-authenticate"}
    is_public = refused.error in {"suspended", "closing"} and not template.startswith("operator/")
    english = _CLOSED if is_public else refused.message
    message = said_in(exchange.language, english)
    told = {
        "status": refused.status,
        "error": refused.error,
        "message": sentence(message),
        "is_english": message == english,
        "wait": headers.get("retry-after"),
    }
    answer = page(request, template, refused.status, **told, place=request.url.path, request_id=exchange.id, **shown)
    answer.headers.update(headers)
    return answer


def redirect(request: Request, address: str) -> RedirectResponse:
    """Redirects the browser to *address*, by GET."""
    return RedirectResponse(address, 303, policy_of(request).of_redirect())


def policy_of(request: Request) -> PagePolicy:
    """The policy of the pages at this address. Raises ``RuntimeError`` if the table has no pages there."""
    exchange = exchange_of(request)
    if exchange.policy is None:
        raise RuntimeError(f"the line of {exchange.place.route} in the table of rights names no pages")
    return exchange.policy


def server_root(request: Request) -> str:
    """The path in front of every address of this server: the path of ``LRS_PUBLIC_URL``, or nothing."""
    root: str = request.scope.get("root_path", "")
    return root.removesuffix(exchange_of(request).place.base)


def environment(language: str = ENGLISH) -> jinja2.Environment:
    """The only environment of templates, with the texts of *language*."""
    return _environment(language)


def is_of_this_machine(address: str) -> bool:
    """Whether *address* leads to the machine that reads it: nobody else can open it."""
    return is_loopback(urlsplit(str(address)).hostname or "")


@functools.cache
def _environment(language: str) -> jinja2.Environment:
    import jinja2  # noqa: PLC0415 (loaded for the first page)
    import markupsafe  # noqa: PLC0415 (as above)

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
    made.tests["of_this_machine"] = is_of_this_machine
    made.filters["sentence"] = lambda text: sentence(markupsafe.soft_str(text))
    texts = catalogue(language)
    made.install_gettext_callables(texts.gettext, texts.ngettext, newstyle=True)  # type: ignore[attr-defined] # by i18n
    return made
