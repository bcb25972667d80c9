"""The whole story on a store that 0.2.0 left when it was killed: brought forward, killed midway, by two at once.

``tests.releases.story`` says what is in the store. What users were told then is what they are told now, and it goes on.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
import standardwebhooks

from tests.matching.world import Got, Receiver, receiver
from tests.programs import Programs, programs, until
from tests.releases.checking import AHEAD, FIRST_TURN, SETTINGS, TENANTS, Forward, forward_in, lrs_on, unlike
from tests.releases.questions import Command, Handed, asked
from tests.releases.story import LATE, NORTH, Player, centre_file, learnt, registered
from tests.releases.upgrading import Upgrader, story, thawed, upgraders
from tests.travel import GOWNING

KNOWN_BY_0_2_0 = 1
"""The schema that 0.2.0 writes. It refuses a file that says more, before it reads or writes anything else."""


@dataclass
class Upgraded:
    """An installation of 0.2.0 with this program's server, and what 0.2.0 told of it."""

    programs: Programs
    address: str
    receivers: dict[str, Receiver]
    stack: ExitStack
    frozen: dict[str, Any]
    first: dict[str, Any] = field(default_factory=dict)
    """What users were told before anything was done that was owed."""
    second: dict[str, Any] = field(default_factory=dict)
    """What they were told once all was done."""
    got: list[Got] = field(default_factory=list)
    """What the receiver of the service had got by then."""

    def handed(self, tenant: str) -> Handed:
        return msgspec.convert(self.frozen["handed"][tenant], Handed)

    def asked(self, tenant: str) -> dict[str, Any]:
        return asked(self.lrs, self.address, self.handed(tenant))

    def told(self, tenant: str) -> Any:
        """What 0.2.0 told; the receivers are where they are today."""
        text = json.dumps(self.frozen["told"][tenant])
        for name, url in self.frozen["hooks"].items():
            text = text.replace(url, self.receivers[name].url)
        return json.loads(text)

    @property
    def lrs(self) -> Command:
        """Its commands."""
        return lrs_on(self.programs.data, self.programs.settings)

    @property
    def folder(self) -> Path:
        return self.programs.data.parent

    def player(self, tenant: str) -> Player:
        """Somebody who goes on with the story."""
        made = Player(self, tenant)  # it wants the address, the commands and the folder of a release
        made.handed = self.handed(tenant)
        self.stack.callback(made.client.close)
        return made

    def settle(self) -> None:
        """Waits until nothing is due; what a failure put off waits longer."""
        for tenant in TENANTS:
            path = self.programs.data / "tenants" / tenant / "store.db"
            until(lambda path=path: owed_now(path) == 0, f"the work of {tenant} to be done")


