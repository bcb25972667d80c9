"""The page of a source: shown name, switches, what was refused to it last, what is in quarantine, keys. No logic."""

from fastapi import Response

from lrs.access.source_names import put_name, shown_name
from lrs.access.switches import SWITCHES, put_switches
from lrs.competency.known_sources import KnownSources
from lrs.kernel.errors import Refused
from lrs.pages.connect import facts as connect_facts
from lrs.pages.connect import view as connect_view
from lrs.pages.connect.facts import CONNECT
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, page_router, says
from lrs.web.late import Router

PLACE = "/connect/sources"

says(
    switched="Saved. It holds for what comes from now on, within a second.",
    source_named="The name is saved. People read it from now on; badges that are held stay as they are.",
    source_named_not="Nothing changed: it is called so already.",
    switched_not="Nothing changed: the switches are so already.",
)


def routes() -> Router:
    """The router."""
    router = page_router(PLACE)

    @router.get("/{source}", summary="A source: its switches, its last refusals, its keys", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, source: str) -> Response:
        return _source(visit, source)

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

    @router.post(
        "/{source}/name",
        status_code=303,
        summary="Gives a source the name that people read",
        openapi_extra=form_body("shown") | SIGNED_IN,
    )
    def name(visit: Visiting, source: str, body: FormBody) -> Response:
        form, wanted, by = visit.fields(body), _within(visit, source), visit.session.by
        shown = form.get("shown", "")
        try:
            changed = visit.tenant.store.write(lambda tx: put_name(tx, wanted, shown, by=by)).result()
        except Refused as refused:
            return _source(visit, source, shown, refused)
        return visit.on(connect_view.source_path(wanted), "source_named" if changed else "source_named_not")

    return router


def _source(visit: Visit, source: str, typed: str | None = None, refused: Refused | None = None) -> Response:
    found = connect_facts.source_facts(visit.tenant, _within(visit, source))
    shown = shown_name(visit.tenant.store, source) if typed is None else typed
    return visit.page(
        "staff/source.html",
        refused.status if refused else 200,
        **connect_view.source_values(found, visit.root, visit.tenant.settings.zone),
        shown=shown,
        may_name=may(visit.caller)(f"{PLACE}/{{source}}/name", "POST"),
        errors=[{"field": "shown", "message": refused.message}] if refused else [],
        wrong={"shown": refused.message} if refused else {},
    )


def _within(visit: Visit, source: str) -> str:
    """*source*, if it has a key or sent something, and the visitor may connect it. Raises ``Refused`` (404)."""
    if not connect_facts.reaches(visit.caller, CONNECT, source) or source not in KnownSources(visit.tenant.store):
        raise Refused("There is no such source among yours.", status=404, error="not_found")
    return source
