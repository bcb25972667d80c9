"""Signing in at an OpenID Connect provider: the redirect there, and the return. No logic."""

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from lrs.access import learners, one_time
from lrs.access.oidc import accounts, flow
from lrs.access.oidc.documents import Documents
from lrs.access.oidc.flow import Returned
from lrs.access.oidc.providers import RETURN
from lrs.access.staff_acts import LETTING_IN, let_in_by
from lrs.kernel.errors import Refused
from lrs.pages import session
from lrs.pages.sign_in import entering
from lrs.pages.sign_in.learner import ask_whether_own
from lrs.pages.visit import page_router
from lrs.people import sign_in
from lrs.tenancy.tenants import Tenant
from lrs.web.late import Router
from lrs.web.origins import base_of, drop_cookie, pages_address_for, provider_cookie, set_cookie
from lrs.web.page import redirect
from lrs.web.routing import Here
from lrs.web.shared import shared

_NOBODY = (
    "We know nobody by what {} says of you. Ask your training provider or employer for an invitation, open it, and then"
    " choose {}."
)


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get("/sign-in/with/{provider}", status_code=303, summary="Leads to a sign-in provider")
    def leave(
        request: Request, tenant: Here, provider: str, then: str = "", invitation: str = "", audience: str = "staff"
    ) -> Response:
        audience = "learners" if audience == "learners" else "staff"
        if invitation:
            found = one_time.look(tenant, invitation, *LETTING_IN, sign_in.INVITATION)
            audience = "learners" if found.purpose == sign_in.INVITATION else "staff"
        back = pages_address_for(request) + RETURN
        there, kept = flow.begin(
            tenant,
            shared(request, Documents),
            provider,
            back,
            audience,
            then=session.safe_return(base_of(request), then),
            invitation=invitation,
        )
        answer: RedirectResponse = redirect(request, there)
        set_cookie(answer, tenant, provider_cookie(tenant), kept, flow.LASTS)
        return answer

    @router.get(RETURN, status_code=303, summary="Takes back who signed in at a provider")
    def come_back(request: Request, tenant: Here) -> Response:
        kept = request.cookies.get(provider_cookie(tenant))
        returned = flow.finish(tenant, shared(request, Documents), kept, request.query_params)
        answer = (
            _learner(request, tenant, returned)
            if returned.begun.audience == "learners"
            else _staff(request, tenant, returned)
        )
        drop_cookie(answer, tenant, provider_cookie(tenant))
        return answer

    return router


def _staff(request: Request, tenant: Tenant, returned: Returned) -> Response:
    way = entering.way(request, tenant, f"oidc {returned.provider.name}")
    if returned.begun.invitation:
        login, name = accounts.login_of(returned), accounts.name_of(returned)
        token = let_in_by(tenant, returned.begun.invitation, login, name, way)
    else:
        token = accounts.signed_in(tenant, returned, way)
    return entering.entered(request, tenant, token, returned.begun.then)


def _learner(request: Request, tenant: Tenant, returned: Returned) -> Response:
    """Finds the member by the account at the provider, by an invitation, or by an address the provider verified."""
    login = accounts.login_of(returned)
    way = entering.way(request, tenant, f"oidc {returned.provider.name}")
    if returned.begun.invitation:
        return entering.entered(request, tenant, sign_in.use_invitation(tenant, returned.begun.invitation, way, login))
    person = learners.person_with_login(tenant.store, login)
    if person:
        return entering.entered(request, tenant, sign_in.sign_in(tenant, person, way, login=login), returned.begun.then)
    found = sign_in.addressed(tenant.store, tenant, returned.claims.email) if returned.claims.email else None
    if found is None or found.address != returned.claims.email:
        label = returned.provider.label
        raise Refused(_NOBODY.format(label, label), status=403, error="forbidden")
    return ask_whether_own(request, tenant, found.person, address=found.address, login=login)
