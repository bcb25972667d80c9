"""The run-time interface of SCORM 1.2: the npm package ``scorm-again``, where the operator has installed it."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings

PROGRAM = "dist/scorm12.min.js"
MAJOR = "3"
"""The major version that the player is written for."""
_INSTALL = "npm install --prefix FOLDER scorm-again@3, and LRS_SCORM_AGAIN=FOLDER/node_modules/scorm-again"


def check(settings: Settings) -> None:
    """Refuses (409) where SCORM courses cannot run."""
    if why := _missing_in(settings):
        raise Refused(f"SCORM courses cannot be opened here yet: {why}", status=409, error="no_scorm")


def is_there(settings: Settings) -> bool:
    """Whether SCORM courses can run."""
    return not _missing_in(settings)


def missing(folder: Path) -> str:
    """Why *folder* is not the package, and what to do; empty if it is."""
    try:
        told = json.loads((folder / "package.json").read_bytes())
    except (OSError, ValueError):
        return f"LRS_SCORM_AGAIN: {folder} has no package.json that can be read; {_INSTALL}"
    name, version = (str(told.get(one, "")) for one in ("name", "version")) if isinstance(told, dict) else ("", "")
    if name != "scorm-again" or version.partition(".")[0] != MAJOR:
        return f"LRS_SCORM_AGAIN: {folder} has {name or 'something'} {version}, not scorm-again {MAJOR}; {_INSTALL}"
    return "" if (folder / PROGRAM).is_file() else f"LRS_SCORM_AGAIN: {folder} has no {PROGRAM}; {_INSTALL}"


def program(settings: Settings) -> bytes:
    """The script. Refuses (409) where it is missing."""
    check(settings)
    assert settings.scorm_again is not None  # noqa: S101 (checked)
    file = settings.scorm_again / PROGRAM
    return _read(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _read(file: Path, _: int) -> bytes:
    return file.read_bytes()


def _missing_in(settings: Settings) -> str:
    if settings.scorm_again is None:
        return f"whoever runs the server installs scorm-again: {_INSTALL}"
    return missing(settings.scorm_again)
