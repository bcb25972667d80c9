"""Statements as Moodle's logstore plugin really sends them: all are accepted, also under two slashes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "xapi" / "moodle-logstore"
if not FOLDER.is_dir():
    pytest.skip(f"the sample data is not beside this checkout: {FOLDER}", allow_module_level=True)
FILES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("version", ["1.0.0", "1.0.3", "2.0.0"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_moodle_sends_is_accepted_and_comes_back(lrs: Any, file: Path, version: str) -> None:
    batch = json.loads(file.read_bytes())
    client = lrs.clients[0]
    headers = {"X-Experience-API-Version": version, "Content-Type": "application/json"}

    answer = client.post(f"{lrs.address}/xapi//statements", content=file.read_bytes(), auth=lrs.auth, headers=headers)

    assert answer.status_code == 200, answer.text
    assert len(answer.json()) == len(batch)
    for sent, statement_id in zip(batch, answer.json(), strict=True):
        kept = lrs.one(statement_id)
        assert {name: kept[name] for name in sent} == sent
        assert kept["timestamp"] == sent.get("timestamp", kept["stored"])


def test_every_file_was_found() -> None:
    assert len(FILES) == 5
