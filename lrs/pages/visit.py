"""The signed-in visitor of a page: the dependency of each route behind the sign-in, and its refusals.

The cookie is the token of a session (``lrs.access.sessions``). Every form has a token that is bound to the session (or,
before there is one, to a cookie of its own), so that no other site can send it (OWASP, signed double submit).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse
from starlette.requests import HTTPConnection
from starlette.types import Scope

from lrs.access import Caller
from lrs.access.policy.operators import OPERATOR
from lrs.access.policy.table import TABLE, admit
from lrs.access.signed_in import SignedIn, session_in
from lrs.kernel.errors import Refused
from lrs.pages import session
from lrs.tenancy.tenants import CONTROL, Tenant
from lrs.web.exchange import Exchange, exchange_of, in_language, tenant_of
from lrs.web.frame import Frame, Place
from lrs.web.language import DONE, ENGLISH, said_in
from lrs.web.late import Router
from lrs.web.origins import base_of, session_cookie
from lrs.web.page import Pages, page, plain_frame, redirect, refusal_page
from lrs.web.page_policy import PagePolicy
from lrs.web.routing import Here, small_body

SIGN_IN_FIRST = "sign_in_first"
"""The error for a request without a session."""
SIGNED_IN: dict[str, Any] = {"security": [{"session": []}]}
REFUSALS: dict[int | str, dict[str, Any]] = {
    "default": {"description": "A page that says why not, or 303 to the sign-in.", "content": {"text/html": {}}}
}
HOMES = ("/console", "/provider", "/employer", "/staff", "/arrivals", "/connect", "/staff/members", "/me")
"""The first pages after signing in: the first one that exists and that the visitor may see. Everybody has an account.
"""
ACCOUNT = "/account"
PLACES = (
    ("me", "My skills", "/me", ""),
    ("roles", "For a role", "/me/roles", ""),
    ("plan", "My plan", "/me/plan", ""),
    ("sharing", "Who sees this", "/me/sharing", ""),
    ("own-data", "My data", "/me/data", ""),
    ("console", "Console", "/console", ""),
    ("home", "Start", "/staff", ""),
    ("sessions", "Sessions", "/staff/sessions", "Learners"),
    ("learners", "Learners", "/staff/learners", "Learners"),
    ("provider", "Your files", "/provider", ""),
    ("apprentices", "Your apprentices", "/provider/apprentices", ""),
    ("employer", "Your staff", "/employer", ""),
    ("questions", "Questions", "/staff/questions", "Learners"),
    ("imports", "Imports", "/staff/imports", "Records"),
    ("arrivals", "Arrivals", "/arrivals", "Records"),
    ("connect", "Connect", "/connect", "Records"),
    ("lms", "Learning platforms", "/staff/lms", "Records"),
    ("rules", "Rules", "/staff/rules", "Skills"),
    ("badges", "Badges", "/staff/badges", "Skills"),
    ("courses", "Courses", "/staff/courses", "Skills"),
    ("catalogue", "Catalogue", "/staff/catalogue", "Skills"),
    ("planning", "Planning", "/planning", "Skills"),
    ("services", "Services", "/staff/services", "Running"),
    ("work", "Work", "/pages/work", "Running"),
    ("members", "People and roles", "/staff/members", "Running"),
)
"""The navigation: a name for ``here``, a text, the pattern of a page, and the word under which it stands among many."""
OPERATOR_PLACES = (
    ("now", "Now", OPERATOR, ""),
    ("organisations", "Organisations", f"{OPERATOR}/organisations", ""),
    ("operators", "Operators", f"{OPERATOR}/people", ""),
    ("audit", "Record of actions", f"{OPERATOR}/audit", ""),
    ("system", "System", f"{OPERATOR}/system", ""),
)
"""The same for the operator of the installation."""


def page_router(prefix: str = "") -> Router:
    """The router of pages for people, at addresses that begin with *prefix*."""
    return Router(prefix=prefix, tags=["pages"], default_response_class=HTMLResponse, responses=REFUSALS)


def form_body(*fields: str) -> dict[str, Any]:
    """The OpenAPI description of the body of a route that reads one of our forms."""
    properties = {name: {"type": "string"} for name in ("form", *fields)}
    properties["form"]["description"] = "The token that the page before gave out."
    schema = {"type": "object", "required": ["form"], "properties": properties}
    return {"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}}


def uploads(*texts: str) -> dict[str, Any]:
    """What OpenAPI is told of a form with a file, and with the further fields *texts*."""
    fields = {
        "form": {"type": "string", "description": "The token that the page before gave out."},
        **{name: {"type": "string"} for name in texts},
        "file": {"type": "string", "format": "binary"},
    }
    schema = {"type": "object", "required": ["form", "file"], "properties": fields}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


class Visit(msgspec.Struct, frozen=True):
    """Who is signed in and asks for a page of a tenant, and how to answer them.

    *root* is the path in front of all its pages, *base* that of the pages in ``/pages``. *done* is the message about
    the last form.
    """

    request: Request
    tenant: Tenant
    root: str
    session: SignedIn
    done: str

    @property
    def base(self) -> str:
        """The path of the pages that lie under ``/pages``."""
        return f"{self.root}/pages"

    @property
    def caller(self) -> Caller:
        """The visitor as the server knows them: rights, person, name."""
        return self.session.caller

    def page(self, template: str, status: int = 200, **shown: Any) -> Response:
        """A page with the values that every page has."""
        told = {
            "root": self.root,
            "base": self.base,
            "form": session.form_token(self.tenant, self.session.nonce),
            "who": _named(self.caller),
            "done": said_in(exchange_of(self.request).language, self.done),
        }
        return page(self.request, template, status, **told | shown)

    def fields(self, body: bytes) -> dict[str, str]:
        """The fields of a form of this session's. Raises ``Refused`` (403)."""
        return session.fields(self.tenant, body, self.session.nonce)

    def back(self, place: str, done: str) -> Response:
        """Redirects to *place* under ``base`` with the message *done*."""
        return self.on(f"/pages/{place}", done)

    def on(self, place: str, done: str = "") -> Response:
        """Redirects to *place*, such as ``/account``, with the message *done*."""
        return redirect(self.request, f"{self.root}{place}{f'?{DONE}={done}' if done else ''}")


