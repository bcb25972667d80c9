"""The data of the pages about learners, as plain values for the templates. Pure: no store, no clock.

Nothing here is markup; the templates escape every value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lrs.competency.explain import IN_REVIEW, Answer, Finding
from lrs.competency.shapes import ProfileEntry
from lrs.matching.consent import Consent
from lrs.matching.services import BADGES, EVIDENCE, GAP, PROFILES, ROLES, Service
from lrs.matching.view import Badge
from lrs.pages.facts import LearnerFacts
from lrs.pages.states import mood, state_word
from lrs.pages.words import moment, moment_of
from lrs.people.identifiers import ULN_HOME_PAGE
from lrs.people.search import Search
from lrs.xapi.statements.identity import Identifier

EVIDENCE_SHOWN = 50
_SCOPES = {
    PROFILES: "Competencies, levels, dates and badges",
    EVIDENCE: "How much evidence stands behind each",
    BADGES: "The badges themselves",
    ROLES: "Roles",
    GAP: "What is missing for a role",
}


def learner(facts: LearnerFacts, now: int, zone: str) -> dict[str, Any]:
    """The page about one learner, as of *now* (microseconds UTC); times are shown in *zone*."""
    answers = sorted(facts.explanation.answers, key=lambda one: (one.code, -_ordinal(one)))
    places = {(one.competency, _ordinal(one)): number for number, one in enumerate(answers, 1)}
    consents = sorted((_consent(one, facts.services, now, zone) for one in facts.consents), key=_consents_first)
    return {
        "person": facts.members[0] if facts.members else None,
        "name": _title(facts),
        "held": sorted((_held(one, places, zone) for one in facts.held), key=lambda one: (one["code"], one["label"])),
        "answers": [_answer(number, one, zone) for number, one in enumerate(answers, 1)],
        "badges": sorted((_badge(id, one) for id, one in facts.badges), key=lambda one: (one["name"], one["since"])),
        "consents": consents,
        "in_force": sum(one["holds"] for one in consents),
        "persons": [_person(id, facts.identifiers[id], first=n == 0) for n, id in enumerate(facts.members)],
        "suggestions": [_suggestion(one) for one in facts.suggestions],
    }


def identifier_shown(ifi: Mapping[str, Any]) -> tuple[str, str]:
    """What sort of identifier *ifi* is, in words, and the identifier."""
    if "mbox" in ifi:
        return "E-mail", str(ifi["mbox"]).removeprefix("mailto:")
    if "mbox_sha1sum" in ifi:
        return "E-mail (only its hash is known)", str(ifi["mbox_sha1sum"])
    if "openid" in ifi:
        return "OpenID", str(ifi["openid"])
    account = ifi["account"]
    if account["homePage"] == ULN_HOME_PAGE:
        return "Learner number (ULN)", str(account["name"])
    return f"Account at {account['homePage']}", str(account["name"])


def searched(search: Search) -> dict[str, Any]:
    """Who was found, for the page that lists them."""
    people = [
        {
            "person": one.person,
            "name": one.name or "",
            "identifiers": [" ".join(reversed(identifier_shown(ifi))) for ifi in one.identifiers],
        }
        for one in search.found
    ]
    return {"people": people, "whole": search.whole}


def _title(facts: LearnerFacts) -> str:
    """What a person would recognise: a name, then an e-mail address before any other identifier."""
    if facts.explanation.name:
        return facts.explanation.name
    known = [identifier_shown(one.ifi) for group in facts.identifiers.values() for one in group]
    mailboxes = [text for sort, text in known if sort == "E-mail"]
    return next(iter(mailboxes or [text for _, text in known]), "Nobody we know")


def _ordinal(answer: Answer) -> int:
    return int(answer.level.partition(" ")[0])


def _held(one: ProfileEntry, places: Mapping[tuple[str, int], int], zone: str) -> dict[str, Any]:
    level = one.level
    state = state_word(one.state)
    return {
        "code": one.competency.code,
        "label": one.competency.label or one.competency.id,
        "level": f"{level.ordinal} {level.label}".strip(),
        "state": f"{state}, in review until {moment(one.review.until, zone)}" if one.review else state,
        "mood": "warn" if one.review else mood(one.state),
        "since": one.since.isoformat(),
        "until": one.valid_until.isoformat() if one.valid_until else "No end",
        "why": places.get((one.competency.id, level.ordinal)),
        "evidence": f"{one.evidence_count} {'piece' if one.evidence_count == 1 else 'pieces'} of evidence",
    }


def _answer(number: int, one: Answer, zone: str) -> dict[str, Any]:
    newest = sorted(one.evidence, key=lambda finding: finding.timestamp, reverse=True)
    return {
        "number": number,
        "title": f"{one.code} {one.label}: level {one.level}",
        "awards": [_award(award, zone) for award in one.awards],
        "evidence": [_finding(finding, zone) for finding in newest[:EVIDENCE_SHOWN]],
        "more": max(0, len(newest) - EVIDENCE_SHOWN),
        "counted": sum(finding.counted for finding in newest),
    }


def _award(award: Mapping[str, Any], zone: str) -> str:
    until = f" until {award['valid_until']}" if award["valid_until"] else ", no end"
    told = f"{state_word(award['state'])}: from {award['held_from']}{until}"
    if award["state"] != IN_REVIEW:
        return told
    return f"{told}. Valid until {moment(award['review_until'], zone)}, because {award['because']}"


def _finding(one: Finding, zone: str) -> dict[str, Any]:
    asked = "" if one.threshold is None else f" (asked: {one.threshold:g}\N{NO-BREAK SPACE}%)"
    return {
        "when": moment_of(one.timestamp, zone),
        "statement": one.statement,
        "source": one.source,
        "activity": one.activity,
        "score": "No score" if one.score is None else f"{one.score:g}\N{NO-BREAK SPACE}%{asked}",
        "counted": one.counted,
        "verdict": "Counts" if one.counted else f"Does not count: {one.reason}",
    }


def _badge(id: str, one: Badge) -> dict[str, Any]:
    return {
        "id": id,
        "name": one.name or one.id,
        "state": state_word(one.state),
        "mood": mood(one.state),
        "since": (one.valid_from or "")[:10],
        "until": (one.valid_until or "")[:10] or "No end",
    }


def _consent(one: Consent, known: Mapping[str, Service], now: int, zone: str) -> dict[str, Any]:
    service = known.get(one.service)
    holds = one.holds(now)
    ended = f"Withdrawn {moment(one.withdrawn, zone)}" if one.withdrawn is not None else "Ended by itself"
    until = f" until {moment(one.expires, zone)}" if one.expires is not None else " until withdrawn"
    return {
        "service": one.service,
        "name": service.name if service else one.service,
        "scope": one.scope,
        "sees": _SCOPES.get(one.scope, one.scope),
        "purpose": one.purpose,
        "given": moment(one.given, zone),
        "how": "by link" if one.how == "link" else "written down by an operator",
        "holds": holds,
        "carries": one.scope == PROFILES,
        "state": f"Given{until}" if holds else ended,
    }


def _consents_first(one: Mapping[str, Any]) -> tuple[bool, str, str]:
    return (not one["holds"], one["name"], one["scope"])


def _person(id: str, identifiers: Iterable[Identifier], *, first: bool) -> dict[str, Any]:
    shown = [identifier_shown(one.ifi) for one in identifiers]
    return {"id": id, "first": first, "identifiers": [{"sort": sort, "text": text} for sort, text in shown]}


def _suggestion(one: Mapping[str, Any]) -> dict[str, Any]:
    sides = [{"person": side["person"], "is": identifier_shown(side["identifier"])} for side in one["persons"]]
    return {"sides": sides, "reason": one["reason"], "source": one["source"], "conflict": one["conflict"]}
