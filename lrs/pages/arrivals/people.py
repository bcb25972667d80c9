"""Of whom the list of arrivals is to be: which identifiers a person has, as far as whoever asks may know them."""

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
    """The ``ifi_text`` of the agent that *text* is, or of the one learner that it names.

    Names are looked up only for who may see all learners; for others an answer would tell that somebody is known here.
    """
    if found := named(text):
        return ifi_text(found.ifi)
    if not (text and caller.may_all(_NAMES)):
        return None
    people = search(tenant, text).found
    return ifi_text(people[0].identifiers[0]) if len(people) == 1 and people[0].identifiers else None


def agents_of(tenant: Tenant, caller: Caller, agent: str) -> list[str]:
    """The ``ifi_text`` of each identifier of the person *agent*.

    Only *agent* for who may not see all learners: which names are one person's is not for a source to know.
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
