"""The people in a row: learners, and the staff who taught or assessed them. Pure; knows no file layout.

A learner's *key* is what the provider calls them (own reference, else ULN, else e-mail), so that a ULN that arrives
later corrects the row and does not make a second one. The *actor* is the strongest identifier: ULN, own reference,
e-mail. Names are in no statement: they are kept as told (``lrs.people.told_names``), and show that learner and assessor
are one person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import quote, unquote

import msgspec
from tincan import Activity, ActivityDefinition, Agent, AgentAccount, Context, Extensions, Statement, Verb

from adapters.reading.cells import email, text
from adapters.reading.source import Fact
from adapters.reading.vocabulary import IDENTIFIERS, REGISTERED, iri
from lrs.kernel.tables.row import Row, Unusable
from lrs.people.identifiers import TEMPORARY_ULN, ULN_HOME_PAGE, uln_fault
from lrs.people.told_names import full_name

_BY = ("uln", "learner_ref", "email")
_NOT_IN_IRI = re.compile(r"[%?#^`{|}]")


class Ifi(msgspec.Struct, frozen=True, order=True):
    """One identifier: an account (*home*, *name*), or a mailbox (*home* is ``""``, *name* ``mailto:…``)."""

    home: str
    name: str

    def agent(self) -> Agent:
        """The identifier as an xAPI Agent."""
        if self.home:
            return Agent(account=AgentAccount(home_page=self.home, name=self.name))
        return Agent(mbox=self.name)

    @property
    def written(self) -> str:
        """The identifier as people write it: an address without ``mailto:``, or the name of the account."""
        return self.name if self.home else unquote(self.name.removeprefix("mailto:"))


class FileLearner(msgspec.Struct, frozen=True):
    """A learner of one row: identifiers, strongest first, the provider's key, and the *name* in the row, if any."""

    key: str
    identifiers: tuple[Ifi, ...]
    name: str = ""

    @property
    def actor(self) -> Ifi:
        """The identifier that statements are about."""
        return self.identifiers[0]

    @property
    def names(self) -> frozenset[str]:
        """The possible *key* of this learner in other rows: any of the identifiers, as in ``key``."""
        return frozenset(ifi.written for ifi in self.identifiers)

    def under_each_name(self, fact: Fact, at: int = 0) -> Fact:
        """*fact*, which has the key of the learner in place *at* of its own, as earlier files with fewer names told it.

        So a session told by an address alone, and later with a ULN or reference beside it, counts once. In one file a
        ULN is one learner's, and an address may be that of several.
        """
        others = sorted(self.names - {self.key})
        older = (_renamed(one, at, name) for name in others for one in (fact, *fact.older))
        uln = next((one.written for one in self.identifiers if one.home == ULN_HOME_PAGE), self.key)
        by_uln = () if uln == self.key else _under(fact.key, at, uln)
        return msgspec.structs.replace(fact, older=(*fact.older, *older), by_uln=by_uln)

    def called(self) -> tuple[tuple[Ifi, str], ...]:
        """The name that the row gives to *actor*, as in ``Mapped.called``."""
        return ((self.actor, self.name),) if self.name else ()

    def same(self) -> tuple[Fact, ...]:
        """One fact for each further identifier of the row: it is the same person. Each has a statement of its own.

        So an address that changes corrects nothing else, and no other statement has to repeat it.
        """
        return tuple(Fact("same", (*_parts(self.actor), *_parts(o)), Same(self.actor, o)) for o in self.identifiers[1:])


class Same(msgspec.Struct, frozen=True):
    """Two identifiers that one row gives for one person."""

    actor: Ifi
    other: Ifi

    def statement(self, provider: str) -> Statement:
        """``registered`` with the provider, with both identifiers (see ``vocabulary.IDENTIFIERS``)."""
        both = [self.actor.agent().as_version(), self.other.agent().as_version()]
        return Statement(
            actor=self.actor.agent(),
            verb=Verb(id=REGISTERED, display={"en": "registered"}),
            object=Activity(id=iri("providers", provider), definition=ActivityDefinition(name={"en": provider})),
            context=Context(extensions=Extensions({IDENTIFIERS: both})),
        )


def mailbox(address: str) -> Ifi:
    """The identifier of an e-mail address. Characters that an IRI cannot have are percent-encoded (RFC 6068, 2)."""
    return Ifi("", "mailto:" + _NOT_IN_IRI.sub(lambda sign: quote(sign[0], safe=""), address))


