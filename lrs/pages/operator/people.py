"""The operators of the installation: who signs in, and the keys for programs such as Prometheus. No logic."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from lrs.access import staff, staff_acts
from lrs.access.operators import ROLE, create_operator_key, list_operator_keys, revoke_operator_key
from lrs.access.policy.operators import OPERATOR
from lrs.access.staff import DISABLED, SUBJECT, WITHDRAWN
from lrs.kernel.errors import Misconfigured, Refused
from lrs.pages.operator import view
from lrs.pages.session import chosen
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says
from lrs.web.dates import written_moment
from lrs.web.late import Router
from lrs.web.origins import pages_address_for

PEOPLE, KEYS = f"{OPERATOR}/people", f"{OPERATOR}/keys"

says(
    operator_disabled="The operator is shut out, everywhere at once.",
    operator_enabled="The operator can sign in again.",
    operator_key_revoked="The key is revoked: it opens nothing any more.",
)


def routes() -> Router:
    """The router."""
    router = page_router()
    _add_people(router)
    _add_keys(router)
    return router


def _add_people(router: Router) -> None:
    @router.get(PEOPLE, summary="Who runs this installation, and their keys", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _people(visit)

    @router.post(PEOPLE, summary="Invites an operator", openapi_extra=form_body("email") | SIGNED_IN)
    def invite(visit: Visiting, body: FormBody) -> Response:
        email = visit.fields(body).get("email", "")
        try:
            made = staff_acts.invite(
                visit.tenant, email, ROLE, by=visit.session.by, root=pages_address_for(visit.request)
            )
        except Refused as refused:
            return _people(visit, refused, email=email)
        until = written_moment(made.expires, visit.tenant.settings.zone)
        return _people(visit, invited=email, link=made.link, until=until)

    @router.post(
        f"{PEOPLE}/{{id}}/state",
        status_code=303,
        summary="Disables or enables an operator",
        openapi_extra=form_body("state") | SIGNED_IN,
    )
    def switch(visit: Visiting, id: str, body: FormBody) -> Response:
        wanted = chosen(visit.fields(body), "state", (DISABLED, "enabled"))
        try:
            if wanted == DISABLED:
                _check_other(visit, id)
                state = staff_acts.disable(visit.tenant, id, by=visit.session.by, keep_one=False)
                return visit.on("/people", "invitation_withdrawn" if state == WITHDRAWN else "operator_disabled")
            staff_acts.enable(visit.tenant, id, by=visit.session.by)
        except Refused as refused:
            return _people(visit, refused)
        return visit.on("/people", "operator_enabled")


def _check_other(visit: Visit, id: str) -> None:
    """Refuses (409) to shut oneself out: so there is always one operator who can sign in."""
    if visit.session.by == SUBJECT + id:
        raise Refused("You cannot disable yourself: another operator can.", status=409, error="conflict")


def _add_keys(router: Router) -> None:
    @router.post(KEYS, summary="Makes a key for a program, shown once", openapi_extra=form_body("name") | SIGNED_IN)
    def make(visit: Visiting, body: FormBody) -> Response:
        name = visit.fields(body).get("name", "").strip()
        try:
            new = create_operator_key(visit.tenant, name, by=visit.session.by)
        except Misconfigured:
            message = "Give the key a name of 1 to 80 letters, digits, spaces, dots, hyphens or underscores."
            return _people(visit, Refused(message), name=name)
        return _people(visit, key=new.key, secret=new.secret)

    @router.post(
        f"{KEYS}/{{key}}/revoke", status_code=303, summary="Revokes a key", openapi_extra=form_body() | SIGNED_IN
    )
    def revoke(visit: Visiting, key: str, body: FormBody) -> Response:
        visit.fields(body)
        if not revoke_operator_key(visit.tenant, key, by=visit.session.by):
            raise Refused("There is no such key.", status=404, error="not_found")
        return visit.on("/people", "operator_key_revoked")


def _people(visit: Visit, refused: Refused | None = None, **told: Any) -> Response:
    store, own = visit.tenant.store, visit.session.by.removeprefix(SUBJECT)
    shown = dict.fromkeys(("email", "invited", "link", "until", "name", "key", "secret"), "") | told
    return visit.page(
        "operator/people.html",
        refused.status if refused else 200,
        problem=refused.message if refused else "",
        people=[view.person(id, one, own) for id, one in staff.everyone(store)],
        keys=list_operator_keys(store),
        columns=view.KEY_COLUMNS,
        **shown,
    )
