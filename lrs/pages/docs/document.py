"""The OpenAPI document of the whole product: the framework's routes, and xAPI, which is not one of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lrs.pages.docs import xapi
from lrs.pages.docs.schemas import SCHEMAS
from lrs.xapi.about import release

ABOUT = """\
xAPI 1.0.3 and 2.0, competencies, badges, consent and profiles.

Every path that stands here without /t/{tenant} is also there behind /t/TENANT, for a further tenant; but for /health,
/metrics, /docs and /openapi.json, which are the server's. Bodies may be packed (Content-Encoding gzip or deflate).
A refusal is JSON: a code that stays the same, a sentence, and where in the request the fault is.
"""
TAGS = (
    {"name": xapi.TAG, "description": "Learning records, with an API key by HTTP Basic."},
    {"name": "services", "description": "For matching services, by OAuth 2.0 client credentials."},
    {"name": "imports", "description": "For providers that send files, with an API key by HTTP Basic."},
    {"name": "cmi5", "description": "For platforms that launch courses, as ADL's CATAPULT player has it."},
    {"name": "scorm", "description": "The player of SCORM courses, on the host for content."},
    {
        "name": "badges",
        "description": "What badges point to, and a check of any, for everybody; the badges, for an administrator.",
    },
    {"name": "wallets", "description": "How wallets take badges: VC-API exchanges, and OpenID4VCI 1.0."},
    {"name": "lti", "description": "What learning platforms ask of this tool (LTI 1.3), and the pages that they show."},
    {"name": "pages", "description": "For people with a browser: forms carry a token that the page before gave out."},
    {"name": "server", "description": "For an operator's programs, and this description."},
)
_SCHEMES = {
    "key": {"type": "http", "scheme": "basic", "description": "An API key and its secret (lrs keys create)."},
    "courseClient": {
        "type": "http",
        "scheme": "bearer",
        "description": "Of a course client (POST /cmi5/api/v1/auth).",
    },
    "session": {"type": "apiKey", "in": "cookie", "name": "engraft.default", "description": "A sign-in to the pages."},
    "launch": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-engraft.default.lti.me",
        "description": "A launch from a learning platform (LTI 1.3).",
    },
}
_ITSELF = {
    "get": {
        "tags": ["server"],
        "summary": "This description, as JSON",
        "operationId": "openapi_json",
        "responses": {"200": {"description": "An OpenAPI document.", "content": {"application/json": {"schema": {}}}}},
    }
}


def complete(document: dict[str, Any], operations: Iterable[tuple[str, str]]) -> None:
    """Adds to *document* what the framework does not know: xAPI's *operations*, the document itself, its title.

    Raises ``ValueError`` if one of our schemas would replace another.
    """
    document["info"] |= {"version": release(), "description": ABOUT}
    document["tags"] = list(TAGS)
    for methods in document["paths"].values():
        for operation in methods.values():
            _summarise(operation)
    document["paths"] = xapi.paths(operations) | document["paths"] | {"/openapi.json": _ITSELF}
    schemas = document["components"]["schemas"]
    if twice := schemas.keys() & SCHEMAS.keys():
        raise ValueError(f"two schemas are called {min(twice)}")
    schemas |= SCHEMAS
    document["components"].setdefault("securitySchemes", {}).update(_SCHEMES)


def _summarise(operation: dict[str, Any]) -> None:
    """Replaces a summary that is only the function's name by the first sentence of the description."""
    is_name = operation["operationId"].startswith(operation["summary"].lower().replace(" ", "_"))
    if is_name and "description" in operation:
        operation["summary"] = operation["description"].partition("\n")[0].partition(". ")[0].rstrip(".")
