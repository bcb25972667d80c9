"""The page of a source: its switches, what was refused to it last, what is in quarantine, its keys. No logic."""

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from lrs.access.switches import SWITCHES, put_switches
from lrs.kernel.errors import Refused
from lrs.pages import connect_facts, connect_view
from lrs.pages.connect_facts import CONNECT
from lrs.pages.visit import REFUSALS, SIGNED_IN, FormBody, Visit, Visiting, form_body, says

PLACE = "/connect/sources"

says(
    switched="Saved. It holds for what comes from now on, within a second.",
    switched_not="Nothing changed: the switches are so already.",
)


def routes() -> APIRouter:
    """The router."""
    router = APIRouter(prefix=PLACE, tags=["pages"], default_response_class=HTMLResponse, responses=REFUSALS)

    @router.get("/{source}", summary="A source: its switches, its last refusals, its keys", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, source: str) -> Response:
        found = connect_facts.source_facts(visit.tenant, _within(visit, source))
        return visit.page(
            "staff/source.html", **connect_view.source_values(found, visit.root, visit.tenant.settings.zone)
        )

    @router.post(
        "/{source}",
        status_code=303,
        summary="Turns switches of a source on and off",
        openapi_extra=form_body(*SWITCHES) | SIGNED_IN,
    )
    def switch(visit: Visiting, source: str, body: FormBody) -> Response:
        form, name = visit.fields(body), _within(visit, source)
        on = [one for one in SWITCHES if form.get(one)]
        by = visit.session.by
        changed = visit.tenant.store.write(lambda tx: put_switches(tx, name, on, by)).result()
        return visit.on(connect_view.source_path(name), "switched" if changed else "switched_not")

    return router


def _within(visit: Visit, source: str) -> str:
    """*source*, if it has a key and the visitor may connect it. Raises ``Refused`` (404)."""
    if not connect_facts.reaches(visit.caller, CONNECT, source) or not connect_facts.has_key(visit.tenant, source):
        raise Refused("There is no such source among yours.", status=404, error="not_found")
    return source
