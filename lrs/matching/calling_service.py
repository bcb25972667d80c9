"""The matching service that a request comes from: its access token, and what the API's document says of tokens."""

from typing import Annotated

from fastapi import Request, Security
from fastapi.openapi.models import OAuthFlowClientCredentials, OAuthFlows
from fastapi.security import OAuth2
from starlette.datastructures import Headers
from starlette.types import Scope

from lrs.access import Caller
from lrs.matching import tokens
from lrs.matching.services import BADGES, EVIDENCE, GAP, OUTCOMES, PROFILES, ROLES
from lrs.matching.tokens import Access
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import Exchange, exchange_of

SCOPES = {
    PROFILES: "Profiles of learners who agreed",
    EVIDENCE: "How much evidence stands behind each competency",
    BADGES: "A badge itself, by its name in a profile; only together with consent to profiles:read",
    ROLES: "Roles and what they ask for",
    GAP: "What a learner still needs for a role; only together with consent to profiles:read",
    OUTCOMES: "To tell what became of a learner: shortlisted, hired; only together with consent to profiles:read",
}

OAUTH = OAuth2(
    flows=OAuthFlows(clientCredentials=OAuthFlowClientCredentials(tokenUrl="/oauth/token", scopes=SCOPES)),
    scheme_name="service",
    description="An access token of /oauth/token, by client credentials (RFC 6749 section 4.4).",
    auto_error=False,
)


def by_token(exchange: Exchange, tenant: Tenant, scope: Scope) -> Caller:
    """The caller with an access token in its header; stores its ``Access`` in the request. Raises ``Refused`` (401)."""
    exchange.behind = access = tokens.access(tenant, Headers(scope=scope).get("authorization"))
    return access.caller


def asking(request: Request, _: Annotated[str | None, Security(OAUTH)]) -> Access:
    """The dependency that gives the calling service. The scopes in ``Security`` are for the OpenAPI document only."""
    access: Access = exchange_of(request).behind
    return access
