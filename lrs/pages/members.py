"""The list of members of staff with their roles. No logic."""

from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from typing import Any

from fastapi import Response

from lrs.access import staff, staff_acts
from lrs.access.keys import FIRST_KEY
from lrs.access.signed_in import session_in
from lrs.access.source_names import SourceNames
from lrs.access.staff import ACTIVE, DISABLED, INVITED, WITHDRAWN, Member
from lrs.access.staff_acts import Invitation
from lrs.kernel.errors import Refused
from lrs.matching import services
from lrs.matching.developers import role_said, with_services
from lrs.pages import session
from lrs.pages.connect import facts as connect_facts
from lrs.pages.connect.facts import CONNECT
from lrs.pages.facts import Neighbours
from lrs.pages.role_form import choices, roles_in, rows_in, rows_of, unknown_names
from lrs.pages.session import chosen
from lrs.pages.states import MEMBER_STATES
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says
from lrs.web.dates import written_moment
from lrs.web.late import Router
from lrs.web.origins import pages_address_for, session_cookie

PLACE = "/staff/members"
Typed = Mapping[str, Sequence[Mapping[str, str]]]
"""The rows of roles that somebody filled in, by the id of the member; under ``""`` those of an invitation."""
_NONE: Typed = {}
_EMPTY = {"role": "", "of": ""}

says(
    roles="The roles are changed. Whoever had them is signed out, and signs in again with the new ones.",
    own_roles="Your own roles are changed, so you are signed out. Sign in with the new ones.",
    disabled="The member is disabled, and signed out everywhere.",
    invitation_withdrawn="The invitation is withdrawn: its link does not work any more.",
    enabled="The member can sign in again.",
)


