"""The one table of who may do what, and the one function that applies it. What is not in the table is refused.

A line is a method and the pattern of a path. A pattern also holds behind ``/t/{tenant}``, unless it begins with that
itself (then it holds only there) or belongs to the server (``OF_SERVER``; then it holds only at the root). Knows no
handler.
"""

from __future__ import annotations

from lrs.access import (
    ALL,
    CONSENTED,
    KEY,
    LINK,
    OPERATOR,
    OWN,
    OWN_LEARNERS,
    OWN_SERVICE,
    SELF,
    SESSION,
    TOKEN,
    Caller,
)
from lrs.access.policy.badges import BADGE_TABLE
from lrs.access.policy.centres import CENTRE_TABLE
from lrs.access.policy.courses import COURSE_TABLE
from lrs.access.policy.lines import PUBLIC, PolicyLine, PolicyTable, listed
from lrs.access.policy.lti import LTI_TABLE
from lrs.access.policy.operators import OF_INSTALLATION, OPERATOR_TABLE
from lrs.access.rights import SERVICE_SCOPES, scopes_with
from lrs.access.roles import roles_with
from lrs.kernel.errors import Refused


def _key(right: str, *reaches: str) -> PolicyLine:
    return PolicyLine(right, (KEY,), frozenset(reaches or {ALL}))


def _service(right: str, reach: str = CONSENTED) -> PolicyLine:
    return PolicyLine(right, (TOKEN,), frozenset({reach}))


def _staff(right: str, *reaches: str) -> PolicyLine:
    return PolicyLine(right, (SESSION,), frozenset(reaches or {ALL}), pages="staff")


def _own(right: str) -> PolicyLine:
    return PolicyLine(right, (SESSION,), frozenset({SELF}), pages="me")


_LEARNERS = _staff("learners.read", OWN_LEARNERS, ALL)
_QUESTIONS = _staff("questions.answer", OWN_LEARNERS, ALL)
_SERVICES = _staff("services.manage", OWN_SERVICE, ALL)
_SENT = _staff("deliveries.read", OWN_SERVICE, ALL)
_ENTRANCE = PolicyLine(PUBLIC, pages="account")
_ACCOUNT = PolicyLine("account.use", (SESSION,), frozenset({SELF}), pages="account")
_OPEN = PolicyLine(PUBLIC)
_OPEN_PAGE = PolicyLine(PUBLIC, pages="public")
_IMPORTS = PolicyLine("imports.run", (SESSION,), frozenset({OWN, ALL}), pages="staff")
_PROVIDER = PolicyLine("imports.run", (SESSION,), frozenset({OWN}), pages="staff")
_SIGN_IN = PolicyLine(PUBLIC, pages="staff")
_ASKED = PolicyLine("consents.answer", (LINK,), frozenset({SELF}), pages="consent")

