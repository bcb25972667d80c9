"""The processes of ``docker/`` started by hand, from the wheel, in an environment that has nothing else.

There is no engine here that builds the image or starts the services, so their commands, settings, health check and
user's limits are taken from the files and run as they stand; only folders, ports and addresses are others.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement

from tests.docker.files import DOCKER, ROOT, compose, image_environment, last_stage, unit
from tests.programs import HOST, answers, children, until
from tests.work.test_work_processes import redis_url

__all__ = ["redis_url"]
pytestmark = pytest.mark.timeout(300)
STATEMENT = {
    "actor": {"mbox": "mailto:me@example.org"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
    "object": {"id": "http://example.org/first"},
}
WATCH = """
import os, sys
_log = os.open(os.environ["WRITES"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

def _note(event, args):
    if event == "open" and isinstance(args[0], (str, bytes)) and isinstance(args[2], int) and args[2] & 3:
        path = args[0]
    elif event == "sqlite3.connect" and os.fsdecode(args[0]).startswith("file:"):
        path, _, query = os.fsdecode(args[0]).removeprefix("file:").partition("?")
        if "mode=ro" in query.split("&"):
            return
    elif event in {"os.mkdir", "os.remove", "os.rename", "os.link", "sqlite3.connect"}:
        path = args[0]
    else:
        return
    os.write(_log, os.path.abspath(os.fsdecode(path)).encode() + b"\\n")

sys.addaudithook(_note)
"""
"""Put in the way of every start of this Python: notes what a process opens for writing, makes and takes away."""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what the image is built from."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("lrs", "adapters", "badges"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    out = tmp_path_factory.mktemp("dist")
    words = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(source)]
    subprocess.run([sys.executable, *words], check=True, timeout=120)
    return next(out.glob("engraft_lrs-*.whl"))


@pytest.fixture(scope="session")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of an environment with the lock of the image and the wheel, and nothing else."""
    folder = tmp_path_factory.mktemp("environment") / "whole"
    venv.create(folder)
    (packages,) = folder.glob("lib/python3*/site-packages")
    for found in _locked():
        _copy(found, packages)
    words = ["--python", str(folder / "bin" / "python"), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *words], check=True, timeout=240)
    return folder / "bin"


def _locked() -> Iterator[Distribution]:
    """What the image's lock asks for here, as ``make install`` installed it from the same hashes (``test_files``)."""
    for line in (DOCKER / "requirements.lock").read_text().splitlines():
        if line[:1].isalnum():
            asked = Requirement(line.rstrip(" \\"))
            if asked.marker is None or asked.marker.evaluate():
                found = distribution(asked.name)
                assert asked.specifier.contains(found.version, prereleases=True), f"{line}: {found.version} is here"
                yield found


def _copy(found: Distribution, packages: Path) -> None:
    """Copies what *found* put into the folder of packages; its programs are not needed."""
    for file in found.files or ():
        if ".." not in file.parts and (source := Path(str(found.locate_file(file)))).is_file():
            target = packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)  # with its time, by which Python knows what is compiled


class Started:
    """A process as the image would run it, below *folder*, which is all that it may write to."""

    def __init__(self, programs: Path, folder: Path, words: list[str], settings: dict[str, str]) -> None:
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)
        (folder / "watch").mkdir(exist_ok=True)
        (folder / "watch" / "sitecustomize.py").write_text(WATCH)
        self.writes = folder / "writes"
        given = image_environment() | settings
        ours = {"LRS_DATA": str(self.data), "TMPDIR": str(self.data), "PATH": f"{programs}:{os.environ['PATH']}"}
        watching = {"PYTHONPATH": str(folder / "watch"), "WRITES": str(self.writes)}
        self.log = folder / f"{words[1]}.log"
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [programs / words[0], *words[1:]],
                env=given | ours | watching,
                cwd="/",
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def line(self) -> str:
        """The next line it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self) -> int:
        """Stops it as an engine would, with what it started; the exit code."""
        left = children(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(40)
        for pid in left:
            assert not Path(f"/proc/{pid}").exists()
        self.process.stdout.close()
        return code


def free_port() -> str:
    with socket.create_server((HOST, 0)) as listener:
        return str(listener.getsockname()[1])


def checked(port: str) -> int:
    """The exit code of the image's health check, asked at *port*."""
    (health,) = last_stage("HEALTHCHECK")
    (exposed,) = last_stage("EXPOSE")
    words = json.loads(health.rest[health.rest.index("[") :].replace(exposed.rest, port))
    return subprocess.run([sys.executable, *words[1:]], check=False, capture_output=True, timeout=20).returncode


