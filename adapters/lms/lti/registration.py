"""Dynamic registration: a platform that was given an invitation is asked what it is, and told what this tool is.

The invitation (``invitations``) is used up with that, and what registers is pending until an administrator approves it.
All addresses come from outside, so all calls go through the guarded client. The platform's own token is sent back to it
alone, and stands in no log. Source: LTI Dynamic Registration 1.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.lms.lti import invitations, platforms, words
from adapters.lms.lti.launch import USERNAME
from adapters.lms.lti.launch_token import object_in, text, texts
from adapters.lms.lti.platforms import LtiPlatform, platform_id
from lrs.access import one_time
from lrs.access.oidc.documents import calling
from lrs.kernel import outbound, strict_json
from lrs.kernel.addresses import web_address
from lrs.kernel.errors import Refused
from lrs.storage import Tx
from lrs.tenancy.tenants import Tenant

ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "canvas.instructure.com": ("instructure.com", "canvaslms.com"),
    "blackboard.com": ("blackboard.com",),
}
"""Hosts of issuers that many institutions have in common, and the domains at which they describe themselves."""
_NAME_CLAIMS = ("name", "given_name", "family_name", "email")
_NOT = "The platform cannot be registered: "


class Described(msgspec.Struct, frozen=True):
    """What a platform says of itself (its openid configuration), checked."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    registration: str
    audience: str
    family: str
    scopes: tuple[str, ...]
    variables: tuple[str, ...]


class Tool(msgspec.Struct, frozen=True):
    """What a platform is told of this tool: its address, the organisation's name, whether names are asked for."""

    root: str
    title: str
    pseudonymous: bool


def register(tenant: Tenant, invitation: str, configuration: str, registration_token: str, tool: Tool) -> LtiPlatform:
    """Registers the platform that describes itself at *configuration*; it is pending. Uses the invitation up.

    Raises ``Refused``: 400 for what the platform says, 409, 410, and 502 or 503 if it does not answer as it should.
    """
    label = invitations.look(tenant, invitation)
    described = describe(tenant, configuration)
    answer = _send(tenant, described, registration_token, tool)
    client_id, deployment = (
        text(answer.get("client_id")),
        text(object_in(answer, words.TOOL_SETUP).get("deployment_id")),
    )
    made = LtiPlatform(
        platform_id(described.issuer, client_id),
        label,
        described.issuer,
        client_id,
        described.authorization,
        described.token,
        described.jwks,
        tenant.clock(),
        deployments=(deployment,) if deployment else (),
        audience=described.audience,
        family=described.family,
        pseudonymous=tool.pseudonymous,
    )

    def decide(tx: Tx) -> None:
        one_time.use(tx, invitation, tenant.clock(), invitations.PURPOSE)
        platforms.add(tx, made, "lti registration")

    tenant.store.write(decide).result()
    return made


def describe(tenant: Tenant, configuration: str) -> Described:
    """What the platform says of itself at *configuration*. Raises ``Refused`` (400, 502, 503)."""
    try:
        parts = web_address(configuration)
    except ValueError as error:
        raise _refused(f"openid_configuration is no address: {error}") from error
    told = _asked(tenant, configuration)
    issuer = text(told.get("issuer"))
    _check_issuer(issuer, parts.host.lower())
    found = {name: _address(tenant, told, name) for name in _ENDPOINTS}
    setup = object_in(told, words.PLATFORM_SETUP)
    return Described(
        issuer,
        found["authorization_endpoint"],
        found["token_endpoint"],
        found["jwks_uri"],
        found["registration_endpoint"],
        text(told.get("authorization_server")),
        text(setup.get("product_family_code"))[:80],
        texts(told.get("scopes_supported")),
        texts(setup.get("variables")),
    )


