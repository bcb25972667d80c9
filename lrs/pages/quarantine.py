"""The pages of the quarantine: what waits within reach, one statement, and storing it after its mends. No logic."""

from fastapi import Response

from lrs.kernel.errors import Refused
from lrs.pages import quarantine_view
from lrs.pages.connect import facts as connect_facts
from lrs.pages.connect.facts import CONNECT
from lrs.pages.facts import Neighbours
from lrs.pages.list_files import add_files
from lrs.pages.quarantine_view import AS_IT_CAME, COLUMNS, MENDED
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, page_router, says
from lrs.storage import Record
from lrs.web.late import Router
from lrs.web.listing import ListRow, asked_of, listing
from lrs.web.page import redirect
from lrs.xapi.statements import quarantine
from lrs.xapi.statements.quarantine import quarantined
from lrs.xapi.statements.replay import replay_each

PATH, READ = "/arrivals/quarantine", "arrivals.read"
SHOWN = 1_000
"""The newest statements in quarantine that are listed, of each source."""
AT_ONCE = 200
"""How many one form stores."""

says(replayed="Stored. What follows from it follows within moments.")


def routes(neighbours: Neighbours) -> Router:
    """The router; *neighbours* are the parts that the app knows."""
    router = page_router(PATH)
    _add_list(router, neighbours)
    _add_one(router, neighbours)
    return router


def _add_list(router: Router, neighbours: Neighbours) -> None:
    @router.get("", summary="What waits in quarantine", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        asked = asked_of(visit.request, COLUMNS, sort="-came")
        found = listing(asked, _rows(visit))
        sees = may(visit.caller)
        bulk = quarantine_view.bulk(_records(visit, CONNECT)) if sees(PATH, "POST") else []
        told = quarantine_view.figures(visit.request.query_params)
        return visit.page(
            "staff/quarantine.html", list=found, bulk=bulk, days=quarantine.DAYS, at_once=AT_ONCE, told=told, sees=sees
        )

    add_files(router, "", "What waits in quarantine", COLUMNS, _rows, name="quarantine", sort="-came")

    @router.post(
        "",
        status_code=303,
        summary="Stores what waits of a source, after the same mends",
        openapi_extra=form_body("source", "mends") | SIGNED_IN,
    )
    def store_some(visit: Visiting, body: FormBody) -> Response:
        form = visit.fields(body)
        source, mends = form.get("source", ""), tuple(form.get("mends", "").split())
        fitting = [
            one
            for one in _records(visit, CONNECT)
            if one.meta["source"] == source and quarantined(one).habits == mends and mends
        ]
        if not fitting:
            raise Refused("Nothing of this source waits that needs just these mends.", status=404, error="not_found")
        ids = [one.id for one in fitting[:AT_ONCE]]
        done = replay_each(visit.tenant, ids, mends, neighbours.subscriptions, by=visit.session.by)
        refused = sum(one.refused is not None for one in done)
        return redirect(visit.request, f"{visit.root}{PATH}?stored={len(done) - refused}&refused={refused}")


def _add_one(router: Router, neighbours: Neighbours) -> None:
    @router.get("/{id}", summary="One statement in quarantine, and what is wrong with it", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        return _shown(visit, _within(visit, id, READ))

    @router.post(
        "/{id}",
        status_code=303,
        summary="Stores a statement from the quarantine, after its mends or as it came",
        openapi_extra=form_body("how") | SIGNED_IN,
    )
    def store_one(visit: Visiting, id: str, body: FormBody) -> Response:
        form, record = visit.fields(body), _within(visit, id, CONNECT)
        if form.get("how") not in {MENDED, AS_IT_CAME}:
            raise Refused("Choose whether it is stored mended, or as it came.")
        mends = quarantined(record).habits if form["how"] == MENDED else ()
        if refused := _store(visit, neighbours, record, mends):
            return _shown(visit, record, refused)
        return visit.on(f"/arrivals/statements/{record.id}", "replayed")


def _store(visit: Visit, neighbours: Neighbours, record: Record, mends: tuple[str, ...]) -> Refused | None:
    """Stores it, or gives why it cannot be."""
    (done,) = replay_each(visit.tenant, [record.id], mends, neighbours.subscriptions, by=visit.session.by)
    if done.refused and done.refused.status == 404:
        raise done.refused
    return done.refused


def _shown(visit: Visit, record: Record, refused: Refused | None = None) -> Response:
    is_free = connect_facts.reaches(visit.caller, CONNECT, str(record.meta["source"]))
    shown = quarantine_view.one(record, visit.root, visit.tenant.settings.zone)
    problem = refused.message if refused else ""
    return visit.page(
        "staff/quarantined.html", refused.status if refused else 200, problem=problem, may_store=is_free, **shown
    )


def _within(visit: Visit, id: str, right: str) -> Record:
    """The statement, if its source is within reach of *right*. Raises ``Refused`` (404)."""
    record = quarantine.find(visit.tenant.store, id)
    if record is None or not connect_facts.reaches(visit.caller, right, str(record.meta["source"])):
        message = "There is no such statement in quarantine among those of your sources."
        raise Refused(message, status=404, error="not_found")
    return record


def _records(visit: Visit, right: str) -> list[Record]:
    sources = quarantine.all_tallies(visit.tenant.store)
    reached = [one for one in sorted(sources) if connect_facts.reaches(visit.caller, right, one)]
    return [one for source in reached for one in quarantine.newest(visit.tenant.store, source, SHOWN)]


def _rows(visit: Visit) -> list[ListRow]:
    return quarantine_view.rows(_records(visit, READ), visit.root, visit.tenant.settings.zone)
