"""The page for developers of matching services and of content: step by step, with code that runs. No logic."""

from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from lrs.kernel.errors import Refused
from lrs.web.exchange import address_of, root_of
from lrs.web.late import Router
from lrs.web.origins import pages_address_for
from lrs.web.page import page

SAMPLES = Path(__file__).parent / "samples"
RECEIVERS, PULLERS = ("receive.py", "receive.mjs"), ("pull.py", "pull.mjs")
"""The code on the page. A test runs this very text."""


def routes() -> Router:
    """The router."""
    router = Router(tags=["server"])

    @router.get("/developers", response_class=HTMLResponse, summary="How a matching service, or content, is connected")
    def show(request: Request) -> Response:
        return page(
            request,
            "public/developers.html",
            address=pages_address_for(request),
            own=address_of(request),
            docs=f"{root_of(request)}/docs",
            receivers=[_piece(name) for name in RECEIVERS],
            pullers=[_piece(name) for name in PULLERS],
        )

    @router.get("/developers/{name}", response_class=PlainTextResponse, summary="A piece of that code, as a file")
    def sample(name: str) -> Response:
        names = (*RECEIVERS, *PULLERS)
        if name not in names:
            raise Refused(f"there is no such file; there are {', '.join(names)}", status=404, error="not_found")
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
        return PlainTextResponse((SAMPLES / name).read_text(), headers=headers)

    return router


def _piece(name: str) -> dict[str, str]:
    return {"name": name, "text": (SAMPLES / name).read_text()}
