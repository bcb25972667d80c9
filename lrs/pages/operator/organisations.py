"""The organisations of the installation: made, looked at, suspended, resumed; their first administrator. No logic."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from lrs.access import staff_acts
from lrs.access.policy.operators import OPERATOR
from lrs.access.roles import ADMINISTRATOR, Granted
from lrs.access.staff import SUBJECT
from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.plain_text import hidden_character
from lrs.pages.list_files import add_files
from lrs.pages.operator import facts, view
from lrs.pages.operator.view import ORGANISATION_COLUMNS
from lrs.pages.session import chosen
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says
from lrs.storage import Tx
from lrs.tenancy import audit, states
from lrs.tenancy.pages import pages_address
from lrs.web.dates import written_moment
from lrs.web.exchange import tenants_of
from lrs.web.late import Router
from lrs.web.listing import ListRow, asked_of, listing
from lrs.web.origins import port_of

PLACE = f"{OPERATOR}/organisations"
LONGEST_NAME = 200

says(
    organisation_made="The organisation is made. Invite its first administrator below.",
    organisation_suspended="The organisation is suspended within a second: nothing is served, and nothing is lost.",
    organisation_resumed="The organisation is served and worked for again.",
)


def routes() -> Router:
    """The router."""
    router = page_router()
    _add_list(router)
    _add_one(router)
    return router


def _add_list(router: Router) -> None:
    def rows(visit: Visit) -> list[ListRow]:
        return view.organisation_rows(
            tenants_of(visit.request).control.records(), visit.root, visit.tenant.settings.zone
        )

    def shown(visit: Visit, refused: Refused | None = None, **typed: str) -> Response:
        found = listing(asked_of(visit.request, ORGANISATION_COLUMNS), rows(visit))
        told: dict[str, Any] = {"problem": refused.message if refused else "", "id": "", "name": "", **typed}
        return visit.page("operator/organisations.html", refused.status if refused else 200, list=found, **told)

    @router.get(PLACE, summary="The organisations", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return shown(visit)

    add_files(router, PLACE, "The organisations", ORGANISATION_COLUMNS, rows, name="organisations")

    @router.post(
        PLACE, status_code=303, summary="Makes an organisation", openapi_extra=form_body("id", "name") | SIGNED_IN
    )
    def make(visit: Visiting, body: FormBody) -> Response:
        form = visit.fields(body)
        id, name = form.get("id", "").strip(), " ".join(form.get("name", "").split())
        try:
            _make(visit, id, name)
        except Refused as refused:
            return shown(visit, refused, id=id, name=name)
        return visit.on(f"/organisations/{id}", "organisation_made")


def _add_one(router: Router) -> None:
    @router.get(f"{PLACE}/{{id}}", summary="An organisation: how much it has", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        return _one(visit, id)

    @router.post(
        f"{PLACE}/{{id}}/state",
        status_code=303,
        summary="Suspends or resumes an organisation",
        openapi_extra=form_body("state") | SIGNED_IN,
    )
    def switch(visit: Visiting, id: str, body: FormBody) -> Response:
        wanted, tenants = chosen(visit.fields(body), "state", ("suspended", "open")), tenants_of(visit.request)
        facts.existing(tenants, id)
        change, did = (states.suspend, "suspended") if wanted == "suspended" else (states.resume, "resumed")
        try:
            change(tenants.installation.settings, tenants.control, id, by=operator_of(visit))
        except Misconfigured as error:
            return _one(visit, id, Refused(str(error), status=409, error="conflict"))
        put_down(visit, f"tenant.{did}", id)
        return visit.on(f"/organisations/{id}", f"organisation_{did}")

    @router.post(
        f"{PLACE}/{{id}}/administrator",
        summary="Invites somebody who can let others in there",
        openapi_extra=form_body("email") | SIGNED_IN,
    )
    def invite(visit: Visiting, id: str, body: FormBody) -> Response:
        email, tenants = visit.fields(body).get("email", ""), tenants_of(visit.request)
        facts.existing(tenants, id)
        try:
            made = invite_administrator(visit, id, email)
        except Refused as refused:
            return _one(visit, id, refused, email=email)
        until = written_moment(made.expires, visit.tenant.settings.zone)
        return _one(visit, id, email=email, link=made.link, until=until)


def invite_administrator(visit: Visit, id: str, email: str) -> staff_acts.Invitation:
    """Invites an administrator of the organisation *id*. Raises ``Refused``."""
    root = pages_address(visit.tenant.settings, id, port_of(visit.request))
    with tenants_of(visit.request).hold(id) as tenant:
        made = staff_acts.invite(tenant, email, [Granted(ADMINISTRATOR)], by=operator_of(visit), root=root)
    put_down(visit, "tenant.administrator-invited", id)
    return made


def operator_of(visit: Visit) -> str:
    """Who did something, in the record of actions of an organisation: an operator, by their id."""
    return f"operator {visit.session.by.removeprefix(SUBJECT)}"


def put_down(visit: Visit, action: str, organisation: str) -> None:
    """Adds an entry about *organisation* to the record of actions of the installation."""

    def decide(tx: Tx) -> None:
        audit.append(tx, visit.session.by, action, {"tenant": organisation})

    visit.tenant.store.write(decide).result()


def checked_name(text: str) -> str:
    """*text* as the name of an organisation. Raises ``Refused`` (400)."""
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or hidden_character(name):
        raise Refused(f"Write a name of 1 to {LONGEST_NAME} characters.")
    return name


def _make(visit: Visit, id: str, name: str) -> None:
    name = checked_name(name)
    tenants = tenants_of(visit.request)
    try:
        is_new = states.create(tenants.installation.settings, tenants.control, id, name, by=operator_of(visit))
    except Misconfigured as error:
        raise Refused(f"The short name cannot be used. {error}") from error
    if not is_new:
        raise Refused("There is an organisation with this short name already.", status=409, error="conflict")
    put_down(visit, "tenant.created", id)


def _one(visit: Visit, id: str, refused: Refused | None = None, **told: str) -> Response:
    tenants = tenants_of(visit.request)
    record = facts.existing(tenants, id)
    is_open = record.state == "open"
    shown = view.organisation(id, record, facts.counted(tenants, id) if is_open else {}, visit.tenant.settings.zone)
    known = facts.administrators(tenants, id) if is_open else []
    return visit.page(
        "operator/organisation.html",
        refused.status if refused else 200,
        organisation=shown,
        administrators=[{"name": one.name or one.email, "state": one.state} for one in known],
        pages=pages_address(visit.tenant.settings, id, port_of(visit.request)),
        problem=refused.message if refused else "",
        has_mail=visit.tenant.settings.smtp_url is not None,
        **{"email": "", "link": "", "until": "", **told},
    )
