"""Links, exchanges and nonces that are over are deleted by upkeep, whether or not a later one is made."""

import msgspec
import pytest

from badges.claims.claims import BadgeClaim
from badges.wallets.exchanges import BadgeExchange
from lrs.composition.kinds import TENANT
from lrs.kernel.settings import Settings
from lrs.storage import Record, each
from lrs.tenancy.root_keys import Secrets
from lrs.tenancy.tenants import Tenant
from lrs.work import over
from lrs.work.over import clear_over
from lrs.work.upkeep import Interrupted

KINDS = ("badge-claim", "badge-exchange", "badge-nonce")


@pytest.fixture
def tenant(store, clock, tmp_path):
    return Tenant("default", store, Settings(data=tmp_path), Secrets(bytes(32)), clock)


def put(tenant, id, ends):
    """One record of each kind that is over at *ends*."""
    claim, exchange = BadgeClaim("b", "p", ends), BadgeExchange("b", "p", ends)
    records = (
        Record("badge-claim", id, msgspec.json.encode(claim)),
        Record("badge-exchange", id, msgspec.json.encode(exchange)),
        Record("badge-nonce", id, meta={"until": ends}),
    )
    tenant.store.write(lambda tx: [tx.insert(one) for one in records]).result()


def left(tenant):
    return [[one.id for one in each(tenant.store, kind)] for kind in KINDS]


def test_what_is_over_goes_page_by_page_and_what_is_not_stays(tenant, monkeypatch):
    monkeypatch.setattr(over, "AT_ONCE", 2)
    now, begun = tenant.clock(), []
    for number in range(5):
        put(tenant, f"old-{number}", now - 1)
    put(tenant, "fresh", now + 60_000_000)

    gone = clear_over(TENANT, tenant, begun=lambda: begun.append(1))

    assert gone == 15
    assert left(tenant) == [["fresh"]] * 3
    assert len(begun) == 9  # three commits for each kind
    assert clear_over(TENANT, tenant, begun=lambda: begun.append(1)) == 0
    assert len(begun) == 9


def test_what_was_put_off_since_it_was_read_stays(tenant):
    now = tenant.clock()
    nonce = Record("badge-nonce", "one", meta={"until": now - 1})
    tenant.store.write(lambda tx: tx.insert(nonce)).result()
    later = msgspec.structs.replace(nonce, meta={"until": now + 60_000_000})

    gone = clear_over(TENANT, tenant, begun=lambda: tenant.store.write(lambda tx: tx.put(later)).result())

    assert (gone, left(tenant)) == (0, [[], [], ["one"]])


def test_a_process_that_ends_leaves_the_rest_for_later(tenant, monkeypatch):
    monkeypatch.setattr(over, "AT_ONCE", 2)
    for number in range(3):
        put(tenant, f"old-{number}", tenant.clock() - 1)

    with pytest.raises(Interrupted):
        clear_over(TENANT, tenant, lambda _: True)

    assert [len(ids) for ids in left(tenant)] == [1, 3, 3]
