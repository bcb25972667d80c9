"""The one table of who may do what, and the one function that asks it. What is not in the table is refused.

A line is a method and the pattern of a path; a pattern holds behind ``/t/{tenant}``, too, unless it begins with that
itself (then it holds only there) or is one of the server's own (then it holds only at the root). Knows no handler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lrs.access import ALL, CONSENTED, KEY, LINK, OPERATOR, OWN, SELF, SESSION, TOKEN, Caller
from lrs.access.rights import SERVICE_SCOPES, scopes_with
from lrs.kernel.errors import Refused

PUBLIC = "public"
"""In the place of a right: whoever asks."""


@dataclass(frozen=True, slots=True)
class Line:
    """Who gets past: callers with *right*, by one of the credentials *via*, if it reaches as one of *reaches*.

    The first credential of *via* is the one that is asked for. A handler whose line has more than one reach narrows
    what it does to the caller's. *pages* is for whom its answers are pages, so that its refusals are pages, too; empty
    where they are JSON. *any_origin*: scripts of any site may read every answer, for nothing in it depends on who asks
    (the Fetch standard, CORS protocol).
    """

    right: str
    via: tuple[str, ...] = ()
    reaches: frozenset[str] = frozenset({ALL})
    pages: str = ""
    any_origin: bool = False

    @property
    def is_public(self) -> bool:
        """Whether nobody needs to show who they are."""
        return self.right == PUBLIC


Table = Mapping[tuple[str, str], Line]


def _key(right: str, *reaches: str) -> Line:
    return Line(right, (KEY,), frozenset(reaches or {ALL}))


def _service(right: str, reach: str = CONSENTED) -> Line:
    return Line(right, (TOKEN,), frozenset({reach}))


def _staff(right: str) -> Line:
    return Line(right, (SESSION,), pages="staff")


_OPEN = Line(PUBLIC)
_OPEN_PAGE = Line(PUBLIC, pages="public")
_SIGN_IN = Line(PUBLIC, pages="staff")
_BADGE = Line(PUBLIC, any_origin=True)
_ASKED = Line("consents.answer", (LINK,), frozenset({SELF}), pages="learner")

TABLE: Table = {
    # xAPI
    ("POST", "/xapi/statements"): _key("statements.write"),
    ("PUT", "/xapi/statements"): _key("statements.write"),
    ("GET", "/xapi/statements"): _key("statements.read", ALL, OWN),
    ("GET", "/xapi/activities/state"): _key("state.read"),
    ("PUT", "/xapi/activities/state"): _key("state.write"),
    ("POST", "/xapi/activities/state"): _key("state.write"),
    ("DELETE", "/xapi/activities/state"): _key("state.write"),
    ("GET", "/xapi/activities/profile"): _key("activity-profiles.read"),
    ("PUT", "/xapi/activities/profile"): _key("activity-profiles.write"),
    ("POST", "/xapi/activities/profile"): _key("activity-profiles.write"),
    ("DELETE", "/xapi/activities/profile"): _key("activity-profiles.write"),
    ("GET", "/xapi/agents/profile"): _key("agent-profiles.read"),
    ("PUT", "/xapi/agents/profile"): _key("agent-profiles.write"),
    ("POST", "/xapi/agents/profile"): _key("agent-profiles.write"),
    ("DELETE", "/xapi/agents/profile"): _key("agent-profiles.write"),
    ("GET", "/xapi/activities"): _key("activities.read"),
    ("GET", "/xapi/agents"): _key("agents.read"),
    ("GET", "/xapi/about"): _OPEN,
    # providers that send files
    ("GET", "/api/imports"): _key("source.read", OWN),
    ("POST", "/api/imports"): _key("imports.run", OWN),
    ("GET", "/api/imports/{id}"): _key("source.read", OWN),
    ("GET", "/api/imports/{id}/report"): _key("source.read", OWN),
    ("GET", "/api/imports/{id}/file"): _key("source.read", OWN),
    # matching services
    ("POST", "/oauth/token"): _OPEN,
    ("GET", "/api/profiles"): _service("profiles.read"),
    ("GET", "/api/profiles/{subject}"): _service("profiles.read"),
    ("GET", "/api/profiles/{subject}/badges/{badge}"): _service("badges.read"),
    ("GET", "/api/profiles/{subject}/gap"): _service("gap.read"),
    ("GET", "/api/roles"): _service("roles.read", ALL),
    ("POST", "/api/links"): _service("links.make", ALL),
    # learners: whoever has the link
    ("GET", "/links/{token}"): _ASKED,
    ("POST", "/links/{token}"): _ASKED,
    # staff
    ("GET", "/pages"): _SIGN_IN,
    ("GET", "/pages/sign-in"): _SIGN_IN,
    ("POST", "/pages/sign-in"): _SIGN_IN,
    ("POST", "/pages/sign-out"): _staff("sessions.open"),
    ("GET", "/pages/learners"): _staff("learners.read"),
    ("POST", "/pages/learners"): _staff("learners.read"),
    ("GET", "/pages/learners/{person}"): _staff("learners.read"),
    ("POST", "/pages/learners/{person}/withdraw"): _staff("consents.withdraw"),
    ("GET", "/pages/badges/{id}"): _staff("badges.read"),
    ("GET", "/pages/work"): _staff("work.read"),
    ("POST", "/pages/work/retry"): _staff("work.retry"),
    ("POST", "/pages/work/resend"): _staff("deliveries.resend"),
    ("GET", "/"): _OPEN_PAGE,
    # what badges point to for ever, and the badges
    ("GET", "/t/{tenant}/did.json"): _BADGE,
    ("GET", "/t/{tenant}/status/{name}"): _BADGE,
    ("GET", "/t/{tenant}/achievements/{id}"): _BADGE,
    ("GET", "/t/{tenant}/credentials/{id}"): _key("badges.read"),
    # the server's own
    ("GET", "/health"): _OPEN,
    ("GET", "/metrics"): Line("metrics.read", (KEY, OPERATOR)),
    ("GET", "/docs"): _OPEN_PAGE,
    ("GET", "/openapi.json"): _OPEN,
}
OF_TENANT = "/t/{tenant}"
OF_SERVER = frozenset({"/health", "/metrics", "/docs", "/openapi.json"})
"""Patterns that hold only at the root: they belong to no tenant."""


def with_open_metrics(table: Table) -> Table:
    """*table*, in which whoever asks may see the metrics."""
    return {**table, ("GET", "/metrics"): _OPEN}


def admit(method: str, route: str, caller: Caller, table: Table = TABLE) -> None:
    """Refuses with 403 unless the line of *table* for *method* and the pattern *route* lets *caller* past."""
    line = table.get((method, route))
    if line is None:
        raise Refused(f"nobody may {method} {route}", status=403, error="forbidden")
    if caller.rights.get(line.right) in line.reaches and caller.via in line.via:
        return
    if not line.is_public:
        raise _refused(method, route, line)


def scopes_for(line: Line) -> tuple[str, ...]:
    """The scopes of API keys, or of services, that *line* asks for: one of them will do."""
    return scopes_with(line.right, line.reaches, *([SERVICE_SCOPES] if TOKEN in line.via else []))


def _refused(method: str, route: str, line: Line) -> Refused:
    needed = scopes_for(line)
    if TOKEN in line.via:  # RFC 6750 3.1
        scope = " ".join(needed)
        told = (("WWW-Authenticate", f'Bearer error="insufficient_scope", scope="{scope}"'),)
        return Refused(f"the token lacks the scope {scope}", status=403, error="insufficient_scope", headers=told)
    named = route.removeprefix(OF_TENANT).removeprefix("/xapi").removeprefix("/api").removeprefix("/")
    who, text = ("key", " or ".join(needed)) if KEY in line.via else ("session", "admin")
    return Refused(f"this {who} may not {method} {named}: it needs the scope {text}", status=403, error="forbidden")
