"""The routes that matching services call: a token, the feed, a profile, a gap, the roles. No logic."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request, Response, Security
from fastapi.openapi.models import HTTPBase
from fastapi.responses import JSONResponse
from fastapi.security.base import SecurityBase

from lrs.access.throttle import WRONG_SECRETS, Throttle
from lrs.kernel.errors import Refused
from lrs.matching import models, oauth, pull, services, view
from lrs.matching.calling_service import asking
from lrs.matching.roles import roles
from lrs.matching.tokens import Access
from lrs.web.exchange import exchange_of
from lrs.web.late import Router
from lrs.web.origins import client_of
from lrs.web.routing import Here, problems, small_body
from lrs.web.shared import shared

VC = "application/vc"
"""A credential secured by a proof inside it (W3C Verifiable Credentials Data Model 2.0, section 6.3)."""
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "const": "client_credentials"},
                        "scope": {"type": "string", "description": "Separated by blanks; without it, all there are."},
                        "client_id": {"type": "string", "description": "Unless sent by HTTP Basic."},
                        "client_secret": {"type": "string", "description": "Unless sent by HTTP Basic."},
                    },
                }
            }
        },
    }
}


class _Basic(SecurityBase):
    """Puts HTTP Basic into the document and reads nothing: ``oauth`` does, by OAuth's rules."""

    model = HTTPBase(scheme="basic", description="client_id and client_secret (RFC 6749 section 2.3.1)")
    scheme_name = "client"

    async def __call__(self) -> None:
        """Nothing to do at run time."""


def routes() -> Router:
    """The router."""
    router = Router()
    _add_token(router)
    _add_profiles(router)
    _add_badges(router)
    _add_roles(router)
    return router


def webhooks() -> Router:
    """What services are sent, for the ``webhooks`` part of the OpenAPI document. Mounted nowhere."""
    router = Router()
    for name, model, told in (
        ("consent.given", models.ConsentGivenEvent, _GIVEN),
        ("consent.withdrawn", models.ConsentWithdrawnEvent, _WITHDRAWN),
        ("profile.updated", models.ProfileUpdated, _UPDATED),
        ("badge.issued", models.BadgeEvent, "Sent when a learner who agreed gets a badge, or one is signed anew."),
        ("badge.revoked", models.BadgeEvent, "Sent when a badge that the service was told of is revoked or gone."),
        ("service.test", models.TestEvent, "Somebody asked for a test, by lrs services test or on the service's page."),
    ):
        router.add_api_route(
            name,
            _receiver(model),
            methods=["POST"],
            status_code=204,
            summary=name,
            description=told + _SIGNED,
            responses={"default": {"description": "Tried again later; 410 ends the subscription."}},
        )
    return router


_GIVEN = (
    "Sent once a learner agreed and a record of the learner is kept here: a consent for a name or an address without a"
    " record waits for one. Sent again when the learner agrees anew; scopes are then all that hold."
)
_WITHDRAWN = (
    "Sent when consent ends: withdrawn, run out, or no longer valid. It ends for what stands in scopes, and for nothing"
    " else. With profiles:read among them, forget the learner; without it, forget what came with these scopes, and the"
    " profile goes on."
)
_UPDATED = (
    "Sent after consent.given, and when what the learner shows this service changes. It is the whole profile: keep the"
    " highest version."
)
_SIGNED = (
    " Signed by Standard Webhooks: the headers webhook-id, webhook-timestamp (seconds) and webhook-signature"
    " (v1, and the base64 of HMAC-SHA256 over id.timestamp.body with the secret behind whsec_). Answer 2xx to accept;"
    " other answers are tried again for about three days; 410 ends the subscription. Of a learner nothing comes before"
    " consent.given has been accepted or given up on; beyond that events may come late, repeated and in any order: go"
    " by version, and by webhook-id for what was handled already."
)


def _receiver(model: type[models.Shape]) -> Callable[..., None]:
    def receive(event: Any) -> None:
        """Runs at the service, not here."""

    receive.__annotations__["event"] = model
    return receive


class _WrongSecrets(Throttle):
    def __init__(self) -> None:
        super().__init__(*WRONG_SECRETS)


