"""A disk without room: writes are refused with 507, reads go on, and room is enough to recover (P1, P7).

The disk is a small file system in memory that only the server sees, mounted in a user namespace of its own; where the
kernel does not let us have one, the test is skipped.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.programs import answers, children, until
from tests.reliability.writers import HEADERS, statement

MIB = 1_048_576
_MOUNT = 'mount -t tmpfs -o size=12m none "$0" && exec "$@"'


@pytest.fixture
def server(tmp_path):
    probe = ["unshare", "-rm", "sh", "-c", _MOUNT, str(tmp_path), "true"]
    try:
        subprocess.run(probe, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this kernel lets us mount nothing: {error}")
    command = [sys.executable, "-m", "lrs", "serve", "--port", "0", "--data", str(tmp_path / "data")]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LRS_")}
    with (
        (tmp_path.with_name("disk-full.log")).open("w") as log,
        subprocess.Popen([*probe[:-1], *command], env=kept, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            said = "".join(process.stdout.readline() for _ in range(3))
            address, key, secret = re.search(r"(http://[^/]+)/xapi\s+key:\s+(\S+)\s+secret:\s+(\S+)", said).groups()
            until(lambda: answers(address), "the server")
            with httpx.Client(base_url=address, auth=(key, secret), headers=HEADERS, trust_env=False) as client:
                # The server's view of the file system: nobody else sees what it has mounted.
                yield client, Path(f"/proc/{process.pid}/root{tmp_path}"), process
        finally:
            for pid in (*children(process.pid), process.pid):
                os.kill(pid, 9)


def test_a_full_disk_refuses_writes_serves_reads_and_recovers_when_there_is_room(server):
    client, disk, process = server
    before = statement()
    assert client.post("/xapi/statements", json=before).status_code == 200

    fill(disk / "filler")
    answers = []
    while len(answers) < 200 and not (answers and answers[-1].status_code == 507):
        answers.append(client.post("/xapi/statements", json=large()))
    refused = statement()
    assert [answer.status_code for answer in answers[:-1]] == [200] * (len(answers) - 1)
    assert answers[-1].status_code == 507
    assert answers[-1].json()["error"] == "store_full"
    assert answers[-1].json()["message"] == "the disk is full: nothing of this request was stored"
    assert answers[-1].headers["retry-after"] == "30"
    for _ in range(3):
        assert client.post("/xapi/statements", json=large()).status_code == 507
    assert client.get("/health").json()["status"] == "full"
    assert client.get("/xapi/statements", params={"statementId": before["id"]}).json()["actor"] == before["actor"]

    (disk / "filler").unlink()
    assert client.get("/health").json() == {"status": "ok"}
    assert client.post("/xapi/statements", json=refused).status_code == 200
    assert client.get("/xapi/statements", params={"statementId": refused["id"]}).status_code == 200
    assert process.poll() is None


def large() -> dict:
    return statement(context={"extensions": {"https://example.org/notes": "n" * 100_000}})


def fill(path: Path) -> None:
    """Takes all the room there is."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            return
