"""The shared parts of all routes for services: tenant, caller, size of the body. Knows no resource."""

from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Security
from fastapi.openapi.models import OAuthFlowClientCredentials, OAuthFlows
from fastapi.security import OAuth2
from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers
from starlette.types import Scope

from lrs.access import Caller
from lrs.kernel import strict_json
from lrs.kernel.errors import Refused
from lrs.kernel.settings import KIB
from lrs.matching import tokens
from lrs.matching.models import Problem
from lrs.matching.services import BADGES, EVIDENCE, GAP, OUTCOMES, PROFILES, ROLES
from lrs.matching.tokens import Access
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import Exchange, exchange_of, tenant_of

Model = TypeVar("Model", bound=BaseModel)

MAX_BODY = 64 * KIB

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


WITH_KEY: dict[str, Any] = {"security": [{"key": []}]}
"""Says in the OpenAPI document that a route takes an API key."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals that a route documents. All have the same shape. None is 422, although FastAPI would document it."""
    return {**{status: {"model": Problem} for status in statuses}, "default": {"model": Problem}}


Here = Annotated[Tenant, Depends(tenant_of)]
"""The tenant that a request is about."""


def by_token(exchange: Exchange, tenant: Tenant, scope: Scope) -> Caller:
    """The caller with an access token in its header; stores its ``Access`` in the request. Raises ``Refused`` (401)."""
    exchange.behind = access = tokens.access(tenant, Headers(scope=scope).get("authorization"))
    return access.caller


def asking(request: Request, _: Annotated[str | None, Security(OAUTH)]) -> Access:
    """The dependency that gives the calling service. The scopes in ``Security`` are for the OpenAPI document only."""
    access: Access = exchange_of(request).behind
    return access


async def small_body(request: Request, most: int = MAX_BODY) -> bytes:
    """The body, at most *most* bytes of it. Raises ``Refused`` (413), and ``Overloaded`` as ``Share`` does."""
    share, body = exchange_of(request).share, bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Refused(f"the body is longer than {most} bytes", status=413, error="too_large")
        share.hold(len(chunk))
    return bytes(body)


def read_body(model: type[Model], body: bytes) -> Model:
    """*body* as *model*. Raises ``Refused`` (400), which says where it is wrong and does not repeat what was sent."""
    try:
        return model.model_validate(strict_json.parse(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise Refused(first["msg"], pointer=strict_json.pointer_of(first["loc"])) from None


def described(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI description of the body of a route that reads it with ``read_body``. It refers to no other part."""
    schema = model.model_json_schema()
    schema = _inlined(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    """*schema* with each reference to one of its own *parts* replaced by that part."""
    if isinstance(schema, list):
        return [_inlined(one, parts) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {name: _inlined(value, parts) for name, value in schema.items()}