TABLE: PolicyTable = {
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
    ("POST", "/api/imports"): _key("imports.run", OWN, ALL),
    ("GET", "/api/imports/{id}"): _key("source.read", OWN),
    ("GET", "/api/imports/{id}/report"): _key("source.read", OWN),
    ("GET", "/api/imports/{id}/file"): _key("source.read", OWN),
    # matching services
    ("POST", "/oauth/token"): _OPEN,
    ("GET", "/api/profiles"): _service("profiles.read"),
    ("GET", "/api/profiles/{subject}"): _service("profiles.read"),
    ("GET", "/api/profiles/{subject}/badges/{badge}"): _service("badges.read"),
    ("GET", "/api/profiles/{subject}/gap"): _service("gap.read"),
    ("GET", "/api/profiles/{subject}/roles"): _service("gap.read"),
    ("GET", "/api/roles"): _service("roles.read", ALL),
    ("POST", "/api/outcomes"): _service("outcomes.write"),
    ("PUT", "/api/outcomes/{outcome}"): _service("outcomes.write"),
    ("DELETE", "/api/outcomes/{outcome}"): _service("outcomes.write"),
    ("POST", "/api/links"): _service("links.make", ALL),
    # what learners are told
    ("GET", "/api/organisation"): _key("services.manage"),
    ("PUT", "/api/organisation"): _key("services.manage"),
    ("GET", "/api/services/{service}"): _key("services.manage"),
    ("PUT", "/api/services/{service}"): _key("services.manage"),
    # learners: whoever has the link
    ("GET", "/links/{token}"): _ASKED,
    ("POST", "/links/{token}"): _ASKED,
    ("GET", "/guardian/{guardian}"): _ASKED,
    ("POST", "/guardian/{guardian}"): _ASKED,
    # signing in
    ("GET", "/sign-in"): _ENTRANCE,
    ("POST", "/sign-in"): _ENTRANCE,
    ("POST", "/sign-in/code"): _ENTRANCE,
    ("GET", "/sign-in/with/{provider}"): _ENTRANCE,
    ("GET", "/sign-in/return"): _ENTRANCE,
    ("GET", "/sign-in/learner"): _ENTRANCE,
    ("POST", "/sign-in/learner"): _ENTRANCE,
    ("POST", "/sign-in/learner/code"): _ENTRANCE,
    ("POST", "/sign-in/learner/confirm"): _ENTRANCE,
    ("GET", "/sign-in/link/{token}"): _ENTRANCE,
    ("POST", "/sign-in/link/{token}"): _ENTRANCE,
    ("GET", "/invitation/{token}"): _ENTRANCE,
    ("POST", "/invitation/{token}"): _ENTRANCE,
    # whoever is signed in
    ("POST", "/sign-out"): _ACCOUNT,
    ("GET", "/account"): _ACCOUNT,
    ("POST", "/account/name"): _ACCOUNT,
    ("POST", "/account/password"): _ACCOUNT,
    ("POST", "/account/sessions"): _ACCOUNT,
    ("POST", "/account/address"): _ACCOUNT,
    ("POST", "/account/close"): _ACCOUNT,
    ("GET", "/account/second-factor"): _ACCOUNT,
    ("POST", "/account/second-factor"): _ACCOUNT,
    ("POST", "/account/second-factor/off"): _ACCOUNT,
    # learners, about themselves
    ("GET", "/me"): _own("own-record.read"),
    ("POST", "/me/questions"): _own("own-questions.ask"),
    ("GET", "/me/roles"): _own("own-record.read"),
    ("GET", "/me/badges/{id}"): _own("own-record.read"),
    ("GET", "/me/sharing"): _own("own-record.read"),
    ("POST", "/me/sharing/stop"): _own("own-consents.change"),
    ("GET", "/me/data"): _own("own-record.read"),
    ("GET", "/me/data.json"): _own("own-record.read"),
    ("GET", "/me/badges/{id}/take"): _own("own-record.read"),
    ("POST", "/me/badges/{id}/take"): _own("own-badges.share"),
    ("GET", "/me/apprenticeship"): _own("own-record.read"),
    ("GET", "/me/occupation"): _own("own-record.read"),
    ("POST", "/me/occupation"): _own("own-skills.declare"),
    ("GET", "/me/prior"): _own("own-record.read"),
    ("POST", "/me/prior"): _own("own-badges.bring"),
    ("POST", "/me/prior/remove"): _own("own-badges.bring"),
    ("GET", "/me/code"): _own("own-record.read"),
    ("POST", "/me/code"): _own("own-badges.share"),
    # staff
    ("GET", "/staff"): _staff("staff.enter", SELF, ALL),
    **listed("/staff/learners", _LEARNERS),
    ("POST", "/staff/learners"): _LEARNERS,
    ("GET", "/staff/learners/{person}"): _LEARNERS,
    ("GET", "/staff/learners/{person}/apprenticeship"): _LEARNERS,
    ("GET", "/staff/learners/{person}/prior"): _QUESTIONS,
    ("POST", "/staff/learners/{person}/prior"): _QUESTIONS,
    ("POST", "/staff/learners/{person}/prior/remove"): _QUESTIONS,
    ("GET", "/staff/learners/{person}/correct"): _QUESTIONS,
    ("POST", "/staff/learners/{person}/correct"): _QUESTIONS,
    ("POST", "/staff/learners/{person}/withdraw"): _staff("consents.withdraw"),
    ("POST", "/staff/learners/{person}/invite"): _staff("learners.invite"),
    ("POST", "/staff/learners/{person}/ask"): _staff("learners.invite"),
    ("POST", "/staff/learners/{person}/name"): _staff("names.confirm"),
    **listed("/staff/questions", _QUESTIONS),
    ("GET", "/staff/questions/{id}"): _QUESTIONS,
    ("POST", "/staff/questions/{id}"): _QUESTIONS,
    ("GET", "/staff/consents/{receipt}"): _staff("consents.answer"),
    ("POST", "/staff/consents/{receipt}"): _staff("consents.answer"),
    **listed("/staff/same-person", _staff("persons.join")),
    ("POST", "/staff/same-person"): _staff("persons.join"),
    **{(method, "/staff/same-person/{one}/{other}"): _staff("persons.join") for method in ("GET", "POST")},
    **listed("/staff/services", _SERVICES),
    ("POST", "/staff/services"): _staff("services.manage"),
    ("GET", "/staff/new-service"): _staff("services.manage"),
    ("GET", "/staff/services/{id}"): _SERVICES,
    **{("POST", f"/staff/services/{{id}}/{act}"): _SERVICES for act in ("test", "webhook", "rotate", "state")},
    **listed("/staff/services/{id}/deliveries", _SENT),
    ("GET", "/staff/invitations"): _staff("learners.invite"),
    ("POST", "/staff/invitations"): _staff("learners.invite"),
    ("GET", "/staff/members"): _staff("staff.manage"),
    ("POST", "/staff/members"): _staff("staff.manage"),
    ("POST", "/staff/members/{id}/roles"): _staff("staff.manage"),
    ("POST", "/staff/members/{id}/state"): _staff("staff.manage"),
    ("POST", "/staff/members/{id}/recovery"): _staff("staff.manage"),
    **listed("/staff/imports", _IMPORTS),
    ("POST", "/staff/imports"): _IMPORTS,
    ("GET", "/staff/imports/{id}"): _IMPORTS,
    **listed("/staff/imports/{id}/rows", _IMPORTS),
    **dict.fromkeys((("GET", "/staff/imports/{id}/file"), ("GET", "/staff/imports/{id}/repairs")), _IMPORTS),
    **{("POST", f"/staff/imports/{{id}}/{act}"): _IMPORTS for act in ("columns", "cells", "bring")},
    **listed("/staff/columns", _IMPORTS),
    ("POST", "/staff/columns"): _IMPORTS,
    **listed("/provider", _PROVIDER),
    **listed("/provider/apprentices", _PROVIDER),
    **listed("/staff/missing-learners", _IMPORTS),
    **listed("/staff/rules", _staff("rules.change")),
    ("POST", "/staff/rules"): _staff("rules.change"),
    ("GET", "/staff/rules/ready.csv"): _staff("rules.change"),
    ("POST", "/staff/rules/restore"): _staff("rules.change"),
    **listed("/staff/rules/versions/{version}/rules", _staff("rules.change")),
    **listed("/staff/rules/drafts/{id}/changes", _staff("rules.change")),
    ("POST", "/staff/rules/drafts/{id}/apply"): _staff("rules.change"),
    ("GET", "/pages"): _SIGN_IN,
    ("GET", "/pages/sign-in"): _SIGN_IN,
    ("POST", "/pages/sign-in"): _SIGN_IN,
    ("GET", "/console"): _staff("work.read"),
    **listed("/console/sources", _staff("work.read")),
    ("GET", "/console/mails"): _staff("staff.manage"),
    ("POST", "/console/mails"): _staff("staff.manage"),
    **listed("/console/keys", _staff("staff.manage")),
    **listed("/console/audit", _staff("audit.read")),
    ("GET", "/console/system"): _staff("metrics.read"),
    ("GET", "/pages/learners"): _SIGN_IN,
    ("GET", "/pages/learners/{person}"): _SIGN_IN,
    **listed("/arrivals", _staff("arrivals.read", OWN, ALL)),
    ("POST", "/arrivals"): _staff("arrivals.read", OWN, ALL),
    ("GET", "/arrivals/statements/{id}"): _staff("arrivals.read", OWN, ALL),
    **listed("/arrivals/course", _staff("arrivals.read", OWN, ALL)),
    **listed("/arrivals/quarantine", _staff("arrivals.read", OWN, ALL)),
    ("POST", "/arrivals/quarantine"): _staff("sources.connect", OWN, ALL),
    ("GET", "/arrivals/quarantine/{id}"): _staff("arrivals.read", OWN, ALL),
    ("POST", "/arrivals/quarantine/{id}"): _staff("sources.connect", OWN, ALL),
    **listed("/connect", _staff("sources.connect", OWN, ALL)),
    ("GET", "/connect/{platform}"): _staff("sources.connect", OWN, ALL),
    ("POST", "/connect/{platform}"): _staff("sources.connect", OWN, ALL),
    ("GET", "/connect/{platform}/rules.csv"): _staff("sources.connect", OWN, ALL),
    ("GET", "/connect/sources/{source}"): _staff("sources.connect", OWN, ALL),
    ("POST", "/connect/sources/{source}"): _staff("sources.connect", OWN, ALL),
    ("POST", "/connect/sources/{source}/name"): _staff("sources.name"),
    ("GET", "/connect/keys/{key}"): _staff("sources.connect", OWN, ALL),
    ("POST", "/connect/keys/{key}/revoke"): _staff("sources.connect", OWN, ALL),
    ("GET", "/pages/work"): _staff("work.read"),
    ("POST", "/pages/work/retry"): _staff("work.retry"),
    ("POST", "/pages/work/resend"): _staff("deliveries.resend"),
    ("GET", "/"): _OPEN_PAGE,
    # the server's own
    ("GET", "/health"): _OPEN,
    ("GET", "/metrics"): PolicyLine("metrics.read", (OPERATOR,)),
    ("GET", "/docs"): _OPEN_PAGE,
    ("GET", "/developers"): _OPEN_PAGE,
    ("GET", "/developers/{name}"): _OPEN,
    ("GET", "/openapi.json"): _OPEN,
    ("GET", "/static/{name}"): _OPEN,
    # badges; the operator of the installation; training centres; courses; learning platforms
    **BADGE_TABLE,
    **OPERATOR_TABLE,
    **CENTRE_TABLE,
    **COURSE_TABLE,
    **LTI_TABLE,
}
OF_TENANT = "/t/{tenant}"
NOBODYS = frozenset({"/health", "/metrics", "/docs", "/openapi.json", "/static/{name}"})
"""Patterns of what is about nobody, not even the installation."""
OF_SERVER = NOBODYS | OF_INSTALLATION
"""Patterns that hold only at the root, because they belong to no tenant."""


