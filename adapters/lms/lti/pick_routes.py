"""The picker: what a teacher puts into a course, and the answer that goes back to the platform. No logic.

No session is needed: the form has, hidden, what was asked by a launch that was believed, and holds for an hour.
"""

from dataclasses import replace

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from adapters.lms.lti import login, picking, platforms
from adapters.lms.lti.frames import Named, form_described, framed_by, pairs_of, path_of, tool_of
from adapters.lms.lti.launch import LaunchMessage
from adapters.lms.lti.picking import SORTS, Picking
from lrs.kernel.addresses import origin
from lrs.kernel.errors import Refused
from lrs.pages.visit import REFUSALS, FormBody
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import exchange_of
from lrs.web.late import Router
from lrs.web.page import page, policy_of

_MOST_FIELDS = 600
"""Of the picker: one for each choice that is ticked."""


def routes() -> Router:
    """The router."""
    router = Router(prefix="/t/{tenant}/lti", tags=["lti"], default_response_class=HTMLResponse, responses=REFUSALS)

    @router.post(
        "/pick", summary="Answers a platform with what was chosen", openapi_extra=form_described("picking", "opens")
    )
    def pick(request: Request, tenant: Named, body: FormBody) -> Response:
        fields = pairs_of(body, _MOST_FIELDS)
        asked = picking.shown_again(tenant, dict(fields).get("picking", ""))
        platform = platforms.platform(tenant.store, asked.platform)
        if platform is None:
            raise Refused("The platform is not registered any more.", status=404, error="not_found")
        login.check_approved(platform)
        framed_by(request, platform.framing)
        wanted = [value for name, value in fields if name == "opens"]
        try:
            found = picking.chosen(tenant.store, asked, wanted)
        except Refused as refused:
            return _shown(request, tenant, asked, refused, wanted)
        return _answered(request, asked, picking.answer(tenant, platform, asked, found, f"{tool_of(request)}/launch"))

    return router


def show(request: Request, tenant: Tenant, message: LaunchMessage) -> Response:
    """The picker, for a message that asks for it. Raises ``Refused``: 400, or 403 for whoever does not teach there."""
    if message.part != "teacher":
        raise Refused("Only who teaches in the course can put something into it.", status=403, error="forbidden")
    return _shown(request, tenant, picking.asked(message, tenant.clock()))


def _shown(
    request: Request, tenant: Tenant, asked: Picking, refused: Refused | None = None, wanted: list[str] | None = None
) -> Response:
    found, ticked = picking.choices(tenant.store), set(wanted or ())
    groups = [
        {
            "title": title,
            "choices": [
                {"opens": one.opens, "title": one.title, "text": one.text, "on": one.opens in ticked}
                for one in found
                if one.sort == sort
            ],
        }
        for sort, title in SORTS.items()
        if any(one.sort == sort for one in found)
    ]
    return page(
        request,
        "lti/pick.html",
        refused.status if refused else 200,
        tool=path_of(request),
        picking=picking.kept(tenant, asked),
        groups=groups,
        several=asked.several,
        kind="checkbox" if asked.several else "radio",
        problem=refused.message if refused else "",
    )


def _answered(request: Request, asked: Picking, jwt: str) -> Response:
    """The form that takes the answer to the platform, and may go there alone."""
    exchange_of(request).policy = replace(policy_of(request), forms_to=(origin(asked.address),))
    return page(request, "lti/picked.html", address=asked.address, jwt=jwt)
