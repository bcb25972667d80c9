"""What stands in ``docker/`` is there: sources, commands, ports, volumes, settings and health checks."""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from lrs.cli import COMMANDS
from lrs.kernel.settings import Settings
from tests.docker.files import (
    DOCKER,
    ROOT,
    compose,
    dockerfile,
    env_file,
    image_environment,
    last_stage,
    sent_to_the_build,
    unit,
)

SERVICES = compose()["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
KNOWN = {f"LRS_{name.upper()}" for name in Settings.model_fields}


def pins(path):
    """Package of each line of a lock, its version and where that is wanted, and the hashes that it may have."""
    return dict(re.findall(r"^([a-z0-9._-]+)==(.+(?:\n    --hash=.+)*)", path.read_text(), re.MULTILINE))


def test_every_source_that_is_copied_is_in_the_repository_and_reaches_the_build():
    copied = [one.words()[:-1] for one in dockerfile() if one.name == "COPY" and "--from" not in one.rest]

    assert copied
    for source in (source for sources in copied for source in sources):
        assert (ROOT / source).exists(), source
        assert sent_to_the_build(source), source


def test_a_build_gets_nothing_but_what_is_copied():
    assert not [path.name for path in ROOT.iterdir() if path.name[0] == "." and sent_to_the_build(path.name)]
    for kept_back in ("tests", "data", "docker/engraft.env", "docker/master.key", "lrs/__pycache__"):
        assert not sent_to_the_build(kept_back), kept_back


def test_what_a_later_stage_takes_was_made_by_an_earlier_one():
    (taken,) = [one for one in last_stage("COPY") if "--from" in one.rest]
    made = " ".join(one.rest for one in dockerfile() if one.stage == 0)

    assert "--from=build" in taken.rest
    assert taken.words()[0] in made


def test_the_image_runs_our_command_as_nobody_special():
    (command,) = last_stage("CMD")
    (user,) = last_stage("USER")

    assert command.words()[:2] == ["lrs", "serve"]
    assert user.rest not in {"root", "0"}
    assert f" {user.rest}" in next(one.rest for one in last_stage("RUN") if "useradd" in one.rest)


def test_port_and_data_folder_are_the_same_wherever_they_are_named():
    (command,), (port,), (volume,), (health,) = (
        last_stage(name) for name in ("CMD", "EXPOSE", "VOLUME", "HEALTHCHECK")
    )
    words = command.words()
    environment = image_environment()

    assert words[words.index("--port") + 1] == port.rest
    assert f"http://127.0.0.1:{port.rest}/health" in health.rest
    assert volume.words() == [environment["LRS_DATA"]]
    assert environment["TMPDIR"].startswith(environment["LRS_DATA"])
    assert environment["LRS_DATA"] in next(one.rest for one in last_stage("RUN") if "install -d" in one.rest)
    assert SERVICES["proxy"]["environment"]["UPSTREAM"] == f"app:{port.rest}"
    assert SERVICES["app"]["expose"] == [port.rest]


def test_the_lock_of_the_image_is_the_lock_of_the_project_without_its_tools():
    image, project = pins(DOCKER / "requirements.lock"), pins(ROOT / "requirements.lock")

    assert image.items() <= project.items()
    assert {"fastapi", "pymongo", "celery", "tincan"} <= image.keys()
    assert not {"pytest", "ruff", "mypy", "secantusdb"} & image.keys()


def test_the_images_name_is_that_of_the_version():
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[1]
    told = re.findall(r"engraft-lrs:([\d.]+)", (DOCKER / "Dockerfile").read_text())

    assert {service["image"] for service in OURS.values()} == {f"engraft-lrs:{version}"}
    assert told == [version]


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_of_ours_is_built_from_the_repository_and_runs_a_command_of_ours(name):
    service = OURS[name]
    (command,) = last_stage("CMD")
    words = service.get("command", command.words())

    assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).resolve().is_file()
    assert words[0] == "lrs"
    assert words[1] in COMMANDS
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_writes_into_a_volume(name):
    mounted = dict(volume.split(":")[:2] for volume in OURS[name]["volumes"])

    assert image_environment()["LRS_DATA"] in mounted.values()
    assert mounted.keys() <= compose()["volumes"].keys()


