"""Whom somebody who is signed in may see: everybody, or the learners of whom their own sources sent a fact.

A source can send a statement about anybody. So of a learner within a narrow reach only what evidence of the own sources
proves is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from lrs.access import Caller
from lrs.competency.listed import tells_of
from lrs.competency.shapes import Award
from lrs.kernel.errors import Refused
from lrs.people.persons import identifiers_in, members_of
from lrs.people.search import name_of
from lrs.storage import Reader
from lrs.xapi.statements.identity import Identifier

READ = "learners.read"


def own_sources(caller: Caller, right: str = READ) -> frozenset[str] | None:
    """The sources whose learners *caller* may see, or by another *right* do something to; ``None`` for those of all."""
    return None if caller.may_all(right) else caller.owned(right)


def check_reach(reader: Reader, caller: Caller, person: str) -> None:
    """Refuses (404) unless *caller* may see *person*. Whoever is out of reach is told no more than nobody is."""
    sources = own_sources(caller)
    if sources is None:
        return
    members = members_of(reader, person)
    if not members or not tells_of(reader, sources, identifiers_in(reader, members)):
        raise nobody_here()


def known_to(reader: Reader, caller: Caller, identifiers: Collection[Identifier]) -> list[Identifier]:
    """Those of *identifiers* by which *caller* may know somebody: those that their own sources use."""
    sources = own_sources(caller)
    return [one for one in identifiers if sources is None or tells_of(reader, sources, [one])]


def name_told(reader: Reader, identifiers: Iterable[Identifier], sources: Collection[str] | None) -> str | None:
    """The name that one of *sources* gave somebody; ``None`` if none of them did."""
    each_source = [None] if sources is None else sorted(sources)
    asked = ((one.ifi, source) for one in identifiers for source in each_source)
    return next(filter(None, (name_of(reader, ifi, source) for ifi, source in asked)), None)


def cites(award: Award, sources: Collection[str]) -> bool:
    """Whether *award* names evidence of one of *sources*."""
    return any(proof.source in sources for proof in award.evidence)


def nobody_here() -> Refused:
    """The refusal for somebody who is not there, or not within reach."""
    return Refused("There is no such learner among those whom you may see.", status=404, error="not_found")
