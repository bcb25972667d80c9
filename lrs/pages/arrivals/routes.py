"""The routes of arrivals: the list, one statement, a course. No logic."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from urllib.parse import urlencode

import msgspec
from fastapi import Response

from lrs.competency.rules.rulesets import in_force
from lrs.kernel.errors import Refused
from lrs.pages.arrivals import course_view, people, statement_view, view
from lrs.pages.arrivals.asked import PATH, Wanted, sealed, wanted
from lrs.pages.arrivals.course import CourseSeen, course_of, read
from lrs.pages.arrivals.following import followed
from lrs.pages.arrivals.names import all_told, name_of
from lrs.pages.arrivals.outcomes import outcomes_of
from lrs.pages.arrivals.reading import ArrivalsPage, page_of
from lrs.pages.connect import facts as connect_facts
from lrs.pages.facts import Neighbours
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, page_router
from lrs.storage import Record
from lrs.web.late import Router
from lrs.web.listing import Asked, ListRow, as_csv, as_json, asked_of, listing
from lrs.xapi.statements.quarantine import all_tallies

READ = "arrivals.read"
SIZE = 50
IN_A_FILE = 1_000
"""Statements and refusals in one file. The header ``Link`` has the address of the next one (RFC 8288)."""


def routes(neighbours: Neighbours) -> Router:
    """The router; *neighbours* are the parts that the app knows."""
    router = page_router(PATH)
    _add_list(router, neighbours)
    _add_statement(router, neighbours)
    _add_course(router)
    return router


def _add_list(router: Router, neighbours: Neighbours) -> None:
    @router.get("", summary="What came, and what was refused", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _listed(visit, neighbours)

    @router.post(
        "", status_code=303, summary="Looks for what came about a person", openapi_extra=form_body("who") | SIGNED_IN
    )
    def find(visit: Visiting, body: FormBody) -> Response:
        """Takes the person by POST, so that no address or number of a learner is in a log or a browser's history."""
        who, asked = visit.fields(body).get("who", "").strip(), wanted(visit.tenant, visit.request.query_params)
        agent = people.agent_named(visit.tenant, visit.caller, who)
        if agent is None:
            return _listed(visit, neighbours, people.NOBODY)
        return visit.on(asked.address("", person=sealed(visit.tenant, agent), refused=""))

    @router.get(".csv", summary="What came, as CSV", openapi_extra=SIGNED_IN)
    def table(visit: Visiting) -> Response:
        asked, page, rows = _page(visit, IN_A_FILE)
        return _with_next(as_csv(view.as_asked(visit.root), rows, "arrivals"), visit, asked, page, ".csv")

    @router.get(".json", summary="What came, as JSON", openapi_extra=SIGNED_IN)
    def objects(visit: Visiting) -> Response:
        asked, page, rows = _page(visit, IN_A_FILE)
        return _with_next(as_json(view.as_asked(visit.root), rows, "arrivals"), visit, asked, page, ".json")


