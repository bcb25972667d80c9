"""What comes of a commit of SCORM content: which status it means, what is new in it, how far the unit is. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from adapters.lms.scorm.cmi import FINAL, Cmi
from adapters.lms.sessions.session import UnitProgress
from adapters.lms.sessions.standing import SessionStanding, meets

_SAYS = {"passed": ("completed", "passed"), "completed": ("completed",), "failed": ("failed",)}
"""What a status says: who passed has completed (SCORM 1.2 RTE 3.4.4, lesson_status)."""


def as_judged(cmi: Cmi, mastery: float | None, *, ended: bool) -> Cmi:
    """*cmi* with the status that the pass mark gives at the end: score against ``masteryscore`` (RTE 3.4.4)."""
    if not ended or mastery is None or cmi.score is None:
        return cmi
    return replace(cmi, status="passed" if cmi.score.raw >= round(mastery * 100, 6) else "failed")


def news(cmi: Cmi, before: UnitProgress, *, ended: bool) -> Iterator[str]:
    """The verbs that *cmi* adds to what is known of the unit. *failed* counts once an attempt has ended."""
    for verb in _SAYS.get(cmi.status, ()):
        known = {"completed": before.completed, "passed": before.passed, "failed": before.passed or not ended}[verb]
        if not known:
            yield verb


def after(standing: SessionStanding, cmi: Cmi, now: int, *, ended: bool) -> SessionStanding:
    """The standing once *cmi* was committed at *now*. Only the mode Normal counts; who passed stays so."""
    session, progress = standing.session, standing.progress
    session = replace(
        session, last=now, initialized=session.initialized or now, terminated=now if ended else session.terminated
    )
    if session.mode != "Normal":
        return SessionStanding(session, progress)
    verbs = set(news(cmi, progress, ended=ended))
    progress = replace(
        progress,
        attempted=True,
        completed=progress.completed or "completed" in verbs,
        passed=progress.passed or "passed" in verbs,
        failed="failed" in verbs or (progress.failed and "passed" not in verbs),
        score=_score(cmi, progress, verbs),
    )
    if ended:
        spent = progress.seconds.get(session.mode, 0.0) + cmi.session
        progress = replace(progress, seconds={**progress.seconds, session.mode: spent})
    if not progress.satisfied and meets(session.move_on, progress):
        progress = replace(progress, satisfied=True)
    return SessionStanding(session, progress)


def _score(cmi: Cmi, progress: UnitProgress, verbs: set[str]) -> float | None:
    if cmi.score is None or cmi.score.scaled is None or cmi.status not in FINAL:
        return progress.score
    return progress.score if cmi.status == "failed" and "failed" not in verbs else cmi.score.scaled
