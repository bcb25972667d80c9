"""Where something of an LMS happens: for which tenant, at which addresses, and what stored statements owe."""

from __future__ import annotations

import msgspec

from lrs.access import CONTENT_SOURCE, KEY, OWN_SOURCE, Caller
from lrs.access.keys import authority_of
from lrs.kernel.errors import Refused
from lrs.kernel.names import name
from lrs.kernel.strict_json import Json
from lrs.storage import Tx
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.subscriptions import Subscriptions
from lrs.xapi.statements.write import store_in

VERSION = "1.0.3"
"""The version of xAPI that cmi5 is written for."""


class LmsPlace(msgspec.Struct, frozen=True):
    """*root* is where others reach the tenant's routes, such as ``https://lrs.example/t/north``.

    *subscriptions* say which steps stored statements owe.
    """

    tenant: Tenant
    subscriptions: Subscriptions
    root: str

    @property
    def endpoint(self) -> str:
        """The xAPI endpoint of launched content. Without a slash at its end: clients append ``/statements``."""
        return f"{self.root}/cmi5/xapi"

    def content(self, package: str) -> str:
        """Where the files of a package are served. Refuses (409) while no host is set for them."""
        return f"{self.content_root}/content/{package}"

    @property
    def content_root(self) -> str:
        """Where the tenant's routes for content are. Refuses (409) while no host is set for them."""
        settings, id = self.tenant.settings, self.tenant.id
        found = settings.content_origin(id)
        if found is None:
            message = "no package can be launched here yet: whoever runs the server sets LRS_CONTENT_URL (lrs doctor)"
            raise Refused(message, status=409, error="no_content_host")
        return f"{found}{settings.prefix}/t/{id}"


def store_own(tx: Tx, place: LmsPlace, statement: Json) -> None:
    """Stores a *statement* that we make, beside whatever else the decision writes. It never proves anything.

    Its id is made of the one that it has and a secret: else content could store something under the id of what is still
    to be said of its launch, which could then not be stored.
    """
    own = name("own-statement", place.tenant.secret("own-statements").hex(), statement["id"])
    terms = Terms(place.tenant.settings, place.subscriptions)
    store_in(tx, prepare(_own_caller(place.tenant), VERSION, msgspec.json.encode(statement | {"id": own}), terms))


def _own_caller(tenant: Tenant) -> Caller:
    authority = authority_of(tenant, f"{tenant.id}.{OWN_SOURCE}", OWN_SOURCE)
    return Caller("lms", OWN_SOURCE, authority, {}, tenant.id, KEY)


def content_authority(tenant: Tenant, source: str) -> bytes:
    """The authority of statements that launched content of *source* sends."""
    return authority_of(tenant, f"{tenant.id}.courses{source.removeprefix(CONTENT_SOURCE)}", source)
