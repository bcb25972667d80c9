"""The data of learners' questions for staff. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from lrs.competency.explain import Explanation
from lrs.kernel.printing import time_of
from lrs.matching.consent.links import ConsentLink
from lrs.people.questions import Question
from lrs.web.dates import written_moment, written_result_time
from lrs.web.listing import ListColumn, ListRow

COLUMNS = (
    ListColumn("title", "About"),
    ListColumn("who", "Who asks"),
    ListColumn("text", "What the learner says", sortable=False),
    ListColumn("asked", "Asked"),
    ListColumn("state", "State", facet=True),
    ListColumn("person", "Learner", sortable=False, seen=False),
    ListColumn("id", "Id", sortable=False, seen=False),
)
SHOWN = 160
"""Characters of a question that the list shows."""
EVIDENCE_SHOWN = 20
_STATES = {"open": "Waits for an answer", "answered": "Answered", "corrected": "Answered and corrected"}


def state_of(one: Question) -> str:
    """The state of a question: it waits, is answered, or answered and corrected."""
    if one.answer is None:
        return "open"
    return "corrected" if one.answer.corrected else "answered"


def rows(found: Iterable[tuple[Question, str]], zone: str, root: str) -> list[ListRow]:
    """The questions of a list, each with what its learner is called."""
    return [_row(one, who, zone, root) for one, who in found]


def _row(one: Question, who: str, zone: str, root: str) -> ListRow:
    state = state_of(one)
    text = one.text if len(one.text) <= SHOWN else f"{one.text[:SHOWN]}…"
    return ListRow(
        {
            "title": one.title,
            "who": who,
            "text": one.text,
            "asked": time_of(one.asked),
            "state": state,
            "person": one.person,
            "id": one.id,
        },
        {"text": text, "asked": written_moment(one.asked, zone), "state": _STATES[state]},
        {"title": f"{root}/staff/questions/{one.id}"},
        {"state": "warn" if one.answer is None else "good"},
    )


def question(one: Question, name: str, answered_by: str, zone: str) -> dict[str, Any]:
    """One question, and its answer if there is one."""
    answer = one.answer
    return {
        "id": one.id,
        "person": one.person,
        "name": name,
        "title": one.title,
        "text": one.text,
        "asked": written_moment(one.asked, zone),
        "state": _STATES[state_of(one)],
        "answer": answer.text if answer else "",
        "answered": written_moment(answer.at, zone) if answer else "",
        "by": answered_by,
        "corrected": bool(answer and answer.corrected),
    }


def evidence(
    explanation: Explanation,
    zone: str,
    sources: Collection[str] | None,
    called: Callable[[str, str], str],
    *,
    first: str = "",
) -> list[dict[str, Any]]:
    """The statements of *sources* (``None``: all) in *explanation*, newest first: each could be wrong.

    The statement *first*, which somebody chose, is in front of all. *called* gives the name of what a
    statement is about, by its id and activity.
    """
    sent = [one for answer in explanation.answers for one in answer.evidence]
    found = [one for one in sent if sources is None or one.source in sources]
    found.sort(key=lambda one: one.timestamp, reverse=True)
    unique = {one.statement: one for one in reversed(found)}
    newest = list(reversed(unique.values()))
    newest.sort(key=lambda one: one.statement != first)
    return [
        {
            "value": one.statement,
            "text": f"{written_result_time(one.timestamp, zone)}, {one.source}: {called(one.statement, one.activity)}",
            "hint": _told(one.score, one.reason),
            "on": False,
        }
        for one in newest[:EVIDENCE_SHOWN]
    ]


def _told(score: float | None, reason: str | None) -> str:
    scored = "No score" if score is None else f"{score:g}\N{NO-BREAK SPACE}%"
    return f"{scored}. {'Counts' if reason is None else f'Does not count: {reason}'}."


def waiting_links(found: Iterable[ConsentLink], *, services: Mapping[str, str], zone: str) -> list[dict[str, Any]]:
    """Consents that a service asked for: those that their learner, or a guardian, has not answered."""
    return [consent(one, services, zone) for one in found]


def consent(one: ConsentLink, services: Mapping[str, str], zone: str) -> dict[str, Any]:
    """One of them. Of a guardian, *until* is the end of the link that was made for them."""
    asked = one.guardian
    return {
        "service": services.get(one.service, one.service),
        "purpose": one.purpose,
        "scopes": one.agreed or one.scopes,
        "reference": one.reference or "",
        "receipt": one.receipt,
        "until": written_moment(asked.expires if asked else one.expires, zone),
        "decided": written_moment(one.decided, zone) if one.decided else "",
        "learner": asked.learner if asked else "",
        "address": asked.address if asked else "",
    }
