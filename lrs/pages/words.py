"""Durations as people read them, and what mails are called. Pure; knows no page."""

from __future__ import annotations

from lrs.kernel.times import SECOND

MAILS_SAID = {
    "staff-invitation": "Invitation to work here",
    "staff-recovery": "New password",
    "password-changed": "A password was changed",
    "learner-invitation": "Invitation of a learner",
    "learner-sign-in": "Sign-in of a learner",
    "learner-address": "Confirmation of an address",
    "guardian": "Question to a parent or guardian",
    "badge": "A badge to take",
    "session-sign-off": "Hours for a supervisor to sign off",
    "seat-free": "A seat is free",
    "session-changed": "A session was changed",
    "session-cancelled": "A session is cancelled",
}
"""What people call the mails, by their templates."""


def lasting(micros: int) -> str:
    """A duration in microseconds, in the largest unit that fits."""
    seconds = micros // SECOND
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
