"""Whether a platform is told what its learners hold, for an administrator. No logic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import Response

from adapters.lms.lti import platforms, platforms_view, results
from adapters.lms.lti.platforms import LtiPlatform
from lrs.access.keys import NewKey
from lrs.competency.frameworks.frameworks import published
from lrs.kernel.errors import Refused
from lrs.pages.session import chosen
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, says
from lrs.tenancy.tenants import Tenant
from lrs.web.late import Router

PLACE = "/staff/lms/platforms/{id}/results"
ON, CHANGE, OFF = "on", "change", "off"
_FIELD = "framework-"

says(lms_results_changed="The platform is told of these frameworks from now on, with the key that it has.")
says(lms_results_off="The platform is told nothing more. Its keys stay until they are revoked, under Connect.")


def add_results(router: Router) -> None:
    """Adds the page and its form."""

    @router.get(PLACE, summary="What a platform is told of results", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        return _shown(visit, _found(visit.tenant, id))

    @router.post(PLACE, summary="Changes what a platform is told", openapi_extra=form_body("act") | SIGNED_IN)
    def change(visit: Visiting, id: str, body: FormBody) -> Response:
        fields, platform = visit.fields(body), _found(visit.tenant, id)
        if fields.get("act") == OFF:
            visit.tenant.store.write(lambda tx: platforms.set_results(tx, id, (), visit.session.by)).result()
            return visit.on(PLACE.format(id=id), "lms_results_off")
        wanted = [value for name, value in fields.items() if name.startswith(_FIELD)]
        try:
            act = chosen(fields, "act", (ON, CHANGE))
            if act == CHANGE and not platform.results:
                raise Refused("Results are turned off meanwhile. Turn them on again if they are wanted.", status=409)
            results.check_frameworks([one.id for one in published(visit.tenant.store)], wanted)
        except Refused as refused:
            return _shown(visit, platform, refused, ticked=wanted)
        if act == CHANGE:
            results.change(visit.tenant, platform, wanted, by=visit.session.by)
            return visit.on(PLACE.format(id=id), "lms_results_changed")
        key = results.turn_on(visit.tenant, platform, wanted, by=visit.session.by)
        return _shown(visit, _found(visit.tenant, id), key=key)


def _found(tenant: Tenant, id: str) -> LtiPlatform:
    platform = platforms.platform(tenant.store, id)
    if platform is None:
        raise Refused("There is no such platform.", status=404, error="not_found")
    return platform


def _shown(
    visit: Visit,
    platform: LtiPlatform,
    refused: Refused | None = None,
    *,
    ticked: Sequence[str] = (),
    key: NewKey | None = None,
) -> Response:
    store = visit.tenant.store
    frameworks = [(one.id, one.title) for one in published(store)]
    told: dict[str, Any] = platforms_view.told(platform, frameworks, results.told_of(store, platform))
    for one in told["frameworks"]:
        one["on"] = one["on"] or one["uri"] in ticked
    return visit.page(
        "staff/lms-results.html",
        refused.status if refused else 200,
        platform={"id": platform.id, "name": platform.name},
        told=told,
        key={"key": key.key, "secret": key.secret} if key else None,
        endpoint=f"{(visit.tenant.settings.pages_root or '').rstrip('/')}/t/{visit.tenant.id}/xapi",
        may_change=may(visit.caller)(PLACE, "POST"),
        problem=refused.message if refused else "",
    )
