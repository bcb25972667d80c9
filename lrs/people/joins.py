"""Links that join persons: made by rows of an identity authority or by command, and taken back by command.

A link is a fact about two persons. The groups follow from the active links alone, so the order of the links does not
matter. Persons are joined automatically only by a row that has both identifiers, from a source that is marked identity
authority. Everything else, and every conflict, goes on the list of suggestions. Knows no evidence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Any, Literal

import msgspec

from lrs.access import is_of_content
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.people.identifiers import contradiction, matches_nobody
from lrs.people.nobody import names_of
from lrs.people.persons import Mint, ensure, holders, identifier_from, identifiers_in, members_of, put_into, unlearn
from lrs.people.suggestions import KIND as SUGGESTION
from lrs.people.suggestions import Suggestion, about_key, is_dismissed, mark, note_apart, read, suggest, suggestion_id
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.about import Whose, by_person, shown_as
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy import audit
from lrs.xapi.statements.identity import Identifier

JoinOutcome = Literal["joined", "already", "suggested", "conflict", "nobody"]


class PersonLink(msgspec.Struct, frozen=True):
    """The body of a ``link`` record: two persons, whether they are one, and who decided that last."""

    v: int
    persons: tuple[str, str]
    active: bool
    by: str


def trust(tx: Tx, source: str, by: str) -> bool:
    """Marks *source* (the name of an API key) as identity authority, whose rows may join persons.

    ``False`` if it already is. Raises ``Refused`` (409) for a source of launched content: anybody may write that.
    """
    if is_of_content(source):
        why = "it is the source of launched content, and whoever writes a course cannot know who is one person"
        raise Refused(f"{source[:80]} cannot be an identity authority: {why}", status=409, error="content_source")
    if tx.get("identity-authority", source) is not None:
        return False
    tx.insert(Record("identity-authority", source))
    audit.append(tx, by, "identity-authority.marked", {"source": source})
    return True


def link(tx: Tx, one: Identifier, other: Identifier, *, source: str, mint: Mint) -> JoinOutcome:
    """Joins two persons, or suggests it, because a row of *source* has both identifiers. Can be repeated.

    Gives ``joined`` or ``already`` only for an identity authority; ``suggested`` for any other source, and if a command
    unmerged the two before; ``conflict`` if both groups have different strong identifiers of one sort; ``nobody`` if
    one of the identifiers matches nobody.
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
    parted = tx.get("link", link_id(first, second))
    if parted or is_of_content(source) or tx.get("identity-authority", source) is None:
        reason = "one row carries both, but they were unmerged by command" if parted else "one row carries both"
        suggest(tx, one, other, reason, source=source)
        return "suggested"
    _set(tx, first, second, source, active=True)
    audit.append(tx, source, "persons.joined", {"one": first, "other": second})
    return "joined"


