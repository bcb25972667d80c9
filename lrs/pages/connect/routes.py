"""Connect a platform: a key with the right scopes, the values and where they go, and whether the first statement came.

Also which keys there are, and an end to one. No logic.
"""

from fastapi import Response

from lrs.access.keys import NAME, KnownKey, NewKey, check_source, create_key, revoke_key
from lrs.competency.rules.ready import ready_table
from lrs.kernel.errors import Misconfigured, Refused
from lrs.pages.connect import facts as connect_facts
from lrs.pages.connect import view as connect_view
from lrs.pages.connect.facts import CONNECT, MOST_OF_A_SOURCE
from lrs.pages.connect.platforms import MAY, Platform, platform_named
from lrs.pages.facts import Neighbours
from lrs.pages.list_files import add_files
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, page_router, says
from lrs.web.exchange import address_of
from lrs.web.late import Router
from lrs.web.listing import ListRow, asked_of, file_of, listing

PLACE = "/connect"

says(key_revoked="The key is revoked: within a second, whoever has it gets in nowhere.")


def routes(neighbours: Neighbours) -> Router:
    """The router; *neighbours* are the parts that the app knows."""
    router = page_router(PLACE)
    _add_keys(router, neighbours)
    _add_platforms(router)
    return router


def _add_keys(router: Router, neighbours: Neighbours) -> None:
    @router.get("", summary="What can be connected, and the keys of own sources", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        found = listing(asked_of(visit.request, connect_view.COLUMNS), _rows(visit))
        seen = connect_facts.sources_seen(visit.tenant, visit.caller, neighbours.by_file(visit.tenant.store))
        sources = connect_view.source_rows(seen, visit.root, visit.tenant.settings.zone)
        platforms = connect_view.platforms(visit.root)
        sees = may(visit.caller)
        return visit.page("staff/connect.html", list=found, platforms=platforms, sources=sources, sees=sees)

    add_files(router, "", "The keys of own sources", connect_view.COLUMNS, _rows, name="keys")

    @router.get("/keys/{key}", summary="A key: its values, and what came with it", openapi_extra=SIGNED_IN)
    def one(visit: Visiting, key: str) -> Response:
        return _values(visit, connect_facts.key_within(visit.tenant, visit.caller, key))

    @router.post("/keys/{key}/revoke", status_code=303, summary="Revokes a key", openapi_extra=form_body() | SIGNED_IN)
    def revoke(visit: Visiting, key: str, body: FormBody) -> Response:
        visit.fields(body)
        found = connect_facts.key_within(visit.tenant, visit.caller, key)
        revoke_key(visit.tenant, found.key, by=visit.session.by)
        return visit.on(f"{PLACE}/keys/{found.key}", "key_revoked")


def _add_platforms(router: Router) -> None:
    @router.get("/{platform}", summary="The form to connect a product", openapi_extra=SIGNED_IN)
    def ask(visit: Visiting, platform: str) -> Response:
        return _asked(visit, platform_named(platform))

    @router.post(
        "/{platform}",
        summary="Makes a key for a product, and shows its secret once",
        openapi_extra=form_body("source") | SIGNED_IN,
    )
    def make(visit: Visiting, platform: str, body: FormBody) -> Response:
        chosen, source = platform_named(platform), visit.fields(body).get("source", "").strip()
        try:
            made = _made(visit, chosen, source)
        except Refused as refused:
            return _asked(visit, chosen, refused, source)
        return _values(visit, connect_facts.key_within(visit.tenant, visit.caller, made.key), made.secret)

    @router.get("/{platform}/rules.csv", summary="Rows for the table of rules, to fill in", openapi_extra=SIGNED_IN)
    def rows(visit: Visiting, platform: str, source: str = "") -> Response:
        chosen = platform_named(platform)
        if source and not connect_facts.reaches(visit.caller, CONNECT, source):
            raise Refused("This is none of your sources.", status=404, error="not_found")
        table = ready_table(visit.tenant.store, chosen.name, source)
        return file_of(table.encode("utf-8-sig"), "text/csv; charset=utf-8", f"rules-{chosen.name}.csv")


def _made(visit: Visit, platform: Platform, source: str) -> NewKey:
    """A new key. Raises ``Refused``: 400 for an unusable name, 403 for somebody else's source, 409 for too many."""
    try:
        check_source(source)
    except Misconfigured as error:
        named = "Give the source a name of 1 to 80 letters, digits, spaces, dots, hyphens or underscores."
        reserved = "This name stands for records that are made here: give the source another one."
        raise Refused(reserved if NAME.fullmatch(source) else named) from error
    if not connect_facts.reaches(visit.caller, CONNECT, source):
        raise Refused("You look after other sources: choose one of yours.", status=403, error="forbidden")
    if connect_facts.active_keys(visit.tenant, source) >= MOST_OF_A_SOURCE:
        message = f"This source has {MOST_OF_A_SOURCE} active keys. Revoke those that nobody uses first."
        raise Refused(message, status=409, error="too_many_keys")
    scopes = connect_facts.scopes_for(visit.caller, platform.scopes)
    return create_key(visit.tenant, source, scopes, by=visit.session.by, product=platform.name)


def _asked(visit: Visit, platform: Platform, refused: Refused | None = None, source: str = "") -> Response:
    scopes = connect_facts.scopes_for(visit.caller, platform.scopes)
    return visit.page(
        "staff/connect-source.html",
        refused.status if refused else 200,
        platform=platform,
        scopes=scopes,
        words=MAY,
        left_out=connect_view.left_out(platform, scopes),
        problem=refused.message if refused else "",
        source=source or platform.source,
        sources=connect_facts.sources_of(visit.tenant, visit.caller, CONNECT),
        is_free=visit.caller.may_all(CONNECT),
    )


def _values(visit: Visit, key: KnownKey, secret: str = "") -> Response:
    found = connect_facts.key_facts(visit.tenant, key)
    endpoint = f"{address_of(visit.request)}/xapi"
    shown = connect_view.values(found, endpoint, visit.root, visit.tenant.settings.zone)
    return visit.page("staff/connect-key.html", secret=secret, **shown)


def _rows(visit: Visit) -> list[ListRow]:
    tenant = visit.tenant
    keys = [(one, connect_facts.last_sent(tenant, one)) for one in connect_facts.keys_within(tenant, visit.caller)]
    return connect_view.rows(keys, visit.root, tenant.settings.zone)
