"""The words and colours for the states of levels, badges, services and members of staff. Pure."""

from __future__ import annotations

from lrs.competency.explain import IN_REVIEW
from lrs.matching.view import REVOKED

_WORDS = {
    "held": "Held",
    "expiring": "Expires soon",
    "expired": "Expired",
    IN_REVIEW: "Held, in review",
    "withdrawn": "Withdrawn",
    "issued": "Valid",
    REVOKED: "Revoked",
    "suspended": "Suspended",
    "active": "Active",
    "disabled": "Disabled",
    "paused": "Paused",
    "queued": "Waiting",
    "delivered": "Delivered",
    "superseded": "Not needed: something newer was sent",
    "withheld": "Not sent: not agreed to any more",
    "dead": "Given up on",
}


MEMBER_STATES = {
    "invited": "Invited",
    "withdrawn": "Invitation withdrawn",
    "active": "Active",
    "disabled": "Disabled",
}
"""The states of a member of staff, and of an operator."""


def state_word(state: str) -> str:
    """*state* in words; a state that we have no word for is shown as it is."""
    return _WORDS.get(state, state)


def mood(state: str) -> str:
    """The class for *state* in the style sheet: ``good``, ``warn`` or ``bad``."""
    if state in {"held", "issued", "active"}:
        return "good"
    return "warn" if state == "expiring" else "bad"