def _add_token(router: Router) -> None:
    @router.post(
        "/oauth/token",
        response_model=models.Token,
        responses={status: {"model": models.TokenProblem} for status in (400, 401, 429, "default")},
        openapi_extra=_FORM,
        dependencies=[Security(_Basic())],
        tags=["services"],
    )
    def issue_token(request: Request, here: Here, body: Annotated[bytes, Depends(small_body)]) -> JSONResponse:
        """An access token by client credentials (RFC 6749 section 4.4)."""
        sent, never_cached = request.headers, {"Cache-Control": "no-store", "Pragma": "no-cache"}
        asked = (sent.get("authorization"), sent.get("content-type", ""), body)
        try:
            told = oauth.answer(here, *asked, shared(request, _WrongSecrets), client_of(request))
            return JSONResponse(told, headers=never_cached)
        except Refused as refused:
            exchange_of(request).refused = refused
            told = {"error": refused.error, "error_description": refused.message}
            return JSONResponse(told, refused.status, never_cached | dict(refused.headers))


def _add_profiles(router: Router) -> None:
    reader = Annotated[Access, Security(asking, scopes=[services.PROFILES])]

    @router.get(
        "/api/profiles",
        response_model=models.Feed,
        response_model_exclude_unset=True,
        responses=problems(400, 401, 403),
        tags=["services"],
    )
    def read_feed(
        tenant: Here, who: reader, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=1_000)] = 100
    ) -> dict[str, Any]:
        """Profiles that changed since the cursor, oldest change first; withdrawn ones as tombstones."""
        return pull.feed(tenant, who.service, cursor, limit)

    @router.get(
        "/api/profiles/{subject}",
        response_model=models.Profile,
        response_model_exclude_unset=True,
        responses={**problems(401, 403, 404), 304: {"description": "Not changed since the ETag in If-None-Match."}},
        tags=["services"],
    )
    def read_profile(
        tenant: Here,
        who: reader,
        subject: str,
        response: Response,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Any:
        """One learner's profile, as far as the learner agreed."""
        profile = pull.one(tenant, who.service, subject)
        tag = view.etag(profile)
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if view.matches(if_none_match, tag):
            return Response(status_code=304, headers=headers)
        response.headers.update(headers)
        return profile


def _add_badges(router: Router) -> None:
    @router.get(
        "/api/profiles/{subject}/badges/{badge}",
        response_class=Response,
        responses={**problems(401, 403, 404), 200: {"description": "The badge as it is signed.", "content": {VC: {}}}},
        tags=["services"],
    )
    def read_badge(
        tenant: Here, who: Annotated[Access, Security(asking, scopes=[services.BADGES])], subject: str, badge: str
    ) -> Response:
        """The badge itself, to be verified; needs the learner's consent to badges:read and to profiles:read."""
        signed = pull.badge(tenant, who.service, subject, badge)
        return Response(signed, media_type=VC, headers={"Cache-Control": "private, no-cache"})


def _add_roles(router: Router) -> None:
    @router.get(
        "/api/profiles/{subject}/gap",
        response_model=models.Gap,
        responses=problems(400, 401, 403, 404),
        tags=["services"],
    )
    def read_gap(
        tenant: Here,
        who: Annotated[Access, Security(asking, scopes=[services.GAP])],
        subject: str,
        role: str,
        on: date | None = None,
    ) -> dict[str, Any]:
        """What the learner still needs for a role, in effect on the day (today) or not; consent: gap:read."""
        return pull.gap_of(tenant, who.service, subject, role, on)

    @router.get(
        "/api/profiles/{subject}/roles",
        response_model=models.NearestRoles,
        responses=problems(400, 401, 403, 404),
        tags=["services"],
    )
    def read_nearest(
        tenant: Here,
        who: Annotated[Access, Security(asking, scopes=[services.GAP])],
        subject: str,
        on: date | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 10,
    ) -> dict[str, Any]:
        """The roles in effect on a day (today) that come nearest to what the learner holds; consent as for the gap."""
        return pull.nearest_to(tenant, who.service, subject, on, limit)

    @router.get("/api/roles", response_model=models.Roles, responses=problems(401, 403), tags=["services"])
    def read_roles(tenant: Here, _who: Annotated[Access, Security(asking, scopes=[services.ROLES])]) -> dict[str, Any]:
        """All roles and what they ask for."""
        found = roles.labelled(tenant.store, list(roles.everyone(tenant.store)))
        return {"roles": [pull.role_shown(role) for role in found]}
