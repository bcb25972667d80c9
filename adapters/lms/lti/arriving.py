"""What a believed launch leads to: a learner to their own skills, a teacher to the course. No logic."""

from fastapi import Request, Response

from adapters.lms.lti import pick_routes, signed_in, users
from adapters.lms.lti.enrolments import COURSE
from adapters.lms.lti.frames import path_of
from adapters.lms.lti.launch import BADGES, CODE, WEIGHT, Arrived, LaunchMessage, take_in
from lrs.access.sessions import SigningIn
from lrs.pages.sign_in.entering import browser_of
from lrs.storage import Tx
from lrs.tenancy.tenants import Tenant
from lrs.web.language import set_framed_cookie
from lrs.web.page import redirect

_PLACES = {BADGES: "me#badges", CODE: "me/code"}
"""Where a link leads that is about badges."""


def arrive(request: Request, tenant: Tenant, message: LaunchMessage) -> Response:
    """Takes *message* in, signs in who came, and leads on, in one commit; or shows what a link can open."""
    if message.is_deep_linking:
        return pick_routes.show(request, tenant, message)

    def decide(tx: Tx) -> tuple[Arrived, str]:
        arrived = take_in(tx, tenant, message)
        return arrived, _open(tx, request, tenant, arrived)

    arrived, token = tenant.store.write(decide, weight=WEIGHT).result()
    of = arrived.course if _teaches(arrived) else signed_in.ME
    place = f"courses/{arrived.course}" if _teaches(arrived) else _own_place(arrived)
    answer = redirect(request, f"{path_of(request)}/{place}")
    set_framed_cookie(answer, signed_in.cookie_name(tenant, of), token, signed_in.LASTS)
    if of == signed_in.ME:
        signed_in.keep_way_back(answer, tenant, message.platform, message.way_back if arrived.course else "")
    return answer


def _own_place(arrived: Arrived) -> str:
    """Where a learner is led: to what the link opens, else to their own skills."""
    if arrived.opens in _PLACES:
        return _PLACES[arrived.opens]
    return f"learn/{arrived.link}" if arrived.opens.startswith(COURSE) and arrived.course else "me"


def _teaches(arrived: Arrived) -> bool:
    return arrived.message.part == "teacher" and bool(arrived.course)


def _open(tx: Tx, request: Request, tenant: Tenant, arrived: Arrived) -> str:
    """Signs in who came."""
    user, platform = arrived.user, arrived.message.platform
    assert user is not None  # noqa: S101 (``receive`` takes no launch of nobody)
    of = arrived.course if _teaches(arrived) else signed_in.ME
    before = request.cookies.get(signed_in.cookie_name(tenant, of))
    way = SigningIn("platform", browser_of(request.headers.get("user-agent", "")), before)
    if _teaches(arrived):
        return signed_in.open_teacher(tx, users.user_id(platform.id, user.sub), arrived.course, tenant.clock(), way)
    return signed_in.open_learner(tx, platform.id, user.person, tenant.clock(), way)
