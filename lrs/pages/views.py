"""The data of the pages about learners for the templates. Pure: no store, no clock.

No value is markup; the templates escape every value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lrs.competency.explain import IN_REVIEW, EvidenceVerdict, LevelExplanation
from lrs.competency.shapes import ProfileEntry
from lrs.matching.consent.consent import Consent
from lrs.matching.services import BADGES, EVIDENCE, GAP, OUTCOMES, PROFILES, ROLES, Service
from lrs.matching.view import BadgeSummary
from lrs.pages.facts import LISTED, LearnerFacts
from lrs.pages.services_view import OF_EMPLOYER
from lrs.pages.states import mood, state_word
from lrs.pages.words import MAILS_SAID
from lrs.people.identifiers import ULN_HOME_PAGE
from lrs.people.search import Somebody
from lrs.web.dates import written_day, written_moment, written_period, written_result_time, written_timestamp
from lrs.web.listing import ListRow
from lrs.xapi.statements.identity import Identifier

EVIDENCE_SHOWN = 50
NO_NAME = "No name was told"
_SCOPES = {
    PROFILES: "Competencies, levels, dates and badges",
    EVIDENCE: "How much evidence stands behind each",
    BADGES: "The badges themselves",
    ROLES: "Roles",
    GAP: "What is missing for a role",
    OUTCOMES: "It tells us whether they were shortlisted or hired",
}


def learner(facts: LearnerFacts, now: int, zone: str, called: Callable[[str], str]) -> dict[str, Any]:
    """The page about one learner, as of *now* (microseconds UTC); times are shown in *zone*.

    *called* gives the name of an activity.
    """
    answers = sorted(facts.explanation.answers, key=lambda one: (one.code, -_ordinal(one)))
    places = {(one.competency, _ordinal(one)): number for number, one in enumerate(answers, 1)}
    consents = sorted((_consent(one, facts.services, now, zone) for one in facts.consents), key=_consents_first)
    return {
        "person": facts.members[0] if facts.members else None,
        "name": _title(facts),
        "held": sorted((_held(one, places, zone) for one in facts.held), key=lambda one: (one["code"], one["label"])),
        "answers": [_answer(number, one, zone, called) for number, one in enumerate(answers, 1)],
        "most_badges": LISTED,
        "badges": [_badge(id, one, facts.stopped.get(id, one.state)) for id, one in sorted(facts.badges, key=_by_name)],
        "consents": consents,
        "in_force": sum(one["holds"] for one in consents),
        "persons": [_person(id, facts.identifiers[id], first=n == 0) for n, id in enumerate(facts.members)],
        "suggestions": [_suggestion(one) for one in facts.suggestions],
        "deliveries": [delivery_shown(one, zone) for one in facts.deliveries],
        "sign_in": _sign_in(facts, zone),
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


def known_by(ifis: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """By what somebody is known, in the one order of every page: addresses first, then by their letters."""
    shown = sorted((sort != "E-mail", text) for sort, text in map(identifier_shown, ifis))
    return tuple(text for _, text in shown)


def addresses_of(facts: LearnerFacts) -> list[str]:
    """The e-mail addresses by which a learner is known, so far as they may be seen."""
    every = (identifier_shown(one.ifi) for group in facts.identifiers.values() for one in group)
    return sorted({text for sort, text in every if sort == "E-mail"})


def searched_row(one: Somebody, root: str) -> ListRow:
    """Somebody who was found outside the list, as a row of it."""
    known = tuple(identifier_shown(ifi)[1] for ifi in one.identifiers)
    values = {"name": one.name, "known": known, "until": None, "ends": ""}
    values |= dict.fromkeys(("skill", "level", "provider", "lacks", "held"), ())
    return ListRow(values, {"name": one.name or NO_NAME}, {"name": f"{root}/staff/learners/{one.person}"})


def delivery_shown(one: Mapping[str, Any], zone: str) -> dict[str, Any]:
    """A delivery as pages show it."""
    state = str(one["state"])
    return {
        "what": MAILS_SAID.get(one["what"], one["what"]),
        "to": one["called"],
        "when": written_timestamp(str(one["queued"]), zone),
        "state": state_word(state),
        "mood": {"delivered": "good", "dead": "bad"}.get(state, ""),
        "reason": one["reason"] or "",
    }


def _sign_in(facts: LearnerFacts, zone: str) -> dict[str, Any]:
    account = facts.account
    return {
        "has_account": account is not None,
        "addresses": account.addresses if account else (),
        "logins": [one.issuer for one in account.logins] if account else (),
        "sessions": [
            {"since": written_moment(one.opened, zone), "seen": written_moment(one.seen, zone), "browser": one.browser}
            for one in facts.sessions
        ],
    }


def _title(facts: LearnerFacts) -> str:
    """What a person would recognise: a name, otherwise an e-mail address, otherwise another identifier."""
    if facts.explanation.name:
        return facts.explanation.name
    return next(iter(known_by(one.ifi for group in facts.identifiers.values() for one in group)), "Nobody we know")


def _ordinal(answer: LevelExplanation) -> int:
    return int(answer.level.partition(" ")[0])


def _held(one: ProfileEntry, places: Mapping[tuple[str, int], int], zone: str) -> dict[str, Any]:
    level = one.level
    state = state_word(one.state)
    return {
        "code": one.competency.code,
        "label": one.competency.label or one.competency.id,
        "level": f"{level.ordinal} {level.label}".strip(),
        "state": f"{state}; may change or end after {written_moment(one.review.until, zone)}" if one.review else state,
        "mood": "warn" if one.review else mood(one.state),
        "since": written_day(one.since),
        "until": written_day(one.valid_until) if one.valid_until else "No end",
        "why": places.get((one.competency.id, level.ordinal)),
        "evidence": f"{one.evidence_count} {'piece' if one.evidence_count == 1 else 'pieces'} of evidence",
    }


def _answer(number: int, one: LevelExplanation, zone: str, called: Callable[[str], str]) -> dict[str, Any]:
    newest = sorted(one.evidence, key=lambda finding: finding.timestamp, reverse=True)
    return {
        "number": number,
        "title": f"{one.code} {one.label}: level {one.level}",
        "awards": [_award(award, zone) for award in one.awards],
        "evidence": [_finding(finding, zone, called) for finding in newest[:EVIDENCE_SHOWN]],
        "more": max(0, len(newest) - EVIDENCE_SHOWN),
        "counted": sum(finding.counted for finding in newest),
    }


def _award(award: Mapping[str, Any], zone: str) -> str:
    until = f" until {written_day(award['valid_until'])}" if award["valid_until"] else ", no end"
    told = f"{state_word(award['state'])}: from {written_day(award['held_from'])}{until}"
    if "valid_for" in award:
        told = f"{told}, which is {written_period(award['valid_for'])} from {written_day(award['valid_since'])} on"
    if award["state"] != IN_REVIEW:
        return told
    ends = written_moment(award["review_until"], zone)
    return f"{told}. So until {ends}; after that it may change or end, because {award['because']}"


def _finding(one: EvidenceVerdict, zone: str, called: Callable[[str], str]) -> dict[str, Any]:
    asked = "" if one.threshold is None else f" (asked: {one.threshold:g}\N{NO-BREAK SPACE}%)"
    return {
        "when": written_result_time(one.timestamp, zone),
        "statement": one.statement,
        "source": one.source,
        "activity": one.activity,
        "name": called(one.activity),
        "score": "No score" if one.score is None else f"{one.score:g}\N{NO-BREAK SPACE}%{asked}",
        "counted": one.counted,
        "verdict": "Counts" if one.counted else f"Does not count: {one.reason}",
    }


def _by_name(badge: tuple[str, BadgeSummary]) -> str:
    """The order of badges on every page; those of one name stay as they are, the newest first."""
    _, one = badge
    return (one.name or one.id).casefold()


def _badge(id: str, one: BadgeSummary, state: str) -> dict[str, Any]:
    return {
        "id": id,
        "name": one.name or one.id,
        "is": state,
        "state": state_word(state),
        "mood": mood(state),
        "since": written_day(one.valid_from or ""),
        "until": written_day(one.valid_until) if one.valid_until else "No end",
    }


def _consent(one: Consent, known: Mapping[str, Service], now: int, zone: str) -> dict[str, Any]:
    service = known.get(one.service)
    holds = one.holds(now)
    ended = f"Withdrawn {written_moment(one.withdrawn, zone)}" if one.withdrawn is not None else "Ended by itself"
    until = f" until {written_moment(one.expires, zone)}" if one.expires is not None else " until withdrawn"
    return {
        "service": one.service,
        "name": service.name if service else one.service,
        "scope": one.scope,
        "sees": OF_EMPLOYER if service and service.employer else _SCOPES.get(one.scope, one.scope),
        "purpose": one.purpose,
        "given": written_moment(one.given, zone),
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