def _add_statement(router: Router, neighbours: Neighbours) -> None:
    @router.get("/statements/{id}", summary="One statement, and what followed from it", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        tenant, store = visit.tenant, visit.tenant.store
        record = store.get("statement", id.lower())
        reach = sources_within(visit)
        if record is None or (reach is not None and record.meta.get("source") not in reach):
            raise Refused("There is no such statement among those of your sources.", status=404, error="not_found")
        outcome = outcomes_of(tenant, [record])[record.id]
        found = followed(tenant, neighbours, visit.caller, record.id, outcome)
        shown = statement_view.statement(
            record,
            all_told(store, [record])[record.id],
            outcome,
            found,
            in_force(store),
            root=visit.root,
            zone=tenant.settings.zone,
            sees=may(visit.caller),
        )
        return visit.page("staff/arrived.html", **shown)


def _add_course(router: Router) -> None:
    @router.get("/course", summary="Who began, finished and passed a course", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, activity: str = "") -> Response:
        if not activity:
            return visit.on(PATH)
        found, asked, rows = _course(visit, activity)
        name = name_of(visit.tenant.store, activity) or ""
        shown = course_view.course(found, activity, name, visit.root)
        return visit.page("staff/course.html", list=listing(asked, rows), **shown)

    @router.get("/course.csv", summary="Who began, finished and passed a course, as CSV", openapi_extra=SIGNED_IN)
    def table(visit: Visiting, activity: str = "") -> Response:
        _, asked, rows = _course(visit, activity)
        return as_csv(asked, rows, "course")

    @router.get("/course.json", summary="Who began, finished and passed a course, as JSON", openapi_extra=SIGNED_IN)
    def objects(visit: Visiting, activity: str = "") -> Response:
        _, asked, rows = _course(visit, activity)
        return as_json(asked, rows, "course")


def _course(visit: Visit, activity: str) -> tuple[CourseSeen, Asked, list[ListRow]]:
    tenant = visit.tenant
    records, is_whole = read(tenant.store, activity, sources_within(visit))
    found = course_of(records, activity, in_force(tenant.store).rules, is_whole=is_whole)
    person = {agent: sealed(tenant, agent) for agent in found.people}
    asked = asked_of(visit.request, course_view.COLUMNS, sort="-last")
    asked = replace(asked, chosen={**asked.chosen, "activity": activity})
    return found, asked, course_view.rows(found, activity, visit.root, tenant.settings.zone, person)


def _listed(visit: Visit, neighbours: Neighbours, problem: str = "") -> Response:
    asked, page, rows = _page(visit, SIZE)
    store, caller = visit.tenant.store, visit.caller
    sources = connect_facts.sources_of(visit.tenant, caller, READ, neighbours.by_file(store))
    here = {str(row.values["source"]) for row in rows}  # also sources whose files are too old to be looked at
    zone = visit.tenant.settings.zone
    return visit.page(
        "staff/arrivals.html",
        400 if problem else 200,
        problem=problem,
        list=view.listing(page, rows, asked, root=visit.root, zone=zone, sources=sorted(here.union(sources))),
        kept=[(name, value) for name, value in asked.given.items() if name not in {"activity", "from", "to"}],
        find=asked.address(visit.root, person="", refused=""),
        finds_names=visit.caller.may_all("learners.read"),
        may_connect=may(visit.caller)("/connect"),
        about=asked.activity,
        first_day=asked.given.get("from", ""),
        last_day=asked.given.get("to", ""),
        is_narrowed=bool(asked.given.keys() - {"sort"}),
        is_live=asked.before is None and not asked.oldest_first,
        person=people.shown(asked.agent),
        activity=(name_of(store, asked.activity) or asked.activity) if asked.activity else "",
        course=f"{visit.root}{PATH}/course?{urlencode({'activity': asked.activity})}" if asked.activity else "",
        all_address=Wanted({}).address(visit.root),
        has_sources=bool(sources) or visit.caller.may_all(READ),
        waiting=sum(one.count for name, one in all_tallies(store).items() if connect_facts.reaches(caller, READ, name)),
    )


def _page(visit: Visit, size: int) -> tuple[Wanted, ArrivalsPage, list[ListRow]]:
    tenant, store = visit.tenant, visit.tenant.store
    asked = wanted(tenant, visit.request.query_params)
    reach = sources_within(visit)
    page = page_of(store, asked, reach, people.agents_of(tenant, visit.caller, asked.agent), size)
    records = [one for one in page.found if isinstance(one, Record)]
    said = all_told(store, records)
    person = {one.agent: sealed(tenant, one.agent) for one in said.values() if one.agent}
    rows = view.rows(
        page,
        said,
        outcomes_of(tenant, records),
        in_force(store),
        msgspec.structs.replace(asked, before=None),
        root=visit.root,
        zone=tenant.settings.zone,
        person=person,
    )
    return asked, page, rows


def sources_within(visit: Visit) -> Collection[str] | None:
    """The sources that the visitor may see, ``None`` for all of them."""
    return None if visit.caller.may_all(READ) else visit.caller.owned(READ)


def _with_next(answer: Response, visit: Visit, asked: Wanted, page: ArrivalsPage, ending: str) -> Response:
    if page.next is not None:
        following = asked.address(visit.root, ending=ending, before=str(page.next))
        answer.headers["Link"] = f'<{following}>; rel="next"'
    return answer
