"""The fields of roles in a form: what was chosen, what each is for, and which names nobody knows. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from lrs.access.keys import NAME
from lrs.access.roles import EMPLOYER, OF_STAFF, ROLES, Granted, granted
from lrs.kernel.errors import Refused

FREE_ROWS = 2
"""Empty fields for further roles in the form of a member, so that it works without a script."""
Fields = Sequence[tuple[str, str]]


def rows_in(form: Fields) -> list[dict[str, str]]:
    """The rows of a form as they were filled in: each ``role`` with the ``of`` after it."""
    found: list[dict[str, str]] = []
    for name, value in form:
        if name == "role":
            found.append({"role": value, "of": ""})
        elif name == "of" and found:
            found[-1]["of"] = value.strip()
    return [_row(one["role"], one["of"]) for one in found]


def rows_of(roles: Iterable[Granted]) -> list[dict[str, str]]:
    """The rows that give *roles*."""
    return [_row(one.role, one.of) for one in roles]


def _row(role: str, of: str) -> dict[str, str]:
    """A row: a role that is for a service is one choice together with it."""
    known = ROLES.get(role)
    is_whole = known is not None and known.bound == "service" and of
    return {"role": f"{role}:{of}", "of": ""} if is_whole else {"role": role, "of": of}


def choices(services: Iterable[tuple[str, str, bool]]) -> list[dict[str, str]]:
    """The roles to choose from: *value* for the form, and *text*. One for each service that a role can be for.

    *services* are ids, names, and whether each is an employer.
    """
    found, there = [], list(services)
    for name in OF_STAFF:
        title, says, bound = ROLES[name].title, ROLES[name].says, ROLES[name].bound
        if bound == "service":
            fitting = [(id, called) for id, called, is_employer in there if is_employer == (name == EMPLOYER)]
            found += [{"value": f"{name}:{id}", "text": f"{title}, {called}: {says}"} for id, called in fitting]
        else:
            found.append({"value": name, "text": f"{title}: {says}{' (for one source)' if bound else ''}"})
    return found


def roles_in(form: Fields) -> list[Granted]:
    """The roles that *form* gives. Raises ``Refused`` (400)."""
    rows = [row for row in rows_in(form) if row["role"] or row["of"]]
    without = next((row["of"] for row in rows if not row["role"]), "")
    if without:
        raise Refused(f"Choose the role that is for {without!r}.")
    return [_role(row["role"], row["of"]) for row in rows]


def _role(name: str, of: str) -> Granted:
    """A role; who knows how commands write it may write ``trainer:Harbour Moodle`` into its field, too."""
    if name not in ROLES:
        return granted(name)
    own, bound = of.removeprefix(f"{name}:").strip(), ROLES[name].bound
    if own and not bound:
        raise Refused(f"The role {name} is for everything: leave the field beside it empty.")
    if bound == "service" and not own:
        raise Refused(f"The role {name} is for one service: write its name or client id beside it, such as allocator.")
    if bound == "source" and not NAME.fullmatch(own):
        raise Refused(
            f"The role {name} is for one source: write the name of the source beside it, such as Harbour Moodle."
        )
    return granted(f"{name}:{own}" if own else name)


def unknown_names(roles: Iterable[Granted], known: Container[str]) -> list[str]:
    """What *roles* are for that is not *known*."""
    return sorted({one.of for one in roles if one.of and one.of not in known})