def may(caller: Caller) -> Callable[..., bool]:
    """For templates: whether *caller* may open the page, or send the form, at a pattern of the table of rights."""

    def asked(pattern: str, method: str = "GET") -> bool:
        try:
            admit(method, pattern, caller)
        except Refused:
            return False
        return True

    return asked


def has_place(caller: Caller, name: str, pattern: str) -> bool:
    """Whether a page stands among the places of *caller*: *Imports* do not where *Your files* are all they reach."""
    sees = may(caller)
    return sees(pattern) and (name != "imports" or caller.may_all("imports.run") or not sees("/provider"))


def home_of(caller: Caller) -> str:
    """The path, without the root, of the first page of *caller*."""
    if caller.tenant == CONTROL:
        return ""  # an operator's first page is the root of theirs
    sees = may(caller)
    return next((place for place in HOMES if ("GET", place) in TABLE and sees(place)), ACCOUNT)


def by_session(exchange: Exchange, tenant: Tenant, scope: Scope) -> Caller:
    """The caller by the session cookie; stores ``SignedIn`` in the request. Raises ``Refused`` (401)."""
    found = session_in(tenant, HTTPConnection(scope).cookies.get(session_cookie(tenant)))
    if found is None:
        raise Refused("Sign in first.", status=401, error=SIGN_IN_FIRST)
    exchange.behind = found
    return found.caller


SENTENCES: dict[str, str] = {}
TO_LEARNERS: dict[str, str] = {}
"""Those of ``SENTENCES`` that stand on pages of learners: the catalogue of texts has them."""


