"""A damaged, full, busy, suspended or deleted tenant beside a healthy one: what the healthy one's users feel.

Two servers, each with a worker: in one the healthy tenant is alone, in the other an odd one is beside it, whose users
go on asking. They take turns, so that whatever else uses the machine falls on both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from click.testing import CliRunner

from lrs.access.keys import NewKey, create_key
from lrs.cli import main
from lrs.kernel.settings import Settings
from lrs.tenancy import states
from lrs.tenancy.control import Control, open_control
from lrs.tenancy.record import TenantRecord
from lrs.tenancy.tenants import open_tenant
from tests.programs import Programs, answers, children, programs, until
from tests.reliability.test_disk_full import fill
from tests.reliability.writers import statement
from tests.soak.offered import Offered, offer
from tests.tenancy.test_damaged import break_head, break_inside

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1_800)]
TURNS, SECONDS = int(os.environ.get("T", "8")), 4
RATE = 40
"""Requests a second, of each kind: the healthy tenant's statements and queries, and what the odd one's users send."""
STORED_BEFORE = 200
PAGE = "GET /t/{}/xapi/statements?limit=20 HTTP/1.1\r\n"
_MOUNT = 'mount -t tmpfs -o size=6m none "$0" && cp -a "$0.aside/." "$0" && exec "$@"'
"""A file system in memory for one tenant's folder, which only the server sees."""


