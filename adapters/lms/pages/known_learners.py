"""Who the learners of a course are, by the names that whoever is signed in may know of them."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.lms.launching import own_account
from adapters.lms.pages.own_courses import MANAGE
from adapters.lms.pages.view import CourseLearner
from adapters.lms.sessions.session import Registration
from lrs.competency import listed
from lrs.competency.listed import ListedLearner
from lrs.kernel.errors import Refused
from lrs.pages import learners_view, reach
from lrs.pages.views import NO_NAME
from lrs.pages.visit import Visit, may
from lrs.people.ids import identified, ids_of
from lrs.people.persons import holders
from lrs.storage import Record
from lrs.tenancy.tenants import Tenant


def known_learners(visit: Visit, found: Sequence[Registration]) -> dict[str, CourseLearner]:
    """Who each of *found* is, by the id of the registration: as the list of learners calls them.

    An account of ours says nothing to people: it is known ``Here``.
    """
    store, sources = visit.tenant.store, reach.own_sources(visit.caller, MANAGE)
    ids = {one.id: made.id for one in found if (made := identified(one.actor, ids_of(visit.tenant)))}
    persons = {id: str(record.meta["person"]) for id, record in store.get_many("identifier", ids.values()).items()}
    holder_of = holders(store, persons.values())
    groups = store.get_many("person", holder_of.values())
    told = store.get_many(listed.KIND, holder_of.values())
    known = {}
    for one in found:
        holder = holder_of.get(persons.get(ids.get(one.id, ""), ""), "")
        learner = listed.read(told[holder]) if holder in told else ListedLearner()
        known[one.id] = _known(visit.tenant, one, groups.get(holder), learner, sources)
    return known


def record_of(visit: Visit, one: CourseLearner) -> str:
    """The address of the record of *one*; empty if the visitor may not open it."""
    if not one.person or not may(visit.caller)("/staff/learners/{person}"):
        return ""
    try:
        reach.check_reach(visit.tenant.store, visit.caller, one.person)
    except Refused:
        return ""
    return f"{visit.root}/staff/learners/{one.person}"


def _known(
    tenant: Tenant, one: Registration, group: Record | None, learner: ListedLearner, sources: frozenset[str] | None
) -> CourseLearner:
    account = one.actor["account"]
    is_ours = group is not None and own_account.is_ours(tenant, group.meta["members"], account)
    given = str(one.actor.get("name") or "")
    called = learners_view.called(learner, sources, given)
    return CourseLearner(
        account["name"] if called == NO_NAME and not is_ours else called,
        "Here" if is_ours else account["homePage"],
        group.id if group else "",
    )
