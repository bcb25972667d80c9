"""Writes the records of what a person holds: awards, the lineages that name them, the profile. Only where they differ.

What follows from a change (``issue`` for an award, ``sync`` for a profile) is owed in the commit that makes the change.
Knows no evidence and no rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from lrs.competency.awards import AwardPlan, Lineage, is_news, without_counts
from lrs.competency.shapes import Award, Profile, ProfileEntry
from lrs.kernel.keys import key
from lrs.people.persons import LISTING
from lrs.storage import Owed, Record, Tx
from lrs.storage.about import by_ids, by_person
from lrs.storage.kinds import Kind, Subjects, of_person_by_id, of_person_in_meta, subjects

AWARD, LINEAGE, PROFILE, HEAD = "award", "award-lineage", "profile", "profile-head"


def write_awards(tx: Tx, holder: str, made: AwardPlan) -> None:
    """Writes the awards of *made*, which *holder* has now, and the lineages that name them."""
    lineages = [
        Record(LINEAGE, id, msgspec.json.encode(lineage), keys=(key("lineage", lineage.person),))
        for id, lineage in made.lineages.items()
    ]
    _keep(tx, LINEAGE, lineages)
    _keep(tx, AWARD, [award_record(id, award, holder) for id, award in made.awards.items()])


def award_record(id: str, award: Award, holder: str) -> Record:
    """The record of an award, with the search key ``key("award", holder)``."""
    return Record(
        AWARD, id, msgspec.json.encode(award), {"person": holder, "state": award.state}, (key("award", holder),)
    )


def _keep(tx: Tx, kind: str, records: Sequence[Record]) -> None:
    """Writes those of *records* that differ from the stored ones.

    An award whose badge must be checked owes ``issue``.
    """
    known = tx.get_many(kind, [record.id for record in records]) if records else {}
    for record in records:
        there = known.get(record.id)
        if there is None or there.body != record.body:
            owes = kind == AWARD and (there is None or is_news(there.body, record.body))
            owing = msgspec.structs.replace(record, owed=(Owed("issue"),)) if owes else record
            _put(tx, owing, there)


def write_profile(tx: Tx, person: Record, entries: tuple[ProfileEntry, ...]) -> None:
    """Writes the profile. Each change takes the next version and a new place in the order.

    A profile exists from the first award on. The number of changes is a fact. It is kept in ``profile-head`` with the
    hash of the content, so that a profile that is worked out again has the same version. More evidence is no change.
    """
    head = tx.get(HEAD, person.id)
    if head is None and not entries:
        return
    profile = Profile(1, person.id, 0, entries, person.meta["into"])
    digest = _digest(without_counts(profile))
    same = head is not None and (head.meta["digest"] == digest or head.meta["digest"] == _digest(profile))
    version = (head.meta["version"] if head else 0) + (not same)
    if head is None or head.meta["digest"] != digest:
        meta = {"version": version, "digest": digest}
        _put(tx, Record(HEAD, person.id, meta=meta), head)
    body = msgspec.json.encode(msgspec.structs.replace(profile, version=version))
    there = tx.get(PROFILE, person.id)
    if there is None or there.body != body:
        owed = () if same and there else (Owed("sync"),)
        _put(tx, Record(PROFILE, person.id, body, owed=owed), there, moves=not same)
        tx.owe("person", person.id, Owed(LISTING))


def _digest(profile: Profile) -> str:
    return sha256(msgspec.json.encode(profile)).hexdigest()


def _put(tx: Tx, record: Record, there: Record | None, *, moves: bool = False) -> None:
    """Writes *record*, over the record *there* if there is one, as this transaction has read it.

    With *moves* it gets a new place at the end of the order, otherwise it keeps its place.
    """
    if there is None:
        tx.insert(record)
    else:
        tx.replace(msgspec.structs.replace(record, rev=there.rev, seq=0 if moves else there.seq))


def _founder(record: Record) -> Subjects:
    return subjects(persons=[msgspec.json.decode(record.body, type=Lineage).person])


KINDS = (
    Kind(
        AWARD,
        "derived",
        Award,
        1,
        subjects=of_person_in_meta,
        retention="derived",
        exported=False,
        find=by_person(AWARD, "award"),
    ),
    Kind(
        LINEAGE,
        "fact",
        Lineage,
        1,
        subjects=_founder,
        retention="evidence",
        exported=True,
        basis=True,
        find=by_person(LINEAGE, "lineage"),
    ),
    Kind(
        PROFILE,
        "derived",
        Profile,
        1,
        subjects=of_person_by_id,
        retention="derived",
        exported=False,
        find=by_ids(PROFILE),
    ),
    Kind(HEAD, "fact", subjects=of_person_by_id, retention="evidence", exported=True, basis=True, find=by_ids(HEAD)),
)
