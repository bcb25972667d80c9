"""The pages of rules: versions, sending a table, its effects, and applying it. No logic."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import msgspec
from fastapi import Request, Response

from lrs.access import staff
from lrs.access.keys import known_keys
from lrs.competency.rules import drafts, rulesets
from lrs.competency.rules.applying import ruleset_in
from lrs.competency.rules.drafts import RulesChange, RulesDraft
from lrs.competency.rules.mapping import ALIASES
from lrs.competency.rules.ready import MOODLE, ready_row, ready_table, written
from lrs.competency.rules.rules import Ruleset
from lrs.competency.rules.rulesets import Applied
from lrs.competency.rules.table import unread_in
from lrs.competency.tables import told_of
from lrs.kernel.errors import Refused
from lrs.kernel.tables.notes import worth_saying
from lrs.pages import rules_view
from lrs.pages.connect.facts import senders
from lrs.pages.list_files import add_files
from lrs.pages.sent_file import sent_file
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says, uploads
from lrs.storage import Reader
from lrs.storage.edge import read, write
from lrs.tenancy.tenants import Tenant
from lrs.web.late import Router
from lrs.web.listing import Asked, ListRow, as_csv, as_json, asked_of, file_of, listing

PLACE = "/staff/rules"
VERSION, DRAFT = f"{PLACE}/versions/{{version}}/rules", f"{PLACE}/drafts/{{id}}/changes"
MOST_BYTES = 16 * 1024 * 1024
"""Bytes of a table of rules, with the form it is sent in."""
LISTED = 100
"""Faults and warnings of a table that are stored."""
SOURCES = 50
"""Sources for which the page offers ready rows."""

says(agreed="The rules are put in force now, if it is still as you saw it.")


def routes() -> Router:
    """The router."""
    router = page_router()
    _add_versions(router)
    _add_sending(router)
    _add_version(router)
    _add_draft(router)
    return router


# -- versions ---------------------------------------------------------------------------------------------------------


def _add_versions(router: Router) -> None:
    @router.get(PLACE, summary="The versions of the rules, and where a table is sent", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _versions(visit)

    add_files(router, PLACE, "The versions of the rules", rules_view.VERSIONS, _rows, name="versions")

    @router.get(f"{PLACE}/ready.csv", summary="Rows for the table of rules, to fill in", openapi_extra=SIGNED_IN)
    def ready(visit: Visiting, source: str = "", activity: str = "", verb: str = "") -> Response:
        table = written([ready_row(activity, verb)], source) if activity else _ready(visit.tenant.store, source)
        return file_of(table.encode("utf-8-sig"), "text/csv; charset=utf-8", "rules-ready.csv")


def _ready(reader: Reader, source: str) -> str:
    """The rows for *source*, whose product its key names."""
    products = {one.source: one.product for one in known_keys(reader) if one.product}
    return ready_table(reader, products.get(source, MOODLE), source)


def _versions(visit: Visit, refused: Refused | None = None) -> Response:
    rows = _rows(visit)
    keys = [one for one in known_keys(visit.tenant.store) if not one.revoked]
    return visit.page(
        "staff/rules.html",
        refused.status if refused else 200,
        problem=refused.message if refused else "",
        now=rows[0].values if rows else None,
        drafts=rules_view.drafts(drafts.waiting(visit.tenant.store), visit.tenant.settings.zone, visit.root),
        ready=[
            {"source": one, "address": f"{visit.root}{PLACE}/ready.csv?{urlencode({'source': one})}"}
            for one in senders(visit.tenant, keys)[:SOURCES]
        ],
        list=listing(asked_of(visit.request, rules_view.VERSIONS), rows),
    )


def _rows(visit: Visit) -> list[ListRow]:
    tenant = visit.tenant
    who = {staff.SUBJECT + id: one.name or one.email for id, one in staff.everyone(tenant.store)}
    found = rulesets.applied(tenant.store)
    return rules_view.versions(found, who, tenant.clock(), tenant.settings.zone, visit.root)


# -- sending a table, or bringing a version back ----------------------------------------------------------------------


def _add_sending(router: Router) -> None:
    @router.post(PLACE, status_code=303, summary="Takes a table, to be looked at", openapi_extra=uploads() | SIGNED_IN)
    async def send(request: Request, visit: Visiting) -> Response:
        try:
            async with sent_file(request, visit, MOST_BYTES) as sent:
                content = await sent.file.read()
            draft = await read(_draft_of, visit, sent.name, content)
        except Refused as refused:
            if refused.status not in {400, 413}:
                raise
            return await read(_versions, visit, refused)
        id = await write(visit.tenant.store, lambda tx: drafts.add_once(tx, draft))
        return visit.on(f"{PLACE}/drafts/{id}/changes")

    @router.post(
        f"{PLACE}/restore",
        status_code=303,
        summary="Looks at what bringing a version back would change",
        openapi_extra=form_body("version") | SIGNED_IN,
    )
    def restore(visit: Visiting, body: FormBody) -> Response:
        version, tenant = _number(visit.fields(body).get("version", "")), visit.tenant
        ruleset = rulesets.restored(tenant.store, version)
        draft = RulesDraft(ruleset, tenant.clock(), visit.session.by, restores=version)
        id = tenant.store.write(lambda tx: drafts.add_once(tx, draft)).result()
        return visit.on(f"{PLACE}/drafts/{id}/changes")


def _draft_of(visit: Visit, name: str, content: bytes) -> RulesDraft:
    """The rule set of the table *content*. Raises ``Refused`` (400, 413) if it cannot be used at all."""
    tenant: Tenant = visit.tenant
    ruleset, found = ruleset_in(tenant, content)
    faults = [str(one) for one in found if not one.warning]
    if faults and not ruleset.rules:
        raise Refused(
            f"No row of this table can be used, so nothing can come of it. The first: {faults[0]}. To take all rules"
            " away, send a table with a header only.",
            error="bad_file",
        )
    return RulesDraft(
        ruleset,
        tenant.clock(),
        visit.session.by,
        file=name,
        faults=tuple(faults[:LISTED]),
        warnings=tuple(str(one) for one in found if one.warning)[:LISTED],
        notes=worth_saying(told_of(content, ALIASES)),
        unusable=len(faults),
        unread=unread_in(rulesets.current(tenant.store), ruleset, found),
    )


# -- one version ------------------------------------------------------------------------------------------------------


def _add_version(router: Router) -> None:
    @router.get(VERSION, summary="The rules of one version", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, version: str) -> Response:
        found = _of_version(visit, version)
        now = rulesets.current(visit.tenant.store).version
        rows = listing(asked_of(visit.request, rules_view.RULES), rules_view.rules(found.ruleset))
        return visit.page("staff/rules-version.html", version=found.ruleset.version, now=now, list=rows)

    @router.get(f"{VERSION}.csv", summary="A version as a table to send again", openapi_extra=SIGNED_IN)
    def table(visit: Visiting, version: str) -> Response:
        rows = rules_view.rules(_of_version(visit, version).ruleset)
        return as_csv(asked_of(visit.request, rules_view.RULES), rows, "rules")

    @router.get(f"{VERSION}.json", summary="The rules of one version as JSON", openapi_extra=SIGNED_IN)
    def objects(visit: Visiting, version: str) -> Response:
        rows = rules_view.rules(_of_version(visit, version).ruleset)
        return as_json(asked_of(visit.request, rules_view.RULES), rows, "rules")


def _of_version(visit: Visit, version: str) -> Applied:
    return rulesets.of_version(visit.tenant.store, _number(version))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise Refused("There are no rules of this version.", status=404, error="not_found")
    return int(text)


# -- what it would change, and putting it in force --------------------------------------------------------------------


def _add_draft(router: Router) -> None:
    @router.get(DRAFT, summary="What rules would change", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        return _draft(visit, id)

    @router.get(f"{DRAFT}.csv", summary="Who would gain and lose, as CSV", openapi_extra=SIGNED_IN)
    def table(visit: Visiting, id: str) -> Response:
        return as_csv(_asked(visit, id), _all_changes(visit, id), "changes")

    @router.get(f"{DRAFT}.json", summary="Who would gain and lose, as JSON", openapi_extra=SIGNED_IN)
    def objects(visit: Visiting, id: str) -> Response:
        return as_json(_asked(visit, id), _all_changes(visit, id), "changes")

    @router.post(
        f"{PLACE}/drafts/{{id}}/apply",
        status_code=303,
        summary="Puts the rules in force, if so many levels go as was typed",
        openapi_extra=form_body("expected", "without") | SIGNED_IN,
    )
    def apply(visit: Visiting, id: str, body: FormBody) -> Response:
        form, store = visit.fields(body), visit.tenant.store
        try:
            draft, expected = drafts.find(store, id), form.get("expected", "").strip()
            if draft.unusable and form.get("without") != "yes":
                raise Refused("Say that the rows that cannot be used are left out.", status=409, error="not_agreed")
            if not (expected.isascii() and expected.isdigit() and len(expected) < 10):
                raise Refused("Type how many held levels would go or end earlier.", status=409, error="not_agreed")
            store.write(lambda tx: drafts.agree(tx, id, int(expected), visit.session.by)).result()
        except Refused as refused:
            if refused.status != 409:
                raise
            return _draft(visit, id, refused)
        return visit.on(f"{PLACE}/drafts/{id}/changes", "agreed")


def _draft(visit: Visit, id: str, refused: Refused | None = None) -> Response:
    store, zone = visit.tenant.store, visit.tenant.settings.zone
    found = drafts.find(store, id)
    before, until = _replaced(store, found)
    until = until if until and until > visit.tenant.clock() else None
    shown = rules_view.draft(id, found, before, zone, is_outdated=drafts.is_outdated(store, found), until=until)
    rows = listing(_asked(visit, id), _changes(visit, found, before))
    return visit.page(
        "staff/rules-draft.html",
        refused.status if refused else 200,
        refused=refused.message if refused else "",
        one=shown,
        newest=rulesets.current(store).version,
        list=rows,
    )


def _replaced(reader: Reader, draft: RulesDraft) -> tuple[Ruleset, int | None]:
    """The rules that those of *draft* replace or replaced, and when the review of those that are in force ends."""
    if draft.state != "applied":
        return rulesets.current(reader), None
    before = rulesets.of_version(reader, draft.version - 1).ruleset if draft.version > 1 else Ruleset(0)
    return before, rulesets.of_version(reader, draft.version).until


def _asked(visit: Visit, id: str) -> Asked:
    """The effects that the address asks for; also after a form was refused."""
    return replace(
        asked_of(visit.request, rules_view.CHANGES, sort="name"), path=f"{visit.root}{PLACE}/drafts/{id}/changes"
    )


def _all_changes(visit: Visit, id: str) -> list[ListRow]:
    found = drafts.find(visit.tenant.store, id)
    return _changes(visit, found, _replaced(visit.tenant.store, found)[0])


def _changes(visit: Visit, draft: RulesDraft, before: Ruleset) -> list[ListRow]:
    try:
        text = b"".join(visit.tenant.store.blobs.open(draft.blobs[drafts.CHANGES]))
    except KeyError:
        return []
    return rules_view.changes(msgspec.json.decode(text, type=list[RulesChange]), (before, draft.ruleset))
