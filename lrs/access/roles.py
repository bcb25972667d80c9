"""Roles of people: the rights that each gives, how far each right reaches, and what a role is bound to. Pure.

Somebody has any number of roles in a tenant. The operator of the installation stands beside them in the table, and is
never given in a tenant: operators belong to none (``lrs.access.operators``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from lrs.access import ALL, OWN, OWN_LEARNERS, OWN_SERVICE, REACHES, SELF
from lrs.access.keys import NAME
from lrs.access.rights import Rights
from lrs.kernel.errors import Refused

Bound = Literal["", "source", "service"]
"""What a role is for one of: the name of a source of statements, or the id of a matching service."""


class StaffRole(msgspec.Struct, frozen=True):
    """What a role may do. *title* is what people call it, *says* what it is in a few more words.

    *bound*: it is given for one of these only.
    """

    title: str
    says: str
    rights: Rights
    bound: Bound = ""


ADMINISTRATOR, AUDITOR, LEARNER, OPERATOR = "administrator", "auditor", "learner", "operator"
EMPLOYER = "employer"
_EVERYTHING = (
    *(
        "staff.manage",
        "learners.read",
        "learners.invite",
        "persons.join",
        "questions.answer",
        "consents.withdraw",
        "consents.answer",
        "badges.read",
        "badge-keys.change",
        "badge-words.change",
        "badges.stop",
        "names.confirm",
        "sources.name",
    ),
    *("work.read", "work.retry", "deliveries.resend", "deliveries.read", "metrics.read", "audit.read"),
    *("sources.connect", "arrivals.read", "imports.run", "source.read", "lms.connect", "lms.approve"),
    *("courses.read", "courses.open", "courses.manage"),
    *("sessions.read", "sessions.run", "sessions.sign", "checklists.change", "catalogue.change"),
    *("frameworks.change", "rules.change", "services.manage", "planning.read", "planning.change"),
    "planning.protect",
)
_RECORDS = ("learners.read", "learners.invite", "persons.join", "questions.answer", "names.confirm", "badges.stop")
"""What it takes to keep records right, whoever sent them."""
_OF_LEARNERS = (
    *("own-record.read", "own-questions.ask", "own-consents.change", "own-badges.share", "own-badges.bring"),
    *("own-bookings.change", "own-skills.declare"),
)
_OF_OWN_LEARNERS: Rights = dict.fromkeys(("learners.read", "questions.answer"), OWN_LEARNERS)
"""Nobody is invited or joined within a narrow reach: either would show what others know of somebody."""


def _of_staff(title: str, says: str, rights: Rights, bound: Bound = "") -> StaffRole:
    """A role of those who work here: each sees the first page of staff."""
    return StaffRole(title, says, {"staff.enter": SELF, **rights}, bound)


ROLES: Mapping[str, StaffRole] = {
    ADMINISTRATOR: _of_staff(
        "Administrator", "runs the organisation's part of this server", dict.fromkeys(_EVERYTHING, ALL)
    ),
    "author": _of_staff(
        "Author",
        "makes courses, or looks after a learning platform",
        {
            "sources.connect": OWN,
            "arrivals.read": OWN,
            "lms.connect": ALL,
            **dict.fromkeys(("courses.read", "courses.open", "courses.manage"), OWN),
        },
        "source",
    ),
    "developer": _of_staff(
        "Developer of a service",
        "makes a matching service",
        {"services.manage": OWN_SERVICE, "deliveries.read": OWN_SERVICE},
        "service",
    ),
    "steward": _of_staff(
        "Steward of skills and rules",
        "looks after competencies, rules and the catalogue",
        {
            **dict.fromkeys(("frameworks.change", "rules.change", "badge-words.change", "imports.run"), ALL),
            **dict.fromkeys(("catalogue.change", "courses.read", "courses.open"), ALL),
            **dict.fromkeys(_RECORDS, ALL),
        },
    ),
    "trainer": _of_staff(
        "Trainer",
        "trains people on site",
        {
            **_OF_OWN_LEARNERS,
            **dict.fromkeys(("arrivals.read", "sessions.read", "sessions.run", "sessions.sign"), OWN),
            "checklists.change": OWN,
        },
        "source",
    ),
    "assessor": _of_staff(
        "Assessor",
        "assesses what people can do",
        {**_OF_OWN_LEARNERS, **dict.fromkeys(("sessions.read", "sessions.sign"), OWN)},
        "source",
    ),
    "provider": _of_staff(
        "Training provider",
        "sends in files of learners",
        {"imports.run": OWN, "source.read": OWN, **_OF_OWN_LEARNERS},
        "source",
    ),
    "planner": _of_staff(
        "Planner", "plans how many people need which skill", dict.fromkeys(("planning.read", "planning.change"), ALL)
    ),
    EMPLOYER: _of_staff(
        "Employer",
        "employs people, and sees the skills of those who agreed",
        dict.fromkeys(("employees.read", "employees.ask"), OWN_SERVICE),
        "service",
    ),
    AUDITOR: _of_staff("Auditor", "looks at what was done, and changes nothing", {"audit.read": ALL, "work.read": ALL}),
    LEARNER: StaffRole("Learner", "learns", dict.fromkeys(_OF_LEARNERS, SELF)),
    OPERATOR: StaffRole(
        "Operator",
        "runs this server, and the organisations on it",
        dict.fromkeys(("installation.read", "installation.begin", "tenants.manage", "operators.manage"), ALL),
    ),
}
OF_STAFF = tuple(role for role in ROLES if role not in {LEARNER, OPERATOR})
"""The roles that are given by hand. A learner has that role by having a record of their own; operators are of no
tenant.
"""
EVERYBODY: Rights = {"account.use": SELF}
"""What everybody who is signed in may do: look at their own account, change it, sign out."""


class Granted(msgspec.Struct, frozen=True, order=True):
    """A role that somebody has. *of* is the source or service that it is bound to; empty for a role that is not."""

    role: str
    of: str = ""

    def __str__(self) -> str:
        return f"{self.role}:{self.of}" if self.of else self.role

    @property
    def said(self) -> str:
        """The role as people read it: its title, and what it is for."""
        known = ROLES.get(self.role)
        title = known.title if known else self.role
        return f"{title} ({self.of})" if self.of else title


def granted(text: str) -> Granted:
    """The role that *text* names, such as ``steward`` or ``provider:North Centre``. Raises ``Refused`` (400).

    Whether there is such a service is not known here: ``lrs.matching.developers`` looks it up, also by its name.
    """
    name, _, of = (part.strip() for part in text.partition(":"))
    role = ROLES.get(name)
    if role is None or name not in OF_STAFF:
        raise Refused(f"there is no role {name!r} to give: choose from {', '.join(OF_STAFF)}")
    if not role.bound and of:
        raise Refused(f"the role {name} is for everything: write it without ':{of}'")
    if role.bound and not (of if role.bound == "service" else NAME.fullmatch(of)):
        raise Refused(f"the role {name} is for one {role.bound}: write it like {name}:NAME")
    return Granted(name, of)


def rights_of_roles(roles: Iterable[Granted]) -> tuple[Rights, Mapping[str, frozenset[str]]]:
    """The rights of somebody with these *roles*, each as far as the widest reaches, and what each is bound to.

    A right that one role gives for a source and another for everything is bound to nothing.
    """
    found: dict[str, str] = dict(EVERYBODY)
    own: dict[str, set[str]] = {}
    for one in roles:
        for right, reach in ROLES[one.role].rights.items() if one.role in ROLES else ():
            found[right] = max(reach, found.get(right, reach), key=REACHES.index)
            if one.of:
                own.setdefault(right, set()).add(one.of)
    return found, {right: frozenset(names) for right, names in own.items() if found[right] != ALL}


def roles_with(right: str, reaches: Iterable[str]) -> tuple[str, ...]:
    """The roles that give *right* with one of these *reaches*."""
    wanted = frozenset(reaches)
    return tuple(name for name, role in ROLES.items() if role.rights.get(right, "") in wanted)
