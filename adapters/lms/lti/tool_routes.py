"""What platforms ask this tool for: its keys, a registration, the beginning of a launch, the launch. No logic.

These routes are plain functions, so each runs in a thread of its own: a platform that asks for our keys while it makes
us wait is answered.
"""

from hashlib import sha256

import msgspec
from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from adapters.lms.lti import invitations, login, registration, tool_keys
from adapters.lms.lti.addresses import why_unusable
from adapters.lms.lti.arriving import arrive
from adapters.lms.lti.frames import Named, form_described, form_of, framed_by, path_of, tool_of
from adapters.lms.lti.launch import OtherBrowser, receive
from adapters.lms.lti.login import BegunLaunch
from adapters.lms.lti.platform_keys import PlatformKeys
from adapters.lms.lti.registration import Tool
from adapters.lms.lti.signed_in import cookie_name
from lrs.kernel.addresses import origin
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import NotOurs, digest_of, hide, reveal
from lrs.kernel.times import MINUTE, SECOND
from lrs.pages.visit import REFUSALS, FormBody
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import in_language
from lrs.web.frame import PRODUCT
from lrs.web.language import set_framed_cookie
from lrs.web.late import Router
from lrs.web.origins import client_of, is_from_elsewhere
from lrs.web.page import page, page_in_language, redirect
from lrs.web.routing import problems
from lrs.web.shared import shared

_KEYS_AGE = "public, max-age=600"
_TOLD_LASTS = 60 * MINUTE


class OpenedRegistration(msgspec.Struct, frozen=True):
    """What a platform opened a registration with; until then it may be sent back."""

    invitation: str
    configuration: str
    token: str
    until: int


def routes() -> Router:
    """The router."""
    router = Router(prefix="/t/{tenant}/lti", tags=["lti"], default_response_class=HTMLResponse, responses=REFUSALS)
    _add_keys(router)
    _add_registration(router)
    _add_login(router)
    _add_launch(router)

    @router.get("/closed", summary="Where a unit that has a window of its own leads at its end")
    def closed(request: Request, tenant: Named) -> Response:  # noqa: ARG001 (the tenant is in the address)
        return page_in_language(request, "lti/closed.html")

    return router


def _add_keys(router: Router) -> None:
    @router.get("/jwks", response_class=JSONResponse, responses=problems(404), summary="The public keys of this tool")
    def jwks(request: Request, tenant: Named) -> Response:
        answer = JSONResponse({"keys": tool_keys.published(tenant.store, tenant.clock())})
        etag = f'"{sha256(answer.body).hexdigest()[:32]}"'
        told = {"cache-control": _KEYS_AGE, "etag": etag}
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=told)
        answer.headers.update(told)
        return answer


def _add_registration(router: Router) -> None:
    @router.get("/register/{invite}", summary="What a platform opens to register this tool")
    def ask(
        request: Request, tenant: Named, invite: str, openid_configuration: str = "", registration_token: str = ""
    ) -> Response:
        if unusable := why_unusable(tenant.settings):
            raise Refused(unusable, status=409, error="needs_https")
        told = OpenedRegistration(invite, openid_configuration, registration_token, tenant.clock() + _TOLD_LASTS)
        return _asked(request, tenant, invitations.look(tenant, invite), told)

    @router.post(
        "/register/{invite}", summary="Registers this tool at a platform", openapi_extra=form_described("told", "who")
    )
    def register(request: Request, tenant: Named, invite: str, body: FormBody) -> Response:
        form = form_of(body)
        told = _told(tenant, form.get("told", ""), invite)
        name = invitations.look(tenant, invite)
        tool = Tool(tool_of(request), _title(tenant), form.get("who") == "pseudonymous")
        try:
            made = registration.register(tenant, invite, told.configuration, told.token, tool)
        except Refused as refused:
            return _asked(request, tenant, name, told, refused)
        framing = _framing(told)
        framed_by(request, framing)
        deployment = ", ".join(made.deployments)
        shown = {"name": made.name, "issuer": made.issuer, "client_id": made.client_id, "deployment": deployment}
        shown |= {"title": tool.title, "approve": f"{tool.root.removesuffix('/lti')}/staff/lms"}
        return page(request, "lti/registered.html", origin=framing[0], **shown)


