"""The pages of matching services: list, adding one, secrets, a test event, deliveries. No logic."""

from __future__ import annotations

from fastapi import Response

from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.plain_text import counted
from lrs.kernel.times import HOUR
from lrs.matching import changes, registry, services
from lrs.matching.registry import AboutService, Registered
from lrs.matching.services import Service
from lrs.outbox.listing import DestinationStatus
from lrs.pages import services_view, session
from lrs.pages.facts import Neighbours
from lrs.pages.list_files import add_files
from lrs.pages.services_sent import MANAGE, PLACE, add_deliveries, asked, delivery_rows, wanted, within_reach
from lrs.pages.services_view import COLUMNS
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, page_router, says
from lrs.web.exchange import address_of
from lrs.web.late import Router
from lrs.web.listing import ListRow, asked_of, listing

NEW = "/staff/new-service"
OVERLAPS = (0, 24, 72, 168)
"""Hours for which former secrets can stay valid."""
FIELDS = ("name", "purpose", "webhook", "contact", "privacy_notice")
OF_EMPLOYER = ("employer_name", "employer_contact", "employer_notice")

says(
    tested="A test event is on its way. What becomes of it stands under “What was sent”.",
    service_stopped="The service is disabled: it is sent and answered nothing.",
    employer_added="The employer is added. Invite somebody of it: they ask its staff on a page of their own.",
    redirected="Events go there from now on. Send a test event to see whether they arrive.",
    resumed="The service is active again, and is told once more what learners agreed to.",
)


def routes(neighbours: Neighbours) -> Router:
    """The router; *neighbours* are the parts that the app knows."""
    router = page_router()
    _add_list(router, neighbours)
    _add_new(router)
    add_deliveries(router, neighbours)
    _add_service(router, neighbours)
    return router


# -- the list -------------------------------------------------------------------------------------------------------


