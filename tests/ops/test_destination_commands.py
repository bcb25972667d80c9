"""``lrs destinations``: one set of commands for the destinations of every channel."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from lrs.kernel.settings import Settings
from lrs.ops.destination_commands import destinations
from lrs.tenancy.tenants import open_tenant
from tests.matching.world import put_service

ADD = ("add", "xapi", "national", "https://lrs.invalid/xapi", "--key", "key", "--secret", "s3cret")


@pytest.fixture
def folder(tmp_path):
    tenant = open_tenant(Settings(data=tmp_path))
    put_service(tenant, "https://service.invalid/hook")
    tenant.store.close()
    return tmp_path


def run(folder, *words):
    return CliRunner().invoke(destinations, [*words, "--data", str(folder)])


def listed(folder, *words):
    return json.loads(run(folder, "list", "--json", *words).stdout)


def test_one_list_has_the_destinations_of_all_channels(folder):
    added = run(folder, *ADD, "--verb", "http://adlnet.gov/expapi/verbs/passed")
    run(folder, "pause", "xapi", "national")

    assert added.stdout == "national is added: https://lrs.invalid/xapi\n"
    everyone = listed(folder)
    shown = [(one["channel"], one["name"], one["address"], one["state"], one["reason"]) for one in everyone]
    assert shown == [
        ("webhook", "career-converter", "https://service.invalid/hook", "active", None),
        ("xapi", "national", "https://lrs.invalid/xapi", "paused", "by command"),
    ]
    assert everyone[1]["verbs"] == ["http://adlnet.gov/expapi/verbs/passed"]
    assert [one["name"] for one in listed(folder, "--channel", "xapi")] == ["national"]


def test_one_is_paused_resumed_and_removed_and_it_is_said_what_to_do_next(folder):
    run(folder, *ADD)
    told = [run(folder, act, "xapi", "national").stdout for act in ("pause", "resume", "remove")]

    assert told == [
        "national is paused; lrs forward resume national goes on\n",
        "national goes on; what was put aside is sent again by lrs deliveries resend --channel xapi --to national\n",
        "national is removed; added again, it begins anew\n",
    ]
    assert listed(folder, "--channel", "xapi") == []


def test_of_a_service_the_command_is_named_that_changes_it(folder):
    result = run(folder, "pause", "webhook", "career-converter")

    assert result.exit_code == 1
    assert "commands of their own, such as: lrs services resync career-converter" in result.stderr


def test_an_unknown_channel_is_refused_and_the_known_ones_are_named(folder):
    result = run(folder, "pause", "pigeon", "coop")

    assert result.exit_code == 2
    assert "'webhook', 'xapi'" in result.stderr
