"""Persons who may be one: the list, two of them side by side, joining and keeping apart. No logic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import Response

from lrs.access import learners
from lrs.competency import listed
from lrs.kernel.errors import Refused
from lrs.matching.consent import consent
from lrs.matching.consent.consent import Subject
from lrs.pages import same_person_view
from lrs.pages.learners import tabs
from lrs.pages.list_files import add_files
from lrs.pages.same_person_view import COLUMNS, Side
from lrs.pages.session import chosen
from lrs.pages.views import identifier_shown
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says
from lrs.people import joins, parting
from lrs.people.persons import holders, identifiers_in, members_of
from lrs.people.search import search
from lrs.people.suggestions import BY_HAND
from lrs.storage import Reader, Record, micros_of
from lrs.tenancy.tenants import Tenant
from lrs.web.late import Router
from lrs.web.listing import ListRow, asked_of, listing

PLACE = "/staff/same-person"
PAIR = PLACE + "/{one}/{other}"
_SIDES = ("one", "other")
MOST = 1_000
"""Suggestions that are read for one page, the oldest first."""

says(
    joined="They are one person from now on. What they hold follows within seconds.",
    parted="They are two persons again. What each holds follows within seconds.",
    apart="They stay two persons, and that is remembered.",
    back="They are not kept apart any more.",
)


def routes() -> Router:
    """The router."""
    router = page_router()
    _add_list(router)
    _add_pair(router)
    return router


def _rows(visit: Visit) -> list[ListRow]:
    """The suggestions, or with ``?kept=apart`` those that were dismissed."""
    store, dismissed = visit.tenant.store, visit.request.query_params.get("kept") == "apart"
    found = joins.suggestions(store, dismissed=dismissed, most=MOST)
    pairs = [joins.shown(store, one) for one in found]
    return same_person_view.rows(pairs, _names(store, pairs), visit.root)


def _names(reader: Reader, pairs: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What the persons in *pairs*, or those who are one with them, are called, as far as they have a name."""
    holder = holders(reader, {side["person"] for pair in pairs for side in pair["persons"]})
    there = reader.get_many(listed.KIND, set(holder.values()))
    called = {id: listed.read(record).names for id, record in there.items()}
    return {person: called[one][0] for person, one in holder.items() if called.get(one)}


