"""Persons: minted once for each identifier, and found by each of them. Knows no evidence and no joining rule.

An identifier belongs for ever to the person it was minted with. Persons that are one form a group. Its *holder* is the
oldest of them; the others point to it. So a merge rewrites no identifier and no evidence, and an unmerge has nothing to
sort out.

Records: ``person`` (meta ``into``: the holder or null, ``members``: the group, if it is the holder) and ``identifier``
(id: see ``lrs.people.ids``, meta ``person``).
"""

from __future__ import annotations

import hmac
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from hashlib import sha1, sha256
from typing import Any

import msgspec

from lrs.kernel.keys import key
from lrs.people.identifiers import ULN_HOME_PAGE, same_mailbox_but_case
from lrs.people.ids import ids_of, record_of
from lrs.people.suggestions import suggest
from lrs.storage import Owed, Reader, Record, Tx, each
from lrs.storage.about import Whose, by_ids, by_person
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import Identifier, identifier_of

LISTING = "list"
"""The step by which the list of learners follows; a person owes it."""
KNOWN_LEARNERS = ("known-learners", "revision")
"""The record (kind, id) whose revision changes when persons are joined or parted, or the list of learners loses what it
had: then what is remembered about agents must be looked up again. Erasing an identifier has to change it, too."""
Mint = Callable[[str], str]
"""From the id of an identifier to the id of the person that is minted for it."""

_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
_SHOWN_IN_ORDER = ("mbox", "mbox_sha1sum", "openid", "account")


class IdentifierBody(msgspec.Struct, frozen=True):
    """The body of an ``identifier`` record."""

    v: int
    ifi: dict[str, Any]
    sort: str | None


@lru_cache(maxsize=16)
def minter(secret: bytes) -> Mint:
    """Ids that two workers compute alike, and that nobody without *secret* can compute from an e-mail address."""

    @lru_cache(maxsize=1_024)
    def mint(identifier: str) -> str:
        digest = hmac.digest(secret, identifier.encode(), sha256)
        return str(uuid.UUID(bytes=digest[:16], version=4))

    return mint


def ensure(tx: Tx, identifiers: Iterable[Identifier], mint: Mint) -> dict[str, str]:
    """The person of each identifier, by the identifier's id. Mints persons for identifiers that are new."""
    wanted: dict[str, Identifier] = {}
    for identifier in identifiers:
        if identifier.id not in wanted or "mbox" in identifier.ifi:
            wanted[identifier.id] = identifier
    found = tx.get_many("identifier", wanted)
    minted = {id: mint(id) for id in wanted if id not in found}
    there = tx.get_many("person", minted.values()) if minted else {}
    for id, identifier in wanted.items():
        if id in found:
            _keep_mailbox(tx, found[id], identifier)
        else:
            found[id] = _mint(tx, identifier, minted[id], known=minted[id] in there)
    return {id: record.meta["person"] for id, record in found.items()}


def reads_of(identifiers: Iterable[Identifier], mint: Mint) -> Iterator[tuple[str, str]]:
    """The records (kind, id) that ``ensure`` will look at, as far as they are known before."""
    for id in {identifier.id for identifier in identifiers}:
        yield "identifier", id
        yield "person", mint(id)


def unlearn(tx: Tx) -> None:
    """Lets what is remembered about agents be looked up again after this commit (``KNOWN_LEARNERS``)."""
    tx.put(Record(*KNOWN_LEARNERS))


def lacks_mailbox(record: Record, seen: Identifier) -> bool:
    """Whether *record*, the ``identifier`` record of *seen*, has only the hash of the mailbox that is seen now."""
    return "mbox" in seen.ifi and "mbox" not in identifier_from(record).ifi


def holders(reader: Reader, persons: Iterable[str]) -> dict[str, str]:
    """The holder for each of *persons*: itself, or the person it was merged into."""
    return {id: record.meta["into"] or id for id, record in reader.get_many("person", persons).items()}


def members_of(reader: Reader, person: str) -> tuple[str, ...]:
    """The members of the group of *person*, oldest first; empty if there is no such person."""
    record = reader.get("person", person)
    if record and record.meta["into"]:
        record = reader.get("person", record.meta["into"])
    return tuple(record.meta["members"]) if record else ()


def identifiers_in(reader: Reader, members: Iterable[str]) -> list[Identifier]:
    """The identifiers of persons, in the order of *members*, then in the order they were first seen."""
    return [
        identifier_from(record)
        for member in members
        for record in each(reader, "identifier", key("identifier-person", member))
    ]


def identifiers_of(reader: Reader, person: str) -> list[dict[str, Any]]:
    """The xAPI identifiers of the group of *person*: mailboxes, hashes, OpenIDs, then accounts, each oldest first."""
    found = [identifier.ifi for identifier in identifiers_in(reader, members_of(reader, person))]
    return sorted(found, key=lambda ifi: _SHOWN_IN_ORDER.index(next(iter(ifi))))


def identifier_from(record: Record) -> Identifier:
    """The identifier in an ``identifier`` record."""
    kept = msgspec.json.decode(record.body, type=IdentifierBody)
    return Identifier(record.id, kept.ifi, kept.sort)


