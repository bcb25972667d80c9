"""The page at ``/``: what this is, and the important addresses. It shows nothing about anybody."""

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from lrs.access.policy.operators import OPERATOR
from lrs.kernel.errors import Refused
from lrs.web.accept import preferred
from lrs.web.exchange import exchange_of, in_language, root_of
from lrs.web.frame import PRODUCT
from lrs.web.late import Router
from lrs.web.page import Pages, page, refusal_page, server_root
from lrs.web.page_policy import PagePolicy
from lrs.xapi.about import release

HTML, JSON = "text/html", "application/json"
NOTHING = "There is nothing at this address."
"""What people are told in a browser, where no route is."""


def routes() -> Router:
    """The router."""
    router = Router(tags=["server"])

    @router.get(
        "/",
        response_class=HTMLResponse,
        responses={200: {"content": {JSON: {"schema": {"type": "object"}}}}},
        summary="What this is, and the addresses that matter, as a page or as JSON",
    )
    def front(request: Request) -> Response:
        root, base = root_of(request), exchange_of(request).place.base
        found = places(root, base)
        if preferred(request.headers.get("accept"), (JSON, HTML)) == JSON:
            return JSONResponse({"name": "engraft-lrs", "version": release(), **found}, headers=_VARY)
        answer = page(
            request,
            "public/front.html",
            places=found,
            own=f"{root}{base}",
            operator=f"{root}{OPERATOR}",
            product=PRODUCT,
            version=release(),
        )
        answer.headers.update(_VARY)
        return answer

    return router


_VARY = {"vary": "accept"}


def refusal(request: Request, refused: Refused) -> Response:
    """The page of a refusal for everybody, in the language that the reader chose.

    At an address of nothing people are told no more than that, unless they look for xAPI.
    """
    exchange = exchange_of(request)
    in_language(request)
    if refused.error == "not_found" and not exchange.place.route and "xapi" not in request.url.path.lower():
        refused = Refused(NOTHING, status=refused.status, error=refused.error, headers=refused.headers)
    return refusal_page(request, refused, "public/refused.html", root=server_root(request))


PAGES = Pages(PagePolicy(forms=False), refusal, negotiated=True)
"""Those for everybody."""


def places(root: str, base: str) -> dict[str, str]:
    """The important addresses; *base* is that of a tenant if its name is in the path."""
    own = f"{root}{base}"
    documents = {"docs": f"{root}/docs", "openapi": f"{root}/openapi.json"}
    pages = {"pages": f"{own}/pages", "me": f"{own}/me", "developers": f"{own}/developers"}
    return {"xapi": f"{own}/xapi", **pages, **documents}