def says(**sentences: str) -> None:
    """Adds messages that pages show after a form, by the word in the address.

    Raises ``ValueError`` if a word has another message already.
    """
    twice = [word for word in sentences if SENTENCES.get(word, sentences[word]) != sentences[word]]
    if twice:
        raise ValueError(f"two rooms have a message for {', '.join(twice)}")
    SENTENCES.update(sentences)


def says_to_learners(**sentences: str) -> None:
    """The same for messages on pages of learners, which the catalogue of texts has in each language."""
    says(**sentences)
    TO_LEARNERS.update(sentences)


def said(request: Request) -> str:
    """The message about the last form that the address of *request* names."""
    return SENTENCES.get(request.query_params.get(DONE, ""), "")


def visiting(request: Request, tenant: Here) -> Visit:
    """The dependency that gives the signed-in visitor."""
    done = said(request)
    behind: SignedIn = exchange_of(request).behind
    return Visit(request, tenant, behind.root or base_of(request), behind, done)


Visiting = Annotated[Visit, Depends(visiting)]
FormBody = Annotated[bytes, Depends(small_body)]
"""The body of a form."""


says_to_learners(over="You are not signed in any more, and nothing was changed. Sign in again.")


def sign_in_first(request: Request, place: str = "/sign-in") -> Response:
    """A redirect to the sign-in at *place*, which leads back afterwards to the page, or to that of the form.

    Whoever was signed in before, or sent a form, is told that nothing was done.
    """
    root = base_of(request)
    was_in = request.method == "POST" or session_cookie(tenant_of(request)) in request.cookies
    told = {"then": session.safe_return(root, request.url.path), DONE: "over" if was_in else ""}
    query = urlencode({name: value for name, value in told.items() if value}, safe="/")
    return redirect(request, f"{root}{place}{'?' if query else ''}{query}")


def refusal(request: Request, refused: Refused) -> Response:
    """The page of a refusal with the status and headers of *refused*, or a redirect to the sign-in."""
    if refused.error == SIGN_IN_FIRST:
        return sign_in_first(request)
    root, found = base_of(request), exchange_of(request).behind
    home = home_of(found.caller) if isinstance(found, SignedIn) else "/sign-in"
    return refusal_page(request, refused, "staff/refused.html", home=root + home)


def account_refusal(request: Request, refused: Refused) -> Response:
    """The same for the pages of signing in, and of an account."""
    if refused.error == SIGN_IN_FIRST:
        return sign_in_first(request)
    language = in_language(request)
    found = session.signed_in(request)
    home = base_of(request) + home_of(found.caller) if found else ""
    told = {"root": base_of(request), "is_said": language == ENGLISH, "home": home}
    return refusal_page(request, refused, "account/refused.html", **told)


def frame(request: Request) -> Frame:
    """The frame of each page: navigation for the signed-in visitor, their account, and signing out."""
    return _frame_of(request, exchange_of(request).behind)


def public_frame(request: Request) -> Frame:
    """The same for pages without sign-in that nobody caches: whoever is signed in keeps their navigation there."""
    return _frame_of(request, session.signed_in(request))


def _frame_of(request: Request, found: object) -> Frame:
    plain, root = plain_frame(request), base_of(request)
    if not isinstance(found, SignedIn):
        return plain
    of_installation = found.caller.tenant == CONTROL
    places, before = (OPERATOR_PLACES, root.removesuffix(OPERATOR)) if of_installation else (PLACES, root)
    return replace(
        plain,
        places=tuple(
            Place(name, text, before + pattern, group=group)
            for name, text, pattern, group in places
            if has_place(found.caller, name, pattern)
        ),
        who=found.caller.name,
        account=root + ACCOUNT,
        sign_out=f"{root}/sign-out",
        form=session.form_token(tenant_of(request), found.nonce),
    )


def _named(caller: Caller) -> str:
    return caller.name or "Your account"


PAGES = Pages(PagePolicy(), refusal, frame=frame)
"""Those of staff."""
ACCOUNT_PAGES = Pages(PagePolicy(), account_refusal, frame=frame)
"""The sign-in, and everybody's account."""
