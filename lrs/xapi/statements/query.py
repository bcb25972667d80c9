"""The parameters of GET /statements, checked, and the search keys for them. Pure.

Rules: xAPI 1.0.3 Communication 2.1.3; IEEE 9274.1.1 4.1.6.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.keys import pair
from lrs.kernel.sealed import NotOurs, unseal
from lrs.kernel.settings import Settings
from lrs.kernel.strict_json import parse
from lrs.kernel.times import micros_of_timestamp
from lrs.storage import NEWEST, last_seq
from lrs.tenancy.tenants import Tenant
from lrs.xapi.request import Request
from lrs.xapi.statements.chains import mark
from lrs.xapi.statements.formats import is_iri, is_uuid
from lrs.xapi.statements.identity import ifi_text
from lrs.xapi.statements.keys import activity_key, agent_key, registration_key, source_key, verb_key
from lrs.xapi.statements.validate import check_agent

FILTERS = frozenset(
    {"agent", "verb", "activity", "registration", "related_activities", "related_agents", "since", "until"}
    | {"limit", "ascending"}
)
SINGLE = frozenset({"statementId", "voidedStatementId"})
PARAMETERS = FILTERS | SINGLE | {"format", "attachments"}
FORMATS = ("exact", "ids", "canonical")
MORE = "more"


class Query(msgspec.Struct, frozen=True, omit_defaults=True):
    """The parameters of a list of statements: what a ``more`` link contains. It carries no rights.

    Times are places in the order. *agent* is the identity of an agent.
    """

    agent: str | None = None
    verb: str | None = None
    activity: str | None = None
    registration: str | None = None
    related_agents: bool = False
    related_activities: bool = False
    after: int = 0
    until: int = NEWEST
    limit: int = 0
    ascending: bool = False
    format: str = "exact"
    attachments: bool = False
    start: str | None = None


class Single(msgspec.Struct, frozen=True):
    """The parameters of one statement, asked for by its id."""

    id: str
    voided: bool
    format: str = "exact"
    attachments: bool = False


def read_query(request: Request, settings: Settings) -> Single | Query:
    """What the request asks for. Refuses unknown, wrong-case, malformed and contradicting parameters."""
    given = request.parameters(PARAMETERS)
    shape = given.get("format", "exact")
    if shape not in FORMATS:
        raise request.wrong(f"parameter 'format' must be one of {', '.join(FORMATS)}")
    attachments = _flag(request, given, "attachments")
    if wanted := SINGLE.intersection(given):
        if len(wanted) > 1 or given.keys() & FILTERS:
            raise request.wrong(
                "beside statementId or voidedStatementId only 'format' and 'attachments' may stand",
                "Communication 2.1.3",
            )
        (name,) = wanted
        if not is_uuid(given[name]):
            raise request.wrong(f"parameter {name!r} must be a UUID")
        return Single(given[name].lower(), name == "voidedStatementId", shape, attachments)
    return Query(
        agent=read_agent(given["agent"], request.version, groups=True)[1] if "agent" in given else None,
        verb=_iri(request, given, "verb"),
        activity=_iri(request, given, "activity"),
        registration=_uuid(request, given, "registration"),
        related_agents=_flag(request, given, "related_agents"),
        related_activities=_flag(request, given, "related_activities"),
        after=_time(request, given, "since", 0),
        until=_time(request, given, "until", NEWEST),
        limit=_limit(request, given.get("limit"), settings),
        ascending=_flag(request, given, "ascending"),
        format=shape,
        attachments=attachments,
    )


def query_after(tenant: Tenant, token: str) -> Query:
    """The query in the *token* of a ``more`` link, which never expires.

    Refuses a token that this tenant did not make (400).
    """
    try:
        return unseal(tenant.secret(MORE), token, Query)
    except NotOurs as error:
        message = "this 'more' link was not made by this server, or was changed"
        raise Refused(message, error="bad_more") from error


def conditions(query: Query) -> list[int]:
    """The key of each condition. A statement must meet all of them."""
    return [single for single, _ in _conditions(query)]


def keys_for(query: Query, source: str | None) -> list[int]:
    """The keys to walk, as few as cover all conditions, with pair keys where they exist. The first is the one to walk.

    *source* limits the result to statements of that source that meet the conditions by themselves or through other
    statements of that source.
    """
    named = {name: single for single, name in _conditions(query)}
    related = [
        named.pop(name)
        for name, wide in (("agent", query.related_agents), ("activity", query.related_activities))
        if wide and name in named
    ]
    verb, agent = named.pop("verb", None), named.get("agent")
    if verb is not None:
        keys = [pair(single, verb) for single in named.values()] or [*related, verb]
    elif agent is not None and len(named) > 1:
        keys = [pair(agent, single) for name, single in named.items() if name != "agent"]
    else:
        keys = list(named.values())
    keys.extend(single for single in related if single not in keys)
    if source is not None:
        keys = [*keys, source_key(source), *(~mark(single) for single in keys)]
    return keys


def _conditions(query: Query) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    if query.verb is not None:
        found.append((verb_key(query.verb), "verb"))
    if query.agent is not None:
        found.append((agent_key(query.agent, related=query.related_agents), "agent"))
    if query.registration is not None:
        found.append((registration_key(query.registration), "registration"))
    if query.activity is not None:
        found.append((activity_key(query.activity, related=query.related_activities), "activity"))
    return found


def read_agent(text: str, version: str, *, groups: bool = False) -> tuple[dict[str, Any], str]:
    """The agent in an ``agent`` parameter, or, with *groups*, an identified group; and its identity."""
    try:
        agent: dict[str, Any] = parse(text.encode())
        check_agent(agent, version, groups=groups, identified=True)
    except Refused as refused:
        said = refused.message
        told = said.removeprefix("The body") if said.startswith("The body ") else f": {said}"
        raise Refused(f"parameter 'agent'{told}", rule=refused.rule) from refused
    return agent, ifi_text(agent) or ""


def _iri(request: Request, given: Mapping[str, str], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not is_iri(value):
        raise request.wrong(f"parameter {name!r} must be an IRI with a scheme")
    return value


def _uuid(request: Request, given: Mapping[str, str], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not is_uuid(value):
        raise request.wrong(f"parameter {name!r} must be a UUID")
    return value


def _flag(request: Request, given: Mapping[str, str], name: str) -> bool:
    value = given.get(name, "false")
    if value not in {"true", "false"}:
        raise request.wrong(f"parameter {name!r} must be true or false")
    return value == "true"


def _time(request: Request, given: Mapping[str, str], name: str, absent: int) -> int:
    value = given.get(name)
    if value is None:
        return absent
    try:
        return place_of(value)
    except ValueError as error:
        raise request.wrong(f"parameter {name!r} must be an ISO 8601 timestamp") from error


def place_of(timestamp: str) -> int:
    """The last place in the order of what is stored at that time. Nothing is stored before 1970 or after 2255.

    A "+" of an offset that was not percent-encoded arrives as a blank and is accepted. Raises ``ValueError``.
    """
    text = timestamp.replace(" ", "+") if timestamp.count(" ") == 1 and "T" in timestamp else timestamp
    return min(last_seq(max(0, micros_of_timestamp(text))), NEWEST)


def _limit(request: Request, value: str | None, settings: Settings) -> int:
    if value is None:
        return settings.default_page
    if not (value.isascii() and value.isdigit() and len(value) <= 100):
        raise request.wrong("parameter 'limit' must be a whole number of 0 or more")
    return min(int(value) or settings.max_page, settings.max_page)
