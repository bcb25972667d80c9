"""Lists are published once for many revocations, and not later than some seconds after the first of them."""

from __future__ import annotations

from badges.credentials import lists
from badges.held import stops
from lrs.composition.steps import drain
from lrs.storage import each
from tests.badges.made import put_award

AWARDS = [f"7d2f3c1a-0c64-5b3e-8a52-{number:012d}" for number in range(20)]


def revoked(tenant):
    """How often the list was signed, and how many of its bits are set."""
    listed = tenant.store.get(lists.KIND, "revocation-1")
    return listed.rev, sum(place.meta["state"] == "revoked" for place in each(tenant.store, "status"))


def test_many_badges_that_are_revoked_at_once_are_published_by_one_signature(tenant):
    for award in AWARDS:
        put_award(tenant, award)
    drain(tenant, ["issue", "publish"])
    before, _ = revoked(tenant)

    badges = [one.id for one in each(tenant.store, "credential")]
    stops.stop(tenant, badges, "revoked", reason="All by mistake", by="test")
    drain(tenant, ["issue", "publish"])

    assert revoked(tenant) == (before + 1, 20)


def test_a_list_waits_for_further_revocations_for_five_seconds_at_the_most(tenant):
    put_award(tenant, AWARDS[0])
    drain(tenant, ["issue", "publish"])
    (badge,) = each(tenant.store, "credential")
    stops.stop(tenant, [badge.id], "revoked", reason="A mistake", by="test")
    drain(tenant, ["issue"])
    put_award(tenant, AWARDS[1])  # a badge that waits to be issued

    at_once = lists.is_time(tenant)
    tenant.clock.now += 5_000_000

    assert at_once is False
    assert lists.is_time(tenant) is True
    drain(tenant, ["publish"])
    assert revoked(tenant)[1] == 1


def test_a_list_that_was_signed_with_a_clock_that_was_ahead_is_not_waited_for(tenant):
    put_award(tenant, AWARDS[0])
    tenant.clock.now += 3_600_000_000
    drain(tenant, ["issue", "publish"])
    tenant.clock.now -= 3_600_000_000
    (badge,) = each(tenant.store, "credential")
    stops.stop(tenant, [badge.id], "revoked", reason="A mistake", by="test")
    drain(tenant, ["issue"])
    put_award(tenant, AWARDS[1])  # a badge that waits to be issued

    assert lists.is_time(tenant) is True
