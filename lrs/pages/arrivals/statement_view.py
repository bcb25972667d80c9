"""What the page of one statement shows, as plain values. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

import msgspec

from lrs.competency.rules.in_force import InForce
from lrs.pages.arrivals.following import Followed, HeldLevel
from lrs.pages.arrivals.outcomes import NO_RULE, StatementOutcome, level_named
from lrs.pages.arrivals.view import outcome_said
from lrs.pages.states import mood, state_word
from lrs.pages.told import StatementTold
from lrs.pages.views import delivery_shown
from lrs.storage import Record, micros_of
from lrs.web.dates import written_day, written_moment, written_result_time

_RULES = ("/staff/rules", "POST")
LONGEST = 100_000
"""Characters of a statement that are shown."""


def statement(
    record: Record,
    one: StatementTold,
    outcome: StatementOutcome,
    found: Iterable[Followed],
    rules: InForce,
    *,
    root: str,
    zone: str,
    sees: Callable[..., bool],
) -> dict[str, Any]:
    """The statement in *record*. *sees* says whether the reader may open the page at a pattern."""
    text = _pretty(record.body)
    return {
        "source": str(record.meta.get("source", "")),
        "id": record.id,
        "who": one.who,
        "did": one.did,
        "what": one.what,
        "known": [pair for pair in ((one.sort, one.known), ("Verb", one.verb), ("Activity", one.activity)) if pair[1]],
        "facts": [
            *([("Result", one.result.said)] if one.result.said else []),
            ("Received", written_moment(micros_of(record.seq), zone)),
            ("Happened", written_result_time(one.timestamp, zone) or "Not told"),
            ("Version of xAPI", str(record.meta.get("version", ""))),
        ],
        "outcome": outcome_said(outcome, rules),
        "state": outcome.state,
        "to_rule": _to_rule(record, one, root) if outcome.state == NO_RULE and sees(*_RULES) else "",
        "followed": [_followed(each, rules, root, zone, sees) for each in found],
        "text": text[:LONGEST],
        "is_cut": len(text) > LONGEST,
    }


def _to_rule(record: Record, one: StatementTold, root: str) -> str:
    """Where a row for the table of rules is made that is about the activity of the statement."""
    asked = {"source": str(record.meta.get("source", "")), "activity": one.activity, "verb": one.verb}
    return f"{root}/staff/rules/ready.csv?{urlencode(asked)}" if one.activity else ""


def _followed(one: Followed, rules: InForce, root: str, zone: str, sees: Callable[..., bool]) -> dict[str, Any]:
    evidence = one.verdict.evidence
    score = "" if evidence.score is None else f"{evidence.score:g}\N{NO-BREAK SPACE}%"
    asked = one.verdict.rule.threshold
    may_read = bool(one.person) and sees("/staff/learners/{person}")
    return {
        "level": level_named(rules, one.verdict.rule),
        "counts": one.verdict.reason is None,
        "reason": one.verdict.reason or "",
        "score": f"{score} (asked: {asked:g}\N{NO-BREAK SPACE}%)" if score and asked is not None else score,
        "learner": f"{root}/staff/learners/{one.person}" if may_read else "",
        "levels": [_level(level, root, sees) for level in one.levels],
        "deliveries": [delivery_shown(delivery, zone) for delivery in one.deliveries],
    }


def _level(one: HeldLevel, root: str, sees: Callable[..., bool]) -> dict[str, Any]:
    award = one.award
    until = f" until {written_day(award.valid_until)}" if award.valid_until else ", no end"
    badge = one.badge[1] if one.badge else None
    return {
        "text": f"{state_word(award.state)}: from {written_day(award.held_from)}{until}",
        "mood": mood(award.state),
        "is_cited": one.is_cited,
        "badge": (badge.name or badge.id) if badge else "",
        "badge_state": state_word(badge.state) if badge else "",
        "badge_address": f"{root}/pages/badges/{one.badge[0]}" if one.badge and sees("/pages/badges/{id}") else "",
    }


def _pretty(body: bytes) -> str:
    """*body* with one member on each line; every value keeps its text."""
    try:
        return msgspec.json.format(body, indent=2).decode()
    except msgspec.MsgspecError:
        return body.decode("utf-8", "replace")
