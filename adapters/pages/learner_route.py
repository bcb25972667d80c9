"""The page on which staff say by which route a learner came, and where they live: for planning. No logic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fastapi import Response

from adapters.pages.apprenticeship import called
from adapters.reading.people import Ifi
from adapters.training_centre import learner_routes
from adapters.training_centre.learner_routes import FIELDS, LearnerRoute
from lrs.kernel.errors import Refused
from lrs.pages import reach
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says
from lrs.people.persons import identifiers_in, members_of
from lrs.storage import Reader
from lrs.web.late import Router

PLACE = "/staff/learners/{person}/route"
NO_CENTRE = ""

says(
    learner_route="It is kept, and counts in the next figures of planning.",
    learner_route_gone="What was kept is deleted. The next figures of planning count it no longer.",
)


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get(PLACE, summary="By which route a learner came, and where they live", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, person: str) -> Response:
        return _page(visit, person)

    @router.post(PLACE, status_code=303, summary="Keeps both", openapi_extra=form_body(*FIELDS) | SIGNED_IN)
    def keep(visit: Visiting, person: str, body: FormBody) -> Response:
        told, store = visit.fields(body), visit.tenant.store
        (who, *others), now, by = _known(store, person), visit.tenant.clock(), visit.session.by
        try:
            kept = store.write(lambda tx: learner_routes.keep(tx, NO_CENTRE, who, told, now, by, others)).result()
        except Refused as refused:
            if refused.status != 400:
                raise
            return _page(visit, person, told, refused)
        return visit.on(f"/staff/learners/{person}/route", "learner_route" if kept else "learner_route_gone")

    return router


def _page(visit: Visit, person: str, told: Mapping[str, str] | None = None, refused: Refused | None = None) -> Response:
    store = visit.tenant.store
    kept = list(_kept(store, _known(store, person)))
    own = max((one for one in kept if one.centre == NO_CENTRE), key=lambda one: one.at, default=None)
    stands = {"route": own.kind, "sector": own.sector, "district": own.district} if own else {}
    return visit.page(
        "staff/learner-route.html",
        refused.status if refused else 200,
        person=person,
        name=called(visit, members_of(store, person)),
        problem=refused.message if refused else "",
        kinds=[("", "Not known"), *learner_routes.ROUTES.items()],
        given={name: (told or stands).get(name, "") for name in FIELDS},
        elsewhere=[
            {"centre": one.centre, "said": learner_routes.said(one), "sector": one.sector, "district": one.district}
            for one in kept
            if one.centre != NO_CENTRE
        ],
    )


def _known(reader: Reader, person: str) -> list[Ifi]:
    """The identifiers of a learner by which a route can be kept. Raises ``Refused``: 404, or 409 for one without."""
    members = members_of(reader, person)
    if not members:
        raise reach.nobody_here()
    found = list(_ifis(reader, members))
    if not found:
        message = "This learner is known neither by an address nor by an account, so nothing can be kept for planning."
        raise Refused(message, status=409, error="no_identifier")
    return found


def _ifis(reader: Reader, members: tuple[str, ...]) -> Iterator[Ifi]:
    for one in identifiers_in(reader, members):
        if account := one.ifi.get("account"):
            yield Ifi(account["homePage"], account["name"])
        elif mbox := one.ifi.get("mbox"):
            yield Ifi("", mbox)


def _kept(reader: Reader, known: list[Ifi]) -> Iterator[LearnerRoute]:
    for who in known:
        own = learner_routes.route_of(reader, NO_CENTRE, who)
        yield from (own,) if own else ()
        yield from learner_routes.routes_elsewhere(reader, NO_CENTRE, who)
