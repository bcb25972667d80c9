"""The files of ``docker/`` as data: what each says, without an engine that would run them."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile and what follows it; *stage* counts the FROMs before it."""

    stage: int
    name: str
    rest: str

    def words(self) -> list[str]:
        """Its arguments: of the JSON form, or as the shell takes them apart, without options."""
        text = re.sub(r"^(--\S+\s+)+", "", self.rest)
        return json.loads(text) if text.startswith("[") else shlex.split(text)


def dockerfile() -> list[Instruction]:
    """The instructions, continued lines joined and comments left out."""
    lines = [line for line in (DOCKER / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    stage, found = -1, []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        name, _, rest = line.strip().partition(" ")
        if name:
            stage += name == "FROM"
            found.append(Instruction(stage, name, rest.strip()))
    return found


def last_stage(name: str) -> list[Instruction]:
    """The instructions of that name which the image itself has."""
    every = dockerfile()
    return [one for one in every if one.name == name and one.stage == every[-1].stage]


def image_environment() -> dict[str, str]:
    """What ``ENV`` sets."""
    pairs = [word.partition("=") for one in last_stage("ENV") for word in shlex.split(one.rest)]
    return {name: value for name, _, value in pairs}


def sent_to_the_build(path: str) -> bool:
    """Whether ``.dockerignore`` lets *path* (of a file or folder in the repository) into the build."""
    let = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        name = pattern.removeprefix("!").rstrip("/")
        parents = [path, *(str(parent) for parent in Path(path).parents)]
        if any(fnmatch.fnmatch(one, name) for one in parents):
            let = pattern.startswith("!")
    return let


def compose() -> dict[str, Any]:
    """The document, anchors resolved."""
    document: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yml").read_text())
    return document


def unit() -> dict[str, list[str]]:
    """The settings of the systemd unit by name, in the order in which they stand."""
    settings: dict[str, list[str]] = {}
    for line in (DOCKER / "engraft.service").read_text().splitlines():
        if line and line[0] not in "#[":
            name, _, value = line.partition("=")
            settings.setdefault(name, []).append(value)
    return settings


def env_file() -> dict[str, str]:
    """The example of the file that compose and the unit read."""
    lines = (DOCKER / "engraft.env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