def named(text: str) -> Identifier | None:
    """The identifier that *text* is: an e-mail address or its SHA-1, ten digits, ``homePage|name``, an OpenID.

    It has its name and not its id in a store.
    """
    if text.isdigit():
        return identifier_of({"account": {"homePage": ULN_HOME_PAGE, "name": text}})
    if _SHA1.fullmatch(text):
        return identifier_of({"mbox_sha1sum": text})
    home_page, bar, account_name = text.partition("|")
    if bar:
        return identifier_of({"account": {"homePage": home_page, "name": account_name}})
    if text.startswith("mailto:"):
        return identifier_of({"mbox": text})
    if "://" in text:
        return identifier_of({"openid": text})
    return identifier_of({"mbox": f"mailto:{text}"}) if "@" in text else None


def person_named(tenant: Tenant, text: str) -> str | None:
    """The id of the person that *text* names, by its id or by an identifier as ``named`` reads it."""
    if tenant.store.get("person", text):
        return text
    identifier = named(text)
    record = record_of(tenant.store, identifier.id, ids_of(tenant)) if identifier else None
    return record.meta["person"] if record else None


def mailboxes_like(reader: Reader, address: str) -> list[tuple[str, str]]:
    """Persons and their mailboxes that are *address* but for upper and lower case."""
    found = [
        (record, identifier_from(record).ifi)
        for record in each(reader, "identifier", _mailbox_key(f"mailto:{address}"))
    ]
    return [(record.meta["person"], ifi["mbox"].removeprefix("mailto:")) for record, ifi in found if "mbox" in ifi]


def put_into(tx: Tx, person: Record, meta: dict[str, Any]) -> None:
    """Puts *person*, a ``person`` record, into the group in *meta*; what follows from who is one is owed.

    Their badges are looked at, too: whether they may name their holder depends on everybody who is one with them.
    """
    owed = tuple(Owed(step) for step in ("evaluate", LISTING, "sync"))
    tx.replace(msgspec.structs.replace(person, meta=meta, owed=owed))
    owe_badges(tx, person.id)


def owe_badges(tx: Tx, person: str) -> None:
    """Has the badges of *person* looked at, with this commit: what may be said of the person in them changed."""
    for award in list(each(tx, "award", key("award", person))):
        tx.owe("award", award.id, Owed("issue"))


def whose(reader: Reader, person: str) -> Whose:
    """All that records call *person* and whoever is one with them; empty if there is no such person."""
    members = members_of(reader, person)
    known = identifiers_in(reader, members)
    agents = [form for one in known for form in _forms(one.ifi)]
    return Whose(members, tuple(one.id for one in known), tuple(agents))


def _forms(ifi: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield ifi
    if "mbox" in ifi:
        yield {"mbox_sha1sum": sha1(ifi["mbox"].encode("utf-8", "replace")).hexdigest()}  # noqa: S324 (xAPI says SHA-1)


def _mint(tx: Tx, identifier: Identifier, person: str, *, known: bool) -> Record:
    if not known:
        tx.insert(Record("person", person, b'{"v":1}', meta={"into": None, "members": [person]}))
    keys = [key("identifier-person", person)]
    if mbox := identifier.ifi.get("mbox"):
        _suggest_same_mailbox(tx, identifier, mbox)
        keys.append(_mailbox_key(mbox))
    body = msgspec.json.encode(IdentifierBody(1, identifier.ifi, identifier.sort))
    return tx.insert(Record("identifier", identifier.id, body, {"person": person}, tuple(keys)))


def _keep_mailbox(tx: Tx, record: Record, seen: Identifier) -> None:
    """Replaces the hash of a mailbox by the mailbox, once that is seen."""
    if not lacks_mailbox(record, seen):
        return
    body = msgspec.json.encode(IdentifierBody(1, seen.ifi, seen.sort))
    keys = (*record.keys, _mailbox_key(seen.ifi["mbox"]))
    tx.replace(msgspec.structs.replace(record, body=body, keys=keys))
    tx.owe("person", record.meta["person"], Owed(LISTING))
    _suggest_same_mailbox(tx, seen, seen.ifi["mbox"])


def _suggest_same_mailbox(tx: Tx, identifier: Identifier, mbox: str) -> None:
    for record in each(tx, "identifier", _mailbox_key(mbox)):
        other = identifier_from(record)
        if same_mailbox_but_case(identifier, other):
            suggest(tx, identifier, other, "the mailboxes differ in upper and lower case only", source="engraft")


def _mailbox_key(mbox: str) -> int:
    return key("mailbox", mbox.casefold())


def _group(record: Record) -> Subjects:
    into = record.meta["into"]
    return subjects(persons={record.id, *record.meta["members"], *([into] if into else ())})


def _owner(record: Record) -> Subjects:
    return subjects(persons=[record.meta["person"]], identifiers=[record.id])


KINDS = (
    Kind(
        "person",
        "fact",
        version=1,
        subjects=_group,
        retention="evidence",
        exported=True,
        basis=True,
        find=by_ids("person"),
    ),
    Kind(
        "identifier",
        "fact",
        IdentifierBody,
        1,
        subjects=_owner,
        retention="evidence",
        exported=True,
        basis=True,
        find=by_person("identifier", "identifier-person"),
    ),
    Kind(KNOWN_LEARNERS[0], "working", subjects=None, retention="operational", exported=False),
)