def _add_login(router: Router) -> None:
    @router.get("/login", summary="Begins a launch (OpenID Connect third-party initiated login)")
    def by_link(request: Request, tenant: Named) -> Response:
        return _begun(request, tenant, dict(request.query_params))

    @router.post("/login", summary="Begins a launch", openapi_extra=form_described(*login.KEPT, "lti_storage_target"))
    def by_form(request: Request, tenant: Named, body: FormBody) -> Response:
        return _begun(request, tenant, form_of(body))


def _add_launch(router: Router) -> None:
    @router.post("/launch", summary="A launch", openapi_extra=form_described("state", "id_token", "error"))
    def launch(request: Request, tenant: Named, body: FormBody) -> Response:
        form = form_of(body)
        try:
            message = receive(tenant, shared(request, PlatformKeys), form, _proof(request, tenant, form))
        except OtherBrowser as other:
            return _other_browser(request, other, form)
        framed_by(request, message.platform.framing)
        return arrive(request, tenant, message)


def _asked(
    request: Request, tenant: Tenant, name: str, told: OpenedRegistration, refused: Refused | None = None
) -> Response:
    framed_by(request, _framing(told))
    return page(
        request,
        "lti/register.html",
        refused.status if refused else 200,
        problem=refused.message if refused else "",
        name=name,
        platform=origin(told.configuration),
        title=_title(tenant),
        tool=path_of(request),
        address=tool_of(request),
        invitation=told.invitation,
        told=hide(_secret(tenant), told),
    )


def _told(tenant: Tenant, text: str, invitation: str) -> OpenedRegistration:
    try:
        told = reveal(_secret(tenant), text, OpenedRegistration)
    except NotOurs:
        told = None
    if told is None or told.invitation != invitation or told.until <= tenant.clock():
        message = "This form is not the one that was shown, or it took over an hour. Begin again in the platform."
        raise Refused(message, status=403, error="bad_form")
    return told


def _framing(told: OpenedRegistration) -> tuple[str, ...]:
    return tuple(filter(None, (origin(told.configuration),)))


def _begun(request: Request, tenant: Tenant, given: dict[str, str]) -> Response:
    shared(request, login.Logins).count(tenant, client_of(request))
    begun = login.begin(tenant, given, tool_of(request))
    answer = _keeping(request, begun) if begun.storage else redirect(request, begun.address)
    set_framed_cookie(answer, _login_cookie(tenant, begun.state), begun.proof, login.LASTS // SECOND)
    return answer


def _keeping(request: Request, begun: BegunLaunch) -> Response:
    """The page that has the platform keep what shows that the browser is the same, and then goes on."""
    framed_by(request, begun.platform.framing)
    shown = {"frame_name": begun.storage, "origin": origin(begun.platform.authorization), "key": _key(begun.state)}
    return page(request, "lti/keep.html", address=begun.address, proof=begun.proof, **shown)


def _other_browser(request: Request, other: OtherBrowser, form: dict[str, str]) -> Response:
    """Asks the platform for what it kept; where it kept nothing, offers a window of our own."""
    platform, begun = other.platform, other.begun
    framed_by(request, platform.framing)
    if begun.storage and not form.get("recalled"):
        shown = {"frame_name": begun.storage, "origin": origin(platform.authorization)}
        shown |= {name: form.get(name, "") for name in ("state", "id_token")}
        return page(request, "lti/recall.html", tool=path_of(request), key=_key(form.get("state", "")), **shown)
    given = sorted(begun.given.items())
    in_language(request)
    return page(request, "lti/window.html", 403, tool=path_of(request), given=given, platform=platform.name)


def _proof(request: Request, tenant: Tenant, form: dict[str, str]) -> str | None:
    """What shows that the browser is the one of the login: our cookie, or what the platform kept.

    The latter only from our own page, which asked the platform for it: else whoever began a launch in their browser
    could have another browser send it, which would then be signed in as them (RFC 9700, 4.7).
    """
    kept = request.cookies.get(_login_cookie(tenant, form.get("state", "")))
    return kept or (None if is_from_elsewhere(request.headers, tenant.settings) else form.get("proof"))


def _login_cookie(tenant: Tenant, state: str) -> str:
    return cookie_name(tenant, f"login.{digest_of(state)[:12]}")


def _key(state: str) -> str:
    return f"engraft.{digest_of(state)[:12]}"


def _title(tenant: Tenant) -> str:
    return tenant.record.name or PRODUCT


def _secret(tenant: Tenant) -> bytes:
    return tenant.secret("lti-registration")