def tool_setup(described: Described, tool: Tool) -> dict[str, Any]:
    """The registration of this tool, as the platform is told (LTI Dynamic Registration 1.0, 3.5.2)."""
    scopes = [one for one in words.SCOPES if not described.scopes or one in described.scopes]
    target = f"{tool.root}/launch"
    asks_names = not tool.pseudonymous
    setup = {
        "domain": web_address(tool.root).netloc.decode(),
        "description": "Skills and badges, proven by what learners do; courses, roster and grades.",
        "target_link_uri": target,
        "custom_parameters": {USERNAME: "$User.username"} if asks_names else {},
        "claims": ["iss", "sub", *(_NAME_CLAIMS if asks_names else ())],
        "messages": [
            {"type": words.RESOURCE_LINK_REQUEST, "target_link_uri": target, "label": tool.title},
            {"type": words.DEEP_LINKING_REQUEST, "target_link_uri": target, "label": tool.title},
        ],
    }
    return {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": f"{tool.root}/login",
        "redirect_uris": [target],
        "client_name": tool.title,
        "jwks_uri": f"{tool.root}/jwks",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(scopes),
        words.TOOL_SETUP: setup,
    }


_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint")


def _send(tenant: Tenant, described: Described, token: str, tool: Tool) -> Mapping[str, Any]:
    headers = {"content-type": "application/json", "accept": "application/json"}
    if token:
        if not (token.isascii() and token.isprintable()):
            raise _refused("its registration token is none")
        headers["authorization"] = f"Bearer {token}"
    body = msgspec.json.encode(tool_setup(described, tool))
    try:
        with calling():
            answer = outbound.post(described.registration, body, headers, tenant.settings)
    except outbound.Blocked as blocked:
        raise _refused(f"this server may not call its registration_endpoint ({blocked})") from blocked
    except outbound.Unreachable as error:
        raise _refused(f"it does not answer ({error})", status=503) from error
    if answer.status not in {200, 201}:
        said = answer.body[:300].decode("utf-8", "replace").strip()
        raise _refused(f"it answered {answer.status}: {said or 'nothing more'}", status=502)
    told = _object(answer.body)
    if not text(told.get("client_id")):
        raise _refused("it gave no client_id", status=502)
    return told


def _asked(tenant: Tenant, configuration: str) -> Mapping[str, Any]:
    try:
        with calling():
            body = outbound.fetch(configuration, tenant.settings)
    except outbound.Blocked as blocked:
        raise _refused(f"this server may not call {configuration[:200]} ({blocked})") from blocked
    except outbound.Unreachable as error:
        raise _refused(f"what it says of itself cannot be fetched ({error})", status=503) from error
    return _object(body)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        told = strict_json.parse(body)
    except Refused as error:
        raise _refused("its answer is no JSON", status=502) from error
    if not isinstance(told, dict):
        raise _refused("its answer is no JSON object", status=502)
    return told


def _check_issuer(issuer: str, host: str) -> None:
    """The issuer is on the host that describes it, or on one of ``ELSEWHERE``."""
    try:
        named = web_address(issuer).host.lower()
    except ValueError as error:
        raise _refused("its issuer is no address") from error
    near = (named, *ELSEWHERE.get(named, ()))
    if host != named and not any(host.endswith(f".{one}") or host == one for one in near[1:]):
        raise _refused(f"it calls itself {named}, but describes itself at {host}")


def _address(tenant: Tenant, told: Mapping[str, Any], name: str) -> str:
    """An address that the platform names, which is reached by https unless the settings allow its host otherwise."""
    address = text(told.get(name))
    try:
        outbound.check(address, tenant.settings)
    except outbound.Blocked as blocked:
        raise _refused(f"its {name} cannot be used: {blocked}") from blocked
    except outbound.Unreachable as error:
        raise _refused(f"its {name} cannot be found ({error})", status=503) from error
    return address


def _refused(why: str, *, status: int = 400) -> Refused:
    return Refused(f"{_NOT}{why}.", status=status, error="not_registered")
