"""A store of 0.2.0 is brought forward by processes that are killed at every step, and by two servers at once.

The small twin is ``tests/releases/test_story.py``.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time

import pytest

from tests.programs import BehindSqlite, children, programs, until
from tests.releases.checking import AHEAD, SETTINGS, TENANTS, forward_in
from tests.releases.upgrading import thawed, upgraders
from tests.soak.often import KILLS

pytestmark = [pytest.mark.soak, pytest.mark.timeout(7_200 * KILLS)]
SERVERS = 20 * KILLS
"""Servers with a worker that are killed before the one that is not."""
EACH = max(1, 4 // KILLS)
"""Of so many turns one is killed at in a store of its own: of one after the other, whichever they are."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    data = thawed(folder)
    with upgraders(1, folder / "log") as (one,):
        status, turns = one.run(data)
    assert status == 0
    return forward_in(data), turns


def test_a_kill_at_every_turn_ends_where_no_kill_ends(tmp_path, undisturbed, row):
    expected, turns = undisturbed
    killed, differs = 0, []
    with upgraders(1, tmp_path / "log") as (one,):
        for turn in range(1, turns + 1, EACH):
            data = thawed(tmp_path / "once")
            killed += one.run(data, turn)[0] == -signal.SIGKILL
            assert one.run(data, ahead=AHEAD)[0] == 0
            differs += [f"{turn}: {text}" for text in forward_in(data, AHEAD).unlike(expected)]
            shutil.rmtree(tmp_path / "once")

    assert differs == []
    row("upgrade killed at a turn: turns there are", turns, "turns")
    row("upgrade killed at a turn: kills", killed, "kills", at_least=turns // EACH - 3)
    row("upgrade killed at a turn: ends that differ", len(differs), "ends", at_most=0)


def test_servers_that_are_killed_while_they_bring_it_forward(tmp_path, undisturbed, row):
    expected, _ = undisturbed
    thawed(tmp_path)
    with programs(tmp_path, **SETTINGS) as held:
        for number in range(SERVERS):
            server = held.start("serve", "--port", "0")
            time.sleep(random.uniform(0.5, 3) if number else 0.2)
            for pid in (*children(server.pid), server.pid):
                os.kill(pid, signal.SIGKILL)
            server.wait()
            let_leases_run_out(held)
        settled(held)
    differs = forward_in(tmp_path / "data").unlike(expected)

    row("upgrade by servers that are killed: kills", SERVERS, "kills", at_least=20)
    row("upgrade by servers that are killed: differences at the end", len(differs), "places", at_most=0)


def test_two_servers_with_workers_bring_it_forward_at_once_and_one_of_them_is_killed(tmp_path, undisturbed, row):
    expected, _ = undisturbed
    found = []
    for number in range(5 * KILLS):
        folder = tmp_path / str(number)
        thawed(folder)
        with programs(folder, **SETTINGS) as held:
            started = [held.start("serve", "--port", "0") for _ in range(2)]
            time.sleep(random.uniform(0.5, 3))
            for pid in (*children(started[0].pid), started[0].pid):
                os.kill(pid, signal.SIGKILL)
            let_leases_run_out(held)
            settled(held)
        found += forward_in(folder / "data").unlike(expected)
        shutil.rmtree(folder)

    row("upgrade by two servers, one killed: differences at the end", len(found), "places", at_most=0)


def let_leases_run_out(held):
    for tenant in TENANTS:
        behind = BehindSqlite(held.data, tenant)
        behind.let_leases_run_out()
        behind.close()


def settled(held):
    """Serves until nothing is due any more in any tenant."""
    server, _ = held.serve()
    for tenant in TENANTS:
        behind = BehindSqlite(held.data, tenant)
        until(lambda behind=behind: behind.due() == 0, f"the work of {tenant}", patience=300)
        behind.close()
    server.terminate()
    server.wait(60)