def with_open_metrics(table: PolicyTable) -> PolicyTable:
    """*table*, but with metrics open to everybody."""
    return {**table, ("GET", "/metrics"): _OPEN}


def admit(method: str, route: str, caller: Caller, table: PolicyTable = TABLE) -> None:
    """Refuses with 403 unless the line of *table* for *method* and the pattern *route* admits *caller*."""
    line = table.get((method, route))
    if line is None:
        raise Refused(f"nobody may {method} {route}", status=403, error="forbidden")
    if caller.rights.get(line.right) in line.reaches and caller.via in line.via:
        return
    if not line.is_public:
        raise _refused(method, route, line)


def scopes_for(line: PolicyLine) -> tuple[str, ...]:
    """The scopes of API keys or services that *line* accepts; one of them is enough."""
    return scopes_with(line.right, line.reaches, *([SERVICE_SCOPES] if TOKEN in line.via else []))


def _refused(method: str, route: str, line: PolicyLine) -> Refused:
    needed = scopes_for(line)
    if TOKEN in line.via:  # RFC 6750 3.1
        scope = " ".join(needed)
        told = (("WWW-Authenticate", f'Bearer error="insufficient_scope", scope="{scope}"'),)
        return Refused(f"the token lacks the scope {scope}", status=403, error="insufficient_scope", headers=told)
    if SESSION in line.via:
        *some, last = roles_with(line.right, line.reaches) or ("nobody",)
        who = f"{', '.join(some)} or {last}" if some else last
        return Refused(f"This page needs a role that you do not have: {who}.", status=403, error="forbidden")
    named = route.removeprefix(OF_TENANT).removeprefix("/xapi").removeprefix("/api").removeprefix("/")
    text = " or ".join(needed)
    return Refused(f"this key may not {method} {named}: it needs the scope {text}", status=403, error="forbidden")