def routes(neighbours: Neighbours) -> Router:
    """The router; *neighbours* are the parts that the app knows."""
    router = page_router(PLACE)
    members = partial(_members, neighbours)

    @router.get("", summary="The members of staff, and their roles", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        asked = visit.request.query_params
        return members(visit, typed={"": rows_in([("role", asked.get("role", "")), ("of", asked.get("of", ""))])})

    @router.post("", summary="Invites a member of staff", openapi_extra=form_body("email", "role", "of") | SIGNED_IN)
    def invite(visit: Visiting, body: FormBody) -> Response:
        form = session.pairs(visit.tenant, body, visit.session.nonce)
        email = dict(form).get("email", "")
        try:
            roles = with_services(visit.tenant.store, roles_in(form))
            root = pages_address_for(visit.request)
        except Refused as refused:
            return members(visit, refused, "/role-1", email=email, typed={"": rows_in(form)})
        try:
            made = staff_acts.invite(visit.tenant, email, roles, by=visit.session.by, root=root)
        except Refused as refused:
            return members(visit, refused, "/email", email=email, typed={"": rows_in(form)})
        return members(visit, made=made, email=email)

    _add_changes(router, members)
    return router


def _add_changes(router: Router, members: Callable[..., Response]) -> None:
    """What is done to one member."""

    @router.post(
        "/{id}/roles",
        status_code=303,
        summary="Changes the roles of a member",
        openapi_extra=form_body("role", "of") | SIGNED_IN,
    )
    def change(visit: Visiting, id: str, body: FormBody) -> Response:
        form = session.pairs(visit.tenant, body, visit.session.nonce)
        try:
            roles = with_services(visit.tenant.store, roles_in(form))
            staff_acts.set_roles(visit.tenant, id, roles, by=visit.session.by)
        except Refused as refused:
            return members(visit, refused, "/role-1", typed={id: rows_in(form)})
        if visit.session.by == staff.SUBJECT + id and session_in(visit.tenant, _token(visit)) is None:
            return visit.on("/sign-in", "own_roles")
        return visit.on(PLACE, "roles")

    @router.post(
        "/{id}/state",
        status_code=303,
        summary="Disables or enables a member, or withdraws an invitation",
        openapi_extra=form_body("state") | SIGNED_IN,
    )
    def switch(visit: Visiting, id: str, body: FormBody) -> Response:
        wanted = chosen(visit.fields(body), "state", (DISABLED, "enabled"))
        try:
            if wanted == DISABLED:
                _check_other(visit, id)
                state = staff_acts.disable(visit.tenant, id, by=visit.session.by)
                return visit.on(PLACE, "invitation_withdrawn" if state == WITHDRAWN else "disabled")
            staff_acts.enable(visit.tenant, id, by=visit.session.by)
        except Refused as refused:
            return members(visit, refused)
        return visit.on(PLACE, "enabled")

    _add_recovery(router, members)


def _add_recovery(router: Router, members: Callable[..., Response]) -> None:
    """A new password for somebody who forgot theirs."""

    @router.post(
        "/{id}/recovery",
        summary="Makes a link by which a member sets a new password, shown once",
        openapi_extra=form_body("without") | SIGNED_IN,
    )
    def recover(visit: Visiting, id: str, body: FormBody) -> Response:
        without = visit.fields(body).get("without") == "yes"
        root = pages_address_for(visit.request)
        try:
            made = staff_acts.recover(visit.tenant, id, by=visit.session.by, root=root, without_factor=without)
        except Refused as refused:
            return members(visit, refused)
        return members(visit, made=made, is_recovery=True)


def _token(visit: Visit) -> str | None:
    return visit.request.cookies.get(session_cookie(visit.tenant))


def _check_other(visit: Visit, id: str) -> None:
    """Refuses (409) to shut oneself out by a slip."""
    if visit.session.by == staff.SUBJECT + id:
        raise Refused("You cannot disable yourself: another administrator can.", status=409, error="conflict")


def _members(
    neighbours: Neighbours,
    visit: Visit,
    refused: Refused | None = None,
    at: str = "",
    *,
    made: Invitation | None = None,
    email: str = "",
    typed: Typed = _NONE,
    is_recovery: bool = False,
) -> Response:
    zone, store = visit.tenant.settings.zone, visit.tenant.store
    known, there = _known(neighbours, visit), list(services.everyone(store))
    return visit.page(
        "staff/members.html",
        refused.status if refused else 200,
        problem=refused.message if refused else "",
        wrong=(refused.pointer or at).removeprefix("/") if refused else "",
        email=email,
        made=_made(visit, made, zone) if made else None,
        is_recovery=is_recovery,
        new_rows=_filled(typed.get("", ())),
        members=[
            _shown(visit, id, one, {*known, *(each.id for each in there)}, typed) for id, one in staff.everyone(store)
        ],
        roles=choices([(one.id, one.name, one.employer) for one in there]),
        known=known,
        has_mail=visit.tenant.settings.smtp_url is not None,
    )


def _known(neighbours: Neighbours, visit: Visit) -> list[str]:
    """The sources that a role can be for: of a key, of files or with a shown name, but the first start's own."""
    store = visit.tenant.store
    named = SourceNames(store).known.keys() - {FIRST_KEY}
    return sorted({*connect_facts.sources_of(visit.tenant, visit.caller, CONNECT, neighbours.by_file(store)), *named})


def _made(visit: Visit, made: Invitation, zone: str) -> dict[str, Any]:
    store = visit.tenant.store
    _, member = staff.existing(store, made.id)
    return {
        "link": made.link,
        "until": written_moment(made.expires, zone),
        "who": member.email or member.name,
        "replaced": ", ".join(role_said(store, one) for one in made.replaced),
        "roles": ", ".join(role_said(store, one) for one in member.roles),
    }


def _filled(rows: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The *rows* that say something, at least one, and an empty one behind them for a further role."""
    return [*([row for row in rows if row["role"] or row["of"]] or [_EMPTY]), _EMPTY]


def _shown(visit: Visit, id: str, member: Member, known: Container[str], typed: Typed) -> dict[str, Any]:
    store, rows = visit.tenant.store, typed.get(id) or rows_of(member.roles)
    return {
        "id": id,
        "name": member.name or member.email or "Somebody who has not come yet",
        "email": member.email,
        "roles": [role_said(store, one) for one in member.all_roles],
        "unknown": ", ".join(unknown_names(member.all_roles, known)),
        "by_group": [role_said(store, one) for one in member.by_group],
        "rows": _filled(rows),
        "is_open": id in typed,
        "state": MEMBER_STATES[member.state],
        "mood": {ACTIVE: "good", DISABLED: "bad"}.get(member.state, "warn"),
        "is_active": member.state == ACTIVE,
        "is_disabled": member.state == DISABLED,
        "is_invited": member.state == INVITED,
        "is_withdrawn": member.state == WITHDRAWN,
        "is_me": visit.session.by == staff.SUBJECT + id,
        "factor": member.factor is not None,
    }
