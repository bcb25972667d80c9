"""A forward on each engine: order, halving, pause and resume, and two workers at once."""

from __future__ import annotations

import json
import threading

from lrs.composition.channels import CHANNELS
from lrs.composition.steps import drain
from lrs.outbox import listing
from lrs.storage import Owed, Record
from lrs.tenancy.root_keys import Secrets
from lrs.tenancy.tenants import Tenant, open_tenant
from tests.matching.world import settings_in
from tests.transfer import forwarding


def keep(tenant, names):
    def decide(tx):
        for name in names:
            one = {
                "id": name,
                "actor": {"mbox": "mailto:ana@example.org"},
                "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
                "object": {"id": "https://vle.example/gowning"},
            }
            meta = {"source": "vle", "version": "1.0.3"}
            tx.insert(Record("statement", name, json.dumps(one).encode(), meta, owed=(Owed("match"),)))

    tenant.store.write(decide).result()


def work(tenant):
    drain(tenant, ["match", "deliver"])


def add(tenant, other):
    forwarding.add(tenant, "national", other.endpoint)


def test_statements_arrive_in_order_the_bad_one_is_set_apart_and_a_pause_loses_nothing(store, tmp_path, clock, other):
    tenant = Tenant("default", store, settings_in(tmp_path), Secrets(bytes(32)), clock)
    names = [f"s-{count:03d}" for count in range(120)]
    other.answers = lambda statements: (400, {}, b"no") if any(one["id"] == "s-070" for one in statements) else None
    keep(tenant, names)
    add(tenant, other)
    work(tenant)
    forwarding.pause(tenant, "national")
    keep(tenant, ["late"])
    work(tenant)
    paused = [one.since is not None for one in listing.destinations(tenant, CHANNELS)]
    forwarding.resume(tenant, "national")
    work(tenant)

    assert list(other.kept) == [*(name for name in names if name != "s-070"), "late"]
    assert [(one["what"], one["state"]) for one in listing.listed(tenant, CHANNELS)] == [("s-070", "dead")]
    assert paused == [True]
    assert [one.since for one in listing.destinations(tenant, CHANNELS)] == [None]


def test_two_workers_send_each_statement_in_its_order(tenant, clock, other):
    names = [f"s-{count:04d}" for count in range(1_500)]
    keep(tenant, names)
    add(tenant, other)
    second = open_tenant(tenant.settings, clock=clock)
    try:
        threads = [threading.Thread(target=work, args=(one,)) for one in (tenant, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        second.store.close()
    work(tenant)  # whoever found it leased has ended

    assert [name for ids in other.posts for name in ids] == names
    assert [one.since for one in listing.destinations(tenant, CHANNELS)] == [None]
