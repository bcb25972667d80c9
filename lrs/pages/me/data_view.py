"""Somebody's records for their own reading: a line in words for each, and all its fields beneath. Pure.

A line is made of what the record says (names, texts, scores), so it needs no translation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from lrs.competency.rules.unmatched import in_any_language
from lrs.pages.actions import action_said
from lrs.pages.told import last_part
from lrs.pages.views import identifier_shown
from lrs.subjects.access import OwnRecords
from lrs.web.dates import Dates

LONGEST = 200
"""Characters of a line."""
_DEEPEST = 6


def part(found: OwnRecords, dates: Dates) -> dict[str, Any]:
    """The records of one kind, each with its day, what it says in a line, and its fields."""
    say = _SAID.get(found.kind)
    return {
        "kind": found.kind,
        "more": found.more,
        "records": [
            {"day": _day(one, dates), "text": _line(say, one), "fields": _fields(one)} for one in found.records
        ],
    }


def _line(say: Callable[[Mapping[str, Any]], str] | None, record: Mapping[str, Any]) -> str:
    """What *record* says; nothing if it has not the form that is expected."""
    if say is None:
        return ""
    try:
        text = " ".join(say(_plain(record)).split())
    except (KeyError, TypeError, AttributeError, IndexError):
        return ""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _day(record: Mapping[str, Any], dates: Dates) -> str:
    """When it happened, or else since when it is kept."""
    at = next((str(record[name]) for name in ("timestamp", "stored", "at") if record.get(name)), "")
    return dates.result_time(at) if at else ""


def _plain(value: Any) -> Any:
    """*value* with numbers in place of their texts."""
    if isinstance(value, msgspec.Raw):
        return msgspec.json.decode(value)
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


# -- what each kind says ----------------------------------------------------------------------------------------------


def _statement(one: Mapping[str, Any]) -> str:
    verb, thing = one["verb"], one.get("object", {})
    names = thing.get("definition", {}).get("name", {})
    what = in_any_language(names) or thing.get("name") or last_part(thing.get("id", ""))
    did = in_any_language(verb.get("display", {})) or last_part(verb["id"])
    return _joined(f"{did} {what}", _score(one.get("result", {}).get("score", {})))


def _score(score: Mapping[str, Any]) -> str:
    """As it was sent: whether ``scaled`` begins at 0 or at -1, only the rules of its source know."""
    raw, most, scaled = (score.get(name) for name in ("raw", "max", "scaled"))
    if raw is not None and most:
        return f"{raw:.15g}/{most:.15g}"
    told = raw if scaled is None else scaled
    return "" if told is None else f"{told:.15g}"


def _evidence(one: Mapping[str, Any]) -> str:
    score = "" if one.get("score") is None else f"{one['score']:g}\N{NO-BREAK SPACE}%"
    return _joined(one["source"], score, one.get("reason") or "")


def _level(one: Mapping[str, Any]) -> str:
    about, level = one["competency"], one["level"]
    return f"{about.get('label') or about.get('code')}: {level.get('label') or level['ordinal']}"


def _profile(one: Mapping[str, Any]) -> str:
    return _joined(*map(_level, one["competencies"]))


def _asked(one: Mapping[str, Any]) -> str:
    return f"{one['service']}: {one['purpose']}"


def _question(one: Mapping[str, Any]) -> str:
    return f"{one['title']}: {one['text']}"


def _joined(*texts: str) -> str:
    return ", ".join(filter(None, texts))


_SAID: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "statement": _statement,
    "evidence": _evidence,
    "award": _level,
    "award-lineage": _level,
    "profile": _profile,
    "consent": _asked,
    "consent-link": _asked,
    "question": _question,
    "agent_name": lambda one: str(one["name"]),
    "told-name": lambda one: _joined(one["text"], one["source"]),
    "confirmed-name": lambda one: _joined(one["name"], one["how"]),
    "identifier": lambda one: _joined(identifier_shown(one["ifi"])[1]),
    "learner": lambda one: _joined(*(each["text"] for each in one["called"])),
    "tally": lambda one: f"{one['day']}: {one['count']}",
    "disclosure": lambda one: _joined(one["service"], *one["what"]),
    "outcome": lambda one: _joined(one["what"]["outcome"], one["what"].get("role") or "", one["service"]),
    "self-declared": lambda one: _joined(one["label"], *(each["label"] for each in one["skills"])),
    "change": lambda one: str(one["service"]),
    "delivery": lambda one: _joined(str(one.get("to") or ""), str(one.get("event") or "")),
    "credential": lambda one: str(one["name"]),
    "learner-account": lambda one: _joined(*one["addresses"]),
    "audit": lambda one: action_said(one["action"], one["by"]),
}


# -- all fields -------------------------------------------------------------------------------------------------------


def _fields(value: Any, depth: int = 0) -> list[tuple[int, str, str]]:
    """A JSON object or array as lines of depth, name and text."""
    pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value, 1)
    lines: list[tuple[int, str, str]] = []
    for name, one in pairs:
        if isinstance(one, dict | list):
            lines += [(depth, str(name), ""), *_fields(one, min(depth + 1, _DEEPEST))] if one else []
        elif one is not None and one != "":
            lines.append((depth, str(name), _text(one)))
    return lines


def _text(value: Any) -> str:
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode()
    return str(value).lower() if isinstance(value, bool) else str(value)
