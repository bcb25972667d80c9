"""Badges of others as records: how many are kept of somebody, and what is removed."""

from __future__ import annotations

from functools import partial

import msgspec
import pytest
from msgspec.structs import replace

from badges.prior import prior
from badges.prior.prior import PriorBadge, PriorPlan
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.errors import Refused
from tests.badges.made import tenant_in

ANN = PriorBadge("ann", "{}", "Gown", "did:web:college.example", "College", "2026-01-10", by="staff 1", at=1)


@pytest.fixture
def tenant(tmp_path):
    opened = tenant_in(tmp_path)
    yield opened
    opened.store.close()


def keep(tenant, id, badge=ANN):
    return tenant.store.write(partial(prior.keep, ready=PriorPlan(id, badge, None))).result()


def remove(tenant, id):
    leaving = prior.leaving(tenant, id, by="staff 1", subscriptions=SUBSCRIPTIONS)
    return tenant.store.write(partial(prior.remove, leaving=leaving, by="staff 1")).result()


def refused(act, *given):
    with pytest.raises(Refused) as told:
        act(*given)
    return told.value.status, told.value.error


def test_so_many_badges_of_others_are_kept_of_somebody_and_the_same_again_is_none_more(tenant, monkeypatch):
    monkeypatch.setattr(prior, "MOST", 2)
    for id in ("a", "b"):
        keep(tenant, id)

    assert refused(keep, tenant, "c") == (409, "too_many")
    assert keep(tenant, "b") == ANN
    assert keep(tenant, "d", replace(ANN, person="bob")).person == "bob"
    assert [id for id, _ in prior.brought(tenant.store, ["ann"])] == ["a", "b"]
    remove(tenant, "a")
    assert keep(tenant, "c", replace(ANN, at=2)).at == 2
    assert [id for id, _ in prior.brought(tenant.store, ["ann", "bob"], "staff 2")] == []


def test_a_badge_that_became_evidence_meanwhile_is_not_removed_without_it_and_what_is_gone_is_gone(tenant):
    keep(tenant, "a")
    leaving = prior.leaving(tenant, "a", by="staff 1", subscriptions=SUBSCRIPTIONS)
    record = tenant.store.get(prior.KIND, "a")
    evidence = replace(ANN, statement="11111111-1111-4111-8111-111111111111")
    body = msgspec.json.encode(evidence)
    tenant.store.write(lambda tx: tx.replace(replace(record, body=body))).result()

    def late():
        tenant.store.write(partial(prior.remove, leaving=leaving, by="staff 1")).result()

    assert refused(late) == (409, "conflict")
    assert tenant.store.get(prior.KIND, "a") is not None
    keep(tenant, "b")
    gone = prior.leaving(tenant, "b", by="staff 1", subscriptions=SUBSCRIPTIONS)
    remove(tenant, "b")
    assert refused(remove, tenant, "b") == (404, "not_found")
    leaving = gone
    assert refused(late) == (404, "not_found")
