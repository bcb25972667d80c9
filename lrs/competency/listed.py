"""The list of learners: a record for each, so that looking through the list reads nothing else.

The step ``list`` writes the record of a holder: names, identifiers with the sources that know each, skills held. It is
owed when a source first tells of somebody, or by another name, when a profile changes and when persons are joined or
parted. The record is for finding only: it follows what it sums up within seconds, and whoever shows or does something
to one learner looks at the facts (``tells_of``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import date
from typing import Any

import msgspec

from lrs.access.keys import list_keys
from lrs.competency.held import AWARD, PROFILE
from lrs.competency.shapes import Award, Profile, ProfileEntry
from lrs.competency.voiders import only_voids
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.people.confirmed_names import KIND as CONFIRMED
from lrs.people.confirmed_names import confirmed_name
from lrs.people.persons import LISTING, identifiers_in, unlearn
from lrs.people.sent_names import heard_of, names_of
from lrs.storage import Claim, Owed, Reader, Record, Stale, Store, Tx, Walk, walked
from lrs.storage.about import by_ids
from lrs.storage.ahead import ReadAhead
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import Identifier, ifi_text
from lrs.xapi.statements.keys import agent_key, source_key

KIND = "learner"
MARK = ("learner-list", "confirmed")
"""The record that says that everybody of before this form of the list was put on it. Another form needs another id."""
MOST = 10_000
"""Learners that are looked at for one page of the list."""
MOST_NAMES = 5
"""Names that are kept of those that one source gave a learner before."""
_MOST_CALLED = 50
"""Names that are kept for one learner, the newest first."""
_STATEMENTS = 100
"""The newest statements about an identifier that are looked at for their sources."""
_PAGE = 1_000


class KnownBy(msgspec.Struct, frozen=True):
    """An identifier by its id, as xAPI writes it, and the sources that told of it."""

    id: str
    ifi: dict[str, Any]
    sources: tuple[str, ...]


class CalledBy(msgspec.Struct, frozen=True):
    """A name, and the sources that gave it."""

    text: str
    sources: tuple[str, ...]


class ListedSkill(msgspec.Struct, frozen=True):
    """A skill that is held, or was held last: what it is called in the list; *until* is the last day, if any.

    *sources* are those of the evidence that its award names.
    """

    text: str
    level: str
    state: str
    until: date | None = None
    sources: tuple[str, ...] = ()


class ListedLearner(msgspec.Struct, frozen=True):
    """The body of a ``learner`` record; its id is that of the holder. *called*: the confirmed name, then the newest."""

    called: tuple[CalledBy, ...] = ()
    known: tuple[KnownBy, ...] = ()
    skills: tuple[ListedSkill, ...] = ()
    v: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """All names: the confirmed one, then the newest first."""
        return tuple(one.text for one in self.called)

    @property
    def sources(self) -> frozenset[str]:
        """All sources that told of this learner."""
        return frozenset(source for one in self.known for source in one.sources)


_decode = msgspec.json.Decoder(ListedLearner).decode
_profile = msgspec.json.Decoder(Profile).decode


def read(record: Record) -> ListedLearner:
    """The learner in *record*."""
    return _decode(record.body)


def listed_key(by: str, value: str) -> int:
    """The search key of learners with a *source* or a *skill* (by its text)."""
    return key(f"learner.{by}", value)


def chosen(
    reader: Reader, *, sources: Iterable[str] | None = None, keys: Sequence[int] = (), most: int = MOST
) -> tuple[list[tuple[str, ListedLearner]], bool]:
    """Learners, by the id of the person, those who changed last first; of *sources* only, and with all *keys*.

    At most *most* of them, and whether these are all.
    """
    walks = [keys] if sources is None else [(listed_key("source", one), *keys) for one in sorted(sources)]
    found: dict[str, ListedLearner] = {}
    for one in walks:
        for record in walked(reader, Walk(KIND, tuple(one), newest_first=True, limit=_PAGE)):
            if len(found) == most and record.id not in found:
                return list(found.items()), False
            found[record.id] = read(record)
    return list(found.items()), True


def tells_of(reader: Reader, sources: Iterable[str], identifiers: Collection[Identifier]) -> bool:
    """Whether one of *sources* has sent a statement about one of *identifiers*."""
    return any(
        reader.find(Walk("statement", (agent_key(ifi_text(one.ifi) or ""), source_key(source)), limit=1)).records
        for source in sources
        for one in identifiers
    )


# -- the step -------------------------------------------------------------------------------------------------------


def list_learners(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """The step ``list``: writes the record of each claimed person's holder, and removes those of whom it holds.

    All are written in one decision; if a lease was lost meanwhile, each in one of its own.
    """
    store = tenant.store
    ids = [str(claim.record.meta["into"] or claim.record.id) for claim in claims]
    holders = store.get_many("person", ids)
    reader = _read_ahead(store, holders.values())
    writing = {id: _writing(holder, *_kept(reader, *listed(reader, holder))) for id, holder in holders.items()}
    if _settle(store, claims, writing).exception():
        alone = [({id: writing[id]} if id in writing else {}) for id in ids]
        settled = [_settle(store, [claim], one) for claim, one in zip(claims, alone, strict=True)]
        failures = [one.exception() for one in settled]  # waits for each, so that none is still being written
        if failure := next((one for one in failures if one and not isinstance(one, Stale)), None):
            raise failure


def _read_ahead(store: Store, holders: Collection[Record]) -> Reader:
    """What ``listed`` will ask for about *holders*: the store itself if that is too much to be in memory together."""
    ahead = ReadAhead(store)
    members = [member for holder in holders for member in holder.meta["members"]]
    try:
        ahead.load((kind, member) for member in members for kind in (KIND, PROFILE, CONFIRMED))
        ahead.load_with("identifier", (key("identifier-person", member) for member in members))
        profiles = [found for holder in holders if (found := ahead.get(PROFILE, holder.id))]
        ahead.load((AWARD, one.award) for found in profiles for one in _profile(found.body).competencies)
    except Refused:
        return store
    return ahead


def _settle(store: Store, claims: Sequence[Claim], writing: Mapping[str, Callable[[Tx], None]]) -> Future[None]:
    """Settles *claims* and writes the records of the holders in *writing*; whoever was to be listed may be gone."""

    def settle(tx: Tx) -> None:
        for write in writing.values():
            write(tx)

    return store.settle(claims, settle, reads=[(kind, id) for id in writing for kind in ("person", KIND)])


def _kept(reader: Reader, made: Record, before: dict[str, Record]) -> tuple[Record | None, dict[str, Record]]:
    """*made* if it is of a learner: whoever only voids statements is none."""
    known = read(made).known
    is_learner = not known or not all(only_voids(reader, one.ifi) for one in known)
    return made if is_learner else None, before


def _writing(holder: Record, made: Record | None, before: Mapping[str, Record]) -> Callable[[Tx], None]:
    lost = _facts(before.values()) - _facts([made] if made else [])

    def decide(tx: Tx) -> None:
        now = tx.get("person", holder.id)
        if now is None or now.meta != holder.meta:
            tx.owe("person", holder.id, Owed(LISTING))
            return
        for id in before.keys() - ({holder.id} if made else set()):
            tx.delete(KIND, id)
        if lost:
            unlearn(tx)
        there = before.get(holder.id)
        if made is None:
            return
        if there is None or (there.body, there.keys) != (made.body, made.keys):
            tx.put(made)

    return decide


def _facts(records: Iterable[Record]) -> set[tuple[str, str]]:
    """The sources in rows of the list, each with the identifiers and the names that it told."""
    rows = [read(record) for record in records]
    known = {(source, one.id) for row in rows for one in row.known for source in one.sources}
    return known | {(source, one.text) for row in rows for one in row.called for source in one.sources}


def listed(reader: Reader, holder: Record) -> tuple[Record, dict[str, Record]]:
    """The record of *holder* as it should be, and those that its group has, by person."""
    members = holder.meta["members"]
    before = reader.get_many(KIND, members)
    rows = [read(record) for record in before.values()]
    told = {one.id: one.sources for row in rows for one in row.known}
    identifiers = identifiers_in(reader, members)
    known = tuple(KnownBy(one.id, one.ifi, _sources(reader, one, told.get(one.id))) for one in identifiers)
    profile = reader.get(PROFILE, holder.id)
    held = _profile(profile.body).competencies if profile else ()
    awards = awards_of(reader, [one.award for one in held])
    skills = tuple(_skill(one, awards.get(one.award)) for one in held)
    confirmed = confirmed_name(reader, members)
    of_these = [read(record) for record in before.values() if set(record.meta["members"]) <= set(members)]
    told_by = _called(reader, known, of_these)  # a group that was parted had names of those who left
    made = ListedLearner(_first(confirmed.name, told_by) if confirmed else told_by, known, skills)
    keys = {listed_key("source", source) for source in made.sources}
    keys |= {listed_key("skill", skill.text) for skill in skills}
    return Record(KIND, holder.id, msgspec.json.encode(made), {"members": members}, tuple(sorted(keys))), before


def _called(reader: Reader, known: Sequence[KnownBy], before: Sequence[ListedLearner]) -> tuple[CalledBy, ...]:
    """The names by which learners are called, with who said so: the newest of each source, and those of *before*."""
    told: dict[str, set[str]] = {name: set() for name in names_of(reader, [one.ifi for one in known])}
    heard = [(heard_of(reader, one.ifi, source), source) for one in known for source in one.sources]
    for (_, name), source in sorted(((one, source) for one, source in heard if one), reverse=True):
        told.setdefault(name, set()).add(source)
    for called, source in ((one, source) for row in before for one in row.called for source in one.sources):
        if sum(source in sources for sources in told.values()) < MOST_NAMES:
            told.setdefault(called.text, set()).add(source)
    return tuple([CalledBy(name, tuple(sorted(sources))) for name, sources in told.items()][:_MOST_CALLED])


def _first(confirmed: str, called: tuple[CalledBy, ...]) -> tuple[CalledBy, ...]:
    """The names *called*, with the one that staff *confirmed* first: no source gives it, unless one sent it, too."""
    same = next((one for one in called if one.text == confirmed), CalledBy(confirmed, ()))
    return (same, *(one for one in called if one.text != confirmed))


def _sources(reader: Reader, one: Identifier, before: tuple[str, ...] | None) -> tuple[str, ...]:
    """The sources that told of an identifier: those of its newest statements, and those that were known *before*.

    For one that was not listed before, all sources with a key are asked, too.
    """
    agent = agent_key(ifi_text(one.ifi) or "")
    newest = reader.find(Walk("statement", (agent,), newest_first=True, limit=_STATEMENTS, bare=True)).records
    found = {str(record.meta.get("source", "")) for record in newest} | set(before or ())
    if before is None and len(newest) == _STATEMENTS:
        names = {str(key["name"]) for key in list_keys(reader)}
        found |= {name for name in names - found if tells_of(reader, [name], [one])}
    return tuple(sorted(found - {""}))


def awards_of(reader: Reader, ids: Collection[str]) -> dict[str, Award]:
    """The awards with these *ids*, as far as they are there."""
    records = reader.get_many("award", ids) if ids else {}
    return {id: msgspec.json.decode(record.body, type=Award) for id, record in records.items()}


def _skill(one: ProfileEntry, award: Award | None) -> ListedSkill:
    level = f"{one.level.ordinal} {one.level.label}".strip()
    about = one.competency
    sources = tuple(sorted({proof.source for proof in award.evidence})) if award else ()
    return ListedSkill(f"{about.code} {about.label or about.id}".strip(), level, one.state, one.valid_until, sources)


def _about(record: Record) -> Subjects:
    return subjects(persons={record.id, *record.meta["members"]}, identifiers=[one.id for one in read(record).known])


KINDS = (
    Kind(
        KIND,
        "working",
        ListedLearner,
        1,
        subjects=_about,
        retention="derived",
        exported=False,
        find=by_ids(KIND),
    ),
    Kind(MARK[0], "working", subjects=None, retention="operational", exported=False),
)
