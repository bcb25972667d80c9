"""The ASGI application: the shell, its mounts, the routes of the rooms, and the readers of credentials.

It only puts these together and decides nothing.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.routing import BaseRoute

from adapters.lms.catapult import clients
from adapters.lms.launching.endpoint import OF_CONTENT
from adapters.lms.lti.signed_in import by_launch
from adapters.lms.sessions.credentials import LaunchTokens
from lrs.access import COURSE_CLIENT, KEY, LAUNCH, LINK, SESSION, TOKEN
from lrs.access.basic import BasicAuth
from lrs.access.policy.table import TABLE, with_open_metrics
from lrs.composition.channels import CHANNELS
from lrs.composition.site import PAGES, common_routes
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.admission import Admission
from lrs.kernel.settings import Settings
from lrs.matching import routes as profiles
from lrs.matching.calling_service import by_token
from lrs.matching.consent import routes as learners
from lrs.ops import operating
from lrs.ops.child import Deaths
from lrs.ops.metrics import Metrics
from lrs.pages import (
    front,
    visit,
)
from lrs.pages.docs import routes as docs
from lrs.pages.docs.document import complete
from lrs.storage import Clock, wall_clock
from lrs.storage.edge import read
from lrs.tenancy.open_tenants import TRIM_EVERY, Tenants
from lrs.web.addresses import check, operations
from lrs.web.api_keys import by_key, by_operator
from lrs.web.counting import Requests
from lrs.web.frame import PRODUCT
from lrs.web.framework import FastAPIMount, guarded
from lrs.web.kept_refusals import keeping
from lrs.web.prefix import check_prefix, own_path
from lrs.web.refusals import Refusals
from lrs.web.shared import share
from lrs.web.shell import Shell
from lrs.xapi.endpoint import METHODS, ROUTE, Endpoint
from lrs.xapi.statements.signatures import check_trust

if TYPE_CHECKING:
    from lrs.work.broker import Notifier

READERS = 16
"""Threads for reads that may wait."""
XAPI = [(resource, method) for resource, methods in METHODS.items() for method in methods]


class Application(Shell):
    """The shell, with what ``lrs serve`` needs of it: the FastAPI part, and the deaths of the worker process."""

    api: Api
    deaths: Deaths


class Api(FastAPI):
    """The FastAPI part. Its OpenAPI document also describes xAPI, which is not served by FastAPI."""

    prefix = ""

    def openapi(self) -> dict[str, Any]:
        """Gives the document, made once. Adds the prefix to ``tokenUrl``, which FastAPI does not count as a path."""
        if self.openapi_schema is None:
            document = super().openapi()
            complete(document, XAPI)
            for scheme in document["components"]["securitySchemes"].values():
                for flow in scheme.get("flows", {}).values():
                    flow["tokenUrl"] = self.prefix + own_path(flow["tokenUrl"], self.prefix)
        return super().openapi()


def create_app(settings: Settings, *, clock: Clock = wall_clock) -> Application:
    """The ASGI application for *settings*. Raises ``Misconfigured``."""
    check_trust(settings)
    table = with_open_metrics(TABLE) if settings.metrics_open else TABLE
    prefix = check_prefix(settings.prefix, table)
    basic, counted = BasicAuth(), Requests()
    tenants = Tenants(settings, clock)
    shell = Application(
        tenants,
        table,
        {
            KEY: by_key(basic),
            TOKEN: by_token,
            SESSION: visit.by_session,
            LINK: learners.by_link,
            LAUNCH: by_launch,
            COURSE_CLIENT: clients.by_client,
        },
        prefix=prefix,
        refusals=Refusals(settings.data, keeping(tenants)),
        counted=counted,
        admission=Admission(settings.queue_bytes),
        max_header=settings.max_header,
    )
    shell.operator = by_operator(basic, shell.tenants.control)
    shell.deaths = Deaths()
    shell.api = Api(title=PRODUCT, lifespan=partial(_running, shell, settings), docs_url=None, redoc_url=None)
    shell.api.prefix = prefix
    share(shell.api, tenants, basic)
    shell.api.router.routes[:] = [*guarded(shell.api.routes), *_routes_of(shell)]
    shell.api.webhooks.routes.extend(_webhooks())
    xapi = Endpoint(settings, basic, counted, SUBSCRIPTIONS)
    content = Endpoint(settings, LaunchTokens(), counted, SUBSCRIPTIONS, OF_CONTENT)
    shell.mount([xapi, content], FastAPIMount(shell.api, table, PAGES, xapi.nowhere, front.PAGES), shell.api)
    resources = [(method, ROUTE + resource) for resource, method in XAPI]
    resources += [(method, f"{OF_CONTENT.path}/{name}") for name, some in OF_CONTENT.methods.items() for method in some]
    check(table, [*operations(shell.api.routes), *resources])
    return shell


def _routes_of(shell: Application) -> Iterator[BaseRoute]:
    """All routes of FastAPI: those of every application, and those about this one."""
    yield from common_routes()
    metrics = Metrics(shell.counted, shell.admission, shell.tenants, shell.deaths, CHANNELS)
    for router in (
        operating.routes(shell.tenants, metrics.exposition, shell.operator),
        docs.routes(shell.api.openapi),
    ):
        yield from guarded(router.routes)


@functools.cache
def _webhooks() -> tuple[BaseRoute, ...]:
    return tuple(profiles.webhooks().routes)


@asynccontextmanager
async def _running(shell: Application, settings: Settings, _: FastAPI) -> AsyncIterator[dict[str, object]]:
    """The lifespan of the server: opens at its start what all requests share, and closes it at its end."""
    with ThreadPoolExecutor(READERS, thread_name_prefix="read") as pool:
        asyncio.get_running_loop().set_default_executor(pool)
        shell.tenants.start()
        trimming = asyncio.create_task(_trim(shell.tenants))
        notifier = notifier_for(settings, shell.tenants)
        # The server passes this to the protocol of each connection.
        yield {"patience": settings.patience, "parting": shell.parting, "cut_off": shell.cut_off}
        trimming.cancel()
        if notifier is not None:
            notifier.close()
    shell.refusals.close()
    shell.tenants.close()


async def _trim(tenants: Tenants) -> None:
    """Closes unused tenants every ``TRIM_EVERY`` seconds, as long as the server runs."""
    while True:
        await asyncio.sleep(TRIM_EVERY)
        await read(tenants.trim)


def notifier_for(settings: Settings, tenants: Tenants) -> Notifier | None:
    """The notifier that tells Celery workers of work; ``None`` without a broker or with the worker switched off."""
    if not settings.celery_broker or not settings.worker:
        return None
    from lrs.composition.steps import STEPS  # noqa: PLC0415 (loads all steps, so only where they are used)
    from lrs.work.broker import Notifier  # noqa: PLC0415 (loads Celery)

    return Notifier(settings, tenants.busy, tuple(STEPS))
