"""The console: what needs attention now, sources, mails, keys, the record of actions, the system. No logic."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import Response

from lrs.access import staff
from lrs.access.keys import list_keys
from lrs.kernel.errors import Refused
from lrs.outbox.listing import discard, resend
from lrs.pages import facts, questions, work_view
from lrs.pages.console import facts as console_facts
from lrs.pages.console import view as console_view
from lrs.pages.console.view import AUDIT_COLUMNS, KEY_COLUMNS, SOURCE_COLUMNS, TABS
from lrs.pages.facts import Neighbours
from lrs.pages.list_files import add_files
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, page_router, says
from lrs.tenancy import audit
from lrs.web.late import Router
from lrs.web.listing import ListColumn, ListRow, asked_of, listing

ENTRIES = 10_000
"""How many of the newest entries of the record of actions are shown; ``lrs doctor`` checks all."""
_Rows = Callable[[Visit], list[ListRow]]

ALL_MAILS = "all"
"""In the place of the id of a mail: all that wait and whose time is not over."""

says(
    mail="The mail is due. If it cannot be sent, it stands here again, with the reason.",
    mail_discarded="Discarded: what nobody could have used is not shown any more.",
    mails="The mails are due. What cannot be sent stands here again, with the reason.",
)


def routes(neighbours: Neighbours) -> Router:
    """The router; *neighbours* are the parts that the app knows."""
    router = page_router("/console")
    _add_overview(router, neighbours)
    _add_mails(router)
    _add_list(router, "sources", SOURCE_COLUMNS, _sources, "", "Who sends statements, and what was refused")
    _add_list(router, "keys", KEY_COLUMNS, _keys, "name", "API keys")
    _add_list(router, "audit", AUDIT_COLUMNS, _audit, "-number", "The record of actions")

    @router.get("/system", summary="Versions, settings in force, room on the disk", openapi_extra=SIGNED_IN)
    def system(visit: Visiting) -> Response:
        return _page(
            visit, "staff/console-system.html", "system", **console_view.system(console_facts.system(visit.tenant))
        )

    return router


def _page(visit: Visit, template: str, name: str, **shown: Any) -> Response:
    sees = may(visit.caller)
    seen = [one for one, _, path in TABS if sees(path)]
    return visit.page(template, tabs=console_view.tabs(visit.root, name, seen=seen), **shown)


def _add_overview(router: Router, neighbours: Neighbours) -> None:
    @router.get("", summary="What needs somebody now", openapi_extra=SIGNED_IN)
    def overview(visit: Visiting) -> Response:
        tenant, zone = visit.tenant, visit.tenant.settings.zone
        now = tenant.clock()
        sees = may(visit.caller)
        work = work_view.work(facts.work_facts(tenant, neighbours), now, zone)
        waiting = console_facts.mails(tenant) if sees("/console/mails") else []
        mails = sum(not one.is_over(now) for one in waiting)
        asked = questions.waiting(visit) if sees(questions.PLACE) else 0
        acts = {"may_see": sees("/staff/learners/{person}"), "sees": sees}
        acts |= {"may_retry": sees("/pages/work/retry", "POST"), "may_resend": sees("/pages/work/resend", "POST")}
        return _page(visit, "staff/console.html", "overview", mails=mails, asked=asked, **work, **acts)


def _add_mails(router: Router) -> None:
    @router.get("/mails", summary="Mails that have not gone out, and their links", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        tenant = visit.tenant
        found = console_view.mail_rows(console_facts.mails(tenant), tenant.clock(), tenant.settings.zone)
        has_server = tenant.settings.smtp_url is not None
        return _page(visit, "staff/console-mails.html", "mails", mails=found, has_server=has_server, all=ALL_MAILS)

    @router.post(
        "/mails",
        status_code=303,
        summary="Sends a mail that has not gone out, or all; discards one whose link works no more",
        openapi_extra=form_body("id", "act") | SIGNED_IN,
    )
    def send(visit: Visiting, body: FormBody) -> Response:
        form, now = visit.fields(body), visit.tenant.clock()
        id, mails = form.get("id", ""), console_facts.mails(visit.tenant)
        if form.get("act") == "discard":
            return _discard(visit, [one.id for one in mails if one.is_over(now)], id)
        good = [one.id for one in mails if not one.is_over(now)]
        chosen = good if id == ALL_MAILS else [one for one in good if one == id]
        if not chosen:
            raise Refused("This mail has gone out, or its time is over.", status=404, error="not_found")
        for one in chosen:
            resend(visit.tenant, one, by=visit.session.by)
        return visit.on("/console/mails", "mail" if id != ALL_MAILS else "mails")


def _discard(visit: Visit, over: Sequence[str], id: str) -> Response:
    """Puts away the mail *id*, or all of those that are *over*. Raises ``Refused`` (404)."""
    chosen = over if id == ALL_MAILS else [one for one in over if one == id]
    if not chosen:
        raise Refused("This mail is not there, or can still be sent.", status=404, error="not_found")
    for one in chosen:
        discard(visit.tenant, one, by=visit.session.by)
    return visit.on("/console/mails", "mail_discarded")


def _add_list(router: Router, name: str, columns: Sequence[ListColumn], rows: _Rows, order: str, summary: str) -> None:
    """A list at ``/console/NAME``, and as a file behind ``.csv`` and ``.json``."""

    @router.get(f"/{name}", summary=summary, openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        found = listing(asked_of(visit.request, columns, sort=order), rows(visit))
        return _page(visit, "staff/console-list.html", name, list_name=name, list=found)

    add_files(router, f"/{name}", summary, columns, rows, name=name, sort=order)


def _sources(visit: Visit) -> list[ListRow]:
    tenant = visit.tenant
    return console_view.source_rows(console_facts.sources(tenant), tenant.clock(), tenant.settings.zone)


def _keys(visit: Visit) -> list[ListRow]:
    return console_view.key_rows(list_keys(visit.tenant.store), visit.root)


def _audit(visit: Visit) -> list[ListRow]:
    store = visit.tenant.store
    return console_view.audit_rows(
        audit.newest(store, ENTRIES), dict(staff.everyone(store)), visit.tenant.settings.zone
    )
