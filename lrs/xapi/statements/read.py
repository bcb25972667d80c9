"""Reads stored statements: one, or a page of them, in the requested format. Knows no HTTP request.

A page in the format ``exact`` is the stored texts joined; nothing is decoded.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from lrs.access import Caller
from lrs.kernel.errors import Refused
from lrs.storage import Reader, Record, Store, Walk
from lrs.storage import records as stored
from lrs.xapi.statements.canonical import canonical_texts, decode_as_told
from lrs.xapi.statements.chains import ChainedStatement, link_of, links
from lrs.xapi.statements.query import Query, Single, conditions, keys_for
from lrs.xapi.statements.shape import ids_only

KIND = "statement"
ROUNDS = 10
"""How often a page is filled up after some statements that were found had to be left out."""
AT_ONCE = 100
"""How many statements are read at once if each must be decoded."""
SHORT = 100
"""A page of at most so many statements is read without a thread."""
SHORT_BYTES = 256 * 1024
"""A larger page is read in a thread: hundreds of small statements, or one large one."""
_encode = msgspec.json.Encoder().encode


class StatementPage(msgspec.Struct, frozen=True):
    """A page of statements, and the query for the next page, if there is one."""

    records: tuple[Record, ...]
    more: Query | None


def own_source(caller: Caller) -> str | None:
    """The source that a caller's right to read statements is limited to; ``None`` if it is not limited."""
    return None if caller.may_all("statements.read") else caller.source


def allowed(record: Record | None, wanted: Single, source: str | None) -> Record:
    """*record*, which is stored under the id of *wanted*, if it is one that may be told.

    Refuses (404) an unknown one, a voided one without ``voidedStatementId``, and the other way round.
    """
    if record is None or ("voided" in record.meta) != wanted.voided or source not in {None, record.meta["source"]}:
        name = "voidedStatementId" if wanted.voided else "statementId"
        raise Refused(f"there is no statement with this {name}", status=404, error="not_found")
    return record


def find_one(reader: Reader, wanted: Single, source: str | None) -> Record:
    """The statement. Refuses as ``allowed``."""
    return allowed(reader.get(KIND, wanted.id), wanted, source)


def one_of(reader: Reader, wanted: Single, source: str | None, languages: Sequence[str]) -> tuple[Record, bytes]:
    """``find_one``, and the text of the statement in the requested format."""
    record = find_one(reader, wanted, source)
    return record, texts_of(reader, [record], wanted.format, source, languages)[0]


def find_page(reader: Reader, query: Query, source: str | None) -> StatementPage:
    """The statements that meet *query*, at most ``query.limit``.

    There may be fewer, and a next page, if matches are far apart or large: a page has at most about
    ``PAGE_BYTES``, because it is held in memory.
    """
    keys = keys_for(query, source)
    wanted = set(conditions(query)) if len(keys) > 1 else set()
    records: list[Record] = []
    walk = Walk(KIND, keys, query.after, query.until, newest_first=not query.ascending)
    start, size, rounds = query.start, 0, 0
    while rounds < ROUNDS:
        asked = min(AT_ONCE if wanted else query.limit, query.limit - len(records))
        page = reader.find(msgspec.structs.replace(walk, limit=asked, start=start))
        kept = [r for r in page.records if "voided" not in r.meta and holds_on_one(reader, r, wanted, source)]
        records.extend(kept)
        size += sum(len(record.body) for record in kept)
        start = page.next
        if start is None or len(records) == query.limit or size > stored.PAGE_BYTES:
            break
        rounds += len(kept) < asked
    return StatementPage(tuple(records), None if start is None else msgspec.structs.replace(query, start=start))


def holds_on_one(reader: Reader, record: Record, wanted: set[int], source: str | None) -> bool:
    """Whether all conditions hold on one statement of the chain of references that begins with *record*.

    For a caller held to *source*, the chain ends at the first statement of another source.
    """
    if not wanted:
        return True
    first = link_of(record)
    if first.refers is None or wanted.issubset(first.own):
        return True

    def find(id: str) -> ChainedStatement | None:
        found = reader.get(KIND, id)
        return link_of(found) if found and source in {None, found.meta["source"]} else None

    return any(wanted.issubset(link.own) for link in links(first, find))


def page_of(
    reader: Reader, query: Query, source: str | None, languages: Sequence[str]
) -> tuple[StatementPage, list[bytes]]:
    """``find_page``, and the texts of the statements in the requested format.

    Where the texts would pass ``PAGE_BYTES``, the page ends earlier: it is asked for again with as many as fit.
    """
    limit = query.limit
    while True:
        found = find_page(reader, msgspec.structs.replace(query, limit=limit), source)
        texts = texts_of(reader, found.records, query.format, source, languages)
        if len(texts) == len(found.records):
            more = found.more and msgspec.structs.replace(found.more, limit=query.limit)
            return StatementPage(found.records, more), texts
        limit = len(texts)


def short_walk(query: Query, source: str | None) -> Walk | None:
    """The walk of a query that needs one range of keys, few statements and only their texts; ``None`` for another.

    It takes well under a millisecond.
    """
    if query.limit > SHORT or query.format != "exact" or query.attachments:
        return None
    keys = keys_for(query, source)
    if len(keys) != 1:
        return None
    return Walk(
        KIND,
        keys,
        query.after,
        query.until,
        newest_first=not query.ascending,
        limit=query.limit,
        most=min(SHORT_BYTES, stored.PAGE_BYTES),
        start=query.start,
    )


def short_page(store: Store, query: Query, walk: Walk) -> tuple[bytes, Query | None] | None:
    """The texts of the page of *walk*, joined by commas, and the query for the next page, if there is one.

    *walk* is the ``short_walk`` of *query*. ``None`` if the texts are large: ask ``page_of``. No statement is looked
    at: a voided one has no key that a filter asks for (``voided``), and one key says that all conditions hold on one
    statement.
    """
    found = store.joined(walk)
    if found is None:
        return None
    return found.bodies, None if found.next is None else msgspec.structs.replace(query, start=found.next)


def texts_of(
    reader: Reader, records: Sequence[Record], shape: str, source: str | None, languages: Sequence[str]
) -> list[bytes]:
    """The texts of the statements in the requested format, for a caller held to *source*.

    In the format ``canonical`` there may be fewer, see ``canonical_texts``.
    """
    if shape == "ids":
        return [_encode(ids_only(decode_as_told(record.body))) for record in records]
    if shape == "canonical":
        return canonical_texts(reader, records, source, languages, stored.PAGE_BYTES)
    return [record.body for record in records]


def result_text(texts: bytes, more: str) -> bytes:
    """A StatementResult (xAPI 1.0.3 Data 2.5) of *texts*, joined by commas; ``more`` is always there."""
    return b'{"statements":[%b],"more":%b}' % (texts, _encode(more))
