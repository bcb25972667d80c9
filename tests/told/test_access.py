"""Who may do what, whole: each line of the table of rights, and the rights of each role and each scope."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from lrs.access import NOBODY, SESSION, Caller
from lrs.access.policy.lines import PolicyLine
from lrs.access.policy.table import OF_SERVER, TABLE, admit, scopes_for
from lrs.access.rights import SCOPES, SERVICE_SCOPES, rights_of_key, rights_of_service
from lrs.access.roles import ROLES, granted, rights_of_roles, roles_with
from lrs.kernel.errors import Refused

ROLES_TOGETHER = (
    ("steward", "auditor"),
    ("trainer:north", "trainer:south"),
    ("trainer:north", "provider:south", "assessor:west"),
    ("author:vle", "administrator"),
    ("administrator", "author:vle"),
    ("steward", "trainer:north"),
    ("developer:one", "employer:two"),
    ("planner", "provider:centre"),
)


def line(method: str, route: str, about: PolicyLine) -> str:
    via = "+".join(about.via) or "nobody asked"
    marks = [name for name in ("any_origin", "foreign_forms") if getattr(about, name)]
    marks += ["of the server"] if route in OF_SERVER else []
    marks += [f"pages {about.pages}"] if about.pages else []
    roles = roles_with(about.right, about.reaches) if SESSION in about.via else ()
    scopes = () if about.is_public or SESSION in about.via else scopes_for(about)
    who = [*roles, *(f"scope {one}" for one in scopes)]
    reaches = "|".join(sorted(about.reaches))
    return f"{method} {route}: {about.right} ({reaches}) by {via}: {', '.join(who)} [{'; '.join(marks)}]"


def test_each_line_of_the_table_of_rights(told: Any) -> None:
    told("\n".join(line(*place, about) for place, about in TABLE.items()), is_tidy=True)


def test_the_rights_of_each_role_alone_and_with_others(told: Any) -> None:
    lines = []
    for name, role in ROLES.items():
        lines.append(f"{name} ({role.title}, who {role.says}; for one {role.bound or 'of nothing'})")
        lines += [f"  {right}: {reach}" for right, reach in sorted(role.rights.items())]
    for together in ROLES_TOGETHER:
        rights, own = rights_of_roles(tuple(map(granted, together)))
        lines.append(f"{' and '.join(together)}: {' and '.join(granted(one).said for one in together)}")
        lines += [f"  {right}: {reach} {sorted(own.get(right, ()))}" for right, reach in sorted(rights.items())]
    told("\n".join(lines), is_tidy=True)


def test_the_rights_of_each_scope(told: Any) -> None:
    lines = []
    for scopes, rights_of in ((SCOPES, rights_of_key), (SERVICE_SCOPES, rights_of_service)):
        for scope in (*scopes, *map(" ".join, pairwise(scopes))):
            lines.append(scope)
            lines += [f"  {right}: {reach}" for right, reach in sorted(rights_of(scope.split()).items())]
    told("\n".join(lines), is_tidy=True)


WRONG_ROLES = (
    "king",
    "steward:north",
    "trainer",
    "trainer:",
    "operator",
    "learner",
    "developer:",
    " planner ",
    "provider:a:b",
)


def test_roles_that_cannot_be_given(told: Any) -> None:
    lines = []
    for text in WRONG_ROLES:
        try:
            lines.append(f"{text!r}: {granted(text)}")
        except Refused as refused:
            lines.append(f"{text!r}: {refused.status} {refused.message}")
    told("\n".join(lines), is_tidy=True)


def test_what_is_said_to_whom_a_line_does_not_admit(told: Any) -> None:
    asked = (("GET", "/staff/members"), ("GET", "/api/profiles"), ("POST", "/xapi/statements"), ("GET", "/nowhere"))
    lines = []
    for method, route in asked:
        for caller in (NOBODY, Caller("staff x", "", b"", {"learners.read": "own learners"}, "default", SESSION)):
            with pytest.raises(Refused) as refused:
                admit(method, route, caller)
            lines.append(f"{method} {route}: {refused.value.status} {refused.value.message} {refused.value.headers}")
    told("\n".join(lines), is_tidy=True)