def _add_list(router: Router) -> None:
    @router.get(PLACE, summary="Persons that may be one, to join or to keep apart", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _list(visit)

    add_files(router, PLACE, "Persons that may be one", COLUMNS, _rows, name="same-person")

    @router.post(
        PLACE,
        status_code=303,
        summary="Puts two learners side by side whom nothing suggests",
        openapi_extra=form_body(*_SIDES) | SIGNED_IN,
    )
    def compare(visit: Visiting, body: FormBody) -> Response:
        form = visit.fields(body)
        try:
            one, other = (_found(visit.tenant, form.get(side, ""), side) for side in _SIDES)
            if one == other:
                raise Refused("Both are one learner already: the page of that learner takes them apart.", error="other")
        except Refused as refused:
            return _list(visit, refused, form)
        return visit.on(f"{PLACE}/{one}/{other}")


def _list(visit: Visit, refused: Refused | None = None, told: Mapping[str, str] | None = None) -> Response:
    rows = _rows(visit)
    return visit.page(
        "staff/same-person.html",
        refused.status if refused else 200,
        tabs=tabs(visit, "same"),
        list=listing(asked_of(visit.request, COLUMNS), rows, whole=len(rows) < MOST),
        kept_apart=visit.request.query_params.get("kept") == "apart",
        told=told or {},
        wrong={refused.error: refused.message} if refused else {},
    )


def _found(tenant: Tenant, text: str, side: str) -> str:
    """The learner whom *text* names. Raises ``Refused`` (400) with the field *side* as its error."""
    known = search(tenant, text.strip())
    if not known.found:
        raise Refused("Nobody is known by that: write a whole name, address or number.", error=side)
    if len(known.found) > 1 or not known.whole:
        raise Refused("Several are known by that: write a whole address or number of one of them.", error=side)
    return known.found[0].person


def _add_pair(router: Router) -> None:
    @router.get(PAIR, summary="Two persons side by side: what speaks for one, and against", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, one: str, other: str) -> Response:
        return _pair(visit, one, other)

    @router.post(
        PAIR,
        status_code=303,
        summary="Joins two persons, keeps them apart, or takes that back",
        openapi_extra=form_body("act", "despite", "members") | SIGNED_IN,
    )
    def decide(visit: Visiting, one: str, other: str, body: FormBody) -> Response:
        form = visit.fields(body)
        act, by = chosen(form, "act", ("join", "part", "apart", "back")), visit.session.by
        despite = form.get("despite") == "yes"
        write = visit.tenant.store.write
        try:
            if act == "join":
                write(lambda tx: joins.merge(tx, one, other, by, despite_conflict=despite)).result()
                return _on(visit, one, other, "joined")
            if act == "part":
                seen = form.get("members", "").split()
                write(lambda tx: parting.part(tx, one, other, by, seen=seen)).result()
                return _on(visit, one, other, "parted")
            if act == "apart":
                write(lambda tx: joins.dismiss(tx, one, other, by)).result()
                return visit.on(PLACE, "apart")
            write(lambda tx: joins.bring_back(tx, one, other, by)).result()
            return _on(visit, one, other, "back")
        except Refused as refused:
            if refused.status == 404:
                raise
            return _pair(visit, one, other, refused)


def _on(visit: Visit, one: str, other: str, done: str) -> Response:
    return visit.on(f"{PLACE}/{one}/{other}", done)


def _pair(visit: Visit, one: str, other: str, refused: Refused | None = None) -> Response:
    store, zone = visit.tenant.store, visit.tenant.settings.zone
    are_one = members_of(store, one) == members_of(store, other)
    first, second = _side(visit, one, alone=are_one), _side(visit, other, alone=are_one)
    suggested = joins.suggested_between(store, one, other)
    conflict = joins.conflict_between(store, one, other)
    pairs = [joins.shown(store, each) for each, _ in suggested if each.reason != BY_HAND]
    pro = same_person_view.for_it(first.listed, second.listed, pairs)
    contra = same_person_view.against_it(first.listed, second.listed, conflict)
    return visit.page(
        "staff/same-person-pair.html",
        refused.status if refused else 200,
        one=same_person_view.side(first, zone),
        other=same_person_view.side(second, zone),
        are_one=are_one,
        members=" ".join(second.members),
        leaving=[_known_by(visit, group) for group in parting.leaving(store, one, other)],
        pro=pro,
        contra=contra,
        has_conflict=conflict is not None,
        is_suggested=any(not is_apart for _, is_apart in suggested),
        kept_apart=any(is_apart for _, is_apart in suggested),
        speaks_for=bool(pro) and not contra,
        problem=refused.message if refused else "",
    )


def _known_by(visit: Visit, members: Sequence[str]) -> list[str]:
    return [identifier_shown(each.ifi)[1] for each in identifiers_in(visit.tenant.store, members)]


def _side(visit: Visit, person: str, *, alone: bool) -> Side:
    """What is known of *person* with those who are one with them, or *alone*. Raises ``Refused`` (404)."""
    store = visit.tenant.store
    record = store.get("person", person)
    if record is None:
        raise Refused("There is no such learner.", status=404, error="not_found")
    members = [person] if alone else list(members_of(store, person))
    holder = person if alone else record.meta["into"] or person
    made, _ = listed.listed(store, Record("person", holder, meta={"into": None, "members": members}))
    subjects = [
        *(Subject(person=one) for one in members),
        *(Subject(identifier=each.id) for each in identifiers_in(store, members)),
    ]
    now = visit.tenant.clock()
    return Side(
        person,
        members_of(store, person),
        listed.read(made),
        micros_of(record.seq),
        learners.account_of(store, person) is not None,
        sum(each.holds(now) for subject in subjects for each in consent.of_subject(store, subject)),
    )
