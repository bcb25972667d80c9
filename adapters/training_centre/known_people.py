"""Who of the people typed for a roster is known already, and whose name somebody known has. Reads only.

A name with a number that nobody used before makes a new person, also if the person is known by another number. So
whoever types a roster is told who is new, and may say that it is somebody known (``chosen_in``). Knows no page.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
from msgspec.structs import replace

from adapters.reading.people import Ifi
from adapters.training_centre import attendees, centre_sessions
from adapters.training_centre.attendees import Attendee
from lrs.competency import listed
from lrs.competency.listed import ListedLearner
from lrs.kernel.errors import Refused
from lrs.kernel.names import name
from lrs.people.search import folded
from lrs.storage import Reader

SESSIONS = 50
"""Newest sessions of the centre whose rosters are read."""
_FEWEST = 2
"""Letters of a name that is looked for."""


class KnownPerson(msgspec.Struct, frozen=True):
    """Somebody known by *identifiers*. *key* is what the centre calls them on its rosters, if they are on one."""

    names: tuple[str, ...]
    identifiers: tuple[Ifi, ...]
    key: str = ""

    @property
    def id(self) -> str:
        """A name of this person for a form."""
        return name("known-person", self.identifiers[0].home, self.identifiers[0].name)

    @property
    def said(self) -> str:
        """The person as staff read it: a name, and what they are known by."""
        known = ", ".join(one.written for one in self.identifiers)
        return f"{self.names[0]} ({known})" if self.names else known


class RosterEntry(msgspec.Struct, frozen=True):
    """One line of a typed roster: whom it adds, who is *known* by what was typed, or who has the name (*alike*)."""

    one: Attendee
    known: KnownPerson | None
    alike: tuple[KnownPerson, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether nothing is to be asked: the person is known, and by this name if one was typed."""
        typed = folded(self.one.name)
        return self.known is not None and (typed == folded(self.one.key) or typed in map(folded, self.known.names))


def known_people(reader: Reader, centre: str, sources: Collection[str] | None) -> list[KnownPerson]:
    """Those on the newest rosters of *centre*, and the listed learners of *sources* (``None``: of all)."""
    sessions = centre_sessions.of_centres(reader, [centre], SESSIONS)[:SESSIONS]
    there = (one for session in sessions for _, one in attendees.of_session(reader, session.id).values())
    on_rosters = (KnownPerson((one.name,) if one.name != one.key else (), one.identifiers, one.key) for one in there)
    found, _ = listed.chosen(reader, sources=sources)
    learners = (_learner(one, sources) for _, one in found)
    return list(_together(chain(on_rosters, (one for one in learners if one.identifiers))))


def entries(people: Iterable[Attendee], known: Sequence[KnownPerson]) -> list[RosterEntry]:
    """What is known of each of *people*."""
    by_identifier = {ifi: each for each in known for ifi in map(_plain, each.identifiers)}
    by_name: dict[str, list[KnownPerson]] = {}
    for each in known:
        for called in dict.fromkeys(map(folded, each.names)):
            by_name.setdefault(called, []).append(each)
    made = []
    for one in people:
        same = next(filter(None, (by_identifier.get(_plain(ifi)) for ifi in one.identifiers)), None)
        called = folded(one.name)
        alike = by_name.get(called, []) if same is None and len(called) >= _FEWEST else []
        made.append(RosterEntry(one, same, tuple(alike)))
    return made


def chosen_in(found: Iterable[RosterEntry], told: Mapping[str, str]) -> list[Attendee]:
    """The people of *found* for the roster: who was *told* to be somebody known (by ``id``) is added as that one.

    What was typed of them becomes one more identifier. Raises ``Refused`` (409) for a choice that is gone.
    """
    return [_as_chosen(one, told.get(one.one.id, "")) for one in found]


def _as_chosen(entry: RosterEntry, wanted: str) -> Attendee:
    one = entry.one
    if not wanted:
        return one
    known = next((each for each in entry.alike if each.id == wanted), None)
    if known is None:
        message = f"Who is known by the name {one.name} has changed meanwhile. Look at the list again."
        raise Refused(message, status=409, error="conflict")
    both = tuple(dict.fromkeys((*known.identifiers, *one.identifiers)))
    return replace(one, identifiers=both, key=known.key or one.key)


def _together(people: Iterable[KnownPerson]) -> Iterator[KnownPerson]:
    """*people*, each once: who shares an identifier is one person, with the key of whoever came first."""
    groups: dict[Ifi, list[KnownPerson]] = {}
    order: list[list[KnownPerson]] = []
    for one in people:
        own = list(map(_plain, one.identifiers))
        group = next((groups[ifi] for ifi in own if ifi in groups), None)
        if group is None:
            group = []
            order.append(group)
        group.append(one)
        groups |= dict.fromkeys(own, group)
    for group in order:
        names = dict.fromkeys(called for one in group for called in one.names)
        identifiers = dict.fromkeys(ifi for one in group for ifi in one.identifiers)
        yield KnownPerson(tuple(names), tuple(identifiers), next((one.key for one in group if one.key), ""))


def _learner(one: ListedLearner, sources: Collection[str] | None) -> KnownPerson:
    """*one* as *sources* know them."""
    names = (each.text for each in one.called if _within(each.sources, sources))
    known = (_ifi(each.ifi) for each in one.known if _within(each.sources, sources))
    return KnownPerson(tuple(names), tuple(filter(None, known)))


def _within(told: Iterable[str], sources: Collection[str] | None) -> bool:
    return sources is None or any(one in sources for one in told)


def _ifi(agent: Mapping[str, Any]) -> Ifi | None:
    """An account or a mailbox; a roster has no other identifier."""
    account = agent.get("account")
    if account:
        return Ifi(account["homePage"], account["name"])
    return Ifi("", agent["mbox"]) if "mbox" in agent else None


def _plain(ifi: Ifi) -> Ifi:
    """*ifi* as it is compared, as by ``Attendee.shares``."""
    return Ifi(ifi.home, ifi.name.casefold())
