"""Whatever is wrong with one tenant, the one beside it is served and worked for as if it were alone."""

import threading

import httpx
import pytest

from lrs.access.keys import create_key
from lrs.composition.steps import LANES, steps_of
from lrs.kernel.settings import Settings
from lrs.tenancy import states
from lrs.tenancy.control import open_control
from lrs.tenancy.record import GRACE, TenantRecord
from lrs.tenancy.tenants import open_tenant
from lrs.work.worker import Crew
from tests.programs import until
from tests.served import new_id, serving, statement
from tests.tenancy.test_damaged import break_head, break_inside

VERSION = {"X-Experience-API-Version": "1.0.3"}


def damaged(settings, _control):
    break_head(settings.data, "odd")


def damaged_inside(settings, _control):
    break_inside(settings.data, "odd")


def gone(settings, _control):
    (settings.data / "tenants" / "odd" / "store.db").unlink()
    (settings.data / "tenants" / "odd" / "store.db").mkdir()


def full(_settings, control):
    control.change("odd", lambda record, _: TenantRecord(created=record.created, storage_limit=1, stored=1))


def suspended(settings, control):
    states.suspend(settings, control, "odd")


def closing(settings, control):
    states.delete(settings, control, "odd")


def deleted(settings, control):
    states.delete(settings, control, "odd")
    states.erase_due(settings, control, control.clock() + GRACE)


ODD = {
    damaged: (503, "unavailable"),
    damaged_inside: (503, "unavailable"),
    gone: (503, "unavailable"),
    full: (507, "quota"),
    suspended: (403, "suspended"),
    closing: (403, "closing"),
    deleted: (404, "not_found"),
}


def ask(lrs, tenant, method, auth, **more):
    at = f"{lrs.address}/t/{tenant}/xapi/statements"
    return httpx.request(method, at, auth=auth, headers=VERSION, trust_env=False, timeout=30, **more)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.__name__)
def test_the_tenant_beside_an_odd_one_is_served_and_worked_for(tmp_path, odd):
    settings = Settings(data=tmp_path)
    control = open_control(settings)
    keys = {}
    for name in ("well", "odd"):
        states.create(settings, control, name, "")
        tenant = open_tenant(settings, name)
        keys[name] = create_key(tenant, "k", ["all"])
        tenant.store.close()
    odd(settings, control)
    control.close()

    with serving(tmp_path, metrics_open=True) as lrs:
        crew = Crew([steps_of(names) for names in LANES], lrs.app.tenants, idle=0.05)
        try:
            told = ask(lrs, "odd", "POST", (keys["odd"].key, keys["odd"].secret), json=statement(id=new_id()))
            auth = (keys["well"].key, keys["well"].secret)
            sent = ask(lrs, "well", "POST", auth, json=statement(id=new_id()))
            read = ask(lrs, "well", "GET", auth)
            with lrs.app.tenants.hold("well") as well:
                until(lambda: well.store.backlog() == [], "the work of the one beside")
        finally:
            crew.close()
        health = httpx.get(f"{lrs.address}/health", trust_env=False)
        metrics = httpx.get(f"{lrs.address}/metrics", trust_env=False).text

    assert (told.status_code, told.json()["error"]) == ODD[odd]
    assert (sent.status_code, len(read.json()["statements"])) == (200, 1)
    assert health.status_code == 200
    assert 'lrs_tenant_up{tenant="well"} 1.0' in metrics
    assert 'lrs_tenant_owed_waiting{tenant="well"} 0.0' in metrics


def test_the_tenant_beside_a_busy_one_does_not_wait_for_its_writer(tmp_path):
    settings = Settings(data=tmp_path)
    control = open_control(settings)
    for name in ("well", "odd"):
        states.create(settings, control, name, "")
    control.close()
    over = threading.Event()
    with serving(tmp_path) as lrs:
        odd = lrs.app.tenants.take("odd")
        keys = {name: create_key(lrs.app.tenants.take(name), "k", ["all"]) for name in ("well", "odd")}
        held = odd.store.write(lambda _: over.wait(60))
        waits = threading.Thread(
            target=ask, args=(lrs, "odd", "POST", (keys["odd"].key, keys["odd"].secret)), kwargs={"json": statement()}
        )
        waits.start()
        try:
            sent = ask(lrs, "well", "POST", (keys["well"].key, keys["well"].secret), json=statement(id=new_id()))
            assert not held.done()
        finally:
            over.set()
            waits.join()

    assert sent.status_code == 200