def request(line: str, key: NewKey, body: bytes = b"") -> bytes:
    auth = b64encode(f"{key.key}:{key.secret}".encode()).decode()
    head = (
        f"{line}Host: soak\r\nX-Experience-API-Version: 1.0.3\r\nAuthorization: Basic {auth}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def post(tenant: str, key: NewKey, count: int = 1) -> bytes:
    batch = [{name: part for name, part in statement().items() if name != "id"} for _ in range(count)]
    return request(f"POST /t/{tenant}/xapi/statements HTTP/1.1\r\n", key, json.dumps(batch).encode())


def made(data: Path, *names: str) -> dict[str, NewKey]:
    """A key of each of *names*, new tenants with some statements."""
    settings, keys = Settings(data=data), {}
    with closing(open_control(settings)) as control:
        for name in names:
            states.create(settings, control, name, "")
    for name in names:
        tenant = open_tenant(settings, name)
        keys[name] = create_key(tenant, "k", ["all"])
        tenant.store.close()
    return keys


# -- what is odd ----------------------------------------------------------------------------------------------------


def damaged(settings: Settings, _: Control) -> None:
    break_head(settings.data, "odd")


def damaged_inside(settings: Settings, _: Control) -> None:
    break_inside(settings.data, "odd")


def over_its_quota(_: Settings, control: Control) -> None:
    control.change("odd", lambda record, _: TenantRecord(created=record.created, storage_limit=1, stored=1))


def suspended(settings: Settings, control: Control) -> None:
    states.suspend(settings, control, "odd")


def deleted(settings: Settings, control: Control) -> None:
    states.delete(settings, control, "odd")


def without_room(settings: Settings, _: Control) -> None:
    folder = settings.data / "tenants" / "odd"
    folder.rename(folder.with_name("odd.aside"))
    folder.mkdir()


def busy(_settings: Settings, _control: Control) -> None:
    """It is sound; its users send batches of 100 as often as others send one."""


ODD: dict[Callable[[Settings, Control], None], set[int]] = {
    damaged: {503},
    damaged_inside: {503},
    over_its_quota: {507},
    without_room: {503, 507},
    suspended: {403},
    deleted: {403},
    busy: {200, 503},
}
"""Each, and what its users are answered."""


@contextmanager
def server(held: Programs, odd: Callable[..., None] | None) -> Iterator[str]:
    if odd is not without_room:
        yield held.serve()[1]
        return
    with roomless(held.data) as address:
        yield address


@contextmanager
def roomless(data: Path) -> Iterator[str]:
    """A server that sees the odd tenant's folder on a file system of its own, which is full."""
    folder = data / "tenants" / "odd"
    probe = ["unshare", "-rm", "sh", "-c", _MOUNT, str(folder)]
    if subprocess.run([*probe, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this kernel lets us mount nothing")
    command = [*probe, sys.executable, "-m", "lrs", "serve", "--port", "0", "--data", str(data)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LRS_")}
    with (
        (data.parent / "roomless.log").open("w") as log,
        subprocess.Popen(command, env=kept, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout
            address = process.stdout.readline().split()[2].removesuffix("/xapi")
            until(lambda: answers(address), "the server")
            fill(Path(f"/proc/{process.pid}/root{folder}") / "filler")
            yield address
        finally:
            for pid in (*children(process.pid), process.pid):
                os.kill(pid, 9)


# -- what is measured -----------------------------------------------------------------------------------------------


@dataclass
class Felt:
    """By the healthy tenant's users (*post*, *get*) and the odd one's, in one of the servers."""

    post: list[Offered] = field(default_factory=list)
    get: list[Offered] = field(default_factory=list)
    odd: list[Offered] = field(default_factory=list)

    def p95(self, which: str) -> float:
        times = sorted(time for told in getattr(self, which) for time in told.times)
        return times[int(len(times) * 0.95)]


def turn(address: str, felt: Felt, requests: dict[str, bytes]) -> None:
    """All of *requests* at once for some seconds, each at its own rate, whatever is answered."""
    port = urlsplit(address).port
    told: dict[str, Offered] = {}

    def run(name: str) -> None:
        told[name] = offer(port, requests[name], RATE, SECONDS)

    threads = [threading.Thread(target=run, args=(name,)) for name in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, one in told.items():
        getattr(felt, name).append(one)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.__name__)
def test_the_p95_of_a_tenant_at_most_doubles_beside_one_that_is(tmp_path, row, odd):
    keys = {}
    for name, tenants in (("alone", ["well"]), ("beside", ["well", "odd"])):
        (tmp_path / name / "data").mkdir(parents=True)
        keys[name] = made(tmp_path / name / "data", *tenants)
    settings = Settings(data=tmp_path / "beside" / "data")
    with closing(open_control(settings)) as control:
        odd(settings, control)
    felt = {"alone": Felt(), "beside": Felt()}
    with (
        programs(tmp_path / "alone") as first,
        programs(tmp_path / "beside") as second,
        server(first, None) as alone,
        server(second, odd) as beside,
    ):
        at = {"alone": alone, "beside": beside}
        requests = {}
        for name, address in at.items():
            requests[name] = {"post": post("well", keys[name]["well"])}
            turn(address, Felt(), requests[name])
            requests[name]["get"] = request(PAGE.format("well"), keys[name]["well"])
        requests["beside"]["odd"] = post("odd", keys["beside"]["odd"], 100 if odd is busy else 1)
        for number in range(TURNS):
            for name in ("alone", "beside") if number % 2 else ("beside", "alone"):
                turn(at[name], felt[name], requests[name])

    statuses = {status for told in felt["beside"].odd for status in told.statuses}
    well = {status for one in felt.values() for told in (*one.post, *one.get) for status in told.statuses}
    assert (statuses <= ODD[odd], well) == (True, {200}), statuses
    for which in ("post", "get"):
        before, now = (felt[name].p95(which) for name in ("alone", "beside"))
        row(f"beside one that is {odd.__name__}: p95 of {which}, alone", before * 1e3, "ms")
        row(f"beside one that is {odd.__name__}: p95 of {which}, beside it", now * 1e3, "ms")
        row(f"beside one that is {odd.__name__}: p95 of {which} over that alone", now / before, "times", at_most=2)


def test_a_deletion_is_undone_while_others_are_served(tmp_path, row):
    with programs(tmp_path) as held:
        keys = made(held.data, "well", "odd")
        _, address = held.serve()
        sent = [statement() for _ in range(STORED_BEFORE)]
        with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
            at = {"headers": {"X-Experience-API-Version": "1.0.3"}, "auth": (keys["odd"].key, keys["odd"].secret)}
            assert client.post("/t/odd/xapi/statements", json=sent, **at).status_code == 200
            by_command(held.data, "delete", "odd")
            until(lambda: client.get("/t/odd/xapi/statements", **at).status_code == 403, "the deletion to be heard of")
            by_command(held.data, "resume", "odd")
            until(lambda: client.get("/t/odd/xapi/statements", **at).status_code == 200, "it to be served again")
            found = [
                client.get("/t/odd/xapi/statements", params={"statementId": one["id"]}, **at).status_code == 200
                for one in sent
            ]

    row("a deletion undone: statements that are there again", sum(found), "statements", at_least=STORED_BEFORE)


def by_command(data: Path, *words: str) -> None:
    done = CliRunner().invoke(main, ["tenants", *words, "--data", str(data)])
    assert done.exit_code == 0, done.output
