"""The source of ``docs/adding-a-source.md`` works as the page says, by no other means than the page names."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from adapters.imports.sources import SOURCES

PAGE = (Path(__file__).parents[2] / "docs" / "adding-a-source.md").read_text()
HEADER = "learner_ref,certificate,mark,certified_on\n"


@pytest.fixture(autouse=True)
def _registered(tmp_path, monkeypatch):
    """The page's source, as if it stood in a file and its name in the registry."""
    code, _ = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "certificates.py").write_text(code)
    spec = importlib.util.spec_from_file_location("certificates", tmp_path / "certificates.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "certificates", module)  # where msgspec looks for the types of a struct
    spec.loader.exec_module(module)
    monkeypatch.setitem(SOURCES, "certificates", module.Certificates)


def test_a_grade_that_is_corrected_voids_what_was_said(bring, endpoint):
    first = bring("certificates", HEADER + "L1,First aid,merit,03/11/2026\n")
    again = bring("certificates", HEADER + "L1,First aid,merit,03/11/2026\n")
    corrected = bring("certificates", HEADER + "L1,First aid,refer,03/11/2026\n")

    assert (first.counts["new"], again.counts["unchanged"], corrected.counts["updated"]) == (1, 1, 1)
    assert [one["verb"]["id"] for one in endpoint.valid()] == ["http://adlnet.gov/expapi/verbs/failed"]


def test_a_word_that_is_not_known_and_a_day_that_is_missing_are_told_row_by_row(bring, endpoint):
    report = bring("certificates", HEADER + "L1,First aid,maybe,03/11/2026\nL2,First aid,merit,\n")

    assert [(row.outcome, row.code, row.column) for row in report.rows] == [
        ("quarantined", "unknown_word", "mark"),
        ("skipped", "not_yet", ""),
    ]
    assert endpoint.is_empty()
