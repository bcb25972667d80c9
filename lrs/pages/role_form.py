"""The fields of roles in a form: what was chosen, what each is for, and which names nobody knows. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from lrs.access.keys import NAME
from lrs.access.roles import ROLES, Granted, granted
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
