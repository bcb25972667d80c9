"""Every page of training centres, the catalogue and planning, for the application."""

from adapters.catalogue import pages, plan_pages, role_pages
from adapters.planning import pages as planning
from adapters.training_centre.pages import checklists, routes, sign_off
from lrs.web.late import Router
from lrs.xapi.statements.subscriptions import Subscriptions


def centre_pages(subscriptions: Subscriptions) -> tuple[Router, ...]:
    """Their routers; *subscriptions* say which steps the statements of a session owe."""
    plan = (plan_pages.routes(subscriptions), plan_pages.calendar_routes())
    return (
        routes.routes(subscriptions),
        checklists.routes(),
        sign_off.routes(subscriptions),
        pages.routes(),
        *plan,
        planning.routes(),
    )


def public_pages() -> tuple[Router, ...]:
    """The routers of what everybody may look at."""
    return pages.public_routes(), role_pages.routes()
