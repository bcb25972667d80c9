"""The list of learners: within reach, searched, and taken away as a file. No logic."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Response

from lrs.competency import listed
from lrs.competency.dates import day_of
from lrs.competency.listed import ListedLearner, listed_key
from lrs.competency.rules.rulesets import in_force
from lrs.kernel.errors import Refused
from lrs.pages import invitations, lacking, learner, learners_view, reach, views
from lrs.pages.facts import Neighbours
from lrs.pages.learners_view import COLUMNS
from lrs.pages.list_files import add_files
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, page_router
from lrs.people.persons import named, person_named
from lrs.people.search import LISTED, Search, search
from lrs.web.late import Router
from lrs.web.listing import PART, ListRow, asked_of, listing

PLACE = learner.LIST
NOBODY = "Nobody is known by that name. Check the spelling; a learner is known from the first statement about them."
TOO_MANY = "Nobody among the learners who were seen last is known by that name: give a whole address or number."


def routes(neighbours: Neighbours) -> Router:
    """The router; *neighbours* are the parts that the app knows."""
    router = page_router()
    _add_list(router)
    _add_search(router, neighbours)
    invitations.add_routes(router, rows_of, tabs)
    learner.add_routes(router, neighbours)
    return router


# -- the list -------------------------------------------------------------------------------------------------------


def rows_of(visit: Visit, wanted: str = "") -> tuple[list[ListRow], bool]:
    """The rows within reach that match the address and *wanted*, and whether these are all."""
    chosen = asked_of(visit.request, COLUMNS).chosen
    found, whole = _within_reach(visit, [listed_key(by, chosen[at]) for at, by in _INDEXED if at in chosen])
    sources = reach.own_sources(visit.caller)
    if wanted:
        found = learners_view.named(found, wanted, sources)
    tenant = visit.tenant
    today = day_of(tenant.clock(), tenant.settings.zone)
    level = _levels(visit).get(chosen["lacks"]) if "lacks" in chosen else None
    rows = learners_view.rows(found, today=today, root=visit.root, sources=sources, chosen=chosen, wanted=level)
    return rows, whole


def _levels(visit: Visit) -> dict[str, lacking.WantedLevel]:
    return lacking.levels(in_force(visit.tenant.store), reach.own_sources(visit.caller))


_INDEXED = (("skill", "skill"), ("provider", "source"))


def _within_reach(visit: Visit, keys: Sequence[int]) -> tuple[list[tuple[str, ListedLearner]], bool]:
    return listed.chosen(visit.tenant.store, sources=reach.own_sources(visit.caller), keys=keys)


def _add_list(router: Router) -> None:
    @router.get(PLACE, summary="The learners within reach, with what they hold", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _all(visit)

    add_files(
        router, PLACE, "The list of learners", COLUMNS, lambda visit: rows_of(visit)[0], name="learners", sort="name"
    )


def _all(visit: Visit) -> Response:
    rows, whole = rows_of(visit)
    return _list(visit, rows, whole=whole)


def _list(
    visit: Visit, rows: Sequence[ListRow], *, whole: bool, wanted: str = "", problem: str = "", status: int = 200
) -> Response:
    asked = asked_of(visit.request, COLUMNS, sort="name")
    found = listing(asked, rows, whole=whole, files=not wanted, dressed=learners_view.dressed)
    chosen = asked.chosen.get("lacks", "")
    found["facets"] = [one for one in found["facets"] if one["label"] != "Lacks"]
    return visit.page(
        "staff/learners.html",
        status,
        tabs=tabs(visit, "list"),
        list=found,
        wanted=wanted,
        levels=lacking.choices(_levels(visit), chosen),
        lacks=chosen,
        all_address=asked.address(lacks="", **{PART: ""}),
        problem=problem,
        is_narrow=reach.own_sources(visit.caller) is not None,
        sources=sorted(reach.own_sources(visit.caller) or ()),
    )


def _add_search(router: Router, neighbours: Neighbours) -> None:
    @router.post(PLACE, summary="Looks for learners within reach", openapi_extra=form_body("who") | SIGNED_IN)
    def find(visit: Visiting, body: FormBody) -> Response:
        """Takes the text by POST, so that no address or number of a learner is in a log or a browser's history."""
        wanted = visit.fields(body).get("who", "").strip()
        rows, whole = rows_of(visit, wanted) if wanted else ([], True)
        person = person_named(visit.tenant, wanted)
        if person is not None and _is_seen(visit, wanted, person):
            return visit.on(f"{PLACE}/{person}")
        if len(rows) == 1 and whole:
            return visit.on(rows[0].links["name"].removeprefix(visit.root))
        if rows:
            return _list(visit, rows, whole=whole, wanted=wanted)
        return _look_further(visit, neighbours, wanted)


def _look_further(visit: Visit, neighbours: Neighbours, wanted: str) -> Response:
    """Searches for somebody who is not in the list: not added yet, or older than the part that is read."""
    caller = visit.caller
    searched = search(visit.tenant, wanted) if caller.may_all(reach.READ) else Search(())
    if len(searched.found) == 1 and searched.whole:
        return visit.on(f"{PLACE}/{searched.found[0].person}")
    if searched.found:
        rows = [views.searched_row(one, visit.root) for one in searched.found]
        return _list(visit, rows, whole=searched.whole and len(rows) < LISTED, wanted=wanted)
    try:
        if not caller.may_all(reach.READ):
            raise reach.nobody_here()
        return learner.page_of(visit, neighbours, wanted)
    except Refused as refused:
        problem = NOBODY if searched.whole else TOO_MANY
        return _list(visit, [], whole=True, wanted=wanted, problem=problem, status=refused.status)


def tabs(visit: Visit, here: str) -> list[dict[str, object]]:
    """The pages about learners that the visitor may see."""
    sees = may(visit.caller)
    return [
        {"text": text, "address": visit.root + path, "current": name == here} for name, text, path in TABS if sees(path)
    ]


TABS = (
    ("list", "All learners", PLACE),
    ("same", "Same person?", "/staff/same-person"),
    ("invite", "Invite to sign in", invitations.PLACE),
)


def _is_seen(visit: Visit, wanted: str, person: str) -> bool:
    """Whether *person*, searched by *wanted*, is within reach; by an identifier only if own sources use it.

    Otherwise the answer would tell who has an address that only other sources know.
    """
    typed = None if wanted == person else named(wanted)
    if typed is not None:
        return bool(reach.known_to(visit.tenant.store, visit.caller, [typed]))
    try:
        reach.check_reach(visit.tenant.store, visit.caller, person)
    except Refused:
        return False
    return True
