"""The code on the page for developers does what it says there: each piece is started as the page tells."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import lrs.pages.docs
from lrs.kernel.times import HOUR
from lrs.matching import registry, services
from tests.matching.world import (
    agree,
    held,
    patient,
    put_person,
    put_profile,
    put_service,
    run_deliver,
    run_sync,
    take_back,
)
from tests.programs import until
from tests.served import serving

SAMPLES = Path(lrs.pages.docs.__file__).parent / "samples"
PROGRAMS = {".py": sys.executable, ".mjs": shutil.which("node")}
EACH = pytest.mark.parametrize("ending", [".py", ".mjs"])


def program(name):
    ending = Path(name).suffix
    if PROGRAMS[ending] is None:
        pytest.skip("there is no node on this machine: the JavaScript of the page was not run")
    return [PROGRAMS[ending], str(SAMPLES / name)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("samples"), outbound_allow=("127.0.0.0/8",)) as served:
        yield served


@EACH
def test_the_receiver_takes_an_event_of_ours_in_an_overlap_too_and_no_other(server, ending, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    made = put_service(server.tenant, address, name=f"Receiver {ending[1:]}")
    env = os.environ | {"WEBHOOK_SECRET": made.webhook_secret, "PORT": str(port)}
    log = tmp_path / "log"
    with patient(), log.open("w") as out, subprocess.Popen(program(f"receive{ending}"), env=env, stdout=out) as running:
        try:
            until(lambda: "waiting for events" in log.read_text(), "the receiver")
            registry.send_test(server.tenant, made.service.id, by="test")
            run_deliver(server.tenant)
            person = put_person(server.tenant, f"mailto:heard{ending}@example.org")
            put_profile(server.tenant, person, held("gown"))
            agree(server.tenant, person, made.service.id, scopes=("profiles:read", "gap:read"))
            for ended in ({"scope": "gap:read"}, {}):
                run_sync(server.tenant)
                run_deliver(server.tenant)
                take_back(server.tenant, person, **ended)
            run_sync(server.tenant)
            run_deliver(server.tenant)
            until(lambda: log.read_text().count("forget ") == 2, "what is to be forgotten")
            registry.rotate(server.tenant, made.service.id, by="test", overlap=HOUR)
            registry.send_test(server.tenant, made.service.id, by="test")
            run_deliver(server.tenant)
            until(lambda: log.read_text().count("service.test") == 2, "two events")
            forged = {"webhook-id": "1", "webhook-timestamp": "1700000000", "webhook-signature": "v1,AAAA"}
            refused = [httpx.post(address, content=b"{}", headers=one) for one in (forged, {})]
        finally:
            running.terminate()

    assert f'"service":"{made.service.id}"' in log.read_text().replace(" ", "")
    assert [one.status_code for one in refused] == [401, 401]
    assert f"waiting for events at {address}" in log.read_text()
    subject = services.pairwise(server.tenant, made.service.id, person)
    forgotten = [line for line in log.read_text().splitlines() if line.startswith("forget ")]
    assert forgotten == [f"forget gap:read of {subject}", f"forget all of {subject}"]


@EACH
def test_whoever_pulls_before_anybody_agreed_is_told_so(server, ending):
    made = put_service(server.tenant, name=f"Early {ending[1:]}")

    done = pull(server, made, ending)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "nobody has agreed yet, or there is no record yet of those who did\n"


def pull(server, made, ending):
    env = os.environ | {
        "ADDRESS": server.address,
        "CLIENT_ID": made.service.id,
        "CLIENT_SECRET": made.client_secret,
    }
    return subprocess.run(program(f"pull{ending}"), env=env, capture_output=True, text=True, timeout=60, check=False)


@EACH
def test_the_other_piece_pulls_what_learners_agreed_to(server, ending):
    tenant, name = server.tenant, f"Puller {ending[1:]}"
    made = put_service(tenant, name=name)
    stays, leaves = (put_person(tenant, f"mailto:{who}{ending}@example.org") for who in ("ana", "bo"))
    for person in (stays, leaves):
        put_profile(tenant, person, held("gown"))
        agree(tenant, person, made.service.id)
    run_sync(tenant)
    take_back(tenant, leaves)
    run_sync(tenant)

    done = pull(server, made, ending)

    lines = sorted(line.partition(" ")[2] for line in done.stdout.splitlines())
    assert (done.returncode, done.stderr) == (0, "")
    assert len(lines) == 2
    assert lines[1] == "is to be forgotten"
    assert " 2 " in lines[0]
