"""The demonstration as a process: what it leaves is what it tells, and holds for somebody who has only the files."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner, Result

from badges.content.awards import credential_uuid
from badges.credentials.lists import publish
from badges.issuing.issue import issue
from lrs.cli import main
from lrs.kernel.settings import Settings
from lrs.ops.demo import entrances, sample, story
from lrs.ops.demo.processes import MatchingService
from lrs.ops.demo.story import Stage
from lrs.storage import Owed, Tx, each
from lrs.tenancy.pages import SERVED
from lrs.tenancy.tenants import open_tenant
from tests.programs import Programs, answers, children, programs, runs, until


def test_the_sample_is_as_it_was_written_on_the_day_it_was_written_for(tmp_path):
    sample.write(tmp_path, date(2026, 11, 20))

    source = Path(sample.__file__).parent
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        name: (source / name).read_bytes() for name in sample.FILES
    }


def test_a_year_later_its_dates_are_a_year_later_and_nothing_else_is_different(tmp_path):
    sample.write(tmp_path, date(2027, 12, 24))

    centre, portfolio = ((tmp_path / f"{name}.csv").read_text("utf-8") for name in ("training-centre", "portfolio"))
    # 57 weeks: from Tuesday, 10 November 2026, to Tuesday, 14 December 2027.
    assert "practical,2027-12-14 09:00,2027-12-14 17:00,r.adeyemi@" in centre
    assert "Batch record: T cell expansion;07/12/2027;Signed off;" in portfolio
    assert ";ST1406;1.0;05/10/2026;03/10/2028;Live;" in portfolio
    assert "2026" not in centre
    assert "11/2026" not in portfolio
    assert (tmp_path / "rules.csv").read_bytes() == (Path(sample.__file__).parent / "rules.csv").read_bytes()


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2027, 11, 26), date(2028, 2, 29), date(2032, 3, 1)])
def test_on_any_day_the_practical_was_in_the_last_weeks_and_on_working_days(day):
    taught = date.fromisoformat(sample.moved("2026-11-11", day))
    later = [date.fromisoformat(sample.moved("2026-11-11", day + timedelta(days=count))) for count in range(8)]

    assert 9 <= (day - taught).days <= 15
    assert taught.weekday() == date(2026, 11, 11).weekday()
    assert later[7] == taught + timedelta(weeks=1)
    assert set(later) == {taught, taught + timedelta(weeks=1)}


@dataclass(frozen=True)
class Played:
    """A demonstration that came to its end: its store, what it left, and its summary."""

    data: Path
    out: Path
    summary: dict[str, Any]

    def left(self, name: str) -> Any:
        return json.loads((self.out / f"{name}.json").read_text("utf-8"))


def play(data: Path, out: Path) -> Played:
    done = lrs("demo", "--data", data, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    return Played(data, out, json.loads(done.stdout))


def command(*words: object) -> Result:
    """A command in this process: a process of its own costs half a second."""
    return CliRunner().invoke(main, [*map(str, words)])


def lrs(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lrs", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("played")
    return play(folder / "data", folder / "out")


@pytest.fixture
def kept(played, tmp_path) -> Played:
    """The same, with a store that the test may change."""
    return replace(played, data=Path(shutil.copytree(played.data, tmp_path / "data")))


def test_the_demonstration_leaves_what_it_tells(played):
    badge, verdict, profile, gap = (played.left(name) for name in ("badge", "verify", "profile", "gap"))

    assert played.summary == {
        "out": str(played.out),
        "badge": badge["id"],
        "verified": True,
        "competencies": 4,
        "match": 88.9,
    }
    assert {check["name"]: check["ok"] for check in verdict["checks"]} == {
        "form": True,
        "badge": True,
        "signature": True,
        "dates": True,
        "status": True,
    }
    assert badge["name"] == "Gowning: Practitioner"
    assert sorted(
        (one["competency"]["code"], one["level"]["ordinal"], one["level"]["label"]) for one in profile["competencies"]
    ) == [
        ("A1", 2, "Practitioner"),
        ("A2", 2, "Practitioner"),
        ("B1", 2, "Practitioner"),
        ("C1", 2, "Practitioner"),
    ]
    # Gowning holds for a year after the practical, whenever this is played.
    until = next(one["validUntil"] for one in profile["competencies"] if one["competency"]["code"] == "A1")
    assert 340 < (date.fromisoformat(until) - datetime.now(UTC).date()).days < 360
    assert gap["subject"] == profile["subject"]
    # A1 and A2 weigh 3, C1 2, C2 1; all but C2 are met: 8 of 9 are 88.89 %.
    assert (gap["match"], gap["full"]) == (88.9, False)
    assert gap["essentials"] == {"required": 3, "met": 3, "match": 100.0}
    assert [(one["competency"], one["weight"], one["required"], one["result"]) for one in gap["requirements"]] == [
        ("A1", 3.0, 2, "met"),
        ("A2", 3.0, 2, "met"),
        ("C1", 2.0, 1, "met"),
        ("C2", 1.0, 1, "missing"),
    ]


def check(badge: Path, status_list: Path, store: Path) -> tuple[int, dict[str, str]]:
    """The exit code, and what a stranger with an empty store and no network finds wrong."""
    words = ("badges", "verify", badge, "--status-list", status_list, "--offline", "--json", "--data", store)
    done = command(*words)
    return done.exit_code, {one["name"]: one["why"] for one in json.loads(done.stdout)["checks"] if not one["ok"]}


def test_somebody_who_has_only_the_files_can_check_the_badge(played, tmp_path):
    listed = played.out / "status-list.json"
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(played.left("badge") | {"name": "Gowning: Expert"}), "utf-8")

    assert check(played.out / "badge.json", listed, tmp_path / "else") == (0, {})
    begins = {"jwt": b"ey", "png": b"\x89PNG", "svg": b"<?xml", "sd-jwt": b"ey", "pdf": b"%PDF"}
    assert {end: (played.out / f"badge.{end}").read_bytes()[: len(start)] for end, start in begins.items()} == begins
    assert check(changed, listed, tmp_path / "else") == (
        1,
        {
            "signature": "the signature does not fit what the badge says",
            "status": "not asked for, because the signature does not hold",
        },
    )


def test_the_list_of_a_later_day_says_that_the_badge_was_revoked(kept, tmp_path):
    badge = kept.left("badge")["id"]
    withdraw(kept.data, badge.removeprefix("urn:uuid:"))
    later = tmp_path / "later.json"
    later.write_text(command("badges", "status-list", badge, "--data", kept.data).stdout)

    assert check(kept.out / "badge.json", later, tmp_path / "else") == (1, {"status": "revoked"})


def withdraw(data: Path, badge: str) -> None:
    """Takes the award of the badge back, and lets the step "issue" do what follows."""
    tenant = open_tenant(Settings(data=data))
    award = next(record for record in each(tenant.store, "award") if credential_uuid(record.id) == badge)
    body = json.dumps(json.loads(award.body) | {"state": "withdrawn"}).encode()

    def decide(tx: Tx) -> None:
        tx.replace(msgspec.structs.replace(award, body=body, seq=0))
        tx.owe("award", award.id, Owed("issue"))

    tenant.store.write(decide).result()
    issue(tenant, tenant.store.claim(["issue"], limit=1, lease=60_000_000))
    publish(tenant, tenant.store.claim(["publish"], limit=1, lease=60_000_000))
    tenant.store.close()


def test_the_store_that_it_leaves_can_be_served(kept):
    key = json.loads(
        command("keys", "create", "--name", "reader", "--scope", "all/read", "--json", "--data", kept.data).stdout
    )

    with programs(kept.data.parent) as running:
        _, address = running.serve()
        answer = httpx.get(
            f"{address}/xapi/statements",
            params={"agent": json.dumps({"mbox": "mailto:amara@learner.engraft-demo.example"})},
            auth=(key["key"], key["secret"]),
            headers={"X-Experience-API-Version": "1.0.3"},
            trust_env=False,
        )

    assert answer.status_code == 200
    assert len(answer.json()["statements"]) > 0
    assert (kept.data / SERVED).read_text().strip() == address.rpartition(":")[2]


@pytest.mark.parametrize("taken", [[], ["Demo Career Converter"], ["Demo Career Converter 2", "Demo Career Converter"]])
def test_the_service_of_a_story_has_a_name_that_none_of_an_earlier_one_has(tmp_path, taken):
    listed = json.dumps([{"name": name} for name in taken])
    stage = Stage("", tmp_path, tmp_path, tmp_path, lambda *_: listed, print, MatchingService(None, ""))

    assert story._service_name(stage) not in taken  # noqa: SLF001 (all that is another the second time)


def test_a_learner_is_asked_in_the_name_of_the_newest_service_of_a_story_whatever_others_there_are():
    names = ("Demo Career Converter", "Demo Career Converter 2", "Sample Cell Works (made up)", "Job Finder")
    listed = json.dumps([{"id": name.casefold(), "name": name} for name in names])

    assert entrances.service_of_story(lambda *_: listed) == "demo career converter 2"


@pytest.mark.parametrize(
    ("member", "entrance"),
    [
        ({}, "http://here/begin/abc   (once)"),
        ({"state": "invited", "secondFactor": False}, "http://here/begin/abc   (once)"),
        ({"state": "active", "secondFactor": True}, "http://here/sign-in   (trainer@engraft-demo.example)"),
        ({"state": "disabled", "secondFactor": False}, "http://here/sign-in   (trainer@engraft-demo.example)"),
        ({"state": "withdrawn", "secondFactor": False}, "http://here/sign-in   (trainer@engraft-demo.example)"),
    ],
)
def test_a_link_to_sign_in_once_is_made_for_none_who_has_a_second_factor_or_was_disabled(member, entrance):
    ran = []
    email = "trainer@engraft-demo.example"

    def lrs(*command: str) -> str:
        ran.append(command[1])
        if command[1] == "list":
            return json.dumps([{"email": email, **member}] if member else [])
        return json.dumps({"link": "http://there/begin/abc"})

    made = entrances._once(lrs, "http://here", email, "staff", "list")  # noqa: SLF001 (each state would be a server)

    assert " ".join(made.split()) == " ".join(entrance.split())
    assert ("invite" in ran, "sign-in" in ran) == (not member, entrance.endswith("(once)"))


@pytest.mark.soak
def test_on_a_store_where_it_was_told_it_can_be_told_again(kept, tmp_path):
    again = play(kept.data, tmp_path / "again")

    assert again.summary == kept.summary | {"out": str(again.out)}
    assert again.left("gap")["subject"] != kept.left("gap")["subject"]
    services = json.loads(lrs("services", "list", "--json", "--data", kept.data).stdout)
    assert [one["name"] for one in services] == ["Demo Career Converter", "Demo Career Converter 2"]
    assert again.left("badge") == kept.left("badge")


@pytest.fixture
def running(tmp_path) -> Iterator[Programs]:
    with programs(tmp_path) as held:
        yield held


def test_what_make_run_starts_ends_whole_in_the_middle_of_its_story(running):
    server, _ = serve_demo(running, "1. ")
    all_of_it = descendants(server.pid)

    server.terminate()

    assert server.wait(60) == 0
    assert len(all_of_it) >= 2  # the worker and the story
    assert not any(map(runs, all_of_it))
    assert "the sample programme broke off: " in running.log()


@pytest.mark.soak
@pytest.mark.timeout(300)  # the story is told almost three times
def test_what_make_run_starts_tells_its_story_once_however_often_it_was_broken_off(running):
    # Ended with its server at the third step, in which it waits for the worker.
    server, told = serve_demo(running, "3. ")
    all_of_it = descendants(server.pid)
    server.terminate()
    assert server.wait(60) == 0
    assert [line[:2] for line in told if line[:1].isdigit()] == ["1.", "2.", "3."]
    assert len(all_of_it) == 3  # the worker, the story and the matching service
    assert not any(map(runs, all_of_it))
    assert "the sample programme broke off: " in running.log()
    assert "The same command tells it again from the beginning" in running.log()

    # Killed at the sixth, when a learner has agreed; the server goes on.
    server, told = serve_demo(running, "6. ")
    address = told[0].split()[2].removesuffix("/xapi")
    story = next(pid for pid in children(server.pid) if "demo" in words_of(pid))
    (service,) = children(story)
    os.kill(story, signal.SIGKILL)
    until(lambda: not runs(service), "the matching service to end with the story")
    assert answers(address)
    server.terminate()
    assert server.wait(60) == 0

    # Told to its end, and not again.
    server, told = serve_demo(running, "Look at ")
    assert [line[:2] for line in told if line[:1].isdigit()] == [f"{number}." for number in range(1, 8)]
    assert "match 88.9 %" in told[-3]
    assert answers(told[0].split()[2].removesuffix("/xapi"))
    server.terminate()
    server.wait(60)
    server, told = serve_demo(running, "  what she is asked")
    assert f"The sample programme is in already; its results are in {running.data}/demo.\n" in told
    for who in ("a trainer", "a training provider", "a planner", "an employer", "a learner, Amara"):
        assert any(line.startswith(f"  {who}:") and "/invitation/" in line for line in told)
    until(lambda: len(children(server.pid)) <= 1, "all but the worker to end")


def serve_demo(running: Programs, until_line: str) -> tuple[subprocess.Popen[str], list[str]]:
    """A server with the demonstration, and what was said up to the line that begins so."""
    server = running.start("serve", "--demo", "--port", "0")
    assert server.stdout is not None
    said: list[str] = []
    for line in server.stdout:
        said.append(line)
        if line.startswith(until_line):
            return server, said
    raise AssertionError((said, running.log()))


def descendants(pid: int) -> list[int]:
    return [found for child in children(pid) for found in (child, *descendants(child))]


def words_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
