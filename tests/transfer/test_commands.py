"""``lrs forward``, and its dead letters in ``lrs deliveries``."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from lrs.composition.channels import CHANNELS
from lrs.composition.steps import drain
from lrs.ops.delivery_commands import deliveries
from lrs.ops.doctor import of_destinations
from lrs.storage import TIE_BITS
from lrs.tenancy import audit
from lrs.transfer.commands import forward
from lrs.transfer.forwards import forward_of
from tests.transfer import forwarding
from tests.transfer.test_forward import number, statement, store

ENVIRONMENT = {"LRS_OUTBOUND_ALLOW": '["127.0.0.0/8"]', "LRS_KEY": "key", "LRS_SECRET": "s3cret"}


def run(tenant, group, *words, **environment):
    return CliRunner().invoke(group, [*words, "--data", str(tenant.settings.data)], env=ENVIRONMENT | environment)


def work(tenant):
    drain(tenant, ["match", "deliver"])


def test_a_forward_is_added_listed_paused_resumed_and_removed(tenant, other):
    store(tenant, statement(0))
    other.answers = lambda _: (400, {}, b"no")

    added = run(tenant, forward, "add", "national", other.endpoint, "--verb", statement(0)["verb"]["id"])
    work(tenant)
    (shown,) = json.loads(run(tenant, forward, "list", "--json").stdout)
    paused = run(tenant, forward, "pause", "national")
    table = run(tenant, forward, "list").stdout.splitlines()
    resumed = run(tenant, forward, "resume", "national")
    dead = json.loads(run(tenant, deliveries, "list", "--channel", "xapi", "--state", "dead", "--json").stdout)
    other.answers = lambda _: None
    again = run(tenant, deliveries, "resend", "--channel", "xapi")
    work(tenant)
    removed = run(tenant, forward, "remove", "national")
    empty = run(tenant, forward, "list")

    assert added.stdout == f"national is added: {other.endpoint}\n"
    assert (shown["name"], shown["state"], shown["lag"], shown["dead"]) == ("national", "active", 0, 1)
    assert paused.stdout == "national is paused; lrs forward resume national goes on\n"
    assert re.fullmatch(r"paused since \S+Z \(by command\)", [re.split("  +", line) for line in table][1][2])
    assert resumed.exit_code == 0
    assert [(one["channel"], one["to"], one["statement"]) for one in dead] == [("xapi", "national", number(0))]
    assert again.stdout == "1 delivery will be sent again\n"
    assert sorted(other.kept) == [number(0)]
    assert removed.stdout == "national is removed; added again, it begins anew\n"
    assert empty.stderr == "nothing is forwarded: lrs forward add NAME ADDRESS begins\n"
    assert [entry.action for entry, _ in audit.walk(tenant.store)] == [
        *("destination.added", "destination.paused", "destination.resumed", "delivery.resent", "destination.removed")
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("add", "national", "https://10.0.0.8/xapi"), "leads to an address outside the public internet"),
        (("add", "national", "https://lrs.invalid/xapi", "--since", "yesterday"), "write a time like 2026-11-28"),
        (("pause", "nobody"), "there is no destination nobody of the channel xapi"),
        (("resume", "nobody"), "there is no destination nobody of the channel xapi"),
        (("remove", "nobody"), "there is no destination nobody of the channel xapi"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(tenant, words, message):
    result = run(tenant, forward, *words)

    assert result.exit_code == 1
    assert message in result.stderr


def test_without_a_key_nothing_is_added(tenant, other):
    result = run(tenant, forward, "add", "national", other.endpoint, LRS_SECRET="")

    assert (
        result.exit_code,
        "which key and secret? give --key and --secret, or set LRS_KEY and LRS_SECRET" in result.stderr,
    ) == (1, True)


def test_a_name_is_taken_once(tenant, other):
    results = [run(tenant, forward, "add", "national", other.endpoint) for _ in range(2)]

    assert [one.exit_code for one in results] == [0, 1]
    assert "a destination national of the channel xapi exists already" in results[1].stderr


def test_a_day_as_since_begins_at_its_first_moment(tenant, other):
    run(tenant, forward, "add", "national", other.endpoint, "--since", "2026-11-28")

    found = forward_of(forwarding.find(tenant, "national"))
    assert (found.since, found.position + 1) == (1_795_824_000_000_000, 1_795_824_000_000_000 << TIE_BITS)


def test_the_doctor_names_a_forward_that_is_stopped_or_far_behind(tenant, other, clock):
    store(tenant, statement(0))
    run(tenant, forward, "add", "national", other.endpoint)
    fresh = list(of_destinations(tenant, CHANNELS))
    clock.now += 3_700_900_000
    (behind,) = of_destinations(tenant, CHANNELS)
    run(tenant, forward, "pause", "national")
    (stopped,) = of_destinations(tenant, CHANNELS)

    assert fresh == []
    assert behind.status == "warning"
    assert behind.message == "3700 s behind: lrs destinations list, lrs work status say more"
    told = r"paused since \S+Z: by command; once it is put right: lrs forward resume national"
    assert re.fullmatch(told, stopped.message)
