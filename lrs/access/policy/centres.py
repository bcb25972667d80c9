"""The lines of the table of rights for training centres, catalogue, what learners plan of it, employers, planning."""

from __future__ import annotations

from lrs.access import ALL, OWN, OWN_SERVICE, SELF, SESSION
from lrs.access.policy.lines import PUBLIC, PolicyLine, PolicyTable, listed


def _staff(right: str) -> PolicyLine:
    return PolicyLine(right, (SESSION,), frozenset({OWN, ALL}), pages="staff")


_READ, _RUN, _SIGN = _staff("sessions.read"), _staff("sessions.run"), _staff("sessions.sign")
_CHECKLISTS = _staff("checklists.change")
_ROUTE = PolicyLine("names.confirm", (SESSION,), frozenset({ALL}), pages="staff")
_SUPERVISOR = PolicyLine(PUBLIC, pages="account")
_CATALOGUE = PolicyLine("catalogue.change", (SESSION,), frozenset({ALL}), pages="staff")
_PLANNING, _PLANS, _PROTECTS = (
    PolicyLine(f"planning.{act}", (SESSION,), frozenset({ALL}), pages="staff") for act in ("read", "change", "protect")
)
_READERS = PolicyLine(PUBLIC, pages="catalogue")
_ROLES = PolicyLine(PUBLIC, pages="roles")

CENTRE_TABLE: PolicyTable = {
    **listed("/staff/sessions", _READ),
    ("POST", "/staff/sessions"): _RUN,
    ("GET", "/staff/new-session"): _RUN,
    ("GET", "/staff/sessions/{id}"): _READ,
    ("POST", "/staff/sessions/{id}/people"): _RUN,
    ("POST", "/staff/sessions/{id}/attendance"): _RUN,
    ("POST", "/staff/sessions/{id}/version"): _RUN,
    ("GET", "/staff/sessions/{id}/steps/{step}"): _READ,
    ("POST", "/staff/sessions/{id}/steps/{step}"): _RUN,
    ("GET", "/staff/sessions/{id}/people/{who}"): _READ,
    ("POST", "/staff/sessions/{id}/people/{who}"): _RUN,
    ("POST", "/staff/sessions/{id}/people/{who}/sign"): _SIGN,
    ("GET", "/staff/sessions/{id}/change"): _RUN,
    ("POST", "/staff/sessions/{id}/change"): _RUN,
    ("GET", "/staff/sessions/{id}/close"): _RUN,
    ("POST", "/staff/sessions/{id}/close"): _RUN,
    **listed("/staff/checklists", _CHECKLISTS),
    ("POST", "/staff/checklists"): _CHECKLISTS,
    ("GET", "/staff/checklists/{id}"): _CHECKLISTS,
    **dict.fromkeys((("GET", "/staff/learners/{person}/route"), ("POST", "/staff/learners/{person}/route")), _ROUTE),
    # whoever has the link of a supervisor
    ("GET", "/sign-off/{token}"): _SUPERVISOR,
    ("POST", "/sign-off/{token}"): _SUPERVISOR,
    # the catalogue, the roles to which it leads, and what a learner plans of it
    **listed("/catalogue", _READERS),
    ("GET", "/catalogue/{id}"): _READERS,
    **listed("/roles", _ROLES),
    ("GET", "/roles/one"): _ROLES,
    ("GET", "/roles/embed"): PolicyLine(PUBLIC, pages="embedded"),
    **listed("/staff/catalogue", _CATALOGUE),
    ("POST", "/staff/catalogue"): _CATALOGUE,
    ("GET", "/staff/catalogue/{id}"): _CATALOGUE,
    ("GET", "/me/plan"): PolicyLine("own-record.read", (SESSION,), frozenset({SELF}), pages="me"),
    ("POST", "/me/plan"): PolicyLine("own-bookings.change", (SESSION,), frozenset({SELF}), pages="me"),
    ("GET", "/calendar/{token}"): PolicyLine(PUBLIC),
    # employers
    **listed("/employer", PolicyLine("employees.read", (SESSION,), frozenset({OWN_SERVICE}), pages="staff")),
    ("POST", "/employer"): PolicyLine("employees.ask", (SESSION,), frozenset({OWN_SERVICE}), pages="staff"),
    # planning
    **listed("/planning", _PLANNING),
    ("POST", "/planning"): _PLANS,
    ("POST", "/planning/files"): _PLANS,
    # who changes these and compares could work out small numbers
    ("POST", "/planning/regions"): _PROTECTS,
    ("POST", "/planning/smallest"): _PROTECTS,
}
"""Lines of ``policy.TABLE``."""
