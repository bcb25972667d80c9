"""``lrs doctor`` about the keys that sign badges."""

from __future__ import annotations

import pytest

from badges.issuing import rotation
from lrs.composition.steps import drain
from lrs.kernel.times import DAY
from lrs.ops.doctor_keys import of_keys
from tests.badges.made import put_award, run_issue, tenant_in

LOST = "6d2f3c1a-0c64-5b3e-8a52-2f4f6f1d0a02"
"""An award that is lost again, so that its badge is revoked."""


@pytest.fixture
def tenant(tmp_path):
    opened = tenant_in(tmp_path)
    yield opened
    opened.store.close()


def told(tenant):
    return [(one.status, one.message) for one in of_keys(tenant)]


def test_keys_that_sign_and_are_young_are_counted_by_their_states(tenant):
    rotation.rotate(tenant, "Ed25519", wait=0, by="test")
    drain(tenant, ["rotate"])

    ((status, message),) = told(tenant)

    assert status == "ok"
    assert message.startswith("1 retired, 2 active")


def test_a_key_that_has_signed_for_two_years_is_a_warning(tenant):
    rotation.rotate(tenant, "Ed25519", wait=0, by="test")
    drain(tenant, ["rotate"])
    tenant.clock.now += 731 * DAY

    found = told(tenant)

    assert {status for status, _ in found} == {"warning"}
    assert any(
        text.startswith("badge-signing-key/2 (Ed25519) has signed since 2026-11-21T12:00:00") for _, text in found
    )


def test_a_next_key_whose_time_has_come_and_gone_is_a_problem(tenant):
    rotation.rotate(tenant, "Ed25519", wait=DAY, by="test")
    young = told(tenant)
    tenant.clock.now += 2 * DAY

    ((status, message),) = told(tenant)

    assert young[0][0] == "ok"
    assert (status, message.startswith("badge-signing-key/2 should sign since")) == ("problem", True)


def test_badges_of_a_compromised_key_that_were_not_revoked_are_counted_until_they_are_issued_anew(tenant):
    put_award(tenant)
    put_award(tenant, LOST)
    run_issue(tenant)
    put_award(tenant, LOST, state="withdrawn")
    run_issue(tenant)
    rotation.compromise(tenant, "badge-signing-key/1", by="test")

    before = told(tenant)
    drain(tenant, ["reissue"])
    run_issue(tenant)

    assert before == [
        (
            "problem",
            "1 badge that a compromised key (badge-signing-key/1) signed waits to be issued anew: lrs work status",
        )
    ]
    assert [status for status, _ in told(tenant)] == ["ok"]
