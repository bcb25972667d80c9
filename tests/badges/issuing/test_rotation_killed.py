"""Three rotations and a key that is given up, in a process that ends at any of its writes: before it, or after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from badges.issuing import rotation
from badges.keys.issuer import issuer_of
from badges.keys.ring import Key, ring_of
from lrs.composition.steps import drain
from lrs.kernel.errors import Refused
from lrs.kernel.times import HOUR
from lrs.storage import each
from lrs.tenancy.tenants import Tenant
from tests.badges.made import Clock, failed, put_award, tenant_in, verdict_on
from tests.dying import Dying, Killed

STEPS = ("issue", "publish", "rotate", "reissue")
WRITES = 40
"""More than a whole life of this issuer has."""


def award(number: int) -> str:
    return f"6d2f3c1a-0c64-5b3e-8a52-{number:012d}"


def badge_keys(tenant: Tenant) -> list[Key]:
    return [key for key in ring_of(tenant).keys if key.algorithm == "Ed25519"]


def rotated(tenant: Tenant, count: int) -> None:
    """Rotates, until this many rotations were begun."""
    if len(badge_keys(tenant)) <= count:
        with suppress(Refused):  # the one before waits still
            rotation.rotate(tenant, "Ed25519", wait=HOUR, by="operator")


def given_up(tenant: Tenant) -> None:
    if badge_keys(tenant)[1].state != "compromised":
        rotation.compromise(tenant, badge_keys(tenant)[1].id, by="operator")


def life() -> list[Callable[[Tenant], object]]:
    """What an issuer does, each of it once more after a kill: badges, three rotations, a key given up."""
    acts: list[Callable[[Tenant], object]] = []
    for number in range(4):
        acts += [
            lambda tenant, number=number: put_award(tenant, award(number), valid_until=None),
            lambda tenant: drain(tenant, STEPS),
        ]
        if number < 3:
            acts += [
                lambda tenant, number=number: rotated(tenant, number + 1),
                lambda tenant: drain(tenant, STEPS),
                lambda tenant: tenant.clock.wait(),  # type: ignore[attr-defined]
                lambda tenant: drain(tenant, STEPS),
            ]
    return [*acts, given_up, lambda tenant: drain(tenant, STEPS)]


class Waiting(Clock):
    """A clock that goes an hour ahead, which is longer than any lease."""

    def wait(self) -> None:
        self.now += HOUR


def lived(tenant: Tenant, number: int, *, after: bool) -> bool:
    """Lives with a kill at the *number*th write of the process, then goes on where it was. Whether it was killed."""
    dying: Tenant = replace(tenant, store=Dying(tenant.store, number, after=after))
    killed = False
    for act in life():
        try:
            act(tenant if killed else dying)
        except Killed:
            killed = True
            tenant.clock.wait()  # type: ignore[attr-defined]  # its leases run out
            act(tenant)
            drain(tenant, STEPS)
    return killed


def check(tenant: Tenant) -> dict[str, Any]:
    """What must be true in the end. Gives the badges by the name of their key in proofs."""
    keys = badge_keys(tenant)
    assert [key.state for key in keys] == ["retired", "compromised", "retired", "active"]
    assert [backlog for backlog in tenant.store.backlog() if backlog.waiting or backlog.parked] == []
    found = [json.loads(record.body) for record in each(tenant.store, "credential")]
    assert len(found) == 4
    assert [failed(verdict_on(tenant, badge)) for badge in found] == [[]] * 4
    assert tenant.store.count("status") == 4
    return {badge["proof"][0]["verificationMethod"].rpartition("#")[2]: badge for badge in found}


@pytest.fixture
def lonely(tmp_path):
    tenant = tenant_in(tmp_path, clock=Waiting())
    yield tenant
    tenant.store.close()


def test_without_a_kill_each_key_signed_a_badge_and_those_of_the_one_given_up_are_signed_anew(lonely):
    assert lived(lonely, 10_000, after=False) is False

    signed = check(lonely)
    first, given_up_key, third, fourth = badge_keys(lonely)
    assert signed.keys() == {first.fragment, third.fragment, fourth.fragment}
    assert given_up_key.fragment not in signed
    assert issuer_of(lonely).key == fourth


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", [9, 10, 11, 12, 13, 14])
def test_a_kill_in_the_first_rotation_changes_nothing_in_the_end(lonely, number, after):
    assert lived(lonely, number, after=after) is True

    check(lonely)


@pytest.mark.soak
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_any_write_changes_nothing_in_the_end(tmp_path, after):
    number, was_killed = 0, True
    while was_killed:
        number += 1
        tenant = tenant_in(tmp_path / str(number), clock=Waiting())
        was_killed = lived(tenant, number, after=after)
        check(tenant)
        tenant.store.close()
    assert number > WRITES
