"""The pages of checklists: the list, a new one or a new version, and the versions of one. No logic."""

from __future__ import annotations

from fastapi import Response

from adapters.training_centre import checklists as kept
from adapters.training_centre.centre_sessions import checked_centre
from adapters.training_centre.checklist_table import typed, typed_steps
from adapters.training_centre.checklists import Checklist, ChecklistVersion
from adapters.training_centre.pages import view
from lrs.kernel.errors import Refused
from lrs.pages.list_files import add_files
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says
from lrs.web.dates import written_moment
from lrs.web.late import Router
from lrs.web.listing import ListRow, asked_of, listing

PLACE = "/staff/checklists"
RIGHT = "checklists.change"
FIELDS = ("centre", "name", "title", "steps", "percent", "signatures")
says(
    checklist_made="The checklist is made.",
    checklist_new="The checklist has a new version. Sessions that began with another one stay on it.",
    checklist_same="The checklist is as it was.",
)


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get(PLACE, summary="The checklists, and the form for a new one", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _list(visit, {})

    add_files(router, PLACE, "The checklists", view.CHECKLISTS, _rows, name="checklists", sort="title")

    @router.post(
        PLACE,
        status_code=303,
        summary="Makes a checklist, or a version of it",
        openapi_extra=form_body(*FIELDS) | SIGNED_IN,
    )
    def keep(visit: Visiting, body: FormBody) -> Response:
        told = visit.fields(body)
        try:
            made, is_new = _kept(visit, told)
        except Refused as refused:
            if refused.status == 403:
                raise
            return _list(visit, told, refused)
        fresh = "checklist_made" if made.number == 1 else "checklist_new"
        done = fresh if is_new else "checklist_same"
        return visit.on(f"{PLACE}/{made.content.record}", done)

    _add_one(router)
    return router


def _add_one(router: Router) -> None:
    """One checklist."""

    @router.get(f"{PLACE}/{{id}}", summary="A checklist: its steps, and its versions", openapi_extra=SIGNED_IN)
    def one(visit: Visiting, id: str) -> Response:
        store, found = visit.tenant.store, kept.current(visit.tenant.store, id)
        own = _own(visit)
        if own is not None and found.content.centre not in own:
            raise Refused("There is no such checklist.", status=404, error="not_found")
        versions = [kept.version_in(store, id, number) for number in range(found.number, max(0, found.number - 20), -1)]
        return visit.page(
            "staff/checklist.html",
            one=found.shown(),
            steps=[{"id": step.id, "text": step.text, "critical": step.critical} for step in found.content.steps],
            versions=[_version(visit, each) for each in versions],
            given=_given(found),
        )


def _own(visit: Visit) -> list[str] | None:
    return None if visit.caller.may_all(RIGHT) else sorted(visit.caller.owned(RIGHT))


def _rows(visit: Visit) -> list[ListRow]:
    found = kept.everyone(visit.tenant.store, _own(visit))
    return view.checklists(found, visit.tenant.settings.zone, visit.root)


def _list(visit: Visit, told: dict[str, str], refused: Refused | None = None) -> Response:
    own = _own(visit)
    return visit.page(
        "staff/checklists.html",
        refused.status if refused else 200,
        list=listing(asked_of(visit.request, view.CHECKLISTS, sort="title"), _rows(visit)),
        given={name: told.get(name, "") for name in FIELDS},
        centres=[(one, one) for one in own or ()],
        is_free=own is None,
        problem=refused.message if refused else "",
    )


def _kept(visit: Visit, told: dict[str, str]) -> tuple[ChecklistVersion, bool]:
    own, centre = _own(visit), told.get("centre", "").strip()
    if own is not None and len(own) == 1 and not centre:
        centre = own[0]
    if own is not None and centre not in own:
        raise Refused("You may change checklists of your own centre only.", status=403, error="forbidden")
    if not centre:
        raise Refused("Say of which centre it is: the name of its source.", error="bad_provider")
    checked_centre(centre)
    percent, signatures = told.get("percent", "").strip() or "100", told.get("signatures", "1")
    if not all(one.isascii() and one.isdigit() and len(one) < 4 for one in (percent, signatures)):
        raise Refused("The share of the steps is a whole number, 0 to 100.", error="bad_checklist")
    name, title = told.get("name", "").strip(), " ".join(told.get("title", "").split())
    one = Checklist(centre, name, title or name, _steps(visit, centre, name, told), int(percent), int(signatures))
    kept.checked(one)
    now, by = visit.tenant.clock(), visit.session.by
    return visit.tenant.store.write(lambda tx: kept.keep(tx, one, now, by)).result()


def _steps(visit: Visit, centre: str, name: str, told: dict[str, str]) -> tuple[kept.ChecklistStep, ...]:
    """The typed steps. A step whose text was there before keeps its name."""
    steps = typed_steps(told.get("steps", ""))
    record = kept.checklist_id(centre, name)
    before = kept.current(visit.tenant.store, record).content.steps if visit.tenant.store.get(kept.KIND, record) else ()
    return kept.with_names(steps, before)


def _version(visit: Visit, one: ChecklistVersion) -> dict[str, object]:
    at = written_moment(one.at, visit.tenant.settings.zone)
    return {"number": one.number, "at": at, "steps": len(one.content.steps), "percent": one.content.percent}


def _given(one: ChecklistVersion) -> dict[str, str]:
    told = one.content
    return {
        "centre": told.centre,
        "name": told.id,
        "title": told.title,
        "steps": typed(told.steps),
        "percent": str(told.percent),
        "signatures": str(told.signatures),
    }
