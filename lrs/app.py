"""The application: the shell, the two mounts behind it, the rooms' routes, and who reads which credential.

One of the modules that put the rooms together; it only puts them together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI

from adapters import routes as imports
from adapters.history import recent_runs
from badges import routes as badges
from lrs.access import KEY, LINK, SESSION, TOKEN
from lrs.access.basic import Door
from lrs.access.policy import TABLE, with_open_metrics
from lrs.channels import CHANNELS
from lrs.kernel.settings import Settings
from lrs.matching import consent_routes as learners
from lrs.matching import door as services
from lrs.matching import routes as profiles
from lrs.ops import operating
from lrs.ops.child import Deaths
from lrs.ops.metrics import Metrics
from lrs.outbox import listing
from lrs.pages import front
from lrs.pages import routes as pages
from lrs.pages.docs import routes as docs
from lrs.pages.docs.document import complete
from lrs.pages.facts import Neighbours
from lrs.storage import Clock, wall_clock
from lrs.storage.edge import read
from lrs.subscriptions import SUBSCRIPTIONS
from lrs.tenancy.open_tenants import TRIM_EVERY, Tenants
from lrs.web.addresses import check, operations
from lrs.web.api_keys import by_key, by_operator
from lrs.web.counting import Requests
from lrs.web.framework import Framework, admitted_here
from lrs.web.prefix import check_prefix, own_path
from lrs.web.refusals import Refusals
from lrs.web.shell import Shell
from lrs.xapi.endpoint import METHODS, ROUTE, Endpoint
from lrs.xapi.statements.signatures import trust_anchors

if TYPE_CHECKING:
    from lrs.work.broker import Notifier

READERS = 16
"""Threads for reads that may wait."""
XAPI = [(resource, method) for resource, methods in METHODS.items() for method in methods]


class Application(Shell):
    """The shell, and what the command that serves it looks at: the routes, and the deaths of its worker."""

    api: Api
    deaths: Deaths


class Api(FastAPI):
    """The framework's part; its OpenAPI document tells of xAPI, too, which passes it by."""

    prefix = ""

    def openapi(self) -> dict[str, Any]:
        """Where tokens are had is no path of the document, so the prefix is put in front here."""
        if self.openapi_schema is None:
            document = super().openapi()
            complete(document, XAPI)
            for scheme in document["components"]["securitySchemes"].values():
                for flow in scheme.get("flows", {}).values():
                    flow["tokenUrl"] = self.prefix + own_path(flow["tokenUrl"], self.prefix)
        return super().openapi()


def create_app(settings: Settings, *, clock: Clock = wall_clock) -> Application:
    """The ASGI application for *settings*. Raises ``Misconfigured``."""
    trust_anchors(settings)  # a certificate that cannot be read stops the start, not a request
    table = with_open_metrics(TABLE) if settings.metrics_open else TABLE
    prefix = check_prefix(settings.prefix, table)
    door, counted = Door(), Requests()
    shell = Application(
        Tenants(settings, clock),
        table,
        {KEY: by_key(door), TOKEN: services.by_token, SESSION: pages.by_session, LINK: learners.by_link},
        prefix=prefix,
        refusals=Refusals(settings.data),
        counted=counted,
    )
    shell.operator = by_operator(door, shell.tenants.control)
    shell.deaths = Deaths()
    shell.api = Api(
        title="Engraft",
        lifespan=partial(_running, shell, settings),
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(admitted_here)],
    )
    shell.api.prefix = prefix
    _add_routes(shell, door)
    xapi = Endpoint(settings, door, counted, SUBSCRIPTIONS)
    refusals = {"staff": pages.refusal, "learner": learners.refusal, "public": front.refusal}
    shell.mount(xapi, Framework(shell.api, table, refusals, xapi.nowhere), shell.api)
    check(table, [*operations(shell.api.routes), *((method, ROUTE + resource) for resource, method in XAPI)])
    return shell


def _add_routes(shell: Application, door: Door) -> None:
    metrics = Metrics(shell.counted, shell.tenants, shell.deaths, CHANNELS)
    for router in (
        profiles.routes(),
        learners.routes(),
        imports.routes(),
        pages.routes(door, _neighbours()),
        front.routes(),
        badges.routes(),
        operating.routes(shell.tenants, metrics.exposition, shell.operator),
        docs.routes(shell.api.openapi),
    ):
        shell.api.include_router(router)
    shell.api.webhooks.routes.extend(profiles.webhooks().routes)


@asynccontextmanager
async def _running(shell: Application, settings: Settings, _: FastAPI) -> AsyncIterator[dict[str, object]]:
    """From the start of the server to its end."""
    with ThreadPoolExecutor(READERS, thread_name_prefix="read") as pool:
        asyncio.get_running_loop().set_default_executor(pool)
        shell.tenants.start()
        trimming = asyncio.create_task(_trim(shell.tenants))
        notifier = notifier_for(settings, shell.tenants)
        # The server hands this to each connection's protocol.
        yield {"patience": settings.patience, "parting": shell.parting, "cut_off": shell.cut_off}
        trimming.cancel()
        if notifier is not None:
            notifier.close()
    shell.refusals.close()
    shell.tenants.close()


async def _trim(tenants: Tenants) -> None:
    """Closes tenants that nobody uses, for as long as the server runs."""
    while True:
        await asyncio.sleep(TRIM_EVERY)
        await read(tenants.trim)


def notifier_for(settings: Settings, tenants: Tenants) -> Notifier | None:
    """What tells Celery workers of work, if they are to do it."""
    if not settings.celery_broker or not settings.worker:
        return None
    from lrs.steps import STEPS  # noqa: PLC0415 (and so is what the steps need)
    from lrs.work.broker import Notifier  # noqa: PLC0415 (Celery is loaded where it is used)

    return Notifier(settings, tenants.busy, tuple(STEPS))


def _neighbours() -> Neighbours:
    """What the pages show of the adapters, which they do not know."""
    return Neighbours(
        imports=recent_runs,
        failed=partial(listing.failed, channels=CHANNELS),
        resend=lambda tenant, delivery: listing.resend(tenant, CHANNELS, id=delivery),
        destinations=partial(listing.destinations, channels=CHANNELS),
    )
