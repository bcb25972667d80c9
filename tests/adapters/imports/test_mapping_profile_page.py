"""``docs/mapping-profile.md`` says what the adapters do: every key, column and word is there, and the example works."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from adapters.apprenticeship.files.eportfolio import EPortfolio
from adapters.imports.sources import SOURCES
from adapters.reading import words
from adapters.reading.profile import MappingProfile, read_profile
from tests.rows import each_of

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "mapping-profile.md").read_text()
EXAMPLE = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_is_a_profile_that_uses_every_key(tmp_path):
    assert EXAMPLE
    (tmp_path / "mapping.json").write_text(EXAMPLE[1])

    profile = read_profile(tmp_path / "mapping.json")

    profile.check(EPortfolio.columns, EPortfolio.worded)
    assert set(msgspec.json.decode(EXAMPLE[1])) == set(MappingProfile.__struct_fields__)


@each_of("key", MappingProfile.__struct_fields__)
def test_every_key_is_explained(key):
    assert f"\n| `{key}` | " in PAGE


def test_the_readme_leads_to_the_page():
    assert "(docs/mapping-profile.md)" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_column_is_named(source):
    named = set(re.findall(r"`([a-z_]+)`", PAGE))

    assert source.columns - named == set()


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_word_of_every_column_is_listed(source):
    listed = [row.strip("|").split("|") for row in PAGE.splitlines() if row.startswith("| `")]
    tables = {tuple(cell.strip().strip("`") for cell in row) for row in listed if len(row) == 2}

    for table in source.worded.values():
        for meaning in dict.fromkeys(table.values()):
            others = [word for word, meant in table.items() if meant == meaning and word not in {"", meaning}]
            others = [word for word in others if word != words.folded_word(meaning)]
            assert (meaning, ", ".join(others) or "-") in tables


def test_every_word_for_nothing_is_listed():
    listed = {words.folded_word(word) for word in re.findall(r"`([^`]*)`", PAGE.split("says only that there is")[1])}

    assert set(words.NOTHING) - {""} <= listed