def merge(tx: Tx, one: str, other: str, by: str, *, despite_conflict: bool = False) -> str:
    """Makes two persons one. Gives the holder, the older of them. Can be taken back; is in the record of actions.

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


def unmerge(tx: Tx, person: str, by: str, *, only: Collection[str] | None = None) -> tuple[str, ...]:
    """Takes *person* out of its group, by ending its links, or *only* those (ids). Gives the other members.

    Others that were in the group only through these links leave it too. Raises ``Refused`` (404) for an unknown person,
    (409) for one that is not merged.
    """
    group = _known(tx, person)
    links = links_of(tx, person)
    if not links:
        raise Refused(f"person {person} is not merged with anybody", status=409, error="not_merged")
    for record, fact in links:
        if only is not None and record.id not in only:
            continue
        tx.replace(msgspec.structs.replace(record, body=msgspec.json.encode(PersonLink(1, fact.persons, False, by))))
    _regroup(tx, group)
    audit.append(tx, by, "persons.unmerged", {"person": person})
    return tuple(member for member in group if member != person)


def conflict_between(reader: Reader, one: str, other: str) -> str | None:
    """A sentence that says which sort of strong identifier the groups have with different values; ``None`` if none."""
    here, there = (_strong(identifiers_in(reader, members_of(reader, person))) for person in (one, other))
    clash = sorted(sort for sort in here.keys() & there.keys() if here[sort] != there[sort])
    return contradiction(clash[0]) if clash else None


def suggestions(reader: Reader, *, dismissed: bool = False, most: int | None = None) -> list[Suggestion]:
    """Suggestions whose identifiers still belong to different persons, or *dismissed* ones; in order of making.

    All, or at most so many.
    """
    listed = (read(record) for record in each(reader, SUGGESTION) if is_dismissed(record) == dismissed)
    return list(islice((one for one in listed if _still_two(reader, one)), most))


def suggested_between(reader: Reader, one: str, other: str) -> list[tuple[Suggestion, bool]]:
    """The suggestions that the groups of two persons are one, and whether each was dismissed."""
    found = _between(reader, members_of(reader, one), members_of(reader, other))
    return [(read(record), is_dismissed(record)) for record in found]


def suggestions_about(reader: Reader, identifiers: Collection[str]) -> list[Suggestion]:
    """Those of ``suggestions`` that are about one of *identifiers* (by id); in order of making."""
    found = {record.id: record for one in identifiers for record in each(reader, SUGGESTION, about_key(one))}
    records = sorted(found.values(), key=lambda record: (record.seq, record.id))
    about = [read(record) for record in records if not is_dismissed(record)]
    return [one for one in about if _still_two(reader, one)]


def dismiss(tx: Tx, one: str, other: str, by: str) -> int:
    """Keeps two persons apart: takes the suggestions that they are one off the list, and gives their number.

    If nothing suggests it, that is noted (0). Raises ``Refused`` (404) for an unknown person, or if it is done already.
    """
    return _mark(tx, one, other, by, dismissed=True)


def bring_back(tx: Tx, one: str, other: str, by: str) -> int:
    """Puts back on the list what ``dismiss`` took off. Gives the number, and raises, as it does."""
    return _mark(tx, one, other, by, dismissed=False)


def _mark(tx: Tx, one: str, other: str, by: str, *, dismissed: bool) -> int:
    groups = _known(tx, one), _known(tx, other)
    suggested = _between(tx, *groups)
    found = [record for record in suggested if is_dismissed(record) != dismissed]
    if dismissed and not suggested and groups[0] != groups[1]:
        first, second = (next(iter(identifiers_in(tx, group))) for group in groups)
        note_apart(tx, first, second, conflict_between(tx, one, other), by)
    elif not found:
        raise Refused("nothing of the kind is suggested about these two", status=404, error="not_found")
    count = sum([mark(tx, record, by if dismissed else None) for record in found])
    action = "suggestion.dismissed" if dismissed else "suggestion.brought-back"
    audit.append(tx, by, action, {"one": one, "other": other})
    return count


def _between(reader: Reader, one: Iterable[str], other: Iterable[str]) -> list[Record]:
    here, there = ({identifier.id for identifier in identifiers_in(reader, members)} for members in (one, other))
    pairs = {suggestion_id(*sorted((first, second))) for first in here for second in there}
    return list(reader.get_many(SUGGESTION, sorted(pairs)).values())


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
    body = msgspec.json.encode(PersonLink(1, (first, second), active, by))
    keys = (key("link-person", first), key("link-person", second))
    there = tx.get("link", link_id(first, second)) or Record("link", link_id(first, second), keys=keys)
    tx.put(msgspec.structs.replace(there, body=body))
    _regroup(tx, (*members_of(tx, one), *members_of(tx, other)))


def _regroup(tx: Tx, persons: Iterable[str]) -> None:
    """Works out the groups of *persons* again. Members of a group that changed owe what follows."""
    unlearn(tx)
    left = set(persons)
    while left:
        group = _reachable(tx, min(left))
        left -= group
        records = tx.get_many("person", group)
        ordered = sorted(group, key=lambda member: (records[member].seq, member))
        for id in ordered:
            meta = {"into": None, "members": ordered} if id == ordered[0] else {"into": ordered[0], "members": []}
            if records[id].meta != meta:
                put_into(tx, records[id], meta)


def _reachable(tx: Tx, person: str) -> set[str]:
    seen, ahead = {person}, [person]
    while ahead:
        for _, fact in links_of(tx, ahead.pop()):
            fresh = set(fact.persons) - seen
            seen |= fresh
            ahead.extend(fresh)
    return seen


def links_of(reader: Reader, person: str) -> list[tuple[Record, PersonLink]]:
    """The links of *person* that are active."""
    found = [
        (record, msgspec.json.decode(record.body, type=PersonLink))
        for record in each(reader, "link", key("link-person", person))
    ]
    return [(record, fact) for record, fact in found if fact.active]


def link_id(one: str, other: str) -> str:
    """The id of the link between two persons."""
    return name("link", *sorted((one, other)))


def shown(reader: Reader, suggestion: Suggestion) -> dict[str, object]:
    """A suggestion with its identifiers in full, for a person to decide on."""
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
    return subjects(persons=msgspec.json.decode(record.body, type=PersonLink).persons)


def _link_shown(record: Record, whose: Whose) -> dict[str, Any]:
    fact = msgspec.json.decode(record.body, type=PersonLink)
    mine = [one for one in fact.persons if one in whose.persons]
    return shown_as(record, {"persons": mine, "active": fact.active})


KINDS = (
    Kind(
        "link",
        "fact",
        PersonLink,
        1,
        subjects=_both,
        retention="evidence",
        exported=True,
        basis=True,
        find=by_person("link", "link-person"),
        shown=_link_shown,
    ),
    Kind("identity-authority", "fact", subjects=None, retention="configuration", exported=True, basis=True),
)
