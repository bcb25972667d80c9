"""The page on which a session is changed that nobody has marked yet. No logic."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Response

from adapters.training_centre import acts
from adapters.training_centre.day import RUN
from adapters.training_centre.pages import view
from adapters.training_centre.pages.marking import day_of
from adapters.training_centre.planning import FormFault, fields_of
from lrs.kernel.errors import Refused
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, says
from lrs.web.late import Router
from lrs.web.origins import pages_address_for
from lrs.xapi.statements.subscriptions import Subscriptions

PLACE = "/staff/sessions/{id}/change"
FIELDS = ("title", "date", "until", "starts", "ends", "place", "seats")
says(
    session_changed="The session is changed. Who booked or waits is told by e-mail if its title, time or place changed."
)


def add_change(router: Router, subscriptions: Subscriptions) -> None:
    """Adds the page on which a session is changed."""

    @router.get(PLACE, summary="The form to change a session", openapi_extra=SIGNED_IN)
    def ask(visit: Visiting, id: str) -> Response:
        return _form(visit, subscriptions, id, None)

    @router.post(PLACE, status_code=303, summary="Changes a session", openapi_extra=form_body(*FIELDS) | SIGNED_IN)
    def change(visit: Visiting, id: str, body: FormBody) -> Response:
        told = visit.fields(body)
        root = pages_address_for(visit.request)
        try:
            acts.change(day_of(visit, subscriptions, RUN), id, told, root)
        except FormFault as fault:
            return _form(visit, subscriptions, id, told, 400, fault.field, fault.message)
        except Refused as refused:
            if refused.status != 409:
                raise
            return _form(visit, subscriptions, id, told, 409, "title", refused.message)
        return visit.on(f"/staff/sessions/{id}", "session_changed")


def _form(
    visit: Visit,
    subscriptions: Subscriptions,
    id: str,
    told: Mapping[str, str] | None,
    status: int = 200,
    field: str = "",
    message: str = "",
) -> Response:
    _, session = day_of(visit, subscriptions, RUN).session(visit.tenant.store, id)
    given = fields_of(session) if told is None else {name: told.get(name, "") for name in FIELDS}
    return visit.page(
        "staff/session-change.html",
        status,
        one=view.about(session, visit.tenant.clock()),
        given=given,
        errors=[{"field": field, "message": message}] if message else [],
        wrong={field: message} if message else {},
    )
