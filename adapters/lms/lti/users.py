"""Users of platforms, and the persons they are: what each launch and each roster teaches the store.

A user is known by platform and ``sub`` alone. ``iss`` and ``sub`` are an account of xAPI; the user name and the address
of the same user become further accounts of that person, for content of the same platform names learners by them. A name
or an address that two users have joins nobody, and so does one that is, or may be, the ``sub`` of another user.

What the platform does not answer for is only suggested, and proves nothing: a mailbox, which is the world's; a user
name in a parameter of a link, which whoever edits the link can write; an account at the address by which one of several
institutions with one issuer calls itself. Records: ``lti-user``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from adapters.lms.lti.platforms import LtiPlatform
from lrs.kernel.addresses import web_address
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.mail_server import checked_mailbox
from lrs.kernel.names import name
from lrs.people import told_names
from lrs.people.ids import identified, ids_of
from lrs.people.persons import Mint, ensure, minter
from lrs.people.platform_accounts import join_account, part_account, suggest_elsewhere
from lrs.people.told_names import Called, full_name
from lrs.storage import Owed, Reader, Record, Tx, Walk, each
from lrs.storage.about import by_person
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import Identifier

KIND = "lti-user"
SHARED_ISSUERS = frozenset({"https://canvas.instructure.com", "https://blackboard.com"})
"""Issuers that many institutions have in common: there a user name is no account of the issuer's."""
_MOST = 3
_LONGEST = 255
_IN_A_LINK = "the user name is in a parameter of a link, which whoever edits the link can write"


class ToldResult(msgspec.Struct, frozen=True):
    """That a platform was told of an *award* by a *statement*: a competency at a level."""

    award: str
    statement: str
    competency: str
    level: int


class LtiUser(msgspec.Struct, frozen=True):
    """A user of *platform*. *person* is whom ``iss`` and ``sub`` stand for. *test*: no real user.

    *number* is the user's number in the institution (Moodle: ID number), *told* what the platform was told
    (``results``).
    """

    platform: str
    sub: str
    person: str
    name: str = ""
    email: str = ""
    username: str = ""
    test: bool = False
    number: str = ""
    told: tuple[ToldResult, ...] = ()
    v: int = 1


class SeenUser(msgspec.Struct, frozen=True):
    """What a launch or a roster says of a user.

    *parameter* is the user name as a parameter of the link has it, *number* that in the institution. *home* is the
    address of the institution's own platform, if told.
    """

    sub: str
    name: str = ""
    email: str = ""
    username: str = ""
    parameter: str = ""
    home: str = ""
    test: bool = False
    number: str = ""


_decoder = msgspec.json.Decoder(LtiUser)


def user_id(platform: str, sub: str) -> str:
    """The id of the record of a user."""
    return name(KIND, platform, sub)


def user(reader: Reader, id: str) -> LtiUser | None:
    """The user with this id."""
    record = reader.get(KIND, id)
    return _decoder.decode(record.body) if record else None


def those(reader: Reader, ids: Sequence[str]) -> dict[str, LtiUser]:
    """The users with these ids, by id."""
    found = reader.get_many(KIND, ids) if ids else {}
    return {id: _decoder.decode(record.body) for id, record in found.items()}


def learn(tx: Tx, tenant: Tenant, platform: LtiPlatform, seen: SeenUser) -> LtiUser:
    """Puts down what is said of a user, and joins what is surely one person. Can be repeated."""
    mint, source = minter(tenant.secret("person-ids")), f"lti {platform.id}"
    account = _account(tenant, platform.issuer, seen.sub)
    person = ensure(tx, (account,), mint)[account.id]
    before, now = user(tx, user_id(platform.id, seen.sub)), _merged(tx, platform, seen, person)
    put_user(tx, now)
    if called := "" if now.test else full_name(now.name, ""):
        told_names.keep(tx, source, [Called(account, called)])  # for staff and the learner; no statement has it
    if platform.results and (before is None or (before.number, before.email) != (now.number, now.email)):
        tx.owe("person", person, Owed("sync"))  # what could not be told because nobody knew whose it is
    _join_number(tx, tenant, platform, now, source, mint)
    for alias in dict.fromkeys(filter(None, (now.username, now.email, seen.parameter[:_LONGEST]))):
        other = _other_account(tenant, platform, seen, alias)
        if other is None or other.id == account.id or _is_sub(tx, now, alias):
            continue
        if alias not in {now.username, now.email}:
            suggest_elsewhere(tx, account, other, source=source, conflict=_IN_A_LINK)
        elif platform.issuer in SHARED_ISSUERS:
            suggest_elsewhere(tx, account, other, source=source)
        elif _is_shared(tx, platform.id, alias):
            part_account(tx, other, source=source, mint=mint)
        else:
            join_account(tx, account, other, source=source, mint=mint)
    _suggest_mailbox(tx, tenant, account, now, source)
    return now