def test_every_setting_that_is_given_is_one_of_ours():
    given = [*image_environment(), *env_file(), *(name for one in OURS.values() for name in one["environment"])]
    given += [pair.split("=")[0] for line in unit()["Environment"] for pair in shlex.split(line)]

    assert {name for name in given if name.startswith("LRS_")} <= KNOWN


def test_secrets_bind_mounts_and_dependencies_are_there():
    whole = compose()
    for name, service in SERVICES.items():
        assert set(service.get("secrets", ())) <= whole["secrets"].keys(), name
        for other, wanted in service.get("depends_on", {}).items():
            has_check = "healthcheck" in SERVICES[other] or other in OURS
            assert has_check, f"{name} waits for {other}"
            assert not SERVICES[other].get("healthcheck", {}).get("disable"), f"{name} waits for {other}"
            assert wanted["condition"] == "service_healthy"
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            there = (DOCKER / source).is_file() if source.startswith("./") else source in whole["volumes"]
            assert there, volume


def test_commands_are_told_the_units_user_folder_and_settings():
    settings, told = unit(), (ROOT / "docs" / "operating.md").read_text()
    (alias,) = re.findall(r"^alias engraft='(.*?)'$", told, re.MULTILINE | re.DOTALL)
    words = shlex.split(alias)

    given = {f"{name}={value}" for name, value in env_of(words).items()}
    assert given == {word for word in settings["Environment"][0].split() if not word.startswith("LRS_LOG_FORMAT=")}
    assert {f"User={settings['User'][0]}", f"EnvironmentFile={settings['EnvironmentFile'][0][1:]}"} <= set(words)
    assert words[-1] == settings["ExecStart"][0].split()[0]


def env_of(words):
    """What the words of ``systemd-run`` set."""
    return dict(after.split("=", 1) for word, after in itertools.pairwise(words) if word == "-E")


def test_a_service_that_may_not_change_owners_does_not_begin_as_root():
    for name, service in SERVICES.items():
        begins_as_root = "user" not in service and name not in OURS and service["image"] != "caddy:2"
        assert not begins_as_root or "CHOWN" in service["cap_add"], name


def test_the_wheel_is_the_only_one_that_operators_are_told_to_install():
    made = re.search(r"^wheel:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert made is not None
    assert made[1].splitlines()[0] == "\t@rm -f dist/engraft_lrs-*.whl"
    assert "pip install --no-deps dist/engraft_lrs-*.whl" in (ROOT / "docs" / "operating.md").read_text()


def test_the_files_that_are_read_have_examples_and_are_never_committed():
    ignored = (ROOT / ".gitignore").read_text().split()

    assert {service["env_file"] for service in SERVICES.values() if "env_file" in service} == {"engraft.env"}
    assert {"docker/engraft.env", "docker/master.key"} <= set(ignored)
    assert env_file()["LRS_PUBLIC_URL"] == f"https://{env_file()['ENGRAFT_HOST']}"


def test_the_unit_starts_the_server_and_gives_it_time_to_end():
    settings = unit()
    (start,) = settings["ExecStart"]
    program, *words = start.split()

    assert program.endswith("/lrs")
    assert words[0] in COMMANDS
    assert settings["User"] == ["engraft"]
    assert settings["ProtectSystem"] == ["strict"]
    assert f"LRS_DATA=/var/lib/{settings['StateDirectory'][0]}" in settings["Environment"][0]
    assert int(settings["TimeoutStopSec"][0]) > 30


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze (package systemd)")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    text = (DOCKER / "engraft.service").read_text().replace("/opt/engraft/bin/lrs", sys.executable)
    path = tmp_path / "engraft.service"
    path.write_text(text)

    checked = subprocess.run(
        ["systemd-analyze", "verify", path], check=False, capture_output=True, text=True, timeout=60
    )
    looked = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", path],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert checked.returncode == 0, checked.stderr
    assert checked.stderr == ""
    assert looked.returncode == 0, looked.stdout[-500:]


@pytest.mark.skipif(shutil.which("caddy") is None, reason="there is no caddy (package caddy)")
def test_caddy_understands_its_file(tmp_path):
    checked = subprocess.run(
        ["caddy", "validate", "--config", DOCKER / "Caddyfile", "--adapter", "caddyfile"],
        env={"ENGRAFT_HOST": "localhost", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert checked.returncode == 0, checked.stderr[-500:]
