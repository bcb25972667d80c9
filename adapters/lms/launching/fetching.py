"""The fetch address of a launch (cmi5 8.2): gives content its token, once. Knows no rule of statements."""

from __future__ import annotations

import secrets
from base64 import b64encode
from functools import partial

from fastapi import Response

from adapters.lms.launching.launching import fetch_in
from lrs.storage.edge import write
from lrs.web.late import Router
from lrs.web.routing import Here

ADDRESS = "/cmi5/fetch/{token}"
_MAY = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "authorization, content-type, x-experience-api-version",
    "Access-Control-Max-Age": "86400",
}


def routes() -> Router:
    """The router."""
    router = Router(tags=["cmi5"])

    @router.post(ADDRESS, summary="Gives launched content its token, once")
    async def fetch(here: Here, token: str) -> dict[str, str]:
        """Answers 200 also when it gives none: then with error-code and error-text (8.2.3)."""
        given = await write(here.store, partial(fetch_in, token=token, secret=secrets.token_urlsafe(32)))
        if given is None:
            why = "This address was used already, or its session is over: launch the content again."
            return {"error-code": "1", "error-text": why}
        return {"auth-token": b64encode(given.encode()).decode()}

    @router.options(ADDRESS, status_code=204, summary="Lets content of any origin ask")
    def may(token: str) -> Response:  # noqa: ARG001 (the address has it)
        """For libraries whose request is not a simple one, so that a browser asks first (the Fetch standard)."""
        return Response(status_code=204, headers=_MAY)

    return router