def owed_now(path: Path) -> int:
    """How many entries are due or in hand, and have not failed."""
    with closing(sqlite3.connect(path, timeout=30)) as store:
        query = "SELECT count(*) FROM owed WHERE (at <= ? OR token IS NOT NULL) AND error IS NULL"
        return int(store.execute(query, (time.time_ns() // 1_000,)).fetchone()[0])


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    """First a server alone, then a worker beside it, until nothing is due."""
    folder = tmp_path_factory.mktemp("story")
    frozen = story()
    with ExitStack() as stack:
        receivers = {name: stack.enter_context(receiver()) for name in ("well", "dead")}
        receivers["dead"].answers = lambda _: (500, {})
        thawed(folder, {name: one.url for name, one in receivers.items()})
        (folder / "audit-head").write_text(frozen["audit head"])
        held = stack.enter_context(programs(folder, **SETTINGS, audit_head=str(folder / "audit-head")))
        _, address = held.serve(worker="false")
        made = Upgraded(held, address, receivers, stack, frozen)
        made.first = {tenant: made.asked(tenant) for tenant in TENANTS}
        held.start("work")
        made.settle()
        made.second = {tenant: made.asked(tenant) for tenant in TENANTS}
        made.got = list(receivers["well"].got)
        yield made


# -- before the first start -----------------------------------------------------------------------------------------


def test_the_doctor_says_what_a_store_of_before_is_and_changes_nothing(tmp_path):
    data = thawed(tmp_path)
    before = content_of(data)

    said = json.loads(lrs_on(data)("doctor", "--json"))

    told = {one["check"]: (one["status"], one["message"]) for one in said["findings"]}
    older = "the store has schema 1, of an earlier version. Take a backup with that version; then lrs serve or lrs"
    assert said["ok"]
    assert told["store"][0] == told[f"tenant {NORTH}"][0] == told["left-out"][0] == "warning"
    assert told["store"][1].startswith(older)
    assert told[f"tenant {NORTH}"][1].startswith(older)
    assert told["left-out"][1].startswith("not looked at before the stores have the schema of this version: whether a")
    assert {name: told[name][0] for name in ("master-key", "clock", "audit", "issuer")} == dict.fromkeys(
        ("master-key", "clock", "audit", "issuer"), "ok"
    )
    assert content_of(data) == before


def content_of(data: Path) -> dict[str, str]:
    """All that is in each store, by its hash. SQLite may have written a log back that the killed had left."""
    found = {}
    for path in (data / "control.db", *data.glob("tenants/*/store.db")):
        with closing(sqlite3.connect(path)) as store:
            version = store.execute("PRAGMA user_version").fetchone()[0]
            text = "\n".join(store.iterdump())
        found[str(path.relative_to(data))] = f"{version} {hashlib.sha256(text.encode()).hexdigest()}"
    return found


# -- brought forward by a server ------------------------------------------------------------------------------------


@pytest.mark.parametrize("tenant", TENANTS)
def test_before_anything_is_done_users_are_told_what_0_2_0_told_them(upgraded, tenant):
    before = {name: one for name, one in upgraded.told(tenant).items() if name != "unmatched"}  # it counts the newest

    assert unlike(before, upgraded.first[tenant]) == []


@pytest.mark.parametrize("tenant", TENANTS)
def test_once_all_is_done_statements_documents_badges_levels_and_profiles_are_what_they_were(upgraded, tenant):
    before, now = upgraded.told(tenant), upgraded.second[tenant]
    changed = {"deliveries", "unmatched"}

    assert unlike({name: still(one) for name, one in before.items() if name not in changed}, still(now)) == []


def still(told: Any) -> Any:
    """What was told, without what changes when owed work is done.

    These are the versions of profiles, and the id of an identifier that nobody has yet.
    """
    if isinstance(told, list):
        return [still(one) for one in told]
    if isinstance(told, dict):
        left = {name: still(one) for name, one in told.items() if name not in {"version", "updated"}}
        return left | ({"identifier": isinstance(told["identifier"], str)} if "identifier" in told else {})
    return told


def test_every_store_says_that_0_2_0_must_refuse_it(upgraded):
    files = [upgraded.programs.data / "control.db", *upgraded.programs.data.glob("tenants/*/store.db")]

    for path in files:
        with closing(sqlite3.connect(path)) as store:
            assert store.execute("PRAGMA user_version").fetchone()[0] > KNOWN_BY_0_2_0
    assert len(files) == 1 + len(TENANTS)


def test_the_record_of_actions_is_whole_and_agrees_with_the_file_that_0_2_0_wrote(upgraded):
    for tenant in TENANTS:
        said = json.loads(
            lrs_on(upgraded.programs.data, upgraded.programs.settings)("doctor", "--tenant", tenant, "--json")
        )
        told = {one["check"]: one["status"] for one in said["findings"]}
        assert {name: told[name] for name in ("store", "master-key", "audit", "audit-head")} == dict.fromkeys(
            ("store", "master-key", "audit", "audit-head"), "ok"
        )


def test_what_was_owed_when_0_2_0_was_killed_is_done_and_what_was_given_up_waits_for_a_command(upgraded):
    for tenant in TENANTS:
        for name in LATE:
            found = json.loads(upgraded.lrs("rules", "explain", f"{name}@example.org", "--tenant", tenant, "--json"))
            assert {(one["code"], one["awards"][0]["state"]) for one in found["answers"]} == {
                ("A1", "held"),
                ("B1", "held"),
            }
    dead = [one for one in upgraded.second["default"]["deliveries"] if one[3] == "dead"]
    assert [one[1:3] for one in dead] == [["dead-end", "consent.given"]]


def test_what_waited_at_a_receiver_comes_signed_with_the_secret_it_has(upgraded):
    secrets = [upgraded.handed(tenant).services["Career Converter"]["webhook_secret"] for tenant in TENANTS]

    heard = [one for _, one in upgraded.frozen["heard"]]
    withdrawn = {one["data"]["subject"] for one in heard if one["type"] == "consent.withdrawn"}
    assert upgraded.got
    assert all(any(is_signed(one, secret) for secret in secrets) for one in upgraded.got)
    assert {one.json["data"]["subject"] for one in upgraded.got} == {
        one["data"]["subject"] for one in heard
    } - withdrawn


def is_signed(got: Got, secret: str) -> bool:
    try:
        standardwebhooks.Webhook(secret).verify(got.body, got.headers)
    except standardwebhooks.WebhookVerificationError:
        return False
    return True


# -- and the story goes on ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_corrected_file_after_the_upgrade_is_a_correction(upgraded, tenant):
    player = upgraded.player(tenant)

    again = player.bring("training-centre", "centre", centre_file(failed="dan"))
    corrected = player.bring("training-centre", "centre", centre_file(failed="cara"))
    upgraded.settle()

    assert again == {"unchanged": 10}
    assert corrected == {"updated": 4, "unchanged": 6}
    levels = player.told("rules", "explain", "cara@example.org")["answers"]
    assert {(one["code"], one["level"], award["state"]) for one in levels for award in one["awards"]} >= {
        ("A1", "2 Practitioner", "withdrawn"),
        ("A1", "1 Awareness", "held"),
    }


def test_a_new_statement_becomes_a_badge_and_a_delivery(upgraded):
    player = upgraded.player("default")
    before = {one["id"] for one in player.told("badges", "list")}
    heard = len(upgraded.receivers["well"].got)

    player.send("vle", registered("gil"), learnt("gil", "passed", GOWNING, "2026-11-28", 95))
    upgraded.settle()
    player.agree("gil", "Career Converter")
    upgraded.settle()

    new = [one for one in player.told("badges", "list") if one["id"] not in before]
    assert [(one["name"], one["state"]) for one in new] == [("Gowning: Awareness", "issued")]
    told = [one.json for one in upgraded.receivers["well"].got[heard:]]
    assert [one["type"] for one in told] == ["consent.given", "profile.updated"]
    assert told[0]["data"]["reference"] == "our-gil"
    assert [one["competency"]["code"] for one in told[1]["data"]["competencies"]] == ["A1"]
    assert told[1]["data"]["badges"][0]["name"] == "Gowning: Awareness"


def test_what_was_given_up_is_sent_again_by_command(upgraded):
    upgraded.receivers["dead"].answers = lambda _: (204, {})

    upgraded.lrs("deliveries", "resend", "--all")

    until(lambda: "consent.given" in upgraded.receivers["dead"].events, "the delivery")
    secret = upgraded.handed("default").services["Dead End"]["webhook_secret"]
    assert all(is_signed(one, secret) for one in upgraded.receivers["dead"].got if one.json["type"] == "consent.given")


# -- killed, and by two at once -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Upgrader]]:
    """Two processes that bring forward what they are told to."""
    with upgraders(2, tmp_path_factory.mktemp("upgraders") / "log") as both:
        yield both


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, two: list[Upgrader]) -> Forward:
    """The end state of a process that nobody killed."""
    data = thawed(tmp_path_factory.mktemp("undisturbed"))
    assert two[0].run(data)[0] == 0
    return forward_in(data)


def test_a_process_that_is_killed_again_and_again_ends_where_one_ends_that_was_not(tmp_path, undisturbed, two):
    data = thawed(tmp_path)
    kills, last = 0, FIRST_TURN
    while two[0].run(data, last, AHEAD * kills)[0] != 0:
        kills += 1
        last = FIRST_TURN + 7 * kills % 31  # now before, now after a commit; always further than the one before came

    assert kills >= 8
    assert forward_in(data, AHEAD * kills).unlike(undisturbed) == []


def test_two_processes_at_once_end_where_one_ends_alone(tmp_path, undisturbed, two):
    data = thawed(tmp_path)
    for one in two:
        one.begin(data)

    ended = [one.end()[0] for one in two]
    two[0].run(data, ahead=AHEAD)  # what one had leased when the other looked

    assert ended == [0, 0]
    assert forward_in(data, AHEAD).unlike(undisturbed) == []
