"""The data of a learner's own pages for the templates. Pure: no store, no clock, no markup."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from lrs.competency.dates import day_of
from lrs.competency.shapes import Proof
from lrs.kernel.times import DAY
from lrs.matching.consent.consent import Consent
from lrs.matching.services import PROFILES
from lrs.matching.view import ISSUED
from lrs.pages.me.badges import GoneBadge, OwnBadge, SharedBadge
from lrs.pages.me.facts import OwnSkills, ServiceTold, Sharing, Skill
from lrs.people.questions import Matter, Question
from lrs.web.dates import Dates

WHOLE = "record"
"""The subject of a question that is not about a skill."""
NEWS = 14 * DAY
"""For how long an answer is announced at the top of the first page."""


def skills(found: OwnSkills, now: int, dates: Dates) -> dict[str, Any]:
    """The first page, as of *now* (microseconds UTC); *dates* writes days and times."""
    cards = [_card(number, one, dates) for number, one in enumerate(sorted(found.skills, key=_in_order), 1)]
    waiting = {one.about for one in found.asked if one.answer is None}
    return {
        "name": found.own.name,
        "today": dates.day(day_of(now, dates.zone)),
        "skills": [card | {"asked": card["about"] in waiting} for card in cards],
        "count": sum(card["state"] != "expired" for card in cards),
        "ended": sum(card["state"] == "expired" for card in cards),
        "next": _next(found.skills, dates),
        "more": found.more,
        "questions": [_question(one, now, dates) for one in found.asked],
        "whole": WHOLE,
        "asked_whole": WHOLE in waiting,
        "comes_back": found.comes_back,
    }


def badges_of(
    found: Sequence[OwnBadge], gone: Mapping[str, GoneBadge], lower: Collection[str], dates: Dates
) -> dict[str, Any]:
    """The badges that count, and those that do not, with why: by name, as everywhere, and the newest of a name first.

    One that was stopped a moment ago is *gone* already. Those *lower* (ids) are for a lower level than the one held.
    """
    ordered = sorted(found, key=lambda one: one.name.casefold())
    over = [one for one in ordered if one.state != ISSUED or gone[one.id].is_stopped]
    counting = [one for one in ordered if one not in over]
    return {
        "badges": [_badge(one, dates) for one in counting if one.id not in lower],
        "lower_badges": [_badge(one, dates) for one in counting if one.id in lower],
        "gone_badges": [_badge(one, dates) | _why_gone(gone[one.id], dates) for one in over],
    }


def with_badges(
    cards: Iterable[Mapping[str, Any]], badges: Iterable[Mapping[str, Any]], of_award: Callable[[str], str]
) -> list[dict[str, Any]]:
    """*cards* of skills, each with the id of its badge, empty if it is none of the *badges*, which count."""
    there = {one["id"] for one in badges}
    named = [(card, of_award(card["award"])) for card in cards]
    return [{**card, "badge": badge if badge in there else ""} for card, badge in named]


def _why_gone(one: GoneBadge, dates: Dates) -> dict[str, Any]:
    return {
        "is_suspended": one.is_suspended,
        "reason": one.reason,
        "gone_on": dates.day(day_of(one.at, dates.zone)) if one.at else "",
        "is_shared": one.is_shared,
        "has_code": one.has_code,
    }


def shared_badge(one: SharedBadge, dates: Dates) -> dict[str, Any]:
    """A badge that is shown to whoever has its address."""
    since = dates.day(day_of(one.at, dates.zone))
    return {"id": one.id, "name": one.name, "address": one.address, "since": since, "holder": one.holder}


def about(found: OwnSkills, id: str) -> Matter | None:
    """The thing *id* that a question is about; ``None`` if it is not on the learner's page."""
    if id == WHOLE:
        return Matter(id, "My record as a whole")
    chosen = next((one for one in found.skills if one.entry.competency.id == id), None)
    if chosen is None:
        return None
    sources = {proof.source for proof in chosen.award.evidence} if chosen.award else ()
    return Matter(id, f"{_label(chosen)}: {_level(chosen)}", tuple(sorted(sources)))


def sharing(found: Sequence[Sharing], now: int, dates: Dates) -> dict[str, Any]:
    """The services that see something, those that wait for a guardian, and those that saw something before."""
    shown = [_sharing(one, now, dates) for one in found if one.consents]
    waiting = [_waiting(one, dates) for one in found if one.waiting]
    return {
        "waiting": waiting,
        "services": [one for one in shown if one["sees"]],
        "before": [one for one in shown if not one["sees"]],
    }


def told(found: Sequence[ServiceTold], names: Mapping[str, str], dates: Dates, most: int) -> dict[str, Any]:
    """What services got, one line for each day, service and thing; *names* are those of services."""
    got = [(day_of(one.at, dates.zone), one.service, ("sent " if one.sent else "asked ") + one.what) for one in found]
    lines = [
        {"day": dates.day(day), "service": names.get(service, service), "what": what}
        for day, service, what in dict.fromkeys(got)
    ]
    return {"told": lines[:most], "is_whole": len(lines) <= most}


def moments(found: Iterable[int], dates: Dates) -> list[str]:
    """Times as people write them."""
    return [dates.moment(one) for one in found]


def _in_order(one: Skill) -> tuple[int, date, str]:
    """What is held comes first, what expires first at the top; then what has ended."""
    entry = one.entry
    return (entry.state == "expired", entry.valid_until or date.max, _label(one).casefold())


