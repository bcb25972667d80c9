"""Learning platforms for staff: which there are, an invitation, a registration by hand, approval. No logic."""

from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import JSONResponse

from adapters.lms.lti import invitations, manual, platforms, platforms_view, tool_keys
from adapters.lms.lti.addresses import tool_root, why_unusable
from adapters.lms.lti.platforms_view import COLUMNS
from adapters.lms.lti.staff_results import add_results
from lrs.kernel.errors import Refused
from lrs.pages.list_files import add_files
from lrs.pages.session import chosen
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, page_router, says
from lrs.web.dates import written_moment
from lrs.web.frame import PRODUCT
from lrs.web.late import Router
from lrs.web.listing import ListRow, asked_of, listing
from lrs.web.origins import port_of

PLACE, NEW = "/staff/lms", "/staff/lms/new"
APPROVE = "/staff/lms/platforms/{id}/state"
FIELDS = ("name", "issuer", "client_id", "authorization", "token", "jwks", "deployments")
_STATES: dict[str, platforms.PlatformState] = {"approved": "approved", "suspended": "suspended"}
says(
    lms_approved="The platform is approved: what it opens is let in from now on.",
    lms_suspended="The platform is suspended: nothing of it is let in, and whoever came from there is signed out.",
    lms_added="The platform is registered.",
    lms_removed="The platform is removed: nothing of it is let in any more.",
    lms_withdrawn="The invitation is withdrawn: its address opens nothing any more.",
    lms_deployment="The deployment is accepted: what it opens is let in from now on.",
)


def routes() -> Router:
    """The router."""
    router = page_router()
    _add_list(router)
    _add_invitations(router)
    _add_new(router)
    _add_platform(router)
    _add_removal(router)
    add_results(router)
    return router


def _add_list(router: Router) -> None:
    @router.get(PLACE, summary="The learning platforms", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, made: Annotated[str, Query(max_length=500)] = "") -> Response:
        """*made* is an invitation that was made a moment ago."""
        if not made:
            return _list(visit)
        try:
            told = invitations.told_again(visit.tenant, made, visit.session.nonce, root_for(visit))
        except Refused as refused:
            return _list(visit, refused)
        return _list(visit, made=told)

    add_files(router, PLACE, "The learning platforms", COLUMNS, _rows, name="platforms", sort="name")


def _add_invitations(router: Router) -> None:
    @router.post(
        PLACE,
        status_code=303,
        summary="Makes an invitation for a platform",
        openapi_extra=form_body("name") | SIGNED_IN,
    )
    def invite(visit: Visiting, body: FormBody) -> Response:
        """Leads to a page that can be loaded again: sent once more, this form would make another one."""
        name = visit.fields(body).get("name", "")
        try:
            address, _ = invitations.invite(visit.tenant, name, by=visit.session.by, root=root_for(visit))
        except Refused as refused:
            return _list(visit, refused, name=name)
        told = invitations.to_tell(visit.tenant, address, visit.session.nonce)
        return visit.on(f"{PLACE}?made={told}#invite")

    @router.post(
        f"{PLACE}/withdraw",
        status_code=303,
        summary="Withdraws an invitation",
        openapi_extra=form_body("name") | SIGNED_IN,
    )
    def withdraw(visit: Visiting, body: FormBody) -> Response:
        name = visit.fields(body).get("name", "")
        try:
            invitations.withdraw(visit.tenant, name, by=visit.session.by)
        except Refused as refused:
            return _list(visit, refused)
        return visit.on(PLACE, "lms_withdrawn")


def _add_new(router: Router) -> None:
    @router.get(NEW, summary="The form to register a platform by hand", openapi_extra=SIGNED_IN)
    def ask(
        visit: Visiting,
        product: Annotated[str, Query(max_length=40)] = "moodle",
        site: Annotated[str, Query(max_length=500)] = "",
    ) -> Response:
        tool_keys.ensure(visit.tenant)
        return _form(visit, product, platforms_view.proposed(manual.product(product), site), site=site)

    @router.post(NEW, summary="Registers a platform by hand", openapi_extra=form_body(*FIELDS) | SIGNED_IN)
    def add(visit: Visiting, body: FormBody) -> Response:
        given = {name: value.strip() for name, value in visit.fields(body).items()}
        state: platforms.PlatformState = "approved" if may(visit.caller)(APPROVE, "POST") else "pending"
        try:
            made = manual.register(visit.tenant, given, state, by=visit.session.by)
        except Refused as refused:
            return _form(visit, given.get("product", "moodle"), given, refused)
        return visit.on(f"{PLACE}/platforms/{made.id}", "lms_added")

    @router.get(
        "/staff/lms/canvas.json",
        response_class=JSONResponse,
        summary="This tool as Canvas takes it",
        openapi_extra=SIGNED_IN,
    )
    def canvas(visit: Visiting) -> Response:
        told = manual.canvas_json(root_for(visit), visit.tenant.record.name or PRODUCT)
        return JSONResponse(told, headers={"content-disposition": 'attachment; filename="canvas.json"'})


