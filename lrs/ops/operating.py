"""What an operator's programs ask for: health and metrics. Knows no tenant's data."""

from collections.abc import Callable
from contextlib import suppress

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.types import Scope

from lrs.access import Caller
from lrs.kernel.admission import Overloaded
from lrs.kernel.errors import StoreFull
from lrs.storage import Store
from lrs.storage.room import FULL, READ_ONLY
from lrs.tenancy.open_tenants import Tenants
from lrs.web.late import Router
from lrs.web.routing import WITH_KEY, problems

_HEALTH_S = 2.0
_SAID = {
    FULL: "the disk is full: writes are refused, reads go on; make room on it",
    READ_ONLY: "the store's folder is read-only: writes are refused, reads go on; let this user write there",
}


def routes(
    tenants: Tenants, exposed: Callable[[], tuple[bytes, str]], operator: Callable[[Scope], Caller | None]
) -> Router:
    """The router.

    *exposed* gives the text of the metrics and its media type; *operator* finds the operator of a request.
    """
    router = Router(tags=["server"])

    @router.get(
        "/metrics",
        response_class=PlainTextResponse,
        responses=problems(401, 403),
        summary="How much the server does, for Prometheus",
        description="Needs an operator's key (lrs operators create), unless LRS_METRICS_OPEN is set.",
        openapi_extra=WITH_KEY,
    )
    def metrics() -> Response:
        content, media_type = exposed()
        return Response(content, media_type=media_type)

    @router.get("/health", responses=problems(503), summary="Whether the stores answer, and how many tenants' do not")
    def health(request: Request) -> dict[str, str | int | dict[str, str]]:
        is_well = _health(tenants)
        failing = {one.tenant: one.reason for one in tenants.unusable()}
        return {**is_well, "tenants": failing} if failing and operator(request.scope) else {**is_well}

    return router


def _health(tenants: Tenants) -> dict[str, str | int]:
    """Healthy as long as the store of one tenant answers, because a restart would repair no other.

    Also healthy if nothing can be written, because reads go on. The answer says how many tenants' stores do not answer,
    and why nothing can be written.
    """
    answering = failing = 0
    resting = False
    lacks: str | None = None
    with suppress(Exception):  # if the control store does not answer, no tenant is counted, which the answer shows
        failed = {one.tenant for one in tenants.unusable()}
        for name in tenants.control.open_tenants():
            if answering and name not in failed and not tenants.opened(name):
                continue  # not in use: a store is not opened just to see whether it can be
            try:
                with tenants.look(name, _HEALTH_S) as tenant:
                    tenant.store.get(
                        "key", "health"
                    )  # there is no such record; the question shows whether the store answers
                    answering += 1
                    lacks = lacks or _lack_of(tenant.store)
                    if tenant.store.waits:
                        break  # one server has them all, and would be waited for once for each
            except Exception:  # noqa: BLE001 (counted, and told below)
                failing += 1
        resting = not failing
    if not (answering or resting):
        raise HTTPException(503, "the store does not answer")
    if lacks:
        return {"status": lacks, "message": _SAID[lacks], **({"unusable": failing} if failing else {})}
    return {"status": "degraded", "unusable": failing} if failing else {"status": "ok"}


def _lack_of(store: Store) -> str | None:
    """Why nothing can be written to *store*. A store that could not be written is tried again."""
    if store.lacks is not None:
        with suppress(StoreFull, Overloaded, TimeoutError):
            store.write(lambda _: None).result(_HEALTH_S)
    return store.lacks
