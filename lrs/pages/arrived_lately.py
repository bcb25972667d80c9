"""What arrived about a learner lately, and what became of each: for staff who ask why nothing counts. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Any

from lrs.competency.rules.rulesets import in_force
from lrs.pages.arrivals.names import all_told
from lrs.pages.arrivals.outcomes import outcomes_of
from lrs.pages.arrivals.view import mood_of, outcome_said
from lrs.storage import Reader, Record, Walk, micros_of
from lrs.tenancy.tenants import Tenant
from lrs.web.dates import written_moment
from lrs.xapi.statements.identity import Identifier, ifi_text
from lrs.xapi.statements.keys import agent_key, source_key

SHOWN = 20
"""Statements that are shown: the newest."""
MOST_WALKS = 40
"""Pairs of identifier and source that are looked at."""


def lately(tenant: Tenant, known: Iterable[Identifier], sources: Collection[str] | None) -> list[dict[str, Any]]:
    """The newest statements about one of *known* that one of *sources* sent (``None``: any), newest first."""
    records = _newest(tenant.store, known, sources)
    said, outcomes, rules = all_told(tenant.store, records), outcomes_of(tenant, records), in_force(tenant.store)
    return [
        {
            "id": record.id,
            "when": written_moment(micros_of(record.seq), tenant.settings.zone),
            "source": str(record.meta.get("source", "")),
            "did": said[record.id].did,
            "what": said[record.id].what,
            "result": said[record.id].result.said,
            "outcome": outcome_said(outcomes[record.id], rules),
            "mood": mood_of(outcomes[record.id]),
        }
        for record in records
    ]


def _newest(reader: Reader, known: Iterable[Identifier], sources: Collection[str] | None) -> list[Record]:
    walks = (
        [agent_key(ifi_text(one.ifi) or ""), *([] if source is None else [source_key(source)])]
        for one in known
        for source in ([None] if sources is None else sorted(sources))
    )
    found = {
        record.id: record
        for keys in islice(walks, MOST_WALKS)
        for record in reader.find(Walk("statement", keys, newest_first=True, limit=SHOWN)).records
    }
    return sorted(found.values(), key=lambda one: -one.seq)[:SHOWN]
