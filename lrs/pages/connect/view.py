"""The data of the pages of Connect, as plain values. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any
from urllib.parse import quote, urlencode

from lrs.access.keys import KnownKey
from lrs.access.rights import rights_of_key
from lrs.access.switches import DEDUPLICATE, QUARANTINE
from lrs.kernel.printing import time_of
from lrs.pages import reasons
from lrs.pages.connect.facts import SEND, KeyFacts, SourceSeen
from lrs.pages.connect.platforms import MAY, PLATFORMS, Platform, address_for, sample_for, scopes_said
from lrs.pages.told import told
from lrs.storage import Record, micros_of
from lrs.web.dates import written_moment, written_timestamp
from lrs.web.listing import ListColumn, ListRow
from lrs.web.refusals import Refusal
from lrs.xapi.statements.habits import HABITS
from lrs.xapi.statements.quarantine import DAYS

NOT_TOLD = "Not told"
"""What a key is for that a command made."""
COLUMNS = (
    ListColumn("source", "Source", facet=True, sources=True),
    ListColumn("product", "Made for", facet=True),
    ListColumn("key", "Key"),
    ListColumn("scopes", "May", sortable=False),
    ListColumn("created", "Made"),
    ListColumn("last", "Last statement"),
    ListColumn("state", "State", facet=True),
)


def platforms(root: str) -> list[dict[str, str]]:
    """The products that can be connected, with the address of each one's form."""
    return [
        {
            "name": one.name,
            "title": one.title,
            "called": one.called,
            "says": one.says,
            "address": f"{root}/connect/{one.name}",
        }
        for one in PLATFORMS.values()
    ]


def rows(keys: Iterable[tuple[KnownKey, Record | None]], root: str, zone: str) -> list[ListRow]:
    """The keys with the newest statement of each."""
    return [_row(key, last, root, zone) for key, last in keys]


def _row(key: KnownKey, last: Record | None, root: str, zone: str) -> ListRow:
    state = "revoked" if key.revoked else "connected" if last else "waiting"
    came = micros_of(last.seq) if last else None
    product = PLATFORMS.get(key.product)
    return ListRow(
        {
            "source": key.source,
            "product": product.title if product else NOT_TOLD,
            "key": key.key,
            "scopes": " ".join(key.scopes),
            "created": time_of(key.created),
            "last": time_of(came),
            "state": state,
        },
        {
            "scopes": scopes_said(key.scopes),
            "created": written_moment(key.created, zone),
            "last": written_moment(came, zone) if came is not None else "None yet",
            "state": state.capitalize(),
        },
        links={"key": f"{root}/connect/keys/{key.key}", "source": f"{root}{source_path(key.source)}"},
        moods={"state": {"connected": "good", "waiting": "warn"}.get(state, "soft")},
    )


def values(facts: KeyFacts, endpoint: str, root: str, zone: str) -> dict[str, Any]:
    """A key: which value goes where in which product, and what came so far."""
    key, platform = facts.key, PLATFORMS.get(facts.key.product)
    sends = SEND in rights_of_key(key.scopes)
    tries = sends and not key.revoked
    return {
        "key": key.key,
        "source": key.source,
        "scopes": key.scopes,
        "words": [MAY[scope] for scope in key.scopes],
        "sends": sends,
        "left_out": left_out(platform, key.scopes) if platform else [],
        "revoked": written_moment(key.revoked, zone) if key.revoked else "",
        "platform": platform,
        "endpoint": address_for(platform, endpoint) if platform else endpoint,
        "code": sample_for(platform, endpoint, key.key) if platform and (platform.is_program or tries) else "",
        "own": f"{root}/connect/keys/{key.key}",
        "source_page": f"{root}{source_path(key.source)}",
        "first": _statement(facts.first, root, zone),
        "last": _statement(facts.last, root, zone),
        "refusals": [refusal(one, zone) for one in facts.refused],
        "arrivals": f"{root}/arrivals?{urlencode({'source': key.source})}",
        "rows": f"{root}/connect/{platform.name}/rules.csv?{urlencode({'source': key.source})}" if platform else "",
    }


def source_rows(found: Iterable[SourceSeen], root: str, zone: str) -> list[dict[str, Any]]:
    """The sources with what is turned on for them, what waits, and what was refused last."""
    return [
        {
            "name": one.name,
            "address": f"{root}{source_path(one.name)}",
            "deduplicates": DEDUPLICATE in one.on,
            "quarantines": QUARANTINE in one.on,
            "waits": one.quarantine.count,
            "refused": one.ever_refused,
            "last": refusal(one.refused[0], zone) if one.refused else None,
        }
        for one in found
    ]


def source_path(source: str) -> str:
    """The path of the page of *source*, below the root."""
    return f"/connect/sources/{quote(source, safe='')}"


def source_values(seen: SourceSeen, root: str, zone: str) -> dict[str, Any]:
    """A source: its switches, its newest refusals, how much is in quarantine, its keys."""
    query = urlencode({"source": seen.name})
    return {
        "source": seen.name,
        "own": f"{root}{source_path(seen.name)}",
        "deduplicates": DEDUPLICATE in seen.on,
        "quarantines": QUARANTINE in seen.on,
        "count": seen.quarantine.count,
        "ever": seen.quarantine.ever,
        "days": DAYS,
        "habits": [one.says for one in HABITS.values()],
        "refusals": [refusal(one, zone) for one in seen.refused],
        "ever_refused": seen.ever_refused,
        "quarantine": f"{root}/arrivals/quarantine?{query}",
        "refused": f"{root}/arrivals?{query}&refused=yes",
        "arrivals": f"{root}/arrivals?{query}",
        "keys": [
            {
                "key": one.key,
                "address": f"{root}/connect/keys/{one.key}",
                "made": written_moment(one.created, zone),
                "revoked": written_moment(one.revoked, zone) if one.revoked else "",
            }
            for one in reversed(seen.keys)
        ],
    }


def left_out(platform: Platform, scopes: Container[str]) -> list[str]:
    """The scopes that *platform* can use and a key with these *scopes* does not have."""
    return [scope for scope in platform.scopes if scope not in scopes]


def refusal(one: Refusal, zone: str) -> dict[str, str]:
    """A refusal: when, what happened, what to do, where, which rule."""
    what, do = reasons.reason(one)
    return {
        "when": written_timestamp(one.at, zone),
        "what": what,
        "do": do,
        "place": reasons.place(one),
        "rule": one.rule or "",
        "request": f"{one.method} {one.resource}, {one.status}",
        "key": one.key,
    }


def _statement(record: Record | None, root: str, zone: str) -> dict[str, str] | None:
    if record is None:
        return None
    one = told(record)
    return {
        "when": written_moment(micros_of(record.seq), zone),
        "who": one.who,
        "did": one.did,
        "what": one.what,
        "address": f"{root}/arrivals/statements/{record.id}",
    }