def _add_platform(router: Router) -> None:
    @router.get(PLACE + "/platforms/{id}", summary="A learning platform", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        return _platform(visit, id)

    @router.post(
        APPROVE,
        status_code=303,
        summary="Approves or suspends a platform",
        openapi_extra=form_body("state") | SIGNED_IN,
    )
    def change(visit: Visiting, id: str, body: FormBody) -> Response:
        state = _STATES[chosen(visit.fields(body), "state", _STATES)]
        visit.tenant.store.write(lambda tx: platforms.set_state(tx, id, state, visit.session.by)).result()
        return visit.on(f"{PLACE}/platforms/{id}", f"lms_{state}")

    @router.post(
        PLACE + "/platforms/{id}/deployments",
        summary="Accepts a deployment of a platform",
        openapi_extra=form_body("deployment") | SIGNED_IN,
    )
    def accept(visit: Visiting, id: str, body: FormBody) -> Response:
        deployment = visit.fields(body).get("deployment", "").strip()
        try:
            visit.tenant.store.write(
                lambda tx: platforms.accept_deployment(tx, id, deployment, visit.session.by)
            ).result()
        except Refused as refused:
            if refused.status == 404:
                raise
            return _platform(visit, id, refused)
        return visit.on(f"{PLACE}/platforms/{id}", "lms_deployment")


def _add_removal(router: Router) -> None:
    @router.post(
        PLACE + "/platforms/{id}/remove",
        status_code=303,
        summary="Removes a platform",
        openapi_extra=form_body() | SIGNED_IN,
    )
    def remove(visit: Visiting, id: str, body: FormBody) -> Response:
        visit.fields(body)
        visit.tenant.store.write(lambda tx: platforms.remove(tx, id, visit.session.by)).result()
        return visit.on(PLACE, "lms_removed")


def root_for(visit: Visit) -> str:
    """The address of the tool, as it is told to platforms."""
    return tool_root(visit.tenant.settings, visit.tenant.id, port_of(visit.request))


def _rows(visit: Visit) -> list[ListRow]:
    return platforms_view.rows(platforms.everyone(visit.tenant.store), visit.root, visit.tenant.settings.zone)


def _list(
    visit: Visit, refused: Refused | None = None, *, made: tuple[str, str, int] = ("", "", 0), name: str = ""
) -> Response:
    invited, link, expires = made
    return visit.page(
        "staff/lms.html",
        refused.status if refused else 200,
        list=listing(asked_of(visit.request, COLUMNS, sort="name"), _rows(visit)),
        unusable=why_unusable(visit.tenant.settings),
        invited=_invited(visit),
        may_approve=may(visit.caller)(APPROVE, "POST"),
        problem=refused.message if refused and refused.error != "needs_https" else "",
        link=link,
        until=written_moment(expires, visit.tenant.settings.zone) if link else "",
        name=invited or name,
    )


def _invited(visit: Visit) -> list[tuple[str, str]]:
    """The invitations that wait: for whom, and until when."""
    found, zone = invitations.waiting(visit.tenant), visit.tenant.settings.zone
    return [(one.about, written_moment(one.expires, zone)) for one in found]


def _form(
    visit: Visit, product: str, given: dict[str, str], refused: Refused | None = None, *, site: str = ""
) -> Response:
    field = (refused.pointer or "/name").removeprefix("/") if refused else ""
    return visit.page(
        "staff/lms-new.html",
        refused.status if refused else 200,
        product=manual.product(product),
        products=platforms_view.products(),
        given={name: given.get(name, "") for name in FIELDS},
        examples=platforms_view.examples(manual.product(product), site),
        errors=[{"field": field, "message": refused.message}] if refused else [],
        wrong={field: refused.message} if refused else {},
        values=manual.our_values(root_for(visit)),
        unusable=why_unusable(visit.tenant.settings),
        may_approve=may(visit.caller)(APPROVE, "POST"),
    )


def _platform(visit: Visit, id: str, refused: Refused | None = None) -> Response:
    found = platforms.platform(visit.tenant.store, id)
    if found is None:
        raise Refused("There is no such platform.", status=404, error="not_found")
    return visit.page(
        "staff/lms-platform.html",
        refused.status if refused else 200,
        platform=platforms_view.platform(found, visit.tenant.settings.zone),
        may_approve=may(visit.caller)(APPROVE, "POST"),
        problem=refused.message if refused else "",
    )
