"""The pages of imports: a file is sent, its columns are corrected, what would go in is seen, it comes in. No logic.

Whoever may bring in only their own source's files sees only these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
from fastapi import Request, Response

from adapters.imports import job as jobs
from adapters.imports.arriving_forms import read_form
from adapters.imports.job import SAMPLES, Job
from adapters.imports.mappings import saved_for
from adapters.imports.routes import file_of
from adapters.imports.senders import arrived_from
from adapters.imports.sources import FILES, files_said
from adapters.pages import acts, repairs, view
from adapters.pages.columns import MOST_FIELDS, corrected
from adapters.reports.repairs import ShownRow
from adapters.reports.returned import WORKBOOK
from lrs.access.keys import known_keys
from lrs.kernel.errors import Refused
from lrs.pages import session
from lrs.pages.arrivals.asked import PATH as ARRIVALS
from lrs.pages.learners import PLACE as LEARNERS
from lrs.pages.list_files import add_files
from lrs.pages.sent_file import sent_file
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, page_router, says, uploads
from lrs.storage.edge import read, read_blocks, write
from lrs.web.late import Router
from lrs.web.listing import Asked, ListRow, as_csv, as_json, asked_of, listing

PLACE = "/staff/imports"
ONE = f"{PLACE}/{{id}}"
LISTED = 1_000
"""The newest imports that are listed."""
_ON_PAGE = frozenset(
    {"no_file", "bad_provider", "no_table", "bad_xml", "no_rows", "file_too_large"}
    | {"no_ilr", "bad_ilr", "ilr_other_year", "ilr_two_years", "ilr_two_providers"}
)
"""Refusals that are said on the page from which the file was sent."""
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._, -]")

says(again="The file is checked once more.", begun="It comes in now.")


def routes() -> Router:
    """The router."""
    router = page_router()
    _add_list(router)
    _add_one(router)
    _add_cells(router)
    _add_rows(router)
    _add_files(router)
    return router


def _add_list(router: Router) -> None:
    @router.get(PLACE, summary="Files that came in, and where a file is sent", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _list(visit)

    add_files(router, PLACE, "Files that came in", view.LIST, _listed, name="imports", sort="-sent")

    @router.post(
        PLACE, status_code=303, summary="Takes a file, to be checked", openapi_extra=uploads("provider") | SIGNED_IN
    )
    async def send(request: Request, visit: Visiting) -> Response:
        try:
            job = await _sent(request, visit)
        except Refused as refused:
            if refused.error not in _ON_PAGE:
                raise
            return await read(_list, visit, refused)
        await write(visit.tenant.store, lambda tx: acts.add(tx, job, visit.session.by))
        return visit.on(f"{PLACE}/{job.id}")


async def _sent(request: Request, visit: Visit) -> Job:
    """The dry run of the file in a form. Raises ``Refused``."""
    async with sent_file(request, visit, parse=partial(read_form, adapter="")) as sent:
        provider = acts.provider_of(visit.caller, sent.fields.get("provider", "").strip())
        blob = await read(visit.tenant.store.blobs.put, read_blocks(sent.file.file))
        return acts.sent(visit.tenant, visit.session.by, provider, sent.name or "file", blob)


def _list(visit: Visit, refused: Refused | None = None) -> Response:
    own = acts.reached(visit.caller)
    found = listing(asked_of(visit.request, view.LIST, sort="-sent"), _listed(visit))
    store = visit.tenant.store
    names = arrived_from(store).union(one.source for one in known_keys(store)) if own is None else own
    return visit.page(
        "staff/imports.html",
        refused.status if refused else 200,
        files=",".join(FILES),
        sorts=files_said(),
        problem=refused.message if refused else "",
        list=found,
        providers=sorted(names),
        is_free=own is None,
    )


def _listed(visit: Visit) -> list[ListRow]:
    found = acts.visible(visit.caller, list(jobs.newest(visit.tenant.store, LISTED)))
    return view.listed(found, visit.tenant.settings.zone, visit.root)


def _add_one(router: Router) -> None:
    @router.get(ONE, summary="One file: what would go in, what needs repair", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        return _one(visit, acts.job_for(visit.tenant.store, visit.caller, id))

    @router.post(
        f"{ONE}/columns",
        status_code=303,
        summary="Corrects what the columns mean, and checks the file again",
        openapi_extra=form_body("kind", "name", "dates", "hours", "order") | SIGNED_IN,
    )
    def correct(visit: Visiting, id: str, body: FormBody) -> Response:
        form = session.pairs(visit.tenant, body, visit.session.nonce, most=MOST_FIELDS)
        before, by = acts.job_for(visit.tenant.store, visit.caller, id), visit.session.by
        try:
            job, save = corrected(visit.tenant, before, dict(form), form, by)
            visit.tenant.store.write(lambda tx: acts.add(tx, job, by, save)).result()
        except Refused as refused:
            if refused.status not in {400, 409}:
                raise
            return _one(visit, before, refused)
        return visit.on(f"{PLACE}/{job.id}", "again")

    @router.post(f"{ONE}/bring", status_code=303, summary="Brings the file in", openapi_extra=form_body() | SIGNED_IN)
    def bring(visit: Visiting, id: str, body: FormBody) -> Response:
        visit.fields(body)
        plan = acts.job_for(visit.tenant.store, visit.caller, id)
        try:
            begun = visit.tenant.store.write(lambda tx: acts.bring(tx, visit.tenant, id, visit.session.by)).result()
        except Refused as refused:
            if refused.status != 409:
                raise
            return _one(visit, plan, refused)
        return visit.on(f"{PLACE}/{begun}", "begun")


def _add_cells(router: Router) -> None:
    @router.post(
        f"{ONE}/cells",
        status_code=303,
        summary="Repairs cells of a file, and checks the rows again",
        openapi_extra=form_body("cell-0", "decided-0") | SIGNED_IN,
    )
    def repair(visit: Visiting, id: str, body: FormBody) -> Response:
        told = dict(session.pairs(visit.tenant, body, visit.session.nonce, most=2 * repairs.MOST_ROWS + 1))
        before, by = acts.job_for(visit.tenant.store, visit.caller, id), visit.session.by
        try:
            changed = repairs.repaired_in(repairs.repairable(before, _shown(visit, before)), told)
            if not changed:
                message = "Nothing is changed: write into a cell what is right, or choose what a row is."
                raise Refused(message, error="nothing_repaired")
            job = acts.repaired(visit.tenant, before, by, changed)
            visit.tenant.store.write(lambda tx: acts.add(tx, job, by)).result()
        except Refused as refused:
            if refused.status not in {400, 410}:
                raise
            return _one(visit, before, refused, told)
        return visit.on(f"{PLACE}/{job.id}", "again")


def _one(visit: Visit, job: Job, refused: Refused | None = None, told: Mapping[str, str] | None = None) -> Response:
    store, tenant, shown = visit.tenant.store, visit.tenant, _shown(visit, job)
    record = store.get(jobs.KIND, job.plan) if job.plan else None
    plan = jobs.job_of(record) if record else None
    brought = acts.brought_id(job.id) if job.dry_run and store.get(jobs.KIND, acts.brought_id(job.id)) else ""
    is_shown = job.look is not None and job.is_over
    one, sees = view.detail(job, plan, brought, tenant.settings.zone), may(visit.caller)
    return visit.page(
        "staff/import.html",
        refused.status if refused else 200,
        refused=refused.message if refused else "",
        one=one,
        arrivals=f"{visit.root}{ARRIVALS}?{one['came']}" if sees(ARRIVALS) else "",
        learners=f"{visit.root}{LEARNERS}" if sees(LEARNERS) else "",
        list=listing(_asked(visit, job), view.rows(shown)),
        cells=repairs.cells(repairs.repairable(job, shown), told or {}),
        columns=view.columns(job, saved_for(store, [job.provider]), _samples(visit, job)) if is_shown else None,
    )


# -- the rows of one that have a reason -------------------------------------------------------------------------------


def _add_rows(router: Router) -> None:
    @router.get(f"{ONE}/rows", summary="The rows of a file that have a reason", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        job = acts.job_for(visit.tenant.store, visit.caller, id)
        found = listing(_asked(visit, job), view.rows(_shown(visit, job)))
        one = view.detail(job, None, "", visit.tenant.settings.zone)
        return visit.page("staff/import-rows.html", one=one, list=found)

    @router.get(f"{ONE}/rows.csv", summary="The same as CSV", openapi_extra=SIGNED_IN)
    def table(visit: Visiting, id: str) -> Response:
        job = acts.job_for(visit.tenant.store, visit.caller, id)
        return as_csv(_asked(visit, job), view.rows(_shown(visit, job)), "rows")

    @router.get(f"{ONE}/rows.json", summary="The same as JSON", openapi_extra=SIGNED_IN)
    def objects(visit: Visiting, id: str) -> Response:
        job = acts.job_for(visit.tenant.store, visit.caller, id)
        return as_json(_asked(visit, job), view.rows(_shown(visit, job)), "rows")


def _asked(visit: Visit, job: Job) -> Asked:
    """What the address asks of the rows of *job*; also where they are shown on its own page."""
    columns = view.IN_SHEETS if job.look and job.look.sort == "workbook" else view.ROWS
    return replace(asked_of(visit.request, columns), path=f"{visit.root}{PLACE}/{job.id}/rows")


def _shown(visit: Visit, job: Job) -> list[ShownRow]:
    return msgspec.json.decode(_blob(visit, job, "shown") or b"[]", type=list[ShownRow])


def _samples(visit: Visit, job: Job) -> dict[str, list[str]]:
    """The first values beneath each header of the file."""
    return msgspec.json.decode(_blob(visit, job, SAMPLES) or b"{}", type=dict[str, list[str]])


def _blob(visit: Visit, job: Job, name: str) -> bytes:
    """The blob *name* of *job*; empty if there is none, or none any more."""
    try:
        return b"".join(visit.tenant.store.blobs.open(job.blobs[name]))
    except KeyError:
        return b""


# -- files that go back -----------------------------------------------------------------------------------------------


def _add_files(router: Router) -> None:
    @router.get(f"{ONE}/file", summary="The file, with what became of each row", openapi_extra=SIGNED_IN)
    def whole(visit: Visiting, id: str) -> Response:
        return _file(visit, acts.job_for(visit.tenant.store, visit.caller, id), "returned", "checked")

    @router.get(f"{ONE}/repairs", summary="The rows to repair, as a file of the same sort", openapi_extra=SIGNED_IN)
    def repairs(visit: Visiting, id: str) -> Response:
        return _file(visit, acts.job_for(visit.tenant.store, visit.caller, id), "repairs", "to repair")


def _file(visit: Visit, job: Job, blob: str, what: str) -> Response:
    answer = file_of(visit.tenant.store, job, blob)
    ending = "xlsx" if job.told and job.told.media_type == WORKBOOK else "csv"
    name = _NOT_IN_NAMES.sub("_", f"{Path(job.file).stem}, {what}.{ending}")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
