"""The fields of roles in a form: what was chosen, what each is for, and which names nobody knows. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from lrs.access.keys import NAME
from lrs.access.roles import EMPLOYER, OF_STAFF, ROLES, Granted, granted
from lrs.kernel.errors import Refused

Fields = Sequence[tuple[str, str]]


def rows_in(form: Fields) -> list[dict[str, str]]:
    """The rows of a form as they were filled in: each ``role`` with the last ``of`` after it that says something.

    The first is chosen from a list, the second is typed where the list has not what is meant.
    """
    found: list[dict[str, str]] = []
    for name, value in form:
        if name == "role":
            found.append({"role": value, "of": ""})
        elif name == "of" and found:
            found[-1]["of"] = value.strip() or found[-1]["of"]
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
    """The roles to choose from: *value* for the form, *text*, what it *says*. One for each service that it can be for.

    *services* are ids, names, and whether each is an employer.
    """
    found, there = [], list(services)
    for name in OF_STAFF:
        title, says, bound = ROLES[name].title, ROLES[name].says, ROLES[name].bound
        if bound == "service":
            fitting = [(id, called) for id, called, is_employer in there if is_employer == (name == EMPLOYER)]
            found += [{"value": f"{name}:{id}", "text": f"{title}, {called}", "says": says} for id, called in fitting]
        else:
            found.append({"value": name, "text": f"{title}{' (for one source)' if bound else ''}", "says": says})
    return found


def roles_in(form: Fields) -> list[Granted]:
    """The roles that *form* gives. Raises ``Refused`` (400), which points at a field, such as ``of-2``."""
    rows = [row for row in rows_in(form) if row["role"] or row["of"]]
    return [_role(row["role"], row["of"], number) for number, row in enumerate(rows, 1)]


def _role(name: str, of: str, number: int) -> Granted:
    """The role in the row with this *number*. Raises ``Refused``."""
    if not name:
        raise Refused(f"Choose the role that is for {of!r}.", pointer=f"/role-{number}")
    try:
        return _of_row(name, of)
    except Refused as refused:
        raise refused.inside(f"/of-{number}") from refused


def _of_row(name: str, of: str) -> Granted:
    """A role; who knows how commands write it may write ``trainer:Harbour Moodle`` into its field, too."""
    if name not in ROLES:
        return granted(name)
    own, bound = of.removeprefix(f"{name}:").strip(), ROLES[name].bound
    if own and not bound:
        raise Refused(f"The role {name} is for everything: leave the field beside it empty.")
    if bound == "service" and not own:
        raise Refused(f"The role {name} is for one service: write its name or client id beside it, such as allocator.")
    if bound == "source" and not NAME.fullmatch(own):
        raise Refused(f"The role {name} is for one source: choose the source, or write the name of a new one.")
    return granted(f"{name}:{own}" if own else name)


def unknown_names(roles: Iterable[Granted], known: Container[str]) -> list[str]:
    """What *roles* are for that is not *known*."""
    return sorted({one.of for one in roles if one.of and one.of not in known})
