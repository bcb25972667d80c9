"""Things tests are made of: a tenant in a folder, requests built by hand, answers as a client sees them."""

import asyncio
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field

import msgspec

from lrs.access import KEY, Caller
from lrs.access.operators import create_operator_key
from lrs.access.rights import rights_of_key
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.admission import Admission, Share
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.tenancy.control import open_control
from lrs.tenancy.installation import installation
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.root_keys import Secrets
from lrs.tenancy.tenants import Tenant
from lrs.xapi.request import Request, refusal

AUTHORITY = b'{"mbox":"mailto:tests@example.org"}'


def tenant_in(folder, store, clock, **settings):
    """A tenant whose files lie in *folder*; whoever opened *store* closes it."""
    return Tenant("default", store, Settings(data=folder, **settings), Secrets(bytes(32)), clock)


def store_in(folder, **settings):
    """Makes the store of the default tenant in *folder*, as a first start does; most commands make none."""
    tenants = Tenants(Settings(data=folder, **settings))
    tenants.start()
    tenants.close()


@contextmanager
def opened_installation(folder):
    """The installation in *folder*, for as long as a block lasts."""
    settings = Settings(data=folder)
    with closing(open_control(settings)) as control:
        yield installation(control, settings)


def operator_in(folder):
    """A key of the installation's operator and its secret."""
    with opened_installation(folder) as found:
        new = create_operator_key(found, "prometheus")
    return new.key, new.secret


def retried(store, step=None, *, kind=None, id=None):
    """Makes what was put aside due again, of a *step*, a *kind*, an *id* if they are named; how many entries."""
    found = [(record.kind, record.id, owed.step) for record, owed in store.parked(step, limit=1_000)]
    chosen = [name for name in found if kind in {None, name[0]} and id in {None, name[1]}]
    return store.write(lambda tx: sum(tx.retry(*name) for name in chosen)).result()


class Always:
    """Tenants that are open and of which something may be due at any time: what a crew works for."""

    def __init__(self, *tenants):
        self._tenants = {tenant.id: tenant for tenant in tenants}

    def due(self):
        return list(self._tenants)

    def rest(self, _tenant, _steps):
        return False

    def hold(self, tenant):
        return nullcontext(self._tenants[tenant])


@dataclass
class Seen:
    """An answer as a client sees it."""

    status: int
    headers: dict = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self):
        return msgspec.json.decode(self.body)


def request_to(tenant, method, resource, query=(), body=b"", *, version="1.0.3", chunk=65_536, **headers):
    """A request as the edge hands it on; a header ``if_match="*"`` is ``If-Match: *``. *query* is a dict or pairs."""
    pieces = [body[start : start + chunk] for start in range(0, len(body), chunk)] or [b""]

    async def receive():
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    return Request(
        method=method,
        resource=resource,
        prefix="/xapi",
        query=list(query.items()) if isinstance(query, dict) else list(query),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        tenant=tenant,
        receive=receive,
        subscriptions=SUBSCRIPTIONS,
        share=Share(Admission()),
        version=version,
        caller=Caller("key tests", "tests", AUTHORITY, rights_of_key({"all"}), tenant.id, KEY),
    )


def answer_of(handlers, request):
    """What the handler for *request* answers, refusals included."""

    async def run():
        try:
            return await handlers[request.resource, "GET" if request.method == "HEAD" else request.method](request)
        except Refused as refused:
            return refusal(refused, "r-1")

    answer = asyncio.run(run())
    body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    return Seen(answer.status, dict(answer.headers), body)
