"""The data of the page about work. Pure: no store, no clock. No value is markup; the template escapes every value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from lrs.competency.rules.unmatched import Unmatched
from lrs.kernel.plain_text import capital
from lrs.kernel.times import MINUTE
from lrs.matching.services import Service
from lrs.outbox import deliveries
from lrs.outbox.listing import DestinationStatus, state_since
from lrs.pages.facts import EntryNames, Run, WorkFacts
from lrs.pages.services_view import sees
from lrs.pages.states import mood, state_word
from lrs.pages.words import MAILS_SAID, lasting
from lrs.storage import Backlog, Owed, Record
from lrs.web.dates import written_moment, written_timestamp

WAITING_SHOWN = 10
PAIRS_SHOWN = 10
LATE = MINUTE
"""Lag in microseconds from which the page says that work is behind; ``lrs doctor`` uses the same limit."""
STEPS = {
    "refs": "Follow references between statements",
    "rename": "Give identifiers of an earlier version their ids",
    "match": "Read statements by the rules",
    "evaluate": "Work out what people hold",
    "list": "Bring the list of learners up to date",
    "issue": "Sign and revoke badges",
    "publish": "Publish which badges are revoked",
    "rotate": "Let the next key sign badges",
    "reissue": "Find the badges that a compromised key signed",
    "resync": "Tell a service that was taken back everything once more",
    "sync": "See what services must be told",
    "deliver": "Send it to them",
    "import": "Bring in files of providers",
    "import-files": "Let go of files of imports",
    "weigh": "See what rules would change, and put them in force",
    "reword": "Issue badges anew with other words",
    "repicture": "Give badges an image that was changed",
    "plan": "Work out the numbers of planning",
    "abandon": "Close launches that broke off",
    "lti-score": "Send results to the gradebooks of platforms",
    "lti-roster": "Read the rosters of platforms",
}
"""What each step of the work does, in words."""
ROWS_SAID = {
    "updated": "changed",
    "unchanged": "known already",
    "skipped": "left out",
    "quarantined": "to repair",
    "error": "to repair",
}
"""What became of the rows of a file, in the words of its own page."""


def work(facts: WorkFacts, now: int, zone: str) -> dict[str, Any]:
    """The page about what waits, what failed and what came in, as of *now*."""
    parked = [
        _entry(record, owed, facts.names) | {"waiting": facts.undone(owed.step, record.kind)}
        for record, owed in facts.parked
        if record.kind != deliveries.KIND
    ]
    given_up = Counter(str(one["to"]) for one in facts.failed)
    return {
        "steps": [_step(one, now, zone) for one in facts.backlog],
        "failing": [
            _entry(record, owed, facts.names) | {"due": written_moment(owed.due, zone)}
            for record, owed in facts.failing
        ],
        "parked": parked,
        "failed": [_failed(one, facts.destinations, zone) for one in facts.failed],
        "destinations": [
            _destination(one, now, zone) | {"failed": given_up[one.destination.id]} for one in facts.destinations
        ],
        "imports": [_import(one, zone) for one in facts.imports],
        "services": [_service(one) for one in facts.services],
        "rules": facts.rules,
        "looked_at": facts.looked_at,
        "unmatched": sum(one.count for one in facts.unmatched),
        "pairs": [_pair(one) for one in facts.unmatched],
        "pairs_shown": PAIRS_SHOWN,
        "trouble": needing(facts, now),
        "late": [STEPS.get(one.step, one.step) for one in facts.backlog if one.lag(now) > LATE],
    }


def needing(facts: WorkFacts, now: int) -> int:
    """How much of that page needs somebody, as it says on top: not what failed and is tried again by itself."""
    shown = sum(one.parked for one in facts.backlog) + sum(not one.active for one in facts.services)
    late = sum(one.lag(now) > LATE for one in facts.backlog)
    return shown + late + sum(bool(one.waiting) for one in facts.imports)


def _pair(one: Unmatched) -> dict[str, Any]:
    return {
        "activity": one.activity,
        "name": one.name or "",
        "verb": one.verb,
        "count": one.count,
        "attempts": len(one.attempts),
    }


def _step(one: Backlog, now: int, zone: str) -> dict[str, Any]:
    is_later = one.oldest_due is not None and one.oldest_due > now
    return {
        "name": one.step,
        "does": STEPS.get(one.step, one.step),
        "waiting": 0 if is_later else one.waiting,
        "parked": one.parked,
        "lag": _lag(one, now, zone),
    }


def _lag(one: Backlog, now: int, zone: str) -> str:
    """How long the oldest entry has been due, or for when it is planned. An entry that is due at once has no time."""
    oldest = one.oldest_due
    if oldest is None:
        return "Nothing waits"
    if oldest > now:
        return f"Nothing now; {one.waiting:,} planned for later, the first for {written_moment(oldest, zone)}"
    return f"{lasting(now - oldest)} behind" if oldest else "Due now"


def _entry(record: Record, owed: Owed, names: Mapping[str, EntryNames]) -> dict[str, Any]:
    about = names.get(record.id, EntryNames())
    return {
        "person": about.person,
        "learner": about.name or ("a learner without a name" if about.person else ""),
        "to": about.to,
        "step": owed.step,
        "does": STEPS.get(owed.step, owed.step),
        "kind": record.kind,
        "id": record.id,
        "tries": owed.tries,
        "reason": owed.error or "No reason was kept",
    }


def _failed(one: Mapping[str, Any], destinations: Iterable[DestinationStatus], zone: str) -> dict[str, Any]:
    """A delivery that was given up on; *called* and *said* are where it was to go and what it is, in words."""
    called = {known.destination.id: known.called for known in destinations}
    return {
        **one,
        "reason": one.get("reason") or "No reason was kept",
        "when": written_timestamp(one["queued"], zone),
        "called": called.get(one["to"], one["to"]),
        "said": MAILS_SAID.get(one["what"], one["what"]),
    }


def _destination(one: DestinationStatus, now: int, zone: str) -> dict[str, Any]:
    changed = one.destination.changed
    since = None if one.active or changed is None else written_moment(changed, zone)
    return {
        "to": one.destination.id,
        "called": one.called,
        "page": one.page,
        "channel": one.destination.channel,
        "state": state_since(state_word(one.destination.state), since),
        "mood": mood(one.destination.state),
        "reason": one.destination.reason or "",
        "resume": "" if one.active else one.resume,
        "waiting": "" if one.waiting is None else one.waiting,
        "lag": "Nothing waits" if one.since is None else f"{lasting(max(0, now - one.since))} behind",
    }


def _import(one: Run, zone: str) -> dict[str, Any]:
    told = Counter[str]()
    for what, count in one.counts.items():
        told[ROWS_SAID.get(what, what)] += count
    counts = ", ".join(f"{count:,} {what}" for what, count in told.items() if count)
    return {
        "adapter": one.adapter,
        "provider": one.provider,
        "file": one.file,
        "when": written_timestamp(one.at, zone),
        "counts": counts or ("No rows" if one.state == "done" else capital(one.state)),
        "reason": one.reason,
        "waiting": [_row(row) for row in one.waiting[:WAITING_SHOWN]],
        "more": max(0, len(one.waiting) - WAITING_SHOWN),
    }


def _row(row: Mapping[str, Any]) -> str:
    where = f"{row.get('sheet') or ''} row {row.get('row', '?')}".strip()
    column = f", column {row['column']}" if row.get("column") else ""
    return f"{where}{column}: {row.get('reason', '')}"


def _told(one: Service) -> str:
    """Where a service is told what is new, in words."""
    return one.webhook or f"Nowhere: it {'looks at its page here' if one.employer else 'asks by itself'}"


def _service(one: Service) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "state": state_word(one.state),
        "mood": mood(one.state),
        "reason": one.reason or "",
        "told": _told(one),
        "scopes": sees(one),
    }