class Learners:
    """Reads the learners of one file, and remembers the ULN or the name that each of them had."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._ulns: dict[str, str] = {}
        self._named: dict[str, frozenset[str]] = {}

    def read(self, row: Row) -> FileLearner:
        """The learner of *row*, by ``uln``, ``learner_ref`` and ``email``. Raises ``Unusable`` without any."""
        uln, ref, address = learner_number(row), text(row, "learner_ref"), email(row, "email")
        own = Ifi(self._home, ref) if ref else None
        found = [
            ifi
            for ifi in (Ifi(ULN_HOME_PAGE, uln) if uln else None, own, mailbox(address) if address else None)
            if ifi is not None
        ]
        if not found:
            asked = next((one for one in _BY if one in row.cells), _BY[0])
            raise Unusable("unknown_learner", asked, text(row, asked), _nobody(row))
        for other in (ref, address):
            if uln and other and self._ulns.setdefault(other, uln) != uln:
                raise Unusable("two_ulns", "uln", uln, "this file gives the same learner another ULN")
        if not ref and not uln:
            self._check_name(address, names_of(row))
        name = full_name(text(row, "given_names"), text(row, "family_name"))
        return FileLearner(ref or uln or address, tuple(found), name)

    def read_from(self, row: Row, theirs: Mapping[str, str]) -> FileLearner:
        """As ``read``, where *theirs* has the file's own column for ``learner_ref``, ``email`` or another of ours.

        Problems name the column of the file.
        """
        cells = {**row.cells} | {ours: row.cells.get(name, "") for ours, name in theirs.items()}
        values = {**row.values} | {ours: row.values[name] for ours, name in theirs.items() if name in row.values}
        faults = {**row.faults} | {ours: row.faults[name] for ours, name in theirs.items() if name in row.faults}
        try:
            return self.read(msgspec.structs.replace(row, cells=cells, values=values, faults=faults))
        except Unusable as problem:
            column = theirs.get(problem.column, problem.column)
            raise Unusable(problem.code, column, problem.value, problem.message) from problem

    def _check_name(self, address: str, names: frozenset[str]) -> None:
        """Raises ``Unusable`` if an address alone names learners with two names."""
        if names and not names & self._named.setdefault(address, names):
            told = "this file gives the address to learners of two names: give each a learner reference or ULN"
            raise Unusable("two_learners", "email", address, told)


def learner_number(row: Row) -> str:
    """The ULN of *row*, or ``""``. 9999999999 stands for nobody and counts as none."""
    cell = "".join(text(row, "uln").split())
    if isinstance(row.values.get("uln"), Decimal):  # a number cell may show separators of thousands
        cell = cell.replace(",", "")
    if cell in {"", TEMPORARY_ULN}:
        return ""
    fault = uln_fault(cell)
    if fault:
        raise Unusable("bad_uln", "uln", cell, fault)
    return cell


def _nobody(row: Row) -> str:
    told = "no ULN, learner reference or e-mail address"
    return f"{told}: {TEMPORARY_ULN} stands for none" if "uln" in row.cells and text(row, "uln") else told


def staff(row: Row, column: str, home: str) -> Ifi | None:
    """The person in *column*: an e-mail address, or the provider's name for them; ``None`` if empty."""
    cell = text(row, column)
    if "@" in cell:
        return mailbox(email(row, column))
    return Ifi(home, " ".join(cell.split())) if cell else None


def names_of(row: Row) -> frozenset[str]:
    """The learner's name in both orders, folded, for comparison only."""
    given, family = _plain(row.cells.get("given_names", "")), _plain(row.cells.get("family_name", ""))
    return frozenset({f"{given} {family}", f"{family} {given}"}) if given and family else frozenset()


def apart(learner: FileLearner, other: Ifi | None, column: str, names: frozenset[str] = frozenset()) -> Ifi | None:
    """*other*. Raises ``Unusable`` if it is the learner, because nobody observes or assesses themselves."""
    if other is None:
        return None
    same = {name.casefold() for name in (learner.key, *learner.names)}
    if other.written.casefold() in same or _plain(other.written) in names:
        raise Unusable("self_assessed", column, other.written, "learner and assessor are the same person")
    return other


def _renamed(fact: Fact, at: int, name: str) -> Fact:
    """*fact*, and what makes it *loose*, under another name of its learner."""
    loose = fact.loose
    if loose:
        loose = msgspec.structs.replace(loose, key=_under(loose.key, at, name), exact=_under(loose.exact, at, name))
    return msgspec.structs.replace(fact, key=_under(fact.key, at, name), loose=loose, older=())


def _under(key: tuple[str, ...], at: int, name: str) -> tuple[str, ...]:
    return (*key[:at], name, *key[at + 1 :]) if key else key


def _parts(ifi: Ifi) -> tuple[str, str]:
    return ifi.home, ifi.name


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", name).casefold().split())
