"""A source with both switches on, as the endpoint takes what it sends."""

import json

from lrs.access import KEY, Caller
from lrs.access.rights import rights_of_key
from lrs.access.switches import SWITCHES
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.write import store_in


def sender(source="vle", *switches, scopes=("statements/write",)):
    """A key of *source* with these *switches* on; with both if none is named."""
    authority = b'{"account":{"homePage":"http://localhost/t/default","name":"default.00"}}'
    on = frozenset(switches or SWITCHES)
    return Caller("key default.00", source, authority, rights_of_key(scopes), "default", KEY, switches=on)


def planned(tenant, *batch, who=None, version="1.0.3"):
    """The plan for *batch*."""
    terms = Terms(tenant.settings, SUBSCRIPTIONS)
    return prepare(who or sender(), version, json.dumps(batch).encode(), terms)


def send(tenant, *batch, **said):
    """Stores *batch*; its ids."""
    plan = planned(tenant, *batch, **said)
    return tenant.store.write(lambda tx: store_in(tx, plan), weight=plan.weight, reads=plan.reads).result()
