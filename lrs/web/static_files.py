"""The style sheet, the scripts and the icon, under addresses that change with their content.

So a browser may cache them without end. No other file is served here, and none is about a person.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from fastapi import Response

from lrs.kernel.errors import Refused
from lrs.web.late import Router

STATIC = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def routes() -> Router:
    """The router."""
    router = Router(tags=["server"])

    @router.get("/static/{name}", summary="The style sheet, a script or the icon of our pages")
    def file(name: str) -> Response:
        found = files().get(name)
        if found is None:
            raise Refused("there is no such file", status=404, error="not_found")
        body, kind = found
        return Response(body, media_type=kind, headers=_FOR_EVER)

    return router


def asset(root: str, name: str) -> str:
    """The address of the file *name* on the server at *root*. Raises ``KeyError`` if there is none."""
    return f"{root}/static/{_hashed()[name]}"


@functools.cache
def files() -> dict[str, tuple[bytes, str]]:
    """Content and media type of each file, by the name in its address."""
    return {_hashed()[path.name]: (path.read_bytes(), TYPES[path.suffix]) for path in STATIC.iterdir()}


@functools.cache
def _hashed() -> dict[str, str]:
    return {path.name: f"{path.stem}.{_digest(path)}{path.suffix}" for path in STATIC.iterdir()}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
