"""The bodies that clients of CATAPULT's player send, and its shape of a refusal."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from fastapi import Request, Response
from fastapi.responses import JSONResponse

from adapters.lms.cmi5.documents import are_languages
from adapters.lms.courses.structure import MoveOn
from adapters.lms.launching.launching import NO_ADDITIONS, ContextAdditions
from adapters.lms.sessions.vocabulary import LaunchMode
from lrs.kernel import strict_json
from lrs.kernel.errors import Refused
from lrs.web.exchange import exchange_of
from lrs.web.late import LateRoute
from lrs.web.routing import json_body
from lrs.xapi.statements.identity import SAME_PERSON

T = TypeVar("T")
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
_CMI5 = "cmi5 "
_NAMES = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 412: "Precondition Failed"}


class ClientAsked(msgspec.Struct, frozen=True):
    """A client that is to be made, which the player calls a tenant."""

    code: Text


class TokenAsked(msgspec.Struct, frozen=True, rename="camel"):
    """A token that is asked for."""

    tenant_id: int
    audience: Text


class RegistrationAsked(msgspec.Struct, frozen=True, rename="camel"):
    """A registration that is to be made."""

    course_id: int
    actor: dict[str, Any]


class WaiverAsked(msgspec.Struct, frozen=True):
    """A unit that is to count as done."""

    reason: Text


class PreferencesAsked(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The preferences of a learner."""

    language_preference: Text
    audio_preference: Literal["on", "off"]

    def __post_init__(self) -> None:
        """Refuses (400) languages that content could not write either."""
        if not are_languages(self.language_preference):
            message = "languagePreference must be language tags, with commas between them"
            raise Refused(message, pointer="/languagePreference")


class LaunchAsked(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A launch that is asked for."""

    actor: dict[str, Any]
    reg: str | None = None
    context_template_additions: ContextAdditions = NO_ADDITIONS
    launch_mode: LaunchMode | None = None
    launch_parameters: str | None = None
    mastery_score: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    move_on: MoveOn | None = None
    alternate_entitlement_key: str = ""
    return_url: str | None = None

    def __post_init__(self) -> None:
        """Refuses (400) further identifiers of the learner: content would have to send them, and may not."""
        if SAME_PERSON in self.context_template_additions.extensions:
            message = "launched content cannot name further identifiers of its learner: leave this extension out"
            place = SAME_PERSON.replace("/", "~1")
            raise Refused(message, pointer=f"/contextTemplateAdditions/extensions/{place}")


def told(body: bytes, kind: type[T]) -> T:
    """*body* as a *kind*. Refuses (400) with the place.

    A number may be written as a text, as ADL's Moodle activity does with what it reads from its database; the player
    takes both.
    """
    try:
        return msgspec.convert(strict_json.parse(body), kind, strict=False)
    except msgspec.ValidationError as error:
        why, _, where = str(error).partition(" - at `$")
        known = where.rstrip("`").partition("[...]")[0]  # it does not say under which name of an object
        pointer = known.replace(".", "/").replace("[", "/").replace("]", "")
        raise Refused(why, pointer=pointer) from error


def described(kind: type[Any]) -> dict[str, Any]:
    """The body of a route that reads it by ``told``, for the OpenAPI document."""
    (schema,), parts = msgspec.json.schema_components([kind], ref_template="#/{name}")
    return json_body(schema, parts)


class CatapultRoute(LateRoute):
    """A route whose refusals also have what clients of CATAPULT's player read: statusCode and violatedReqId."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route, with its refusals in that shape."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except Refused as refused:
                exchange = exchange_of(request)
                exchange.refused = refused
                return JSONResponse(_shown(refused, exchange.id), refused.status, headers=dict(refused.headers))

        return answer


def _shown(refused: Refused, request_id: str) -> dict[str, object]:
    shown = refused.shown(request_id) | {"statusCode": refused.status}
    shown["code"], shown["error"] = refused.error, _NAMES.get(refused.status, refused.error)
    if refused.rule and refused.rule.startswith(_CMI5):
        shown["violatedReqId"] = refused.rule.removeprefix(_CMI5)
    return shown