def _add_list(router: Router, neighbours: Neighbours) -> None:
    @router.get(PLACE, summary="The matching services, and whether they are told all", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _list(visit, neighbours)

    add_files(
        router,
        PLACE,
        "The matching services",
        COLUMNS,
        lambda visit: _rows(visit, neighbours),
        name="services",
        sort="name",
    )


def _rows(visit: Visit, neighbours: Neighbours) -> list[ListRow]:
    tenant, own = visit.tenant, within_reach(visit.caller)
    found = [one for one in services.everyone(tenant.store) if own is None or one.id in own]
    return services_view.rows(found, _destinations(visit, neighbours), tenant.clock(), visit.root)


def stopped(visit: Visit) -> int:
    """How many services within reach are sent nothing now."""
    own = within_reach(visit.caller)
    found = [one for one in services.everyone(visit.tenant.store) if own is None or one.id in own]
    return sum(not one.active for one in found)


def _destinations(visit: Visit, neighbours: Neighbours) -> dict[str, DestinationStatus]:
    found = neighbours.destinations(visit.tenant)
    return {one.destination.id: one for one in found if one.destination.channel == "webhook"}


def _list(visit: Visit, neighbours: Neighbours) -> Response:
    found = listing(asked_of(visit.request, COLUMNS, sort="name"), _rows(visit, neighbours))
    return visit.page("staff/services.html", list=found, may_add=may(visit.caller)(NEW))


# -- a new one ------------------------------------------------------------------------------------------------------


def _add_new(router: Router) -> None:
    @router.get(NEW, summary="The form to add a matching service", openapi_extra=SIGNED_IN)
    def ask(visit: Visiting) -> Response:
        return _form(visit, {}, [services.PROFILES])

    @router.post(
        PLACE,
        summary="Adds a matching service, and shows its secrets once",
        openapi_extra=form_body(*FIELDS, "scopes", "who", *OF_EMPLOYER) | SIGNED_IN,
    )
    def add(visit: Visiting, body: FormBody) -> Response:
        pairs = session.pairs(visit.tenant, body, visit.session.nonce)
        if dict(pairs).get("who") == "employer":
            return _add_employer(visit, {name: dict(pairs).get(name, "").strip() for name in OF_EMPLOYER})
        given = {name: dict(pairs).get(name, "").strip() for name in FIELDS}
        scopes = [value for name, value in pairs if name == "scopes"]
        try:
            made = registry.register(
                visit.tenant,
                given["name"],
                webhook=given["webhook"] or None,
                scopes=scopes,
                purpose=given["purpose"],
                by=visit.session.by,
                told=AboutService(given["contact"] or None, given["privacy_notice"] or None),
            )
        except Refused as refused:
            return _form(visit, given, scopes, refused)
        return _secrets(visit, made)


def _add_employer(visit: Visit, given: dict[str, str]) -> Response:
    name, contact, notice = (given[field] for field in OF_EMPLOYER)
    try:
        told = AboutService(contact or None, notice or None)
        made = registry.add_employer(visit.tenant, name, told, by=visit.session.by)
    except Refused as refused:
        return _form(visit, given, [services.PROFILES], refused)
    return visit.on(f"{PLACE}/{made.id}", "employer_added")


def _form(visit: Visit, given: dict[str, str], scopes: list[str], refused: Refused | None = None) -> Response:
    return visit.page(
        "staff/service-new.html",
        refused.status if refused else 200,
        given={name: given.get(name, "") for name in (*FIELDS, *OF_EMPLOYER)},
        scopes=services_view.scope_options(scopes),
        problem=refused.message if refused else "",
    )


def _secrets(visit: Visit, made: Registered, overlap: int = 0) -> Response:
    return visit.page(
        "staff/service-secrets.html",
        name=made.service.name,
        id=made.service.id,
        client_secret=made.client_secret,
        webhook_secret=made.webhook_secret if made.service.webhook else "",
        address=address_of(visit.request),
        overlap=overlap,
        is_handed_on=visit.caller.may_all(MANAGE),
    )


# -- one of them ----------------------------------------------------------------------------------------------------


def _add_service(router: Router, neighbours: Neighbours) -> None:
    @router.get(PLACE + "/{id}", summary="A matching service, and what was sent to it", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        return _service(visit, neighbours, wanted(visit, id))

    @router.post(
        PLACE + "/{id}/test", status_code=303, summary="Sends a test event", openapi_extra=form_body() | SIGNED_IN
    )
    def test(visit: Visiting, id: str, body: FormBody) -> Response:
        visit.fields(body)
        one = wanted(visit, id)
        try:
            registry.send_test(visit.tenant, one.id, by=visit.session.by)
        except Refused as refused:
            return _service(visit, neighbours, one, refused)
        return visit.on(f"{PLACE}/{id}", "tested")

    _add_address(router, neighbours)
    _add_secrets(router, neighbours)
    _add_state(router, neighbours)


def _add_address(router: Router, neighbours: Neighbours) -> None:
    @router.post(
        PLACE + "/{id}/webhook",
        status_code=303,
        summary="Sends the events of a service to another address",
        openapi_extra=form_body("webhook") | SIGNED_IN,
    )
    def redirect(visit: Visiting, id: str, body: FormBody) -> Response:
        webhook, one = visit.fields(body).get("webhook", "").strip(), wanted(visit, id)
        try:
            registry.redirect(visit.tenant, one.id, webhook, by=visit.session.by)
        except Refused as refused:
            return _service(visit, neighbours, one, refused, webhook)
        return visit.on(f"{PLACE}/{id}", "redirected")


def _add_secrets(router: Router, neighbours: Neighbours) -> None:
    @router.post(
        PLACE + "/{id}/rotate",
        summary="Gives new secrets, shown once, with an overlap if wanted",
        openapi_extra=form_body("overlap") | SIGNED_IN,
    )
    def rotate(visit: Visiting, id: str, body: FormBody) -> Response:
        said = visit.fields(body).get("overlap", "")
        one = wanted(visit, id)
        hours = next((one for one in OVERLAPS if said == str(one)), None)
        if hours is None:
            refused = Refused("Choose for how long the former secrets go on.")
            return _service(visit, neighbours, one, refused)
        made = registry.rotate(visit.tenant, one.id, by=visit.session.by, overlap=hours * HOUR)
        return _secrets(visit, made, hours)


def _add_state(router: Router, neighbours: Neighbours) -> None:
    @router.post(
        PLACE + "/{id}/state",
        status_code=303,
        summary="Disables a service, or takes it back",
        openapi_extra=form_body("state") | SIGNED_IN,
    )
    def switch(visit: Visiting, id: str, body: FormBody) -> Response:
        form, tenant, by = visit.fields(body), visit.tenant, visit.session.by
        one = wanted(visit, id)
        state = session.chosen(form, "state", ("active", "disabled"))
        if state == "disabled":
            tenant.store.write(lambda tx: services.disable(tx, one.id, "on its page", by=by)).result()
            return visit.on(f"{PLACE}/{id}", "service_stopped")
        try:
            registry.resync(tenant, one.id, by=by, only_refused=not visit.caller.may_all(MANAGE))
        except Refused as refused:
            return _service(visit, neighbours, wanted(visit, id), refused)
        return visit.on(f"{PLACE}/{id}", "resumed")


def _service(
    visit: Visit, neighbours: Neighbours, one: Service, refused: Refused | None = None, typed: str | None = None
) -> Response:
    tenant, zone = visit.tenant, visit.tenant.settings.zone
    count = tenant.store.count(changes.KIND, [key("service", one.id)])
    destination = _destinations(visit, neighbours).get(one.id)
    return visit.page(
        "staff/service.html",
        refused.status if refused else 200,
        service=services_view.service(one, destination, count, tenant.clock(), zone),
        deliveries=listing(asked(visit, one.id), delivery_rows(visit, neighbours, one.id)[:LAST]),
        overlaps=[(str(one), counted(one, "hour") if one else "They end at once") for one in OVERLAPS],
        problem=refused.message if refused else "",
        runs_all=visit.caller.may_all(MANAGE),
        may_invite=may(visit.caller)("/staff/members", "POST"),
        typed=typed,
    )


LAST = 10
"""The newest deliveries that the page of a service shows; all are a page of their own."""
