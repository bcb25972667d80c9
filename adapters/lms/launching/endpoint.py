"""The xAPI endpoint of launched content: the resources that everybody has, narrowed to one session (cmi5 8 to 11).

What content may reach: statements of its registration that content sent; State of its learner; its own activity; the
learner's preferences. Each handler checks that, then does what the same resource does for everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import msgspec

from adapters.lms.cmi5 import documents
from adapters.lms.cmi5.documents import same_learner
from adapters.lms.launching.taking import BESIDE, note_in, take_in
from adapters.lms.sessions.credentials import registration_named_by, session_named_by, session_now
from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.session import REGISTRATION, SESSION, LaunchSession
from adapters.lms.sessions.standing import breached
from lrs.kernel.errors import Refused
from lrs.storage.edge import read, write
from lrs.xapi import about, activities, agents
from lrs.xapi.documents.resources import ACTIVITY_PROFILE, AGENT_PROFILE, STATE, read_activity, read_address
from lrs.xapi.documents.routes import HANDLERS as DOCUMENTS
from lrs.xapi.endpoint import XapiResources
from lrs.xapi.request import JSON, Answer, Request, Resource, json_answer
from lrs.xapi.statements import routes as statements
from lrs.xapi.statements.formats import is_uuid
from lrs.xapi.statements.plan import Plan
from lrs.xapi.statements.query import MORE, Single, query_after, read_agent, read_query
from lrs.xapi.statements.read import find_one, own_source
from lrs.xapi.statements.receive import SMALL, plan_of, write_plan

PATH = "/cmi5/xapi"


def _session(request: Request) -> LaunchSession:
    return session_now(request.tenant.store, session_named_by(request.caller), request.tenant.clock())


async def _session_of(request: Request) -> LaunchSession:
    return await read(_session, request) if request.tenant.store.waits else _session(request)


# -- statements -------------------------------------------------------------------------------------------------------


async def post(request: Request) -> Answer:
    """Stores one statement or a batch, all or none, and what follows from them."""
    request.parameters((), lenient=True)
    plan = await _take(request, None)
    return json_answer([prepared.sent_id for prepared in plan.statements])


async def put(request: Request) -> Answer:
    """Stores one statement under the id of the request."""
    statement_id = request.parameters({"statementId"}, {"statementId"}, lenient=True)["statementId"]
    if not is_uuid(statement_id):
        raise request.wrong("parameter 'statementId' must be a UUID")
    await _take(request, statement_id)
    return Answer(204)


async def _take(request: Request, statement_id: str | None) -> Plan:
    if not _is_small(request):  # else the commit asks, before which nothing is kept
        await _session_of(request)
    plan = await plan_of(request, statement_id)
    session = session_named_by(request.caller)
    place = LmsPlace(request.tenant, request.subscriptions, "")
    decide = partial(take_in, place=place, session=session, numbered=statement_id is not None)
    reads = [(SESSION, session), (REGISTRATION, registration_named_by(request.caller))]
    await write_plan(request.tenant, plan, decide, weight=BESIDE, reads=reads)
    return plan


def _is_small(request: Request) -> bool:
    """Whether what was sent is statements alone, and little of them."""
    told = request.headers.get("content-length", "") if request.content is None else str(len(request.content))
    return request.media_type == JSON and told.isdecimal() and int(told) <= SMALL


async def get(request: Request) -> Answer:
    """Statements of the registration that content has sent; those of others are as if they were not there."""
    session = await _session_of(request)
    if any(name == MORE for name, _ in request.query):
        if query_after(request.tenant, request.parameters({MORE})[MORE]).registration != session.registration:
            raise breached("8.1.4.0-3", "this 'more' link is of another registration")
        return await statements.get(request)
    query = read_query(request, request.tenant.settings)
    if isinstance(query, Single):
        await read(_check_one, request, query, session)
    elif query.registration is None:
        request.query = [*request.query, ("registration", session.registration)]
    elif query.registration != session.registration:
        raise breached("8.1.4.0-3", "registration is not the one of the launch")
    return await statements.get(request)


def _check_one(request: Request, query: Single, session: LaunchSession) -> None:
    record = find_one(request.tenant.store, query, own_source(request.caller))
    registration = msgspec.json.decode(record.body).get("context", {}).get("registration", "")
    if str(registration).lower() != session.registration:
        raise Refused("there is no statement with this statementId", status=404, error="not_found")


# -- documents --------------------------------------------------------------------------------------------------------


async def state(handler: Resource, request: Request) -> Answer:
    """State of the learner. LMS.LaunchData is only read, and that it was read is noted."""
    session, address = await _session_of(request), read_address(STATE, request)
    documents.check_state(session, address, request.method)
    answer = await handler(request)
    if documents.is_launch_data(address) and answer.status in {200, 304} and not session.launch_data:
        await write(request.tenant.store, partial(note_in, session=session.id, launch_data=True))
    return answer


async def profile_of_learner(handler: Resource, request: Request) -> Answer:
    """The learner's preferences. That they were asked for is noted, also where there are none."""
    session, address = await _session_of(request), read_address(AGENT_PROFILE, request)
    documents.check_agent_profile(session, address, request.method)
    if request.method in {"PUT", "POST"}:
        request.content = await request.gather(documents.MOST_PREFERENCES, "document with preferences")
        documents.check_preferences(request.media_type, request.content, is_whole=request.method == "PUT")
        return await handler(request)
    if not session.preferences:
        await write(request.tenant.store, partial(note_in, session=session.id, preferences=True))
    return await handler(request)


async def profile_of_activity(handler: Resource, request: Request) -> Answer:
    """Documents of the activity that was launched."""
    session, address = await _session_of(request), read_address(ACTIVITY_PROFILE, request)
    if address.activity != session.activity:
        raise breached("8.1.5.0-6", "activityId is not the one of the launch")
    return await handler(request)


# -- what is known of the activity and the learner --------------------------------------------------------------------


async def activity(request: Request) -> Answer:
    """The activity that was launched."""
    session, given = await _session_of(request), request.parameters(("activityId",), ("activityId",))
    if read_activity(request, given["activityId"]) != session.activity:
        raise breached("8.1.5.0-6", "activityId is not the one of the launch")
    return await activities.get(request)


async def learner(request: Request) -> Answer:
    """The learner, as far as their account of this launch is known."""
    session, given = await _session_of(request), request.parameters(("agent",), ("agent",))
    if not same_learner(session, read_agent(given["agent"], request.version)[1]):
        raise breached("8.1.3.0-3", "agent is not the actor of the launch")
    return await agents.get(request)


def _methods() -> Mapping[str, Mapping[str, Resource]]:
    documented = {
        one.resource: {method: partial(narrowed, DOCUMENTS[one.resource, method]) for method in methods}
        for one, narrowed, methods in (
            (STATE, state, ("GET", "PUT", "POST", "DELETE")),
            (AGENT_PROFILE, profile_of_learner, ("GET", "PUT", "POST", "DELETE")),
            (ACTIVITY_PROFILE, profile_of_activity, ("GET", "PUT", "POST", "DELETE")),
        )
    }
    return {
        "statements": {"POST": post, "PUT": put, "GET": get},
        **documented,
        "activities": {"GET": activity},
        "agents": {"GET": learner},
        "about": {"GET": about.get},
    }


OF_CONTENT = XapiResources(PATH, _methods(), "cmi5/")
"""The resources of launched content."""
