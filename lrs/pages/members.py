"""The list of members of staff with their roles. No logic."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from lrs.access import staff, staff_acts
from lrs.access.roles import OF_STAFF, ROLES, Granted, granted
from lrs.access.staff import ACTIVE, DISABLED, Member
from lrs.access.staff_acts import Invitation
from lrs.kernel.errors import Refused
from lrs.pages import session
from lrs.pages.visit import REFUSALS, SIGNED_IN, FormBody, Visit, Visiting, form_body, says
from lrs.web.dates import written_moment
from lrs.web.origins import pages_address_for

PLACE = "/staff/members"
FREE_ROWS = 2
"""Empty fields for further roles in the form of a member, so that it works without a script."""
_STATES = {"invited": "Invited", "active": "Active", "disabled": "Disabled"}

says(
    roles="The roles are changed. Whoever had them is signed out, and signs in again with the new ones.",
    disabled="The member is disabled, and signed out everywhere.",
    enabled="The member can sign in again.",
)


def routes() -> APIRouter:
    """The router."""
    router = APIRouter(prefix=PLACE, tags=["pages"], default_response_class=HTMLResponse, responses=REFUSALS)

    @router.get("", summary="The members of staff, and their roles", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _members(visit)

    @router.post("", summary="Invites a member of staff", openapi_extra=form_body("email", "role", "of") | SIGNED_IN)
    def invite(visit: Visiting, body: FormBody) -> Response:
        form = session.pairs(visit.tenant, body, visit.session.nonce)
        email = dict(form).get("email", "")
        try:
            made = staff_acts.invite(
                visit.tenant, email, roles_in(form), by=visit.session.by, root=pages_address_for(visit.request)
            )
        except Refused as refused:
            return _members(visit, refused, email=email)
        return _members(visit, made=made, email=email)

    @router.post(
        "/{id}/roles",
        status_code=303,
        summary="Changes the roles of a member",
        openapi_extra=form_body("role", "of") | SIGNED_IN,
    )
    def change(visit: Visiting, id: str, body: FormBody) -> Response:
        form = session.pairs(visit.tenant, body, visit.session.nonce)
        try:
            staff_acts.set_roles(visit.tenant, id, roles_in(form), by=visit.session.by)
        except Refused as refused:
            return _members(visit, refused)
        return visit.on(PLACE, "roles")

    @router.post(
        "/{id}/state",
        status_code=303,
        summary="Disables or enables a member",
        openapi_extra=form_body("state") | SIGNED_IN,
    )
    def switch(visit: Visiting, id: str, body: FormBody) -> Response:
        wanted = visit.fields(body).get("state")
        try:
            if wanted == DISABLED:
                staff_acts.disable(visit.tenant, id, by=visit.session.by)
                return visit.on(PLACE, "disabled")
            staff_acts.enable(visit.tenant, id, by=visit.session.by)
        except Refused as refused:
            return _members(visit, refused)
        return visit.on(PLACE, "enabled")

    return router


def roles_in(form: list[tuple[str, str]]) -> list[Granted]:
    """The roles in a form: each ``role`` with the ``of`` after it. Raises ``Refused`` (400)."""
    found: list[str] = []
    for name, value in form:
        if name == "role" and value:
            found.append(value)
        elif name == "of" and value.strip() and found:
            found[-1] = f"{found[-1]}:{value.strip()}"
    return [granted(one) for one in found]


def _members(
    visit: Visit, refused: Refused | None = None, *, made: Invitation | None = None, email: str = ""
) -> Response:
    zone = visit.tenant.settings.zone
    own = visit.session.by
    return visit.page(
        "staff/members.html",
        refused.status if refused else 200,
        problem=refused.message if refused else "",
        email=email,
        link=made.link if made else "",
        until=written_moment(made.expires, zone) if made else "",
        members=[_shown(id, one, own) for id, one in staff.everyone(visit.tenant.store)],
        roles=[{"name": name, "says": ROLES[name].says, "bound": ROLES[name].bound} for name in OF_STAFF],
    )


def _shown(id: str, member: Member, own: str) -> dict[str, Any]:
    rows = [{"role": one.role, "of": one.of} for one in member.roles]
    return {
        "id": id,
        "name": member.name or member.email or "Somebody who has not come yet",
        "email": member.email,
        "roles": staff.roles_shown(member.all_roles),
        "by_group": staff.roles_shown(member.by_group),
        "rows": [*rows, *({"role": "", "of": ""} for _ in range(FREE_ROWS))],
        "state": _STATES[member.state],
        "mood": {ACTIVE: "good", DISABLED: "bad"}.get(member.state, "warn"),
        "is_disabled": member.state == DISABLED,
        "is_me": own == staff.SUBJECT + id,
        "factor": member.factor is not None,
    }
