"""Finding learners by what people know of them: a name, or any identifier, whole or a part of it. Reads only.

Names are not kept apart from statements: what a learner is called is what the newest statement calls it. So every
learner can be found however long ago it came, nothing has to be kept up, and a search by name costs a look-up for each
identifier: about a second for ``LOOKED_THROUGH`` of them. A page asks for the names of the newest so many only, and
says so; identifiers themselves are all looked at. A command that must have the one who is meant asks for all names.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import one_line
from lrs.people.identifiers import plain_name
from lrs.people.persons import holders, identifier_from, identifiers_of, person_named
from lrs.storage import Reader, Record
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import ifi_text
from lrs.xapi.statements.keys import agent_key

LOOKED_THROUGH = 10_000
LISTED = 20
_STATEMENTS = 3
_PAGE = 500
_PARTS, _WORDS, _EQUAL = 1, 2, 3


class Somebody(msgspec.Struct, frozen=True):
    """A learner: *person* holds what is proven, *name* is what the newest statement says, if any says one."""

    person: str
    name: str | None
    identifiers: tuple[dict[str, Any], ...]


class Search(msgspec.Struct, frozen=True):
    """Who was found, by name; *whole* is false if there may be more than are listed."""

    found: tuple[Somebody, ...]
    whole: bool = True


class _Said(msgspec.Struct, frozen=True):
    actor: Any = None


_decode = msgspec.json.Decoder(_Said).decode


def search(tenant: Tenant, text: str, *, every: bool = False) -> Search:
    """Learners whom *text* names, in any case and without accents.

    By id or a whole identifier it is that one alone; else all whose identifier is *text* without its sort or home page;
    else all in whose name each word stands, or in whose identifier the text does, those with the words as they are
    first. Unless *every* name is asked for, those of the ``LOOKED_THROUGH`` identifiers that were seen last are.
    """
    reader, exact = tenant.store, person_named(tenant, text)
    if exact:
        return _listed(reader, {exact: _EQUAL})
    wanted = _folded(text)
    records = _identifiers(reader) if wanted else ()
    looked_at = [(record.meta["person"], identifier_from(record).ifi) for record in records]
    near = {person: _EQUAL for person, ifi in looked_at if _folded(_text(ifi)) == wanted}
    if near:
        return _listed(reader, near)
    named = len(looked_at) if every else LOOKED_THROUGH
    for number, (person, ifi) in enumerate(looked_at):
        name = name_of(reader, ifi) if number < named else None
        if closeness := _closeness(name, ifi, wanted):
            near[person] = max(closeness, near.get(person, 0))
    return _listed(reader, near, whole=len(looked_at) <= named)


def found_one(tenant: Tenant, text: str) -> str | None:
    """The person *text* names (see ``search``), ``None`` if nobody; for what only reads, as a part of a name is enough.

    All names are asked for: one of several would be taken for the only one.

    Raises ``Refused`` (409) if there are several, and names them.
    """
    found = search(tenant, text, every=True)
    if len(found.found) > 1:
        several = "; ".join(described(one) for one in found.found)
        more = "" if found.whole else "; and perhaps more"
        raise Refused(f"several are known as {text}, name one by its id: {several}{more}", status=409, error="several")
    return found.found[0].person if found.found else None


def somebody(reader: Reader, holder: str) -> Somebody:
    """What is known of the person *holder* and of those merged into it."""
    identifiers = tuple(identifiers_of(reader, holder))
    names = (name_of(reader, ifi) for ifi in identifiers)
    return Somebody(holder, next(filter(None, names), None), identifiers)


def described(one: Somebody) -> str:
    """*one* as a line: id, name, identifiers; nothing in it steers a terminal."""
    shown = ", ".join(_text(ifi) for ifi in one.identifiers)
    return one_line(f"{one.person} {one.name} ({shown})" if one.name else f"{one.person} ({shown})")


def name_of(reader: Reader, ifi: dict[str, Any]) -> str | None:
    """What the newest statements by the agent with *ifi*, or by a group with it as a member, call it."""
    wanted = ifi_text(ifi)
    keys = [agent_key(wanted or "")]
    for record in reader.find("statement", keys, newest_first=True, limit=_STATEMENTS).records:
        for agent in _agents(record):
            name = agent.get("name")
            if isinstance(name, str) and name.strip() and ifi_text(agent) == wanted:
                return name
    return None


def _agents(record: Record) -> Iterator[dict[str, Any]]:
    """The actor, and whom it has as members."""
    try:
        actor = _decode(record.body).actor
    except msgspec.MsgspecError:
        return
    if isinstance(actor, dict):
        yield actor
        members = actor.get("member")
        yield from (one for one in (members if isinstance(members, list) else ()) if isinstance(one, dict))


def _identifiers(reader: Reader) -> Iterator[Record]:
    """All identifiers, those that were seen last first."""
    start: str | None = None
    while True:
        page = reader.find("identifier", newest_first=True, limit=_PAGE, start=start)
        yield from page.records
        start = page.next
        if start is None:
            return


def _closeness(called: str | None, ifi: dict[str, Any], wanted: str) -> int:
    """How well *wanted* fits an identifier and what it is *called*; 0: not at all."""
    name = _folded(called or "")
    words = wanted.split()
    if set(words) <= set(name.split()):
        return _WORDS
    return _PARTS if wanted in _folded(_text(ifi)) or all(word in name for word in words) else 0


def _listed(reader: Reader, near: dict[str, int], *, whole: bool = True) -> Search:
    """The closest of the persons in *near*, or who holds for them, in the order of their names."""
    held = holders(reader, near)
    closest = sorted({(-near[person], holder) for person, holder in held.items()})
    people = list(dict.fromkeys(holder for _, holder in closest))
    found = [somebody(reader, one) for one in people[:LISTED]]
    return Search(tuple(sorted(found, key=_by_name)), whole and len(people) <= LISTED)


def _by_name(one: Somebody) -> tuple[str, str]:
    return (_folded(one.name or ""), one.person)


def _text(ifi: dict[str, Any]) -> str:
    """What people know of an identifier: an account's name, an address, an OpenID, a hash."""
    account = ifi.get("account")
    text = account["name"] if account else next(iter(ifi.values()))
    return str(text).removeprefix("mailto:")


def _folded(text: str) -> str:
    parts = unicodedata.normalize("NFKD", plain_name(text))
    return "".join(char for char in parts if not unicodedata.combining(char)).casefold()
