"""What routes of the framework share: the tenant, a small body, documented refusals. Knows no resource."""

from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic.alias_generators import to_camel

from lrs.kernel import strict_json
from lrs.kernel.errors import Refused
from lrs.kernel.settings import KIB
from lrs.tenancy.tenants import Tenant
from lrs.web.exchange import exchange_of, tenant_of

Model = TypeVar("Model", bound=BaseModel)

MAX_BODY = 64 * KIB

WITH_KEY: dict[str, Any] = {"security": [{"key": []}]}
"""Says in the OpenAPI document that a route takes an API key."""


_PROBLEM: dict[str, JsonValue] = {
    "error": "insufficient_scope",
    "message": "the token lacks the scope gap:read",
    "requestId": "795887c68eb8e001",
}


class Problem(BaseModel):
    """Every error of ours."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", json_schema_extra={"examples": [_PROBLEM]}
    )

    error: str = Field(description="A short code that stays the same.")
    message: str
    pointer: str | None = Field(None, description="JSON pointer (RFC 6901) into the request body.")
    index: int | None = None
    rule: str | None = None
    request_id: str | None = None


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals that a route documents. All have the same shape. None is 422, although FastAPI would document it."""
    return {**{status: {"model": Problem} for status in statuses}, "default": {"model": Problem}}


Here = Annotated[Tenant, Depends(tenant_of)]
"""The tenant that a request is about."""


async def small_body(request: Request) -> bytes:
    """The dependency that gives a body of at most ``MAX_BODY`` bytes. Raises as ``body_of`` does.

    The limit is no parameter of it: FastAPI would take it from the query of whoever asks.
    """
    return await body_of(request, MAX_BODY)


async def body_of(request: Request, most: int) -> bytes:
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
    return json_body(schema, schema.pop("$defs", {}))


def json_body(schema: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI description of a body of JSON that has the form of *schema*, which may refer to *parts*."""
    inlined = _inlined(schema, parts)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": inlined}}}}


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    """*schema* with each reference to one of its own *parts* replaced by that part."""
    if isinstance(schema, list):
        return [_inlined(one, parts) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {name: _inlined(value, parts) for name, value in schema.items()}
