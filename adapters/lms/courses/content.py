"""Serves the files of packages, on the host for content alone (``LRS_CONTENT_URL``). Knows no launch.

Packages are others' programs. On a host of their own they are strangers to our pages: they get no cookie of ours, and
whatever they ask for carries only the token of their launch. Elsewhere there is nothing at these addresses.
"""

from __future__ import annotations

import mimetypes

from fastapi import Request
from fastapi.responses import StreamingResponse

from adapters.lms.courses.courses import file_in
from lrs.kernel.errors import Refused
from lrs.tenancy.tenants import Tenant
from lrs.web.browsers import POLICY
from lrs.web.late import Router
from lrs.web.origins import is_on_content_host_of
from lrs.web.routing import Here

_TYPES = {
    ".html": "text/html",
    ".htm": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".xml": "application/xml",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".vtt": "text/vtt",
    ".mp4": "video/mp4",
    ".webp": "image/webp",
}
"""What is served most, whatever this machine's own table says."""
_OWN = "default-src * data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; base-uri 'self'; form-action 'self'"
"""A policy of its own, or the answer would be sandboxed: a package runs as its author made it, in its own origin."""


def routes() -> Router:
    """The router."""
    router = Router(tags=["cmi5"])

    @router.get("/content/{package}/{path:path}", summary="A file of a package, on the host for content")
    def file(request: Request, here: Here, package: str, path: str) -> StreamingResponse:
        check_host(request, here)
        found = file_in(here.store, package, path)
        if found is None:
            raise Refused("there is no such file in this package", status=404, error="not_found")
        blob, size = found
        headers = {
            "Content-Length": str(size),
            "Cache-Control": "private, max-age=3600",
            "ETag": f'"{blob[:40]}"',
            POLICY: _OWN,
            "Referrer-Policy": "no-referrer",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return StreamingResponse((), 304, {name: headers[name] for name in ("ETag", "Cache-Control", POLICY)})
        return StreamingResponse(here.store.blobs.open(blob), headers=headers, media_type=media_type(path))

    return router


def check_host(request: Request, tenant: Tenant) -> None:
    """Refuses (404) what was not sent to the host for the content of *tenant*: there alone others' programs run."""
    if not is_on_content_host_of(tenant.id, request.headers, tenant.settings):
        message = "there is nothing here: packages are served on the host of LRS_CONTENT_URL only"
        raise Refused(message, status=404, error="not_found")


def media_type(path: str) -> str:
    """The media type of a file, by the end of its name."""
    ending = f".{path.rpartition('.')[2].lower()}" if "." in path else ""
    return _TYPES.get(ending) or mimetypes.guess_type(path, strict=False)[0] or "application/octet-stream"
