"""``/docs``: the OpenAPI document as a page that a person reads, without a script. No logic."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from lrs.pages.docs import view
from lrs.pages.render import page


def routes(document: Callable[[], dict[str, Any]]) -> APIRouter:
    """The router; *document* gives the OpenAPI document when it is first asked for."""
    router = APIRouter(tags=["server"])

    @router.get("/docs", response_class=HTMLResponse, summary="This description, as a page")
    def docs() -> Response:
        told = document()
        schemes = told["components"]["securitySchemes"]
        return page(
            "docs.html",
            title=told["info"]["title"],
            version=told["info"]["version"],
            about=told["info"]["description"].split("\n\n"),
            schemes=[(name, scheme.get("description", scheme["type"])) for name, scheme in schemes.items()],
            groups=view.groups(told),
            schemas=view.schemas(told),
        )

    return router
