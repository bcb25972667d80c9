"""The rule set in force, those before it, and those in review. Knows no table, no command and no walk.

Records ``ruleset``: ``v1``, ``v2``, …, each with the time when it was applied and the end of its review (until when
what it takes away stays held); and ``current``. The latter has the version in force and the hash of its bytes; the
*former* rule sets whose successor's review had not ended when the latest was applied; and the *unread* ones, which were
replaced without a review, and whose levels stay held until the walk has brought the evidence of those in force. All of
these are facts: what follows from them does not depend on when it is worked out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from threading import Semaphore
from typing import Any, NamedTuple

import msgspec

from lrs.competency.rules.in_force import FormerRuleset, InForce, Unread
from lrs.competency.rules.rules import Index, Ruleset, index_rules
from lrs.competency.rules.walk import Rematch, walk_about
from lrs.kernel.errors import Refused
from lrs.kernel.memo import Memo
from lrs.kernel.plain_text import counted
from lrs.kernel.times import MINUTE
from lrs.storage import Owed, Reader, Record, Tx, Walk, each, micros_of
from lrs.storage.kinds import Kind
from lrs.tenancy import audit

KIND = "ruleset"
CURRENT = (KIND, "current")
"""The record (kind, id) that names the rules in force."""
IN_REVIEW = 20
"""How many rule sets can be in review at once. Each of them is evaluated for each person."""
MOST_PARSED = 100_000
"""Rules of one process that are kept in memory, those of all tenants and their sets in review: 1.4 KB each."""
_NONE = InForce(index_rules(Ruleset(0)), 0)
_parsed = Memo[Index](MOST_PARSED, weigh=lambda index: 1 + len(index.by_item))
"""Indexes of rule sets by the hash of their bytes. They are the same for every tenant and never out of date."""
_parsing, _turn = ThreadPoolExecutor(1, "rules"), Semaphore()


class Applied(NamedTuple):
    """A stored rule set: its content, when it was applied, and the end of its review.

    Times are microseconds UTC; ``None`` where they were not recorded. *restores* is the version that it brought back.
    """

    ruleset: Ruleset
    at: int | None
    until: int | None
    by: str | None
    restores: int | None


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """A former rule set in the record ``current``. *content* is the hash of its content without the version."""

    version: int
    digest: str
    content: str
    replaced: int
    until: int
    by: int


class _Unread(msgspec.Struct, frozen=True, array_like=True):
    """A rule set that was replaced without a review, in the record ``current``."""

    version: int
    digest: str
    at: int
    by: int


def in_force(reader: Reader) -> InForce:
    """The rules in force. Each set is parsed once."""
    head = reader.get(*CURRENT)
    if head is None:
        return _NONE
    former = (
        FormerRuleset(one.version, _index(reader, one.version, one.digest), one.replaced, one.until, one.by)
        for one in _kept(head.meta)
    )
    kept = _unread(head.meta)
    unread = (Unread(_index(reader, one.version, one.digest), one.at, one.by) for one in kept or ())
    index = _index(reader, head.meta["version"], head.meta["digest"])
    return InForce(index, head.rev, tuple(former), None if kept is None else tuple(unread))


def at_hand(reader: Reader) -> tuple[Index, ...] | None:
    """``in_force(reader).every()`` if nothing has to be parsed for it, else ``None``. Reads one record."""
    head = reader.get(*CURRENT)
    if head is None:
        return _NONE.every()
    digests = _sets(head.meta)
    found = [index for digest in digests if (index := _parsed.find(digest, None))]
    return tuple(found) if len(found) == len(digests) else None


def unparsed(reader: Reader) -> dict[str, bytes]:
    """The texts of those that ``at_hand`` lacks, by the hash of what is in them."""
    head = reader.get(*CURRENT)
    missing = {one: version for one, version in _sets(head.meta).items() if not _parsed.find(one, None)} if head else {}
    found = {digest: reader.get(KIND, f"v{version}") for digest, version in missing.items()}
    return {digest: record.body for digest, record in found.items() if record}


def parse_soon(texts: Mapping[str, bytes]) -> None:
    """Lets a thread parse *texts* for ``at_hand``. While it has others to parse, ask again later.

    It reads no store, which may be closed meanwhile. Where they cannot be read, whoever evaluates by them says so.
    """
    if not _turn.acquire(blocking=False):
        return
    try:
        _parsing.submit(_parse, texts).add_done_callback(lambda _: _turn.release())
    except RuntimeError:  # the process ends
        _turn.release()


def _parse(texts: Mapping[str, bytes]) -> None:
    for digest, text in texts.items():
        _parsed.get(digest, None, partial(_index_of, text))


def current(reader: Reader) -> Ruleset:
    """The rule set in force; version 0, without rules, if none was ever applied."""
    head = reader.get(*CURRENT)
    return _ruleset(reader, head.meta["version"]) if head else Ruleset(0)


def in_review(reader: Reader) -> list[Ruleset]:
    """The former rule sets, newest first."""
    head = reader.get(*CURRENT)
    return [_ruleset(reader, one.version) for one in _kept(head.meta)] if head else []


def applied(reader: Reader) -> list[Applied]:
    """All rule sets that were ever applied, oldest first."""
    records = [record for record in each(reader, KIND) if record.id != "current"]
    return sorted((_applied(record) for record in records), key=lambda one: one.ruleset.version)


def of_version(reader: Reader, version: int) -> Applied:
    """The rule set of *version*. Raises ``Refused`` (404)."""
    record = reader.get(KIND, f"v{version}")
    if record is None:
        raise Refused(f"there are no rules of version {version}; lrs rules list", status=404, error="not_found")
    return _applied(record)


def restored(reader: Reader, version: int) -> Ruleset:
    """A new rule set with the content of *version*; its rules keep their versions. Raises ``Refused`` (404)."""
    ruleset, now = of_version(reader, version).ruleset, current(reader)
    again = msgspec.structs.replace(ruleset, version=now.version + 1)
    return now if _content(again) == _content(now) else again


def put(tx: Tx, ruleset: Ruleset, by: str, *, review: int = 0, restores: int | None = None) -> bool:
    """Puts *ruleset* in force and owes the walk over the statements concerned. ``False`` if it already is in force.

    What it takes away stays held for *review* microseconds from now. Raises ``Refused`` (409) if other rules came into
    force since *ruleset* was made, or if too many are in review.
    """
    before = current(tx)
    if before == ruleset:
        return False
    if before.version >= ruleset.version:
        raise Refused("other rules came into force meanwhile; run it again", status=409, error="busy")
    was, at = in_force(tx), tx.next_seq()
    head = tx.get(*CURRENT)
    until = micros_of(at) + (review if head else 0)
    replaced = [_replaced(head.meta, before, at, until, ruleset)] if head and review else []
    former = _still(replaced + (_kept(head.meta) if head else []), ruleset, micros_of(at))
    body = msgspec.json.encode(ruleset)
    meta = {"version": ruleset.version, "digest": sha256(body).hexdigest()}
    tx.insert(
        Record(KIND, f"v{ruleset.version}", body, meta | {"at": at, "until": until, "by": by, "restores": restores})
    )
    meta |= {"former": msgspec.to_builtins(former)}
    if (unread := _still_unread(tx, head, ruleset, at, reviewed=bool(replaced))) is not None:
        meta["unread"] = msgspec.to_builtins(unread)
    tx.put(Record(*CURRENT, meta=meta))
    audit.append(tx, by, "rules.applied", {"version": str(ruleset.version)})
    walk = _walk(was, in_force(tx), at, twice=bool(head and not replaced))
    tx.insert(Record("rematch", f"v{ruleset.version}", msgspec.json.encode(walk), owed=(Owed("match"),)))
    return True


def _walk(was: InForce, now: InForce, at: int, *, twice: bool) -> Rematch:
    """The walk after a change. A rule that counts fewer statements than before loses the evidence of the others."""
    before, after = set(was.rules.by_item.values()), set(now.rules.by_item.values())
    every = {rule for index in was.every() for rule in index.by_item.values()}
    gone = {rule for rule in every if now.bound(rule) < min(was.bound(rule), at)}
    return walk_about(after - before, gone, before ^ after, at, twice=twice)


def _replaced(head: Mapping[str, Any], before: Ruleset, at: int, until: int, by: Ruleset) -> _Kept:
    return _Kept(before.version, head["digest"], _content(before), at, until, by.version)


def _still(former: Sequence[_Kept], ruleset: Ruleset, now: int) -> list[_Kept]:
    """Those of *former* (newest first) in review at *now*, without one that has the content of *ruleset*.

    Its levels are held again. So no two have the same content.
    """
    content = _content(ruleset)
    found = [one for one in former if one.until > now and one.content != content]
    if len(found) > IN_REVIEW:
        first = min(one.until for one in found)
        raise Refused(
            f"{IN_REVIEW} changes of rules are in review already; restore one of them, or wait until the first review"
            f" ends in {counted((first - now) // MINUTE + 1, 'minute')}",
            status=409,
            error="in_review",
        )
    return found


def _still_unread(tx: Tx, head: Record | None, by: Ruleset, at: int, *, reviewed: bool) -> list[_Unread] | None:
    """The unread rule sets whose walk is not over, and the one in force if it is replaced without a review.

    ``None`` if that is not known (version 0.1.0).
    """
    before = _unread(head.meta) if head else []
    under_way = bool(tx.find(Walk("rematch", limit=1)).records)
    if before is None and under_way:
        return None
    still = [one for one in before or () if tx.get("rematch", f"v{one.by}")]
    if head and not reviewed:
        still.append(_Unread(head.meta["version"], head.meta["digest"], micros_of(at), by.version))
    return still


def _content(ruleset: Ruleset) -> str:
    rules = sorted(ruleset.rules, key=lambda rule: rule.item)
    competencies = sorted(ruleset.competencies, key=lambda one: one.key)
    return sha256(msgspec.json.encode((rules, competencies))).hexdigest()


def _sets(head: Mapping[str, Any]) -> dict[str, int]:
    """The versions of the rules in force and in review, by the hash of what is in them."""
    return {head["digest"]: head["version"]} | {one.digest: one.version for one in _kept(head)}


def _kept(head: Mapping[str, Any]) -> list[_Kept]:
    return msgspec.convert(head.get("former", []), list[_Kept])


def _unread(head: Mapping[str, Any]) -> list[_Unread] | None:
    return msgspec.convert(head["unread"], list[_Unread]) if "unread" in head else None


def _applied(record: Record) -> Applied:
    at, until = record.meta.get("at"), record.meta.get("until")
    when = micros_of(at) if at else None
    reviewed = until if until and when and until > when else None
    ruleset = msgspec.json.decode(record.body, type=Ruleset)
    return Applied(ruleset, when, reviewed, record.meta.get("by"), record.meta.get("restores"))


def _index_of(text: bytes) -> Index:
    return index_rules(msgspec.json.decode(text, type=Ruleset))


def _index(reader: Reader, version: int, digest: str) -> Index:
    return _parsed.get(digest, None, lambda: index_rules(_ruleset(reader, version)))


def _ruleset(reader: Reader, version: int) -> Ruleset:
    record = reader.get(KIND, f"v{version}")
    return msgspec.json.decode(record.body, type=Ruleset) if record else Ruleset(0)


KINDS = (Kind(KIND, "fact", Ruleset, 1, subjects=None, retention="evidence", exported=True, basis=True),)
