"""What was sent to a matching service: its list, as page and files; and which services a visitor may see. No logic."""

from __future__ import annotations

from dataclasses import replace

from fastapi import Response

from lrs.access import Caller
from lrs.kernel.errors import Refused
from lrs.matching import services
from lrs.matching.services import Service
from lrs.pages import services_view
from lrs.pages.facts import Neighbours
from lrs.pages.services_view import DELIVERY_COLUMNS
from lrs.pages.visit import SIGNED_IN, Visit, Visiting
from lrs.web.late import Router
from lrs.web.listing import Asked, ListRow, as_csv, as_json, asked_of, listing

PLACE = "/staff/services"
MANAGE = "services.manage"


def within_reach(caller: Caller) -> frozenset[str] | None:
    """The ids of the services that *caller* may see; ``None`` for all."""
    return None if caller.may_all(MANAGE) else caller.owned(MANAGE)


def wanted(visit: Visit, id: str) -> Service:
    """The service *id*, if it is within reach. Raises ``Refused`` (404)."""
    own = within_reach(visit.caller)
    found = services.get(visit.tenant.store, id) if own is None or id in own else None
    if found is None:
        raise Refused("There is no such service among those that you may see.", status=404, error="not_found")
    return found


def add_deliveries(router: Router, neighbours: Neighbours) -> None:
    """Adds the list of what was sent to a service, and the same as files."""
    place = PLACE + "/{id}/deliveries"

    @router.get(place, summary="What was sent to a service, the newest first", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        one = wanted(visit, id)
        found = listing(asked(visit, one.id), delivery_rows(visit, neighbours, one.id))
        return visit.page("staff/service-deliveries.html", list=found, id=one.id, name=one.name)

    @router.get(place + ".csv", summary="What was sent to a service, as CSV", openapi_extra=SIGNED_IN)
    def table(visit: Visiting, id: str) -> Response:
        one = wanted(visit, id)
        return as_csv(asked(visit, one.id), delivery_rows(visit, neighbours, one.id), "deliveries")

    @router.get(place + ".json", summary="What was sent to a service, as JSON", openapi_extra=SIGNED_IN)
    def objects(visit: Visiting, id: str) -> Response:
        one = wanted(visit, id)
        return as_json(asked(visit, one.id), delivery_rows(visit, neighbours, one.id), "deliveries")


def asked(visit: Visit, id: str) -> Asked:
    """What the address asks of that list; also where it is shown on the page of the service."""
    given = asked_of(visit.request, DELIVERY_COLUMNS, sort="-queued")
    return replace(given, path=f"{visit.root}{PLACE}/{id}/deliveries")


def delivery_rows(visit: Visit, neighbours: Neighbours, id: str) -> list[ListRow]:
    """A row for each event that was sent to the service *id*, or waits for it."""
    return services_view.delivery_rows(neighbours.sent(visit.tenant, id), visit.tenant.settings.zone)
