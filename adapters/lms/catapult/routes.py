"""The routes of CATAPULT's player: clients and tokens, courses, registrations, launches, sessions. No logic."""

import uuid
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import JSONResponse

from adapters.lms.catapult import clients
from adapters.lms.catapult.bodies import (
    CatapultRoute,
    ClientAsked,
    LaunchAsked,
    PreferencesAsked,
    RegistrationAsked,
    TokenAsked,
    WaiverAsked,
    described,
    told,
)
from adapters.lms.catapult.learners import ClientDesk, enrolled
from adapters.lms.catapult.shapes import course_shape, registration_shape, session_shape
from adapters.lms.courses import courses, in_use
from adapters.lms.courses.receiving import received_package
from adapters.lms.importing import import_course
from adapters.lms.launching.launching import LaunchOrder, launch
from adapters.lms.sessions import acts, preferences
from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.session import registration_in, session_in
from lrs.access import Caller
from lrs.access.policy.courses import API
from lrs.kernel.errors import Refused
from lrs.storage.edge import read, write
from lrs.web.exchange import caller_of, root_of
from lrs.web.late import Router
from lrs.web.routing import WITH_KEY, Here, problems, small_body
from lrs.xapi.documents.concurrency import conditions_of
from lrs.xapi.statements.subscriptions import Subscriptions

ClientCaller = Annotated[Caller, Depends(caller_of)]
_Body = Annotated[bytes, Depends(small_body)]
_TOKEN: dict[str, Any] = {"security": [{"courseClient": []}]}
_PACKAGE = {
    "requestBody": {
        "required": True,
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}, "text/xml": {}},
    }
}
_NONE = Response(status_code=204)


def routes(subscriptions: Subscriptions) -> Router:
    """The router. Statements that are made owe what *subscriptions* say."""
    router = Router(prefix=API, tags=["cmi5"], route_class=CatapultRoute, responses=problems(400, 401, 403, 404, 409))

    def desk(request: Request, here: Here, who: ClientCaller) -> ClientDesk:
        root = f"{root_of(request)}/t/{here.id}"
        return ClientDesk(LmsPlace(here, subscriptions, root), clients.client_named_by(who), who.subject)

    at = Annotated[ClientDesk, Depends(desk)]
    _add_clients(router)
    _add_courses(router, at)
    _add_launch(router, at)
    _add_registrations(router, at)
    _add_preferences(router, at)
    _add_sessions(router, at)
    return router


def _add_clients(router: Router) -> None:
    @router.get("/ping", summary="Whether the server answers", openapi_extra=_TOKEN)
    def ping() -> dict[str, bool]:
        return {"ok": True}

    @router.get("/about", summary="Which client a token is of", openapi_extra=_TOKEN)
    def about(who: ClientCaller) -> dict[str, Any]:
        return {"tenantId": int(clients.client_named_by(who)), "description": "engraft"}

    @router.post("/tenant", summary="Makes a client", openapi_extra=described(ClientAsked) | WITH_KEY)
    def make(here: Here, who: ClientCaller, body: _Body) -> dict[str, Any]:
        code = told(body, ClientAsked).code
        made = here.store.write(lambda tx: clients.open_in(tx, here, code, who.subject)).result()
        return {"id": int(made.id), "code": made.code}

    @router.delete("/tenant/{id}", status_code=204, summary="Ends a client's tokens", openapi_extra=WITH_KEY)
    def close(here: Here, who: ClientCaller, id: str) -> Response:
        here.store.write(lambda tx: clients.close_in(tx, id, who.subject)).result()
        return _NONE

    @router.post("/auth", summary="Gives a client its token", openapi_extra=described(TokenAsked) | WITH_KEY)
    def token(here: Here, who: ClientCaller, body: _Body) -> dict[str, str]:
        asked = told(body, TokenAsked)
        client = clients.client_in(here.store, str(asked.tenant_id), who.subject)
        if client.closed:
            raise Refused("this client was deleted: POST tenant makes another", status=404, error="not_found")
        return {"token": clients.issue(here, client, asked.audience)}


def _add_courses(router: Router, at: Any) -> None:
    @router.post("/course", summary="Imports a package", openapi_extra=_PACKAGE | _TOKEN)
    async def bring(request: Request, desk: at) -> JSONResponse:
        tenant = desk.place.tenant
        async with received_package(request, tenant) as file:
            found = await read(import_course, tenant, file, "package", desk.by, desk.client)
        return JSONResponse(course_shape(found.course, found.version))

    @router.get("/course/{id}", summary="A course", openapi_extra=_TOKEN)
    def show(desk: at, id: str) -> dict[str, Any]:
        course = desk.course(id)
        return course_shape(course, courses.version_in(desk.store, course.id, course.version))

    @router.delete("/course/{id}", status_code=204, summary="Withdraws a course", openapi_extra=_TOKEN)
    def withdraw(desk: at, id: str) -> Response:
        course = courses.course_in(desk.store, id, desk.client)
        desk.store.write(lambda tx: in_use.withdraw_in(tx, course, desk.by)).result()
        return _NONE


