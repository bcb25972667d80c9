"""The page of a provider: what its own files brought, its learners, and where it sends the next file. No logic."""

from __future__ import annotations

from fastapi import Response

from adapters.imports import job as jobs
from adapters.imports.sources import FILES, files_said
from adapters.pages import acts, view
from adapters.pages.imports import LISTED
from adapters.pages.missing import missing_within
from lrs.access import Caller
from lrs.pages import learners, learners_view
from lrs.pages.learners_view import COLUMNS
from lrs.pages.visit import SIGNED_IN, Visit, Visiting, page_router
from lrs.tenancy.tenants import Tenant
from lrs.web.late import Router
from lrs.web.listing import Asked, ListColumn, ListRow, as_csv, as_json, asked_of, listing

PLACE = "/provider"
_SHOWN_OF_LEARNERS = tuple(one for one in COLUMNS if one.name in {"name", "known", "skill", "until"})


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get(PLACE, summary="A provider's own files and learners", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        own = sorted(acts.reached(visit.caller) or ())
        rows, whole = learners.rows_of(visit)
        asked = Asked(f"{visit.root}{learners.PLACE}", _SHOWN_OF_LEARNERS, {}, "name", descending=False, part=1)
        return visit.page(
            "staff/provider.html",
            providers=own,
            files=",".join(FILES),
            sorts=files_said(),
            missing=len(missing_within(visit).found),
            list=listing(_asked(visit), _files(visit)),
            repair=to_repair(visit.tenant, visit.caller),
            learners=listing(asked, rows, files=False, whole=whole, dressed=learners_view.dressed),
        )

    @router.get(f"{PLACE}.csv", summary="A provider's own files as CSV", openapi_extra=SIGNED_IN)
    def table(visit: Visiting) -> Response:
        return as_csv(_asked(visit), _files(visit), "files")

    @router.get(f"{PLACE}.json", summary="A provider's own files as JSON", openapi_extra=SIGNED_IN)
    def objects(visit: Visiting) -> Response:
        return as_json(_asked(visit), _files(visit), "files")

    return router


def _asked(visit: Visit) -> Asked:
    return asked_of(visit.request, _columns(visit), sort="-sent")


def _columns(visit: Visit) -> tuple[ListColumn, ...]:
    """The columns of the files; whose they are is said only to somebody with several sources."""
    many = len(acts.reached(visit.caller) or ()) > 1
    return tuple(one for one in view.LIST if many or one.name != "provider")


def _files(visit: Visit) -> list[ListRow]:
    return _rows(visit.tenant, visit.caller, visit.root)


def _rows(tenant: Tenant, caller: Caller, root: str) -> list[ListRow]:
    found = acts.visible(caller, list(jobs.newest(tenant.store, LISTED)))
    return view.listed(found, tenant.settings.zone, root)


def to_repair(tenant: Tenant, caller: Caller) -> int:
    """How many rows of the files that *caller* may see, and that came in, wait to be repaired."""
    found = [one for one in acts.visible(caller, list(jobs.newest(tenant.store, LISTED))) if not one.dry_run]
    return sum(row.values["repair"] or 0 for row in view.listed(found, tenant.settings.zone, ""))
