"""The data of a learner's own pages for the templates. Pure: no store, no clock, no markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from lrs.competency.dates import day_of
from lrs.competency.shapes import Proof
from lrs.matching.consent import Consent
from lrs.matching.services import PROFILES
from lrs.matching.view import ISSUED
from lrs.pages.me.badges import OwnBadge
from lrs.pages.me.facts import OwnSkills, ServiceTold, Sharing, Skill
from lrs.people.questions import Matter, Question
from lrs.subjects.access import OwnRecords
from lrs.web.dates import written_day, written_moment, written_result_time

WHOLE = "record"
"""The subject of a question that is not about a skill."""
_DEEPEST = 6


def skills(found: OwnSkills, now: int, zone: str) -> dict[str, Any]:
    """The first page, as of *now* (microseconds UTC); times are shown in *zone*."""
    cards = [_card(number, one, zone) for number, one in enumerate(sorted(found.skills, key=_in_order), 1)]
    waiting = {one.about for one in found.asked if one.answer is None}
    return {
        "name": found.own.name,
        "today": written_day(day_of(now, zone)),
        "skills": [card | {"asked": card["about"] in waiting} for card in cards],
        "count": sum(card["state"] != "expired" for card in cards),
        "ended": sum(card["state"] == "expired" for card in cards),
        "next": _next(found.skills),
        "more": found.more,
        "badges": [_badge(one) for one in found.badges if one.state == ISSUED],
        "withdrawn": sum(one.state != ISSUED for one in found.badges),
        "questions": [_question(one, zone) for one in found.asked],
        "whole": WHOLE,
        "asked_whole": WHOLE in waiting,
        "comes_back": found.comes_back,
    }


def about(found: OwnSkills, id: str) -> Matter | None:
    """The thing *id* that a question is about; ``None`` if it is not on the learner's page."""
    if id == WHOLE:
        return Matter(id, "My record as a whole")
    chosen = next((one for one in found.skills if one.entry.competency.id == id), None)
    if chosen is None:
        return None
    sources = {proof.source for proof in chosen.award.evidence} if chosen.award else ()
    return Matter(id, f"{_label(chosen)}: {_level(chosen)}", tuple(sorted(sources)))


def roles(gap: Mapping[str, Any], words: Mapping[str, Mapping[int, str]]) -> dict[str, Any]:
    """What is missing for a role, from ``gap.gap``; *words* are the names of the levels of each competency."""
    return {
        "label": gap["role"]["label"],
        "match": None if gap["match"] is None else round(gap["match"]),
        "full": gap["full"],
        "required": 0 < gap["essentials"]["required"] == gap["essentials"]["met"],
        "requirements": [_requirement(one, words.get(one["competency"], {})) for one in gap["requirements"]],
    }


def sharing(found: Sequence[Sharing], now: int, zone: str) -> dict[str, Any]:
    """The services that see something, those that wait for a guardian, and those that saw something before."""
    shown = [_sharing(one, now, zone) for one in found if one.consents]
    waiting = [_waiting(one, zone) for one in found if one.waiting]
    return {
        "waiting": waiting,
        "services": [one for one in shown if one["sees"]],
        "before": [one for one in shown if not one["sees"]],
    }


def told(found: Sequence[ServiceTold], names: Mapping[str, str], zone: str, most: int) -> dict[str, Any]:
    """What services got, one line for each day, service and thing; *names* are those of services."""
    got = [(day_of(one.at, zone), one.service, ("sent " if one.sent else "asked ") + one.what) for one in found]
    lines = [
        {"day": written_day(day), "service": names.get(service, service), "what": what}
        for day, service, what in dict.fromkeys(got)
    ]
    return {"told": lines[:most], "is_whole": len(lines) <= most}


def part(found: OwnRecords) -> dict[str, Any]:
    """The records of one kind: fields and values, one level deeper for nested ones."""
    return {"kind": found.kind, "more": found.more, "records": [_lines(one) for one in found.records]}


