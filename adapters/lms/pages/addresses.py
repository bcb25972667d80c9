"""What the pages of courses need for a launch: where they are, where the LMS is, and which part a form names."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.lms.lti.addresses import tool_root
from adapters.lms.sessions.place import LmsPlace
from lrs.kernel.addresses import origin
from lrs.kernel.errors import Refused
from lrs.pages.visit import Visit
from lrs.web.origins import port_of
from lrs.xapi.statements.subscriptions import Subscriptions


def part_in(fields: Mapping[str, str]) -> int:
    """The place of the part that a form names, from 0. Refuses (404) what is no number."""
    told = fields.get("unit", "")
    if not (told.isascii() and told.isdigit() and len(told) < 6):
        raise Refused("There is no such part in this course.", status=404, error="not_found")
    return int(told)


def root_of(visit: Visit) -> str:
    """Where the pages of the visitor's tenant are, with the origin."""
    settings = visit.tenant.settings
    return f"{origin(settings.pages_root or f'http://127.0.0.1:{port_of(visit.request)}')}{visit.root}"


def lms_place(visit: Visit, subscriptions: Subscriptions) -> LmsPlace:
    """Where launches of the visitor's tenant happen."""
    tool = tool_root(visit.tenant.settings, visit.tenant.id, port_of(visit.request))
    return LmsPlace(visit.tenant, subscriptions, tool.removesuffix("/lti"))
