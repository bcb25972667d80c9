"""The pages that are shown in a frame of a platform: by whom, and what stands round them. Knows no route."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Path, Request, Response

from adapters.lms.lti import platforms
from adapters.lms.lti.addresses import tool_root
from adapters.lms.lti.signed_in import Launched, way_back
from lrs.kernel.addresses import origin
from lrs.kernel.errors import Refused
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import exchange_of, in_language, tenant_of
from lrs.web.frame import Frame, Place
from lrs.web.page import Pages, plain_frame, policy_of, refusal_page, server_root
from lrs.web.page_policy import PagePolicy

MOST_FIELDS = 60
LAUNCHED: dict[str, Any] = {"security": [{"launch": []}]}
"""Says in the OpenAPI document that a route takes a launch."""
IN_A_WINDOW: dict[int | str, dict[str, Any]] = {
    200: {"description": "A link that opens the unit in a window of its own, which has no cookie of the frame's."}
}
"""Says in the OpenAPI document what a launch answers with where it leads nowhere in the frame."""
_MOST_FRAMING, _MOST_ORIGINS = 40, 10


def named(request: Request, _: Annotated[str, Path(alias="tenant")]) -> Tenant:
    """The tenant whose name these addresses always have."""
    return tenant_of(request)


Named = Annotated[Tenant, Depends(named)]


def tool_of(request: Request) -> str:
    """The address of the tool that *request* is about, as platforms know it."""
    tenant, server = tenant_of(request), request.scope.get("server") or ("", 0)
    return tool_root(tenant.settings, tenant.id, server[1]) if server[1] else tool_root(tenant.settings, tenant.id)


def path_of(request: Request) -> str:
    """The path in front of the pages of the tool, on this host."""
    return f"{server_root(request)}/t/{tenant_of(request).id}/lti"


def let_forms_go(request: Request, tenant: Tenant, units: Sequence[str]) -> None:
    """Lets a button lead on to content, which has other origins than ours: that for content, those of *units*."""
    there = [origin(tenant.settings.content_origin(tenant.id) or ""), *map(origin, units)]
    origins = tuple(dict.fromkeys(filter(None, there)))[:_MOST_ORIGINS]
    exchange_of(request).policy = replace(policy_of(request), forms_to=origins)


def framed_by(request: Request, origins: tuple[str, ...]) -> None:
    """Lets pages of *origins* show the answer in a frame."""
    exchange_of(request).policy = replace(policy_of(request), framed_by=origins)


def framed(request: Request, _: Annotated[str, Path(alias="tenant")]) -> None:
    """The dependency of routes behind a launch: its platform shows the answer."""
    found = exchange_of(request).behind
    if isinstance(found, Launched):
        framed_by(request, found.platform.framing)


def refusal(request: Request, refused: Refused) -> Response:
    """A page that says why not. Any platform of the tenant may show it, for it is not known yet whose launch it was.

    One that waits for approval or is suspended may, too: that is what the page says.
    """
    tenant = exchange_of(request).tenant
    if tenant is not None and not policy_of(request).framed_by:
        known = sorted(platforms.everyone(tenant.store), key=lambda one: one.state != "approved")
        origins = dict.fromkeys(origin for one in known for origin in one.framing)
        framed_by(request, tuple(origins)[:_MOST_FRAMING])
    in_language(request)
    return refusal_page(request, refused, "lti/refused.html")


def frame(request: Request) -> Frame:
    """What stands round a page: for a learner, the way to their own pages, and back to the platform."""
    plain, found = replace(plain_frame(request), home=""), exchange_of(request).behind
    if not isinstance(found, Launched) or not found.caller.person:
        return plain
    root, back = path_of(request), way_back(request, tenant_of(request), found.platform)
    leads_back = (Place("back", "Back to the course", back, leaves=True),) if back else ()
    own = (Place("me", "My skills", f"{root}/me"), Place("roles", "For a role", f"{root}/me/roles"))
    return replace(plain, places=(*leads_back, *own))


def form_described(*fields: str) -> dict[str, Any]:
    """The OpenAPI description of the body of a route that reads a form without a token of ours."""
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in fields}}
    return {"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}}


def form_of(body: bytes) -> dict[str, str]:
    """The fields of a form that a platform sent. Raises ``Refused`` (400)."""
    return dict(pairs_of(body))


def pairs_of(body: bytes, most: int = MOST_FIELDS) -> list[tuple[str, str]]:
    """The same for a form in which a field may occur more than once, with at most *most* fields."""
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=most)
    except ValueError as error:
        raise Refused("This is no form that can be read.", error="bad_form") from error


PAGES = Pages(PagePolicy(opener="unsafe-none"), refusal, frame=frame)
"""Those of the tool. Who opened a registration in a window is told when it is done, so the opener is kept."""