def _add_launch(router: Router, at: Any) -> None:
    @router.post(
        "/course/{id}/launch-url/{index}",
        summary="Launches a unit for a learner",
        openapi_extra=described(LaunchAsked) | _TOKEN,
    )
    def launch_url(desk: at, id: str, index: str, body: _Body) -> dict[str, Any]:
        asked = told(body, LaunchAsked)
        registration = enrolled(desk, desk.course(id), asked.actor, asked.reg)
        done = launch(
            desk.place,
            LaunchOrder(
                registration.id,
                number(index),
                asked.launch_mode,
                return_url=asked.return_url or "",
                launch_parameters=asked.launch_parameters,
                mastery_score=asked.mastery_score,
                move_on=asked.move_on,
                entitlement=asked.alternate_entitlement_key,
                additions=asked.context_template_additions,
            ),
        )
        return {"id": done.session.number, "launchMethod": done.method, "url": done.url}


def _add_registrations(router: Router, at: Any) -> None:
    @router.post("/registration", summary="Registers a learner", openapi_extra=described(RegistrationAsked) | _TOKEN)
    def register(desk: at, body: _Body) -> dict[str, Any]:
        asked = told(body, RegistrationAsked)
        return _shown(desk, enrolled(desk, desk.course(str(asked.course_id)), asked.actor, None).id)

    @router.get("/registration/{id}", summary="A registration, and how far it is", openapi_extra=_TOKEN)
    def show(desk: at, id: str) -> dict[str, Any]:
        return _shown(desk, id)

    @router.delete(
        "/registration/{id}", status_code=204, summary="Ends what is open in a registration", openapi_extra=_TOKEN
    )
    def end(desk: at, id: str) -> Response:
        registration = registration_in(desk.store, id, desk.client)
        desk.store.write(lambda tx: acts.abandon_open_in(tx, desk.place, registration.id)).result()
        return _NONE

    @router.post(
        "/registration/{id}/waive-au/{index}",
        status_code=204,
        summary="Lets a unit count as done",
        openapi_extra=described(WaiverAsked) | _TOKEN,
    )
    def waive(desk: at, id: str, index: str, body: _Body) -> Response:
        asked, registration = told(body, WaiverAsked), registration_in(desk.store, id, desk.client)
        waiver = (desk.place, registration.id, number(index), asked.reason)
        new = str(uuid.uuid4())
        desk.store.write(lambda tx: acts.waive_in(tx, *waiver, session=new, by=desk.by)).result()
        return _NONE


def _shown(desk: ClientDesk, id: str) -> dict[str, Any]:
    registration = registration_in(desk.store, id, desk.client)
    version = courses.version_in(desk.store, registration.course, registration.version)
    return registration_shape(registration, version.structure)


def _add_preferences(router: Router, at: Any) -> None:
    address = "/registration/{id}/learner-prefs"

    @router.get(address, summary="The preferences of a learner", openapi_extra=_TOKEN)
    def show(desk: at, id: str) -> Response:
        found = preferences.document_in(desk.store, registration_in(desk.store, id, desk.client).actor)
        if found is None:
            raise Refused("the learner has no preferences yet", status=404, error="not_found")
        return Response(found.body, media_type="application/json", headers={"ETag": f'"{found.meta["etag"]}"'})

    @router.post(
        address,
        status_code=204,
        summary="Writes the preferences of a learner",
        openapi_extra=described(PreferencesAsked) | _TOKEN,
    )
    async def save(request: Request, desk: at, id: str, body: _Body) -> Response:
        asked, actor = told(body, PreferencesAsked), (await read(registration_in, desk.store, id, desk.client)).actor
        written = {"languagePreference": asked.language_preference, "audioPreference": asked.audio_preference}
        conditions = conditions_of(request.headers)
        await write(desk.store, partial(preferences.save_in, actor=actor, told=written, conditions=conditions))
        return _NONE

    @router.delete(address, status_code=204, summary="Takes the preferences of a learner away", openapi_extra=_TOKEN)
    def remove(desk: at, id: str) -> Response:
        actor = registration_in(desk.store, id, desk.client).actor
        desk.store.write(lambda tx: preferences.delete_in(tx, actor)).result()
        return _NONE


def _add_sessions(router: Router, at: Any) -> None:
    @router.get("/session/{id}", summary="A launch session", openapi_extra=_TOKEN)
    def show(desk: at, id: str) -> dict[str, Any]:
        return session_shape(session_in(desk.store, id, desk.client))

    @router.post("/session/{id}/abandon", status_code=204, summary="Abandons a session", openapi_extra=_TOKEN)
    def abandon(desk: at, id: str) -> Response:
        session = session_in(desk.store, id, desk.client)
        desk.store.write(lambda tx: acts.abandon_in(tx, desk.place, session, "api")).result()
        return _NONE


def number(text: str) -> int:
    """The place of a unit in an address. Refuses (404) what is none."""
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise Refused(f"there is no unit {text[:20]!r}: units are numbered from 0", status=404, error="not_found")
    return int(text)
