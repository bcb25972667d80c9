"""The operator's first page, the record of actions of the installation, and the system. No logic."""

from fastapi import Request, Response

from lrs.access import staff
from lrs.access.policy.operators import OPERATOR
from lrs.kernel.errors import Refused
from lrs.pages.console import facts as console_facts
from lrs.pages.console import view as console_view
from lrs.pages.console.routes import ENTRIES
from lrs.pages.console.view import AUDIT_COLUMNS
from lrs.pages.facts import Neighbours
from lrs.pages.list_files import add_files
from lrs.pages.operator import setup, view
from lrs.pages.operator.facts import installation_facts
from lrs.pages.visit import SIGN_IN_FIRST, SIGNED_IN, Visit, Visiting, frame, page_router, sign_in_first
from lrs.tenancy import audit
from lrs.web.exchange import tenants_of
from lrs.web.late import Router
from lrs.web.listing import ListRow, asked_of, listing
from lrs.web.origins import base_of
from lrs.web.page import Pages, refusal_page
from lrs.web.page_policy import PagePolicy

RECORD = f"{OPERATOR}/audit"


def routes(neighbours: Neighbours) -> Router:
    """The router; *neighbours* are the parts that the app knows."""
    router = page_router()
    _add_overview(router, neighbours)
    _add_record(router)

    @router.get(
        f"{OPERATOR}/system", summary="Versions, settings in force, disk, workers, backups", openapi_extra=SIGNED_IN
    )
    def system(visit: Visiting) -> Response:
        found, zone = installation_facts(tenants_of(visit.request), neighbours), visit.tenant.settings.zone
        return visit.page(
            "operator/system.html",
            versions=list(console_facts.versions().items()),
            settings=sorted(console_facts.shown_settings(visit.tenant.settings).items()),
            room=view.room(found),
            backups=view.backup_rows(found.backups, zone),
        )

    return router


def _add_overview(router: Router, neighbours: Neighbours) -> None:
    @router.get(OPERATOR, summary="What needs the operator of the installation", openapi_extra=SIGNED_IN)
    def overview(visit: Visiting) -> Response:
        tenants, settings, now = tenants_of(visit.request), visit.tenant.settings, visit.tenant.clock()
        found = installation_facts(tenants, neighbours)
        steps = setup.steps(visit.tenant, tenants)
        return visit.page(
            "operator/overview.html",
            needs=view.needs(found, settings, now, settings.zone),
            work=view.work_rows(found.organisations),
            is_set_up=setup.first_open(steps) is None,
            left=sum(one.is_open for one in steps),
        )


def _add_record(router: Router) -> None:
    @router.get(RECORD, summary="What operators did", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        found = listing(asked_of(visit.request, AUDIT_COLUMNS, sort="-number"), _entries(visit))
        return visit.page("operator/audit.html", list=found)

    add_files(router, RECORD, "What operators did", AUDIT_COLUMNS, _entries, name="operators-audit", sort="-number")


def _entries(visit: Visit) -> list[ListRow]:
    store = visit.tenant.store
    people = dict(staff.everyone(store))
    return console_view.audit_rows(audit.newest(store, ENTRIES), people, visit.tenant.settings.zone)


def refusal(request: Request, refused: Refused) -> Response:
    """A page that says no; or the way to the operator's sign-in, and back."""
    if refused.error == SIGN_IN_FIRST:
        return sign_in_first(request)
    return refusal_page(request, refused, "operator/refused.html", root=base_of(request))


PAGES = Pages(PagePolicy(), refusal, frame=frame)
"""Those of the operator of the installation."""
