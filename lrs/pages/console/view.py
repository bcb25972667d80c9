"""The data of the console: from facts to what a person reads. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lrs.access.staff import Member
from lrs.kernel.printing import time_of
from lrs.pages.actions import action_said, doer_said, is_operator
from lrs.pages.connect.platforms import scopes_said
from lrs.pages.console.facts import MailFacts, SourceFacts, SystemFacts
from lrs.pages.words import MAILS_SAID, lasting
from lrs.tenancy.audit import AuditEntry
from lrs.web.dates import written_moment
from lrs.web.listing import ListColumn, ListRow
from lrs.web.refusals import NOBODY

TABS = (
    ("overview", "Now", "/console"),
    ("sources", "Sources", "/console/sources"),
    ("mails", "Mails", "/console/mails"),
    ("keys", "Keys", "/console/keys"),
    ("audit", "Record of actions", "/console/audit"),
    ("system", "System", "/console/system"),
)
SOURCE_COLUMNS = (
    ListColumn("source", "Source", sources=True),
    ListColumn("last", "Last statement"),
    ListColumn("day", "In the last day", figure=True),
    ListColumn("refused", "Refused lately", figure=True),
    ListColumn("rules", "By which rule", sortable=False),
    ListColumn("quarantined", "In quarantine", figure=True),
)
KEY_COLUMNS = (
    ListColumn("name", "Name", sources=True),
    ListColumn("key", "Key"),
    ListColumn("scopes", "May", sortable=False),
    ListColumn("state", "State", facet=True),
)
AUDIT_COLUMNS = (
    ListColumn("number", "Number", figure=True),
    ListColumn("at", "When"),
    ListColumn("by", "Who"),
    ListColumn("action", "What", facet=True),
    ListColumn("about", "About", sortable=False),
)
MIB = 1024 * 1024


def tabs(root: str, here: str, *, seen: Sequence[str]) -> list[dict[str, Any]]:
    """The parts of the console that a visitor with these rights may see."""
    return [
        {"text": text, "address": root + path, "current": name == here} for name, text, path in TABS if name in seen
    ]


def source_rows(found: Iterable[SourceFacts], now: int, zone: str) -> list[ListRow]:
    """The sources, as rows."""
    return [_source(one, now, zone) for one in found]


def _source(one: SourceFacts, now: int, zone: str) -> ListRow:
    rules = ", ".join(f"{rule} ({count})" for rule, count in sorted(one.refused.items(), key=lambda pair: -pair[1])[:5])
    ago = "" if one.last is None else f"{lasting(max(0, now - one.last))} ago, {written_moment(one.last, zone)}"
    refused = sum(one.refused.values())
    nobody = {"source": "Before a source was known"} if one.name == NOBODY else {}
    return ListRow(
        {
            "source": one.name,
            "last": time_of(one.last),
            "day": one.day,
            "refused": refused,
            "rules": rules,
            "quarantined": one.quarantined,
        },
        nobody | {"last": ago or "None yet", "day": f"{one.day:,}{' and more' if one.more else ''}"},
        moods=({"refused": "bad"} if refused else {}) | ({"quarantined": "warn"} if one.quarantined else {}),
    )


def mail_rows(found: Iterable[MailFacts], now: int, zone: str) -> list[dict[str, Any]]:
    """The mails that were not sent. An expired link is not shown."""
    return [_mail(one, now, zone) for one in found]


def _mail(one: MailFacts, now: int, zone: str) -> dict[str, Any]:
    is_over = one.is_over(now)
    until = written_moment(one.until, zone) if one.until is not None else ""
    told = f"Its time is over since {until}" if is_over else f"Until {until}" if until else ""
    if one.is_dead:
        told = "Its link works no more: it was used, a newer one took its place, or the account was disabled"
    return {
        "id": one.id,
        "to": one.to,
        "what": MAILS_SAID.get(one.what, one.what),
        "queued": written_moment(one.queued, zone),
        "link": "" if is_over else one.link,
        "until": told,
        "is_over": is_over,
        "reason": one.reason,
    }


def key_rows(keys: Iterable[Mapping[str, Any]], root: str) -> list[ListRow]:
    """The API keys, without their secrets."""
    return [
        ListRow(
            {
                "name": one["name"],
                "key": one["key"],
                "scopes": " ".join(one["scopes"]),
                "state": "revoked" if one["revoked"] else "active",
            },
            {"scopes": scopes_said(one["scopes"]), "state": "Revoked" if one["revoked"] else "Active"},
            links={"key": f"{root}/connect/keys/{one['key']}"},
            moods={"state": "soft" if one["revoked"] else "good"},
        )
        for one in keys
    ]


def audit_rows(entries: Iterable[AuditEntry], people: Mapping[str, Member], zone: str) -> list[ListRow]:
    """The record of actions. The page shows members of staff by name, files have their ids."""
    return [
        ListRow(
            {
                "number": one.number,
                "at": time_of(one.at),
                "by": one.by,
                "action": one.action,
                "about": ", ".join(f"{name}: {value}" for name, value in one.about.items()),
            },
            {
                "at": written_moment(one.at, zone),
                "by": _person(one.by, people),
                "action": action_said(one.action, one.by),
                "about": ", ".join(f"{name}: {_named(name, value, people)}" for name, value in one.about.items()),
            },
            beneath={"action": one.action} | ({"by": one.by} if is_operator(one.by) else {}),
        )
        for one in entries
    ]


def _person(by: str, people: Mapping[str, Member]) -> str:
    sort, _, id = by.partition(" ")
    found = people.get(id) if sort in {"staff", "operator"} else None
    return (found.name or found.email or by) if found else doer_said(by)


def _named(name: str, value: str, people: Mapping[str, Member]) -> str:
    """Whom an entry is about, by name; anything else as it is."""
    return _person(f"staff {value}", people) if name in {"staff", "operator"} and value in people else value


def _stored(count: int) -> str:
    return f"{count / MIB:,.1f} MiB when it was measured last" if count else "Not measured yet"


def system(facts: SystemFacts) -> dict[str, Any]:
    """Versions, settings and room."""
    room = [] if facts.free is None else [("Free on the disk of the store", f"{facts.free // MIB:,} MiB")]
    return {
        "versions": list(facts.versions.items()),
        "settings": sorted(facts.settings.items()),
        "room": [*room, ("This organisation has stored", _stored(facts.stored))],
        "is_whole": facts.is_whole,
    }
