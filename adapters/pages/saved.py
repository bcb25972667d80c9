"""The page of columns that were saved under a name, for the next file of the same provider. No logic."""

from __future__ import annotations

from fastapi import Response

from adapters.imports import mappings
from adapters.imports.mappings import SavedProfile, saved_for
from adapters.pages import acts, view
from lrs.kernel.errors import Refused
from lrs.pages.list_files import add_files
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says
from lrs.web.late import Router
from lrs.web.listing import ListRow, asked_of, listing

PLACE = "/staff/columns"

says(forgotten="The name is removed. Files that came in with it stay as they are.")


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get(PLACE, summary="Columns that were saved under a name", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        found = _saved(visit)
        rows = listing(asked_of(visit.request, view.SAVED), view.saved(found, visit.tenant.settings.zone))
        return visit.page("staff/columns.html", list=rows, saved=[(one.provider, one.name) for one in found])

    add_files(router, PLACE, "Saved columns", view.SAVED, _rows, name="columns")

    @router.post(
        PLACE, status_code=303, summary="Removes saved columns", openapi_extra=form_body("provider", "name") | SIGNED_IN
    )
    def remove(visit: Visiting, body: FormBody) -> Response:
        form, own = visit.fields(body), acts.reached(visit.caller)
        provider, name = form.get("provider", ""), form.get("name", "")
        if own is not None and provider not in own:
            raise Refused("There are no columns of that name.", status=404, error="not_found")
        by = visit.session.by
        visit.tenant.store.write(lambda tx: mappings.remove(tx, provider, name, by)).result()
        return visit.on(PLACE, "forgotten")

    return router


def _saved(visit: Visit) -> list[SavedProfile]:
    return saved_for(visit.tenant.store, acts.reached(visit.caller))


def _rows(visit: Visit) -> list[ListRow]:
    return view.saved(_saved(visit), visit.tenant.settings.zone)
