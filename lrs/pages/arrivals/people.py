"""The person filter of the list of arrivals: the identifiers of a person, as far as the visitor may know them."""

from __future__ import annotations

from lrs.access import Caller
from lrs.pages.views import identifier_shown
from lrs.people.ids import ids_of, record_of
from lrs.people.persons import identifiers_in, members_of, named
from lrs.people.search import search
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import agent_of, identifier_of, ifi_text

NOBODY = (
    "Nobody is found by that. Write a whole e-mail address or learner number, or an account as home page|name; or "
    "choose somebody in the list."
)
_NAMES = "learners.read"


def agent_named(tenant: Tenant, caller: Caller, text: str) -> str | None:
    """The ``ifi_text`` of *text*, or of the one learner that *text* names.

    Only visitors who may see all learners can search by name; for others the result would tell that somebody is known
    here.
    """
    if found := named(text):
        return ifi_text(found.ifi)
    if not (text and caller.may_all(_NAMES)):
        return None
    people = search(tenant, text).found
    return ifi_text(people[0].identifiers[0]) if len(people) == 1 and people[0].identifiers else None


def agents_of(tenant: Tenant, caller: Caller, agent: str) -> list[str]:
    """The ``ifi_text`` of each identifier of the person *agent*.

    Only *agent* itself for a visitor who may not see all learners: a source may not know which identifiers are one
    person's.
    """
    if not agent:
        return []
    if not caller.may_all(_NAMES):
        return [agent]
    identifier = identifier_of(agent_of(agent))
    record = record_of(tenant.store, identifier.id, ids_of(tenant)) if identifier else None
    members = members_of(tenant.store, record.meta["person"]) if record else ()
    known = (ifi_text(one.ifi) for one in identifiers_in(tenant.store, members))
    return list(dict.fromkeys([agent, *(text for text in known if text)]))


def shown(agent: str) -> str:
    """The identifier *agent* for people; empty if there is none."""
    return "" if not agent else identifier_shown(agent_of(agent))[1]
