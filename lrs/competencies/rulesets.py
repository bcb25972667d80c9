"""The rule set in force, and what applying another one owes. Knows no table and no command.

Records: ``ruleset`` (``v1``, ``v2``, …; ``current`` says which is in force, and the hash of its bytes), and
``rematch``: a walk over the statements that a change of rules, or of trust in a source, touches, a bounded page per
settled step, so that a kill loses at most one page.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec

from lrs import audit
from lrs.competencies.evidence import evidence_id
from lrs.competencies.rules import Index, Rule, Ruleset, index_rules, rules_for
from lrs.competencies.seen import learners, look
from lrs.errors import Refused
from lrs.keys import pair
from lrs.learners.persons import holders
from lrs.statements.keys import activity_key, source_key, verb_key
from lrs.storage import Claim, Owed, Reader, Record, Store, Tx

PAGE = 500
_PARSED_AT_MOST = 32
_parsed: dict[str, Index] = {}
"""Rule sets by the hash of their bytes: the same for every tenant and never out of date."""


class InForce(NamedTuple):
    """The rules in force, and the revision of the record they were read from (0: no rules yet)."""

    rules: Index
    rev: int


class Rematch(msgspec.Struct, frozen=True):
    """A walk: rules that are new or changed, rules that are gone, up to which ``seq``, and where to go on.

    *ahead* are the search keys still to be walked, *start* the place in the first of them. With *every*, all statements
    on the way are matched again, whatever the rules.
    """

    v: int
    changed: tuple[Rule, ...]
    gone: tuple[Rule, ...]
    until: int
    ahead: tuple[int, ...]
    start: str | None = None
    every: bool = False


class _Touched(NamedTuple):
    """On one page: statements to be matched again, and evidence (by id) of rules that are gone, with its learner."""

    statements: list[str]
    gone: list[tuple[str, str, str]]


def in_force(reader: Reader) -> InForce:
    """The rules as *reader* sees them; parsed once for each set."""
    head = reader.get("ruleset", "current")
    if head is None:
        return InForce(index_rules(Ruleset(0)), 0)
    digest = head.meta["digest"]
    if digest not in _parsed:
        if len(_parsed) >= _PARSED_AT_MOST:
            _parsed.clear()
        _parsed[digest] = index_rules(_ruleset(reader, head.meta["version"]))
    return InForce(_parsed[digest], head.rev)


def current(reader: Reader) -> Ruleset:
    """The rule set in force; version 0, without rules, if none was ever applied."""
    head = reader.get("ruleset", "current")
    return _ruleset(reader, head.meta["version"]) if head else Ruleset(0)


def put(tx: Tx, ruleset: Ruleset, by: str) -> bool:
    """Puts *ruleset* in force and owes the walk over what it touches; ``False`` if it is in force already.

    Raises ``Refused`` (409) if somebody else put another in force since this one was made.
    """
    before = current(tx)
    if before == ruleset:
        return False
    if before.version >= ruleset.version:
        raise Refused("other rules came into force meanwhile; run it again", status=409, error="busy")
    put_in_force(tx, ruleset)
    audit.append(tx, by, "rules.applied", {"version": str(ruleset.version)})
    walk = _walk(before, ruleset, tx.next_seq())
    tx.insert(Record("rematch", f"v{ruleset.version}", msgspec.json.encode(walk), owed=(Owed("match"),)))
    return True


def read_again(tx: Tx, source: str) -> None:
    """Owes the walk over all that *source* has sent: it may say more of persons now than when it came."""
    walk = Rematch(1, (), (), tx.next_seq(), (source_key(source),), every=True)
    _put(tx, Record("rematch", f"source/{source}", msgspec.json.encode(walk), owed=(Owed("match"),)))


def put_in_force(tx: Tx, ruleset: Ruleset) -> None:
    """Keeps *ruleset* and makes it the one in force, without asking what it touches."""
    body = msgspec.json.encode(ruleset)
    meta = {"version": ruleset.version, "digest": sha256(body).hexdigest()}
    _put(tx, Record("ruleset", f"v{ruleset.version}", body, meta))
    _put(tx, Record("ruleset", "current", meta=meta))


def _put(tx: Tx, record: Record) -> None:
    there = tx.get(record.kind, record.id)
    if there:
        tx.replace(msgspec.structs.replace(record, rev=there.rev))
    else:
        tx.insert(record)


def rematch(store: Store, claim: Claim) -> None:
    """Does one page of a walk, and owes the next. Raises ``Stale`` if somebody else has done it."""
    walk = msgspec.json.decode(claim.record.body, type=Rematch)
    records, further = _page(store, walk)
    touched = _touched(records, walk)

    def settle(tx: Tx) -> None:
        for statement in touched.statements:
            tx.owe("statement", statement, Owed("match"))
        _take_back(tx, touched.gone)
        if not further.ahead:
            tx.delete("rematch", claim.record.id)
        else:
            owed = (Owed("match"),)
            tx.replace(msgspec.structs.replace(claim.record, body=msgspec.json.encode(further), owed=owed))

    store.settle([claim], settle).result()


def _walk(before: Ruleset, after: Ruleset, until: int) -> Rematch:
    was, now = ({rule.item: rule for rule in one.rules} for one in (before, after))
    changed = tuple(rule for rule in after.rules if was.get(rule.item) != rule)
    gone = tuple(rule for rule in before.rules if rule.item not in now)
    return Rematch(1, changed, gone, until, tuple(sorted({key for rule in changed + gone for key in _anchors(rule)})))


def _anchors(rule: Rule) -> list[int]:
    """The search keys that every statement the rule is about carries one of; types have none, so verbs stand in."""
    if rule.match == "type":
        return [verb_key(verb) for verb in rule.verbs]
    if rule.match == "activity":
        return [pair(activity_key(rule.activity), verb_key(verb)) for verb in rule.verbs]
    return [activity_key(rule.activity, related=True)]


def _page(store: Store, walk: Rematch) -> tuple[list[Record], Rematch]:
    """About a page of statements, from as many keys as that takes, and the walk that is left."""
    records: list[Record] = []
    ahead, start = walk.ahead, walk.start
    while ahead and len(records) < PAGE:
        page = store.find("statement", ahead[:1], until=walk.until, limit=PAGE - len(records), start=start)
        records += page.records
        ahead, start = (ahead, page.next) if page.next else (ahead[1:], None)
    return records, msgspec.structs.replace(walk, ahead=ahead, start=start)


def _touched(records: Sequence[Record], walk: Rematch) -> _Touched:
    if walk.every:
        return _Touched([record.id for record in records], [])
    changed, gone = (index_rules(Ruleset(0, rules)) for rules in (walk.changed, walk.gone))
    found = _Touched([], [])
    for record in records:
        try:
            seen = look(record)
        except msgspec.DecodeError:
            continue  # Its own match step is parked with the reason; there is no evidence of it.
        if rules_for(seen, changed):
            found.statements.append(record.id)
        for rule in rules_for(seen, gone):
            found.gone.extend((evidence_id(record.id, rule.item, one.id), rule.item, one.id) for one in learners(seen))
    return found


def _take_back(tx: Tx, gone: list[tuple[str, str, str]]) -> None:
    """Removes evidence of rules that are gone; not of one that a still later rule set has brought back."""
    rules = in_force(tx).rules
    learned = {who for id, item, who in gone if item not in rules.by_item and tx.delete("evidence", id)}
    owe_evaluation(tx, learned)


def owe_evaluation(tx: Tx, identifiers: set[str]) -> None:
    """Makes the persons who hold what *identifiers* (by name) prove owe an evaluation."""
    persons = {record.meta["person"] for record in tx.get_many("identifier", identifiers).values()}
    for holder in sorted(set(holders(tx, persons).values())):
        tx.owe("person", holder, Owed("evaluate"))


def _ruleset(reader: Reader, version: int) -> Ruleset:
    record = reader.get("ruleset", f"v{version}")
    return msgspec.json.decode(record.body, type=Ruleset) if record else Ruleset(0)
