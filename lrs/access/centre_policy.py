"""The lines of the table of rights for training centres: sessions, checklists, and what a supervisor signs."""

from __future__ import annotations

from lrs.access import ALL, OWN, SESSION
from lrs.access.policy_lines import PUBLIC, PolicyLine, PolicyTable, listed


def _staff(right: str) -> PolicyLine:
    return PolicyLine(right, (SESSION,), frozenset({OWN, ALL}), pages="staff")


_READ, _RUN, _SIGN = _staff("sessions.read"), _staff("sessions.run"), _staff("sessions.sign")
_CHECKLISTS = _staff("checklists.change")
_SUPERVISOR = PolicyLine(PUBLIC, pages="account")

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
    ("GET", "/staff/sessions/{id}/close"): _RUN,
    ("POST", "/staff/sessions/{id}/close"): _RUN,
    **listed("/staff/checklists", _CHECKLISTS),
    ("POST", "/staff/checklists"): _CHECKLISTS,
    ("GET", "/staff/checklists/{id}"): _CHECKLISTS,
    # whoever has the link of a supervisor
    ("GET", "/sign-off/{token}"): _SUPERVISOR,
    ("POST", "/sign-off/{token}"): _SUPERVISOR,
}
"""Lines of ``policy.TABLE``."""
