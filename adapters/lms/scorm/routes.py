"""The player of SCORM content, on the host for content: its page, the run-time interface, where that commits. No logic.

Content looks for the interface in the windows round it, which works within one origin only. So the player is where the
content is. The token in the address is that of the launch, as with the fetch address of cmi5.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from adapters.lms.courses.content import check_host
from adapters.lms.scorm import attempts, run_time, told
from adapters.lms.scorm.cmi import MOST_BYTES, read_commit
from adapters.lms.sessions.acts import structure_of, unit_at
from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.session import LaunchSession, fetched_by, registration_in
from lrs.kernel.addresses import origin
from lrs.kernel.errors import Refused
from lrs.pages.visit import REFUSALS
from lrs.storage.edge import read, write
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import exchange_of, in_language
from lrs.web.late import Router
from lrs.web.page import Pages, page, policy_of, refusal_page
from lrs.web.page_policy import PagePolicy
from lrs.web.routing import Here, body_of
from lrs.xapi.statements.subscriptions import Subscriptions

ADDRESS = "/scorm/{token}"
_NO_STORE = {"Cache-Control": "no-store"}
_SCRIPT = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
_COMMIT: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
}


def routes(subscriptions: Subscriptions) -> Router:
    """The router; *subscriptions* say which steps stored statements owe."""
    router = Router(tags=["scorm"])
    _add_page(router)

    @router.get(f"{ADDRESS}/run-time.js", summary="The run-time interface that SCORM content calls", responses=REFUSALS)
    def script(request: Request, here: Here, token: str) -> Response:
        check_host(request, here)
        _session(here, token)
        return Response(run_time.program(here.settings), media_type="text/javascript", headers=_SCRIPT)

    @router.get(f"{ADDRESS}/attempt", summary="What content is begun with")
    def begin(request: Request, response: Response, here: Here, token: str) -> dict[str, Any]:
        check_host(request, here)
        session = _session(here, token)
        response.headers.update(_NO_STORE)
        structure = structure_of(here.store, registration_in(here.store, session.registration))
        return told.told(session, unit_at(structure, session.index), attempts.last_attempt(here.store, session)[1])

    @router.post(f"{ADDRESS}/attempt", summary="Takes what content commits", openapi_extra=_COMMIT)
    async def commit(request: Request, here: Here, token: str) -> dict[str, Any]:
        check_host(request, here)
        commit = read_commit(await body_of(request, MOST_BYTES))
        session = await read(_session, here, token)
        place = LmsPlace(here, subscriptions, "")
        weight = attempts.WEIGHT * (1 + len(commit.cmi.interactions if commit.cmi else ()) // 20)
        decide = partial(attempts.commit_in, place=place, session=session.id, commit=commit)
        await write(here.store, decide, weight=weight)
        return {"result": True, "errorCode": 0}

    return router


def _add_page(router: Router) -> None:
    @router.get(ADDRESS, summary="The player of SCORM content", response_class=HTMLResponse, responses=REFUSALS)
    def player(request: Request, here: Here, token: str) -> Response:
        check_host(request, here)
        session = _session(here, token)
        run_time.check(here.settings)
        exchange_of(request).policy = replace(policy_of(request), shows=(origin(session.url),))
        in_language(request)
        return page(request, "content/player.html", place=request.url.path)


def _session(here: Tenant, token: str) -> LaunchSession:
    session = fetched_by(here.store, token)
    if session is None or session.format != "scorm" or not session.is_open:
        message = "This launch is over. Open the course again where you opened it before."
        raise Refused(message, status=410, error="session_over")
    return session


def _refused(request: Request, refused: Refused) -> Response:
    in_language(request)
    return refusal_page(request, refused, "content/refused.html")


PAGES = Pages(PagePolicy(framed_by_all=True, referrer="no-referrer", forms=False), _refused)
"""Whoever launches content shows it: which platforms do is not known for clients, as with the files of packages."""
