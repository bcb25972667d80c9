"""The pages of stewards about codes for events: make one and project it, list them, end one. No logic."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from fastapi import Response

from badges.claims import event_codes
from badges.claims.event_codes import EventCode
from lrs.access import CODES_SOURCE
from lrs.kernel.errors import Refused
from lrs.kernel.qr import qr_code
from lrs.pages.list_files import add_files
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says
from lrs.web.dates import written_day
from lrs.web.late import Router
from lrs.web.listing import ListColumn, ListRow, asked_of, listing
from lrs.web.origins import pages_address_for

PLACE = "/staff/event-codes"
FIELDS = ("title", "activity", "until", "most")
COLUMNS = (
    ListColumn("event", "Event"),
    ListColumn("state", "State", facet=True),
    ListColumn("until", "Last day"),
    ListColumn("used", "Used", figure=True),
    ListColumn("most", "At most", figure=True),
    ListColumn("activity", "Address of the event", seen=False),
    ListColumn("number", "Number"),
)
_OWN_FAULT = {400, 404}

says(code_ended="The code has ended: nobody can use it any more. What it gave stays.")


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get(PLACE, summary="The codes for events", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _page(visit, {})

    add_files(router, PLACE, "The codes for events", COLUMNS, _rows, name="event-codes")

    @router.post(
        PLACE,
        summary="Makes a code for an event, and shows it this once",
        openapi_extra=form_body(*FIELDS) | SIGNED_IN,
    )
    def make(visit: Visiting, body: FormBody) -> Response:
        form = visit.fields(body)
        try:
            wanted = event_codes.typed(visit.tenant, form, by=visit.session.by)
            made = event_codes.create(visit.tenant, wanted)
        except Refused as refused:
            if refused.status not in _OWN_FAULT:
                raise
            return _page(visit, form, refused)
        return _made(visit, wanted, made.code)

    @router.post(
        f"{PLACE}/end", status_code=303, summary="Ends a code for an event", openapi_extra=form_body("code") | SIGNED_IN
    )
    def end(visit: Visiting, body: FormBody) -> Response:
        event_codes.end(visit.tenant, visit.fields(body).get("code", ""), by=visit.session.by)
        return visit.on(PLACE, "code_ended")

    return router


def _page(visit: Visit, form: Mapping[str, str], refused: Refused | None = None) -> Response:
    rows = _rows(visit)
    return visit.page(
        "staff/event-codes.html",
        refused.status if refused else 200,
        list=listing(asked_of(visit.request, COLUMNS), rows),
        open=[(row.values["number"], row.values["event"]) for row in rows if row.values["state"] == "open"],
        source=CODES_SOURCE,
        given={field: form.get(field, "") for field in FIELDS},
        errors=[{"field": (refused.pointer or "/title").removeprefix("/"), "message": refused.message}]
        if refused
        else [],
    )


def _made(visit: Visit, wanted: EventCode, code: str) -> Response:
    """The code, large enough to be projected. It is shown this once, so the page is the answer to the form."""
    address = f"{pages_address_for(visit.request)}/me/code"
    shown: dict[str, Any] = {"code": code, "title": wanted.title, "address": address, "qr": qr_code(address)}
    until = written_day(wanted.last_day(visit.tenant.settings.zone))
    answer = visit.page("staff/event-code-made.html", until=until, most=wanted.most, **shown)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _rows(visit: Visit) -> list[ListRow]:
    zone, now = visit.tenant.settings.zone, visit.tenant.clock()
    found = reversed(list(event_codes.everyone(visit.tenant.store)))
    return [_row(id, code, code.last_day(zone), is_over=code.is_over(now)) for id, code in found]


def _row(id: str, code: EventCode, last: date, *, is_over: bool) -> ListRow:
    return ListRow(
        {
            "event": code.title,
            "state": "ended" if is_over else "open",
            "until": last.isoformat(),
            "used": code.used,
            "most": code.most,
            "activity": code.activity,
            "number": id,
        },
        {"state": "Ended" if is_over else "Open", "until": written_day(last)},
    )
