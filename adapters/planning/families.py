"""Which roles tell of one another: those that ask for the same, or that a third one links. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lrs.matching.roles.gap import Requirement, Role


def asked_of(role: Role) -> list[Requirement]:
    """The essentials of *role*; all that it asks for, if it has none."""
    return [one for one in role.requirements if one.essential] or list(role.requirements)


def families(known: Iterable[Role], codes: Mapping[str, str]) -> list[frozenset[str]]:
    """The ids of *known* roles, by family, where there are two at least.

    *codes* has the code of each competency by its id: a role may ask for it by either. That two frameworks
    have the same code makes a family larger than it has to be, which does no harm.
    """
    found: list[tuple[set[str], set[str]]] = []
    for role in known:
        ids, asked = {role.id}, {codes.get(one.competency) or one.competency for one in asked_of(role)}
        apart = [one for one in found if not one[1] & asked]
        for one in found:
            if one[1] & asked:
                ids |= one[0]
        asked = asked.union(*(one[1] for one in found if one not in apart))
        found = [*apart, (ids, asked)]
    return [frozenset(ids) for ids, _ in found if len(ids) > 1]
