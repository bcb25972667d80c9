"""Statements from which nothing follows: found out in the commit that stores them, so that they owe no ``match``.

That is their evaluation: it is made by the rules in force that the same commit reads. Nothing follows from what one
learner did if no rule is about it, if it takes no mark off and joins nobody, and if it tells nothing new of the
learner: the person is there, and the list of learners has the source and the name. The latter is a fact about an agent,
a name and a source, and stays true until persons are joined or parted, or the list loses something
(``persons.KNOWN_LEARNERS``, which the commit reads). So it is looked up once and, after the commit, remembered.

The commit parses no rules. While those in force are not in memory, or cannot be read, everything owes ``match``, and
another thread parses them.

What comes later finds the statements that owe nothing: a change of rules, and of the names for nobody of a source, by a
walk (``rules.walk``); joining and parting owe what follows of the persons. Where it is not certain that nothing
follows, the statement owes ``match``, which says what does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple
from weakref import WeakKeyDictionary

import msgspec

from lrs.competency.completion import UNCOMPLETED
from lrs.competency.evidence import Meaning
from lrs.competency.list_owed import rows_of, unlisted
from lrs.competency.rules.rules import Index, rules_for
from lrs.competency.rules.rulesets import CURRENT, at_hand, parse_soon, unparsed
from lrs.competency.seen import Activity, SeenStatement, Verb, learners, look, names_given
from lrs.kernel.errors import Refused
from lrs.people.ids import ids_of
from lrs.people.persons import KNOWN_LEARNERS, lacks_mailbox, minter
from lrs.people.persons import reads_of as persons_of
from lrs.storage import Record, RecordName, Store, Tx
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import SAME_PERSON, ifi_text
from lrs.xapi.statements.subscriptions import StatementToStore, StepQuestion

MOST_FACTS = 30_000
LONGEST_REST = 1_000
"""Statements for which nothing is looked up, at most, after look-ups that found nobody."""
FREE = 63
"""Of these so many are looked up all the same, so six look-ups in a row may fail before one is left out."""
ToldFact = tuple[str, str, str]
"""That a source tells of an agent (``ifi_text``) by a name, and all of this is known."""


class _Known:
    """The facts that are known in one store. *told* has the revision of ``KNOWN_LEARNERS`` at which they are, and them.

    Where nobody is found, because no worker runs or all learners are new, it is looked up more and more seldom.
    """

    def __init__(self) -> None:
        self.told: tuple[int, set[ToldFact]] = -1, set()
        self._rest = self._left = 0
        self._lock = Lock()

    def at(self, revision: int) -> Collection[ToldFact]:
        """The facts that are known at *revision*."""
        known_at, facts = self.told
        return facts if known_at == revision else ()

    def is_looked_up(self, count: int) -> bool:
        """Whether the facts about *count* statements are to be looked up."""
        if self._left > 0:
            self._left -= count
        return self._left <= 0

    def learn(self, revision: int, found: Collection[ToldFact] | None) -> None:
        """Remembers what a look-up *found*, if there was one, at *revision*; nothing is a reason to rest."""
        with self._lock:
            if self.told[0] != revision or len(self.told[1]) > MOST_FACTS:
                self.told = revision, set()
            if found is not None:
                self.told[1].update(found)
                self._rest = 0 if found else min(2 * self._rest + 1, LONGEST_REST)
                self._left = max(0, self._rest - FREE)


_known: WeakKeyDictionary[Store, _Known] = WeakKeyDictionary()


def asks(statements: Sequence[StatementToStore], tenant: Tenant) -> StepQuestion:
    """Asks which of *statements*, about to be stored together, something may follow from."""
    known = _known.get(tenant.store) or _known.setdefault(tenant.store, _Known())
    plain = {one.id: (one.tree["verb"]["id"], fact) for one in statements if (fact := _fact(one))}
    facts = known.told[1]
    new = {plain[one.id][1]: one for one in statements if one.id in plain and plain[one.id][1] not in facts}
    told = _told(new, tenant) if new and known.is_looked_up(len(new)) else {}
    reads = (CURRENT, KNOWN_LEARNERS, *(_people(told.values(), tenant) if told else ()))
    asked = _Asked(known, plain, told)
    return StepQuestion(asked.touched, reads, asked.learn)


def _people(told: Collection[Meaning], tenant: Tenant) -> Iterator[RecordName]:
    """The records by which ``_found`` finds out what is known, as far as they are known before."""
    mint = minter(tenant.secret("person-ids"))
    yield from persons_of((one for meaning in told for one in meaning.learners), mint)
    yield from rows_of(tuple(told), mint)


def _fact(one: StatementToStore) -> ToldFact | None:
    """What a statement tells that is of one agent and neither joins anybody nor takes a mark off."""
    tree = one.tree
    actor, context = tree["actor"], tree.get("context")
    if one.refers or actor.get("objectType") == "Group" or tree["verb"]["id"] in UNCOMPLETED:
        return None
    if context and SAME_PERSON in context.get("extensions", ()):
        return None
    text = ifi_text(actor)
    return (one.meta["source"], text, actor.get("name", "")) if text else None


def _told(new: Mapping[ToldFact, StatementToStore], tenant: Tenant) -> dict[ToldFact, Meaning]:
    """What the statements tell of their learners."""
    ids = ids_of(tenant)
    seen = {fact: SeenStatement(one.id, one.tree["actor"], Verb(""), Activity()) for fact, one in new.items()}
    return {
        fact: Meaning(one.id, fact[0], learners=tuple(learners(one, ids)), names=names_given(one, ids))
        for fact, one in seen.items()
    }


class _Found(NamedTuple):
    """What was found in a decision: the revision of ``KNOWN_LEARNERS``, facts that are known, the rules that matter.

    *facts* are ``None`` if none were looked up, *rules* if they are not in memory or cannot be read. *texts* are those
    that are not in memory.
    """

    revision: int
    facts: Collection[ToldFact] | None
    rules: Sequence[Index] | None
    texts: Mapping[str, bytes]


@dataclass(slots=True)
class _Asked:
    """What is asked about *plain* statements (verb and fact by id), of whose facts *told* are looked up."""

    known: _Known
    plain: Mapping[str, tuple[str, ToldFact]]
    told: Mapping[ToldFact, Meaning]
    found: _Found | None = None

    def touched(self, tx: Tx, records: Sequence[Record]) -> set[str]:
        """Those *records* that are not among the plain ones, or tell something new, or meet a rule."""
        there = tx.get(*KNOWN_LEARNERS)
        facts = _found(tx, self.told) if self.told else None
        self.found = _Found(there.rev if there else 0, facts, *_rules(tx))
        every = {record.id for record in records}
        return every if self.found.rules is None else every - self._untouched(records, self.found, self.found.rules)

    def _untouched(self, records: Sequence[Record], found: _Found, rules: Sequence[Index]) -> set[str]:
        known, just_found = self.known.at(found.revision), found.facts or ()
        return {
            record.id
            for record in records
            if (told_of := self.plain.get(record.id))
            and (told_of[1] in known or told_of[1] in just_found)
            and "voided" not in record.meta
            and not _is_met(record, told_of[0], rules)
        }

    def learn(self) -> None:
        """After the commit: remembers what the last run of the decision found, and lets rules be parsed."""
        if self.found:
            self.known.learn(self.found.revision, self.found.facts)
            if self.found.texts:
                parse_soon(self.found.texts)


def _rules(tx: Tx) -> tuple[Sequence[Index] | None, Mapping[str, bytes]]:
    """The rules in force and in review, if they are in memory, else their texts.

    If they cannot be read, ``match`` says so.
    """
    try:
        found = at_hand(tx)
        return found, unparsed(tx) if found is None else {}
    except (msgspec.MsgspecError, KeyError, ValueError, Refused):
        return None, {}


def _found(tx: Tx, told: Mapping[ToldFact, Meaning]) -> set[ToldFact]:
    """Those facts that are known: persons and list have all of it."""
    try:
        there = tx.get_many("identifier", {one.id for meaning in told.values() for one in meaning.learners})
        known = {fact: meaning for fact, meaning in told.items() if _has(there, meaning)}
        news = unlisted(tx, tuple(known.values()))
    except (Refused, KeyError, msgspec.MsgspecError):  # too large together, or damaged: the step will say so
        return set()
    return {fact for fact, meaning in known.items() if news.isdisjoint(_persons(there, meaning))}


def _has(there: Mapping[str, Record], meaning: Meaning) -> bool:
    return all(one.id in there and not lacks_mailbox(there[one.id], one) for one in meaning.learners)


def _persons(there: Mapping[str, Record], meaning: Meaning) -> Iterable[str]:
    return (there[one.id].meta["person"] for one in meaning.learners)


def _is_met(record: Record, verb: str, indexes: Sequence[Index]) -> bool:
    """Whether one of the rules in *indexes* is about the statement, or that cannot be read."""
    near = [one for one in indexes if verb in one.by_verb]
    if not near:
        return False
    try:
        seen = look(record)
    except msgspec.MsgspecError:
        return True
    return any(rules_for(seen, one) for one in near)
