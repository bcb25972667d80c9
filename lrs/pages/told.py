"""A statement in words: who did what, with the IRIs behind the words. Pure; knows no store."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import starmap
from typing import Any

import msgspec
from msgspec.structs import replace

from lrs.competency.rules.unmatched import in_any_language
from lrs.kernel.plain_text import one_line
from lrs.pages.views import identifier_shown
from lrs.storage import Record
from lrs.xapi.statements.identity import ifi_text

LONGEST = 300
"""Characters of a name that are shown; a longer one is cut."""


class ScoreTold(msgspec.Struct, frozen=True):
    """A score as it was sent."""

    scaled: float | None = None
    raw: float | None = None
    min: float | None = None
    max: float | None = None


class ResultTold(msgspec.Struct, frozen=True):
    """A result as it was sent, as far as it is told in words."""

    score: ScoreTold = ScoreTold()
    success: bool | None = None
    completion: bool | None = None

    @property
    def said(self) -> str:
        """The result in words; empty if there is none."""
        score = self.score
        raw = "" if score.raw is None else f"{score.raw:g}{'' if score.max is None else f' of {score.max:g}'}"
        scaled = "" if score.scaled is None else f"scaled {score.scaled:g}"
        words = ((self.success, "success"), (self.completion, "completion"))
        return ", ".join(filter(None, (raw, scaled, *starmap(_yes_or_no, words))))


NO_RESULT = ResultTold()


def _yes_or_no(value: bool | None, word: str) -> str:  # noqa: FBT001 (as JSON has it)
    return "" if value is None else word if value else f"no {word}"


class StatementTold(msgspec.Struct, frozen=True):
    """The parts of a statement.

    *who* is a name; if there is none, *known* is an identifier of this *sort*. *agent* is the actor's ``ifi_text``;
    *activity* is the id of the object if that is an activity. *named* says whether the statement itself has a name for
    it.
    """

    who: str
    known: str
    agent: str
    did: str
    verb: str
    what: str
    activity: str
    named: bool
    timestamp: str
    sort: str = ""
    result: ResultTold = NO_RESULT


class _Verb(msgspec.Struct, frozen=True):
    id: str
    display: dict[str, str] = {}


class _Said(msgspec.Struct, frozen=True):
    actor: Any
    verb: _Verb
    object: Any
    timestamp: str = ""
    result: msgspec.Raw = msgspec.Raw(b"{}")


_decode = msgspec.json.Decoder(_Said).decode
_decode_result = msgspec.json.Decoder(ResultTold).decode
UNREADABLE = StatementTold("", "", "", "", "", "A statement that cannot be read", "", named=True, timestamp="")


def told(record: Record) -> StatementTold:
    """The parts of the statement in *record*."""
    try:
        said = _decode(record.body)
    except msgspec.MsgspecError:
        return UNREADABLE
    known = _known(said.actor)
    what, activity, named = _object(said.object)
    return StatementTold(
        who=_cut(str(said.actor.get("name") or "")) or known or _group(said.actor),
        known=known,
        agent=ifi_text(said.actor) or "",
        did=_cut(in_any_language(said.verb.display) or "") or last_part(said.verb.id),
        verb=said.verb.id,
        what=what,
        activity=activity,
        named=named,
        timestamp=said.timestamp,
        sort=identifier_shown(said.actor)[0] if known else "",
        result=_result(said.result),
    )


def _result(text: msgspec.Raw) -> ResultTold:
    try:
        return _decode_result(text)
    except msgspec.MsgspecError:  # such as a number that no float holds
        return NO_RESULT


def with_person(one: StatementTold, name: str | None) -> StatementTold:
    """*one* with a *name* for its actor, who has none in the statement."""
    return one if not name or one.who != one.known else replace(one, who=_cut(name))


def with_name(one: StatementTold, name: str | None) -> StatementTold:
    """*one* with a *name* for its object from another statement."""
    return one if one.named or not name else replace(one, what=_cut(name), named=True)


def last_part(iri: str) -> str:
    """The last part of an IRI, which is usually a word."""
    return iri.rstrip("/#").rpartition("/")[2].rpartition("#")[2] or iri


def _object(target: Mapping[str, Any]) -> tuple[str, str, bool]:
    """The object's name, its id if it is an activity, and whether the statement gave the name."""
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        names = (target.get("definition") or {}).get("name") or {}
        name = in_any_language(names) if isinstance(names, dict) else None
        return _cut(name or target["id"]), target["id"], bool(name)
    if kind == "StatementRef":
        return f"Statement {target['id']}", "", True
    if kind == "SubStatement":
        return f"Meant to: {_object(target['object'])[0]}", "", True
    return _cut(str(target.get("name") or "")) or _known(target) or _group(target), "", True


def _known(agent: Mapping[str, Any]) -> str:
    """How *agent* is known; empty for a group without an identifier."""
    return _cut(identifier_shown(agent)[1]) if ifi_text(agent) else ""


def _group(agent: Mapping[str, Any]) -> str:
    return f"A group of {len(agent.get('member', ()))}"


def _cut(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
