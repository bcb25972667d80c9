"""Statements back out: one or a page of them, in the format asked for. Knows no HTTP request.

A page of the format ``exact`` is the stored texts joined; nothing is decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import msgspec

from lrs import storage
from lrs.access import Caller
from lrs.kernel.errors import Refused
from lrs.storage import Page, Reader, Record
from lrs.xapi.statements.chains import Link, link_of, links
from lrs.xapi.statements.definitions import DEFINITION, definition_key, merged_definition
from lrs.xapi.statements.query import Query, Single, conditions, keys_for
from lrs.xapi.statements.shape import canonical, ids_only

KIND = "statement"
ROUNDS = 10
"""How often a page is filled up when statements found had to be left out."""
AT_ONCE = 100
"""How many are looked at in one go where each has to be decoded."""
SHORT_BYTES = 256 * 1024
"""A page that is larger is read in a thread: hundreds of small statements, or one large one."""
MOST_DEFINITIONS = 1_000
"""The newest are merged: content that sends a new definition with each statement must not make reading slow."""
Definitions = Callable[[str], dict[str, Any]]
_decode = msgspec.json.Decoder().decode
_decode_as_told = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode())).decode
"""Numbers keep their text: 0.10 is not answered as 0.1, nor 1e2 as 100.0."""
_encode = msgspec.json.Encoder().encode


class Bounds(NamedTuple):
    """Of a page: statements and bytes."""

    limit: int
    most: int


class Found(msgspec.Struct, frozen=True):
    """A page of statements and the query that goes on after it, if there is more."""

    records: tuple[Record, ...]
    more: Query | None


def own_source(caller: Caller) -> str | None:
    """The source a caller is held to whose right to read statements reaches only what that sent; else ``None``."""
    return None if caller.may_all("statements.read") else caller.source


def find_one(reader: Reader, wanted: Single, source: str | None) -> Record:
    """The statement. Refuses 404 for an unknown one, a voided one asked for as not voided, and the other way round."""
    record = reader.get(KIND, wanted.id)
    if record is None or ("voided" in record.meta) != wanted.voided or source not in {None, record.meta["source"]}:
        name = "voidedStatementId" if wanted.voided else "statementId"
        raise Refused(f"there is no statement with this {name}", status=404, error="not_found")
    return record


def one_of(reader: Reader, wanted: Single, source: str | None, languages: Sequence[str]) -> tuple[Record, bytes]:
    """``find_one``, and the text of what was found in the format asked for."""
    record = find_one(reader, wanted, source)
    return record, texts_of(reader, [record], wanted.format, source, languages)[0]


def find_page(reader: Reader, query: Query, source: str | None, most: int | None = None) -> Found:
    """The statements that meet *query*, at most ``query.limit``; fewer, and more to come, if far apart or large.

    Of large ones a page has *most* bytes (``PAGE_BYTES``), or a little more: it is held in memory.
    """
    most = min(most or storage.PAGE_BYTES, storage.PAGE_BYTES)
    keys = keys_for(query, source)
    wanted = set(conditions(query)) if len(keys) > 1 else set()
    records: list[Record] = []
    start, size, rounds = query.start, 0, 0
    while rounds < ROUNDS:
        asked = min(AT_ONCE if wanted else query.limit, query.limit - len(records))
        page = _walk(reader, keys, query, start, Bounds(asked, most))
        kept = [r for r in page.records if "voided" not in r.meta and holds_on_one(reader, r, wanted, source)]
        records.extend(kept)
        size += sum(len(record.body) for record in kept)
        start = page.next
        if start is None or len(records) == query.limit or size > most:
            break
        rounds += len(kept) < asked
    return Found(tuple(records), None if start is None else msgspec.structs.replace(query, start=start))


def _walk(reader: Reader, keys: Sequence[int], query: Query, start: str | None, bounds: Bounds) -> Page:
    return reader.find(
        KIND,
        keys,
        after=query.after,
        until=query.until,
        newest_first=not query.ascending,
        limit=bounds.limit,
        start=start,
        most=bounds.most,
    )


def holds_on_one(reader: Reader, record: Record, wanted: set[int], source: str | None) -> bool:
    """Whether all conditions hold on one statement of the chain of references that begins with *record*.

    Who is held to a *source* is not led beyond its statements.
    """
    first = link_of(record)
    if not wanted or first.refers is None or wanted.issubset(first.own):
        return True

    def find(id: str) -> Link | None:
        found = reader.get(KIND, id)
        return link_of(found) if found and source in {None, found.meta["source"]} else None

    return any(wanted.issubset(link.own) for link in links(first, find))


def page_of(reader: Reader, query: Query, source: str | None, languages: Sequence[str]) -> tuple[Found, list[bytes]]:
    """``find_page``, and the texts of what was found in the format asked for."""
    found = find_page(reader, query, source)
    return found, texts_of(reader, found.records, query.format, source, languages)


def short_page(reader: Reader, query: Query, source: str | None) -> tuple[Found, list[bytes]] | None:
    """``page_of`` for the event loop, which nothing may hold up; ``None`` if it is larger than ``SHORT_BYTES``."""
    found = find_page(reader, query, source, SHORT_BYTES)
    if sum(len(record.body) for record in found.records) > SHORT_BYTES:
        return None
    return found, texts_of(reader, found.records, query.format, source, ())


def texts_of(
    reader: Reader, records: Iterable[Record], shape: str, source: str | None, languages: Sequence[str]
) -> list[bytes]:
    """The statements' texts in the format asked for, for who is held to *source*."""
    if shape == "ids":
        return [_encode(ids_only(_decode_as_told(record.body))) for record in records]
    if shape == "canonical":
        known = _known(reader, source)
        return [_encode(canonical(_decode_as_told(record.body), languages, known)) for record in records]
    return [record.body for record in records]


def _known(reader: Reader, source: str | None) -> Definitions:
    """What the LRS knows of activities: to who is held to a *source*, nothing of what others said."""
    return cache(partial(definition_in, reader)) if source is None else lambda _: {}


def definition_in(reader: Reader, activity_id: str) -> dict[str, Any]:
    """What statements said about the activity, merged; empty if they said nothing."""
    page = reader.find(DEFINITION, [definition_key(activity_id)], newest_first=True, limit=MOST_DEFINITIONS)
    return merged_definition(msgspec.json.decode(record.body) for record in reversed(page.records))


def result_text(texts: Sequence[bytes], more: str) -> bytes:
    """A StatementResult (xAPI 1.0.3 Data 2.5); ``more`` is always there."""
    return b'{"statements":[%s],"more":%s}' % (b",".join(texts), _encode(more))
