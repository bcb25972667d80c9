"""What becomes of badges is counted once for each badge."""

from __future__ import annotations

import msgspec
import pytest

from badges.achievements.counts import count, counts_of
from tests.badges.made import AWARD, NOON, badge_in, put_award, run_issue

OTHER = "7d2f3c1a-0c64-5b3e-8a52-000000000002"


def counted(tenant, what, at=NOON):
    return tenant.store.write(lambda tx: count(tx, badge_in(tenant)[0].id, what, at)).result()


def test_each_thing_counts_once_for_a_badge_however_often_it_happens(tenant):
    put_award(tenant)
    run_issue(tenant)
    achievement = badge_in(tenant)[0].meta["achievement"]

    told = [counted(tenant, what, NOON + n) for n, what in enumerate(["opened", "opened", "claimed", "claimed"])]

    assert told == [True, False, True, False]
    assert counts_of(tenant.store) == {
        achievement: {"issued": 1, "opened": 1, "claimed": 1, "shared": 0, "verified": 0}
    }
    use = tenant.store.get("badge-use", badge_in(tenant)[0].id)
    assert msgspec.json.decode(use.body) == {"v": 1, "first": {"opened": NOON, "claimed": NOON + 2}}


@pytest.mark.mongo_in_soak
def test_badges_of_one_achievement_are_counted_together_and_one_that_is_issued_anew_counts_no_more(tenant):
    for award in (AWARD, OTHER):
        put_award(tenant, award)
    run_issue(tenant)
    put_award(tenant, valid_until="2027-04-30")
    run_issue(tenant)

    (counts,) = counts_of(tenant.store).values()
    assert counts["issued"] == 2


def test_a_badge_from_before_there_were_counts_is_counted_as_issued_with_whatever_happens_first(tenant):
    put_award(tenant)
    run_issue(tenant)
    record, badge = badge_in(tenant)
    meta = {name: value for name, value in record.meta.items() if name != "achievement"}
    tenant.store.write(lambda tx: tx.replace(msgspec.structs.replace(record, meta=meta))).result()
    tenant.store.write(lambda tx: tx.delete("badge-counts", str(record.meta["achievement"]))).result()

    counted(tenant, "shared")
    put_award(tenant, valid_until="2027-04-30")
    run_issue(tenant)

    achievement = badge["credentialSubject"]["achievement"]["id"].rpartition("/")[2]
    assert counts_of(tenant.store)[achievement] == {
        **dict.fromkeys(["opened", "claimed", "verified"], 0),
        "issued": 1,
        "shared": 1,
    }


@pytest.mark.mongo_in_soak
def test_what_is_no_badge_is_not_counted(tenant):
    assert tenant.store.write(lambda tx: count(tx, AWARD, "verified", NOON)).result() is False
    assert counts_of(tenant.store) == {}
