"""How far somebody is in a launch session, in each format, and the refusal of content that breaks a rule. Pure."""

from __future__ import annotations

import msgspec

from adapters.lms.courses.structure import MoveOn
from adapters.lms.sessions.session import LaunchSession, UnitProgress
from lrs.kernel.errors import Refused


class SessionStanding(msgspec.Struct, frozen=True):
    """A session, and how far its unit is."""

    session: LaunchSession
    progress: UnitProgress


def breached(requirement: str, why: str) -> Refused:
    """The refusal for breaking *requirement*."""
    return Refused(f"{requirement}: {why}", status=403, error="cmi5", rule=f"cmi5 {requirement}")


def meets(move_on: MoveOn, progress: UnitProgress) -> bool:
    """Whether *progress* meets the criterion of a unit (13.1.4, moveOn)."""
    if progress.waived:
        return True
    return {
        "NotApplicable": True,
        "Passed": progress.passed,
        "Completed": progress.completed,
        "CompletedAndPassed": progress.completed and progress.passed,
        "CompletedOrPassed": progress.completed or progress.passed,
    }[move_on]
