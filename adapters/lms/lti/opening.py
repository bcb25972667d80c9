"""A unit of a course of ours is opened inside a platform: by a learner, or by a teacher who tries it. No logic."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable

import msgspec
from fastapi import Response

from adapters.lms.launching.launching import FreshNames, LaunchOrder, launch_in
from adapters.lms.lti import enrolments
from adapters.lms.lti.enrolments import OpenedCourse
from adapters.lms.lti.frames import tool_of
from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.session import Registration
from adapters.lms.sessions.vocabulary import LaunchMode
from lrs.pages.visit import Visit
from lrs.storage import ROWS, Tx
from lrs.web.page import redirect
from lrs.xapi.statements.subscriptions import Subscriptions

Enter = Callable[[Tx, LmsPlace, str], tuple[OpenedCourse, Registration]]
"""Gives the course and the registration of who opens it, made under the new session id if there is none."""
_WEIGHT = 20 * ROWS


class UnitOpening(msgspec.Struct, frozen=True):
    """Which unit is opened, and *back*: to which page under the address of the tool it leads at its end."""

    index: int
    back: str
    mode: LaunchMode = "Normal"


def open_unit(
    visit: Visit, subscriptions: Subscriptions, opening: UnitOpening, enter: Enter, page: Callable[..., Response]
) -> Response:
    """Launches a unit and leads there.

    One that wants a window of its own is linked on a *page*: that window has no cookie of the frame's.
    """
    tool = tool_of(visit.request)
    place = LmsPlace(visit.tenant, subscriptions, tool.removesuffix("/lti"))
    fresh, session = FreshNames(str(uuid.uuid4()), secrets.token_urlsafe(32)), str(uuid.uuid4())

    def decide(tx: Tx) -> tuple[str, str]:
        found, registration = enter(tx, place, session)
        back = enrolments.way_back(found, opening.index, tool, opening.back)
        order = LaunchOrder(registration.id, opening.index, opening.mode, return_url=back)
        launched = launch_in(tx, place=place, order=order, fresh=fresh)
        return launched.url, launched.method

    address, method = visit.tenant.store.write(decide, weight=_WEIGHT).result()
    if method != "OwnWindow":
        return redirect(visit.request, address)
    return page("lti/opening.html", address=address, place=opening.back)
