"""A worker of which a write ends without the database saying whether it was kept: nothing is sent twice for that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lrs.composition.steps import drain
from tests.dying import Unsure
from tests.matching.world import SECOND, agree, held, listed, only, put_person, put_profile, put_service


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("number", range(1, 5))
@pytest.mark.parametrize(("answer", "end", "sent"), [(204, "delivered", 1), (503, "delivered", 2), (410, "dead", 1)])
def test_a_sent_delivery_is_not_sent_again_if_the_outcome_of_its_commit_is_unknown(
    tenant, receiving, clock, number, kept, answer, end, sent
):
    put_service(tenant, receiving.url, scopes=("profiles:read",))
    person = put_person(tenant, "mailto:ana@example.org")
    put_profile(tenant, person, held("gown"))
    agree(tenant, person)
    receiving.answers = only("profile.updated", answer)
    unsure = Unsure(tenant.store, number, kept=kept)

    drain(replace(tenant, store=unsure), ["sync", "deliver"])
    receiving.answers = lambda _: (204, {})
    for _ in range(3):
        clock.now += 400 * SECOND  # leases and waits run out
        drain(replace(tenant, store=unsure), ["sync", "deliver"])

    assert unsure.was_asked
    assert {one["event"]: one["state"] for one in listed(tenant)} == {
        "consent.given": "delivered",
        "profile.updated": end,
    }
    assert receiving.events == ["consent.given", *["profile.updated"] * sent]
    assert [one for one in tenant.store.backlog() if one.waiting] == []
