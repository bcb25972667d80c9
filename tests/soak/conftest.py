"""Rows of ``soak-result.json``: what was measured, what was promised, and whether it held."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from pathlib import Path

import pytest

RESULT = Path(__file__).parents[2] / "soak-result.json"
_rows: list[dict[str, object]] = []


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Callable[..., None]:
    """``row(name, value, unit, at_most=…)`` or ``at_least=…``: puts it down, then holds the product to it."""

    def put(name: str, value: float, unit: str, *, at_most: float | None = None, at_least: float | None = None) -> None:
        holds = (at_most is None or value <= at_most) and (at_least is None or value >= at_least)
        limit = {"at_most": at_most, "at_least": at_least}
        said = {name: bound for name, bound in limit.items() if bound is not None}
        _rows.append(
            {"name": name, "test": request.node.name, "value": round(value, 3), "unit": unit, **said, "holds": holds}
        )
        assert holds, _rows[-1]

    return put


def pytest_sessionfinish() -> None:
    if _rows:
        told = {"machine": platform.platform(), "rows": _rows}
        RESULT.write_text(json.dumps(told, indent=2) + "\n")