def with_alias(reader: Reader, platform: str, alias: str) -> list[LtiUser]:
    """Users of a platform with this address or user name, at most a few."""
    found = reader.find(Walk(KIND, [_alias_key(platform, alias)], limit=_MOST)).records
    return [_decoder.decode(record.body) for record in found]


def _merged(tx: Tx, platform: LtiPlatform, seen: SeenUser, person: str) -> LtiUser:
    """What is known now. What is not told this time is not forgotten."""
    before = user(tx, user_id(platform.id, seen.sub))
    if before is None:
        before = LtiUser(platform.id, seen.sub, person)
    return msgspec.structs.replace(
        before,
        person=person,
        name=seen.name[:_LONGEST] or before.name,
        email=_mailbox(seen.email) or before.email,
        username=seen.username[:_LONGEST] or before.username,
        test=seen.test or before.test,
        number=seen.number.strip()[:_LONGEST] or before.number,
    )


def _join_number(tx: Tx, tenant: Tenant, platform: LtiPlatform, now: LtiUser, source: str, mint: Mint) -> None:
    """The number is an account of a home page of its own, by which results are told. One of two users joins nobody."""
    if not now.number or now.test:
        return
    account, other = _account(tenant, platform.issuer, now.sub), _account(tenant, number_home(platform), now.number)
    if shares_number(tx, now):
        part_account(tx, other, source=source, mint=mint)
    else:
        join_account(tx, account, other, source=source, mint=mint)


def number_home(platform: LtiPlatform) -> str:
    """The home page of accounts whose names are numbers of users in the institution."""
    return f"{platform.issuer}/user/idnumber"


def everyone(reader: Reader) -> Iterator[LtiUser]:
    """Every user of every platform."""
    return (_decoder.decode(record.body) for record in each(reader, KIND))


def of_person(reader: Reader, person: str) -> list[tuple[str, LtiUser]]:
    """The users that *person* is, with the ids of their records."""
    return [(one.id, _decoder.decode(one.body)) for one in each(reader, KIND, key("lti.user-person", person))]


def shares_number(reader: Reader, now: LtiUser) -> bool:
    """Whether another user of the platform has the same number."""
    return len(with_alias(reader, now.platform, _numbered(now.number))) > 1


def _numbered(number: str) -> str:
    return f"number {number}"


def put_user(tx: Tx, now: LtiUser) -> None:
    """Writes the record of a user."""
    keys = [key("lti.user-person", now.person)]
    keys += [_alias_key(now.platform, one) for one in (now.email, now.username) if one]
    keys += [_alias_key(now.platform, _numbered(now.number))] if now.number else []
    record, body = tx.get(KIND, user_id(now.platform, now.sub)), msgspec.json.encode(now)
    if record is None or record.body != body:
        tx.put(Record(KIND, user_id(now.platform, now.sub), body, keys=tuple(dict.fromkeys(keys))))


def _other_account(tenant: Tenant, platform: LtiPlatform, seen: SeenUser, alias: str) -> Identifier | None:
    """The account *alias* of the platform; none where the institution's own address is not known."""
    root = seen.home if platform.issuer in SHARED_ISSUERS else platform.issuer
    return _account(tenant, root, alias) if root else None


def _is_sub(reader: Reader, now: LtiUser, alias: str) -> bool:
    """Whether *alias* is the ``sub`` of another user, or may be: where these are numbers, a number is."""
    is_number = alias.isdecimal() and now.sub.isdecimal()
    return is_number or (alias != now.sub and user(reader, user_id(now.platform, alias)) is not None)


def _is_shared(reader: Reader, platform: str, alias: str) -> bool:
    return len(with_alias(reader, platform, alias)) > 1


def _suggest_mailbox(tx: Tx, tenant: Tenant, account: Identifier, now: LtiUser, source: str) -> None:
    mailbox = identified({"mbox": f"mailto:{now.email}"}, ids_of(tenant)) if now.email else None
    if mailbox is not None:
        shared = "several users of the platform have this address" if _is_shared(tx, now.platform, now.email) else None
        suggest_elsewhere(tx, account, mailbox, source=source, conflict=shared)


def _account(tenant: Tenant, home: str, account_name: str) -> Identifier:
    found = identified({"account": {"homePage": home, "name": account_name}}, ids_of(tenant))
    assert found is not None  # noqa: S101 (both parts are texts)
    return found


def _mailbox(text: str) -> str:
    try:
        return checked_mailbox(text.strip()) if text.strip() else ""
    except Refused:
        return ""


def home_of(address: str) -> str:
    """*address* as the home page of accounts: without a slash at its end; empty if it is none."""
    try:
        web_address(address)
    except ValueError:
        return ""
    return address.rstrip("/")


def _alias_key(platform: str, alias: str) -> int:
    return key("lti.alias", platform, alias.casefold())


def _about(record: Record) -> Subjects:
    return subjects(persons=[_decoder.decode(record.body).person])


KINDS = (
    Kind(
        KIND,
        "fact",
        LtiUser,
        1,
        subjects=_about,
        retention="evidence",
        exported=True,
        find=by_person(KIND, "lti.user-person"),
    ),
)
