"""Accounts of one platform that are one user's, because the platform itself says so: user id, user name, address.

Two accounts of one home page contradict each other elsewhere (``joins.conflict_between``). Here they do not, as long as
nobody else has one of them: a name or an address that two users have joins nobody. Nothing beyond the platform is
joined: what is found there is suggested.
"""

from __future__ import annotations

from lrs.people.identifiers import contradiction, matches_nobody
from lrs.people.joins import JoinOutcome, link_id, links_of, merge, unmerge
from lrs.people.nobody import names_of
from lrs.people.persons import Mint, ensure, identifiers_in, members_of
from lrs.people.suggestions import suggest
from lrs.storage import Reader, Tx
from lrs.xapi.statements.identity import Identifier

_SAYS = "a learning platform says that one user has both"


def join_account(tx: Tx, user: Identifier, other: Identifier, *, source: str, mint: Mint) -> JoinOutcome:
    """Joins *other*, a further account of the same home page, to the person of *user*. Can be repeated.

    Outcomes as of ``joins.link``. ``conflict`` if *other* belongs to somebody who has another account there, or another
    strong identifier.
    """
    nobody = names_of(tx, source)
    if matches_nobody(user, nobody) or matches_nobody(other, nobody):
        return "nobody"
    persons = ensure(tx, (user, other), mint)
    first, second = persons[user.id], persons[other.id]
    if second in members_of(tx, first):
        return "already"
    if conflict := _conflict(tx, first, second, other):
        suggest(tx, user, other, _SAYS, source=source, conflict=conflict)
        return "conflict"
    if tx.get("link", link_id(first, second)):
        suggest(tx, user, other, f"{_SAYS}, but they were unmerged", source=source)
        return "suggested"
    merge(tx, first, second, source, despite_conflict=True)
    return "joined"


def part_account(tx: Tx, other: Identifier, *, source: str, mint: Mint) -> bool:
    """Takes an account that turned out to be several users' out of its group. ``False`` if it is joined to nobody."""
    person = ensure(tx, (other,), mint)[other.id]
    if not links_of(tx, person):
        return False
    unmerge(tx, person, source)
    return True


def suggest_elsewhere(tx: Tx, user: Identifier, other: Identifier, *, source: str, conflict: str | None = None) -> bool:
    """Suggests that *other*, which is known already, is *user*'s too. ``False`` if it is unknown, or theirs."""
    records = tx.get_many("identifier", (user.id, other.id))
    if len(records) != 2:
        return False
    mine = members_of(tx, records[user.id].meta["person"])
    if records[other.id].meta["person"] in mine:
        return False
    suggest(tx, user, other, _SAYS, source=source, conflict=conflict)
    return True


def _conflict(reader: Reader, first: str, second: str, other: Identifier) -> str | None:
    """Why the two cannot be one. At the home page of *other*, the group of *second* may have that account alone."""
    here, there = (_by_sort(reader, person) for person in (first, second))
    if there.get(other.sort or "", set()) - {other.id}:
        return "the account belongs to another user of the platform"
    clash = sorted(sort for sort in here.keys() & there.keys() if sort != other.sort and here[sort] != there[sort])
    return contradiction(clash[0]) if clash else None


def _by_sort(reader: Reader, person: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in identifiers_in(reader, members_of(reader, person)):
        if one.sort:
            found.setdefault(one.sort, set()).add(one.id)
    return found