def _lines(value: Any, depth: int = 0) -> list[tuple[int, str, str]]:
    """A JSON object or array as lines of depth, name and text."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value, 1)
    lines: list[tuple[int, str, str]] = []
    for name, one in pairs:
        if isinstance(one, dict | list):
            lines += [(depth, str(name), ""), *_lines(one, min(depth + 1, _DEEPEST))] if one else []
        elif one is not None and one != "":
            lines.append((depth, str(name), _text(one)))
    return lines


def _text(value: Any) -> str:
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode()
    return str(value).lower() if isinstance(value, bool) else str(value)


def moments(found: Iterable[int], zone: str) -> list[str]:
    """Times as people in *zone* write them."""
    return [written_moment(one, zone) for one in found]


def _in_order(one: Skill) -> tuple[int, date, str]:
    """What is held comes first, what expires first at the top; then what has ended."""
    entry = one.entry
    return (entry.state == "expired", entry.valid_until or date.max, _label(one).casefold())


def _card(number: int, one: Skill, zone: str) -> dict[str, Any]:
    entry, award = one.entry, one.award
    count = entry.evidence_count
    return {
        "number": number,
        "about": entry.competency.id,
        "label": _label(one),
        "level": _level(one),
        "of": _of(one),
        "description": entry.level.description or "",
        "state": entry.state,
        "since": written_day(entry.since),
        "until": written_day(entry.valid_until) if entry.valid_until else "",
        "review": written_moment(entry.review.until, zone) if entry.review else "",
        "proofs": [_proof(proof, one, zone) for proof in one.proofs],
        "count": count,
        "further": max(0, count - len(one.proofs)),
        "code": entry.competency.code,
        "framework": entry.competency.framework,
        "award": entry.award if award else "",
    }


def _label(one: Skill) -> str:
    return one.entry.competency.label or one.entry.competency.code


def _level(one: Skill) -> str:
    level = one.entry.level
    return level.label or level.code or str(level.ordinal)


def _of(one: Skill) -> str:
    """The place of the level in its scale, such as ``2 of 3``; empty if the scale is unknown."""
    scale = one.award.scale.levels if one.award else ()
    place = next((place for place, level in enumerate(scale, 1) if level.ordinal == one.entry.level.ordinal), 0)
    return f"{place} of {len(scale)}" if place and len(scale) > 1 else ""


def _proof(proof: Proof, one: Skill, zone: str) -> dict[str, Any]:
    told = one.seen.get(proof.statement)
    return {
        "activity": told.activity if told else "",
        "observers": told.observers if told else (),
        "observed": bool(told and told.observed),
        "source": proof.source,
        "when": written_result_time(proof.timestamp, zone),
        "statement": proof.statement,
    }


def _next(found: Iterable[Skill]) -> dict[str, str] | None:
    """The skill that expires next, and when."""
    ending = [(one.entry.valid_until, _label(one)) for one in found if one.entry.state != "expired"]
    until, label = min(((until, label) for until, label in ending if until), default=(None, ""))
    return {"label": label, "day": written_day(until)} if until else None


def _badge(one: OwnBadge) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "level": one.level,
        "description": one.description,
        "issuer": one.issuer,
        "since": written_day(one.awarded),
        "until": written_day(one.until),
        "page": one.page,
    }


def _question(one: Question, zone: str) -> dict[str, Any]:
    answer = one.answer
    return {
        "title": one.title,
        "text": one.text,
        "asked": written_moment(one.asked, zone),
        "answer": answer.text if answer else "",
        "answered": written_moment(answer.at, zone) if answer else "",
        "corrected": bool(answer and answer.corrected),
    }


def _requirement(one: Mapping[str, Any], words: Mapping[int, str]) -> dict[str, Any]:
    return {
        "label": one["label"] or one["competency"],
        "essential": one["essential"],
        "result": one["result"],
        "required": words.get(one["required"]) or one["required"],
        "level": words.get(one["level"]) or one["level"],
        "until": written_day(one["validUntil"]) if one["validUntil"] else "",
    }


def _sharing(one: Sharing, now: int, zone: str) -> dict[str, Any]:
    in_force = [each for each in one.consents if each.holds(now)]
    sees = one.seen is not None
    return {
        "id": one.service.id,
        "name": one.service.name,
        "purpose": (in_force or one.consents)[0].purpose,
        **_parts(each.scope for each in sorted(in_force, key=_profile_first)),
        "since": written_moment(min(each.given for each in in_force or one.consents), zone),
        "until": _until(in_force, zone),
        "ended": _ended(one.consents, now, zone),
        "sees": sees or bool(in_force),
        "closed": not one.service.active,
        "lacks_guardian": not any(each.holds(now, under_age=one.under_age) for each in in_force),
        "seen": one.seen,
    }


def _waiting(one: Sharing, zone: str) -> dict[str, Any]:
    """What the service of *one* would see if a guardian agreed, and when the learner agreed."""
    return {
        "id": one.service.id,
        "name": one.service.name,
        "purpose": one.waiting[0].purpose,
        **_parts(scope for link in one.waiting for scope in link.agreed),
        "since": written_moment(max(link.decided or 0 for link in one.waiting), zone),
    }


def _parts(scopes: Iterable[str]) -> dict[str, list[str]]:
    """What a service sees, and the parts that a learner can withdraw alone."""
    found = list(dict.fromkeys(scopes))
    return {"scopes": found, "optional": [one for one in found if one != PROFILES]}


def _profile_first(one: Consent) -> tuple[bool, str]:
    return (one.scope != PROFILES, one.scope)


def _until(in_force: Iterable[Consent], zone: str) -> str:
    ends = [one.expires for one in in_force if one.expires is not None]
    return written_moment(min(ends), zone) if ends else ""


def _ended(consents: Iterable[Consent], now: int, zone: str) -> str:
    """When the last of *consents* ended; empty if one is still in force."""
    ends = [min(end for end in (one.withdrawn, one.expires, now) if end is not None) for one in consents]
    return "" if any(one.holds(now) for one in consents) else written_moment(max(ends), zone)
