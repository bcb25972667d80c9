"""``/docs``: the OpenAPI document as a page that a person reads, without a script. No logic."""

from collections.abc import Callable
from functools import cache
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from lrs.pages.docs import view
from lrs.web.late import Router
from lrs.web.page import page


def routes(document: Callable[[], dict[str, Any]]) -> Router:
    """The router; *document* gives the OpenAPI document when it is first asked for."""
    router = Router(tags=["server"])

    @cache
    def shown() -> dict[str, Any]:
        """The data of the page. It is made once, because anybody may ask for the page."""
        told = document()
        schemes = told["components"]["securitySchemes"]
        return {
            "title": told["info"]["title"],
            "version": told["info"]["version"],
            "about": told["info"]["description"].split("\n\n"),
            "schemes": [(name, scheme.get("description", scheme["type"])) for name, scheme in schemes.items()],
            "groups": view.groups(told),
            "schemas": view.schemas(told),
        }

    @router.get("/docs", response_class=HTMLResponse, summary="This description, as a page")
    def docs(request: Request) -> Response:
        return page(request, "public/docs.html", **shown())

    return router
