"""Reads a page of arrivals with a bounded number of look-ups, however much is stored. Counts nothing.

A filter is a search key of the store. With several filters, it walks the key that is rarer now and looks up the others,
up to a number of entries in one call. If that finds too little, the page ends early and says how far back it has
looked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from lrs.kernel.keys import pair
from lrs.kernel.times import micros_of_timestamp
from lrs.pages.arrivals.asked import Wanted
from lrs.storage import Reader, Record, Walk, first_seq
from lrs.web.kept_refusals import all_refusals, refusals_of
from lrs.web.refusals import Refusal
from lrs.xapi.statements.keys import activity_key, agent_key, source_key, verb_key

PROBED = 100
"""Entries of each key that are read to see which one is rarer."""
MOST_BYTES = 4 * 1024 * 1024
"""Bytes of the statements of a page."""
KIND = "statement"


class ArrivalsPage(msgspec.Struct, frozen=True):
    """A page: *found* are statements and refusals in order. *next* is where the next page starts.

    *ended_early* says that the page is not full although there is more, because matches are far apart.
    """

    found: tuple[Record | Refusal, ...]
    next: int | None
    ended_early: bool = False


def page_of(
    reader: Reader, wanted: Wanted, sources: Collection[str] | None, agents: Sequence[str], size: int
) -> ArrivalsPage:
    """The page of *wanted*. *sources* are those within reach, ``None`` for all.

    *agents* are the texts of the identifiers of the person, if the list is about one.
    """
    kept = refusals_within(reader, wanted, sources)
    if wanted.refused_only:
        return _joined((), kept, wanted, size, frontier=None)
    walks = [_walk(reader, keys, wanted) for keys in _keys(wanted, sources, agents)]
    found = [_found(reader, walk, size + 1) for walk in walks]
    records = {record.id: record for some, _ in found for record in some}
    frontiers = [frontier for _, frontier in found if frontier is not None]
    frontier = (min if wanted.oldest_first else max)(frontiers) if frontiers else None
    return _joined(records.values(), kept, wanted, size, frontier)


def refusals_within(reader: Reader, wanted: Wanted, sources: Collection[str] | None) -> list[tuple[int, Refusal]]:
    """The stored refusals for *wanted*, each with its place in the order."""
    if not wanted.with_refusals:
        return []
    if wanted.source:
        names: Iterable[str] = [wanted.source] if sources is None or wanted.source in sources else []
        found = [one for name in names for one in refusals_of(reader, name).newest]
    elif sources is None:
        found = [one for kept in all_refusals(reader).values() for one in kept.newest]
    else:
        found = [one for name in sorted(sources) for one in refusals_of(reader, name).newest]
    low, high = _span(wanted)
    placed = [(first_seq(micros_of_timestamp(one.at)), one) for one in found]
    return [(seq, one) for seq, one in placed if low < seq <= high]


def _span(wanted: Wanted) -> tuple[int, int]:
    """The places between which the page is; the first is not part of it."""
    low, high = wanted.after, wanted.until
    if wanted.before is None:
        return low, high
    return (max(low, wanted.before), high) if wanted.oldest_first else (low, min(high, wanted.before))


def _keys(wanted: Wanted, sources: Collection[str] | None, agents: Sequence[str]) -> list[list[int]]:
    """The keys of each walk: one walk for each source and each identifier."""
    if wanted.source:
        of_sources = [[source_key(wanted.source)]] if sources is None or wanted.source in sources else []
    elif sources is None:
        of_sources = [[]]
    else:
        of_sources = [[source_key(one)] for one in sorted(sources)]
    verb = verb_key(wanted.verb) if wanted.verb else None
    about = [activity_key(wanted.activity, related=True)] if wanted.activity else []
    who: list[list[int]] = [[]]
    if wanted.agent:
        who = [[agent_key(one) if verb is None else pair(agent_key(one), verb)] for one in agents]
    elif verb is not None:
        who = [[verb]]
    return [[*one, *about, *source] for one in who for source in of_sources]


def _walk(reader: Reader, keys: list[int], wanted: Wanted) -> Walk:
    low, high = _span(wanted)
    walk = Walk(KIND, keys, low, high, newest_first=not wanted.oldest_first)
    if len(keys) < 2:
        return walk
    rarest = min(keys, key=lambda one: _density(reader, msgspec.structs.replace(walk, keys=[one])))
    return msgspec.structs.replace(walk, keys=[rarest, *(one for one in keys if one != rarest)])


def _density(reader: Reader, walk: Walk) -> float:
    """The density of a key: entries for each place in the order."""
    found = reader.find(msgspec.structs.replace(walk, limit=PROBED, bare=True)).records
    if len(found) < PROBED:
        return 0.0
    return PROBED / (1 + abs(found[0].seq - found[-1].seq))


def _found(reader: Reader, walk: Walk, limit: int) -> tuple[tuple[Record, ...], int | None]:
    """At most *limit* records, and the place up to which all were found; ``None`` at the end."""
    page = reader.find(msgspec.structs.replace(walk, limit=limit, most=MOST_BYTES))
    if page.next is None:
        return page.records, None
    if len(page.records) == limit:
        return page.records, page.records[-1].seq
    ahead = msgspec.structs.replace(walk, keys=walk.keys[:1], limit=1, bare=True, start=page.next)
    following = next((record.seq for record in reader.find(ahead).records), None)
    return page.records, None if following is None else following + (1 if walk.newest_first else -1)


def _joined(
    records: Iterable[Record],
    kept: Iterable[tuple[int, Refusal]],
    wanted: Wanted,
    size: int,
    frontier: int | None,
) -> ArrivalsPage:
    """Statements and refusals in one order, as far as all walks have come."""
    both: list[tuple[int, Record | Refusal]] = [(record.seq, record) for record in records]
    both += kept
    both.sort(key=lambda one: one[0], reverse=not wanted.oldest_first)
    if frontier is not None:
        both = [one for one in both if (one[0] <= frontier if wanted.oldest_first else one[0] >= frontier)]
    shown = both[:size]
    if len(both) > size:
        last = shown[-1][0]
        return ArrivalsPage(tuple(one for _, one in shown), last if wanted.oldest_first else last - 1)
    more = frontier if wanted.oldest_first or frontier is None else frontier - 1
    return ArrivalsPage(tuple(one for _, one in shown), more, ended_early=more is not None)
