"""Which persons are one: links between them, made by an identity authority's rows or by command, and taken back.

A link is a fact about two persons; the groups follow from the active links alone, so the order in which they were made
does not matter. On their own, persons join only by a row of a source that is marked identity authority and carries both
identifiers. Everything else, and everything that conflicts, goes on the list of suggestions. Knows no evidence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.people.identifiers import matches_nobody
from lrs.people.nobody import names_of
from lrs.people.persons import Mint, ensure, holders, identifier_from, identifiers_in, members_of
from lrs.people.suggestions import Suggestion, suggest
from lrs.storage import Owed, Reader, Record, Tx, pages
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy import audit
from lrs.xapi.statements.identity import Identifier

Outcome = Literal["joined", "already", "suggested", "conflict", "nobody"]


class Link(msgspec.Struct, frozen=True):
    """The body of a ``link`` record: two persons, whether they are one, and who said so last."""

    v: int
    persons: tuple[str, str]
    active: bool
    by: str


def trust(tx: Tx, source: str, by: str) -> bool:
    """Marks *source* (the name of an API key) as identity authority: its rows may join persons; ``False`` if it is."""
    if tx.get("identity-authority", source) is not None:
        return False
    tx.insert(Record("identity-authority", source))
    audit.append(tx, by, "identity-authority.marked", {"source": source})
    return True


def link(tx: Tx, one: Identifier, other: Identifier, *, source: str, mint: Mint) -> Outcome:
    """What a row of *source* that carries both identifiers does. Safe to repeat.

    ``joined`` and ``already`` only for an identity authority; ``suggested`` for anybody else, and where a command has
    parted the two before; ``conflict`` where both groups have different strong identifiers of one sort; ``nobody``
    where one of them matches nobody.
    """
    nobody = names_of(tx, source)
    if matches_nobody(one, nobody) or matches_nobody(other, nobody):
        return "nobody"
    persons = ensure(tx, (one, other), mint)
    first, second = persons[one.id], persons[other.id]
    if second in members_of(tx, first):
        return "already"
    if conflict := conflict_between(tx, first, second):
        suggest(tx, one, other, "one row carries both", source=source, conflict=conflict)
        return "conflict"
    parted = tx.get("link", _link_id(first, second))
    if parted or tx.get("identity-authority", source) is None:
        reason = "one row carries both, but they were unmerged by command" if parted else "one row carries both"
        suggest(tx, one, other, reason, source=source)
        return "suggested"
    _set(tx, first, second, source, active=True)
    audit.append(tx, source, "persons.joined", {"one": first, "other": second})
    return "joined"


def merge(tx: Tx, one: str, other: str, by: str, *, despite_conflict: bool = False) -> str:
    """Makes two persons one; gives the holder, the older of them. Reversible, audited, recomputed.

    Raises ``Refused`` (404) for an unknown person, (409) for a conflict unless *despite_conflict*.
    """
    group = _known(tx, one)
    _known(tx, other)
    if other in group:
        return group[0]
    conflict = conflict_between(tx, one, other)
    if conflict and not despite_conflict:
        raise Refused(f"the two persons contradict each other: {conflict}", status=409, error="conflict")
    _set(tx, one, other, by, active=True)
    audit.append(tx, by, "persons.merged", {"one": one, "other": other})
    return members_of(tx, one)[0]


def unmerge(tx: Tx, person: str, by: str) -> tuple[str, ...]:
    """Takes *person* out of its group; gives the others. What it linked between them falls apart with it.

    Raises ``Refused`` (404) for an unknown person, (409) for one that stands alone.
    """
    group = _known(tx, person)
    links = _links(tx, person)
    if not links:
        raise Refused(f"person {person} is not merged with anybody", status=409, error="not_merged")
    for record, fact in links:
        tx.replace(msgspec.structs.replace(record, body=msgspec.json.encode(Link(1, fact.persons, False, by))))
    _regroup(tx, group)
    audit.append(tx, by, "persons.unmerged", {"person": person})
    return tuple(member for member in group if member != person)


def conflict_between(reader: Reader, one: str, other: str) -> str | None:
    """The sort of strong identifier that both groups have, and have differently, or ``None``."""
    here, there = (_strong(identifiers_in(reader, members_of(reader, person))) for person in (one, other))
    clash = sorted(sort for sort in here.keys() & there.keys() if here[sort] != there[sort])
    return f"both have another {clash[0]}" if clash else None


def suggestions(reader: Reader, *, dismissed: bool = False) -> list[Suggestion]:
    """Those whose identifiers still belong to different persons, in the order they came up; or those *dismissed*."""
    return [one for one in _all_suggestions(reader, dismissed=dismissed) if _still_two(reader, one)]


def suggestions_about(reader: Reader, identifiers: Collection[str]) -> list[Suggestion]:
    """Those of ``suggestions`` that concern one of *identifiers* (by name)."""
    about = (one for one in _all_suggestions(reader) if not set(one.identifiers).isdisjoint(identifiers))
    return [one for one in about if _still_two(reader, one)]


def dismiss(tx: Tx, one: str, other: str, by: str) -> int:
    """Takes what suggests that two persons are one off the list; how many. Nothing is joined or parted by it.

    Raises ``Refused`` (404) for an unknown person, or if nothing of the kind is on the list.
    """
    return _mark(tx, one, other, by, dismissed=True)


def bring_back(tx: Tx, one: str, other: str, by: str) -> int:
    """Puts back on the list what ``dismiss`` took off. Raises as it does."""
    return _mark(tx, one, other, by, dismissed=False)


def _mark(tx: Tx, one: str, other: str, by: str, *, dismissed: bool) -> int:
    here, there = ({identifier.id for identifier in identifiers_in(tx, _known(tx, person))} for person in (one, other))
    found = [
        record
        for record in pages(tx, "suggestion")
        if _is_dismissed(record) != dismissed and _is_between(_suggestion(record), here, there)
    ]
    if not found:
        raise Refused("nothing of the kind is suggested about these two", status=404, error="not_found")
    for record in found:
        tx.replace(msgspec.structs.replace(record, meta={"dismissed": by} if dismissed else {}))
    action = "suggestion.dismissed" if dismissed else "suggestion.brought-back"
    audit.append(tx, by, action, {"one": one, "other": other})
    return len(found)


def _is_between(suggestion: Suggestion, here: Collection[str], there: Collection[str]) -> bool:
    first, second = suggestion.identifiers
    return (first in here and second in there) or (first in there and second in here)


def _is_dismissed(record: Record) -> bool:
    return "dismissed" in record.meta


def _suggestion(record: Record) -> Suggestion:
    return msgspec.json.decode(record.body, type=Suggestion)


def _all_suggestions(reader: Reader, *, dismissed: bool = False) -> list[Suggestion]:
    return [_suggestion(record) for record in pages(reader, "suggestion") if _is_dismissed(record) == dismissed]


def _still_two(reader: Reader, suggestion: Suggestion) -> bool:
    records = reader.get_many("identifier", suggestion.identifiers)
    persons = {record.meta["person"] for record in records.values()}
    return len(records) == 2 and len(set(holders(reader, persons).values())) == 2


def _known(tx: Tx, person: str) -> tuple[str, ...]:
    group = members_of(tx, person)
    if not group:
        raise Refused(f"there is no person {person}", status=404, error="not_found")
    return group


def _strong(identifiers: Iterable[Identifier]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for identifier in identifiers:
        if identifier.sort:
            found.setdefault(identifier.sort, set()).add(identifier.id)
    return found


def _set(tx: Tx, one: str, other: str, by: str, *, active: bool) -> None:
    first, second = sorted((one, other))
    body = msgspec.json.encode(Link(1, (first, second), active, by))
    keys = (key("link-person", first), key("link-person", second))
    there = tx.get("link", _link_id(first, second)) or Record("link", _link_id(first, second), keys=keys)
    tx.put(msgspec.structs.replace(there, body=body))
    _regroup(tx, (*members_of(tx, one), *members_of(tx, other)))


def _regroup(tx: Tx, persons: Iterable[str]) -> None:
    """Works out the groups among *persons* anew; whoever's changed owes an evaluation."""
    left = set(persons)
    while left:
        group = _reachable(tx, min(left))
        left -= group
        records = tx.get_many("person", group)
        ordered = sorted(group, key=lambda member: (records[member].seq, member))
        for id in ordered:
            meta = {"into": None, "members": ordered} if id == ordered[0] else {"into": ordered[0], "members": []}
            if records[id].meta != meta:
                tx.replace(msgspec.structs.replace(records[id], meta=meta, owed=(Owed("evaluate"),)))