def serving_words(port: str) -> list[str]:
    (command,), (exposed,) = last_stage("CMD"), last_stage("EXPOSE")
    return [port if word == exposed.rest else word for word in command.words()]


def credentials(started: Started) -> tuple[str, str]:
    """The first key, from what the server prints at its first start."""
    said = [started.line() for _ in range(3)]
    return said[1].split()[1], said[2].split()[1]


def sent(port: str, auth: tuple[str, str]) -> str:
    """The id of a statement that was stored."""
    answer = httpx.post(
        f"http://{HOST}:{port}/xapi/statements",
        json=STATEMENT,
        auth=auth,
        headers={"X-Experience-API-Version": "1.0.3"},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()[0])


def test_the_wheel_holds_every_file_that_is_no_test(wheel, tmp_path):
    shutil.unpack_archive(wheel, tmp_path, "zip")
    listed = subprocess.run(
        ["git", "ls-files", "lrs", "adapters", "badges"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert [path for path in listed.stdout.split() if not (tmp_path / path).is_file()] == []


def test_the_images_command_serves_from_an_empty_environment_and_writes_only_below_its_data(programs, tmp_path):
    port = free_port()
    started = Started(programs, tmp_path, serving_words(port), {})
    try:
        auth = credentials(started)
        until(lambda: answers(f"http://{HOST}:{port}"), "the server")
        assert checked(port) == 0
        statement = sent(port, auth)
        upload = httpx.put(
            f"http://{HOST}:{port}/xapi/activities/profile",
            params={"activityId": "http://example.org/first", "profileId": "large"},
            content=b"x" * 2_000_000,
            headers={"X-Experience-API-Version": "1.0.3", "Content-Type": "text/plain", "If-None-Match": "*"},
            auth=auth,
            trust_env=False,
        )
    finally:
        code = started.end()

    assert statement
    assert (upload.status_code, code) == (204, 0), started.log.read_text()
    assert checked(port) != 0
    outside = {path for path in started.writes.read_text().split("\n") if path and not path.startswith(str(tmp_path))}
    assert outside - {"/dev/null"} == set()


def test_the_units_command_serves_and_ends_within_its_time(programs, tmp_path):
    port = free_port()
    (start,), (patience,) = unit()["ExecStart"], unit()["TimeoutStopSec"]
    words = ["lrs", *(port if word == "8080" else word for word in start.split()[1:])]
    started = Started(programs, tmp_path, words, {})
    try:
        auth = credentials(started)
        until(lambda: answers(f"http://{HOST}:{port}"), "the server")
        assert checked(port) == 0
        assert sent(port, auth)
    finally:
        begun = time.monotonic()
        assert started.end() == 0
        assert time.monotonic() - begun < int(patience)


def test_the_services_of_compose_work_together(programs, tmp_path, mongo_server, redis_url):
    key = tmp_path / "master.key"
    key.write_text("ab" * 32)
    port, name = free_port(), f"lrs_test_{os.getpid()}"
    settings = dict(compose()["services"]["app"]["environment"])
    store, broker = settings["LRS_STORE_URL"].split("?")[0], settings["LRS_CELERY_BROKER"]
    settings |= {
        "LRS_STORE_URL": store.replace("mongodb://mongo:27017/engraft", f"{mongo_server.rstrip('/')}/{name}"),
        "LRS_METRICS_OPEN": "true",
        "LRS_CELERY_BROKER": broker.replace("redis://redis:6379/0", redis_url),
        "LRS_MASTER_KEY_FILE": str(key),
    }
    app = Started(programs, tmp_path, serving_words(port), settings)
    worker = None
    try:
        auth = credentials(app)
        until(lambda: answers(f"http://{HOST}:{port}"), "the server")
        assert checked(port) == 0
        sent(port, auth)
        assert waiting(port) == 1
        worker = Started(programs, tmp_path, compose()["services"]["worker"]["command"], settings)
        until(lambda: waiting(port) == 0, "the worker to do what is owed")
    finally:
        codes = [one.end() for one in (worker, app) if one]

    assert codes == [0, 0], app.log.read_text()


def waiting(port: str) -> float:
    """How many statements wait to be matched, as the metrics tell it."""
    told = httpx.get(f"http://{HOST}:{port}/metrics", trust_env=False)
    assert told.status_code == 200, told.text
    rows = [line for line in told.text.splitlines() if line.startswith("lrs_owed_waiting") and 'step="match"' in line]
    return float(rows[0].split()[-1]) if rows else 0.0
