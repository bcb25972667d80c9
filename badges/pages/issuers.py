"""The page of stewards about the issuers whose badges the organisation believes: list, add, remove. No logic."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from fastapi import Response

from badges.keys.issuer import issuer_of
from badges.prior import trusted
from badges.prior.trusted import TrustedIssuer
from lrs.access import PRIOR_SOURCE
from lrs.kernel.errors import Refused
from lrs.kernel.printing import time_of
from lrs.pages.list_files import add_files
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says
from lrs.web.dates import written_moment
from lrs.web.late import Router
from lrs.web.listing import ListColumn, ListRow, asked_of, listing

PLACE = "/staff/issuers"
FIELDS = ("id", "name", "url")
COLUMNS = (
    ListColumn("name", "Issuer"),
    ListColumn("id", "Its id in badges"),
    ListColumn("url", "Home page"),
    ListColumn("since", "Since"),
)

says(
    issuer_trusted="Badges of this issuer are believed from now on.",
    issuer_distrusted="Badges of this issuer have no effect from now on. What was recorded of it before stays.",
)


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get(PLACE, summary="The issuers whose badges are believed", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _page(visit, {})

    add_files(router, PLACE, "The issuers whose badges are believed", COLUMNS, _rows, name="issuers")

    @router.post(
        PLACE, status_code=303, summary="Trusts an issuer of badges", openapi_extra=form_body(*FIELDS) | SIGNED_IN
    )
    def add(visit: Visiting, body: FormBody) -> Response:
        form = {name: value.strip() for name, value in visit.fields(body).items()}
        issuer = TrustedIssuer(form.get("id", ""), form.get("name", ""), visit.tenant.clock(), form.get("url", ""))
        try:
            trust = functools.partial(trusted.trust, issuer=issuer, by=visit.session.by)
            visit.tenant.store.write(trust).result()
        except Refused as refused:
            if refused.status != 400:
                raise
            return _page(visit, form, refused)
        return visit.on(PLACE, "issuer_trusted")

    @router.post(
        f"{PLACE}/remove",
        status_code=303,
        summary="Trusts an issuer of badges no more",
        openapi_extra=form_body("issuer") | SIGNED_IN,
    )
    def remove(visit: Visiting, body: FormBody) -> Response:
        distrust = functools.partial(trusted.distrust, issuer=visit.fields(body).get("issuer", ""), by=visit.session.by)
        if not visit.tenant.store.write(distrust).result():
            raise Refused("This issuer is not among those that are trusted. Reload the page.", status=404)
        return visit.on(PLACE, "issuer_distrusted")

    return router


def _page(visit: Visit, form: Mapping[str, str], refused: Refused | None = None) -> Response:
    listed = trusted.trusted(visit.tenant.store)
    return visit.page(
        "staff/issuers.html",
        refused.status if refused else 200,
        list=listing(asked_of(visit.request, COLUMNS), _rows(visit)),
        listed=[(one.id, one.name) for one in listed],
        own=issuer_of(visit.tenant).id,
        source=PRIOR_SOURCE,
        given={name: form.get(name, "") for name in FIELDS},
        errors=[{"field": (refused.pointer or "/id").removeprefix("/"), "message": refused.message}] if refused else [],
    )


def _rows(visit: Visit) -> list[ListRow]:
    zone = visit.tenant.settings.zone
    return [
        ListRow(
            {"name": one.name, "id": one.id, "url": one.url, "since": time_of(one.at)},
            {"since": written_moment(one.at, zone)},
        )
        for one in trusted.trusted(visit.tenant.store)
    ]