def _reachable(tx: Tx, person: str) -> set[str]:
    seen, ahead = {person}, [person]
    while ahead:
        for _, fact in _links(tx, ahead.pop()):
            fresh = set(fact.persons) - seen
            seen |= fresh
            ahead.extend(fresh)
    return seen


def _links(tx: Tx, person: str) -> list[tuple[Record, Link]]:
    found = [
        (record, msgspec.json.decode(record.body, type=Link))
        for record in pages(tx, "link", key("link-person", person))
    ]
    return [(record, fact) for record, fact in found if fact.active]


def _link_id(one: str, other: str) -> str:
    return name("link", *sorted((one, other)))


def shown(reader: Reader, suggestion: Suggestion) -> dict[str, object]:
    """A suggestion with its identifiers written out, for a person to decide on."""
    records = reader.get_many("identifier", suggestion.identifiers)
    sides = [
        {"person": records[id].meta["person"], "identifier": identifier_from(records[id]).ifi}
        for id in suggestion.identifiers
    ]
    return {
        "persons": sides,
        "reason": suggestion.reason,
        "source": suggestion.source,
        "conflict": suggestion.conflict,
    }


def _both(record: Record) -> Subjects:
    return subjects(persons=msgspec.json.decode(record.body, type=Link).persons)


KINDS = (
    Kind("link", "fact", Link, 1, subjects=_both, retention="evidence", exported=True, basis=True),
    Kind("identity-authority", "fact", subjects=None, retention="configuration", exported=True, basis=True),
)
