"""The pages about learners: the list, one learner, and inviting them to sign in. No logic."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse, JSONResponse

from lrs.competency import listed
from lrs.competency.dates import day_of
from lrs.competency.listed import ListedLearner, listed_key
from lrs.competency.rules.rulesets import in_force
from lrs.kernel.errors import Refused
from lrs.pages import acts, facts, invitations, lacking, learners_view, reach, views
from lrs.pages.arrivals.names import called
from lrs.pages.arrived_lately import lately
from lrs.pages.facts import Neighbours
from lrs.pages.learners_view import COLUMNS
from lrs.pages.list_files import add_files
from lrs.pages.visit import REFUSALS, SIGNED_IN, FormBody, Visit, Visiting, form_body, may, says
from lrs.people import sign_in
from lrs.people.persons import named, person_named
from lrs.people.search import LISTED, Search, search
from lrs.people.sign_in import LearnerInvitation
from lrs.web.dates import written_moment
from lrs.web.listing import ListRow, asked_of, listing
from lrs.web.origins import pages_address_for

PLACE = "/staff/learners"
NOBODY = "Nobody is known by that name. Check the spelling; a learner is known from the first statement about them."
TOO_MANY = "Nobody among the learners who were seen last is known by that name: give a whole address or number."

says(withdrawn="The consent is withdrawn. Nothing more is shown or sent; the service is told to forget.")


def routes(neighbours: Neighbours) -> APIRouter:
    """The router; *neighbours* are the parts that the app knows."""
    router = APIRouter(tags=["pages"], default_response_class=HTMLResponse, responses=REFUSALS)
    _add_list(router)
    _add_search(router, neighbours)
    invitations.add_routes(router, rows_of, tabs)
    _add_learner(router, neighbours)
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


def _add_list(router: APIRouter) -> None:
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
        all_address=asked.address(lacks="", part=""),
        problem=problem,
        is_narrow=reach.own_sources(visit.caller) is not None,
        sources=sorted(reach.own_sources(visit.caller) or ()),
    )


def _add_search(router: APIRouter, neighbours: Neighbours) -> None:
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
        return _learner(visit, neighbours, wanted)
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


# -- one learner ----------------------------------------------------------------------------------------------------


def _add_learner(router: APIRouter, neighbours: Neighbours) -> None:
    @router.get(PLACE + "/{person}", summary="What a learner holds, why, and who may see it", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, person: str) -> Response:
        return _learner(visit, neighbours, person)

    @router.post(
        PLACE + "/{person}/withdraw",
        status_code=303,
        summary="Withdraws a consent",
        openapi_extra=form_body("service", "scope") | SIGNED_IN,
    )
    def withdraw(visit: Visiting, person: str, body: FormBody) -> Response:
        form = visit.fields(body)
        service, scope = form.get("service") or None, form.get("scope") or None
        count = acts.withdraw(visit.tenant, person, service=service, scope=scope, by=visit.session.by)
        return visit.on(f"{PLACE}/{person}", "withdrawn" if count else "gone")

    @router.post(
        PLACE + "/{person}/invite",
        summary="Makes a link by which a learner signs in, shown once",
        openapi_extra=form_body("email") | SIGNED_IN,
    )
    def invite(visit: Visiting, person: str, body: FormBody) -> Response:
        email = visit.fields(body).get("email", "")
        try:
            root = pages_address_for(visit.request)
            made = sign_in.invite(visit.tenant, person, email, by=visit.session.by, root=root)
        except Refused as refused:
            return _learner(visit, neighbours, person, refused=refused, email=email)
        return _learner(visit, neighbours, person, made=made, email=email)

    @router.get(
        "/pages/badges/{id}", response_class=JSONResponse, summary="A badge as it was issued", openapi_extra=SIGNED_IN
    )
    def badge(visit: Visiting, id: str) -> Response:
        record = visit.tenant.store.get("credential", id)
        if record is None:
            raise Refused("There is no such badge.", status=404, error="not_found")
        return Response(record.body, media_type="application/json", headers={"Cache-Control": "no-store"})


def _learner(
    visit: Visit,
    neighbours: Neighbours,
    who: str,
    *,
    made: LearnerInvitation | None = None,
    refused: Refused | None = None,
    email: str = "",
) -> Response:
    tenant, caller, zone = visit.tenant, visit.caller, visit.tenant.settings.zone
    if not caller.may_all(reach.READ):
        reach.check_reach(tenant.store, caller, who)
    found = facts.within_reach(tenant, neighbours, caller, facts.learner_facts(tenant, neighbours, who))
    sees = may(caller)
    return visit.page(
        "staff/learner.html",
        refused.status if refused else 200,
        **views.learner(found, tenant.clock(), zone, called(tenant.store)),
        whole=caller.may_all(reach.READ),
        may_invite=sees(PLACE + "/{person}/invite", "POST"),
        may_withdraw=sees(PLACE + "/{person}/withdraw", "POST"),
        may_join=sees("/staff/same-person"),
        may_take_badges=sees("/pages/badges/{id}"),
        arrived=lately(tenant, chain.from_iterable(found.identifiers.values()), reach.own_sources(caller)),
        has_mail=tenant.settings.smtp_url is not None,
        may_open=sees("/arrivals/statements/{id}"),
        may_correct=sees(PLACE + "/{person}/correct"),
        sources=sorted(reach.own_sources(caller) or ()),
        problem=refused.message if refused else "",
        email=email,
        link=made.link if made else "",
        link_until=written_moment(made.expires, zone) if made else "",
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
