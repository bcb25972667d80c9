"""Finds learners by a name, or by any identifier, whole or in part. Reads only.

A learner has the name that staff confirmed, else the one that its newest statement gives, or that a file told later
(``told_names``). So every learner can
be found, nothing has to be kept up to date, and a search by name costs two look-ups for each identifier: about a second
for ``LOOKED_THROUGH`` of them. A page asks only for the names of the newest so many identifiers, looks at the newest
``MOST`` identifiers for a part of them, and says if there are more. A whole identifier is found among all. A command
that needs exactly one person asks for everything.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import one_line
from lrs.people.confirmed_names import confirmed_name, confirmed_names
from lrs.people.identifiers import plain_name
from lrs.people.persons import holders, identifier_from, identifiers_of, members_of, person_named
from lrs.people.sent_names import name_of, names_of
from lrs.storage import Reader, Walk, walked
from lrs.tenancy.tenants import Tenant

LOOKED_THROUGH = 10_000
MOST = 50_000
LISTED = 20
_PAGE = 500
_PARTS, _WORDS, _EQUAL = 1, 2, 3


class Somebody(msgspec.Struct, frozen=True):
    """A learner. *person* is the holder, *name* what it is called, if it has a name."""

    person: str
    name: str | None
    identifiers: tuple[dict[str, Any], ...]


class Search(msgspec.Struct, frozen=True):
    """The learners that were found, by name. *whole* is false if there may be more."""

    found: tuple[Somebody, ...]
    whole: bool = True


def search(tenant: Tenant, text: str, *, every: bool = False) -> Search:
    """Learners that *text* names, ignoring case and accents.

    If *text* is an id or a whole identifier, only that learner. Else all with an identifier that is *text* without its
    type or home page. Else all whose name contains each word of it, or whose identifier contains it; those with whole
    words come first. Unless *every*, names are searched for the ``LOOKED_THROUGH`` identifiers that were seen last, and
    parts of identifiers among the last ``MOST``. Only what was found is held in memory.
    """
    reader, exact = tenant.store, person_named(tenant, text)
    if exact:
        return _listed(reader, {exact: _EQUAL})
    wanted = folded(text)
    if not wanted:
        return _listed(reader, {})
    near: dict[str, int] = {}
    count = 0
    for person, ifi in _identifiers(reader, None if every else MOST):
        count += 1
        if closeness := _of_identifier(ifi, wanted):
            near[person] = max(closeness, near.get(person, 0))
    equal = {person: closeness for person, closeness in near.items() if closeness == _EQUAL}
    if equal:
        return _listed(reader, equal)
    for person, ifi in _identifiers(reader, None if every else LOOKED_THROUGH):
        if closeness := _of_name(name_of(reader, ifi), wanted):
            near[person] = max(closeness, near.get(person, 0))
    for person, confirmed in confirmed_names(reader):
        if closeness := _of_name(confirmed, wanted):
            near[person] = max(closeness, near.get(person, 0))
    return _listed(reader, near, whole=every or count <= LOOKED_THROUGH)


def found_one(tenant: Tenant, text: str) -> str | None:
    """The one person that *text* names (see ``search``); ``None`` if there is none. For commands that only read.

    All names are searched, because otherwise one of several persons would be taken for the only one. Raises ``Refused``
    (409) with their names if there are several.
    """
    found = search(tenant, text, every=True)
    if len(found.found) > 1:
        several = "; ".join(described(one) for one in found.found)
        more = "" if found.whole else "; and perhaps more"
        raise Refused(f"several are known as {text}, name one by its id: {several}{more}", status=409, error="several")
    return found.found[0].person if found.found else None


def somebody(reader: Reader, holder: str) -> Somebody:
    """The learner *holder*, with the identifiers of those merged into it."""
    identifiers = tuple(identifiers_of(reader, holder))
    confirmed = confirmed_name(reader, members_of(reader, holder))
    name = confirmed.name if confirmed else next(iter(names_of(reader, identifiers)), None)
    return Somebody(holder, name, identifiers)


def described(one: Somebody) -> str:
    """*one* on one line: id, name, identifiers, without control characters."""
    shown = ", ".join(_text(ifi) for ifi in one.identifiers)
    return one_line(f"{one.person} {one.name} ({shown})" if one.name else f"{one.person} ({shown})")


def _identifiers(reader: Reader, most: int | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """The persons and identifiers that were seen last, those first; all, or at most so many."""
    for record in islice(walked(reader, Walk("identifier", newest_first=True, limit=_PAGE)), most):
        yield record.meta["person"], identifier_from(record).ifi


def _of_identifier(ifi: dict[str, Any], wanted: str) -> int:
    """How well *wanted* fits an identifier; 0 for not at all."""
    text = folded(_text(ifi))
    return _EQUAL if text == wanted else _PARTS if wanted in text else 0


def _of_name(called: str | None, wanted: str) -> int:
    """How well *wanted* fits a name; 0 for not at all."""
    name, words = folded(called or ""), wanted.split()
    if set(words) <= set(name.split()):
        return _WORDS
    return _PARTS if all(word in name for word in words) else 0


def _listed(reader: Reader, near: dict[str, int], *, whole: bool = True) -> Search:
    """The closest of the persons in *near*, or their holders, in the order of their names."""
    people: dict[str, None] = {}
    closest = sorted(near, key=lambda person: (-near[person], person))
    for at in range(0, len(closest), _PAGE):
        if len(people) > LISTED:
            break
        held = holders(reader, closest[at : at + _PAGE])
        people |= dict.fromkeys(held[person] for person in closest[at : at + _PAGE] if person in held)
    found = [somebody(reader, one) for one in islice(people, LISTED)]
    return Search(tuple(sorted(found, key=_by_name)), whole and len(people) <= LISTED)


def _by_name(one: Somebody) -> tuple[str, str]:
    return (folded(one.name or ""), one.person)


def _text(ifi: dict[str, Any]) -> str:
    """The part of an identifier that people know: an account's name, an address, an OpenID, a hash."""
    account = ifi.get("account")
    text = account["name"] if account else next(iter(ifi.values()))
    return str(text).removeprefix("mailto:")


def folded(text: str) -> str:
    """*text* as it is compared: without case, accents and further blanks."""
    parts = unicodedata.normalize("NFKD", plain_name(" ".join(text.split())))
    return "".join(char for char in parts if not unicodedata.combining(char)).casefold()
