"""A walk over the statements that a change of rules concerns, or over those of a source; and the record that keeps it.

Record ``rematch``: what to look for, and how far the walk has come. Rules are told apart by lasting id and version.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from lrs.competency.rules.rules import Rule
from lrs.kernel.keys import pair
from lrs.storage import Owed, Record, Tx
from lrs.storage.kinds import Kind
from lrs.xapi.statements.keys import activity_key, source_key, verb_key


class Rematch(msgspec.Struct, frozen=True):
    """A walk over statements up to the ``seq`` *until*.

    *changed* are rules by which statements are matched again, *gone* rules some of whose evidence goes, *asked* rules
    whose learners are evaluated again, whatever becomes of the evidence. *ahead* are the search keys that are still to
    be walked, *start* the place in the first of them. With *every*, all statements on the way are matched again,
    whatever the rules. A walk that goes *twice* first brings the new evidence and then takes the old evidence away, so
    that nobody is without both in between.
    """

    v: int
    changed: tuple[Rule, ...]
    gone: tuple[Rule, ...]
    until: int
    ahead: tuple[int, ...]
    start: str | None = None
    every: bool = False
    asked: tuple[Rule, ...] = ()
    twice: bool = False


def is_bringing(record: Record) -> bool:
    """Whether the walk in a ``rematch`` *record* goes twice and is in its first round."""
    return msgspec.json.decode(record.body, type=Rematch).twice


def once_more(walk: Rematch) -> Rematch:
    """The second round of a walk that goes twice."""
    return walk_about((), walk.gone, (*walk.changed, *walk.asked), walk.until)


def walk_about(
    changed: Collection[Rule], gone: Collection[Rule], asked: Collection[Rule], until: int, *, twice: bool = False
) -> Rematch:
    """The walk over all statements up to the place *until* that one of the rules is about."""
    ahead = tuple(sorted({key for rule in (*changed, *gone, *asked) for key in anchors(rule)}))
    return Rematch(1, _ordered(changed), _ordered(gone), until, ahead, asked=_ordered(set(asked)), twice=twice)


def read_again(tx: Tx, source: str) -> None:
    """Owes the walk over all statements of *source*, because they may now say more about persons."""
    _read_again(tx, f"source/{source}", [source_key(source)])


def read_verbs_again(tx: Tx, name: str, verbs: Iterable[str]) -> None:
    """Owes the walk *name* over all statements with one of *verbs*, because this version reads more from them."""
    _read_again(tx, name, [verb_key(verb) for verb in verbs])


def _read_again(tx: Tx, name: str, keys: Iterable[int]) -> None:
    walk = Rematch(1, (), (), tx.next_seq(), tuple(sorted(keys)), every=True)
    tx.put(Record("rematch", name, msgspec.json.encode(walk), owed=(Owed("match"),)))


def anchors(rule: Rule) -> list[int]:
    """Search keys of which every statement that the rule is about has one. Types have none, so their verbs are used."""
    if rule.match == "type":
        return [verb_key(verb) for verb in rule.verbs]
    if rule.match == "activity":
        return [pair(activity_key(rule.activity), verb_key(verb)) for verb in rule.verbs]
    return [activity_key(rule.activity, related=True)]


def _ordered(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(sorted(rules, key=lambda rule: (rule.item, rule.version)))


KINDS = (Kind("rematch", "working", Rematch, 1, subjects=None, retention="operational", exported=False),)