def _card(number: int, one: Skill, dates: Dates) -> dict[str, Any]:
    entry, award = one.entry, one.award
    count = entry.evidence_count
    return {
        "number": number,
        "about": entry.competency.id,
        "label": _label(one),
        "level": _level(one),
        "scale": _scale(one),
        "place": _place(one),
        "description": entry.level.description or "",
        "state": entry.state,
        "since": dates.day(entry.since),
        "until": dates.day(entry.valid_until) if entry.valid_until else "",
        "ends": {"period": dates.period(one.ending.valid_for), "since": dates.day(one.ending.since)}
        if one.ending and not entry.review
        else None,
        "review": dates.moment(entry.review.until) if entry.review else "",
        "proofs": [_proof(proof, one, dates) for proof in one.proofs],
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


def _scale(one: Skill) -> list[tuple[str, bool]]:
    """The names of all levels in their order, and which one is held; empty if one has none, or there is only one."""
    levels = one.award.scale.levels if one.award else ()
    named = [(level.label, level.ordinal == one.entry.level.ordinal) for level in levels]
    return named if len(named) > 1 and all(label for label, _ in named) else []


def _place(one: Skill) -> tuple[int, int]:
    """The place of the level in its scale, from 1, and how many levels there are; zeros if the scale is unknown."""
    levels = one.award.scale.levels if one.award else ()
    place = next((place for place, level in enumerate(levels, 1) if level.ordinal == one.entry.level.ordinal), 0)
    return (place, len(levels)) if place and len(levels) > 1 else (0, 0)


def _proof(proof: Proof, one: Skill, dates: Dates) -> dict[str, Any]:
    told = one.seen.get(proof.statement)
    return {
        "activity": told.activity if told else "",
        "observers": told.observers if told else (),
        "observed": bool(told and told.observed),
        "source": proof.source,
        "when": dates.result_time(proof.timestamp),
        "statement": proof.statement,
    }


def _next(found: Iterable[Skill], dates: Dates) -> dict[str, str] | None:
    """The skill that expires next, and when."""
    ending = [(one.entry.valid_until, _label(one)) for one in found if one.entry.state != "expired"]
    until, label = min(((until, label) for until, label in ending if until), default=(None, ""))
    return {"label": label, "day": dates.day(until)} if until else None


def _badge(one: OwnBadge, dates: Dates) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "level": one.level,
        "description": one.description,
        "issuer": one.issuer,
        "since": dates.day(one.awarded),
        "copy_from": dates.day(one.signed) if one.signed[:10] != one.awarded[:10] else "",
        "until": dates.day(one.until),
        "page": one.page,
    }


def _question(one: Question, now: int, dates: Dates) -> dict[str, Any]:
    answer = one.answer
    return {
        "title": one.title,
        "is_whole": one.about == WHOLE,
        "text": one.text,
        "asked": dates.moment(one.asked),
        "answer": answer.text if answer else "",
        "answered": dates.moment(answer.at) if answer else "",
        "is_news": bool(answer and now - answer.at < NEWS),
        "corrected": bool(answer and answer.corrected),
    }


def _sharing(one: Sharing, now: int, dates: Dates) -> dict[str, Any]:
    in_force = [each for each in one.consents if each.holds(now)]
    sees = one.seen is not None
    return {
        "id": one.service.id,
        "name": one.service.name,
        "purpose": (in_force or one.consents)[0].purpose,
        **_parts(each.scope for each in sorted(in_force, key=_profile_first)),
        "since": dates.moment(min(each.given for each in in_force or one.consents)),
        "until": _until(in_force, dates),
        "spans": spans(one.consents, now, dates),
        "sees": sees or bool(in_force),
        "closed": not one.service.active,
        "employer": one.service.employer,
        "lacks_guardian": not any(each.holds(now, under_age=one.under_age) for each in in_force),
        "seen": one.seen,
    }


def _waiting(one: Sharing, dates: Dates) -> dict[str, Any]:
    """What the service of *one* would see if a guardian agreed, and when the learner agreed."""
    return {
        "id": one.service.id,
        "name": one.service.name,
        "purpose": one.waiting[0].purpose,
        "employer": one.service.employer,
        **_parts(scope for link in one.waiting for scope in link.agreed),
        "since": dates.moment(max(link.decided or 0 for link in one.waiting)),
    }


def _parts(scopes: Iterable[str]) -> dict[str, list[str]]:
    """What a service sees, and the parts that a learner can withdraw alone."""
    found = list(dict.fromkeys(scopes))
    return {"scopes": found, "optional": [one for one in found if one != PROFILES]}


def _profile_first(one: Consent) -> tuple[bool, str]:
    return (one.scope != PROFILES, one.scope)


def _until(in_force: Iterable[Consent], dates: Dates) -> str:
    ends = [one.expires for one in in_force if one.expires is not None]
    return dates.moment(min(ends)) if ends else ""


def spans(consents: Iterable[Consent], now: int, dates: Dates) -> list[dict[str, Any]]:
    """The times for which *consents* hold or held, each once, with what was seen then; the newest first.

    *ended* is empty for one that goes on.
    """
    found: dict[tuple[int, int], list[str]] = {}
    for one in sorted(consents, key=_profile_first):
        over = [end for end in (one.withdrawn, one.expires) if end is not None and end <= now]
        found.setdefault((one.given, min(over, default=0)), []).append(one.scope)
    return [
        {"since": dates.moment(since), "ended": dates.moment(ended) if ended else "", "scopes": scopes}
        for (since, ended), scopes in sorted(found.items(), reverse=True)
    ]
