"""Which learners a visitor may see: all, or those about whom the visitor's own sources sent a fact.

A source can send a statement about anybody. So with a narrow reach only what evidence of own sources proves is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from lrs.access import Caller
from lrs.competency.listed import tells_of
from lrs.competency.shapes import Award
from lrs.kernel.errors import Refused
from lrs.people.confirmed_names import confirmed_name
from lrs.people.persons import identifiers_in, members_of
from lrs.people.sent_names import names_of
from lrs.storage import Reader
from lrs.xapi.statements.identity import Identifier

READ = "learners.read"


def own_sources(caller: Caller, right: str = READ) -> frozenset[str] | None:
    """The sources whose learners *caller* may see (or use another *right* on); ``None`` for all learners."""
    return None if caller.may_all(right) else caller.owned(right)


def check_reach(reader: Reader, caller: Caller, person: str, right: str = READ) -> None:
    """Refuses (404) unless *caller* may see *person*, or use another *right* on them.

    The answer is the same as for an unknown person.
    """
    sources = own_sources(caller, right)
    if sources is None:
        return
    members = members_of(reader, person)
    if not members or not tells_of(reader, sources, identifiers_in(reader, members)):
        raise nobody_here()


def known_to(reader: Reader, caller: Caller, identifiers: Collection[Identifier]) -> list[Identifier]:
    """The *identifiers* that *caller* may know: those that their own sources use."""
    sources = own_sources(caller)
    return [one for one in identifiers if sources is None or tells_of(reader, sources, [one])]


def name_told(reader: Reader, identifiers: Iterable[Identifier], sources: Collection[str] | None) -> str | None:
    """The newest name that one of *sources* gave to somebody; ``None`` if none did.

    For all sources (``None``) what staff confirmed comes before it.
    """
    identifiers = list(identifiers)
    if sources is None and (confirmed := _confirmed(reader, identifiers)):
        return confirmed
    each_source = [None] if sources is None else sorted(sources)
    return next(iter(names_of(reader, [one.ifi for one in identifiers], each_source)), None)


def _confirmed(reader: Reader, identifiers: Iterable[Identifier]) -> str | None:
    """The name that staff confirmed of the person with *identifiers*."""
    known = reader.get_many("identifier", [one.id for one in identifiers])
    persons = {str(record.meta["person"]) for record in known.values()}
    found = confirmed_name(reader, {member for person in persons for member in members_of(reader, person)})
    return found.name if found else None


def cites(award: Award, sources: Collection[str]) -> bool:
    """Whether *award* names evidence of one of *sources*."""
    return any(proof.source in sources for proof in award.evidence)


def nobody_here() -> Refused:
    """The refusal for a person who does not exist or is not within reach."""
    return Refused("There is no such learner among those whom you may see.", status=404, error="not_found")
